//! A rotation that dies in the middle, and the recovery that loses nothing.
//!
//! It runs against the service in memory. Three times it starts itself once more as a child that
//! rotates the secret and aborts at another step; each time it recovers, and the stored secret logs
//! in. No secret is printed.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pollination_auth::{
    ApiToken, Client, CredentialStore, Document, FileStore, Profile, ProfileId, ProfileLock,
    Recovered, RotateOptions, Rotation, RotationStatus, Secret, StoreFuture, StoreLock,
    StoredDocument, Version,
};
use pollination_auth_fake::{FakeService, Fault, Operation};

/// Passes the child the directory of the store, the service, and where to abort.
const CHILD: [&str; 3] = [
    "ROTATE_EXAMPLE_STORE",
    "ROTATE_EXAMPLE_URL",
    "ROTATE_EXAMPLE_ABORT",
];

/// The service in memory settles at once; for a real one the default is right.
const SETTLE: Duration = Duration::from_millis(50);

type Failed = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let [directory, url, abort_at] = CHILD.map(|name| std::env::var(name).ok());
    match (directory, url, abort_at) {
        (Some(directory), Some(url), Some(abort_at)) => child(&directory, &url, abort_at).await,
        _ => parent().await,
    }
}

/// Rotates, and aborts at the write that it was told.
async fn child(directory: &str, url: &str, abort_at: String) -> Result<(), Failed> {
    let files = FileStore::open(directory)?;
    let _rotated = rotation(Aborting { files, abort_at }, url)?
        .rotate()
        .await?;
    Err("the child was to abort".into())
}

/// A store in files that aborts the process before or after a write.
struct Aborting {
    files: FileStore,
    abort_at: String,
}

struct AbortingLock {
    lock: StoreLock,
    abort_at: String,
}

impl CredentialStore for Aborting {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        self.files.read(profile, document)
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async {
            let lock = self.files.try_lock(profile).await?;
            let abort_at = self.abort_at.clone();
            Ok(lock.map(|lock| Box::new(AbortingLock { lock, abort_at }) as StoreLock))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.files.is_locked(profile)
    }
}

impl AbortingLock {
    fn abort_if_told(&self, when: &str, document: Document) {
        if self.abort_at == format!("{when} the {}", document.as_str()) {
            std::process::abort();
        }
    }
}

impl ProfileLock for AbortingLock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            self.abort_if_told("before", document);
            let version = self.lock.write(document, expected, text).await?;
            self.abort_if_told("after", document);
            Ok(version)
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        self.lock.remove(document, expected)
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        self.lock.is_held()
    }
}

async fn parent() -> Result<(), Failed> {
    let scratch = Scratch::new()?;
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let url = service.base_url();
    let store = FileStore::open(&scratch.0)?;
    let profile = Profile::new(store.clone(), &url, "default")?;
    profile
        .save(&ApiToken::new("an-id", Secret::from("a-secret"))?)
        .await?;
    say(format_args!("stored the credential for {url}"))?;

    let stories = [
        (
            "the announcement is written, and nothing sent",
            "after the journal",
            false,
        ),
        (
            "the new secret logs in, and is not yet stored",
            "before the credential",
            false,
        ),
        (
            "the reply is lost, and another secret was created",
            "before the credential",
            true,
        ),
    ];
    for (number, (story, abort_at, loses_the_reply)) in stories.into_iter().enumerate() {
        say(format_args!("\n{}. a crash when {story}", number + 1))?;
        if loses_the_reply {
            service.fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
        }
        crash(&scratch.0, &url, abort_at)?;
        recover(&service, store.clone(), &url).await?;
        let stored = profile.load().await?.ok_or("the credential is gone")?;
        let active = service.secret().ok_or("the account has no API token")?;
        if stored.secret().expose_secret() != active.expose_secret() {
            return Err("the stored secret is not the account's".into());
        }
    }

    say("\n4. a rotation that nothing disturbs")?;
    let rotated = rotation(store, &url)?.rotate().await?;
    say(format_args!(
        "   rotated: generation {}, {} request",
        rotated.generation(),
        rotated.requests()
    ))
}

/// Runs the child until it aborts.
fn crash(directory: &Path, url: &str, abort_at: &str) -> Result<(), Failed> {
    let status = Command::new(std::env::current_exe()?)
        .env(CHILD[0], directory)
        .env(CHILD[1], url)
        .env(CHILD[2], abort_at)
        .stderr(Stdio::null())
        .status()?;
    if status.code().is_some() {
        return Err(format!("the child ended by itself: {status}").into());
    }
    say(format_args!("   the child is dead, aborted {abort_at}"))
}

/// Shows what the child left, and recovers it.
async fn recover(service: &FakeService, store: FileStore, url: &str) -> Result<(), Failed> {
    let rotation = rotation(store.clone(), url)?;
    match rotation.status().await? {
        RotationStatus::Unfinished {
            requests,
            candidates,
            ..
        } => say(format_args!(
            "   the journal: {requests} announced, {candidates} new in hand"
        ))?,
        other => return Err(format!("no unfinished rotation: {other:?}").into()),
    }
    match rotation.recover().await? {
        Recovered::NothingHappened => say("   recovered: nothing had happened")?,
        Recovered::Rotated(rotated) => say(format_args!(
            "   recovered: generation {}, {} requests in all",
            rotated.generation(),
            rotated.requests()
        ))?,
        other => return Err(format!("nothing to recover: {other:?}").into()),
    }
    let client = Client::builder().store(store).base_url(url).build()?;
    client.login().await?;
    say(format_args!(
        "   the stored secret logs in ({} logins so far)",
        service.logins()
    ))
}

fn rotation(store: impl CredentialStore, url: &str) -> Result<Rotation, Failed> {
    let client = Client::builder().store(store).base_url(url).build()?;
    Ok(client.rotation(RotateOptions::default().settle(SETTLE)))
}

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let name = format!("rotate-example-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Made here, so that nobody else's directory of this name is taken for it.
        std::fs::create_dir(&path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind it does no harm: its secrets open the service in memory alone.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn say(step: impl fmt::Display) -> Result<(), Failed> {
    Ok(writeln!(io::stdout(), "{step}")?)
}
