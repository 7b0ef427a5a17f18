//! Where the command `pollination-auth` stores credentials.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::file::FileStore;

/// The variable that names the directory, instead of the platform's.
const DIRECTORY: &str = "POLLINATION_AUTH_DIR";

/// The directory's name among those of other programs.
const OWN_NAME: &str = "pollination-auth";

/// The platform's directory for settings: the variable that names it, and its default below home.
#[cfg(not(windows))]
const SETTINGS: (&str, &str) = ("XDG_CONFIG_HOME", ".config");
#[cfg(windows)]
const SETTINGS: (&str, &str) = ("APPDATA", r"AppData\Roaming");

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
        find(env::var_os, env::home_dir)
    }
}

/// An empty variable is a mistake in a script: it does not ask for the default.
fn find(
    look_up: impl Fn(&'static str) -> Option<OsString>,
    home: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, NoDefaultDirectory> {
    match look_up(DIRECTORY) {
        Some(path) if path.is_empty() => Err(NoDefaultDirectory::Empty),
        Some(path) => Ok(PathBuf::from(path)),
        None => {
            let (variable, below_home) = SETTINGS;
            // The XDG specification ignores a relative path. An empty home would be the current folder.
            let absolute = |path: &PathBuf| path.is_absolute();
            let named = look_up(variable).map(PathBuf::from).filter(absolute);
            named
                .or_else(|| Some(home().filter(absolute)?.join(below_home)))
                .map(|settings| settings.join(OWN_NAME))
                .ok_or(NoDefaultDirectory::NoHome)
        }
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
    use std::path::Path;

    use super::*;

    fn found(set: &[(&str, &str)], home: Option<&str>) -> Result<PathBuf, String> {
        let look_up = |name| {
            let value = set.iter().find(|(other, _)| *other == name);
            value.map(|(_, value)| OsString::from(value))
        };
        find(look_up, || home.map(PathBuf::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_own_variable_goes_before_that_of_the_platform_and_both_before_home() {
        let [absolute, home] = if cfg!(windows) {
            [r"C:\x", r"C:\home"]
        } else {
            ["/x", "/home"]
        };
        let platform = (SETTINGS.0, absolute);
        let found = |set: &[_]| found(set, Some(home)).unwrap();
        assert_eq!(found(&[(DIRECTORY, "own"), platform]), Path::new("own"));
        assert_eq!(found(&[platform]), Path::new(absolute).join(OWN_NAME));
        let default = Path::new(home).join(SETTINGS.1).join(OWN_NAME);
        assert_eq!(found(&[]), default);
        assert_eq!(found(&[(SETTINGS.0, "relative")]), default);
        assert_eq!(found(&[(SETTINGS.0, "")]), default);
    }

    #[test]
    fn row_51_an_empty_variable_and_no_home_are_errors_that_name_the_variable() {
        for error in [
            found(&[(DIRECTORY, "")], Some("/home")),
            found(&[], None),
            found(&[], Some("")),
            found(&[], Some("home")),
        ] {
            assert!(error.unwrap_err().contains("POLLINATION_AUTH_DIR"));
        }
    }
}
