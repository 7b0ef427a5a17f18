//! Row 80: an API token that the program's own code provides at each login.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pollination_auth::{ApiToken, Client, Error, Reason, RetryPolicy, Secret};
use pollination_auth_fake::FakeService;

use crate::support::{ID, SECRET};

fn service() -> FakeService {
    FakeService::builder().id(ID).secret(SECRET).start()
}

/// A client whose provider gives these secrets, one at each call, and the last one from then on.
fn provided(service: &FakeService, secrets: &[&str]) -> (Client, Arc<AtomicUsize>) {
    let secrets: Arc<[String]> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let client = Client::builder()
        .credential_provider(move || {
            let call = counted
                .fetch_add(1, Ordering::SeqCst)
                .min(secrets.len() - 1);
            let secret = secrets[call].clone();
            async move { ApiToken::new(ID, Secret::from(secret)) }
        })
        .base_url(service.base_url())
        .retry(RetryPolicy::none());
    (client.build().unwrap(), calls)
}

#[tokio::test]
async fn the_provider_is_asked_at_each_login_and_not_before() {
    let service = service();
    let (client, calls) = provided(&service, &[SECRET]);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for logins in 1..=3 {
        client.login().await.unwrap();
        client.get_api_token().await.unwrap();
        assert_eq!(
            (calls.load(Ordering::SeqCst), service.logins()),
            (logins, logins)
        );
    }
}

#[tokio::test]
async fn row_25_after_a_refusal_the_provider_is_asked_again_and_the_other_secret_is_tried() {
    let service = service();
    let (client, calls) = provided(&service, &["dead", SECRET]);
    client.login().await.unwrap();
    assert_eq!((calls.load(Ordering::SeqCst), service.logins()), (2, 2));

    let service = self::service();
    let (client, calls) = provided(&service, &["dead"]);
    let error = client.login().await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}");
    assert_eq!((calls.load(Ordering::SeqCst), service.logins()), (2, 1));
}

#[tokio::test]
async fn the_error_of_the_provider_is_the_source_and_nothing_is_sent() {
    let service = service();
    let failures = Arc::new(Mutex::new(vec![io::ErrorKind::TimedOut]));
    let client = Client::builder()
        .credential_provider(move || {
            let failure = failures.lock().unwrap().pop();
            async move {
                match failure {
                    Some(kind) => Err(io::Error::new(kind, "planted")),
                    None => ApiToken::new(ID, Secret::from(SECRET)).map_err(io::Error::other),
                }
            }
        })
        .base_url(service.base_url())
        .build()
        .unwrap();
    let error = client.get_api_token().await.unwrap_err();
    assert!(matches!(error, Error::StoreFailed(_)), "{error:?}");
    assert_eq!(error.failure().reason(), &Reason::CredentialProvider);
    let source = std::error::Error::source(&error).unwrap();
    let source: &io::Error = source.downcast_ref().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::TimedOut);
    // What the program says is shown by nobody but the program.
    assert!(!format!("{error} {error:?}").contains("planted"));
    assert_eq!(service.logins(), 0);
    // The next login asks again.
    client.login().await.unwrap();
}

#[tokio::test]
async fn a_rotation_leaves_the_provider_alone_and_returns_the_new_secret() {
    let service = service();
    let (client, calls) = provided(&service, &[SECRET]);
    let rotated = client.rotate_api_token_secret().await.unwrap();
    let now = service.secret().unwrap();
    assert_eq!(rotated.secret().expose_secret(), now.expose_secret());
    // It provides the old one, until somebody tells it.
    let error = client.login().await.unwrap_err();
    assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}");
    assert!(calls.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn a_rotation_does_not_wait_for_a_provider_longer_than_for_a_call() {
    let client = Client::builder()
        .credential_provider(std::future::pending::<Result<ApiToken, io::Error>>)
        .base_url("http://127.0.0.1:1")
        .total_timeout(std::time::Duration::from_millis(50))
        .build()
        .unwrap();
    for _ in 0..2 {
        let error = client.rotate_api_token_secret().await.unwrap_err();
        assert_eq!(error.failure().reason(), &Reason::TimedOut, "{error}");
    }
}
