//! The process that is killed in the middle: this test binary, run once more.
//!
//! The parent says through the environment what to do. Without that, the test does nothing.

use std::io::Write as _;
use std::process::{Command, Stdio};

use pollination_auth::{CredentialStore as _, FileStore};

use super::support::{Stage, client, options, profile, wait};

const DIRECTORY: &str = "ROTATION_CHILD_DIRECTORY";
const URL: &str = "ROTATION_CHILD_URL";
const TASK: &str = "ROTATION_CHILD_TASK";

/// The line that the child prints when it has the lock.
pub(super) const HOLDS: &str = "holds the lock";

/// The task of the child.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Rotate,
    /// Keeps the lock until it is killed.
    Hold,
}

impl Task {
    fn name(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Hold => "hold",
        }
    }
}

/// Returns the command that starts a child.
pub(super) fn command(stage: &Stage, task: Task) -> Command {
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
    let url = variable(URL);
    let store = FileStore::open(variable(DIRECTORY)).unwrap();
    if task == Task::Hold.name() {
        let profile = profile(store.clone(), &url);
        let _lock = wait(store.try_lock(profile.id())).unwrap().unwrap();
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "\n{HOLDS}").unwrap();
        stdout.flush().unwrap();
        loop {
            std::thread::park();
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rotation = client(store, &url).rotation(options());
    let _rotated = runtime.block_on(rotation.rotate()).unwrap();
}
