//! The system's keyring as named entries: Secret Service, Windows or macOS. Every call blocks.

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use crate::foundation::secret::Secret;

/// The service of every entry, as a keyring's own program lists it.
const SERVICE: &str = "pollination-auth";

/// The longest entry: what Windows takes (`CRED_MAX_CREDENTIAL_BLOB_SIZE`), 2560 bytes.
///
/// The other systems state no limit; theirs is that of a stored document, 64 KiB.
const LIMIT: usize = if cfg!(windows) { 2560 } else { 64 * 1024 };

/// Error of a keyring. It shows no byte of an entry.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyringError {
    #[error(
        "no keyring service is available ({0}); start one in this session, such as gnome-keyring \
         or KWallet"
    )]
    Missing(String),
    #[error("it is locked, or has no default collection ({0}); unlock or create it, and try again")]
    Locked(String),
    #[error("several entries have the name {0:?}; remove all but one")]
    Ambiguous(String),
    #[error("it did not answer within 2 minutes; it may be waiting for its password")]
    Silent,
    #[error("{0}")]
    Failed(String),
}

/// A place for small secrets, each with a name.
pub(super) trait Keyring: Send + Sync + 'static {
    /// Returns an entry, or `None` if there is none.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError>;

    /// Creates or replaces an entry.
    fn set(&self, name: &str, text: &Secret) -> Result<(), KeyringError>;

    /// Removes an entry; succeeds if there is none.
    fn remove(&self, name: &str) -> Result<(), KeyringError>;

    /// Returns the length of the longest entry, in bytes.
    fn limit(&self) -> usize {
        LIMIT
    }
}

/// The keyring of the user's session.
pub(super) struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        let found = entry(name)?.get_secret().map(Zeroizing::new);
        unless_missing(name, found)
    }

    fn set(&self, name: &str, text: &Secret) -> Result<(), KeyringError> {
        let set = entry(name)?.set_secret(text.expose_secret().as_bytes());
        set.map_err(|error| described(name, error))
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        unless_missing(name, entry(name)?.delete_credential()).map(|_removed| ())
    }
}

fn entry(name: &str) -> Result<Entry, KeyringError> {
    // The service is looked for once in a process, and the error is kept.
    match Entry::store_status() {
        Ok(()) => {}
        Err(Error::PlatformFailure(source)) => {
            return Err(KeyringError::Missing(source.to_string()));
        }
        Err(error) => return Err(KeyringError::Missing(error.to_string())),
    }
    Entry::new(SERVICE, name).map_err(|error| described(name, error))
}

fn unless_missing<T>(name: &str, result: Result<T, Error>) -> Result<Option<T>, KeyringError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(described(name, error)),
    }
}

/// Describes an error in words that are fit to print: some of them contain an entry's bytes.
fn described(name: &str, error: Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(source) => KeyringError::Locked(source.to_string()),
        Error::Ambiguous(_) => KeyringError::Ambiguous(name.to_owned()),
        Error::PlatformFailure(source) => KeyringError::Failed(source.to_string()),
        Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            KeyringError::Failed("the entry has another format".to_owned())
        }
        other => KeyringError::Failed(other.to_string()),
    }
}

/// Windows has a keyring for every process; elsewhere `tests/it` starts one.
#[cfg(all(test, windows))]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_is_kept_until_it_is_removed() {
        let name = format!("test of process {}", std::process::id());
        let text = Secret::from("x".repeat(LIMIT));
        SystemKeyring.set(&name, &text).unwrap();
        let kept = SystemKeyring.get(&name).unwrap().unwrap();
        assert_eq!(kept.as_slice(), text.expose_secret().as_bytes());
        SystemKeyring.remove(&name).unwrap();
        assert!(SystemKeyring.get(&name).unwrap().is_none());
        SystemKeyring.remove(&name).unwrap();
    }
}
