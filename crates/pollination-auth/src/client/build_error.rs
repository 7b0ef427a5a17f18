//! Why a client can't be built.

use std::sync::Arc;

use super::passed_over::PassedOver;
use super::variables::{HOST, PROFILE};
use crate::credential::api_token::CredentialError;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::BaseUrlError;
use crate::store::credential_files::CredentialFileError;
use crate::store::{NoDefaultDirectory, StoreError};

/// Error of a client that can't be built; nothing was sent.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is neither an API token nor an access token.
    #[error(
        "the client has no credential; give the builder an `api_token`, an `access_token` or a \
         `store`, or begin with `Client::from_env()`"
    )]
    NoCredential,
    /// No step of the [default chain](crate::Client::from_default_chain) has a credential; the list
    /// says why each was passed over.
    #[error(
        "no credential was found: {}; run {}, or give `Client::builder()` an `api_token`",
        list(.0), login(.0)
    )]
    NoCredentialFound(Vec<PassedOver>),
    /// `POLLINATION_PROFILE` can't be used; the text says why.
    #[error("the profile (from {name}) {0}", name = PROFILE)]
    Profile(&'static str),
    /// The directory of stored credentials is not known.
    #[error(transparent)]
    Directory(NoDefaultDirectory),
    /// The store in which the command stored a credential can't be opened.
    #[error("the stored credential can't be used")]
    Store(#[source] StoreError),
    /// The command stored the credential in the system's keyring, which this build can't read; enable
    /// the feature `keyring`.
    #[error(
        "the credential of {} (profile {}) is in the system's keyring; enable the feature `keyring` \
         of pollination-auth",
        .0.base_url(),
        .0.name()
    )]
    InKeyring(ProfileId),
    /// An id, a secret or an access token can't be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A file of [`ApiToken::from_env`](crate::ApiToken::from_env) can't be used.
    #[error(transparent)]
    CredentialFile(#[from] CredentialFileError),
    /// The base URL is invalid or could leak a secret.
    #[error("the base URL can't be used: {0}")]
    BaseUrl(BaseUrlError),
    /// `POLLINATION_HOST` is not a base URL, or could leak a secret.
    #[error("the base URL (from {name}) can't be used: {0}", name = HOST)]
    Host(BaseUrlError),
    /// The profile is of another host than the base URL; leave the base URL out.
    #[error("the profile is of another host than the base URL; leave the base URL out")]
    ProfileOfAnotherHost,
    /// A timeout is zero; the name says which.
    #[error("the {0} timeout is zero; leave it out for the default")]
    ZeroTimeout(&'static str),
    /// The user agent contains a character that no header can have.
    #[error("the user agent contains a character that no header can have")]
    UserAgent,
    /// The HTTP client can't be set up: a setting given to `configure_http` is not valid.
    ///
    /// The message does not show the setting; the chain of sources says more where it can.
    #[error("the HTTP client can't be set up; check the settings in `configure_http`")]
    Http(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// rustls has no cryptography provider: this crate was built with the feature
    /// `rustls-no-provider` alone, and the program has not installed one.
    #[error(
        "rustls has no cryptography provider; install one with `CryptoProvider::install_default` \
         before building the client"
    )]
    NoCryptoProvider,
    /// No root certificate was found, so no https service can be trusted.
    ///
    /// The text names the variables and the places that were searched, and what is wrong there.
    #[error(
        "no root certificate was found: {0}; install the system's certificates, let SSL_CERT_FILE \
         name a file of them, or add one with `configure_http`"
    )]
    NoRootCertificates(String),
    /// The thread of the blocking client can't be started.
    #[cfg(feature = "blocking")]
    #[error("the thread of the blocking client can't be started")]
    Thread(#[source] std::io::Error),
}

/// Returns the command that stores a credential where the chain has looked for one.
///
/// A name that a shell would read otherwise is left to the reader: the list before it has it.
fn login(passed_over: &[PassedOver]) -> String {
    let is_plain = |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_".contains(&byte);
        !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain)
    };
    let profile = passed_over.iter().find_map(|step| match step {
        PassedOver::NotStored { profile, .. } => Some(profile),
        _ => None,
    });
    match profile.map(|profile| (profile.name(), profile.base_url())) {
        Some((name, host)) if is_plain(name) && is_plain(host) => {
            format!("`pollination-auth login --profile {name} --host {host}`")
        }
        _ => "`pollination-auth login` with --profile and --host".to_owned(),
    }
}

/// Joins the steps that were passed over.
fn list(passed_over: &[PassedOver]) -> String {
    let steps: Vec<_> = passed_over.iter().map(PassedOver::to_string).collect();
    steps.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::base_url::BaseUrl;

    #[test]
    fn the_command_is_one_to_paste_or_none_that_a_shell_could_misread() {
        let login = |url: &str, name: &str| {
            let base_url = BaseUrl::parse(url, false).unwrap();
            login(&[
                PassedOver::Environment,
                PassedOver::NotStored {
                    directory: "/d".into(),
                    profile: ProfileId::new(&base_url, name),
                },
            ])
        };
        assert_eq!(
            login("https://h.example:8443/v1", "work_2"),
            "`pollination-auth login --profile work_2 --host https://h.example:8443/v1`"
        );
        let words = "`pollination-auth login` with --profile and --host";
        for (url, name) in [
            ("https://h.example", "a b"),
            ("https://h.example", "$(id)"),
            ("https://h.example", "-v"),
            ("https://h.example/a;b", "work"),
        ] {
            assert_eq!(login(url, name), words, "{url} {name}");
        }
        assert_eq!(super::login(&[PassedOver::NoHome]), words);
    }
}
