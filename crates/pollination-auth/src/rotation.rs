//! Rotating the secret so that no crash, lost reply or full disk can lose it.
//!
//! This file starts and reports a rotation. `protocol` has the rules, `drive` does the work.

mod cause;
mod drive;
mod emergency;
mod options;
mod outcome;
mod protocol;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod rehearsal;
mod short;
mod task;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

pub use self::cause::RotateCause;
use self::drive::Driver;
pub use self::options::RotateOptions;
pub use self::outcome::{Recovered, RotateError, RotateFailure, Rotated};
use self::protocol::{Ending, Machine, Verdict};
pub use self::task::RotationHandle;
use crate::client::Client;
use crate::store::journal::Journal;
use crate::store::record::Record;
use crate::store::{Profile, Ruling, StoreError};

/// A crash-safe rotation of the stored secret.
///
/// The service creates the new secret and revokes the old one in one step. So the client first
/// writes an access token to a journal beside the credential: whatever happens then, it can create
/// another secret. A new secret is in the journal before it is used, and replaces the old one only
/// after it has logged in. If a reply is lost, nothing is decided or repeated before the service
/// has [settled](RotateOptions::settle).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let url = service.base_url();
/// # let directory = std::env::temp_dir().join(format!("doc-rotation-{}", std::process::id()));
/// use pollination_auth::{ApiToken, Client, FileStore, Profile, Recovered, RotateOptions, Secret};
///
/// let store = FileStore::open(&directory)?;
/// let profile = Profile::new(store.clone(), &url, "default")?;
/// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
///
/// let client = Client::builder().store(store).base_url(&url).build()?;
/// let rotation = client.rotation(RotateOptions::default());
/// let rotated = rotation.rotate().await?;
/// assert_eq!(rotated.generation(), 1);
/// assert!(matches!(rotation.recover().await?, Recovered::NothingToDo));
/// # std::fs::remove_dir_all(directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    client: Client,
    options: RotateOptions,
}

/// The state of the stored credential and its rotation.
///
/// ```
/// use pollination_auth::{RotationStatus, Ruling};
///
/// fn advice(status: &RotationStatus) -> &'static str {
///     match status {
///         RotationStatus::Unfinished { .. } => "recover the rotation",
///         RotationStatus::Concluded { ruling: Ruling::OtherApiToken, .. } => {
///             "log in with the account's new API token"
///         }
///         RotationStatus::Concluded { .. } => "create a new API token",
///         _ => "nothing to do",
///     }
/// }
/// # let _ = advice;
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationStatus {
    /// There is no credential for this host and profile.
    Empty,
    /// No rotation is unfinished.
    Settled {
        /// The changes of the stored credential so far.
        generation: u64,
        /// The time of the last rotation.
        rotated_at: Option<SystemTime>,
    },
    /// A rotation is under way, or was interrupted.
    Unfinished {
        /// The time at which it began.
        started_at: SystemTime,
        /// The number of requests that the service may have acted on.
        requests: u32,
        /// The number of new secrets in the journal.
        candidates: usize,
        /// The time until which a recovery can create another secret.
        recover_by: SystemTime,
    },
    /// The service has ruled on a rotation that brought no secret of the stored API token.
    ///
    /// Another credential can be stored.
    Concluded {
        /// The time at which it began.
        started_at: SystemTime,
        /// The time of the ruling.
        concluded_at: SystemTime,
        /// The ruling of the service.
        ruling: Ruling,
    },
}

impl Rotation {
    /// Rotates the secret, after recovering an interrupted rotation.
    ///
    /// Dropping the future does not stop it. If the recovery brought a new secret, that is the
    /// result; if another process rotated while this one waited for the lock, it is that one's.
    ///
    /// # Errors
    ///
    /// [`RotateError`]; its variant is what to do next.
    pub async fn rotate(&self) -> Result<Rotated, RotateError> {
        self.start().wait().await
    }

    /// Starts a rotation on a task of its own and returns a handle to wait for it.
    ///
    /// It stops with its runtime: a program that exits early leaves a journal to recover from.
    pub fn start(&self) -> RotationHandle {
        let this = self.clone();
        RotationHandle::spawn(async move { this.run_rotate().await })
    }

    /// Recovers an interrupted rotation; does nothing if there is none.
    ///
    /// Dropping the future does not stop it.
    ///
    /// # Errors
    ///
    /// [`RotateError`]; its variant is what to do next.
    pub async fn recover(&self) -> Result<Recovered, RotateError> {
        let this = self.clone();
        task::detached(
            task::Begun::default(),
            async move { this.run_recover().await },
        )
        .await
    }

    /// Reads the state from the store, without the lock or the network.
    ///
    /// # Errors
    ///
    /// [`RotateError::NotStarted`] when the store can't be read or trusted.
    pub async fn status(&self) -> Result<RotationStatus, RotateError> {
        let driver = self.driver()?;
        let status = driver.profile.rotation_status().await;
        status.map_err(|error| RotateError::not_started(error.into()))
    }

    fn driver(&self) -> Result<Driver, RotateError> {
        let profile = self.client.profile();
        let profile = profile.ok_or_else(|| RotateError::not_started(RotateCause::NoStore))?;
        if !profile.is_durable() && !self.options.accept_volatile {
            return Err(RotateError::not_started(RotateCause::Volatile));
        }
        let (calls, cache) = self.client.parts();
        let on_wait = self.options.on_wait.clone();
        Ok(Driver::new(
            calls.clone(),
            cache.clone(),
            profile.clone(),
            on_wait,
        ))
    }

    async fn run_rotate(&self) -> Result<Rotated, RotateError> {
        let mut driver = self.driver()?;
        let seen = driver.profile.record().await;
        let seen = seen.map_err(|error| RotateError::not_started(error.into()))?;
        let _turn = self.client.rotating().await;
        let rotated = self.rotate_with(&mut driver, seen.as_ref()).await;
        driver.unlock().await;
        rotated
    }

    async fn rotate_with(
        &self,
        driver: &mut Driver,
        seen: Option<&Record>,
    ) -> Result<Rotated, RotateError> {
        let (record, journal) = self.open(driver).await?;
        if let Some(journal) = journal {
            // Then its caller knows the result, and only the journal was left.
            let was_done = journal.is_done(&record);
            let machine = Machine::recover(self.options.rules(), record.clone(), journal);
            let ending = self.finish(driver, record.clone(), machine).await?;
            if ending.verdict == Verdict::Rotated && !was_done {
                return Ok(self.rotated(ending));
            }
        } else if seen.is_some_and(|seen| seen.generation != record.generation) {
            return Ok(self.rotated_by_another(record));
        }
        let machine = Machine::rotate(self.options.rules(), record.clone());
        let ending = self.finish(driver, record, machine).await?;
        if ending.verdict == Verdict::Rotated {
            Ok(self.rotated(ending))
        } else {
            Err(RotateError::from_ending(ending, None))
        }
    }

    async fn run_recover(&self) -> Result<Recovered, RotateError> {
        let mut driver = self.driver()?;
        let _turn = self.client.rotating().await;
        let recovered = self.recover_with(&mut driver).await;
        driver.unlock().await;
        recovered
    }

    async fn recover_with(&self, driver: &mut Driver) -> Result<Recovered, RotateError> {
        let (record, journal) = self.open(driver).await?;
        let Some(journal) = journal else {
            return Ok(Recovered::NothingToDo);
        };
        let machine = Machine::recover(self.options.rules(), record.clone(), journal);
        let ending = self.finish(driver, record, machine).await?;
        Ok(if ending.verdict == Verdict::Rotated {
            Recovered::Rotated(self.rotated(ending))
        } else {
            Recovered::NothingHappened
        })
    }

    /// Takes the lock and reads both documents, and what the emergency store has for a recovery.
    ///
    /// Changes nothing if one can't be trusted.
    async fn open(&self, driver: &mut Driver) -> Result<(Record, Option<Journal>), RotateError> {
        let opened = async {
            driver.lock(self.options.patience()).await?;
            let record = driver.profile.required().await?;
            let mut journal = driver.writer()?.journal(&record).await?;
            if let Some(journal) = &mut journal
                && !journal.is_done(&record)
                && emergency::recall(&self.options, driver.profile.id(), &record, journal).await
            {
                // As every secret is, before it is used.
                driver.save_journal(&record, journal).await?;
            }
            Ok((record, journal))
        };
        opened
            .await
            .map_err(|error: StoreError| RotateError::not_started(error.into()))
    }

    /// Runs the protocol; a result that is no success for a caller is an error.
    async fn finish(
        &self,
        driver: &mut Driver,
        record: Record,
        machine: Machine,
    ) -> Result<Ending, RotateError> {
        let ending = driver
            .run(record, machine)
            .await
            .map_err(RotateError::interrupted)?;
        match ending.verdict {
            Verdict::Rotated => {
                driver.adopt(&ending.record.token);
                if ending.recovered && driver.check_held().await.is_ok() {
                    emergency::forget(&self.options, driver.profile.id(), &ending).await;
                }
                Ok(ending)
            }
            Verdict::NothingHappened => Ok(ending),
            Verdict::PersistFailed | Verdict::Ruled(Ruling::OtherApiToken) => {
                let kept = emergency::keep(&self.options, driver.profile.id(), &ending).await;
                Err(RotateError::from_ending(ending, kept))
            }
            _ => Err(RotateError::from_ending(ending, None)),
        }
    }

    fn rotated(&self, ending: Ending) -> Rotated {
        if ending.unchanged {
            tracing::warn!("the service rotated the secret to what it was");
        }
        Rotated {
            token: ending.record.token,
            generation: ending.record.generation,
            verified_at: self.client.wall_clock(),
            recovered: ending.recovered,
            unchanged: ending.unchanged,
            by_another: false,
            requests: ending.requests,
        }
    }

    fn rotated_by_another(&self, record: Record) -> Rotated {
        Rotated {
            token: record.token,
            generation: record.generation,
            verified_at: record
                .rotated_at
                .unwrap_or_else(|| self.client.wall_clock()),
            recovered: false,
            unchanged: false,
            by_another: true,
            requests: 0,
        }
    }
}

impl Profile {
    /// Reads the state of the rotation as [`Rotation::status`] does, without a client.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read or trusted.
    pub async fn rotation_status(&self) -> Result<RotationStatus, StoreError> {
        let Some(record) = self.record().await? else {
            return Ok(RotationStatus::Empty);
        };
        Ok(match self.journal(&record).await? {
            Some(journal) if !journal.is_done(&record) => match journal.conclusion {
                Some(conclusion) => RotationStatus::Concluded {
                    started_at: journal.started_at,
                    concluded_at: conclusion.at,
                    ruling: conclusion.ruling,
                },
                None => RotationStatus::Unfinished {
                    started_at: journal.started_at,
                    requests: journal.requests,
                    candidates: journal.candidates.len(),
                    recover_by: journal.access_token_expires,
                },
            },
            _ => RotationStatus::Settled {
                generation: record.generation,
                rotated_at: record.rotated_at,
            },
        })
    }
}
