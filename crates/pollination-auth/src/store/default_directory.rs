//! Where the command `pollination-auth` stores credentials.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use super::file::FileStore;

/// The variable that names the directory, instead of the platform's.
const DIRECTORY: &str = "POLLINATION_AUTH_DIR";

/// The directory's name among those of other programs.
const OWN_NAME: &str = "pollination-auth";

impl FileStore {
    /// Returns the directory in which the command `pollination-auth` stores credentials.
    ///
    /// `POLLINATION_AUTH_DIR` names it. By default it is `pollination-auth` in the platform's
    /// directory for settings: `~/.config` on Linux and macOS unless `XDG_CONFIG_HOME` is set, and
    /// `%APPDATA%` on Windows. It may not exist.
    ///
    /// ```
    /// use pollination_auth::{Client, DEFAULT_BASE_URL, FileStore, Profile};
    ///
    /// # fn client() -> Result<Client, Box<dyn std::error::Error>> {
    /// let store = FileStore::open(FileStore::default_directory()?)?;
    /// let profile = Profile::new(store, DEFAULT_BASE_URL, "work")?;
    /// let client = Client::builder().profile(profile).build()?;
    /// # Ok(client)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NoDefaultDirectory`] if the variable is empty, or the user has no home directory.
    pub fn default_directory() -> Result<PathBuf, NoDefaultDirectory> {
        find(env::var_os, || {
            let platform = etcetera::choose_base_strategy().ok()?;
            Some(platform.config_dir())
        })
    }
}

/// An empty variable is a mistake in a script: it does not ask for the default.
fn find(
    look_up: impl Fn(&'static str) -> Option<OsString>,
    settings: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, NoDefaultDirectory> {
    match look_up(DIRECTORY) {
        Some(path) if path.is_empty() => Err(NoDefaultDirectory::Empty),
        Some(path) => Ok(PathBuf::from(path)),
        None => settings()
            .map(|settings| settings.join(OWN_NAME))
            .ok_or(NoDefaultDirectory::NoHome),
    }
}

/// Why no directory is known for stored credentials.
///
/// ```
/// use pollination_auth::{FileStore, NoDefaultDirectory};
///
/// match FileStore::default_directory() {
///     Ok(directory) => println!("credentials are in {}", directory.display()),
///     Err(NoDefaultDirectory::NoHome) => println!("set POLLINATION_AUTH_DIR"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDefaultDirectory {
    /// `POLLINATION_AUTH_DIR` is empty.
    #[error("{DIRECTORY} is empty; set it to a directory, or unset it")]
    Empty,
    /// The user has no home directory, and `POLLINATION_AUTH_DIR` is not set.
    #[error("there is no home directory; set {DIRECTORY}")]
    NoHome,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variable: Option<&str>, settings: Option<&str>) -> Result<String, String> {
        let found = find(
            |name| variable.filter(|_| name == DIRECTORY).map(OsString::from),
            || settings.map(PathBuf::from),
        );
        found
            .map(|path| path.to_string_lossy().replace('\\', "/"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_variable_goes_before_the_platform() {
        assert_eq!(found(Some("x"), Some("y")).as_deref(), Ok("x"));
        assert_eq!(found(None, Some("y")).as_deref(), Ok("y/pollination-auth"));
    }

    #[test]
    fn row_51_an_empty_variable_and_no_home_are_errors_that_name_the_variable() {
        for error in [found(Some(""), Some("y")), found(None, None)] {
            assert!(error.unwrap_err().contains("POLLINATION_AUTH_DIR"));
        }
    }
}
