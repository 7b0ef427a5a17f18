//! The life of the one API token.

use pollination_auth_fake::{FakeService, Operation};
use serde_json::json;

use crate::caller::{Caller, secret_of};

#[tokio::test]
async fn get_gives_the_id_alone() {
    let service = FakeService::builder().id("an-id").start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let answer = caller.call(Operation::GetApiToken, &access_token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"id": "an-id"}));
}

#[tokio::test]
async fn a_rotated_away_secret_no_longer_logs_in() {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;

    let answer = caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text("id"), "i");
    let new = answer.text("secret");
    assert_eq!(secret_of(&service), new);
    assert_eq!(caller.login("i", "s").await.status, 401);
    assert_eq!(caller.login("i", &new).await.status, 202);
}

#[tokio::test]
async fn every_rotation_gives_another_secret() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let mut secrets = vec![secret_of(&service)];
    for _ in 0..10 {
        secrets.push(
            caller
                .call(Operation::RotateApiTokenSecret, &access_token)
                .await
                .text("secret"),
        );
    }
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 11);
}

#[tokio::test]
async fn a_deleted_api_token_is_gone_and_its_access_token_is_not() {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;

    let answer = caller.call(Operation::DeleteApiToken, &access_token).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(answer.headers.get("content-type"), None);
    assert_eq!((service.id(), service.secret().is_none()), (None, true));
    assert_eq!(caller.login("i", "s").await.status, 401);
    for operation in [
        Operation::GetApiToken,
        Operation::RotateApiTokenSecret,
        Operation::DeleteApiToken,
    ] {
        let answer = caller.call(operation, &access_token).await;
        assert_eq!(answer.status, 404, "{operation}");
        assert_eq!(answer.detail(), "there is no API token");
    }
}

#[tokio::test]
async fn after_a_delete_another_api_token_can_be_made() {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    caller.call(Operation::DeleteApiToken, &access_token).await;

    let answer = caller.call(Operation::CreateApiToken, &access_token).await;
    assert_eq!(answer.status, 201);
    let (id, secret) = (answer.text("id"), answer.text("secret"));
    assert_ne!((id.as_str(), secret.as_str()), ("i", "s"));
    assert_eq!(caller.login(&id, &secret).await.status, 202);
}

#[tokio::test]
async fn a_second_api_token_is_refused_and_the_first_stays() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let before = secret_of(&service);
    let answer = caller.call(Operation::CreateApiToken, &access_token).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.detail(), "there is an API token already");
    assert_eq!(secret_of(&service), before);
}

#[tokio::test]
async fn a_second_api_token_replaces_the_first_where_the_service_is_told_so() {
    let builder = FakeService::builder().id("i").secret("s");
    let service = builder.create_replaces().start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let answer = caller.call(Operation::CreateApiToken, &access_token).await;
    assert_eq!(answer.status, 201);
    let (id, secret) = (answer.text("id"), answer.text("secret"));
    assert_ne!(id, "i");
    assert_eq!(caller.login("i", "s").await.status, 401);
    assert_eq!(caller.login(&id, &secret).await.status, 202);
}
