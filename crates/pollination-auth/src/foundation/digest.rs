//! SHA-256 as text: for checksums and names, not for passwords.

use std::fmt::Write as _;

use hmac_sha256::Hash;

/// Returns the SHA-256 of bytes as 64 hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Hash::hash(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
