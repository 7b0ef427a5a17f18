//! A rotation over HTTP meets every fault of the service that can be scripted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pollination_auth::{Recovered, RotateCause, RotateError, RotationStatus, Secret};
use pollination_auth_fake::{Fault, Operation};

use super::support::{ACCESS_TOKEN_START, Directory, OLD, Stage, assert_clean, builder, options};

#[tokio::test]
async fn a_rotation_stores_a_secret_that_logs_in_and_the_client_goes_on_with_it() {
    let stage = Stage::new();
    let client = stage.client();
    let rotation = client.rotation(options());
    let rotated = rotation.rotate().await.unwrap();
    assert_eq!((rotated.generation(), rotated.requests()), (1, 1));
    assert!(!rotated.was_recovered() && !rotated.is_unchanged() && !rotated.by_another());
    assert_eq!(rotated.api_token().secret().expose_secret(), stage.active());
    assert_ne!(stage.active(), OLD);
    stage.assert_settled("rotated");
    assert_clean(&format!("{rotated:?} {rotation:?} {client:?}"));
    // The client continues with the login that proved the new secret.
    let logins = stage.service.logins();
    client.get_api_token().await.unwrap();
    assert_eq!(stage.service.logins(), logins);
    client.login().await.unwrap();
}

#[tokio::test]
async fn point_5_7_4_the_journal_is_there_before_each_request_and_no_two_are_in_flight() {
    let directory = Directory::new();
    let path = directory.path().to_owned();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let journals = seen.clone();
    let builder = builder().on_request(move |request| {
        if request.operation() == Some(Operation::RotateApiTokenSecret) {
            let entries = std::fs::read_dir(&path).unwrap();
            let names = entries.map(|entry| entry.unwrap().path());
            let journal = names
                .filter(|name| name.to_string_lossy().ends_with(".journal.json"))
                .map(|name| std::fs::read_to_string(name).unwrap())
                .next();
            journals.lock().unwrap().push(journal.unwrap());
        }
    });
    let stage = Stage::of(builder, directory);
    for _ in 0..2 {
        stage
            .service
            .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    }
    let rotated = stage.rotation().rotate().await.unwrap();
    assert_eq!(rotated.requests(), 3);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    for (number, journal) in seen.iter().enumerate() {
        let announced = format!("\"requests\": {}", number + 1);
        assert!(journal.contains(&announced));
        let access_token = format!("\"jwt\": \"{ACCESS_TOKEN_START}");
        assert!(journal.contains(&access_token));
    }
}

#[tokio::test]
async fn row_40_state_s3b_whatever_was_lost_the_rotation_ends_with_a_secret_that_logs_in() {
    for (fault, requests) in [
        (Fault::commit_and_drop(), 2),
        (Fault::drop_connection(), 2),
        (Fault::truncated(), 2),
        (Fault::no_secret(), 2),
        (Fault::same_secret(), 1),
        (Fault::commit_and_answer(500), 2),
        (Fault::commit_and_answer(502), 2),
        (Fault::commit_and_answer(302), 2),
        (Fault::status(429).header("retry-after", "0"), 2),
        (Fault::status(500), 2),
        (Fault::status(401), 2),
        (Fault::raw_body("<html>"), 2),
        (
            Fault::raw_body(r#"{"id":"an-id","secret":"a","secret":"b"}"#),
            2,
        ),
        (Fault::other_status(201), 1),
    ] {
        let context = format!("{fault:?}");
        let stage = Stage::new();
        stage
            .service
            .fail_next(Operation::RotateApiTokenSecret, fault);
        let rotated = stage.rotation().rotate().await.expect(&context);
        stage.assert_settled(&context);
        assert_eq!(rotated.requests(), requests, "{context}");
        assert_eq!(
            rotated.is_unchanged(),
            context == "same_secret",
            "{context}"
        );
    }
}

#[tokio::test]
async fn row_42_a_secret_that_becomes_known_late_is_waited_for() {
    let stage = Stage::new();
    let slow = Fault::propagation_delay(Duration::from_millis(150));
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, slow);
    let options = options().settle(Duration::from_millis(1_200));
    let rotated = stage.client().rotation(options).rotate().await.unwrap();
    assert_eq!(rotated.requests(), 1);
    stage.assert_settled("known late");
}

#[tokio::test]
async fn a_secret_that_never_becomes_known_is_kept_beside_the_old_one() {
    let stage = Stage::new();
    let hour = Duration::from_secs(3_600);
    stage.service.fail_next(
        Operation::RotateApiTokenSecret,
        Fault::propagation_delay(hour),
    );
    let error = stage.rotation().rotate().await.unwrap_err();
    let RotateError::Unverified(failure) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        failure.expose_candidates()[0].secret().expose_secret(),
        stage.active()
    );
    assert_eq!(stage.stored(), OLD);
    assert!(!error.is_safe_to_retry() && error.recovery_deadline().is_some());
    assert_clean(&format!("{error} {error:?}"));
    let status = stage.rotation().status().await.unwrap();
    assert!(
        matches!(
            status,
            RotationStatus::Unfinished {
                requests: 1,
                candidates: 1,
                ..
            }
        ),
        "{status:?}"
    );
    stage.service.settle();
    let recovered = stage.rotation().recover().await.unwrap();
    assert!(matches!(recovered, Recovered::Rotated(_)), "{recovered:?}");
    stage.assert_settled("recovered");
}

#[tokio::test]
async fn a_refusal_leaves_the_stored_secret_and_names_the_status() {
    for status in [403, 404, 405, 422, 307] {
        let stage = Stage::new();
        stage
            .service
            .fail_next(Operation::RotateApiTokenSecret, Fault::status(status));
        let error = stage.rotation().rotate().await.unwrap_err();
        let RotateError::Rejected(failure) = &error else {
            panic!("{status}: {error:?}");
        };
        let Some(RotateCause::Service(cause)) = failure.cause() else {
            panic!("{status}: {error:?}");
        };
        assert_eq!(cause.status(), Some(status));
        assert!(error.is_safe_to_retry());
        assert_eq!(stage.active(), OLD);
        stage.assert_settled("refused");
    }
}

#[tokio::test]
async fn each_wait_for_the_service_is_told_and_a_rotation_that_goes_well_has_none() {
    let stage = Stage::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let options = options().on_wait(move |wait| tell.lock().unwrap().push(wait));
    let rotation = stage.client().rotation(options);
    let _rotated = rotation.rotate().await.unwrap();
    assert_eq!(*told.lock().unwrap(), [] as [Duration; 0]);
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::status(403));
    let error = rotation.rotate().await.unwrap_err();
    assert!(matches!(error, RotateError::Rejected(_)));
    assert_eq!(*told.lock().unwrap(), [Duration::from_millis(1)]);
}

#[tokio::test]
async fn point_5_7_6_an_access_token_that_ends_soon_starts_no_rotation() {
    let two_minutes = Duration::from_secs(120);
    let stage = Stage::of(builder().expires_in(two_minutes), Directory::new());
    let rotation = stage
        .client()
        .rotation(super::support::options().recovery_horizon(two_minutes * 2));
    let error = rotation.rotate().await.unwrap_err();
    assert!(
        matches!(
            error.failure().cause(),
            Some(RotateCause::AccessTokenTooShort { needed, .. }) if *needed == two_minutes * 2
        ),
        "{error:?}"
    );
    assert!(matches!(error, RotateError::NotStarted(_)));
    assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 0);
    stage.assert_settled("not started");
}

#[tokio::test]
async fn row_43_when_every_secret_is_dead_and_the_access_token_too_that_is_said() {
    let stage = Stage::new();
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    let one = stage.client().rotation(options().requests(1));
    assert!(matches!(one.rotate().await, Err(RotateError::Ambiguous(_))));
    stage.service.change_signing_key();
    let error = stage.rotation().recover().await.unwrap_err();
    assert!(matches!(error, RotateError::CredentialLost(_)), "{error:?}");
    assert_eq!(error.recovery_deadline(), None);
    assert_eq!(
        stage.directory.files(".journal.json").len(),
        1,
        "kept as evidence"
    );
    // The user creates a new API token elsewhere, and saves it.
    let profile = stage.profile();
    let journal = profile.journal_version().await.unwrap().unwrap();
    profile.discard_journal(&journal).await.unwrap();
    let made =
        pollination_auth::ApiToken::new(super::support::ID, Secret::from(stage.active())).unwrap();
    super::support::overwrite(&profile, &made);
    stage.assert_settled("made anew");
}

#[tokio::test]
async fn point_5_7_2_state_s0_recovering_what_is_in_order_changes_nothing_and_sends_nothing() {
    let stage = Stage::new();
    let rotated = stage.rotation().rotate().await.unwrap();
    let requests = stage.service.requests().len();
    let files = stage.directory.files(".credential.json");
    let before = std::fs::read(&files[0]).unwrap();
    for _ in 0..2 {
        let recovered = stage.rotation().recover().await.unwrap();
        assert!(matches!(recovered, Recovered::NothingToDo), "{recovered:?}");
    }
    assert_eq!(stage.service.requests().len(), requests);
    assert_eq!(std::fs::read(&files[0]).unwrap(), before);
    let status = stage.rotation().status().await.unwrap();
    let RotationStatus::Settled { generation, .. } = status else {
        panic!("{status:?}");
    };
    assert_eq!(generation, rotated.generation());
    assert!(!String::from_utf8(before).unwrap().contains(OLD));
}

#[tokio::test]
async fn a_service_that_can_not_be_reached_starts_no_rotation() {
    let stage = Stage::new();
    // A port that was free a moment ago, and on which nobody listens.
    let url = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", socket.local_addr().unwrap())
    };
    let profile = super::support::profile(stage.directory.store(), &url);
    profile
        .save(&pollination_auth::ApiToken::new("i", Secret::from(OLD)).unwrap())
        .await
        .unwrap();
    let client = super::support::client(stage.directory.store(), &url);
    let error = client.rotation(options()).rotate().await.unwrap_err();
    assert!(matches!(error, RotateError::NotStarted(_)), "{error:?}");
    assert_eq!(stage.directory.files(".journal.json").len(), 0);
}
