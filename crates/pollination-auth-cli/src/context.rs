//! What every command works on: the host, the profile, and what is stored for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(feature = "keyring")]
use pollination_auth::KeyringStore;
use pollination_auth::{
    ApiToken, BaseUrlError, Client, ClientBuilder, CredentialStore, Document, Error, FileStore,
    MemoryStore, Profile, Reason, RotateError, RotationStatus, StoreError, StoredToken,
};
use tokio::time::Instant;

use crate::args::global::Global;
use crate::environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::lock_wait;
use crate::output;
use crate::paths;
use crate::place::Place;
use crate::profiles;
use crate::proxy;
use crate::recovery::Remedies;
use crate::rescue::Rescue;
use crate::text::quoted;
use crate::unusable;

/// The command for those who are not logged in.
const LOGIN: &str = "login";

/// The command for those who have an access token and no API token.
const CREATE: &str = "token create --access-token-stdin";

/// The command for those whose journal can't be used.
const START_ANEW: &str = "login --discard-rotation";

/// The command for those whose rotation was interrupted.
const RESUME: &str = "token rotate --resume";

/// The host and profile of a command line, and the store.
pub(crate) struct Context {
    pub(crate) global: Global,
    /// Where the store is; none where there can't be one, and the environment serves instead.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) profile: Profile,
    store: Arc<dyn CredentialStore>,
    /// The store as files, where there is one.
    files: Option<FileStore>,
    /// The store in the system's keyring, where the credential belongs there.
    #[cfg(feature = "keyring")]
    keyring: Option<KeyringStore>,
}

/// What is stored for a profile.
pub(crate) struct Stored {
    pub(crate) token: ApiToken,
    /// What a change is compared with.
    pub(crate) seen: StoredToken,
    pub(crate) rotation: RotationStatus,
}

impl Context {
    /// Opens the store, making its directory if there is none.
    ///
    /// The credential is in the system's keyring if a login has put it there.
    pub(crate) fn open(global: &Global) -> Result<Self, CliError> {
        Self::open_in(global, Place::File)
    }

    /// As [`open`](Self::open), and stores the next credential in a place.
    ///
    /// A credential that is in the keyring stays there: nothing puts it into a file unasked.
    pub(crate) fn open_in(global: &Global, place: Place) -> Result<Self, CliError> {
        let directory = paths::credentials()?;
        let store = open_store(directory.clone())?;
        let mut context = Self::on(global, Some(directory.clone()), Arc::new(store.clone()))?;
        if place == Place::Keyring
            || FileStore::belongs_in_keyring(&directory, context.profile.id())
        {
            context.use_keyring(directory)?;
        }
        context.files = Some(store);
        Ok(context)
    }

    #[cfg(feature = "keyring")]
    fn use_keyring(&mut self, directory: PathBuf) -> Result<(), CliError> {
        let store = KeyringStore::open(&directory);
        let store = store.map_err(|problem| CliError::Directory { directory, problem })?;
        self.store = Arc::new(store.clone());
        self.profile = Profile::new(store.clone(), &self.global.host, &self.global.profile)?;
        self.keyring = Some(store);
        Ok(())
    }

    #[cfg(not(feature = "keyring"))]
    fn use_keyring(&mut self, _: PathBuf) -> Result<(), CliError> {
        Err(CliError::NoKeyring)
    }

    /// Opens the store to read from it; where there can't be one, the environment has to be enough.
    ///
    /// A job that has its credential there may have no home directory, or one that is read-only.
    /// A directory that is not there is not made: nothing stands in it.
    pub(crate) fn open_or_without_store(global: &Global) -> Result<Self, CliError> {
        if let Ok(directory) = paths::credentials()
            && paths::is_missing(&directory)
        {
            return Self::on(global, Some(directory), Arc::new(MemoryStore::new()));
        }
        match Self::open(global) {
            Err(error) if error.is_no_store() && environment::is_set() => {
                tracing::debug!(%error, "there is no store");
                Self::on(global, None, Arc::new(MemoryStore::new()))
            }
            other => other,
        }
    }

    fn on(
        global: &Global,
        directory: Option<PathBuf>,
        store: Arc<dyn CredentialStore>,
    ) -> Result<Self, CliError> {
        let profile = Profile::new(store.clone(), &global.host, &global.profile)?;
        Ok(Self {
            global: global.clone(),
            directory,
            profile,
            store,
            files: None,
            #[cfg(feature = "keyring")]
            keyring: None,
        })
    }

    /// Sets up a client for the host, without a credential.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let builder = if self.global.dangerously_allow_plain_http {
            Client::builder().dangerously_allow_plain_http()
        } else {
            Client::builder()
        };
        builder.base_url(&self.global.host).user_agent(concat!(
            env!("CARGO_PKG_NAME"),
            "/",
            env!("CARGO_PKG_VERSION")
        ))
    }

    /// Returns a client that logs in with the stored credential.
    pub(crate) fn client(&self) -> Result<Client, CliError> {
        Ok(self.builder().profile(self.profile.clone()).build()?)
    }

    /// Returns the stored credential, or `None` if there is none.
    ///
    /// Builds no client: reading the root certificates takes longer than everything else here.
    pub(crate) async fn look(&self) -> Result<Option<Stored>, CliError> {
        let host = self.profile.id().base_url();
        if proxy::is_plain_http_elsewhere(host) && !self.global.dangerously_allow_plain_http {
            return Err(CliError::Host(BaseUrlError::PlainHttp));
        }
        let Some(seen) = self.profile.stored().await? else {
            return Ok(None);
        };
        let rotation = self.profile.rotation_status().await?;
        let token = seen.api_token().clone();
        Ok(Some(Stored {
            token,
            seen,
            rotation,
        }))
    }

    /// Returns the stored credential, to change it; an error if there is none.
    ///
    /// Warns if the environment has another API token, because other commands use that one.
    pub(crate) async fn stored(&self) -> Result<Stored, CliError> {
        let stored = self.look().await?;
        let stored = stored.ok_or_else(|| self.not_logged_in())?;
        if let Some(other) = environment::find()?.filter(|other| other.id() != stored.token.id()) {
            output::warning(format_args!(
                "this is about the stored API token {}; the environment has another one, {}",
                stored.token.id(),
                other.id()
            ));
        }
        Ok(stored)
    }

    /// Returns a client that logs in with an API token.
    pub(crate) fn client_of(&self, token: ApiToken) -> Result<Client, CliError> {
        Ok(self.builder().api_token(token).build()?)
    }

    /// Returns what is stored once no process rotates it; a rotation that was cut off is an error.
    pub(crate) async fn undisturbed(&self) -> Result<Option<Stored>, CliError> {
        let mut stored = self.look().await?;
        let mut was_free = false;
        // Whoever rotates for longer than this hangs, or begins again and again.
        let deadline = Instant::now() + lock_wait::LOCK_WAIT;
        while is_unfinished(stored.as_ref()) && Instant::now() < deadline {
            if self.is_held().await {
                was_free = false;
                lock_wait::outwait(async || self.is_free().await).await?;
            } else if was_free {
                break;
            } else {
                was_free = true;
            }
            // Read after the lock was seen free: whoever held it may just have ended the rotation.
            stored = self.look().await?;
        }
        self.settled(stored.as_ref())?;
        Ok(stored)
    }

    /// Fails with [`StoreError::Locked`] while another process works on what is stored.
    pub(crate) async fn is_free(&self) -> Result<(), StoreError> {
        if self.is_held().await {
            Err(StoreError::Locked)
        } else {
            Ok(())
        }
    }

    /// Returns `true` if another process is changing the stored credential.
    pub(crate) async fn is_held(&self) -> bool {
        self.check_lock().await.unwrap_or(false)
    }

    /// As [`is_held`](Self::is_held), and fails where no lock can be taken.
    pub(crate) async fn check_lock(&self) -> Result<bool, StoreError> {
        self.store.is_locked(self.profile.id()).await
    }

    /// Changes what is stored as soon as no other process is about to.
    pub(crate) async fn change(
        &self,
        change: impl AsyncFnMut() -> Result<(), StoreError>,
    ) -> Result<(), CliError> {
        let changed = lock_wait::outwait(change).await;
        changed.map_err(|error| self.store_error(error))
    }

    pub(crate) fn not_logged_in(&self) -> CliError {
        let id = self.profile.id();
        CliError::NotLoggedIn {
            host: id.base_url().to_owned(),
            profile: id.name().to_owned(),
            login: self.login(),
            in_environment: environment::is_set(),
            others: self.others(),
            has_later_key: environment::has_later_key(),
        }
    }

    /// Returns the options that select the other stored profiles.
    fn others(&self) -> Vec<String> {
        let id = self.profile.id();
        let directory = self.directory.as_deref();
        let found = directory.map(profiles::find).unwrap_or_default();
        let others = found.into_iter().filter(|other| {
            (other.host.as_str(), other.name.as_str()) != (id.base_url(), id.name())
        });
        let options = |other: profiles::Found| {
            format!(
                "--profile {} --host {}",
                quoted(&other.name),
                quoted(&other.host)
            )
        };
        others.map(options).collect()
    }

    /// Refuses to go on beside a rotation that is unfinished.
    pub(crate) fn settled(&self, stored: Option<&Stored>) -> Result<(), CliError> {
        match stored.map(|stored| &stored.rotation) {
            Some(RotationStatus::Unfinished { recover_by, .. }) => {
                Err(self.unfinished(Some(*recover_by)))
            }
            _ => Ok(()),
        }
    }

    /// Returns what the service has ruled on a rotation of what is stored.
    pub(crate) fn ruled(&self, stored: &Stored) -> Option<CliError> {
        match stored.rotation {
            RotationStatus::Concluded {
                concluded_at,
                ruling,
                ..
            } => Some(CliError::Ruled {
                ruling,
                at: concluded_at,
                remedies: self.remedies(),
            }),
            _ => None,
        }
    }

    /// Returns the error of a login that was refused, with what has become of the credential.
    pub(crate) fn refused(&self, stored: &Stored, error: CliError) -> CliError {
        match self.ruled(stored) {
            Some(ruled) if error.exit() == Exit::Rejected => ruled,
            _ => error,
        }
    }

    fn remedies(&self) -> Remedies {
        Remedies {
            login: self.login(),
            create: self.global.line(CREATE),
            resume: self.resume(),
            rescue: Rescue::made(),
        }
    }

    /// Finds out whether anything can be stored, before what could not be is made or asked for.
    pub(crate) async fn check_writable(&self) -> Result<(), CliError> {
        #[cfg(feature = "keyring")]
        if let Some(keyring) = &self.keyring {
            return Ok(lock_wait::outwait(async || keyring.check_writable().await).await?);
        }
        let Some(files) = &self.files else {
            return Ok(());
        };
        Ok(lock_wait::outwait(async || files.check_writable().await).await?)
    }

    /// Returns where the stored credential is.
    pub(crate) fn place(&self) -> Place {
        let directory = self.directory.as_deref();
        directory.map_or(Place::File, |found| Place::of(found, self.profile.id()))
    }

    /// Returns the error of a command; if it is about a file, with its path and what to do.
    pub(crate) fn explain(&self, error: CliError) -> CliError {
        let problem = match error {
            CliError::CreationFirst | CliError::NothingToCreateWith { .. } => return error,
            // It was there a moment ago: another process has logged out, and no store is broken.
            error if error.exit() == Exit::NotLoggedIn => return self.not_logged_in(),
            CliError::Service(Error::StoreFailed(failure))
                if failure.reason() == &Reason::RotationUnfinished =>
            {
                return self.unfinished(None);
            }
            CliError::Store(problem) => problem,
            other => return other,
        };
        let document = match problem {
            StoreError::Corrupt { document, .. }
            | StoreError::Foreign { document, .. }
            | StoreError::Newer { document, .. } => document,
            StoreError::Failed { .. } => {
                let directory = self.directory.as_deref();
                let unreadable =
                    directory.and_then(|at| profiles::unreadable(at, self.profile.id()));
                return unreadable.unwrap_or(CliError::Store(problem));
            }
            other => return CliError::Store(other),
        };
        let place = match self.file(document) {
            _ if document == Document::Credential && self.place() == Place::Keyring => {
                Place::KEYRING.to_owned()
            }
            Some(file) => file.display().to_string(),
            None => return CliError::Store(problem),
        };
        let instead = match (document, &problem) {
            (Document::Journal, _) => format!("`{}` gives it up", self.global.line(START_ANEW)),
            (Document::Credential, StoreError::Corrupt { .. }) => {
                format!("`{}` replaces it", self.global.line(LOGIN))
            }
            _ => "choose another --profile".to_owned(),
        };
        unusable::error(place, document, problem, Some(&instead))
    }

    /// Returns the file of a document.
    pub(crate) fn file(&self, document: Document) -> Option<PathBuf> {
        let name = FileStore::file_name(self.profile.id(), document);
        self.directory.as_ref().map(|found| found.join(name))
    }

    /// Returns the error of the store with the command that repairs it.
    pub(crate) fn store_error(&self, error: StoreError) -> CliError {
        match error {
            StoreError::RotationUnfinished => self.unfinished(None),
            other => CliError::Store(other),
        }
    }

    /// Returns the error of a rotation with the command that continues it.
    pub(crate) fn rotate_error(&self, error: RotateError) -> CliError {
        CliError::Rotate {
            error,
            remedies: self.remedies(),
        }
    }

    pub(crate) fn unfinished(&self, recover_by: Option<SystemTime>) -> CliError {
        CliError::RotationUnfinished {
            resume: self.resume(),
            recover_by,
        }
    }

    /// Returns the command line that logs in.
    pub(crate) fn login(&self) -> String {
        self.global.line(LOGIN)
    }

    pub(crate) fn resume(&self) -> String {
        self.global.line(RESUME)
    }
}

impl Stored {
    /// Returns what a kept access token belongs to: nothing while a rotation changes it.
    pub(crate) fn owner(&self) -> Option<&StoredToken> {
        match self.rotation {
            RotationStatus::Settled { generation, .. } if generation == self.seen.generation() => {
                Some(&self.seen)
            }
            _ => None,
        }
    }

    /// Returns `true` if what a kept access token belongs to is still the same.
    pub(crate) fn is_of(&self, owner: &StoredToken) -> bool {
        let same = |new: &StoredToken| {
            new.generation() == owner.generation() && new.api_token().id() == owner.api_token().id()
        };
        self.owner().is_some_and(same)
    }
}

fn is_unfinished(stored: Option<&Stored>) -> bool {
    let rotation = stored.map(|stored| &stored.rotation);
    matches!(rotation, Some(RotationStatus::Unfinished { .. }))
}

/// Opens a directory as a store, with its path in the error.
pub(crate) fn open_store(directory: PathBuf) -> Result<FileStore, CliError> {
    FileStore::open(&directory).map_err(|problem| CliError::Directory { directory, problem })
}
