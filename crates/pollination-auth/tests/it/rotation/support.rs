//! Test support: a temporary directory, a service, and a client whose credential is in a file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pollination_auth::{
    ApiToken, Client, CredentialStore, FileStore, Profile, RetryPolicy, RotateOptions, Rotation,
    Secret,
};
use pollination_auth_fake::{Builder, FakeService};

pub(super) const ID: &str = "an-id";
/// The secret of the service at the start. `assert_clean` searches all output for it.
pub(super) const OLD: &str = "planted-old";

/// A directory for one test; dropping it removes the directory.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rotation-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _left_over = std::fs::remove_dir_all(&path);
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn store(&self) -> FileStore {
        FileStore::open(&self.0).unwrap()
    }

    /// Returns the files whose names end with this text.
    pub(super) fn files(&self, end: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.to_string_lossy().ends_with(end))
            .collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn builder() -> Builder {
    FakeService::builder().id(ID).secret(OLD)
}

pub(super) fn profile(store: impl CredentialStore, url: &str) -> Profile {
    Profile::new(store, url, "default").unwrap()
}

pub(super) fn client(store: impl CredentialStore, url: &str) -> Client {
    let client = Client::builder().store(store).base_url(url);
    client.retry(RetryPolicy::none()).build().unwrap()
}

/// Runs a call of a store from code that is not async, on a runtime of its own.
pub(super) fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
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

/// Stores an API token instead of the stored one.
pub(super) fn overwrite(profile: &Profile, token: &ApiToken) {
    wait(async {
        let seen = profile.stored().await.unwrap().unwrap();
        profile.replace(&seen, token).await.unwrap();
    });
}

/// Returns options with a settle time of 1 ms, because the service in memory settles at once.
pub(super) fn options() -> RotateOptions {
    RotateOptions::default()
        .settle(Duration::from_millis(1))
        .recovery_horizon(Duration::from_secs(60))
}

/// A service, and a directory in which its credential is stored.
pub(super) struct Stage {
    pub(super) service: FakeService,
    pub(super) directory: Directory,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::of(builder(), Directory::new())
    }

    pub(super) fn of(builder: Builder, directory: Directory) -> Self {
        let service = builder.start();
        let stage = Self { service, directory };
        let token = ApiToken::new(ID, Secret::from(OLD)).unwrap();
        wait(stage.profile().save(&token)).unwrap();
        stage
    }

    pub(super) fn profile(&self) -> Profile {
        profile(self.directory.store(), &self.service.base_url())
    }

    pub(super) fn client(&self) -> Client {
        client(self.directory.store(), &self.service.base_url())
    }

    pub(super) fn rotation(&self) -> Rotation {
        self.client().rotation(options())
    }

    pub(super) fn stored(&self) -> String {
        let token = wait(self.profile().load()).unwrap().unwrap();
        token.secret().expose_secret().to_owned()
    }

    pub(super) fn active(&self) -> String {
        self.service.secret().unwrap().expose_secret().to_owned()
    }

    /// Asserts that the stored secret is the account's and that no journal is left.
    pub(super) fn assert_settled(&self, context: &str) {
        assert_eq!(self.stored(), self.active(), "{context}");
        assert_eq!(
            self.directory.files(".journal.json"),
            [] as [PathBuf; 0],
            "{context}"
        );
        assert_eq!(
            self.directory.files(".tmp"),
            [] as [PathBuf; 0],
            "{context}"
        );
    }
}

/// How each access token of the service begins: `{"alg":"HS256"` in base64.
///
/// Three characters of it would be found in a random id now and then.
pub(super) const ACCESS_TOKEN_START: &str = "eyJhbGciOiJIUzI1NiIs";

/// Asserts that a text shows no secret of the service and no access token.
pub(super) fn assert_clean(text: &str) {
    for planted in ["planted", ACCESS_TOKEN_START] {
        assert!(!text.contains(planted), "{text}");
    }
}
