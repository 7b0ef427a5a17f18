//! A service, a home directory, and the command between them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use pollination_auth::{FileStore, Profile};
use pollination_auth_fake::{Builder, FakeService, Fault, Operation};
use snapbox::{Assert, IntoData, Redactions};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pollination-auth");
pub(crate) const ID: &str = "an-id";
/// Looked for in all that is printed.
pub(crate) const SECRET: &str = "planted-secret";

pub(crate) struct World {
    pub(crate) service: FakeService,
    pub(crate) home: TempDir,
}

/// Hears SIGHUP, SIGINT, SIGQUIT and SIGTERM if this process was started to ignore one of them, as `nohup`
/// and a script's `&` do.
///
/// The commands would ignore it too. A signal that is heard is not ignored in a child.
#[cfg(target_os = "linux")]
fn hear_ignored_signals() {
    use tokio::signal::unix::{SignalKind, signal};
    // Signal 1 is the lowest bit, and signal 15 the highest of the four.
    const FOUR: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 14;
    static HEARD: std::sync::Once = std::sync::Once::new();
    HEARD.call_once(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
        if ignored & FOUR == 0 {
            return;
        }
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let _inside = runtime.enter();
        for kind in [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::terminate(),
        ] {
            // It stays heard without the stream.
            drop(signal(kind).unwrap());
        }
    });
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(set_up: impl FnOnce(Builder) -> Builder) -> Self {
        #[cfg(target_os = "linux")]
        hear_ignored_signals();
        Self {
            service: set_up(FakeService::builder().id(ID).secret(SECRET)).start(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// A world in which somebody has logged in, and the access token of that is kept.
    pub(crate) fn logged_in() -> Self {
        let world = Self::new();
        world.log_in();
        world
    }

    pub(crate) fn log_in(&self) {
        let ran = self.run_with(&["login"], format!("{ID}\n{SECRET}\n"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }

    /// Prepares a command with nothing of this process's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prepare(Command::new(PROGRAM), arguments)
    }

    /// Prepares a command that runs the program with these arguments.
    pub(crate) fn prepare(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .args(["--host", &self.service.base_url()])
            .env_clear()
            // Windows can't open a socket without it.
            .envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
            .env("HOME", self.home.path())
            .env("POLLINATION_AUTH_DIR", self.directory())
            .env("POLLINATION_AUTH_RESCUE_DIR", self.rescue())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that ends without reading it closes the pipe.
        let _unread = child.stdin.take().unwrap().write_all(stdin.as_ref());
        child.wait_with_output().unwrap().into()
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.home.path().join("credentials")
    }

    pub(crate) fn rescue(&self) -> PathBuf {
        self.home.path().join("rescue")
    }

    pub(crate) fn profile(&self) -> Profile {
        let store = FileStore::open(self.directory()).unwrap();
        Profile::new(store, &self.service.base_url(), "default").unwrap()
    }

    /// Returns the file of the stored credential.
    pub(crate) fn credential(&self) -> PathBuf {
        let name = format!("{}.credential.json", self.profile().id().key());
        self.directory().join(name)
    }

    /// Returns the file of the access token that processes share.
    pub(crate) fn kept_token(&self) -> PathBuf {
        let name = format!("{}.credential.json", self.profile().id().key());
        self.directory().join("access-tokens").join(name)
    }

    /// Returns the file of the access token of a creation.
    pub(crate) fn creation(&self) -> PathBuf {
        let name = format!("{}.credential.json", self.profile().id().key());
        self.directory().join("creations").join(name)
    }

    /// Changes a field of the kept access token, as time or another process would.
    pub(crate) fn change_kept_token(&self, field: &str, value: impl Into<serde_json::Value>) {
        let text = fs::read_to_string(self.kept_token()).unwrap();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document[field] = value.into();
        fs::write(self.kept_token(), document.to_string()).unwrap();
    }

    /// Checks that the commands of `status` replace this stored API token only after a question.
    pub(crate) fn assert_status_asks_about(&self, id: &str) {
        let status = self.run(&["status"]).stdout;
        let asks = format!("would replace the stored API token {id}");
        assert!(status.contains(&asks), "{status}");
        let mut to_paste = status.lines().filter(|line| line.starts_with("    "));
        let create = to_paste.find(|line| line.contains("token create")).unwrap();
        for answer in ["--yes".to_owned(), format!("--replace {id}")] {
            assert!(!create.contains(&answer), "{create}");
        }
    }

    /// Returns the stored secret, and makes sure that it is the one that the service knows.
    pub(crate) fn stored_secret(&self) -> String {
        let token = wait(self.profile().load()).unwrap().unwrap();
        let stored = token.secret().expose_secret().to_owned();
        assert_eq!(self.service.secret().unwrap().expose_secret(), stored);
        stored
    }

    /// Compares a text with a snapshot; `[HOST]` and `[HOME]` stand for what differs.
    pub(crate) fn assert_is(&self, text: &str, expected: impl IntoData) {
        let mut known = Redactions::new();
        known.insert("[HOST]", self.service.base_url()).unwrap();
        known
            .insert("[HOME]", self.home.path().to_path_buf())
            .unwrap();
        Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .redact_with(known)
            .eq(text.to_owned(), expected);
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn answer(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout.strip_suffix('\n').unwrap()
    }

    /// Returns all that was answered, its newline included.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.stdout
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Returns what was said about a failure, which has printed no answer.
    #[track_caller]
    pub(crate) fn fails_with(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        &self.stderr
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: without_waits(&String::from_utf8(output.stderr).unwrap()),
        }
    }
}

/// Takes out the lines that say that a wait goes on: how long one is, is the machine's affair.
pub(crate) fn without_waits(stderr: &str) -> String {
    let lines = stderr.split_inclusive('\n');
    lines.filter(|line| !line.ends_with(" ...\n")).collect()
}

/// Reads what a command says until a text comes.
pub(crate) fn hear(child: &mut Child, text: &str) {
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(stderr.any(|line| line.unwrap().contains(text)), "{text}");
}

/// Lets the next login succeed, as a service does that still accepts a secret from before.
pub(crate) fn accept_next_login(world: &World) {
    let reply = r#"{"access_token":"e30.e30.c2ln","token_type":"Bearer","expires_in":3600}"#;
    let reply = Fault::status(200).body(reply);
    world.service.fail_next(Operation::Login, reply);
}

/// Waits for a store, which is asynchronous: on a thread of its own, since the caller may be on a
/// runtime of the service.
pub(crate) fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let wait = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(work)
        };
        scope.spawn(wait).join().unwrap()
    })
}
