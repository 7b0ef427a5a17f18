//! Reads the environment, through a look-up that tests bring themselves.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use super::variables::{
    CREDENTIALS_DIRECTORY, HOST, ID, ID_CREDENTIAL, ID_FILE, PROFILE, SECRET, SECRET_CREDENTIAL,
    SECRET_FILE,
};
use crate::client::build_error::BuildError;
use crate::credential::api_token::{ApiToken, CredentialError, Part, entered_id, entered_secret};
use crate::foundation::base_url::BaseUrlError;
use crate::foundation::secret::Secret;
use crate::store::credential_files::{CredentialFiles, Given};

/// Where a part of the API token can be.
struct Names {
    part: Part,
    variable: &'static str,
    file_variable: &'static str,
    credential: &'static str,
}

const ID_NAMES: Names = Names {
    part: Part::Id,
    variable: ID,
    file_variable: ID_FILE,
    credential: ID_CREDENTIAL,
};

const SECRET_NAMES: Names = Names {
    part: Part::Secret,
    variable: SECRET,
    file_variable: SECRET_FILE,
    credential: SECRET_CREDENTIAL,
};

/// What the environment says.
pub(crate) struct Environment {
    pub(crate) credential: Found,
    pub(crate) base_url: Option<String>,
}

/// The API token of the environment.
pub(crate) enum Found {
    ApiToken(ApiToken),
    Files(CredentialFiles),
}

impl ApiToken {
    /// Reads the API token that [`Client::from_env`](crate::Client::from_env) logs in with.
    ///
    /// It blocks while it reads files. A client reads them again at each login.
    ///
    /// ```no_run
    /// use pollination_auth::ApiToken;
    ///
    /// let token = ApiToken::from_env()?;
    /// println!("the environment has the API token {}", token.id());
    /// # Ok::<(), pollination_auth::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::Credential`] when a variable is missing or invalid,
    /// [`BuildError::CredentialFile`] when a file is.
    pub fn from_env() -> Result<Self, BuildError> {
        match read(std::env::var_os)?.credential {
            Found::ApiToken(token) => Ok(token),
            Found::Files(files) => Ok(files.read()?),
        }
    }
}

/// Reads the variables; one that is set but empty is an error, not an absent one.
pub(crate) fn read(
    look_up: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Environment, BuildError> {
    Ok(Environment {
        credential: api_token(&look_up)?,
        base_url: base_url(&look_up)?,
    })
}

/// Returns `true` if a part of an API token is set. One alone is an error, not treated as unset.
pub(crate) fn has_api_token(look_up: impl Fn(&'static str) -> Option<OsString>) -> bool {
    [ID_NAMES, SECRET_NAMES].iter().any(|names| {
        look_up(names.variable).is_some()
            || look_up(names.file_variable).is_some()
            || systemd_credential(&look_up, names.credential).is_some()
    })
}

/// Reads the API token; from a file it is read later, at each login.
pub(crate) fn api_token(
    look_up: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Found, BuildError> {
    let id = part(&look_up, &ID_NAMES, |text| entered_id(&text))?;
    let secret = part(&look_up, &SECRET_NAMES, |text| {
        entered_secret(Secret::from(text).expose_secret())
    })?;
    Ok(match (id, secret) {
        (Given::Value(id), Given::Value(secret)) => Found::ApiToken(ApiToken::of(id, secret)),
        (id, secret) => Found::Files(CredentialFiles::new(id, secret)),
    })
}

/// Reads the base URL, if it is set.
pub(crate) fn base_url(
    look_up: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Option<String>, BuildError> {
    look_up(HOST)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_bytes| BuildError::Host(BaseUrlError::NotUnicode))
}

/// Reads the name of the profile, if it is set.
pub(crate) fn profile(
    look_up: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Option<String>, BuildError> {
    match look_up(PROFILE).map(OsString::into_string).transpose() {
        Ok(Some(name)) if name.is_empty() => Err(BuildError::Profile("is empty")),
        Err(_bytes) => Err(BuildError::Profile("is not valid UTF-8")),
        Ok(found) => Ok(found),
    }
}

/// Reads a part of the API token from its variable, or finds its file: the one that the other
/// variable names, or the credential of systemd.
fn part<T>(
    look_up: impl Fn(&'static str) -> Option<OsString>,
    names: &Names,
    check: impl FnOnce(String) -> Result<T, CredentialError>,
) -> Result<Given<T>, CredentialError> {
    let &Names {
        part,
        variable: name,
        file_variable: file_name,
        credential,
    } = names;
    match (look_up(name), look_up(file_name)) {
        (Some(_), Some(_)) => Err(CredentialError::set_twice(part, name, file_name)),
        (None, Some(path)) if path.is_empty() => Err(CredentialError::empty(part, file_name)),
        (None, Some(path)) => Ok(Given::File(PathBuf::from(path))),
        (None, None) => systemd_credential(&look_up, credential)
            .map(Given::File)
            .ok_or_else(|| CredentialError::missing(part, name)),
        (Some(value), None) => {
            let text = value
                .into_string()
                .map_err(|_bytes| CredentialError::not_unicode(part, Some(name)))?;
            check(text)
                .map(Given::Value)
                .map_err(|error| error.found_in(name))
        }
    }
}

/// Returns the file of a credential of systemd, if the unit has it.
fn systemd_credential(
    look_up: impl Fn(&'static str) -> Option<OsString>,
    credential: &str,
) -> Option<PathBuf> {
    let file = PathBuf::from(look_up(CREDENTIALS_DIRECTORY)?).join(credential);
    // One that can't be looked at is not passed over: reading it says why.
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let found = file.symlink_metadata();
    (!found.as_ref().is_err_and(is_missing)).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(variables: &[(&str, &str)]) -> Result<Environment, String> {
        read(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
        .map_err(|error| error.to_string())
    }

    fn api_token(environment: &Environment) -> &ApiToken {
        match &environment.credential {
            Found::ApiToken(token) => token,
            Found::Files(_) => panic!("a file was named"),
        }
    }

    #[test]
    fn reads_the_credential_and_the_host() {
        let read = read_from(&[
            (ID, "an-id"),
            (SECRET, "a-secret\n"),
            (HOST, "http://[::1]"),
        ])
        .unwrap();
        assert_eq!(api_token(&read).id().as_str(), "an-id");
        assert_eq!(api_token(&read).secret().expose_secret(), "a-secret");
        assert_eq!(read.base_url.as_deref(), Some("http://[::1]"));
        assert_eq!(
            read_from(&[(ID, "i"), (SECRET, "s")]).unwrap().base_url,
            None
        );
    }

    #[test]
    fn row_51_an_error_names_the_variable_and_not_the_value() {
        for (variables, message) in [
            (
                &[][..],
                "the API token's id (from POLLINATION_API_KEY_ID) is not set",
            ),
            (
                &[(ID, "i")][..],
                "the API token's secret (from POLLINATION_API_KEY_SECRET) is not set",
            ),
            (
                &[(ID, ""), (SECRET, "planted")][..],
                "the API token's id (from POLLINATION_API_KEY_ID) is empty",
            ),
            (
                &[(ID, "i"), (SECRET, "")][..],
                "the API token's secret (from POLLINATION_API_KEY_SECRET) is empty",
            ),
            (
                &[(ID, "i"), (SECRET, "planted\nplanted")][..],
                "the API token's secret (from POLLINATION_API_KEY_SECRET) contains a control \
                 character, such as a second line",
            ),
        ] {
            assert_eq!(read_from(variables).err().unwrap(), message);
        }
    }

    #[test]
    fn row_80_each_variable_has_a_form_that_names_a_file_and_both_at_once_are_an_error() {
        let given = |variables| match read_from(variables).unwrap().credential {
            Found::ApiToken(_) => panic!("no file was named"),
            Found::Files(CredentialFiles { id, secret, .. }) => {
                let file = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
                let id = match id {
                    Given::File(path) => Some(path),
                    Given::Value(_) => None,
                };
                let secret = match secret {
                    Given::File(path) => Some(path),
                    Given::Value(_) => None,
                };
                (file(id), file(secret))
            }
        };
        let [i, s] = ["/i", "/s"].map(|path| Some(path.to_owned()));
        assert_eq!(
            given(&[(ID_FILE, "/i"), (SECRET_FILE, "/s")]),
            (i.clone(), s.clone())
        );
        assert_eq!(given(&[(ID, "i"), (SECRET_FILE, "/s")]), (None, s));
        assert_eq!(given(&[(ID_FILE, "/i"), (SECRET, "s")]), (i, None));
        for (variables, message) in [
            (
                &[(ID, "i"), (SECRET, "planted"), (SECRET_FILE, "/s")][..],
                "the API token's secret (from POLLINATION_API_KEY_SECRET and \
                 POLLINATION_API_KEY_SECRET_FILE) is set twice; unset one of the two",
            ),
            (
                &[(ID, ""), (ID_FILE, "/i"), (SECRET, "planted")][..],
                "the API token's id (from POLLINATION_API_KEY_ID and \
                 POLLINATION_API_KEY_ID_FILE) is set twice; unset one of the two",
            ),
            (
                &[(ID_FILE, ""), (SECRET, "planted")][..],
                "the API token's id (from POLLINATION_API_KEY_ID_FILE) is empty",
            ),
            (
                &[(ID_FILE, "/i"), (SECRET, " planted")][..],
                "the API token's secret (from POLLINATION_API_KEY_SECRET) begins or ends with \
                 white space",
            ),
        ] {
            assert_eq!(read_from(variables).err().unwrap(), message);
        }
    }

    #[test]
    fn row_80_a_credential_of_systemd_stands_for_a_part_that_no_variable_sets() {
        let directory = std::env::temp_dir().join(format!("systemd-{}", std::process::id()));
        let _left_over = std::fs::remove_dir_all(&directory);
        std::fs::create_dir(&directory).unwrap();
        let at = directory.to_str().unwrap();
        let file = |name: &str| directory.join(name);
        let found = |variables: &[(&str, &str)]| {
            let variables = [variables, &[(CREDENTIALS_DIRECTORY, at)]].concat();
            let read = read_from(&variables).map(|read| match read.credential {
                Found::ApiToken(_) => (None, None),
                Found::Files(CredentialFiles { id, secret, .. }) => {
                    let id = matches!(id, Given::File(path) if path == file(ID_CREDENTIAL));
                    let secret = match secret {
                        Given::File(path) => Some(path),
                        Given::Value(_) => None,
                    };
                    (Some(id), secret)
                }
            });
            let look_up = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            };
            (has_api_token(look_up), read)
        };
        // A unit with other credentials.
        let (has, read) = found(&[]);
        assert!(!has);
        assert_eq!(
            read.unwrap_err(),
            "the API token's id (from POLLINATION_API_KEY_ID) is not set"
        );
        std::fs::write(file(SECRET_CREDENTIAL), "planted").unwrap();
        let (has, read) = found(&[]);
        assert!(has, "one part alone is an error, not passed over");
        assert!(!read.unwrap_err().contains("planted"));
        let secret = Some(file(SECRET_CREDENTIAL));
        assert_eq!(found(&[(ID, "i")]).1, Ok((Some(false), secret.clone())));
        std::fs::write(file(ID_CREDENTIAL), "i").unwrap();
        assert_eq!(found(&[]).1, Ok((Some(true), secret)));
        // A variable goes before it.
        assert_eq!(found(&[(ID, "i"), (SECRET, "s")]).1, Ok((None, None)));
        let elsewhere = Some(PathBuf::from("/s"));
        assert_eq!(found(&[(SECRET_FILE, "/s")]).1, Ok((Some(true), elsewhere)));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn row_51_an_empty_profile_is_an_error_that_names_the_variable() {
        let read = |value: &str| profile(|name| (name == PROFILE).then(|| OsString::from(value)));
        assert_eq!(read("work").unwrap().as_deref(), Some("work"));
        assert!(profile(|_| None).unwrap().is_none());
        assert_eq!(
            read("").unwrap_err().to_string(),
            "the profile (from POLLINATION_PROFILE) is empty"
        );
    }

    #[cfg(unix)]
    #[test]
    fn row_51_bytes_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let error = read(|name| (name == ID).then(|| OsString::from_vec(vec![0xff])))
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "the API token's id (from POLLINATION_API_KEY_ID) is not valid UTF-8"
        );
    }
    #[cfg(unix)]
    #[test]
    fn a_host_that_is_no_text_is_refused_by_the_name_of_its_variable() {
        use std::os::unix::ffi::OsStringExt as _;
        let error = read(|name| match name {
            HOST => Some(OsString::from_vec(b"https://h\xff.example".to_vec())),
            ID | SECRET => Some(OsString::from("planted")),
            _ => None,
        })
        .err()
        .unwrap();
        assert_eq!(
            error.to_string(),
            "the base URL (from POLLINATION_HOST) can't be used: it is not valid UTF-8"
        );
        assert!(!format!("{error:?}").contains("planted"));
    }
}
