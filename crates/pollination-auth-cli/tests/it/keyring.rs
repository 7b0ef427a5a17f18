//! The credential in the system's keyring: a real gnome-keyring on a bus of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Once, mpsc};
use std::time::Duration;

use pollination_auth_fake::{Fault, Operation};
use snapbox::str;
use tempfile::TempDir;

use crate::world::{ID, Ran, SECRET, World};

/// Set by `cargo xtask engines`, which requires `gnome-keyring` and `dbus`.
const INSTALLED: &str = "POLLINATION_TEST_KEYRING";

/// Starts the keyring, unlocked, and keeps the bus until standard input is closed.
const SCRIPT: &str = "printf password | gnome-keyring-daemon --unlock --components=secrets \
                      >/dev/null && echo \"$DBUS_SESSION_BUS_ADDRESS\" && cat";

/// The collection that the daemon creates and unlocks.
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// Longer than the test takes to kill a rotation whose request waits this long: 60 s.
const HELD_BACK: Duration = Duration::from_secs(60);

const LOGIN: [&str; 2] = ["login", "--keyring"];
const ROTATE: [&str; 5] = ["token", "rotate", "--yes", "--settle", "1ms"];
const RESUME: [&str; 5] = ["token", "rotate", "--resume", "--settle", "1ms"];

/// Limits the note that there is no keyring to one.
static LEFT_OUT: Once = Once::new();

/// A bus and a keyring on it, which end with the test.
struct Session {
    child: Child,
    address: String,
    _home: TempDir,
}

impl Session {
    /// Starts them, or returns `None` after one line about what is left out.
    fn start() -> Option<Self> {
        if std::env::var_os(INSTALLED).is_none() {
            LEFT_OUT.call_once(|| {
                // Past the capture of the test harness: everybody should see it.
                let _closed = writeln!(
                    std::io::stderr(),
                    "left out: the tests on a real keyring; `cargo xtask engines` runs them"
                );
            });
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new("dbus-run-session")
            .args(["--", "sh", "-c", SCRIPT])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "no keyring: {address:?}");
        Some(Self {
            child,
            address: address.trim_end().to_owned(),
            _home: home,
        })
    }

    fn command(&self, world: &World, arguments: &[&str]) -> Command {
        let mut command = world.command(arguments);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    fn run(&self, world: &World, arguments: &[&str]) -> Ran {
        self.command(world, arguments).output().unwrap().into()
    }

    fn log_in(&self, world: &World, secret: &str) -> Ran {
        let mut login = self.command(world, &LOGIN);
        let mut child = login.stdin(Stdio::piped()).spawn().unwrap();
        // A command that ends without reading it closes the pipe.
        let stdin = child.stdin.take();
        let _unread = write!(stdin.unwrap(), "{ID}\n{secret}\n");
        child.wait_with_output().unwrap().into()
    }

    /// Asks the keyring past the command.
    fn ask(&self, method: &str, argument: &str) -> String {
        let asked = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
            ])
            .arg("/org/freedesktop/secrets")
            .arg(format!("org.freedesktop.Secret.Service.{method}"))
            .arg(argument)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .output()
            .unwrap();
        assert!(asked.status.success(), "{asked:?}");
        String::from_utf8(asked.stdout).unwrap()
    }

    /// Counts the entries of the command.
    fn entries(&self) -> usize {
        let found = self.ask("SearchItems", "dict:string:string:service,pollination-auth");
        found.matches("object path").count()
    }

    fn lock(&self) {
        self.ask("Lock", &format!("array:objpath:{COLLECTION}"));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// Set for the test that acts as a user's program.
const ACT: &str = "KEYRING_ACT";

#[test]
fn a_program_with_the_default_chain_finds_what_the_command_stored() {
    let Some(session) = Session::start() else {
        return;
    };
    let world = World::new();
    assert_eq!(session.log_in(&world, SECRET).code, Some(0));
    let mut program = Command::new(std::env::current_exe().unwrap());
    let program = program
        .args(["keyring::acts_when_it_is_told_to", "--exact", "--nocapture"])
        .env_clear()
        .env(ACT, "1")
        .env("DBUS_SESSION_BUS_ADDRESS", &session.address)
        .env("POLLINATION_AUTH_DIR", world.directory())
        .env("POLLINATION_HOST", world.service.base_url());
    let before = world.service.logins();
    let ran: Ran = program.output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(world.service.logins(), before + 1);
    assert_in_no_file(&world, SECRET);
}

#[tokio::test]
async fn acts_when_it_is_told_to() {
    if std::env::var_os(ACT).is_some() {
        let client = pollination_auth::Client::from_default_chain().unwrap();
        client.login().await.unwrap();
    }
}

/// Asserts that no file of the command contains a secret.
fn assert_in_no_file(world: &World, secret: &str) {
    let mut folders = vec![world.home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                assert!(!text.contains(secret), "{}", path.display());
            }
        }
    }
}

#[test]
fn a_login_a_rotation_and_a_logout_leave_no_secret_in_a_file_or_the_keyring() {
    let Some(session) = Session::start() else {
        return;
    };
    let world = World::new();
    let login = session.log_in(&world, SECRET);
    assert!(
        login
            .answer()
            .contains(", stored in the system's keyring; "),
        "{login:?}"
    );
    assert_eq!(session.entries(), 1);
    assert_in_no_file(&world, SECRET);
    session.run(&world, &["access-token"]).answer();

    session.run(&world, &ROTATE).answer();
    let secret = world.service.secret().unwrap().expose_secret().to_owned();
    assert_ne!(secret, SECRET);
    assert_in_no_file(&world, &secret);
    assert_eq!(session.entries(), 1);
    session.run(&world, &["access-token", "--fresh"]).answer();

    let status = session.run(&world, &["status"]);
    let line = "\nstored in     the system's keyring\ngeneration    1 ";
    assert!(status.answer().contains(line), "{status:?}");
    let json = session.run(&world, &["status", "--output", "json"]).json();
    assert_eq!(json["stored_in"], "keyring");
    let list = session.run(&world, &["profile", "list"]);
    let entry = "API token an-id, in the system's keyring";
    assert!(list.answer().contains(entry), "{list:?}");
    let doctor = session.run(&world, &["doctor"]).stdout;
    let line = "API token an-id is stored in the system's keyring";
    assert!(doctor.contains(line), "{doctor}");

    let logout = session.run(&world, &["logout", "--yes"]);
    world.assert_is(
        logout.text(),
        str![[r#"
Logged out of [HOST] (API token an-id, removed from the system's keyring)

"#]],
    );
    assert_eq!(session.entries(), 0);
    assert_eq!(session.run(&world, &["status"]).code, Some(3));
    // The next login is one to a file again, because nobody asks for the keyring.
    let ran = world.run_with(&["login"], format!("{ID}\n{secret}\n"));
    ran.answer();
    assert_eq!(world.stored_secret(), secret);
}

#[test]
fn a_credential_in_a_file_is_moved_by_the_login_that_asks_for_it() {
    let Some(session) = Session::start() else {
        return;
    };
    let world = World::logged_in();
    assert!(world.credential().exists());
    session.log_in(&world, SECRET).answer();
    assert!(!world.credential().exists());
    assert_in_no_file(&world, SECRET);
    session.run(&world, &["access-token", "--fresh"]).answer();
    // A login that does not ask for it puts nothing back into a file.
    let mut login = session.command(&world, &["login", "--from", "environment"]);
    login.env("POLLINATION_API_KEY_ID", ID);
    login.env("POLLINATION_API_KEY_SECRET", SECRET);
    Ran::from(login.output().unwrap()).answer();
    assert_in_no_file(&world, SECRET);
}

#[test]
fn a_rotation_that_is_killed_is_resumed_and_stores_its_secret_in_the_keyring() {
    let Some(session) = Session::start() else {
        return;
    };
    let (arrived, arrives) = mpsc::channel();
    let world = World::with(|builder| {
        builder.on_request(move |request| {
            if request.operation() == Some(Operation::RotateApiTokenSecret) {
                // Only the first one is waited for.
                let _heard = arrived.send(());
            }
        })
    });
    session.log_in(&world, SECRET).answer();
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::delay(HELD_BACK));
    let mut rotation = session.command(&world, &ROTATE).spawn().unwrap();
    arrives.recv().unwrap();
    rotation.kill().unwrap();
    rotation.wait().unwrap();
    let status = session.run(&world, &["status"]);
    assert_eq!(status.code, Some(6), "{status:?}");

    session.run(&world, &RESUME).answer();
    session.run(&world, &["access-token", "--fresh"]).answer();
    let secret = world.service.secret().unwrap().expose_secret().to_owned();
    assert_in_no_file(&world, &secret);
    assert_eq!(session.entries(), 1);
}

#[test]
fn a_locked_keyring_is_named_and_nothing_goes_to_a_file_instead() {
    let Some(session) = Session::start() else {
        return;
    };
    let world = World::new();
    session.log_in(&world, SECRET).answer();
    session.lock();
    let requests = world.service.requests().len();
    for arguments in [
        &["access-token", "--fresh"][..],
        &ROTATE,
        &["logout", "--yes"],
    ] {
        let ran = session.run(&world, arguments);
        let stderr = ran.fails_with(9);
        assert!(stderr.contains("keyring: it is locked"), "{stderr}");
    }
    let login = session.log_in(&world, SECRET);
    assert!(login.fails_with(9).contains("it is locked"), "{login:?}");
    assert_eq!(world.service.requests().len(), requests);
    assert_in_no_file(&world, SECRET);
}

#[test]
fn without_a_keyring_a_login_says_so_and_the_file_stays() {
    let world = World::logged_in();
    let mut login = world.command(&LOGIN);
    // Without it the bus of the person who runs this might be found.
    let nowhere = format!("unix:path={}", world.home.path().join("none").display());
    login.env("DBUS_SESSION_BUS_ADDRESS", nowhere);
    let ran = Ran::from(login.output().unwrap());
    let stderr = ran.fails_with(9);
    assert!(
        stderr.contains("no keyring service is available"),
        "{stderr}"
    );
    assert_eq!(world.stored_secret(), SECRET);
    world.run(&["access-token", "--fresh"]).answer();
}
