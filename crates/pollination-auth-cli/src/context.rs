//! What every command works on: the host, the profile, and what is stored for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use pollination_auth::{
    ApiToken, Client, ClientBuilder, CredentialStore as _, Document, FileStore, Profile,
    RotateCause, RotateError, RotateOptions, RotationStatus, Secret, StoreError,
};

use crate::args::Global;
use crate::directory;
use crate::error::CliError;

/// The command for those who are not logged in.
const LOGIN: &str = "login";

/// The command for those whose rotation has lost the credential.
const START_ANEW: &str = "login --discard-rotation";

/// The command for those whose rotation was interrupted.
const RESUME: &str = "token rotate --resume";

/// The host and profile of a command line, and the store.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) directory: PathBuf,
    pub(crate) profile: Profile,
    store: Arc<FileStore>,
}

/// What is stored for a profile.
pub(crate) struct Stored {
    pub(crate) token: ApiToken,
    pub(crate) rotation: RotationStatus,
}

impl Context {
    /// Opens the store, making its directory if there is none.
    pub(crate) fn open(global: &Global) -> Result<Self, CliError> {
        let directory = directory::credentials()?;
        let store = open_store(directory.clone())?;
        let profile = Profile::new(store.clone(), &global.host, &global.profile)?;
        Ok(Self {
            global: global.clone(),
            directory,
            profile,
            store,
        })
    }

    /// Sets up a client for the host, without a credential.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder()
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
        let Some(token) = self.profile.load()? else {
            return Ok(None);
        };
        let rotation = client.rotation(RotateOptions::default()).status().await;
        let rotation = rotation.map_err(|error| match error.failure().cause() {
            // Nothing was to be rotated, so the words about that would mislead.
            Some(RotateCause::Store(error)) => CliError::Store(error.clone()),
            _ => self.rotate_error(error),
        })?;
        Ok(Some(Stored { token, rotation }))
    }

    /// Gives what is stored; it is an error when that is nothing.
    pub(crate) async fn stored(&self, client: &Client) -> Result<Stored, CliError> {
        self.look(client)
            .await?
            .ok_or_else(|| CliError::NotLoggedIn {
                login: self.global.line(LOGIN),
            })
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
    pub(crate) fn check_writable(&self) -> Result<(), CliError> {
        // No profile has an empty name, so this one is nobody's, and needs no lock.
        let nobody = Profile::new(self.store.clone(), &self.global.host, "")?;
        let probe = Secret::from(String::new());
        self.store
            .write(nobody.id(), Document::Credential, &probe)?;
        Ok(self.store.remove(nobody.id(), Document::Credential)?)
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
