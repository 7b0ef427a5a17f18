//! The names of the environment variables that the command reads.

/// The id of the API token.
pub(crate) const ID: &str = "POLLINATION_API_KEY_ID";

/// The secret of the API token.
pub(crate) const SECRET: &str = "POLLINATION_API_KEY_SECRET";

/// The file with the id of the API token.
pub(crate) const ID_FILE: &str = "POLLINATION_API_KEY_ID_FILE";

/// The file with the secret of the API token.
pub(crate) const SECRET_FILE: &str = "POLLINATION_API_KEY_SECRET_FILE";

/// The key of the vendor's later API, which is no API token of this one. It is looked for, and never read.
pub(crate) const LATER_KEY: &str = "POLLINATION_API_KEY";

/// The access token, for the command that `exec` runs.
pub(crate) const ACCESS_TOKEN: &str = "POLLINATION_ACCESS_TOKEN";

/// The profile.
pub(crate) const PROFILE: &str = "POLLINATION_PROFILE";

/// The base URL of the service.
pub(crate) const HOST: &str = "POLLINATION_HOST";

/// The directory of the credentials, instead of the platform's.
pub(crate) const DIRECTORY: &str = "POLLINATION_AUTH_DIR";

/// The directory that a new secret goes to when that of the credentials fails.
pub(crate) const RESCUE: &str = "POLLINATION_AUTH_RESCUE_DIR";

/// Set by the shell's completions, which ask this program for what can follow.
pub(crate) const COMPLETE: &str = "POLLINATION_AUTH_COMPLETE";
