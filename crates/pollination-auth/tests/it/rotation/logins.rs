//! Row 62: a login that is refused while the stored credential is rotated.

use std::sync::Arc;
use std::time::Duration;

use pollination_auth::{
    ApiToken, Client, CredentialStore as _, Error, MemoryStore, Reason, RetryPolicy, Secret,
    StoreError,
};
use pollination_auth_fake::{Fault, Operation};

use super::support::{ID, OLD, Stage, builder, client, options, overwrite, profile};

/// The settle time in these tests; a login waits longer.
const SETTLE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn row_62_a_login_that_is_refused_while_this_client_rotates_waits_for_the_new_secret() {
    let service = builder().start();
    let store = Arc::new(MemoryStore::new());
    let url = service.base_url();
    let stored = profile(store.clone(), &url);
    stored
        .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
        .await
        .unwrap();
    let client = client(store.clone(), &url);
    service.fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    let options = options().accept_volatile().settle(SETTLE);
    let rotation = client.rotation(options).start();
    // From here on the stored secret no longer works, and the rotation waits for the settle time.
    while service.secret().unwrap().expose_secret() == OLD {
        tokio::task::yield_now().await;
    }
    assert!(store.is_locked(stored.id()).await.unwrap());
    client.login().await.unwrap();
    let rotated = rotation.wait().await.unwrap();
    assert_eq!(rotated.requests(), 2);
}

#[tokio::test]
async fn row_62_a_login_that_is_refused_while_another_process_rotates_waits_for_its_lock() {
    let stage = Stage::new();
    let wrong = ApiToken::new(ID, Secret::from("planted-wrong")).unwrap();
    overwrite(&stage.profile(), &wrong);
    let store = stage.directory.store();
    let profile = stage.profile();
    let lock = store.try_lock(profile.id()).await.unwrap().unwrap();
    let client = stage.client();
    let login = tokio::spawn(async move { client.login().await });
    // After the refusal it reads the store again; the other process stores the right secret.
    while stage.service.logins() == 0 {
        tokio::task::yield_now().await;
    }
    drop(lock);
    overwrite(&profile, &ApiToken::new(ID, Secret::from(OLD)).unwrap());
    // It may have read between the two; then it returns the refusal.
    match login.await.unwrap() {
        Ok(_) => assert_eq!(stage.service.logins(), 2),
        Err(error) => assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}"),
    }
}

#[tokio::test]
async fn row_62_past_the_deadline_the_error_names_the_rotation_and_can_be_retried() {
    let stage = Stage::new();
    overwrite(
        &stage.profile(),
        &ApiToken::new(ID, Secret::from("planted-wrong")).unwrap(),
    );
    let store = stage.directory.store();
    let _lock = store.try_lock(stage.profile().id()).await.unwrap().unwrap();
    let client = Client::builder()
        .store(stage.directory.store())
        .base_url(stage.service.base_url())
        .retry(RetryPolicy::none())
        .total_timeout(Duration::from_millis(400))
        .build()
        .unwrap();
    let error = client.login().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.failure().reason(), &Reason::RotationUnderWay);
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        "login: a rotation of the stored secret is under way; try again later"
    );
    assert_eq!(stage.service.logins(), 1);
}

#[tokio::test]
async fn row_62_a_rotation_that_was_cut_off_is_named_at_once() {
    let stage = Stage::new();
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    let one = stage.client().rotation(options().requests(1));
    let _ambiguous = one.rotate().await.unwrap_err();
    let error = stage.client().login().await.unwrap_err();
    assert!(matches!(error, Error::StoreFailed(_)), "{error:?}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(matches!(
        source.downcast_ref(),
        Some(StoreError::RotationUnfinished)
    ));
    assert!(error.to_string().contains("recover it"), "{error}");
}

#[tokio::test]
async fn row_62_a_plain_rotate_with_a_refused_secret_does_not_wait_for_itself() {
    let stage = Stage::new();
    overwrite(
        &stage.profile(),
        &ApiToken::new(ID, Secret::from("planted-wrong")).unwrap(),
    );
    let error = stage.client().rotate_api_token_secret().await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}");
    assert_eq!(stage.service.logins(), 1);
}

#[tokio::test]
async fn row_70_after_a_403_at_login_the_store_is_read_again() {
    let directory = super::support::Directory::new();
    let url = Arc::new(std::sync::OnceLock::<String>::new());
    let (store, at) = (directory.store(), url.clone());
    let builder = super::support::builder().on_request(move |request| {
        if String::from_utf8_lossy(request.body()).contains("planted-wrong") {
            let right = ApiToken::new(ID, Secret::from(OLD)).unwrap();
            overwrite(&profile(store.clone(), at.wait()), &right);
        }
    });
    let stage = Stage::of(builder, directory);
    url.set(stage.service.base_url()).unwrap();
    let wrong = ApiToken::new(ID, Secret::from("planted-wrong")).unwrap();
    overwrite(&stage.profile(), &wrong);
    stage
        .service
        .fail_next(Operation::Login, Fault::status(403));
    stage.client().login().await.unwrap();
    assert_eq!(stage.service.count(Operation::Login), 2);
}
