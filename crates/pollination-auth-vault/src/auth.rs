//! How the store authenticates: with a token, an AppRole, or a Kubernetes service account.

use std::fmt;
use std::path::PathBuf;

use pollination_auth::Secret;
use serde::Serialize;

use crate::address::plain_path;
use crate::error::VaultError;
use crate::server::Request;

/// Where Kubernetes mounts the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How the store authenticates to the server.
///
/// ```
/// use pollination_auth::Secret;
/// use pollination_auth_vault::VaultAuth;
///
/// let in_a_pod = VaultAuth::kubernetes("pollination").mount("kubernetes-eu");
/// let elsewhere = VaultAuth::app_role("a-role-id", Secret::from("a-secret-id"));
/// # assert!(!format!("{in_a_pod:?} {elsewhere:?}").contains("a-secret-id"));
/// ```
#[derive(Clone)]
pub struct VaultAuth(Method);

#[derive(Clone)]
enum Method {
    Token(Secret),
    AppRole {
        mount: String,
        role_id: String,
        secret_id: Secret,
    },
    Kubernetes {
        mount: String,
        role: String,
        file: PathBuf,
    },
}

impl VaultAuth {
    /// Authenticates with a token.
    ///
    /// A task renews it before it expires, if it is renewable. Once it has expired for good, calls
    /// fail with [`VaultError::TokenRefused`]; the other methods log in again instead.
    pub fn token(token: impl Into<String>) -> Self {
        Self(Method::Token(Secret::from(token.into())))
    }

    /// Authenticates with an AppRole.
    ///
    /// The secret id has to allow repeated logins.
    pub fn app_role(role_id: impl Into<String>, secret_id: Secret) -> Self {
        Self(Method::AppRole {
            mount: "approle".to_owned(),
            role_id: role_id.into(),
            secret_id,
        })
    }

    /// Authenticates with the service account of the pod and a role of the server.
    pub fn kubernetes(role: impl Into<String>) -> Self {
        Self(Method::Kubernetes {
            mount: "kubernetes".to_owned(),
            role: role.into(),
            file: SERVICE_ACCOUNT.into(),
        })
    }

    /// Sets where the auth method is mounted; the default is `approle` or `kubernetes`.
    ///
    /// A token has no mount.
    #[must_use]
    pub fn mount(mut self, path: impl Into<String>) -> Self {
        if let Method::AppRole { mount, .. } | Method::Kubernetes { mount, .. } = &mut self.0 {
            *mount = path.into();
        }
        self
    }

    /// Sets the file with the service account's token, which is read at each login.
    ///
    /// The default is where Kubernetes mounts it. Other methods read no file.
    #[must_use]
    pub fn service_account_file(mut self, path: impl Into<PathBuf>) -> Self {
        if let Method::Kubernetes { file, .. } = &mut self.0 {
            *file = path.into();
        }
        self
    }

    /// Checks the mount.
    pub(crate) fn checked(mut self) -> Result<Self, VaultError> {
        if let Method::AppRole { mount, .. } | Method::Kubernetes { mount, .. } = &mut self.0 {
            *mount = plain_path("auth", mount)?;
        }
        Ok(self)
    }

    /// Returns the token if it is given, and not the result of a login.
    pub(crate) fn given(&self) -> Option<&Secret> {
        match &self.0 {
            Method::Token(token) => Some(token),
            _ => None,
        }
    }

    /// Returns the request of a login.
    pub(crate) async fn login(&self) -> Result<Request, VaultError> {
        match &self.0 {
            // Whoever has a given token needs no login.
            Method::Token(_) => Err(VaultError::TokenRefused),
            Method::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let secret_id = secret_id.expose_secret();
                let body = AppRoleLogin { role_id, secret_id };
                let size = role_id.len() + secret_id.len();
                Ok(Request::post(format!("auth/{mount}/login"), &body, size))
            }
            Method::Kubernetes { mount, role, file } => {
                let jwt = service_account(file.clone()).await?;
                let jwt = jwt.expose_secret().trim();
                let body = KubernetesLogin { role, jwt };
                let size = role.len() + jwt.len();
                Ok(Request::post(format!("auth/{mount}/login"), &body, size))
            }
        }
    }
}

#[derive(Serialize)]
struct AppRoleLogin<'a> {
    role_id: &'a str,
    secret_id: &'a str,
}

#[derive(Serialize)]
struct KubernetesLogin<'a> {
    role: &'a str,
    jwt: &'a str,
}

/// Reads the token of the service account, which Kubernetes replaces about once an hour.
async fn service_account(path: PathBuf) -> Result<Secret, VaultError> {
    let file = path.clone();
    tokio::task::spawn_blocking(move || std::fs::read_to_string(file))
        .await
        .map_err(|_stopped| VaultError::NoRuntime)?
        .map(Secret::from)
        .map_err(|source| VaultError::ServiceAccount { path, source })
}

impl fmt::Debug for VaultAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Method::Token(_) => f.write_str("Token"),
            Method::AppRole { mount, .. } => f
                .debug_struct("AppRole")
                .field("mount", mount)
                .finish_non_exhaustive(),
            Method::Kubernetes { mount, role, file } => f
                .debug_struct("Kubernetes")
                .field("mount", mount)
                .field("role", role)
                .field("file", file)
                .finish(),
        }
    }
}
