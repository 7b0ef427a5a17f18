//! Why a step of the default chain was passed over.

use std::fmt;
use std::path::PathBuf;

use super::variables::{CREDENTIALS_DIRECTORY, ID, ID_CREDENTIAL, SECRET};
use crate::credential::profile_id::ProfileId;
use crate::store::NoDefaultDirectory;

/// A step of the default chain that has no credential, and why.
///
/// `Display` says it in a sentence.
///
/// ```
/// use pollination_auth::{BuildError, Client, PassedOver};
///
/// /// Returns `true` if `pollination-auth login` has never been run here.
/// fn is_new(client: Result<Client, BuildError>) -> bool {
///     let Err(BuildError::NoCredentialFound(steps)) = client else {
///         return false;
///     };
///     steps.iter().any(|step| matches!(step, PassedOver::NotStored { .. }))
/// }
/// # let _ = is_new;
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassedOver {
    /// No variable of the environment has a part of an API token, or names a file of one.
    Environment,
    /// No file in systemd's directory of credentials has a part of an API token.
    SystemdCredentials {
        /// The directory, if systemd has set one.
        directory: Option<PathBuf>,
    },
    /// The user has no home directory, in which the command could have stored a credential.
    NoHome,
    /// The command has not stored a credential for the host and profile.
    NotStored {
        /// The directory in which it stores them.
        directory: PathBuf,
        /// The host and the profile.
        profile: ProfileId,
    },
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => write!(
                f,
                "{ID} and {SECRET} are not set, and neither are the variables with _FILE after their \
                 names"
            ),
            Self::SystemdCredentials { directory: None } => {
                write!(f, "{CREDENTIALS_DIRECTORY} is not set")
            }
            Self::SystemdCredentials {
                directory: Some(directory),
            } => write!(f, "{} has no {ID_CREDENTIAL}", directory.display()),
            Self::NoHome => NoDefaultDirectory::NoHome.fmt(f),
            Self::NotStored { directory, profile } => write!(
                f,
                "no credential is stored for {} (profile {}) in {}",
                profile.base_url(),
                profile.name(),
                directory.display()
            ),
        }
    }
}
