//! From the outcome of an attempt to the error of a call: the whole mapping, in one place.
//!
//! Status first: a body never decides which variant it is. What is repeated before it comes to an
//! error is decided in `retry`.

use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;

/// An attempt that gave no value.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) class: Class,
    pub(crate) facts: Box<Facts>,
}

/// How far an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// No byte was sent, and another time it may be.
    NotSent,
    /// No byte was sent, and none will be until somebody changes a setting.
    NeverSent,
    /// It may have been acted on; there is no status, or a success that broke off.
    Lost,
    /// A status that is no success.
    Status(u16),
    /// A 404 with a body that the service does not write: somebody else answered.
    Foreign404,
    /// A success with a reply that can't be used.
    Unusable,
}

impl Attempt {
    pub(crate) fn new(class: Class, facts: Facts) -> Self {
        Self {
            class,
            facts: Box::new(facts),
        }
    }

    /// An attempt that was not begun, because the time was over.
    pub(crate) fn too_late(operation: Operation) -> Self {
        Self::new(Class::NotSent, Facts::new(operation, Reason::TimedOut))
    }

    /// Tells whether it is certain that no byte of the request was sent.
    pub(crate) fn was_not_sent(&self) -> bool {
        matches!(self.class, Class::NotSent | Class::NeverSent)
    }

    /// Tells whether the service may have acted on the request.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self.class {
            Class::NotSent | Class::NeverSent | Class::Foreign404 => false,
            Class::Lost | Class::Unusable => true,
            Class::Status(status) => !is_refusal(status) && !matches!(status, 307 | 308),
        }
    }

    /// Turns it into the error of the call.
    pub(crate) fn into_error(self) -> Error {
        let Self { class, facts } = self;
        let operation = facts.operation;
        let failure = (*facts).into();
        match class {
            Class::NotSent | Class::NeverSent => Error::NotSent(failure),
            Class::Lost if operation.mints_a_secret() => Error::Ambiguous(failure),
            Class::Lost => Error::Unavailable(failure),
            Class::Unusable => Error::UnusableReply(failure),
            Class::Foreign404 => Error::Rejected(failure),
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

/// Tells whether a status says that the service did not act: a 4xx, but for 408 and 425, with
/// which a proxy can answer for a request that went through.
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
        let attempt = Attempt::new(class, Facts::new(operation, Reason::Status));
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
        assert_eq!(names(Class::Foreign404), ["rejected"; 5]);
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
                let attempt = Attempt::new(Class::Status(status), facts);
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
