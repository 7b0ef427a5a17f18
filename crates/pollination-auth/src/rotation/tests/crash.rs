//! Points 5.7.1 and 5.7.2: a process that really aborts before and after each step on the real
//! disk, against the service over HTTP, and the recovery of what it left.
//!
//! The process is this test binary, run once more. The environment tells it what to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use pollination_auth_fake::{FakeService, Fault, Operation};

use crate::call::retry::RetryPolicy;
use crate::client::Client;
use crate::credential::api_token::ApiToken;
use crate::foundation::secret::Secret;
use crate::rotation::{RotateOptions, Rotation};
use crate::store::tests::observed_disk;
use crate::store::{FileStore, Profile};

const ID: &str = "an-id";
const OLD: &str = "planted-old";

const DIRECTORY: &str = "ROTATION_CRASH_DIRECTORY";
const URL: &str = "ROTATION_CRASH_URL";
const TASK: &str = "ROTATION_CRASH_TASK";
const ABORT_AT: &str = "ROTATION_CRASH_ABORT_AT";

/// More steps than any run takes; a child that reaches none of them ends by itself.
const MOST_STEPS: u32 = 80;

/// What the child does until it aborts.
#[derive(Clone, Copy)]
enum Task {
    Rotate,
    Recover,
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Recover => "recover",
        }
    }
}

fn rotation(store: FileStore, url: &str) -> Rotation {
    let builder = Client::builder().store(store).base_url(url);
    let client = builder.retry(RetryPolicy::none()).build().unwrap();
    // The service in memory settles at once.
    let options = RotateOptions::default()
        .settle(Duration::from_millis(1))
        .recovery_horizon(Duration::from_secs(60));
    client.rotation(options)
}

/// The child: aborts at a step on its disk; each step counts before and after.
#[test]
fn acts_when_it_is_told_to() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let variable = |name| std::env::var(name).unwrap();
    let abort_at: u32 = variable(ABORT_AT).parse().unwrap();
    let steps = AtomicU32::new(0);
    let store = observed_disk::open(Path::new(&variable(DIRECTORY)), move |_| {
        if steps.fetch_add(1, Ordering::SeqCst) == abort_at {
            std::process::abort();
        }
    });
    let rotation = rotation(store, &variable(URL));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let done = runtime.block_on(async {
        if task == Task::Recover.name() {
            rotation.recover().await.map(drop)
        } else {
            rotation.rotate().await.map(drop)
        }
    });
    done.unwrap();
}

/// Runs a child that aborts at a step; returns `true` if it came that far.
fn aborts(stage: &Stage, task: Task, step: u32) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "rotation::tests::crash::acts_when_it_is_told_to",
            "--exact",
            "--nocapture",
        ])
        .env(DIRECTORY, &stage.directory)
        .env(URL, stage.service.base_url())
        .env(TASK, task.name())
        .env(ABORT_AT, step.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    !status.unwrap().success()
}

/// A service whose credential is stored in a directory, which is removed at the end.
struct Stage {
    service: FakeService,
    directory: PathBuf,
}

impl Stage {
    fn store(&self) -> FileStore {
        FileStore::open(&self.directory).unwrap()
    }

    fn profile(&self) -> Profile {
        Profile::new(self.store(), &self.service.base_url(), "default").unwrap()
    }

    fn rotation(&self) -> Rotation {
        rotation(self.store(), &self.service.base_url())
    }

    /// Asserts that the stored secret is the account's, and that nothing else is left.
    async fn assert_settled(&self, context: &str) {
        let stored = self.profile().load().await.unwrap().unwrap();
        let active = self.service.secret().unwrap();
        assert_eq!(
            stored.secret().expose_secret(),
            active.expose_secret(),
            "{context}"
        );
        for entry in std::fs::read_dir(&self.directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_left = name.ends_with(".journal.json") || name.ends_with(".tmp");
            assert!(!is_left, "{context}: {name}");
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

async fn stage(fault: Option<Fault>) -> Stage {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("rotation-crash-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let _left_over = std::fs::remove_dir_all(&directory);
    let service = FakeService::builder().id(ID).secret(OLD).start();
    let stage = Stage { service, directory };
    let token = ApiToken::new(ID, Secret::from(OLD)).unwrap();
    stage.profile().save(&token).await.unwrap();
    if let Some(fault) = fault {
        stage
            .service
            .fail_next(Operation::RotateApiTokenSecret, fault);
    }
    stage
}

async fn abort_at_every_step(fault: fn() -> Option<Fault>) -> u32 {
    for step in 0..MOST_STEPS {
        let stage = stage(fault()).await;
        let aborted = aborts(&stage, Task::Rotate, step);
        stage.service.clear_faults();
        let recovered = stage.rotation().recover().await;
        let context = format!("step {step}: {recovered:?}");
        assert!(recovered.is_ok(), "{context}");
        stage.assert_settled(&context).await;
        if !aborted {
            return step;
        }
    }
    panic!("no end of steps");
}

#[tokio::test]
async fn point_5_7_1_state_s4_a_child_aborted_at_every_step_of_a_good_rotation_is_recovered() {
    let steps = abort_at_every_step(|| None).await;
    // Two journals and a credential of four steps each, a removal of two, before and after each.
    assert_eq!(steps, 2 * (4 + 4 + 4 + 2));
}

#[tokio::test]
async fn point_5_7_1_state_s3b_a_child_aborted_at_every_step_after_a_lost_reply_is_recovered() {
    let steps = abort_at_every_step(|| Some(Fault::commit_and_drop())).await;
    assert_eq!(steps, 2 * (4 + 4 + 4 + 4 + 2));
}

#[tokio::test]
async fn point_5_7_1_a_child_aborted_at_every_step_after_a_reply_of_no_use_is_recovered() {
    let steps = abort_at_every_step(|| Some(Fault::truncated())).await;
    assert_eq!(steps, 2 * (4 + 4 + 4 + 4 + 2));
}

#[tokio::test]
async fn point_5_7_2_a_child_aborted_at_every_step_of_its_recovery_is_recovered() {
    // After the announcement, where only the access token can help.
    let announced = 8;
    for step in 0..MOST_STEPS {
        let stage = stage(Some(Fault::commit_and_drop())).await;
        let first = announced + 2;
        assert!(aborts(&stage, Task::Rotate, first));
        let aborted = aborts(&stage, Task::Recover, step);
        let again = aborts(&stage, Task::Recover, step / 2);
        let recovered = stage.rotation().recover().await;
        let context = format!("step {step}, {again}: {recovered:?}");
        assert!(recovered.is_ok(), "{context}");
        stage.assert_settled(&context).await;
        if !aborted {
            return;
        }
    }
    panic!("no end of steps");
}
