//! Keeps web pages out of the control endpoint: a browser reaches loopback, and the endpoint shows
//! secrets.
//!
//! A page of another site is told by its `Origin`. A page whose host name was made to resolve to
//! loopback (DNS rebinding) has an `Origin` that fits, and is told by its `Host`.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderValue, Request, Uri};

/// Whether a request may come from a page that is not on this machine.
pub(super) fn is_foreign<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    // A browser sends `null` for a page that has no origin to show: that has no authority either.
    let from_elsewhere = |origin: &HeaderValue| {
        let origin = Uri::try_from(origin.as_bytes()).ok();
        let authority = origin.as_ref().and_then(Uri::authority);
        !authority.is_some_and(is_loopback)
    };
    let to_elsewhere = |host: &HeaderValue| {
        !Authority::try_from(host.as_bytes()).is_ok_and(|authority| is_loopback(&authority))
    };
    headers.get_all(ORIGIN).iter().any(from_elsewhere)
        || headers.get_all(HOST).iter().any(to_elsewhere)
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> bool {
        is_foreign(&Request::builder().header(name, value).body(()).unwrap())
    }

    #[test]
    fn a_program_on_this_machine_may_ask() {
        assert!(!is_foreign(&Request::new(())));
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
}
