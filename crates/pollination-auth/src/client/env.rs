//! Reads the environment, through a look-up that tests bring themselves.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::client::build_error::{BuildError, HOST};
use crate::credential::api_token::{ApiToken, CredentialError, Part, entered_id, entered_secret};
use crate::foundation::base_url::BaseUrlError;
use crate::foundation::secret::Secret;
use crate::store::credential_files::{CredentialFiles, Given};

/// The id of the API token.
pub(crate) const ID: &str = "POLLINATION_API_KEY_ID";
/// The secret of the API token.
pub(crate) const SECRET: &str = "POLLINATION_API_KEY_SECRET";
/// The file that the id is in.
pub(crate) const ID_FILE: &str = "POLLINATION_API_KEY_ID_FILE";
/// The file that the secret is in.
pub(crate) const SECRET_FILE: &str = "POLLINATION_API_KEY_SECRET_FILE";

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
    let id = part(&look_up, Part::Id, ID, ID_FILE, |text| entered_id(&text))?;
    let secret = part(&look_up, Part::Secret, SECRET, SECRET_FILE, |text| {
        entered_secret(Secret::from(text).expose_secret())
    })?;
    let credential = match (id, secret) {
        (Given::Value(id), Given::Value(secret)) => Found::ApiToken(ApiToken::of(id, secret)),
        (id, secret) => Found::Files(CredentialFiles::new(id, secret)),
    };
    let base_url = look_up(HOST)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_bytes| BuildError::Host(BaseUrlError::NotUnicode))?;
    Ok(Environment {
        credential,
        base_url,
    })
}

/// Reads a part of the API token from its variable, or the path of its file from the other.
fn part<T>(
    look_up: impl Fn(&'static str) -> Option<OsString>,
    part: Part,
    name: &'static str,
    file_name: &'static str,
    check: impl FnOnce(String) -> Result<T, CredentialError>,
) -> Result<Given<T>, CredentialError> {
    match (look_up(name), look_up(file_name)) {
        (Some(_), Some(_)) => Err(CredentialError::set_twice(part, name, file_name)),
        (None, Some(path)) if path.is_empty() => Err(CredentialError::empty(part, file_name)),
        (None, Some(path)) => Ok(Given::File(PathBuf::from(path))),
        (None, None) => Err(CredentialError::missing(part, name)),
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
                "the API token's secret (from POLLINATION_API_KEY_SECRET) holds a control \
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
