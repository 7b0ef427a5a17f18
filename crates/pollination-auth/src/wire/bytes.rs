//! The bytes of a reply, before they are decoded.

/// Removes a byte order mark, which some proxies write before UTF-8 (RFC 8259, section 8.1).
pub(super) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
