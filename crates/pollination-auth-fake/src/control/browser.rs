//! Keeps web pages out of the control endpoint: a browser reaches loopback, and the endpoint shows
//! secrets.
//!
//! A page of another site is told by its `Origin`. A page whose host name was made to resolve to
//! loopback (DNS rebinding) has an `Origin` that fits, and is told by its `Host`.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderValue, Request, Uri};

use crate::service::Hosts;

/// Returns `true` if a request may come from a page that is not on this machine.
pub(super) fn is_foreign<B>(request: &Request<B>, hosts: &Hosts) -> bool {
    let headers = request.headers();
    // A browser sends `null` for a page that has no origin to show: that has no authority either.
    let from_elsewhere = |origin: &HeaderValue| {
        let origin = Uri::try_from(origin.as_bytes()).ok();
        let authority = origin.as_ref().and_then(Uri::authority);
        !authority.is_some_and(|authority| is_known(authority, hosts))
    };
    let to_elsewhere = |host: &HeaderValue| {
        let authority = Authority::try_from(host.as_bytes());
        !authority.is_ok_and(|authority| {
            // Nobody can make an address resolve to this machine.
            let is_address = hosts.is_exposed && address(&authority).is_some();
            is_address || is_known(&authority, hosts)
        })
    };
    headers.get_all(ORIGIN).iter().any(from_elsewhere)
        || headers.get_all(HOST).iter().any(to_elsewhere)
}

fn is_known(authority: &Authority, hosts: &Hosts) -> bool {
    let is_named = |name: &str| authority.host().eq_ignore_ascii_case(name);
    is_named("localhost")
        || hosts.names.iter().any(|name| is_named(name))
        || address(authority).is_some_and(|address| address.is_loopback())
}

fn address(authority: &Authority) -> Option<IpAddr> {
    let host = authority.host();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> bool {
        with_hosts(name, value, &Hosts::default())
    }

    fn with_hosts(name: &str, value: &str, hosts: &Hosts) -> bool {
        let request = Request::builder().header(name, value).body(()).unwrap();
        is_foreign(&request, hosts)
    }

    #[test]
    fn a_program_on_this_machine_may_ask() {
        assert!(!is_foreign(&Request::new(()), &Hosts::default()));
        for host in ["127.0.0.1:8080", "127.8.8.8", "[::1]:8080", "LocalHost:80"] {
            assert!(!with("host", host), "{host}");
            assert!(!with("origin", &format!("http://{host}")), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_host_may_not() {
        for host in ["rebound.example:8080", "10.0.0.1", "localhost.example", ""] {
            assert!(with("host", host), "{host}");
            assert!(with("origin", &format!("https://{host}")), "{host}");
        }
        assert!(with("origin", "null"));
    }

    #[test]
    fn a_service_for_other_machines_answers_to_addresses_and_to_allowed_names() {
        let hosts = Hosts {
            names: vec!["fake".to_owned()],
            is_exposed: true,
        };
        for host in ["10.0.0.1:8000", "[fd00::1]:8000", "FAKE:8000", "localhost"] {
            assert!(!with_hosts("host", host, &hosts), "{host}");
        }
        for host in [
            "rebound.example:8000",
            "fake.example",
            "10.0.0.1.example",
            "",
        ] {
            assert!(with_hosts("host", host, &hosts), "{host}");
        }
        // A page on another machine is foreign, however that machine is written.
        assert!(with_hosts("origin", "http://10.0.0.1", &hosts));
        assert!(!with_hosts("origin", "http://fake:8000", &hosts));
    }
}
