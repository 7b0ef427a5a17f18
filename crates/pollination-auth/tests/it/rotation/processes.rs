//! Row 53 and point 5.7.5: several processes on one store.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pollination_auth::{RotateCause, RotateError, StoreError};
use pollination_auth_fake::Operation;

use super::child::{HOLDS, Task, command};
use super::support::{OLD, Stage, options, wait};

#[tokio::test]
async fn point_5_7_5_two_processes_that_rotate_together_take_turns() {
    let stage = Stage::new();
    let mut children: Vec<_> = (0..2)
        .map(|_| command(&stage, Task::Rotate).spawn().unwrap())
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    stage.assert_settled("both");
    assert_ne!(stage.active(), OLD);
    // The second one uses the result of the first, or starts after it.
    assert!((1..=2).contains(&stage.service.count(Operation::RotateApiTokenSecret)));
}

#[tokio::test]
async fn point_5_7_5_a_lock_that_is_held_is_respected_and_ends_with_its_process() {
    let stage = Stage::new();
    let mut child = command(&stage, Task::Hold)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let holds = lines.map_while(Result::ok).any(|line| line == HOLDS);
    assert!(holds);

    let at_once = stage.client().rotation(options().lock_wait(Duration::ZERO));
    let error = at_once.rotate().await.unwrap_err();
    assert!(
        matches!(
            error.failure().cause(),
            Some(RotateCause::Store(StoreError::Locked))
        ),
        "{error:?}"
    );
    assert!(matches!(error, RotateError::NotStarted(_)));
    let token = stage.profile().load().await.unwrap().unwrap();
    assert!(matches!(
        stage.profile().save(&token).await,
        Err(StoreError::Locked)
    ));
    assert_eq!(stage.service.count(Operation::RotateApiTokenSecret), 0);

    child.kill().unwrap();
    child.wait().unwrap();
    let _rotated = at_once.rotate().await.unwrap();
    stage.assert_settled("after the kill");
}

#[tokio::test]
async fn point_5_7_5_a_reader_always_sees_a_whole_document_with_a_secret_of_then() {
    let stage = Stage::new();
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (profile, done) = (stage.profile(), done.clone());
        std::thread::spawn(move || {
            let (mut seen, mut reads) = (Vec::new(), 0_usize);
            while !done.load(Ordering::Relaxed) {
                let token = wait(profile.load()).unwrap().unwrap();
                let secret = token.secret().expose_secret().to_owned();
                if seen.last() != Some(&secret) {
                    seen.push(secret);
                }
                reads += 1;
            }
            (seen, reads)
        })
    };
    let rotation = stage.rotation();
    let mut valid = vec![OLD.to_owned()];
    for _ in 0..20 {
        let rotated = rotation.rotate().await.unwrap();
        valid.push(rotated.api_token().secret().expose_secret().to_owned());
    }
    done.store(true, Ordering::Relaxed);
    let (seen, reads) = reader.join().unwrap();
    assert!(reads > 0);
    // In order, each at most once: never a secret that had been replaced before the read began.
    let mut rest = valid.iter();
    assert!(seen.iter().all(|secret| rest.any(|valid| valid == secret)));
}
