//! The library's errors as messages of the command: they name options instead of methods.
//!
//! `error` decides which errors these are, and their exit codes; `advice` what more there is to say.

use std::env;
use std::fmt;

use pollination_auth::{
    BaseUrlError, BuildError, Error, Operation, Reason, RotateCause, RotateError,
};

use crate::variables;

/// Error message of an invalid host.
pub(crate) struct Host(pub(crate) BaseUrlError);

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host")?;
        if env::var_os(variables::HOST).is_some() {
            write!(f, " (--host, or {} without it)", variables::HOST)?;
        }
        f.write_str(" is invalid: ")?;
        match self.0 {
            BaseUrlError::PlainHttp => f.write_str(
                "it is http, so anyone on the network can read the secrets; use https, or pass \
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
                "no root certificate was found: {problem}; install the system's certificates, or \
                 set SSL_CERT_FILE to a file of root certificates (PEM)"
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
            Error::AccessTokenExpired(_) => "use an access token that has not expired",
            Error::Redirected(_) => "redirects are not followed; check --host",
            Error::LifetimeTooShort(_) => "request a shorter --valid-for",
            Error::NotSent(failure) if failure.other_scheme().is_some() => {
                "nothing was sent; if the port speaks plain http, use http:// in --host"
            }
            Error::NotSent(failure) if failure.reason() == &Reason::NoHttpClient => {
                "nothing was sent; check the root certificates, which SSL_CERT_FILE or \
                 SSL_CERT_DIR may name"
            }
            // What to check depends on the host and its proxy: `advice` says it.
            Error::NotSent(failure)
                if matches!(failure.reason(), Reason::Tls | Reason::ConnectFailed) =>
            {
                "nothing was sent"
            }
            Error::Unavailable(failure) if failure.other_scheme().is_some() => {
                "try again later; if the port speaks TLS, use https:// in --host"
            }
            Error::CredentialsRejected(failure) if failure.is_not_the_api() => {
                "the host does not look like the Pollination API; check --host, then the id and \
                 the secret"
            }
            Error::Unauthorized(failure)
            | Error::Forbidden(failure)
            | Error::InvalidRequest(failure)
            | Error::Rejected(failure)
                if failure.is_not_the_api() =>
            {
                match failure.other_scheme() {
                    Some(_) => "if the port speaks TLS, use https:// in --host",
                    None => "the host does not look like the Pollination API; check --host",
                }
            }
            Error::UnusableReply(failure) => match failure.operation() {
                Operation::CreateApiToken | Operation::RotateApiTokenSecret => {
                    "it probably happened"
                }
                _ if failure.is_not_the_api() => {
                    "the host does not look like the Pollination API; check --host"
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
            RotateError::PersistFailed(failure) if failure.emergency_profile().is_some() => {
                "the new secret could not be stored in the credential store"
            }
            RotateError::PersistFailed(_) => {
                "the new secret could not be stored, neither in the credential store nor in the \
                 rescue directory; repair either, then resume: the rotation continues from its \
                 journal, and creates another secret if necessary"
            }
            RotateError::Unverified(_) => {
                "the new secret does not log in and the old one does; both are kept"
            }
            other => return other.fmt(f),
        })?;
        match self.0.failure().cause() {
            // What the error advises is not true of a rotation that has ended well enough.
            Some(RotateCause::Service(error)) if matches!(self.0, RotateError::Rejected(_)) => {
                write!(f, " ({})", error.failure())
            }
            Some(RotateCause::Service(error)) => write!(f, " ({})", Service(error)),
            Some(cause @ RotateCause::AccessTokenTooShort { .. }) => {
                write!(
                    f,
                    " ({cause}; --recovery-horizon allows a shorter lifetime)"
                )
            }
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}
