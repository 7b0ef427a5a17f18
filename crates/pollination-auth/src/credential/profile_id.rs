//! The name of a profile: which credential of which host is meant.

use crate::foundation::base_url::BaseUrl;
use crate::foundation::digest::sha256_hex;

/// The digits of a hash that distinguish two profiles: 16, enough for more than a disk can store.
const KEY_HASH_DIGITS: usize = 16;

/// The most characters of a profile's name that its key shows: 32.
const KEY_NAME_LIMIT: usize = 32;

/// The name of a profile: a host, and a name under which a credential for it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProfileId {
    base_url: String,
    name: String,
}

impl ProfileId {
    pub(crate) fn new(base_url: &BaseUrl, name: impl Into<String>) -> Self {
        Self {
            base_url: base_url.prefix().to_owned(),
            name: name.into(),
        }
    }

    /// Returns the profile with another name at the same host.
    pub(crate) fn named(&self, name: impl Into<String>) -> Self {
        Self {
            base_url: self.base_url.clone(),
            name: name.into(),
        }
    }

    /// Returns the base URL of the service, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the profile's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a text that names the profile and can be part of a file name.
    ///
    /// It differs for every profile, consists of lower-case letters, digits, `_` and `-`, and is at most
    /// 49 bytes long.
    #[must_use]
    pub fn key(&self) -> String {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        let name: String = self.name.chars().take(KEY_NAME_LIMIT).map(plain).collect();
        // A base URL has no line break, so no two pairs are the same text.
        let hash = sha256_hex(format!("{}\n{}", self.base_url, self.name).as_bytes());
        let hash = hash.get(..KEY_HASH_DIGITS).unwrap_or_default();
        format!("{name}-{hash}")
    }
}
