//! Point 5.7.9: other clients that have the old secret, and clients without a store.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use pollination_auth::{
    ApiToken, BuildError, Client, Document, Error, FileStore, RotateCause, Secret, StoreError,
};
use pollination_auth_fake::Operation;

use super::support::{ID, OLD, Stage, assert_clean, options, overwrite, profile};

#[tokio::test]
async fn point_5_7_9_another_client_on_the_store_goes_on_with_the_new_secret() {
    let stage = Stage::new();
    let other = stage.client();
    other.login().await.unwrap();
    let _rotated = stage.rotation().rotate().await.unwrap();
    stage.service.expire_all_tokens();
    assert_eq!(other.get_api_token().await.unwrap().as_str(), ID);
}

#[tokio::test]
async fn row_25_a_refused_secret_is_read_again_once_and_tried_again_only_if_it_changed() {
    let stage = Stage::new();
    let wrong = ApiToken::new(ID, Secret::from("planted-wrong")).unwrap();
    overwrite(&stage.profile(), &wrong);
    let error = stage.client().login().await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}");
    assert_eq!(stage.service.logins(), 1);
    assert_clean(&format!("{error} {error:?}"));
}

#[tokio::test]
async fn a_secret_replaced_while_the_old_one_is_refused_is_tried_at_once() {
    let directory = super::support::Directory::new();
    let url = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let (store, at) = (directory.store(), url.clone());
    // Another process stores the right secret while the wrong one is being refused.
    let builder = super::support::builder().on_request(move |request| {
        let body = String::from_utf8_lossy(request.body());
        if body.contains("planted-wrong") {
            let right = ApiToken::new(ID, Secret::from(OLD)).unwrap();
            overwrite(&profile(store.clone(), at.wait()), &right);
        }
    });
    let stage = Stage::of(builder, directory);
    url.set(stage.service.base_url()).unwrap();
    let wrong = ApiToken::new(ID, Secret::from("planted-wrong")).unwrap();
    overwrite(&stage.profile(), &wrong);
    stage.client().login().await.unwrap();
    assert_eq!(stage.service.logins(), 2);
}

#[tokio::test]
async fn an_empty_store_is_an_error_that_says_so() {
    let stage = Stage::new();
    let seen = stage.profile().stored().await.unwrap().unwrap();
    stage.profile().remove(&seen).await.unwrap();
    let error = stage.client().login().await.unwrap_err();
    assert!(matches!(error, Error::StoreFailed(_)), "{error:?}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(
        matches!(source.downcast_ref(), Some(StoreError::Empty { .. })),
        "{source:?}"
    );
    let url = stage.service.base_url();
    assert_eq!(
        error.to_string(),
        format!(
            "login: no credential is stored for {url} (profile default); store one with \
             `Profile::save`, or choose another profile"
        )
    );
    assert_eq!(stage.service.logins(), 0);
}

#[tokio::test]
async fn the_short_call_on_a_store_is_the_safe_rotation() {
    let journal = Arc::new(OnceLock::<PathBuf>::new());
    let at = journal.clone();
    // At the request for a secret, the access token that can make another one is on the disk.
    let announced = Arc::new(AtomicBool::new(false));
    let seen = announced.clone();
    let builder = super::support::builder().on_request(move |request| {
        if request.operation() == Some(Operation::RotateApiTokenSecret) {
            seen.store(at.wait().exists(), Ordering::SeqCst);
        }
    });
    let stage = Stage::of(builder, super::support::Directory::new());
    let name = FileStore::file_name(stage.profile().id(), Document::Journal);
    journal.set(stage.directory.path().join(name)).unwrap();
    let client = stage.client();
    let token = client.rotate_api_token_secret().await.unwrap();
    assert!(announced.load(Ordering::SeqCst));
    assert_eq!(token.secret().expose_secret(), stage.active());
    stage.assert_settled("short");
    client.login().await.unwrap();
}

#[tokio::test]
async fn a_profile_names_its_host_once() {
    let stage = Stage::new();
    let client = Client::builder().profile(stage.profile()).build().unwrap();
    assert_eq!(client.profile().unwrap().id(), stage.profile().id());
    client.login().await.unwrap();
    let elsewhere = Client::builder()
        .profile(stage.profile())
        .base_url("https://api.pollination.cloud");
    let error = elsewhere.build().unwrap_err();
    assert!(
        matches!(error, BuildError::ProfileOfAnotherHost),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_client_without_a_store_rotates_by_the_plain_operation_alone() {
    let stage = Stage::new();
    let token = ApiToken::new(ID, Secret::from(OLD)).unwrap();
    let client = Client::builder()
        .api_token(token)
        .base_url(stage.service.base_url());
    let client = client.build().unwrap();
    let error = client.rotation(options()).rotate().await.unwrap_err();
    assert!(
        matches!(error.failure().cause(), Some(RotateCause::NoStore)),
        "{error:?}"
    );
    assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 0);
    client.rotate_api_token_secret().await.unwrap();
    client.login().await.unwrap();
}

#[tokio::test]
async fn profiles_and_hosts_are_kept_apart() {
    let (one, two) = (Stage::new(), Stage::new());
    let store = one.directory.store();
    let url = one.service.base_url();
    let work = pollination_auth::Profile::new(store.clone(), &url, "work").unwrap();
    work.save(&ApiToken::new("other", Secret::from("planted-work")).unwrap())
        .await
        .unwrap();
    let elsewhere = profile(store, &two.service.base_url());
    assert!(elsewhere.load().await.unwrap().is_none());
    let _rotated = one.rotation().rotate().await.unwrap();
    let kept = work.load().await.unwrap().unwrap();
    assert_eq!(kept.secret().expose_secret(), "planted-work");
}
