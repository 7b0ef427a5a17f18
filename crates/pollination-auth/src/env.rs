//! Reads the environment, through a look-up that tests bring themselves.

use std::ffi::OsString;

use crate::base_url::BaseUrlError;
use crate::builder::BuildError;
use crate::credential::{ApiToken, CredentialError, Part};

/// The id of the API token.
pub(crate) const ID: &str = "POLLINATION_API_KEY_ID";
/// The secret of the API token.
pub(crate) const SECRET: &str = "POLLINATION_API_KEY_SECRET";
/// The base URL of the service; the service's own when it is not set.
pub(crate) const HOST: &str = "POLLINATION_HOST";

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) api_token: ApiToken,
    pub(crate) base_url: Option<String>,
}

/// Reads the three variables; one that is set but empty is an error, not an absent one.
pub(crate) fn read(
    look_up: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Environment, BuildError> {
    let text = |part, name| match look_up(name) {
        None => Err(CredentialError::missing(part, name)),
        Some(value) => value
            .into_string()
            .map_err(|_bytes| CredentialError::not_unicode(part, name)),
    };
    let api_token = ApiToken::new(text(Part::Id, ID)?, text(Part::Secret, SECRET)?).map_err(
        |error| match error.part() {
            Part::Id => error.found_in(ID),
            _ => error.found_in(SECRET),
        },
    )?;
    let base_url = look_up(HOST)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_bytes| BuildError::Host(BaseUrlError::NotUnicode))?;
    Ok(Environment {
        api_token,
        base_url,
    })
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

    #[test]
    fn reads_the_credential_and_the_host() {
        let read = read_from(&[
            (ID, "an-id"),
            (SECRET, "a-secret\n"),
            (HOST, "http://[::1]"),
        ])
        .unwrap();
        assert_eq!(read.api_token.id().as_str(), "an-id");
        assert_eq!(read.api_token.secret().expose_secret(), "a-secret");
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
                &[(ID, "")][..],
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
            assert_eq!(read_from(variables).unwrap_err(), message);
        }
    }

    #[cfg(unix)]
    #[test]
    fn row_51_bytes_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let error = read(|_| Some(OsString::from_vec(vec![0xff]))).unwrap_err();
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
            _ => Some(OsString::from("planted")),
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the base URL (from POLLINATION_HOST) can't be used: it is not valid UTF-8"
        );
        assert!(!format!("{error:?}").contains("planted"));
    }
}
