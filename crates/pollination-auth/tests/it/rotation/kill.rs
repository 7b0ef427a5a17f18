//! A process that is killed during a request: before the service acts, and after.

use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::child::{Task, command};
use super::support::{Directory, Stage, builder};

/// The requests of a rotation without a fault: a login, the rotation, and a login with the result.
const REQUESTS: usize = 3;

/// Kills the child when its n-th request has arrived. Then the service acts on it, or does not.
async fn killed_at(request: usize, acts: bool) {
    let child: Arc<OnceLock<Mutex<Child>>> = Arc::default();
    let (seen, victim) = (AtomicUsize::new(0), child.clone());
    let builder = builder().on_request(move |_| {
        if seen.fetch_add(1, Ordering::SeqCst) == request {
            victim.wait().lock().unwrap().kill().unwrap();
            if !acts {
                // Closes the connection before the service acts.
                std::panic::resume_unwind(Box::new("not done"));
            }
        }
    });
    let stage = Stage::of(builder, Directory::new());
    let process = command(&stage, Task::Rotate).spawn().unwrap();
    child.set(Mutex::new(process)).unwrap();
    // The kill needs the mutex, so this loop does not keep it locked while it waits.
    let status = loop {
        if let Some(status) = child.wait().lock().unwrap().try_wait().unwrap() {
            break status;
        }
        tokio::task::yield_now().await;
    };
    assert!(!status.success());
    let recovered = stage.rotation().recover().await;
    let context = format!("request {request}, acts {acts}: {recovered:?}");
    assert!(recovered.is_ok(), "{context}");
    stage.assert_settled(&context);
}

#[tokio::test]
async fn point_5_7_1_a_child_killed_at_every_request_before_or_after_it_is_done_is_recovered() {
    for request in 0..REQUESTS {
        for acts in [false, true] {
            killed_at(request, acts).await;
        }
    }
}
