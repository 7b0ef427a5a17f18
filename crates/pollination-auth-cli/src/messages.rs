//! The library's errors as messages of the command: they name options instead of methods.
//!
//! `error` decides which errors these are, and their exit codes.

use std::env;
use std::error::Error as _;
use std::fmt;

use pollination_auth::{
    BaseUrlError, BuildError, Error, Operation, Reason, RotateCause, RotateError,
};

use crate::variables;

/// The longest cause that is shown: 300 characters. One that is longer was made by somebody else.
const LONGEST_CAUSE: usize = 300;

/// The variables that name a proxy, with the scheme that they are for; empty for each.
const PROXIES: [(&str, &str); 5] = [
    ("HTTPS_PROXY", "https:"),
    ("https_proxy", "https:"),
    ("http_proxy", "http:"),
    ("ALL_PROXY", ""),
    ("all_proxy", ""),
];

/// Error message of an invalid host.
pub(crate) struct Host(pub(crate) BaseUrlError);

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host")?;
        if env::var_os(variables::HOST).is_some() {
            write!(f, " (--host, or {} where it is not given)", variables::HOST)?;
        }
        f.write_str(" can't be used: ")?;
        match self.0 {
            BaseUrlError::PlainHttp => f.write_str(
                "it is http, which sends secrets in the clear; use https, or give \
                 --dangerously-allow-plain-http",
            ),
            other => other.fmt(f),
        }
    }
}

/// Error message of a client that could not be built.
pub(crate) struct Unbuilt<'a>(pub(crate) &'a BuildError);

impl fmt::Display for Unbuilt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            BuildError::NoRootCertificates(problem) => write!(
                f,
                "no root certificate was found: {problem}; install the system's certificates, or set \
                 SSL_CERT_FILE to a file of them (PEM)"
            ),
            other => other.fmt(f),
        }
    }
}

/// Error message of a failed call.
pub(crate) struct Service<'a>(pub(crate) &'a Error);

impl fmt::Display for Service<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.0 {
            Error::AccessTokenExpired(_) => "give an access token that has not ended",
            Error::Redirected(_) => "redirects are not followed; check --host",
            Error::NotSent(failure) if failure.reason() == &Reason::Tls => "check --host",
            Error::UnusableReply(failure) => match failure.operation() {
                Operation::CreateApiToken | Operation::RotateApiTokenSecret => {
                    "it probably happened"
                }
                _ => "the reply can't be used; check --host",
            },
            other => return other.fmt(f),
        };
        write!(f, "{}; {advice}", self.0.failure())
    }
}

/// Error message of a rotation.
pub(crate) struct Rotation<'a>(pub(crate) &'a RotateError);

impl fmt::Display for Rotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            RotateError::NotStarted(_) => "the rotation was not started, and nothing was changed",
            RotateError::Rejected(_) => "the secret was not rotated, and the stored one is valid",
            RotateError::Ambiguous(_) => "it is not known which secret is valid",
            RotateError::UnusableReply(_) => {
                "the service's reply can't be used; it is not known which secret is valid"
            }
            RotateError::PersistFailed(failure) if failure.is_in_emergency_store() => {
                "the new secret could not be stored in its place"
            }
            RotateError::PersistFailed(_) => {
                "the new secret could not be stored, and in the rescue directory neither; mend \
                 either, and then resume: it goes on from the journal, with another secret if need \
                 be"
            }
            RotateError::Unverified(_) => {
                "the new secret does not log in and the old one does; both are kept"
            }
            other => return other.fmt(f),
        })?;
        match self.0.failure().cause() {
            Some(RotateCause::Service(error)) => write!(f, " ({})", Service(error)),
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

/// Returns what more there is to say of a call of this host that failed, one line for each.
pub(crate) fn notes(error: &Error, host: &str) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(cause(error).map(|cause| format!("cause: {cause}")));
    match error {
        Error::NotSent(failure) if failure.reason() == &Reason::Tls => notes.push(
            "for a private CA set SSL_CERT_FILE to the file of its root certificate (PEM)"
                .to_owned(),
        ),
        Error::NotSent(_) => notes.extend(
            proxy(host, |name| env::var_os(name).is_some())
                .map(|name| format!("{name} is set: it may be that proxy that can't be reached")),
        ),
        _ => {}
    }
    notes
}

/// Returns the innermost cause: where nothing was sent, nothing of ours can have come back in it.
///
/// A certificate can have put words of its own into it, so that it is cut and escaped.
fn cause(error: &Error) -> Option<String> {
    if !matches!(error, Error::NotSent(_) | Error::StoreFailed(_)) {
        return None;
    }
    let mut innermost = error.source()?;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    let text: String = innermost.to_string().chars().take(LONGEST_CAUSE).collect();
    Some(text.escape_debug().to_string())
}

/// Names the variable of the proxy that this host is reached through, if it is.
///
/// Whether another one exempts the host is not looked at.
fn proxy(host: &str, is_set: impl Fn(&str) -> bool) -> Option<&'static str> {
    let (_, authority) = host.split_once("://")?;
    if ["localhost", "127.", "[::1]"]
        .iter()
        .any(|own| authority.starts_with(own))
    {
        return None;
    }
    let mut proxies = PROXIES.iter();
    let found = proxies.find(|(name, scheme)| host.starts_with(scheme) && is_set(name))?;
    Some(found.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_37_the_proxy_is_that_of_the_scheme_and_none_for_this_machine() {
        let of = |host, set: &[&str]| proxy(host, |name| set.contains(&name));
        let all = PROXIES.map(|(name, _)| name);
        assert_eq!(of("https://h.example", &all), Some("HTTPS_PROXY"));
        assert_eq!(of("http://h.example", &all), Some("http_proxy"));
        assert_eq!(of("http://h.example", &["HTTPS_PROXY"]), None);
        assert_eq!(of("https://h.example", &["ALL_PROXY"]), Some("ALL_PROXY"));
        for own in ["http://127.0.0.1:1", "https://localhost", "https://[::1]:1"] {
            assert_eq!(of(own, &all), None);
        }
    }
}
