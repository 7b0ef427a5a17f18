//! The proxy that a host is reached through, by the rules of the HTTP client itself.

use std::env;
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use pollination_auth::reqwest::Url;

/// The variables that name a proxy, for https and for http. Of each pair the first that is set
/// counts, and the second pair only if the first one names none.
const VARIABLES: [(&str, [[&str; 2]; 2]); 2] = [
    ("https", [["HTTPS_PROXY", "https_proxy"], ALL]),
    ("http", [["HTTP_PROXY", "http_proxy"], ALL]),
];

const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];

/// The variables that exempt hosts, of which the first that is set counts.
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Any proxy: whether a host is exempt does not depend on it.
const ANY_PROXY: &str = "http://proxy.example";

/// A proxy of the environment. Its user and password are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Its address, such as `http://proxy.example:3128`.
    pub(crate) address: String,
    /// The variable that names it.
    pub(crate) variable: &'static str,
    /// Whether the variable has a user.
    pub(crate) has_user: bool,
}

/// Returns the proxy that a base URL is reached through, if any.
pub(crate) fn of(host: &str) -> Option<Proxy> {
    found(&Matcher::from_system(), host, |name| env::var_os(name))
}

/// Returns the variable that should name the proxy of a base URL, if it names none.
///
/// The HTTP client ignores such a variable, and connects to the host itself.
pub(crate) fn unusable(host: &str) -> Option<&'static str> {
    wrong(host, |name| env::var_os(name))
}

fn found(
    matcher: &Matcher,
    host: &str,
    look_up: impl Fn(&str) -> Option<OsString>,
) -> Option<Proxy> {
    let url = Url::parse(host).ok()?;
    if is_this_machine(&url) {
        return None;
    }
    let intercept = matcher.intercept(&url.as_str().parse().ok()?)?;
    let uri = intercept.uri();
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    let port = uri
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    let set = set_for(&url, look_up);
    let (variable, _) = set.into_iter().find(|(_, value)| names_a_proxy(value))?;
    Some(Proxy {
        address: format!("{scheme}://{host}{port}"),
        variable,
        has_user: intercept.basic_auth().is_some() || intercept.raw_auth().is_some(),
    })
}

fn wrong(host: &str, look_up: impl Fn(&str) -> Option<OsString>) -> Option<&'static str> {
    let url = Url::parse(host).ok()?;
    if is_this_machine(&url) {
        return None;
    }
    let exempt = EXEMPT.into_iter().find_map(&look_up).unwrap_or_default();
    let any = Matcher::builder()
        .all(ANY_PROXY)
        .no(exempt.to_string_lossy().into_owned())
        .build();
    any.intercept(&url.as_str().parse().ok()?)?;
    let set = set_for(&url, look_up);
    let (variable, value) = set.into_iter().next()?;
    (!names_a_proxy(&value)).then_some(variable)
}

/// Returns the variables that count for a URL with their values, in order; an empty one is unset.
fn set_for(url: &Url, look_up: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
    let pairs = VARIABLES.into_iter().find(|(of, _)| *of == url.scheme());
    let pairs = pairs.map(|(_, pairs)| pairs).into_iter().flatten();
    pairs
        .filter_map(|pair| {
            pair.into_iter()
                .find_map(|name| Some((name, look_up(name)?)))
        })
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Returns `true` if the HTTP client takes a value for a proxy, and for the one that is meant.
fn names_a_proxy(value: &OsStr) -> bool {
    let Some(value) = value.to_str() else {
        return false;
    };
    let Ok(any) = ANY_PROXY.parse() else {
        return false;
    };
    let matcher = Matcher::builder().all(value).build();
    // It takes the default port for one beyond 65535.
    let has_valid_port = |found: &Intercept| {
        let authority = found.uri().authority();
        authority.is_some_and(|at| at.port_u16().is_some() || at.as_str() == at.host())
    };
    matcher
        .intercept(&any)
        .is_some_and(|found| has_valid_port(&found))
}

/// Returns `true` if the client uses no proxy of the environment: this machine is where it is.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Returns `true` if a host is asked in the clear over a network; a client wants that allowed by name.
pub(crate) fn is_plain_http_elsewhere(host: &str) -> bool {
    Url::parse(host).is_ok_and(|url| url.scheme() == "http" && !is_this_machine(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine() {
        for (host, expected) in [
            ("http://h.example", true),
            ("http://127.0.0.1.example", true),
            ("https://h.example", false),
            ("http://127.0.0.1:8000", false),
            ("http://[::1]:8000", false),
            ("http://localhost", false),
        ] {
            assert_eq!(is_plain_http_elsewhere(host), expected, "{host}");
        }
    }

    const PROXY: &str = "http://u:planted@p.example:3128";

    fn address(host: &str, no: &str) -> Option<String> {
        let matcher = Matcher::builder().https(PROXY).no(no).build();
        let found = found(&matcher, host, |name| {
            (name == "HTTPS_PROXY").then(|| PROXY.into())
        })?;
        assert_eq!((found.variable, found.has_user), ("HTTPS_PROXY", true));
        Some(found.address)
    }

    #[test]
    fn row_37_the_proxy_is_that_of_the_scheme_and_none_for_this_machine() {
        let shown = Some("http://p.example:3128".to_owned());
        assert_eq!(address("https://h.example/path", ""), shown);
        assert_eq!(address("http://h.example", ""), None);
        for own in [
            "https://127.0.0.1:1",
            "https://localhost",
            "https://[::1]:1",
        ] {
            assert_eq!(address(own, ""), None, "{own}");
        }
    }

    #[test]
    fn row_37_a_host_is_exempt_in_each_form_that_the_help_names() {
        for no in ["h.example", "example", ".example", "x, h.example", "*"] {
            assert_eq!(address("https://h.example", no), None, "{no}");
        }
        for no in ["10.1.2.3", "10.0.0.0/8"] {
            assert_eq!(address("https://10.1.2.3", no), None, "{no}");
        }
        for no in ["", "ample", "other.example", "10.0.0.0/8"] {
            assert!(address("https://h.example", no).is_some(), "{no}");
        }
    }

    #[test]
    fn row_37_a_variable_counts_if_no_earlier_one_is_set_and_names_a_proxy_or_is_wrong() {
        let wrong = |set: &[(&str, &str)]| {
            wrong("https://h.example", |name| {
                let found = set.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| value.into())
            })
        };
        for value in [
            PROXY,
            "p.example",
            "p.example:3128",
            "socks5h://[::1]:1",
            "",
        ] {
            assert_eq!(wrong(&[("HTTPS_PROXY", value)]), None, "{value}");
        }
        for value in ["a b", "ftp://p", "http://[::1", "http://p:99999", "http://"] {
            assert_eq!(wrong(&[("https_proxy", value)]), Some("https_proxy"));
            assert_eq!(wrong(&[("all_proxy", value)]), Some("all_proxy"));
            let shadowed = [("HTTPS_PROXY", PROXY), ("https_proxy", value)];
            assert_eq!(wrong(&shadowed), None, "{value}");
            let second = [("HTTPS_PROXY", PROXY), ("ALL_PROXY", value)];
            assert_eq!(wrong(&second), None, "{value}");
            assert_eq!(wrong(&[("HTTP_PROXY", value)]), None, "{value}");
            let exempt = [("HTTPS_PROXY", value), ("no_proxy", "example")];
            assert_eq!(wrong(&exempt), None, "{value}");
        }
    }
}
