//! An access token as a request carries it: formatted once, and shared by every request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

/// The scheme of a bearer token in its header (RFC 6750, section 2.1).
const SCHEME: &str = "Bearer ";

/// An access token with its scheme, as the value of an `Authorization` header.
///
/// Clones and headers share one text, which is wiped when the last of them is dropped.
///
/// ```
/// use pollination_auth_api::Bearer;
///
/// let bearer = Bearer::new("a.b.c")?;
/// assert_eq!(bearer.expose_secret(), "a.b.c");
/// assert_eq!(format!("{bearer:?}"), "Bearer([REDACTED])");
/// # Ok::<(), pollination_auth_api::InvalidBearer>(())
/// ```
#[derive(Clone)]
pub struct Bearer {
    line: Arc<Zeroizing<String>>,
    header: HeaderValue,
}

/// The access token can't stand in a header.
#[derive(Debug)]
pub struct InvalidBearer;

/// The text in a form that a header can share instead of copying it.
struct Shared(Arc<Zeroizing<String>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Bearer {
    /// Creates the header's value for an access token.
    ///
    /// # Errors
    ///
    /// [`InvalidBearer`] when a byte of it is not allowed in a header.
    pub fn new(access_token: &str) -> Result<Self, InvalidBearer> {
        // With its full capacity from the start it never moves, and so leaves no copy.
        let mut line = Zeroizing::new(String::with_capacity(SCHEME.len() + access_token.len()));
        line.push_str(SCHEME);
        line.push_str(access_token);
        let line = Arc::new(line);
        let shared = Bytes::from_owner(Shared(line.clone()));
        let mut header =
            HeaderValue::from_maybe_shared(shared).map_err(|_invalid| InvalidBearer)?;
        header.set_sensitive(true);
        Ok(Self { line, header })
    }

    /// Returns the access token.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.line.strip_prefix(SCHEME).unwrap_or_default()
    }

    /// Returns the header's value, which is marked sensitive.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// Creates an empty one, which is no access token.
impl Default for Bearer {
    fn default() -> Self {
        Self {
            line: Arc::new(Zeroizing::new(SCHEME.to_owned())),
            header: HeaderValue::from_static(SCHEME),
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer([REDACTED])")
    }
}

impl fmt::Display for InvalidBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the access token has a byte that no HTTP header can carry")
    }
}

impl std::error::Error for InvalidBearer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_sensitive_and_shares_the_text() {
        let bearer = Bearer::new("a.b.c").unwrap();
        let header = bearer.header().clone();
        assert_eq!(header.as_bytes(), b"Bearer a.b.c");
        assert!(header.is_sensitive());
        assert_eq!(header.as_bytes().as_ptr(), bearer.line.as_ptr());
    }

    #[test]
    fn a_text_that_no_header_can_carry_is_refused_without_showing_it() {
        let error = Bearer::new("planted\r\nx: y").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the access token has a byte that no HTTP header can carry"
        );
    }
}
