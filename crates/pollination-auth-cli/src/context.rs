//! What every command works on: the host, the profile, and what is stored for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use pollination_auth::{
    ApiToken, Client, ClientBuilder, CredentialStore, Document, FileStore, MemoryStore, Profile,
    RotateCause, RotateError, RotateOptions, RotationStatus, StoreError, StoredToken,
};

use crate::args::Global;
use crate::directory;
use crate::environment;
use crate::error::CliError;
use crate::output;
use crate::patience;

/// The command for those who are not logged in.
const LOGIN: &str = "login";

/// The command for those whose rotation has lost the credential.
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
    files: Option<Arc<FileStore>>,
}

/// What the service is reached with.
pub(crate) enum Credential {
    Stored(Stored),
    /// Nothing is stored, and nothing will be.
    Environment(ApiToken),
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
    pub(crate) fn open(global: &Global) -> Result<Self, CliError> {
        let directory = directory::credentials()?;
        let store = open_store(directory.clone())?;
        let context = Self::on(global, Some(directory), store.clone())?;
        Ok(Self {
            files: Some(store),
            ..context
        })
    }

    /// Opens the store to read from it; where there can't be one, the environment has to be enough.
    ///
    /// A job that has its credential there may have no home directory, or one that is read-only.
    /// A directory that is not there is not made: nothing stands in it.
    pub(crate) fn open_or_without_store(global: &Global) -> Result<Self, CliError> {
        if let Ok(directory) = directory::credentials()
            && directory::is_missing(&directory)
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
        })
    }

    /// Sets up a client for the host, without a credential.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let builder = if self.global.dangerously_allow_plain_http {
            Client::builder().dangerously_allow_plain_http()
        } else {
            Client::builder()
        };
        builder
            .base_url(&self.global.host)
            .profile(&self.global.profile)
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
    }

    /// Gives a client that logs in with what is stored.
    pub(crate) fn client(&self) -> Result<Client, CliError> {
        Ok(self.builder().store(self.store.clone()).build()?)
    }

    /// Gives what is stored, or none when nobody is logged in.
    pub(crate) async fn look(&self, client: &Client) -> Result<Option<Stored>, CliError> {
        let Some(seen) = self.profile.stored()? else {
            return Ok(None);
        };
        let rotation = client.rotation(RotateOptions::default()).status().await;
        let rotation = rotation.map_err(|error| match error.failure().cause() {
            // Nothing was to be rotated, so the words about that would mislead.
            Some(RotateCause::Store(error)) => CliError::Store(error.clone()),
            _ => self.rotate_error(error),
        })?;
        let token = seen.api_token().clone();
        Ok(Some(Stored {
            token,
            seen,
            rotation,
        }))
    }

    /// Gives what is stored; it is an error when that is nothing.
    pub(crate) async fn stored(&self, client: &Client) -> Result<Stored, CliError> {
        let stored = self.look(client).await?;
        stored.ok_or_else(|| self.not_logged_in())
    }

    /// Gives what is stored, or the environment's where nothing is; it is an error when neither is.
    ///
    /// The stored one goes first: a rotation changes it, and can't change the environment.
    pub(crate) async fn credential(&self) -> Result<Credential, CliError> {
        let Some(stored) = self.look(&self.client()?).await? else {
            let found = environment::find()?.map(Credential::Environment);
            return found.ok_or_else(|| self.not_logged_in());
        };
        if environment::has_other_id(stored.token.id().as_str()) {
            output::warning(format_args!(
                "{} is that of another API token; the stored one of the profile {} goes first",
                environment::ID,
                self.profile.id().name()
            ));
        }
        Ok(Credential::Stored(stored))
    }

    /// Gives a client that logs in with a credential.
    pub(crate) fn client_of(&self, credential: &Credential) -> Result<Client, CliError> {
        match credential {
            Credential::Stored(_) => self.client(),
            Credential::Environment(token) => {
                Ok(self.builder().api_token(token.clone()).build()?)
            }
        }
    }

    /// Gives what is stored once no process rotates it; a rotation that was cut off is an error.
    pub(crate) async fn undisturbed(
        &self,
        stored: Option<Stored>,
    ) -> Result<Option<Stored>, CliError> {
        let stored = match stored {
            Some(stored) => Some(self.after_others(stored).await?),
            None => None,
        };
        self.settled(stored.as_ref())?;
        Ok(stored)
    }

    /// Tells whether another process works on what is stored right now.
    pub(crate) fn is_held(&self) -> bool {
        self.store.is_locked(self.profile.id()).unwrap_or(false)
    }

    /// Gives what is stored when a rotation of another process, if there is one, has come to its end.
    pub(crate) async fn after_others(&self, stored: Stored) -> Result<Stored, CliError> {
        if stored.generation().is_some() {
            return Ok(stored);
        }
        Ok(self.newer_than(&stored).await?.unwrap_or(stored))
    }

    /// Gives what another process has put in the place of this, waiting while one rotates.
    pub(crate) async fn newer_than(&self, stored: &Stored) -> Result<Option<Stored>, CliError> {
        let free = || {
            if self.store.is_locked(self.profile.id())? {
                Err(StoreError::Locked)
            } else {
                Ok(())
            }
        };
        // Where there can be no lock, nobody rotates; and who hangs for that long brings nothing.
        if let Err(error) = patience::outwait(free).await {
            tracing::debug!(%error, "it is not known whether another process rotates");
        }
        let now = self.stored(&self.client()?).await?;
        let generation = now.generation();
        Ok((generation.is_some() && generation != stored.generation()).then_some(now))
    }

    /// Stores an API token in place of the one that was seen, if any.
    pub(crate) fn put(
        &self,
        seen: Option<&StoredToken>,
        token: &ApiToken,
    ) -> Result<(), StoreError> {
        match seen {
            Some(seen) => self.profile.replace(seen, token),
            None => self.profile.save(token),
        }
    }

    /// Changes what is stored as soon as no other process is about to.
    pub(crate) async fn change(
        &self,
        change: impl FnMut() -> Result<(), StoreError>,
    ) -> Result<(), CliError> {
        let changed = patience::outwait(change).await;
        changed.map_err(|error| self.store_error(error))
    }

    pub(crate) fn not_logged_in(&self) -> CliError {
        CliError::NotLoggedIn {
            login: self.global.line(LOGIN),
            in_environment: environment::is_set(),
        }
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

    /// Finds out whether anything can be stored, before what could not be is made or asked for.
    pub(crate) async fn check_writable(&self) -> Result<(), CliError> {
        let Some(files) = &self.files else {
            return Ok(());
        };
        Ok(patience::outwait(|| files.check_writable()).await?)
    }

    /// Gives the error of a command with the file that it is about and a way out, if it is a file.
    pub(crate) fn explain(&self, error: CliError) -> CliError {
        let problem = match error {
            CliError::Store(problem) => problem,
            other => return other,
        };
        let (document, is_damaged) = match problem {
            StoreError::Corrupt { document, .. } => (document, true),
            StoreError::Foreign { document, .. } | StoreError::Newer { document, .. } => {
                (document, false)
            }
            other => return CliError::Store(other),
        };
        let Some(file) = self.file(document) else {
            return CliError::Store(problem);
        };
        let remedy = match document {
            Document::Credential if is_damaged => {
                format!("run `{}`, which replaces it", self.global.line(LOGIN))
            }
            Document::Journal => format!(
                "it can hold the only key, so keep a copy; `{}` gives it up",
                self.global.line(START_ANEW)
            ),
            _ => "move it away, or choose another --profile".to_owned(),
        };
        CliError::Damaged {
            file,
            problem,
            remedy,
        }
    }

    /// Gives the file of a document.
    fn file(&self, document: Document) -> Option<PathBuf> {
        let name = FileStore::file_name(self.profile.id(), document);
        self.directory.as_ref().map(|found| found.join(name))
    }

    /// Gives the error of the store with what to run about it.
    pub(crate) fn store_error(&self, error: StoreError) -> CliError {
        match error {
            StoreError::RotationUnfinished => self.unfinished(None),
            other => CliError::Store(other),
        }
    }

    /// Gives the error of a rotation with what to run about it.
    pub(crate) fn rotate_error(&self, error: RotateError) -> CliError {
        CliError::Rotate {
            error,
            resume: self.resume(),
            start_anew: self.global.line(START_ANEW),
        }
    }

    pub(crate) fn unfinished(&self, recover_by: Option<SystemTime>) -> CliError {
        CliError::RotationUnfinished {
            resume: self.resume(),
            recover_by,
        }
    }

    pub(crate) fn resume(&self) -> String {
        self.global.line(RESUME)
    }
}

impl Stored {
    /// Counts the changes of the credential, where no rotation is about to change it.
    pub(crate) fn generation(&self) -> Option<u64> {
        match self.rotation {
            RotationStatus::Settled { generation, .. } => Some(generation),
            _ => None,
        }
    }
}

/// Opens a directory as a store, with its path in the error.
pub(crate) fn open_store(directory: PathBuf) -> Result<Arc<FileStore>, CliError> {
    match FileStore::open(&directory) {
        Ok(store) => Ok(Arc::new(store)),
        Err(problem) => Err(CliError::Directory { directory, problem }),
    }
}
