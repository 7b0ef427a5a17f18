//! The names of the environment variables that the command reads.

/// The id of the API token.
pub(crate) const ID: &str = "POLLINATION_API_KEY_ID";

/// The secret of the API token.
pub(crate) const SECRET: &str = "POLLINATION_API_KEY_SECRET";

/// The base URL of the service.
pub(crate) const HOST: &str = "POLLINATION_HOST";

/// The directory of the credentials, in place of the platform's.
pub(crate) const DIRECTORY: &str = "POLLINATION_AUTH_DIR";

/// The directory that a new secret goes to when that of the credentials fails.
pub(crate) const RESCUE: &str = "POLLINATION_AUTH_RESCUE_DIR";
