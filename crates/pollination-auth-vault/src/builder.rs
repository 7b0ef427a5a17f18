//! The settings of a store, and their defaults.

use std::fmt;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::HeaderValue;

use crate::address::{Address, plain_path};
use crate::auth::VaultAuth;
use crate::error::VaultError;
use crate::kv::Kv;
use crate::server::{Server, Settings};
use crate::session::Session;
use crate::store::VaultStore;

/// Where a server mounts its first KV secrets engine.
const MOUNT: &str = "secret";

/// The folder of the secrets.
const FOLDER: &str = "pollination";

/// The default lease of the lock: 30 s.
///
/// A healthy holder renews it every 10 s, so only one that is paused or gone for longer loses it. It
/// is below the patience of those who wait for a rotation.
const LEASE: Duration = Duration::from_secs(30);

/// The shortest lease: 1 s. With a shorter one a busy machine would lose it between two renewals.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// The default patience: 15 s, in which a cluster has a new active node, or a pod of it is restarted.
const PATIENCE: Duration = Duration::from_secs(15);

/// Builds a [`VaultStore`].
///
/// ```
/// use std::time::Duration;
/// use pollination_auth::Secret;
/// use pollination_auth_vault::{VaultAuth, VaultError, VaultStore};
///
/// let store = VaultStore::builder("https://vault.example.com:8200")
///     .auth(VaultAuth::app_role("a-role-id", Secret::from("a-secret-id")))
///     .namespace("team")
///     .mount("kv")
///     .folder("services/pollination")
///     .lease(Duration::from_secs(60))
///     .patience(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), VaultError>(())
/// ```
#[derive(Clone)]
#[must_use = "call `build`"]
pub struct VaultStoreBuilder {
    address: String,
    auth: Option<VaultAuth>,
    namespace: Option<String>,
    mount: String,
    folder: String,
    certificates: Option<Vec<u8>>,
    allow_plain_http: bool,
    lease: Duration,
    patience: Duration,
}

impl VaultStore {
    /// Returns a builder for a store on the server at this address, such as
    /// `https://vault.example.com:8200`.
    pub fn builder(address: impl Into<String>) -> VaultStoreBuilder {
        VaultStoreBuilder {
            address: address.into(),
            auth: None,
            namespace: None,
            mount: MOUNT.to_owned(),
            folder: FOLDER.to_owned(),
            certificates: None,
            allow_plain_http: false,
            lease: LEASE,
            patience: PATIENCE,
        }
    }
}

impl VaultStoreBuilder {
    /// Sets how to authenticate; required.
    pub fn auth(mut self, auth: VaultAuth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Sets the namespace; by default there is none.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets where the secrets engine is mounted; the default is `secret`.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// Sets the folder for the secrets of all profiles; the default is `pollination`.
    pub fn folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Sets the root certificates (PEM) to trust instead of the system's.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates = Some(pem.into());
        self
    }

    /// Sets the lease of the lock; the default is 30 s, the minimum 1 s.
    ///
    /// After a holder was killed or paused, others can take the lock over once they have seen it
    /// for this long without a renewal.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long a request is repeated while the server can't be reached, is sealed, or has no
    /// active node; the default is 15 s.
    ///
    /// Each repetition may take another 10 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Accepts plain `http` to another machine, which shows the token and the secrets to the
    /// network. To this machine it is always accepted.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Builds the store; nothing is sent before its first use.
    ///
    /// # Errors
    ///
    /// [`VaultError::InvalidSetting`] names the setting, [`VaultError::Client`] is an error of the
    /// HTTP client, such as a system without root certificates.
    pub fn build(self) -> Result<VaultStore, VaultError> {
        let invalid = |setting, problem| VaultError::InvalidSetting { setting, problem };
        let auth = self.auth.ok_or_else(|| invalid("auth", "it is not set"))?;
        if self.lease < SHORTEST_LEASE {
            return Err(invalid("lease", "it is shorter than a second"));
        }
        if let Some(namespace) = &self.namespace {
            HeaderValue::from_str(namespace)
                .map_err(|_invalid| invalid("namespace", "no HTTP header can carry it"))?;
        }
        let mount = plain_path("mount", &self.mount)?;
        let folder = plain_path("folder", &self.folder)?;
        let certificates = self.certificates.as_deref().map(certificates).transpose()?;
        let server = Server::new(Settings {
            address: Address::parse(&self.address, self.allow_plain_http)?,
            namespace: self.namespace,
            certificates,
            patience: self.patience,
        })?;
        let session = Session::new(server, auth.checked()?)?;
        Ok(VaultStore::new(Kv::new(session, mount, folder), self.lease))
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, VaultError> {
    let invalid = |problem| VaultError::InvalidSetting {
        setting: "ca_certificates",
        problem,
    };
    let certificates = Certificate::from_pem_bundle(pem);
    let certificates = certificates.map_err(|_unread| invalid("it is not valid PEM"))?;
    if certificates.is_empty() {
        return Err(invalid("it contains no certificate in PEM"));
    }
    Ok(certificates)
}

/// The address is left out: before it was checked it can contain a password.
impl fmt::Debug for VaultStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultStoreBuilder")
            .field("auth", &self.auth)
            .field("namespace", &self.namespace)
            .field("mount", &self.mount)
            .field("folder", &self.folder)
            .field("has_ca_certificates", &self.certificates.is_some())
            .field("lease", &self.lease)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pollination_auth::Secret;

    use super::*;

    fn builder() -> VaultStoreBuilder {
        VaultStore::builder("https://vault.example").auth(VaultAuth::token("planted"))
    }

    #[test]
    fn a_setting_that_is_invalid_is_named_and_not_shown() {
        for (builder, name) in [
            (VaultStore::builder("https://vault.example"), "auth"),
            (builder().auth(VaultAuth::token("planted\n")), "auth"),
            (
                builder().auth(VaultAuth::kubernetes("a").mount("planted/../b")),
                "auth",
            ),
            (builder().mount("planted/../b"), "mount"),
            (builder().folder("planted/*"), "folder"),
            (builder().namespace("planted\n"), "namespace"),
            (builder().ca_certificates("planted"), "ca_certificates"),
            (builder().lease(Duration::from_millis(999)), "lease"),
            (
                VaultStore::builder("http://planted.example").auth(VaultAuth::token("a")),
                "address",
            ),
        ] {
            let error = builder.build().unwrap_err();
            let VaultError::InvalidSetting { setting, .. } = &error else {
                panic!("{error}");
            };
            assert_eq!(*setting, name);
            assert!(
                !format!("{error} {error:?}").contains("planted"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn no_debug_output_shows_a_secret() {
        let auths = [
            VaultAuth::token("planted"),
            VaultAuth::app_role("a-role", Secret::from("planted")),
            VaultAuth::kubernetes("a-role"),
        ];
        for auth in auths {
            let builder = VaultStore::builder("https://user:planted@vault.example").auth(auth);
            assert!(!format!("{builder:?}").contains("planted"), "{builder:?}");
        }
        let store = builder().build().unwrap();
        assert!(!format!("{store:?}").contains("planted"), "{store:?}");
    }
}
