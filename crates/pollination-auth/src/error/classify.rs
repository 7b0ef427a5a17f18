//! Maps a failed attempt to the error of a call, by operation and status.
//!
//! A body never decides the variant.

use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;

/// An attempt without a value.
#[derive(Clone)]
pub(crate) struct FailedAttempt {
    pub(crate) class: Class,
    pub(crate) facts: Box<Facts>,
}

/// How far an attempt got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// No byte was sent; a retry may succeed.
    NotSent,
    /// No byte was sent; a retry fails until somebody changes a setting.
    NeverSent,
    /// The service may have acted; there is no status, or a success that was cut off.
    Lost,
    /// A status that is not a success.
    Status(u16),
    /// A refusal that the service does not write: something else answered, and did nothing.
    Foreign,
    /// A success with a reply that can't be used.
    Unusable,
}

impl FailedAttempt {
    pub(crate) fn new(class: Class, facts: Facts) -> Self {
        Self {
            class,
            facts: Box::new(facts),
        }
    }

    /// Returns the attempt that was not started because the time was over.
    pub(crate) fn too_late(operation: Operation) -> Self {
        Self::new(Class::NotSent, Facts::new(operation, Reason::TimedOut))
    }

    /// Returns `true` if certainly no byte of the request was sent.
    pub(crate) fn was_not_sent(&self) -> bool {
        matches!(self.class, Class::NotSent | Class::NeverSent)
    }

    /// Returns `true` if the service may have acted on the request.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self.class {
            Class::NotSent | Class::NeverSent | Class::Foreign => false,
            Class::Lost | Class::Unusable => true,
            Class::Status(status) => !is_refusal(status) && !matches!(status, 307 | 308),
        }
    }

    /// Returns the error of the call.
    pub(crate) fn into_error(self) -> Error {
        let Self { class, facts } = self;
        let operation = facts.operation;
        let failure = (*facts).into();
        match class {
            Class::NotSent | Class::NeverSent => Error::NotSent(failure),
            Class::Lost if operation.mints_a_secret() => Error::Ambiguous(failure),
            Class::Lost => Error::Unavailable(failure),
            Class::Unusable => Error::UnusableReply(failure),
            Class::Foreign => Error::Rejected(failure),
            Class::Status(status) => match status {
                // Some gateways answer 403 to wrong credentials.
                401 | 403 if operation == Operation::Login => Error::CredentialsRejected(failure),
                401 => Error::Unauthorized(failure),
                403 => Error::Forbidden(failure),
                404 => Error::NotFound(failure),
                422 => Error::InvalidRequest(failure),
                429 => Error::RateLimited(failure),
                307 | 308 => Error::Redirected(failure),
                _ if is_refusal(status) => Error::Rejected(failure),
                // A proxy may have answered after the service had acted.
                _ if operation.mints_a_secret() => Error::Ambiguous(failure),
                300..=399 => Error::Redirected(failure),
                _ => Error::Unavailable(failure),
            },
        }
    }
}

/// Returns `true` if a status means that the service did not act: a 4xx except 408 and 425, which a
/// proxy can return for a request that went through.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: [Operation; 5] = [
        Operation::Login,
        Operation::GetApiToken,
        Operation::CreateApiToken,
        Operation::RotateApiTokenSecret,
        Operation::DeleteApiToken,
    ];

    fn name(operation: Operation, class: Class) -> &'static str {
        let attempt = FailedAttempt::new(class, Facts::new(operation, Reason::Status));
        match attempt.into_error() {
            Error::CredentialsRejected(_) => "credentials rejected",
            Error::Unauthorized(_) => "unauthorized",
            Error::Forbidden(_) => "forbidden",
            Error::NotFound(_) => "not found",
            Error::InvalidRequest(_) => "invalid",
            Error::Rejected(_) => "rejected",
            Error::Redirected(_) => "redirected",
            Error::RateLimited(_) => "rate limited",
            Error::NotSent(_) => "not sent",
            Error::Unavailable(_) => "unavailable",
            Error::Ambiguous(_) => "ambiguous",
            Error::UnusableReply(_) => "unusable",
            Error::AccessTokenExpired(_)
            | Error::LifetimeTooShort(_)
            | Error::StoreFailed(_)
            | Error::Internal(_) => "other",
        }
    }

    fn names(class: Class) -> [&'static str; 5] {
        OPERATIONS.map(|operation| name(operation, class))
    }

    #[test]
    fn a_refusal_means_the_same_for_every_operation_but_401_and_403_at_login() {
        assert_eq!(names(Class::Status(404)), ["not found"; 5]);
        assert_eq!(names(Class::Status(422)), ["invalid"; 5]);
        assert_eq!(names(Class::Status(429)), ["rate limited"; 5]);
        for status in [400, 402, 405, 409, 410, 418, 451, 499] {
            assert_eq!(names(Class::Status(status)), ["rejected"; 5], "{status}");
        }
        assert_eq!(names(Class::Foreign), ["rejected"; 5]);
        for (status, expected) in [(401, "unauthorized"), (403, "forbidden")] {
            let [login, others @ ..] = names(Class::Status(status));
            assert_eq!((login, others), ("credentials rejected", [expected; 4]));
        }
    }

    #[test]
    fn what_a_create_or_rotate_may_have_done_is_ambiguous() {
        for class in [500, 502, 503, 504, 408, 425, 599, 600, 999].map(Class::Status) {
            let [login, get, create, rotate, delete] = names(class);
            assert_eq!([login, get, delete], ["unavailable"; 3], "{class:?}");
            assert_eq!([create, rotate], ["ambiguous"; 2], "{class:?}");
        }
        assert_eq!(
            names(Class::Lost),
            [
                "unavailable",
                "unavailable",
                "ambiguous",
                "ambiguous",
                "unavailable"
            ]
        );
    }

    #[test]
    fn row_2_a_redirect_that_changes_the_method_leaves_a_rotate_ambiguous() {
        for status in [301, 302, 303] {
            assert_eq!(
                names(Class::Status(status)),
                [
                    "redirected",
                    "redirected",
                    "ambiguous",
                    "ambiguous",
                    "redirected"
                ]
            );
        }
        for status in [307, 308] {
            assert_eq!(names(Class::Status(status)), ["redirected"; 5]);
        }
    }

    #[test]
    fn every_status_has_an_error_that_says_whether_it_may_have_happened() {
        for status in (100..=199).chain(300..=999) {
            for operation in OPERATIONS {
                let facts = Facts::new(operation, Reason::Status);
                let attempt = FailedAttempt::new(Class::Status(status), facts);
                let ambiguous = name(operation, attempt.class) == "ambiguous";
                assert_eq!(
                    ambiguous,
                    operation.mints_a_secret() && attempt.may_have_happened(),
                    "{operation} {status}"
                );
            }
        }
    }

    #[test]
    fn nothing_sent_is_never_ambiguous() {
        assert_eq!(names(Class::NotSent), ["not sent"; 5]);
        assert_eq!(names(Class::NeverSent), ["not sent"; 5]);
    }
}
