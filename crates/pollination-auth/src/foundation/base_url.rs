//! The base URL: checked once, at build, so that no call can send a secret to a wrong place.

use std::net::IpAddr;

use url::{Host, Url};

/// The base URL of the service, as its API documents it. A [`Client`](crate::Client) uses it unless
/// another one is set.
///
/// ```
/// use pollination_auth::{AccessToken, Client, DEFAULT_BASE_URL};
///
/// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
/// let client = Client::builder().access_token(token).build()?;
/// assert_eq!(client.base_url(), DEFAULT_BASE_URL);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const DEFAULT_BASE_URL: &str = "https://api.pollination.cloud";

/// A base URL that is safe to append an operation's path to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    url: Url,
}

impl BaseUrl {
    /// Parses a base URL and refuses what could leak or misdirect a secret.
    pub(crate) fn parse(text: &str, allow_plain_http: bool) -> Result<Self, BaseUrlError> {
        let text = text.trim();
        // The parser removes newlines and tabs, and the rest may name another host.
        if text.chars().any(char::is_control) {
            return Err(BaseUrlError::ControlCharacter);
        }
        let mut url = Url::parse(text).map_err(|_unparsed| BaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BaseUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() {
            return Err(BaseUrlError::Query);
        }
        if url.fragment().is_some() {
            return Err(BaseUrlError::Fragment);
        }
        if url.port() == Some(0) {
            return Err(BaseUrlError::PortZero);
        }
        let loopback = is_loopback(&url);
        if url.scheme() == "http" && !loopback && !allow_plain_http {
            return Err(BaseUrlError::PlainHttp);
        }
        let segments: Vec<_> = url
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let path = segments.join("/");
        url.set_path(&path);
        Ok(Self { url })
    }

    /// Returns the URL without a trailing slash.
    pub(crate) fn prefix(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns `true` if the host is this machine: a loopback address or `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Returns `true` if a request to this scheme and authority goes to the service itself.
    ///
    /// The authority is compared ASCII-case-insensitively with the one that was parsed when the client
    /// was built. It is not decoded, and an invalid port makes it a different one.
    pub(crate) fn is_at(&self, scheme: &str, authority: &str) -> bool {
        let host = self.host();
        let Some((same, port)) = authority.split_at_checked(host.len()) else {
            return false;
        };
        // A parsed URL has no port if it is the scheme's default.
        let same_port = match port {
            "" => self.url.port().is_none(),
            port => port == format!(":{}", self.port()),
        };
        scheme.eq_ignore_ascii_case(self.url.scheme())
            && same.eq_ignore_ascii_case(host)
            && same_port
    }

    /// Returns the origin that a `Location` points to, without path, query and userinfo.
    pub(crate) fn origin_of(&self, location: &str) -> Option<String> {
        let origin = self.url.join(location).ok()?.origin();
        origin.is_tuple().then(|| origin.ascii_serialization())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Why a text can't be the base URL. The text is not shown, because it may contain a secret.
///
/// ```
/// use pollination_auth::{AccessToken, BaseUrlError, BuildError, Client};
///
/// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
/// let builder = Client::builder().access_token(token).base_url("http://h.example");
/// assert!(matches!(builder.build(), Err(BuildError::BaseUrl(BaseUrlError::PlainHttp))));
/// # Ok::<(), pollination_auth::CredentialError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is not valid UTF-8.
    #[error("it is not valid UTF-8")]
    NotUnicode,
    /// It contains a control character, such as a newline or a tab.
    #[error("it contains a control character, such as a newline")]
    ControlCharacter,
    /// It is not an absolute URL with a host.
    #[error("it is not an absolute URL, such as {DEFAULT_BASE_URL}")]
    NotAUrl,
    /// Its scheme is neither `https` nor `http`.
    #[error("it does not begin with https://, nor with http:// for this machine")]
    Scheme,
    /// It contains a user name or a password.
    #[error("it contains a user name or password; leave them out")]
    UserInfo,
    /// It has a query.
    #[error("it has a query; leave it out")]
    Query,
    /// It has a fragment.
    #[error("it has a fragment; leave it out")]
    Fragment,
    /// Its port is 0.
    #[error("its port is 0")]
    PortZero,
    /// It is `http`, and the host is not this machine.
    #[error(
        "it is http, which sends secrets in the clear; use https, or build the client with \
         `ClientBuilder::dangerously_allow_plain_http`"
    )]
    PlainHttp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Result<String, BaseUrlError> {
        BaseUrl::parse(text, false).map(|url| url.prefix().to_owned())
    }

    #[test]
    fn row_36_what_means_the_same_becomes_the_same() {
        for (text, expected) in [
            (DEFAULT_BASE_URL, "https://api.pollination.cloud"),
            ("https://h.example/", "https://h.example"),
            ("HTTPS://H.Example", "https://h.example"),
            (" https://h.example\n", "https://h.example"),
            ("\t\r\nhttps://h.example \t", "https://h.example"),
            ("https://h.example:443", "https://h.example"),
            ("https://h.example/a/b", "https://h.example/a/b"),
            ("https://h.example//a///b//", "https://h.example/a/b"),
            ("https://h.example/a/../b/./c", "https://h.example/b/c"),
            ("https://h.example./x", "https://h.example./x"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://[::1]:8443/p/", "https://[::1]:8443/p"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://[::1]", "http://[::1]"),
            ("http://localhost:3000/", "http://localhost:3000"),
        ] {
            assert_eq!(prefix(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn row_36_what_could_leak_or_mislead_is_refused() {
        use BaseUrlError::{
            ControlCharacter, Fragment, NotAUrl, PlainHttp, PortZero, Query, Scheme, UserInfo,
        };
        for (text, expected) in [
            ("", NotAUrl),
            ("api.pollination.cloud", NotAUrl),
            ("/auth", NotAUrl),
            ("https://", NotAUrl),
            ("https://:443", NotAUrl),
            ("https://h.example:70000", NotAUrl),
            ("https://h.ex\nample", ControlCharacter),
            ("https://h.ex\tample", ControlCharacter),
            ("https://h.example/\ra", ControlCharacter),
            ("ht\ntps://h.example", ControlCharacter),
            ("https://h.example/\0", ControlCharacter),
            ("https://h.example/\u{85}a", ControlCharacter),
            ("file:///etc/passwd", Scheme),
            ("ftp://h.example", Scheme),
            ("localhost:8080", Scheme),
            ("https://planted@h.example", UserInfo),
            ("https://u:planted@h.example", UserInfo),
            ("https://:planted@h.example", UserInfo),
            ("https://h.example?x=planted", Query),
            ("https://h.example/?", Query),
            ("https://h.example#planted", Fragment),
            ("https://h.example:0", PortZero),
            ("http://h.example", PlainHttp),
            ("http://localhost.h.example", PlainHttp),
            ("http://128.0.0.1", PlainHttp),
            ("http://0.0.0.0", PlainHttp),
        ] {
            assert_eq!(prefix(text), Err(expected), "{text}");
            assert!(!expected.to_string().contains("planted"));
        }
    }

    #[test]
    fn plain_http_is_taken_when_it_is_allowed_and_the_refusal_says_how() {
        assert_eq!(
            prefix("http://h.example").unwrap_err().to_string(),
            "it is http, which sends secrets in the clear; use https, or build the client \
             with `ClientBuilder::dangerously_allow_plain_http`"
        );
        let url = BaseUrl::parse("http://h.example/x", true).unwrap();
        assert_eq!(
            (url.prefix(), url.is_loopback()),
            ("http://h.example/x", false)
        );
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_the_service() {
        let url = BaseUrl::parse("https://h.example/p", false).unwrap();
        for (scheme, authority, expected) in [
            ("https", "h.example", true),
            ("HTTPS", "H.Example:443", true),
            ("http", "h.example", false),
            ("http", "h.example:443", false),
            ("https", "h.example:8443", false),
            ("https", "h.example:80", false),
            ("https", "h.example.", false),
            ("https", "h%2eexample", false),
            ("https", "x.h.example", false),
            ("https", "h.example.evil.example", false),
            ("https", "", false),
            ("", "h.example", false),
        ] {
            assert_eq!(
                url.is_at(scheme, authority),
                expected,
                "{scheme} {authority}"
            );
        }
    }

    #[test]
    fn row_82_an_authority_that_only_looks_like_the_services_is_another_one() {
        let url = BaseUrl::parse("https://h.example", false).unwrap();
        for authority in [
            "h.example:",
            "h.example:0443",
            "h.example:+443",
            "h.example:65979",
            "h.example:70000",
            "h.example:443:443",
            "h.exampleu:443",
            "u@h.example",
            "h.example@evil.example",
            "h.example\\@evil.example",
        ] {
            assert!(!url.is_at("https", authority), "{authority}");
        }
        let url = BaseUrl::parse("http://[::1]:8080", false).unwrap();
        assert!(url.is_at("http", "[::1]:8080"));
        for authority in [
            "[::1]",
            "::1:8080",
            "[::1]u:8080",
            "[::1]:8080u",
            "[::1]:73616",
            "[::1]]:8080",
            "[0:0:0:0:0:0:0:1]:8080",
            "é",
        ] {
            assert!(!url.is_at("http", authority), "{authority}");
        }
    }

    #[test]
    fn the_origin_of_a_redirect_has_no_path_query_or_userinfo() {
        let url = BaseUrl::parse("https://h.example/p", false).unwrap();
        for (location, origin) in [
            (
                "https://u:p@evil.example:8443/x?y#z",
                Some("https://evil.example:8443"),
            ),
            ("//evil.example/x", Some("https://evil.example")),
            ("/elsewhere", Some("https://h.example")),
            ("data:text/plain,x", None),
            ("https://[", None),
        ] {
            assert_eq!(url.origin_of(location).as_deref(), origin, "{location}");
        }
    }
}
