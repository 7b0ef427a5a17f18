//! What more there is to say of a failed call: the chain of its causes, and advice that fits them.

use std::error::Error as StdError;

use pollination_auth::{Error, Reason, reqwest};

use crate::proxy::{self, Proxy};

/// The longest cause that is shown: 300 characters. A longer one was made by somebody else.
const LONGEST_CAUSE: usize = 300;

/// How the HTTP client's own part of the chain begins, which says no more than that it failed.
const CLIENT: &str = "client error (";

/// Advice for a text that TLS or the name look-up puts into the chain, the first that fits.
const ADVICE: [(&str, &str); 6] = [
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
        "InvalidContentType",
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
    pub(crate) advice: Option<&'static str>,
}

/// Returns what more there is to say of a call of this host that failed, one line for each.
pub(crate) fn notes(error: &Error, host: &str) -> Vec<String> {
    let failure = error.failure();
    let mut notes = Vec::new();
    let causes = causes(error);
    notes.extend(causes.as_ref().map(|causes| format!("cause: {causes}")));
    let proxy = proxy::of(host);
    match (failure.reason(), proxy) {
        (Reason::ProxyAuthentication, Some(proxy)) => notes.push(format!(
            "the proxy {} is set by {}; add a user and a password to it, as http://USER:PASSWORD@HOST",
            proxy.address, proxy.variable
        )),
        (Reason::ConnectFailed, Some(proxy)) => notes.push(of_proxy(&proxy)),
        // Its message names the scheme.
        (Reason::Tls | Reason::ConnectFailed, proxy) if failure.other_scheme().is_none() => {
            let causes = causes.unwrap_or_default();
            notes.extend(of_causes(&causes).map(str::to_owned));
            notes.extend(proxy.as_ref().map(of_proxy));
        }
        _ => {}
    }
    notes
}

/// Returns why the HTTP client itself got no reply.
pub(crate) fn of_transport(error: &reqwest::Error) -> Transport {
    let causes = chain(error.source()).unwrap_or_else(|| "no reply".to_owned());
    Transport {
        advice: of_causes(&causes),
        causes,
    }
}

/// Returns what to look at if a proxy is in the way.
pub(crate) fn of_proxy(proxy: &Proxy) -> String {
    format!(
        "the proxy is {}, set by {}; check it, or exempt the host with NO_PROXY",
        proxy.address, proxy.variable
    )
}

fn of_causes(causes: &str) -> Option<&'static str> {
    let found = ADVICE.iter().find(|(part, _)| causes.contains(part));
    found.map(|(_, advice)| *advice)
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
