//! Random ids, secrets and key material that nobody can guess.

use rand::Rng as _;
use rand::distr::{Alphanumeric, SampleString as _};

/// Letters and digits of an id: as many as the ids of Auth0 clients have.
const ID_LENGTH: usize = 32;

/// Letters and digits of a secret: over 380 bits, so that none comes twice.
const SECRET_LENGTH: usize = 64;

/// Letters and digits of a `jti`: over 120 bits, as many as a random UUID has.
const JTI_LENGTH: usize = 22;

/// Bytes of a signing key: the block of SHA-256, used by HMAC as it is (RFC 2104).
pub(crate) const KEY_LENGTH: usize = 64;

pub(crate) fn id() -> String {
    alphanumerics(ID_LENGTH)
}

pub(crate) fn secret() -> String {
    alphanumerics(SECRET_LENGTH)
}

pub(crate) fn jti() -> String {
    alphanumerics(JTI_LENGTH)
}

pub(crate) fn key() -> [u8; KEY_LENGTH] {
    rand::rng().random()
}

fn alphanumerics(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_secret_comes_twice() {
        let secrets: HashSet<_> = (0..1000).map(|_| secret()).collect();
        assert_eq!(secrets.len(), 1000);
        assert!(secrets.iter().all(|secret| secret.len() == SECRET_LENGTH));
    }
}
