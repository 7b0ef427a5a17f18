//! The errors of the short call: each keeps what nobody else has, and has the details as its source.

use std::error::Error as _;
use std::time::SystemTime;

use super::control::ending;
use super::server::token;
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::secret::{Secret, SecretBytes};
use crate::rotation::protocol::{Ending, Verdict};
use crate::rotation::{RotateCause, RotateError};
use crate::store::record::Record;
use crate::store::{Ruling, StoreError};

fn error(verdict: Verdict, change: impl FnOnce(&mut Ending)) -> Error {
    let record = Record::new(token(0), 0);
    let mut ending = ending(verdict, record, vec![token(1), token(2)]);
    ending.at = SystemTime::UNIX_EPOCH;
    change(&mut ending);
    let shown = RotateError::from_ending(ending, None).into_error();
    assert!(
        !format!("{shown} {shown:?}").contains("secret-"),
        "{shown:?}"
    );
    shown
}

fn raw(error: &Error) -> &str {
    std::str::from_utf8(error.raw_reply().unwrap().expose_secret()).unwrap()
}

/// The details are the source of an error that leaves anything changed.
fn details(error: &Error) -> &RotateError {
    error.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn row_54_a_secret_that_could_not_be_stored_is_in_the_raw_reply() {
    let failed = error(Verdict::PersistFailed, |_| {});
    assert!(matches!(failed, Error::StoreFailed(_)), "{failed:?}");
    assert_eq!(raw(&failed), r#"{"id":"an-id","secret":"secret-2"}"#);
    assert!(matches!(details(&failed), RotateError::PersistFailed(_)));
}

#[test]
fn row_71_the_pair_of_another_api_token_is_in_the_raw_reply() {
    let other = ApiToken::new("other-id", Secret::from("secret-9")).unwrap();
    let failed = error(Verdict::Ruled(Ruling::OtherApiToken), |ending| {
        ending.candidates = vec![other];
    });
    assert!(matches!(failed, Error::UnusableReply(_)), "{failed:?}");
    assert_eq!(raw(&failed), r#"{"id":"other-id","secret":"secret-9"}"#);
    let reason = failed.failure().reason();
    assert!(matches!(reason, Reason::IdMismatch { .. }), "{reason:?}");
    assert!(matches!(details(&failed), RotateError::OtherApiToken(_)));
}

#[test]
fn row_40_an_unknown_outcome_is_ambiguous_and_has_the_candidates_in_its_source() {
    for verdict in [Verdict::Ambiguous, Verdict::Unverified] {
        let failed = error(verdict, |_| {});
        assert!(matches!(failed, Error::Ambiguous(_)), "{failed:?}");
        assert!(!failed.is_retryable());
        assert_eq!(details(&failed).failure().expose_candidates().len(), 2);
    }
    let failed = error(Verdict::Ambiguous, |ending| {
        ending.raw = vec![SecretBytes::from(b"secret-3".to_vec())];
    });
    assert!(matches!(failed, Error::UnusableReply(_)), "{failed:?}");
    assert_eq!(raw(&failed), "secret-3");
}

#[test]
fn rows_43_and_72_what_the_service_has_ruled_is_said_by_the_variant() {
    let lost = error(Verdict::Ruled(Ruling::CredentialLost), |_| {});
    assert!(matches!(lost, Error::CredentialsRejected(_)), "{lost:?}");
    assert!(matches!(details(&lost), RotateError::CredentialLost(_)));
    let gone = error(Verdict::Ruled(Ruling::ApiTokenGone), |_| {});
    assert!(matches!(gone, Error::NotFound(_)), "{gone:?}");
    assert_eq!(gone.status(), Some(404));
    assert!(matches!(details(&gone), RotateError::ApiTokenGone(_)));
}

#[test]
fn what_did_not_happen_is_the_error_of_what_prevented_it() {
    let refused = Facts::new(Operation::Login, Reason::Status);
    let refused = RotateCause::Service(Error::CredentialsRejected(refused.into()));
    let failed = error(Verdict::NotStarted, |ending| ending.cause = Some(refused));
    assert!(
        matches!(failed, Error::CredentialsRejected(_)),
        "{failed:?}"
    );
    assert_eq!(failed.operation(), Operation::Login);

    let lost = RotateCause::Store(StoreError::LockLost);
    let failed = error(Verdict::NotStarted, |ending| ending.cause = Some(lost));
    assert!(matches!(failed, Error::StoreFailed(_)), "{failed:?}");
    let source = failed.source().unwrap().downcast_ref();
    assert!(matches!(source, Some(StoreError::LockLost)), "{source:?}");

    let locked = RotateCause::Store(StoreError::Locked);
    let failed = error(Verdict::NotStarted, |ending| ending.cause = Some(locked));
    assert!(failed.is_retryable());
    assert_eq!(failed.failure().reason(), &Reason::RotationUnderWay);
}

#[test]
fn a_lost_reply_of_a_request_that_did_nothing_can_be_retried() {
    let lost = Facts::new(Operation::RotateApiTokenSecret, Reason::ConnectionLost);
    let lost = RotateCause::Service(Error::Ambiguous(lost.into()));
    let failed = error(Verdict::NothingHappened, |ending| ending.cause = Some(lost));
    assert!(matches!(failed, Error::Unavailable(_)), "{failed:?}");
    assert!(failed.is_retryable());
    assert_eq!(failed.failure().reason(), &Reason::ConnectionLost);
    assert!(matches!(details(&failed), RotateError::Rejected(_)));
}
