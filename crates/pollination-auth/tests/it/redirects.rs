//! No redirect is followed: neither to another server nor to another path of the same one.

use std::sync::{Arc, Mutex};

use pollination_auth::{Error, Operation, reqwest};

use crate::listener::Listener;
use crate::support::{Answer, MINTING, OPERATIONS, at_once, call, lock, single, variant};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// 307 and 308 keep the method; the others may follow a create or rotate that happened.
fn expected(operation: Operation, status: u16) -> &'static str {
    match MINTING.contains(&operation) && status < 307 {
        true => "Ambiguous",
        false => "Redirected",
    }
}

/// Calls every operation with every redirect to this place, and checks each error.
async fn meet(location: &str, judge: impl Fn(&Error, &Listener)) {
    for operation in OPERATIONS {
        let answer = Arc::new(Mutex::new(Answer::empty(404)));
        let next = answer.clone();
        let server = Listener::start(move |_| lock(&next).clone()).await;
        let client = single(operation, server.base_url()).retry(at_once());
        let client = client.build().unwrap();
        for status in STATUSES {
            *lock(&answer) = Answer::empty(status).header("location", location);
            let error = call(&client, operation).await.unwrap_err();
            assert_eq!(
                variant(&error),
                expected(operation, status),
                "{operation} {status}"
            );
            assert_eq!(error.status(), Some(status));
            assert!(!error.is_retryable(), "{operation} {status}");
            judge(&error, &server);
        }
        assert_eq!(server.seen().len(), STATUSES.len(), "{operation}");
        assert!(server.seen().iter().all(|seen| seen.is(operation)));
    }
}

#[tokio::test]
async fn row_01_another_server_sees_no_connection() {
    let other = Listener::start(Answer::to).await;
    let origin = other.base_url();
    meet(&format!("{origin}/elsewhere?a=b#c"), |error, _| {
        assert_eq!(error.failure().redirect_origin(), Some(&*origin));
        assert!(
            error.to_string().contains(&format!("to {origin}")),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("elsewhere"));
    })
    .await;
    assert_eq!(other.connections(), [[]; 0]);
}

#[tokio::test]
async fn row_01_row_02_another_path_of_the_same_server_sees_no_request() {
    for location in ["/elsewhere", "elsewhere"] {
        meet(location, |error, server| {
            let origin = error.failure().redirect_origin();
            assert_eq!(origin, Some(&*server.base_url()));
        })
        .await;
    }
}

#[tokio::test]
async fn a_redirect_that_names_no_server_has_no_origin() {
    for location in ["http://[", "data:text/plain,x"] {
        meet(location, |error, _| {
            assert_eq!(error.failure().redirect_origin(), None);
        })
        .await;
    }
}

/// Proves that the servers of these tests redirect a client that follows.
#[tokio::test]
async fn a_client_that_follows_does_reach_the_other_server() {
    let other = Listener::start(Answer::to).await;
    let answer = Answer::empty(307).header("location", &other.base_url());
    let server = Listener::start(move |_| answer.clone()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let login = client.post(server.base_url()).body("planted");
    assert_eq!(login.send().await.unwrap().status(), 404);
    assert_eq!(other.seen()[0].body, "planted");
}
