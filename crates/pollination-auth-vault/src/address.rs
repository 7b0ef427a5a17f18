//! The server's address and the paths below it, checked so that no token is sent to a wrong place.

use std::net::IpAddr;

use url::{Host, Url};

use crate::error::VaultError;

/// The version of the HTTP API, the first segment of every path.
const API: &str = "v1";

/// The address of a server.
#[derive(Clone, Debug)]
pub(crate) struct Address(Url);

impl Address {
    /// Parses an address and refuses what could leak or misdirect a token.
    pub(crate) fn parse(text: &str, allow_plain_http: bool) -> Result<Self, VaultError> {
        let invalid = |problem| VaultError::InvalidSetting {
            setting: "address",
            problem,
        };
        // The parser removes newlines and tabs, and the rest may name another host.
        if text.chars().any(char::is_control) {
            return Err(invalid("it contains a control character"));
        }
        let url = Url::parse(text).map_err(|_unparsed| invalid("it is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it contains a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has a query or a fragment"));
        }
        let address = Self(url);
        match address.0.scheme() {
            "https" => Ok(address),
            "http" if address.is_loopback() || allow_plain_http => Ok(address),
            "http" => Err(invalid(
                "plain http would show the token to the network; use https, or call \
                 `dangerously_allow_plain_http`",
            )),
            _ => Err(invalid("it begins with neither https: nor http:")),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns `true` if the host is this machine: a loopback address or `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(domain)) => domain == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
            None => false,
        }
    }

    /// Returns the URL of a path of the API, each segment encoded.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        // An https or http URL always has a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(API).extend(path.split('/'));
        }
        url
    }
}

/// Returns a path without slashes at its ends, or an error if a segment of it is not plain.
///
/// A policy gives `*` and `+` a meaning of their own, and a URL drops `.` and `..`.
pub(crate) fn plain_path(setting: &'static str, path: &str) -> Result<String, VaultError> {
    let path = path.trim_matches('/');
    let is_plain = |segment: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(is_allowed)
    };
    if path.split('/').all(is_plain) {
        Ok(path.to_owned())
    } else {
        Err(VaultError::InvalidSetting {
            setting,
            problem: "use segments of letters, digits, `-`, `_` and `.`, separated by slashes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_appended_to_the_address_and_encoded() {
        let joined = |address| Address::parse(address, false).unwrap().join("a/b c/?d");
        let url = "https://vault.example/v1/a/b%20c/%3Fd";
        assert_eq!(joined("https://vault.example").as_str(), url);
        assert_eq!(joined("https://vault.example/").as_str(), url);
        assert_eq!(
            joined("https://vault.example/behind/proxy/").as_str(),
            "https://vault.example/behind/proxy/v1/a/b%20c/%3Fd"
        );
    }

    #[test]
    fn an_address_that_could_leak_a_token_is_refused() {
        for address in [
            "http://vault.example:8200",
            "http://localhost.example",
            "https://user:planted@vault.example",
            "https://vault.example/?namespace=planted",
            "https://vault.example/#planted",
            "https://vault\n.example",
            "vault.example:8200",
            "ftp://vault.example",
            "planted",
        ] {
            let error = Address::parse(address, false).unwrap_err().to_string();
            assert!(!error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_or_for_those_who_ask_for_it() {
        for address in [
            "http://127.0.0.1:8200",
            "http://[::1]:8200",
            "http://localhost",
        ] {
            assert!(Address::parse(address, false).unwrap().is_loopback());
        }
        assert!(Address::parse("http://vault.example", true).is_ok());
    }

    #[test]
    fn a_path_has_plain_segments() {
        assert_eq!(plain_path("mount", "/team/kv-2/").unwrap(), "team/kv-2");
        for path in [
            "", "/", "a//b", "a/../b", "./a", "a/*", "+/a", "a b", "a?b", "ä",
        ] {
            assert!(plain_path("mount", path).is_err(), "{path}");
        }
    }
}
