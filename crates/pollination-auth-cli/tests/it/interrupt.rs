//! SIGINT in the middle of a rotation. The service holds its answer back until the test lets it go.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, Command};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use pollination_auth::{CredentialStore as _, FileStore};
use pollination_auth_fake::{Fault, Operation};
use rustix::process::{Pid, Signal, kill_process};

use crate::waiting;
use crate::world::{SECRET, World, wait, without_waits};

const ROTATE: [&str; 5] = ["token", "rotate", "--yes", "--settle", "1ms"];
const RESUME: [&str; 5] = ["token", "rotate", "--resume", "--settle", "1ms"];

/// A change whose request has arrived, and is not answered yet.
pub(crate) struct Held {
    pub(crate) world: World,
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) answer: mpsc::Sender<()>,
}

impl Held {
    fn rotation() -> Self {
        Self::start(Operation::RotateApiTokenSecret, |world| {
            world.command(&ROTATE)
        })
    }

    pub(crate) fn creation() -> Self {
        Self::start(Operation::CreateApiToken, |world| {
            let access_token = world.run(&["access-token"]).answer().to_owned();
            assert_eq!(world.run(&["token", "delete", "--yes"]).code, Some(0));
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(access_token.as_bytes()).unwrap();
            let mut create = world.command(&["token", "create", "--access-token-stdin"]);
            create.stdin(reader);
            create
        })
    }

    /// Starts the command that `prepare` gives, and waits until its request is there.
    fn start(operation: Operation, prepare: impl FnOnce(&World) -> Command) -> Self {
        let (arrived, arrives) = mpsc::channel();
        let (answer, held) = mpsc::channel();
        let held = Mutex::new(held);
        let world = World::with(|builder| {
            builder.on_request(move |request| {
                if request.operation() == Some(operation) && arrived.send(()).is_ok() {
                    // It ends when the test says so, or has failed.
                    let _told = held.lock().unwrap().recv();
                }
            })
        });
        world.log_in();
        let mut child = prepare(&world).spawn().unwrap();
        arrives.recv().unwrap();
        Self {
            stderr: BufReader::new(child.stderr.take().unwrap()),
            world,
            child,
            answer,
        }
    }

    fn signal(&self, signal: Signal) {
        let process = Pid::from_child(&self.child);
        kill_process(process, signal).unwrap();
    }

    /// Reads stderr up to the line that says that the interrupt was heard.
    fn wait_until_heard(&mut self) {
        let mut line = String::new();
        while !line.starts_with("interrupted;") {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0);
        }
    }

    fn ended(&mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (code, without_waits(&stderr))
    }
}

#[test]
fn an_interrupt_lets_the_rotation_come_to_its_end() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut held = Held::rotation();
        held.signal(signal);
        held.wait_until_heard();
        held.answer.send(()).unwrap();
        assert_eq!(held.ended(), (Some(0), String::new()));
        assert_ne!(held.world.stored_secret(), SECRET);
        assert_eq!(held.world.run(&["status"]).code, Some(0));
    }
}

/// The test holds the lock of the cached access token, which the rotation removes at its end.
#[test]
fn an_interrupt_after_the_rotation_does_not_hide_its_result() {
    let mut held = Held::rotation();
    let store = FileStore::open(held.world.directory().join("access-tokens")).unwrap();
    let profile = held.world.profile();
    let lock = wait(store.try_lock(profile.id())).unwrap().unwrap();
    held.answer.send(()).unwrap();
    // It says what it waits for once the rotation is done.
    let mut line = String::new();
    while !line.starts_with("waiting for another process") {
        line.clear();
        assert_ne!(held.stderr.read_line(&mut line).unwrap(), 0);
    }
    held.signal(Signal::INT);
    held.wait_until_heard();
    drop(lock);
    assert_eq!(held.ended(), (Some(0), String::new()));
    assert_ne!(held.world.stored_secret(), SECRET);
}

#[test]
fn the_end_of_the_terminal_lets_the_rotation_come_to_its_end() {
    let mut held = Held::rotation();
    for _ in 0..2 {
        held.signal(Signal::HUP);
    }
    held.answer.send(()).unwrap();
    assert_eq!(held.ended(), (Some(0), String::new()));
    assert_ne!(held.world.stored_secret(), SECRET);
}

#[test]
fn a_rotation_that_is_under_way_is_told_from_one_that_was_cut_off() {
    let mut held = Held::rotation();
    let status = held.world.run(&["status"]);
    assert!(
        status.answer().contains("\nrotation      under way since "),
        "{status:?}"
    );
    let status = held.world.run(&["status", "--output", "json"]);
    assert_eq!(status.json()["unfinished_rotation"]["under_way"], true);
    let logout = waiting::start(&held.world, &["logout", "--yes"]);
    held.answer.send(()).unwrap();
    assert_eq!(held.ended(), (Some(0), String::new()));
    let logout = waiting::end(logout);
    assert_eq!((logout.code, logout.stderr.as_str()), (Some(0), ""));
    assert!(wait(held.world.profile().load()).unwrap().is_none());
}

/// The stored secret is dead from the moment that the rotation's request has arrived.
#[test]
fn row_62_beside_a_rotation_nothing_is_called_refused_or_unfinished() {
    let (arrived, arrives) = mpsc::channel();
    let world = World::with(|builder| {
        builder.on_request(move |request| {
            if request.operation() == Some(Operation::RotateApiTokenSecret) {
                // Only the first one is waited for.
                let _heard = arrived.send(());
            }
        })
    });
    world.log_in();
    for arguments in [
        &["access-token"][..],
        &["access-token", "--fresh"],
        &["token", "show"],
        &["status"],
    ] {
        let slow = Fault::delay(Duration::from_secs(1));
        world
            .service
            .fail_next(Operation::RotateApiTokenSecret, slow);
        let mut rotation = world.command(&ROTATE).spawn().unwrap();
        arrives.recv().unwrap();
        let ran = world.run(arguments);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        assert_eq!(rotation.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_resume_goes_on() {
    let mut held = Held::rotation();
    held.signal(Signal::INT);
    held.wait_until_heard();
    held.signal(Signal::INT);
    let (code, stderr) = held.ended();
    assert_eq!(code, Some(130));
    assert!(stderr.contains("token rotate --resume"), "{stderr}");
    assert_eq!(held.world.run(&["status"]).code, Some(6));

    // From here on no request is held back.
    drop(held.answer);
    let resumed = held.world.run(&RESUME);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    held.world.stored_secret();
    assert_eq!(held.world.run(&["status"]).code, Some(0));
}

#[test]
fn an_interrupt_lets_a_new_api_token_be_stored() {
    let mut held = Held::creation();
    held.signal(Signal::INT);
    held.wait_until_heard();
    held.answer.send(()).unwrap();
    assert_eq!(held.ended(), (Some(0), String::new()));
    assert_ne!(held.world.stored_secret(), SECRET);
}

#[test]
fn a_second_interrupt_of_a_creation_says_what_is_left() {
    let mut held = Held::creation();
    held.signal(Signal::INT);
    held.wait_until_heard();
    held.signal(Signal::TERM);
    let (code, stderr) = held.ended();
    assert_eq!(code, Some(130));
    assert!(
        stderr.contains("token delete --yes --access-token-stdin"),
        "{stderr}"
    );
}
