//! The process that is ended in the middle: this test binary, run once more.
//!
//! The parent tells it through the environment what to do; without that, the test does nothing.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pollination_auth::FileStore;

use super::support::{Stage, client, options};

const DIRECTORY: &str = "ROTATION_CHILD_DIRECTORY";
const URL: &str = "ROTATION_CHILD_URL";
const TASK: &str = "ROTATION_CHILD_TASK";
const ABORT_AT: &str = "ROTATION_CHILD_ABORT_AT";

/// What the child prints when it holds the lock.
pub(super) const HOLDS: &str = "holds the lock";

/// What the child does.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Rotate,
    Recover,
    /// Stops in the middle, with the lock held, until it is killed.
    Hold,
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Recover => "recover",
            Self::Hold => "hold",
        }
    }
}

/// Prepares a child that aborts at this step on its disk; each step counts before and after.
pub(super) fn command(stage: &Stage, task: Task, abort_at: Option<u32>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "rotation::child::acts_when_it_is_told_to",
            "--exact",
            "--nocapture",
        ])
        .env(DIRECTORY, stage.directory.path())
        .env(URL, stage.service.base_url())
        .env(TASK, task.name())
        .env(ABORT_AT, abort_at.unwrap_or(u32::MAX).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn acts_when_it_is_told_to() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let variable = |name| std::env::var(name).unwrap();
    let abort_at: u32 = variable(ABORT_AT).parse().unwrap();
    let steps = AtomicU32::new(0);
    let hold = task == Task::Hold.name();
    let store = FileStore::open(variable(DIRECTORY))
        .unwrap()
        .on_step(move |_| {
            if hold {
                let mut stdout = std::io::stdout().lock();
                writeln!(stdout, "\n{HOLDS}").unwrap();
                stdout.flush().unwrap();
                std::thread::park();
            }
            if steps.fetch_add(1, Ordering::SeqCst) == abort_at {
                std::process::abort();
            }
        });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rotation = client(Arc::new(store), &variable(URL)).rotation(options());
    let done = runtime.block_on(async {
        if task == Task::Recover.name() {
            rotation.recover().await.map(|_recovered| ())
        } else {
            rotation.rotate().await.map(|_rotated| ())
        }
    });
    done.unwrap();
}
