//! What more there is to say of a failed call: the chain of its causes, and advice that fits them.

use std::error::Error as StdError;
use std::io;

use pollination_auth::{Error, Reason, reqwest};
use reqwest::Url;

use crate::proxy::{self, Proxy};

/// The longest cause that is shown: 300 characters. A longer one was made by somebody else.
const LONGEST_CAUSE: usize = 300;

/// How the HTTP client's own part of the chain begins, which says no more than that it failed.
const CLIENT: &str = "client error (";

/// The cause if the connection to the proxy itself failed, and nothing behind it was reached.
const TO_THE_PROXY: &str = "tunnel error: failed to create underlying connection";

/// The cause if a proxy answers 407 to the CONNECT that a connection over TLS begins with.
const WANTS_A_USER: &str = "tunnel error: proxy authorization required";

/// The cause if something answers that does not speak TLS.
const NO_TLS: &str = "InvalidContentType";

/// What the causes of a failed handshake contain: there was a connection.
const HANDSHAKE: [&str; 4] = ["certificate", NO_TLS, "tls", "TLS"];

/// Advice for a text that TLS or the name look-up puts into the chain, the first that fits.
const ADVICE: [(&str, &str); 7] = [
    (
        "CaUsedAsEndEntity",
        "the server uses the certificate of a CA as its own; let that CA issue one for the server",
    ),
    (
        "UnknownIssuer",
        "for a private CA, set SSL_CERT_FILE to the file of its root certificate (PEM)",
    ),
    (
        "not valid for name",
        "the certificate is for another host name; check --host",
    ),
    (
        "certificate expired",
        "check this machine's clock, and renew the server's certificate",
    ),
    (
        "certificate not valid yet",
        "check this machine's clock; if it is right, wait or replace the server's certificate",
    ),
    (
        NO_TLS,
        "the port does not speak TLS; check the port in --host, and whether a proxy or a login page \
         answers for it",
    ),
    (
        "dns error",
        "check the host name in --host, and the network",
    ),
];

/// Why the HTTP client got no reply.
pub(crate) struct Transport {
    pub(crate) causes: String,
    /// Whether it is a failed handshake: there was a connection.
    pub(crate) is_tls: bool,
    pub(crate) advice: String,
}

/// Returns what more there is to say of a call of this host that failed, one line for each.
pub(crate) fn notes(error: &Error, host: &str) -> Vec<String> {
    let failure = error.failure();
    let mut notes = Vec::new();
    let causes = causes(error);
    notes.extend(causes.as_ref().map(|causes| format!("cause: {causes}")));
    let is_tls = failure.reason() == &Reason::Tls;
    match failure.reason() {
        Reason::ProxyAuthentication => {
            notes.extend(proxy::of(host).as_ref().map(of_proxy_authentication));
        }
        // Its message names the scheme.
        Reason::Tls | Reason::ConnectFailed if failure.other_scheme().is_none() => {
            let causes = causes.unwrap_or_default();
            notes.extend(of_connection(host, error.source(), &causes, is_tls));
        }
        _ => {}
    }
    notes
}

/// Returns why the HTTP client itself got no reply from this host.
pub(crate) fn of_transport(error: &reqwest::Error, host: &str) -> Transport {
    let causes = chain(error.source()).unwrap_or_else(|| "no reply".to_owned());
    let is_tls = host.starts_with("https") && HANDSHAKE.iter().any(|part| causes.contains(part));
    Transport {
        advice: of_connection(host, error.source(), &causes, is_tls).join("; "),
        causes,
        is_tls,
    }
}

/// Returns what to do about a proxy that wants a user and a password.
pub(crate) fn of_proxy_authentication(proxy: &Proxy) -> String {
    let Proxy {
        address, variable, ..
    } = proxy;
    if proxy.has_user {
        format!(
            "the proxy {address}, set by {variable}, refuses its user and password; correct them \
             there"
        )
    } else {
        format!(
            "the proxy {address} is set by {variable}; add a user and a password to it, as \
             http://USER:PASSWORD@HOST"
        )
    }
}

/// Returns what to do about a variable that names no proxy.
pub(crate) fn of_no_proxy_url(variable: &str) -> String {
    format!("{variable} {NO_PROXY_URL}; {SET_PROXY}")
}

/// What is wrong with a variable that names no proxy. It can hold a password, and is not shown.
pub(crate) const NO_PROXY_URL: &str = "is not a valid proxy URL";

/// What to do about it.
pub(crate) const SET_PROXY: &str = "set it to one, such as http://proxy.example:3128, or unset it";

/// Returns what to do about a connection that could not be made, one line for each.
fn of_connection(
    host: &str,
    source: Option<&(dyn StdError + 'static)>,
    causes: &str,
    is_tls: bool,
) -> Vec<String> {
    let mut lines: Vec<_> = proxy::unusable(host)
        .map(of_no_proxy_url)
        .into_iter()
        .collect();
    let found = of_causes(causes).map(str::to_owned);
    match proxy::of(host) {
        Some(proxy) if causes.contains(WANTS_A_USER) => {
            lines.push(of_proxy_authentication(&proxy));
        }
        Some(proxy) if causes.contains(TO_THE_PROXY) && causes.contains(NO_TLS) => {
            lines.push(format!(
                "the port of the proxy {} does not speak TLS; use http:// in {}",
                proxy.address, proxy.variable
            ));
        }
        Some(proxy) => {
            // Before the proxy has made the connection, the host is not to blame.
            let is_behind = is_tls && !causes.contains(TO_THE_PROXY);
            lines.extend(found.filter(|_advice| is_behind));
            lines.push(of_proxy(&proxy));
        }
        None if is_refused(source) && is_loopback(host) => lines.push(
            "nothing listens on that port; start the service, or check the port in --host"
                .to_owned(),
        ),
        None if is_tls => lines.push(found.unwrap_or_else(|| "check --host".to_owned())),
        None => lines.push(
            found.unwrap_or_else(|| "check --host and the network, or try again later".to_owned()),
        ),
    }
    lines
}

/// Returns what to look at if a proxy is in the way.
fn of_proxy(proxy: &Proxy) -> String {
    format!(
        "the proxy is {}, set by {}; check it, or exempt the host with NO_PROXY",
        proxy.address, proxy.variable
    )
}

fn of_causes(causes: &str) -> Option<&'static str> {
    let found = ADVICE.iter().find(|(part, _)| causes.contains(part));
    found.map(|(_, advice)| *advice)
}

fn is_loopback(host: &str) -> bool {
    Url::parse(host).is_ok_and(|url| proxy::is_this_machine(&url))
}

/// Returns `true` if the machine was reached and nothing listens on the port.
fn is_refused(mut next: Option<&(dyn StdError + 'static)>) -> bool {
    while let Some(cause) = next {
        let kind = cause.downcast_ref().map(io::Error::kind);
        if kind == Some(io::ErrorKind::ConnectionRefused) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Returns the causes of an error that is not the service's, the innermost last.
///
/// Nothing of ours can have come back in them. A certificate can have put words of its own into
/// one, so they are cut and escaped.
fn causes(error: &Error) -> Option<String> {
    let is_ours = matches!(
        error.failure().reason(),
        Reason::ConnectFailed
            | Reason::NoHttpClient
            | Reason::Tls
            | Reason::ProxyAuthentication
            | Reason::TimedOut
            | Reason::ConnectionLost
    );
    if !is_ours {
        return None;
    }
    chain(error.source())
}

/// Returns a chain of causes, without the client's own part of it.
fn chain(mut next: Option<&(dyn StdError + 'static)>) -> Option<String> {
    let mut causes: Vec<String> = Vec::new();
    while let Some(cause) = next {
        let text = cause.to_string();
        let is_said = causes.last().is_some_and(|outer| outer.contains(&text));
        if !is_said && !cause.is::<reqwest::Error>() && !text.starts_with(CLIENT) {
            causes.push(text);
        }
        next = cause.source();
    }
    if causes.is_empty() {
        return None;
    }
    let text: String = causes.join(": ").chars().take(LONGEST_CAUSE).collect();
    Some(text.escape_debug().to_string())
}
