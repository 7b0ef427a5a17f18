//! Rows 66, 70, 71 and 72: the service's ruling on a rotation, whatever this machine's clock shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use pollination_auth::{
    ApiToken, Client, Clock, Moment, Recovered, RetryPolicy, RotateError, Rotation, RotationStatus,
    Ruling, Secret, SystemClock,
};
use pollination_auth_fake::{Fault, Operation};

use super::support::{ID, Stage, options, overwrite};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A clock that is behind or ahead.
#[derive(Clone, Copy, Debug)]
enum Skewed {
    Behind(Duration),
    Ahead(Duration),
    Unset,
}

impl Clock for Skewed {
    fn now(&self) -> Moment {
        let now = SystemClock.now();
        let wall = match self {
            Self::Behind(time) => now.wall.checked_sub(*time).unwrap(),
            Self::Ahead(time) => now.wall.checked_add(*time).unwrap(),
            Self::Unset => SystemTime::UNIX_EPOCH,
        };
        Moment { wall, ..now }
    }
}

fn skewed(stage: &Stage, clock: Skewed) -> Rotation {
    let client = Client::builder()
        .store(stage.directory.store())
        .base_url(stage.service.base_url())
        .retry(RetryPolicy::none())
        .clock(clock)
        .build()
        .unwrap();
    client.rotation(options().requests(1))
}

/// An interrupted rotation whose reply was lost: the stored secret no longer works.
async fn cut_off(stage: &Stage) {
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    let one = stage.client().rotation(options().requests(1));
    let error = one.rotate().await.unwrap_err();
    assert!(matches!(error, RotateError::Ambiguous(_)), "{error:?}");
}

/// Asserts that the stored rotation has ended with this ruling.
async fn assert_concluded(stage: &Stage, expected: Ruling) {
    let status = stage.rotation().status().await.unwrap();
    let RotationStatus::Concluded { ruling, .. } = &status else {
        panic!("{status:?}");
    };
    assert_eq!(*ruling, expected);
}

#[tokio::test]
async fn row_66_a_rotation_that_began_with_any_clock_is_recovered_with_any_other() {
    let clocks = [
        Skewed::Behind(DAY),
        Skewed::Ahead(10 * DAY),
        Skewed::Unset,
        Skewed::Ahead(Duration::ZERO),
    ];
    for begun in clocks {
        for mended in clocks {
            let stage = Stage::new();
            stage
                .service
                .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
            let error = skewed(&stage, begun).rotate().await.unwrap_err();
            assert!(matches!(error, RotateError::Ambiguous(_)), "{error:?}");
            let recovered = skewed(&stage, mended).recover().await;
            assert!(
                matches!(recovered, Ok(Recovered::Rotated(_))),
                "{begun:?}, {mended:?}: {recovered:?}"
            );
            stage.assert_settled(&format!("{begun:?}, {mended:?}"));
        }
    }
}

#[tokio::test]
async fn row_66_what_the_service_calls_lost_is_written_down_and_names_a_doubtful_clock() {
    let stage = Stage::new();
    cut_off(&stage).await;
    stage.service.change_signing_key();
    let before = stage.service.count(Operation::RotateApiTokenSecret);
    let ahead = skewed(&stage, Skewed::Ahead(10 * DAY));
    let error = ahead.recover().await.unwrap_err();
    assert!(matches!(error, RotateError::CredentialLost(_)), "{error:?}");
    assert!(error.to_string().contains("check the clock"), "{error}");
    // By that clock the access token has expired, so one refusal is enough.
    assert_eq!(
        stage.service.count(Operation::RotateApiTokenSecret),
        before + 1
    );
    assert_concluded(&stage, Ruling::CredentialLost).await;
    // It does not prevent storing a new credential, which removes it.
    let made = ApiToken::new(ID, Secret::from(stage.active())).unwrap();
    overwrite(&stage.profile(), &made);
    stage.assert_settled("made anew");
}

#[tokio::test]
async fn row_71_a_reply_for_another_api_token_ends_the_rotation_and_keeps_the_pair() {
    let stage = Stage::new();
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::wrong_id());
    let error = stage.rotation().rotate().await.unwrap_err();
    let RotateError::OtherApiToken(failure) = &error else {
        panic!("{error:?}");
    };
    let pair = failure.expose_candidates().last().unwrap().clone();
    assert_ne!(pair.id().as_str(), ID);
    assert_eq!(pair.secret().expose_secret(), stage.active());
    let text = error.to_string();
    assert!(
        text.contains(ID) && text.contains(pair.id().as_str()),
        "{text}"
    );
    assert!(!error.is_safe_to_retry() && error.recovery_deadline().is_none());
    // No later run asks the service again.
    let requests = stage.service.requests().len();
    for error in [
        stage.rotation().recover().await.unwrap_err(),
        stage.rotation().rotate().await.unwrap_err(),
    ] {
        let RotateError::OtherApiToken(failure) = &error else {
            panic!("{error:?}");
        };
        let again = failure.expose_candidates().last().unwrap();
        assert_eq!(
            (again.id(), again.secret().expose_secret()),
            (pair.id(), pair.secret().expose_secret())
        );
    }
    assert_eq!(stage.service.requests().len(), requests);
    // The other API token logs in.
    overwrite(&stage.profile(), &pair);
    let status = stage.rotation().status().await.unwrap();
    assert!(
        matches!(status, RotationStatus::Settled { .. }),
        "{status:?}"
    );
}

#[tokio::test]
async fn row_71_an_account_that_has_another_api_token_by_now_is_asked_once() {
    let stage = Stage::new();
    let other = stage.client();
    let bearer = other.access_token().await.unwrap();
    cut_off(&stage).await;
    other.delete_api_token().await.unwrap();
    let bearer = Client::builder()
        .access_token(bearer)
        .base_url(stage.service.base_url())
        .build()
        .unwrap();
    bearer.create_api_token().await.unwrap();
    let before = stage.service.count(Operation::RotateApiTokenSecret);
    let error = stage.rotation().recover().await.unwrap_err();
    assert!(matches!(error, RotateError::OtherApiToken(_)), "{error:?}");
    assert_eq!(
        stage.service.count(Operation::RotateApiTokenSecret),
        before + 1
    );
    let pair = error.failure().expose_candidates().last().unwrap();
    assert_eq!(pair.secret().expose_secret(), stage.active());
}

#[tokio::test]
async fn row_72_an_api_token_that_was_deleted_is_gone_and_not_unknown() {
    let stage = Stage::new();
    let other = stage.client();
    other.login().await.unwrap();
    cut_off(&stage).await;
    other.delete_api_token().await.unwrap();
    let before = stage.service.count(Operation::RotateApiTokenSecret);
    let error = stage.rotation().recover().await.unwrap_err();
    assert!(matches!(error, RotateError::ApiTokenGone(_)), "{error:?}");
    assert_eq!(
        stage.service.count(Operation::RotateApiTokenSecret),
        before + 1
    );
    assert_concluded(&stage, Ruling::ApiTokenGone).await;
}

/// A proxy answered after the service had acted: the service itself writes JSON.
#[tokio::test]
async fn row_72_a_404_without_json_says_nothing_of_the_api_token() {
    let stage = Stage::new();
    stage.service.fail_next(
        Operation::RotateApiTokenSecret,
        Fault::commit_and_answer(404).body(""),
    );
    let _rotated = stage.rotation().rotate().await.unwrap();
    stage.assert_settled("rotated");
    assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 2);
}

#[tokio::test]
async fn row_70_a_403_or_a_login_page_at_login_decides_nothing_in_a_rotation() {
    for refusal in [
        Fault::status(403),
        Fault::status(401).body("<html>log in</html>"),
        Fault::status(401).body(""),
    ] {
        let stage = Stage::new();
        cut_off(&stage).await;
        let before = stage.service.count(Operation::RotateApiTokenSecret);
        stage.service.fail_next(Operation::Login, refusal.always());
        let error = stage.rotation().recover().await.unwrap_err();
        assert!(matches!(error, RotateError::Ambiguous(_)), "{error:?}");
        assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), before);
        stage.service.clear_faults();
        let _rotated = stage.rotation().recover().await.unwrap();
        stage.assert_settled("recovered");
    }
}

/// Only the service's own refusal says that nothing was done, and that is JSON. Other requests have to
/// settle before the next one.
#[tokio::test]
async fn row_70_a_login_page_in_reply_to_the_request_does_not_say_that_nothing_was_done() {
    for body in ["<html>log in</html>", ""] {
        let stage = Stage::new();
        stage.service.fail_next(
            Operation::RotateApiTokenSecret,
            Fault::status(401).body(body),
        );
        let waits = Arc::new(AtomicU32::new(0));
        let counted = waits.clone();
        let options = options().on_wait(move |_wait| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let error = stage.client().rotation(options).rotate().await.unwrap_err();
        assert!(matches!(error, RotateError::Rejected(_)), "{error:?}");
        assert_eq!(waits.load(Ordering::SeqCst), 1);
        assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 1);
        stage.assert_settled("rejected");
    }
}
