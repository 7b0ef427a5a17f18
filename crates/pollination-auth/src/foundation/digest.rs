//! SHA-256 as text: for checksums and names, not for passwords.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

/// Returns the SHA-256 of bytes as 64 hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
