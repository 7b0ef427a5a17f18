//! Point 5.7.8: dropped futures, and a runtime that is shut down.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use pollination_auth::{RotateCause, RotateError};
use pollination_auth_fake::{Fault, Operation};

use super::support::{Directory, OLD, Stage, builder};

#[tokio::test]
async fn row_47_a_rotation_whose_future_is_dropped_at_any_poll_comes_to_its_end() {
    for polls in 0..12 {
        let stage = Stage::new();
        let rotation = stage.rotation();
        {
            let mut rotate = pin!(rotation.rotate());
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                assert!(rotate.as_mut().poll(&mut context).is_pending());
                tokio::task::yield_now().await;
            }
        }
        // By then the dropped rotation has the lock, and a recovery waits for it to finish.
        while polls > 0 && stage.service.count(Operation::RotateApiTokenSecret) == 0 {
            tokio::task::yield_now().await;
        }
        let recovered = rotation.recover().await.unwrap();
        stage.assert_settled(&format!("{polls} polls: {recovered:?}"));
        assert_eq!(stage.active() == OLD, polls == 0, "{polls}");
    }
}

#[tokio::test]
async fn a_handle_can_be_waited_for_again_and_by_several() {
    let stage = Stage::new();
    let handle = stage.rotation().start();
    let clone = handle.clone();
    let (first, second) = tokio::join!(handle.wait(), clone.wait());
    let again = handle.wait().await.unwrap();
    for rotated in [first.unwrap(), second.unwrap(), again] {
        assert_eq!(rotated.api_token().secret().expose_secret(), stage.active());
    }
    assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 1);
}

#[tokio::test]
async fn rotations_of_one_client_at_once_make_one_request() {
    let stage = Stage::of(
        builder().latency(Duration::from_millis(20)),
        Directory::new(),
    );
    let rotation = stage.rotation();
    let (first, second) = tokio::join!(rotation.rotate(), rotation.rotate());
    let by_another = [first.unwrap(), second.unwrap()].map(|rotated| rotated.by_another());
    assert!(
        by_another == [true, false] || by_another == [false, true],
        "{by_another:?}"
    );
    assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 1);
}

#[test]
fn point_5_7_8_a_runtime_shut_down_in_the_middle_leaves_what_can_be_recovered() {
    let stage = Stage::new();
    // The service acts on the request, but its reply does not arrive during this test.
    let hour = Duration::from_secs(3_600);
    stage.service.fail_next(
        Operation::RotateApiTokenSecret,
        Fault::commit_and_answer(502).after(hour),
    );
    let first = tokio::runtime::Runtime::new().unwrap();
    let rotation = stage.rotation();
    let handle = first.block_on(async { rotation.start() });
    while stage.service.count(Operation::RotateApiTokenSecret) == 0 {
        std::thread::yield_now();
    }
    first.shutdown_background();
    let second = tokio::runtime::Runtime::new().unwrap();
    let error = second.block_on(handle.wait()).unwrap_err();
    assert!(
        matches!(
            (&error, error.failure().cause()),
            (RotateError::Ambiguous(_), Some(RotateCause::NoRuntime))
        ),
        "{error:?}"
    );
    assert_ne!(stage.stored(), stage.active());
    let recovered = second.block_on(stage.rotation().recover());
    stage.assert_settled(&format!("{recovered:?}"));
}

#[test]
fn row_49_on_a_runtime_that_was_shut_down_a_rotation_has_not_started() {
    let stage = Stage::new();
    let gone = tokio::runtime::Runtime::new().unwrap();
    let handle = gone.handle().clone();
    gone.shutdown_background();
    let _inside = handle.enter();
    let rotation = stage.rotation();
    let started = rotation.start();
    let alive = std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap());
    let alive = alive.join().unwrap();
    let error = std::thread::scope(|scope| {
        let waits = scope.spawn(|| alive.block_on(started.wait()).unwrap_err());
        waits.join().unwrap()
    });
    assert!(
        matches!(
            (&error, error.failure().cause()),
            (RotateError::NotStarted(_), Some(RotateCause::NoRuntime))
        ),
        "{error:?}"
    );
    assert_eq!(stage.service.requests().len(), 0);
}

#[test]
fn row_49_without_a_runtime_a_rotation_is_an_error_and_nothing_is_sent() {
    let stage = Stage::new();
    let rotation = stage.rotation();
    let mut rotate = pin!(rotation.rotate());
    let mut context = Context::from_waker(Waker::noop());
    let outcome = rotate.as_mut().poll(&mut context);
    let std::task::Poll::Ready(Err(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        matches!(error.failure().cause(), Some(RotateCause::NoRuntime)),
        "{error:?}"
    );
    assert!(matches!(error, RotateError::NotStarted(_)));
}
