//! The proxy that a host is reached through, by the rules of the HTTP client itself.

use std::env;
use std::net::IpAddr;

use hyper_util::client::proxy::matcher::Matcher;
use pollination_auth::reqwest::Url;

/// The variables that name a proxy, in the order in which they count, for https and for http.
const VARIABLES: [(&str, [&str; 4]); 2] = [
    (
        "https",
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
    ),
    (
        "http",
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    ),
];

/// A proxy of the environment. Its user and password are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Its address, such as `http://proxy.example:3128`.
    pub(crate) address: String,
    /// The variable that names it.
    pub(crate) variable: &'static str,
}

/// Returns the proxy that a base URL is reached through, if any.
pub(crate) fn of(host: &str) -> Option<Proxy> {
    found(&Matcher::from_system(), host, |name| {
        env::var_os(name).is_some_and(|value| !value.is_empty())
    })
}

fn found(matcher: &Matcher, host: &str, is_set: impl Fn(&str) -> bool) -> Option<Proxy> {
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
    let names = VARIABLES.iter().find(|(of, _)| *of == url.scheme())?.1;
    let variable = names.into_iter().find(|name| is_set(name))?;
    Some(Proxy {
        address: format!("{scheme}://{host}{port}"),
        variable,
    })
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
        let found = found(&matcher, host, |name| name == "HTTPS_PROXY")?;
        assert_eq!(found.variable, "HTTPS_PROXY");
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
}
