//! The names of the environment variables and of the files in systemd's directory of credentials.

/// The id of the API token.
pub(crate) const ID: &str = "POLLINATION_API_KEY_ID";
/// The secret of the API token.
pub(crate) const SECRET: &str = "POLLINATION_API_KEY_SECRET";
/// The file that the id is in.
pub(crate) const ID_FILE: &str = "POLLINATION_API_KEY_ID_FILE";
/// The file that the secret is in.
pub(crate) const SECRET_FILE: &str = "POLLINATION_API_KEY_SECRET_FILE";
/// The base URL of the service; the service's own when it is not set.
pub(crate) const HOST: &str = "POLLINATION_HOST";
/// The profile of a store.
pub(crate) const PROFILE: &str = "POLLINATION_PROFILE";

/// The directory in which systemd puts the credentials of a unit.
pub(crate) const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";
/// The id of the API token there.
pub(crate) const ID_CREDENTIAL: &str = "pollination-api-key-id";
/// The secret of the API token there.
pub(crate) const SECRET_CREDENTIAL: &str = "pollination-api-key-secret";
