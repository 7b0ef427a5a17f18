//! A service that is down, and comes back.

use std::time::Duration;

use pollination_auth_fake::{FakeService, Fault, Operation, Outage};
use reqwest::Method;
use serde_json::json;

use crate::caller::{Answer, Caller};

/// A service with the id `i` and the secret `s`.
fn started() -> (FakeService, Caller) {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    (service, caller)
}

#[tokio::test]
async fn refused_connections_reach_nothing_until_the_end_of_the_outage() {
    let (service, caller) = started();
    for times in 1..4 {
        assert_eq!(caller.login("i", "s").await.status, 202);
        service.start_outage(Outage::Refused);
        service.start_outage(Outage::Refused);
        // Another caller: this one may still try its old connection.
        let login = Caller::of(&service).login_request("{}");
        assert!(Caller::try_send(login).await.err().unwrap().is_connect());
        service.end_outage();
        assert_eq!(service.logins(), times);
    }
    assert_eq!(caller.login("i", "s").await.status, 202);
}

#[tokio::test]
async fn a_request_that_waits_for_its_reply_is_cut_off() {
    let (service, caller) = started();
    let hour = Duration::from_secs(3600);
    service.fail_next(Operation::Login, Fault::delay(hour));
    let login = caller.login_request("{}").timeout(hour / 60);
    let waiting = tokio::spawn(Caller::try_send(login));
    while service.logins() == 0 {
        tokio::task::yield_now().await;
    }
    service.start_outage(Outage::Refused);
    let error = waiting.await.unwrap().err().unwrap();
    let is_cut_off = error.is_request() && !error.is_connect() && !error.is_timeout();
    assert!(is_cut_off, "{error:?}");
}

#[tokio::test]
async fn an_unavailable_service_answers_503_and_does_nothing() {
    let (service, caller) = started();
    let access_token = caller.access_token(&service).await;
    service.start_outage(Outage::Unavailable);
    let rotated = caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    assert_eq!(rotated.status, 503);
    assert_eq!(rotated.detail(), "the service is down, as scripted");
    let elsewhere = Caller::send(caller.request(Method::GET, "/x")).await;
    assert_eq!(elsewhere.status, 503);
    assert_eq!(service.count(Operation::RotateApiTokenSecret), 1);
    service.end_outage();
    assert_eq!(caller.login("i", "s").await.status, 202);
}

#[tokio::test]
async fn the_control_endpoint_starts_and_ends_an_outage() {
    let (_service, caller) = started();
    let outage = |method, body: serde_json::Value| {
        let request = caller.request(method, "/__control/outage");
        Caller::send(request.body(body.to_string()))
    };
    for end in ["/__control/outage", "/__control/reset"] {
        let started = outage(Method::POST, json!({"outage": "unavailable"})).await;
        assert_eq!(started.status, 204);
        assert_eq!(caller.login("i", "s").await.status, 503);
        let method = match end {
            "/__control/reset" => Method::POST,
            _ => Method::DELETE,
        };
        assert_eq!(Caller::send(caller.request(method, end)).await.status, 204);
        assert_eq!(caller.login("i", "s").await.status, 202);
    }
    for body in [
        json!({"outage": "refused"}),
        json!({"outage": "refused", "seconds": -1}),
        json!({"outage": "unavailable", "seconds": 1}),
        json!({"outage": "x"}),
    ] {
        let refused = outage(Method::POST, body.clone()).await;
        assert_eq!(refused.status, 400, "{body}");
    }
}

#[tokio::test]
async fn the_control_endpoint_refuses_connections_for_a_time() {
    let (service, caller) = started();
    let refuse = |seconds: f64| {
        let body = json!({"outage": "refused", "seconds": seconds}).to_string();
        Caller::send(caller.request(Method::POST, "/__control/outage").body(body))
    };
    assert_eq!(refuse(3600.0).await.status, 204);
    // The reply comes first, and then the outage.
    until(&caller, |login| {
        login.is_err_and(|error| error.is_connect())
    })
    .await;
    service.end_outage();
    assert_eq!(refuse(0.01).await.status, 204);
    until(&caller, |login| {
        login.is_ok_and(|answer| answer.status == 422)
    })
    .await;
}

/// Logs in until it ends as it should.
async fn until(caller: &Caller, is_it: impl Fn(reqwest::Result<Answer>) -> bool) {
    /// Many times what the slowest machine takes.
    const ATTEMPTS: usize = 10_000;
    for _ in 0..ATTEMPTS {
        if is_it(Caller::try_send(caller.login_request("{}")).await) {
            return;
        }
    }
    panic!("no login of {ATTEMPTS} ended so");
}
