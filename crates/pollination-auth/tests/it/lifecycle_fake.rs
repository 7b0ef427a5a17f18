//! Several calls in a row, on a service that remembers: the fake.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, AccessTokenProvider, ApiToken, Client, Reason, Secret};
use pollination_auth_fake::{FakeService, Fault, Operation};

use crate::support::{ID, ManualClock, SECRET, variant};

fn service() -> FakeService {
    FakeService::builder().id(ID).secret(SECRET).start()
}

fn client_of(service: &FakeService) -> Client {
    let token = ApiToken::new(ID, Secret::from(SECRET)).unwrap();
    let builder = Client::builder().api_token(token);
    builder.base_url(service.base_url()).build().unwrap()
}

fn bearing(service: &FakeService, token: &AccessToken) -> Client {
    let builder = Client::builder().access_token(token.clone());
    builder.base_url(service.base_url()).build().unwrap()
}

fn secret_of(service: &FakeService) -> String {
    service.secret().unwrap().expose_secret().to_owned()
}

/// The body of the last login.
fn last_login(service: &FakeService) -> String {
    let requests = service.requests();
    let logins = requests
        .iter()
        .filter(|request| request.operation() == Some(Operation::Login));
    String::from_utf8(logins.last().unwrap().body().to_vec()).unwrap()
}

#[tokio::test]
async fn many_calls_share_one_login() {
    let service = service();
    let client = client_of(&service);
    for _ in 0..3 {
        assert_eq!(client.get_api_token().await.unwrap().as_str(), ID);
    }
    let first = client.access_token().await.unwrap();
    let second = client.clone().access_token().await.unwrap();
    assert_eq!(first.expose_secret(), second.expose_secret());
    assert_eq!(service.logins(), 1);
    client.login().await.unwrap();
    assert_eq!(service.logins(), 2, "a login that was asked for is made");
}

#[tokio::test]
async fn the_whole_life_of_an_api_token() {
    let service = service();
    let client = client_of(&service);
    let access_token = client.access_token().await.unwrap();
    let rotated = client.rotate_api_token_secret().await.unwrap();
    assert_eq!(rotated.id().as_str(), ID);
    assert_eq!(rotated.secret().expose_secret(), secret_of(&service));

    let taken = client.create_api_token().await.unwrap_err();
    assert_eq!((&*variant(&taken), taken.status()), ("Rejected", Some(409)));
    client.delete_api_token().await.unwrap();
    assert_eq!(service.id(), None);

    // Its access token outlives it, and creates the next API token.
    let bearing = bearing(&service, &access_token);
    let none = bearing.get_api_token().await.unwrap_err();
    assert_eq!((&*variant(&none), none.status()), ("NotFound", Some(404)));
    let created = bearing.create_api_token().await.unwrap();
    assert_eq!(created.secret().expose_secret(), secret_of(&service));
    assert_eq!(bearing.get_api_token().await.unwrap(), *created.id());

    let builder = Client::builder().api_token(created.clone());
    let client = builder.base_url(service.base_url()).build().unwrap();
    assert_eq!(client.get_api_token().await.unwrap(), *created.id());
}

#[tokio::test]
async fn a_rotation_keeps_the_access_token_and_changes_the_login_secret() {
    let service = service();
    let client = client_of(&service);
    let rotated = client.rotate_api_token_secret().await.unwrap();
    client.get_api_token().await.unwrap();
    assert_eq!(service.logins(), 1, "the access token is still good");
    client.login().await.unwrap();
    assert!(last_login(&service).contains(rotated.secret().expose_secret()));

    let old = client_of(&service).login().await.unwrap_err();
    assert_eq!(variant(&old), "CredentialsRejected");
}

#[tokio::test]
async fn after_a_delete_the_credential_no_longer_logs_in() {
    let service = service();
    let client = client_of(&service);
    client.delete_api_token().await.unwrap();
    assert!(client.access_token_changes().latest().is_none());
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "CredentialsRejected");
    assert_eq!(error.operation(), pollination_auth::Operation::Login);
    assert_eq!(service.count(Operation::GetApiToken), 0);
}

#[tokio::test]
async fn a_refused_access_token_is_replaced_once_without_the_caller_noticing() {
    let service = service();
    let client = client_of(&service);
    client.get_api_token().await.unwrap();
    service.change_signing_key();
    assert_eq!(client.get_api_token().await.unwrap().as_str(), ID);
    assert_eq!(service.logins(), 2);
    assert_eq!(service.count(Operation::GetApiToken), 3);
}

#[tokio::test]
async fn a_client_with_an_access_token_alone_never_logs_in() {
    let service = service();
    let token = client_of(&service).access_token().await.unwrap();
    let client = bearing(&service, &token);
    let rotated = client.rotate_api_token_secret().await.unwrap();
    assert_eq!(rotated.secret().expose_secret(), secret_of(&service));
    assert_eq!(client.get_api_token().await.unwrap().as_str(), ID);
    client.delete_api_token().await.unwrap();
    client.create_api_token().await.unwrap();
    assert_eq!(service.logins(), 1);

    let error = client.login().await.unwrap_err();
    assert_eq!(variant(&error), "AccessTokenExpired");
    service.expire_all_tokens();
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "Unauthorized");
    assert_eq!(service.logins(), 1);
}

#[tokio::test]
async fn row_69_a_given_access_token_is_used_until_the_service_refuses_it() {
    let lifetime = Duration::from_secs(3_600);
    let service = service();
    service.set_expires_in(lifetime);
    let minted = client_of(&service).access_token().await.unwrap();
    // Like a caller with only the text: the expiry is read from the JWT.
    let token = AccessToken::new(minted.expose_secret()).unwrap();
    let clock = ManualClock::at(SystemTime::now());
    let client = Client::builder()
        .access_token(token)
        .base_url(service.base_url())
        .clock(clock.clone())
        .build()
        .unwrap();
    // The fraction of a second that a JWT leaves out, and what this test takes, are less than this.
    let margin = lifetime / 10;
    clock.advance(lifetime - margin);
    client.get_api_token().await.unwrap();
    // Expired by the client's clock, which may be wrong: the service is asked, and accepts it.
    clock.advance(2 * margin);
    client.get_api_token().await.unwrap();
    service.advance(lifetime);
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "AccessTokenExpired");
    assert_eq!(error.failure().reason(), &Reason::Expired);
    assert!(!error.is_retryable());
    assert_eq!(service.count(Operation::GetApiToken), 3);
}

#[tokio::test]
async fn row_45_a_clock_that_is_hours_off_changes_no_lifetime() {
    const LIFETIME: Duration = Duration::from_secs(3_600);
    const OFF: Duration = Duration::from_secs(5 * 3_600);
    let now = SystemTime::now();
    for wall in [now - OFF, now + OFF] {
        let service = service();
        service.set_expires_in(LIFETIME);
        let clock = ManualClock::at(wall);
        let client = Client::builder()
            .api_token(ApiToken::new(ID, Secret::from(SECRET)).unwrap())
            .base_url(service.base_url())
            .clock(clock.clone())
            .build()
            .unwrap();
        client.access_token().await.unwrap();
        clock.advance(LIFETIME / 2);
        client.access_token().await.unwrap();
        assert_eq!(service.logins(), 1);
        clock.advance(LIFETIME);
        client.access_token().await.unwrap();
        assert_eq!(service.logins(), 2);
    }
}

#[tokio::test]
async fn a_client_on_the_clock_of_its_service_refreshes_before_the_end() {
    const LIFETIME: Duration = Duration::from_secs(3_600);
    // Inside the advisory window, whatever its jitter, and outside the mandatory one.
    const LEFT: Duration = Duration::from_secs(60);
    let service = service();
    service.set_expires_in(LIFETIME);
    let builder = Client::builder().api_token(ApiToken::new(ID, Secret::from(SECRET)).unwrap());
    let builder = builder.clock(service.clock());
    let client = builder.base_url(service.base_url()).build().unwrap();
    let first = client.access_token().await.unwrap();
    let mut changes = client.access_token_changes();

    service.advance(LIFETIME - LEFT);
    let early = client.access_token().await.unwrap();
    assert_eq!(early.expose_secret(), first.expose_secret());
    changes.changed().await.unwrap();
    let second = client.access_token().await.unwrap();
    assert_ne!(second.expose_secret(), first.expose_secret());
    assert_eq!((service.logins(), service.requests().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_at_once_take_turns_and_the_last_one_counts() {
    const ROTATIONS: usize = 8;
    let service = service();
    let client = client_of(&service);
    let tasks: Vec<_> = (0..ROTATIONS)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.rotate_api_token_secret().await })
        })
        .collect();
    let mut secrets = Vec::new();
    for task in tasks {
        let token = task.await.unwrap().unwrap();
        secrets.push(token.secret().expose_secret().to_owned());
    }
    assert_eq!(service.count(Operation::RotateApiTokenSecret), ROTATIONS);
    assert!(secrets.contains(&secret_of(&service)));
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), ROTATIONS);
    // Whichever was last, client and service have the same secret.
    client.login().await.unwrap();
    assert!(last_login(&service).contains(&secret_of(&service)));
}

#[tokio::test]
async fn a_rotation_whose_future_is_dropped_still_changes_the_login_secret() {
    let service = service();
    let client = client_of(&service);
    {
        let mut rotation = pin!(client.rotate_api_token_secret());
        poll_fn(|context| {
            assert!(rotation.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    // A second one has to wait its turn, and changes nothing; so the first one is over then.
    service.fail_next(Operation::RotateApiTokenSecret, Fault::other_status(200));
    service.fail_next(Operation::RotateApiTokenSecret, Fault::status(403));
    let error = client.rotate_api_token_secret().await.unwrap_err();
    assert_eq!(variant(&error), "Forbidden");
    assert_ne!(secret_of(&service), SECRET);
    client.login().await.unwrap();
    assert!(last_login(&service).contains(&secret_of(&service)));
}

#[tokio::test]
async fn row_27_of_those_who_tell_of_a_refused_token_the_first_drops_it() {
    let service = service();
    let client = client_of(&service);
    let token = client.access_token().await.unwrap();
    service.expire_all_tokens();
    // What was refused is known by its text: it may have been to another program and back.
    let copy = AccessToken::new(token.expose_secret()).unwrap();
    assert!(client.invalidate_access_token(&copy));
    let next = client.access_token().await.unwrap();
    for _late in 0..3 {
        assert!(client.invalidate_access_token(&token));
        let same = client.access_token().await.unwrap();
        assert_eq!(same.expose_secret(), next.expose_secret());
    }
    assert_eq!(service.logins(), 2);
}

#[tokio::test]
async fn row_61_a_token_that_is_refused_again_and_again_is_dropped_once() {
    let service = service();
    let client = client_of(&service);
    let mut dropped = Vec::new();
    for _ in 0..3 {
        let token = client.access_token().await.unwrap();
        dropped.push(client.invalidate_access_token(&token));
    }
    assert_eq!(dropped, [true, false, false]);
    assert_eq!(service.logins(), 2);
}

#[tokio::test]
async fn a_given_token_is_never_dropped() {
    let service = service();
    let given = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln").unwrap();
    let client = bearing(&service, &given);
    assert!(!client.invalidate_access_token(&given));
    let same = client.access_token().await.unwrap();
    assert_eq!(same.expose_secret(), given.expose_secret());
}

#[tokio::test]
async fn a_client_is_one_of_the_providers_of_access_tokens() {
    let service = service();
    let client = client_of(&service);
    let provider: Arc<dyn AccessTokenProvider> = Arc::new(client.clone());
    let token = provider.access_token().await.unwrap();
    service.expire_all_tokens();
    assert!(provider.invalidate_access_token(&token));
    let next = provider.access_token().await.unwrap();
    let same = client.access_token().await.unwrap();
    assert_eq!(same.expose_secret(), next.expose_secret());
    assert_ne!(token.expose_secret(), next.expose_secret());

    // A fixed token stands in for it in a test, and has no successor.
    let fixed: Arc<dyn AccessTokenProvider> = Arc::new(token.clone());
    assert!(!fixed.invalidate_access_token(&token));
    let same = fixed.access_token().await.unwrap();
    assert_eq!(same.expose_secret(), token.expose_secret());
}
