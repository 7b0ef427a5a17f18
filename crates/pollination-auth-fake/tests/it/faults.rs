//! What each scripted fault does to the account, and what it answers.

use std::time::{Duration, Instant};

use pollination_auth_fake::{FakeService, Fault, Operation};
use serde_json::json;

use crate::caller::{Answer, Caller, WITH_BEARER, secret_of};

/// A service with the id `i` and the secret `s`, its caller, and an access token.
async fn logged_in() -> (FakeService, Caller, String) {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    (service, caller, access_token)
}

/// Rotates once with this fault.
async fn rotate(fault: Fault) -> (FakeService, Caller, Answer) {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::RotateApiTokenSecret, fault);
    let answer = caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    (service, caller, answer)
}

#[tokio::test]
async fn a_status_is_answered_once_and_nothing_is_done() {
    let (service, caller, answer) = rotate(
        Fault::status(429)
            .header("retry-after", "5")
            .header("content-type", "text/html")
            .body("<p>later</p>"),
    )
    .await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(answer.headers["content-type"], "text/html");
    assert_eq!(answer.body, b"<p>later</p>");
    assert_eq!(secret_of(&service), "s");
    let access_token = caller.access_token(&service).await;
    assert_eq!(
        caller
            .call(Operation::RotateApiTokenSecret, &access_token)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_header_can_come_twice() {
    let twice = Fault::status(429)
        .header("retry-after", "5")
        .header("retry-after", "7");
    let (_service, _, answer) = rotate(twice).await;
    let values: Vec<_> = answer.headers.get_all("retry-after").iter().collect();
    assert_eq!(values, ["5", "7"]);
}

#[tokio::test]
async fn faults_of_an_operation_queue_up_and_leave_the_others_alone() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::GetApiToken, Fault::status(500));
    service.fail_next(Operation::GetApiToken, Fault::status(503));
    assert_eq!(
        caller
            .call(Operation::RotateApiTokenSecret, &access_token)
            .await
            .status,
        200
    );
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = caller.call(Operation::GetApiToken, &access_token).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [500, 503, 200]);
}

#[tokio::test]
async fn an_answer_after_the_commit_hides_that_it_was_done() {
    let (service, caller, answer) = rotate(Fault::commit_and_answer(502)).await;
    assert_eq!(answer.status, 502);
    assert_ne!(secret_of(&service), "s");
    assert_eq!(caller.login("i", "s").await.status, 401);
}

#[tokio::test]
async fn a_dropped_connection_comes_after_the_commit_and_the_service_goes_on() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    let request = caller.operation_request(Operation::RotateApiTokenSecret, &access_token);
    let error = Caller::try_send(request).await.err().unwrap();
    assert!(error.is_request() && !error.is_connect(), "{error:?}");
    assert_eq!(service.count(Operation::RotateApiTokenSecret), 1);
    assert_eq!(caller.login("i", &secret_of(&service)).await.status, 202);
    assert_eq!(caller.login("i", "s").await.status, 401);
}

#[tokio::test]
async fn a_connection_can_be_dropped_with_nothing_done() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::RotateApiTokenSecret, Fault::drop_connection());
    let request = caller.operation_request(Operation::RotateApiTokenSecret, &access_token);
    assert!(Caller::try_send(request).await.err().unwrap().is_request());
    assert_eq!(secret_of(&service), "s");
}

#[tokio::test]
async fn a_late_rotation_is_done_after_the_requests_it_waits_for() {
    let (service, caller, answer) = rotate(Fault::commit_late(1)).await;
    assert_eq!(answer.status, 504);
    assert_eq!(
        caller.login("i", "s").await.status,
        202,
        "the one it waits for"
    );
    assert_eq!(caller.login("i", "s").await.status, 401);
    assert_ne!(secret_of(&service), "s");
}

#[tokio::test]
async fn a_late_first_rotation_takes_the_secret_of_the_second_away() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::RotateApiTokenSecret, Fault::commit_late(1));
    caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    let second = caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await
        .text("secret");
    assert_eq!(caller.login("i", &second).await.status, 401);
}

#[tokio::test]
async fn settling_does_at_once_what_was_put_off() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::DeleteApiToken, Fault::commit_late(100));
    assert_eq!(
        caller
            .call(Operation::DeleteApiToken, &access_token)
            .await
            .status,
        504
    );
    assert_eq!(service.id().as_deref(), Some("i"));
    service.settle();
    assert_eq!(service.id(), None);
}

#[tokio::test]
async fn while_the_new_secret_propagates_the_old_one_logs_in() {
    let (service, caller, answer) = rotate(Fault::propagation_delay(Duration::from_secs(30))).await;
    let new = answer.text("secret");
    assert_eq!(caller.login("i", &new).await.status, 401);
    assert_eq!(caller.login("i", "s").await.status, 202);
    service.advance(Duration::from_secs(30));
    assert_eq!(caller.login("i", &new).await.status, 202);
    assert_eq!(caller.login("i", "s").await.status, 401);
}

#[tokio::test]
async fn a_wrong_id_comes_with_the_right_secret() {
    let (service, caller, answer) = rotate(Fault::wrong_id()).await;
    assert_eq!(answer.status, 200);
    assert_ne!(answer.text("id"), "i");
    assert_eq!(answer.text("secret"), secret_of(&service));
    assert_eq!(caller.login("i", &answer.text("secret")).await.status, 202);
}

#[tokio::test]
async fn without_a_secret_the_rotation_is_done_all_the_same() {
    let (service, _, answer) = rotate(Fault::no_secret()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({"id": "i"}))
    );
    assert_ne!(secret_of(&service), "s");
}

#[tokio::test]
async fn the_same_secret_goes_on_logging_in() {
    let (service, caller, answer) = rotate(Fault::same_secret()).await;
    assert_eq!(answer.json(), json!({"id": "i", "secret": "s"}));
    assert_eq!(secret_of(&service), "s");
    assert_eq!(caller.login("i", "s").await.status, 202);
}

#[tokio::test]
async fn a_truncated_body_is_the_first_half_and_no_json() {
    let (service, _, answer) = rotate(Fault::truncated()).await;
    let whole = json!({"id": "i", "secret": secret_of(&service)}).to_string();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, &whole.as_bytes()[..whole.len() / 2]);
    assert_ne!(secret_of(&service), "s");
}

#[tokio::test]
async fn raw_bytes_take_the_place_of_the_body() {
    let bytes = b"\xef\xbb\xbf{\"id\":\xff}".to_vec();
    let (service, _, answer) = rotate(Fault::raw_body(bytes.clone())).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, bytes));
    assert_ne!(secret_of(&service), "s");
}

#[tokio::test]
async fn another_status_can_come_with_the_usual_body() {
    let (service, caller, _) = logged_in().await;
    service.fail_next(Operation::Login, Fault::other_status(200));
    let answer = caller.login("i", "s").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text("token_type").as_str()),
        (200, "Bearer")
    );
}

#[tokio::test]
async fn a_delayed_reply_is_late_and_its_change_is_not() {
    let delay = Duration::from_secs(1);
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::RotateApiTokenSecret, Fault::delay(delay));
    let started = Instant::now();
    let request = caller.operation_request(Operation::RotateApiTokenSecret, &access_token);
    let rotating = tokio::spawn(Caller::send(request));
    while service.count(Operation::RotateApiTokenSecret) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(caller.login("i", &secret_of(&service)).await.status, 202);
    assert!(started.elapsed() < delay, "another request waited");
    let answer = rotating.await.unwrap();
    assert!(started.elapsed() >= delay);
    assert_eq!(answer.text("secret"), secret_of(&service));
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_delayed_reply_has_rotated() {
    let (service, caller, access_token) = logged_in().await;
    let hour = Duration::from_secs(3600);
    service.fail_next(
        Operation::RotateApiTokenSecret,
        Fault::commit_and_answer(502).after(hour),
    );
    let request = caller
        .operation_request(Operation::RotateApiTokenSecret, &access_token)
        .timeout(Duration::from_millis(100));
    assert!(Caller::try_send(request).await.err().unwrap().is_timeout());
    assert_ne!(secret_of(&service), "s");
}

#[tokio::test]
async fn a_fault_that_acts_waits_for_a_request_that_is_not_refused() {
    for operation in WITH_BEARER {
        let (service, caller, access_token) = logged_in().await;
        if operation == Operation::CreateApiToken {
            caller.call(Operation::DeleteApiToken, &access_token).await;
        }
        service.fail_next(operation, Fault::commit_and_answer(502));
        assert_eq!(
            caller.call(operation, "no").await.status,
            401,
            "{operation}"
        );
        assert_eq!(service.unused_faults().len(), 1);
        assert_eq!(
            caller.call(operation, &access_token).await.status,
            502,
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_fault_lasts_as_many_requests_as_it_says() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_next(Operation::GetApiToken, Fault::status(503).times(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = caller.call(Operation::GetApiToken, &access_token).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [503, 503, 200]);
}

#[tokio::test]
async fn a_fault_of_any_operation_lasts_until_it_is_cleared() {
    let (service, caller, access_token) = logged_in().await;
    service.fail_any(Fault::status(503).always());
    assert_eq!(service.unused_faults(), ["any: status(503), always"]);
    for operation in WITH_BEARER {
        let answer = caller.call(operation, &access_token).await;
        assert_eq!(answer.status, 503, "{operation}");
    }
    assert_eq!(caller.login("i", "s").await.status, 503);
    assert_eq!(service.unused_faults(), [""; 0]);
    service.clear_faults();
    assert_eq!(caller.login("i", "s").await.status, 202);
}
