//! Builders whose credential is found outside of the program: the environment, the default chain.

use std::env::var_os;

use super::builder::{ClientBuilder, Credential};
use super::{chain, env};
use crate::client::Client;
use crate::client::build_error::BuildError;

impl Client {
    /// Builds a client from the environment; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`BuildError`] naming the variable that is missing or can't be used.
    pub fn from_env() -> Result<Self, BuildError> {
        ClientBuilder::from_env()?.build()
    }

    /// Builds a client with the first credential that it finds: in the environment, in files, or as
    /// the command stored it; see [`ClientBuilder::from_default_chain`].
    ///
    /// After `pollination-auth login` a program needs no more than this:
    ///
    /// ```no_run
    /// use pollination_auth::Client;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::from_default_chain()?;
    /// let token = client.access_token().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::NoCredentialFound`] if there is none anywhere, with each step and why it was
    /// passed over; those of [`ClientBuilder::from_default_chain`].
    pub fn from_default_chain() -> Result<Self, BuildError> {
        ClientBuilder::from_default_chain()?.build()
    }
}

impl ClientBuilder {
    /// Takes the API token and the base URL from the environment.
    ///
    /// Reads `POLLINATION_API_KEY_ID`, `POLLINATION_API_KEY_SECRET` and, if it is set,
    /// `POLLINATION_HOST`. An empty variable is an error, not treated as unset.
    /// [`build`](Self::build) checks the host.
    ///
    /// `POLLINATION_API_KEY_ID_FILE` and `POLLINATION_API_KEY_SECRET_FILE` name files that hold the
    /// id and the secret instead, which are read as by [`api_token_files`](Self::api_token_files).
    /// So are the files `pollination-api-key-id` and `pollination-api-key-secret` in
    /// `$CREDENTIALS_DIRECTORY`, which systemd makes of `LoadCredential=` with these names; a
    /// variable takes precedence.
    ///
    /// # Errors
    ///
    /// [`BuildError::Credential`] naming the variable that is missing, empty or not UTF-8, or the
    /// two that exclude each other; [`BuildError::Host`] if the host is not UTF-8.
    pub fn from_env() -> Result<Self, BuildError> {
        Self::from_environment(env::read(var_os)?)
    }

    /// Takes the credential from the first of these that has one:
    ///
    /// 1. the environment, as [`from_env`](Self::from_env) reads it: `POLLINATION_API_KEY_ID` and
    ///    `POLLINATION_API_KEY_SECRET`, or the files that `POLLINATION_API_KEY_ID_FILE` and
    ///    `POLLINATION_API_KEY_SECRET_FILE` name;
    /// 2. the files `pollination-api-key-id` and `pollination-api-key-secret` in systemd's
    ///    `$CREDENTIALS_DIRECTORY`, which `from_env` reads as well;
    /// 3. what `pollination-auth login` stored for the host and profile, in
    ///    [`FileStore::default_directory`](crate::FileStore::default_directory) or, with the feature
    ///    `keyring`, in the system's keyring.
    ///
    /// `POLLINATION_HOST` sets the base URL unless [`base_url`](Self::base_url) does, and
    /// `POLLINATION_PROFILE` the profile. [`build`](Self::build) goes through the chain. An event at the
    /// level `debug` says why a step was passed over. A step that has a credential which can't be
    /// used is not passed over, but an error: the next one may be that of another account.
    ///
    /// # Errors
    ///
    /// [`BuildError::Host`] or [`BuildError::Profile`] if the variable can't be used. `build` fails
    /// with [`BuildError::NoCredentialFound`] if no step has a credential, and with
    /// [`BuildError::Credential`], [`BuildError::Directory`], [`BuildError::Store`] or
    /// [`BuildError::InKeyring`] if one can't be used.
    pub fn from_default_chain() -> Result<Self, BuildError> {
        let profile = env::profile(var_os)?;
        let builder = Self {
            credential: Some(Credential::Chain(chain::find, profile)),
            ..Self::default()
        };
        Ok(builder.host_of_environment(env::base_url(var_os)?))
    }

    fn from_environment(found: env::Environment) -> Result<Self, BuildError> {
        let builder = Self {
            credential: Some(match found.credential {
                env::Found::ApiToken(token) => Credential::ApiToken(token),
                env::Found::Files(files) => Credential::Files(files),
            }),
            ..Self::default()
        };
        Ok(builder.host_of_environment(found.base_url))
    }

    fn host_of_environment(self, base_url: Option<String>) -> Self {
        match base_url {
            Some(base_url) => Self {
                is_host_of_environment: true,
                ..self.base_url(base_url)
            },
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::api_token::ApiToken;
    use crate::foundation::base_url::BaseUrlError;
    use crate::foundation::secret::Secret;

    fn with_host(host: &str) -> ClientBuilder {
        ClientBuilder::from_environment(env::Environment {
            credential: env::Found::ApiToken(
                ApiToken::new("an-id", Secret::from("a-secret")).unwrap(),
            ),
            base_url: Some(host.to_owned()),
        })
        .unwrap()
    }

    #[test]
    fn a_host_of_the_environment_is_refused_by_the_name_of_its_variable() {
        for (host, problem) in [
            ("", BaseUrlError::NotAUrl),
            ("planted", BaseUrlError::NotAUrl),
            ("https://planted@h.example", BaseUrlError::UserInfo),
            ("http://h.example", BaseUrlError::PlainHttp),
        ] {
            let error = with_host(host).build().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the base URL (from POLLINATION_HOST) can't be used: {problem}")
            );
            assert!(matches!(error, BuildError::Host(found) if found == problem));
        }
    }

    #[test]
    fn a_base_url_that_takes_the_place_of_the_environments_is_not_blamed_on_it() {
        let error = with_host("").base_url("").build().unwrap_err();
        assert!(matches!(error, BuildError::BaseUrl(BaseUrlError::NotAUrl)));
        let builder = with_host("http://h.example").dangerously_allow_plain_http();
        assert!(builder.build().is_ok());
    }
}
