//! A test whose time is paused, as the documentation of the service has it.

use std::sync::mpsc;
use std::time::Duration;

use pollination_auth_fake::FakeService;
use tokio::time::Instant;

use crate::caller::Caller;

/// Longer than a runtime waits for a socket before it moves its paused time forward.
const LATENCY: Duration = Duration::from_millis(50);

#[tokio::test(start_paused = true)]
async fn a_call_gets_its_reply_while_the_time_stands_still() {
    let (_until_the_end, ended) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || ended.recv());
    let started = Instant::now();
    let service = FakeService::builder().latency(LATENCY).start();
    let caller = Caller::of(&service);
    let login = caller.login_request("{}").timeout(LATENCY * 2);
    assert_eq!(Caller::send(login).await.status, 422);
    assert_eq!(started.elapsed(), Duration::ZERO);
}
