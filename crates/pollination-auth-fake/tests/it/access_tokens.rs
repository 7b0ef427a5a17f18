//! Which access tokens are good, and for how long.

use std::time::Duration;

use pollination_auth_fake::{FakeService, Operation};
use reqwest::Method;

use crate::caller::{Caller, WITH_BEARER};

/// The `exp` of an access token was reached, by the service's clock.
const EXPIRED: &str = "the access token has expired";

async fn get(caller: &Caller, access_token: &str) -> (u16, String) {
    let answer = caller.call(Operation::GetApiToken, access_token).await;
    let said = match answer.status.as_u16() {
        200 => String::new(),
        _ => answer.detail(),
    };
    (answer.status.as_u16(), said)
}

#[tokio::test]
async fn an_access_token_expires_when_it_says() {
    let service = FakeService::builder()
        .expires_in(Duration::from_secs(600))
        .start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    service.advance(Duration::from_secs(540));
    assert_eq!(get(&caller, &access_token).await, (200, String::new()));
    service.advance(Duration::from_secs(60));
    for operation in WITH_BEARER {
        let answer = caller.call(operation, &access_token).await;
        assert_eq!(
            (answer.status.as_u16(), answer.detail().as_str()),
            (401, EXPIRED)
        );
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn the_lifetime_can_be_changed_while_the_service_runs() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let long = caller.access_token(&service).await;
    service.set_expires_in(Duration::from_secs(10));
    assert_eq!(service.expires_in(), Duration::from_secs(10));
    let short = caller.access_token(&service).await;
    service.advance(Duration::from_secs(10));
    assert_eq!(get(&caller, &short).await, (401, EXPIRED.to_owned()));
    assert_eq!(get(&caller, &long).await, (200, String::new()));
}

#[tokio::test]
async fn an_access_token_outlives_a_rotation() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    assert_eq!(get(&caller, &access_token).await, (200, String::new()));
}

#[tokio::test]
async fn expired_at_once_are_the_tokens_so_far_and_no_later_one() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let before = caller.access_token(&service).await;
    service.expire_all_tokens();
    let after = caller.access_token(&service).await;
    assert_eq!(get(&caller, &before).await, (401, EXPIRED.to_owned()));
    assert_eq!(get(&caller, &after).await, (200, String::new()));
}

#[tokio::test]
async fn another_signing_key_refuses_the_tokens_of_the_first() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let before = caller.access_token(&service).await;
    service.change_signing_key();
    let after = caller.access_token(&service).await;
    assert_eq!(
        get(&caller, &before).await,
        (401, "the signature of the access token is wrong".to_owned())
    );
    assert_eq!(get(&caller, &after).await, (200, String::new()));
}

#[tokio::test]
async fn a_request_without_a_good_bearer_is_401() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let malformed = "the bearer token is not an access token of this service";
    for (values, detail) in [
        (vec![], "no bearer token"),
        (vec!["Basic aTpz".to_owned()], "no bearer token"),
        (vec!["Bearer".to_owned()], "no bearer token"),
        (vec!["Bearer a.b".to_owned()], malformed),
        (vec![format!("Bearer {access_token} ") + "x"], malformed),
        (vec![format!("Bearer {access_token}"); 2], malformed),
    ] {
        let mut request = caller.request(Method::GET, "/auth/api-token");
        for value in &values {
            request = request.header("authorization", value);
        }
        let answer = Caller::send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.detail().as_str()),
            (401, detail)
        );
    }
}

#[tokio::test]
async fn the_case_of_the_scheme_does_not_matter() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let request = caller
        .request(Method::GET, "/auth/api-token")
        .header("authorization", format!("bEARER {access_token}"));
    assert_eq!(Caller::send(request).await.status, 200);
}
