//! What a check has found: each promise of a store, and whether it is kept.

use std::fmt;

use crate::store::StoreError;

/// A promise of a [`CredentialStore`](crate::CredentialStore).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// What is written is read, as it was written, under the version that the write returned.
    Keeps,
    /// A write or removal that expects another version than the stored one changes nothing and
    /// fails with [`StoreError::Changed`](crate::StoreError::Changed).
    ComparesAndSwaps,
    /// A reader sees the old document or the new one, never a mixture.
    ReplacesAsAWhole,
    /// A removed document is gone, and removing none succeeds.
    Removes,
    /// Of a removed document no old version is left.
    Destroys,
    /// One holder has the lock of a profile, until it releases or drops it.
    Excludes,
    /// A look whether a lock is held is right and does not take it.
    LooksWithoutTaking,
    /// A lock that has ended says so, and no longer writes.
    TellsOfAnEndedLock,
    /// A rotation that ends at any step is recovered, and no secret is lost.
    SurvivesCrashes,
    /// A rotation whose lock ends at any step, while another one is made, loses no secret.
    SurvivesEndedLocks,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keeps => "what is written is read",
            Self::ComparesAndSwaps => "a write compares and swaps",
            Self::ReplacesAsAWhole => "a document is replaced as a whole",
            Self::Removes => "a removed document is gone",
            Self::Destroys => "no old version of a removed document is left",
            Self::Excludes => "a lock has one holder",
            Self::LooksWithoutTaking => "a look at a lock is right and does not take it",
            Self::TellsOfAnEndedLock => "a lock that has ended says so",
            Self::SurvivesCrashes => "a rotation survives a crash at any step",
            Self::SurvivesEndedLocks => "a rotation survives the end of its lock at any step",
        })
    }
}

/// Whether a promise is kept.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The check found nothing against it.
    Kept,
    /// It is not kept; the text says what happened.
    Broken(String),
    /// The harness does not show what has to be looked at.
    NotChecked(&'static str),
}

/// What a check has found. `Display` has a line for each promise.
#[derive(Clone, Debug, Default)]
pub struct Report(Vec<(Promise, Finding)>);

impl Report {
    pub(super) fn add(&mut self, promise: Promise, checked: Checked) {
        let finding = match checked {
            Ok(()) => Finding::Kept,
            Err(Unkept::Broken(what)) => Finding::Broken(what),
            Err(Unkept::NotChecked(why)) => Finding::NotChecked(why),
        };
        self.0.push((promise, finding));
    }

    /// Returns `true` if no promise is broken.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        let mut findings = self.0.iter();
        !findings.any(|(_, finding)| matches!(finding, Finding::Broken(_)))
    }

    /// Returns every promise with what was found.
    #[must_use]
    pub fn findings(&self) -> &[(Promise, Finding)] {
        &self.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (promise, finding) in &self.0 {
            match finding {
                Finding::Kept => writeln!(f, "kept         {promise}")?,
                Finding::Broken(what) => writeln!(f, "BROKEN       {promise}: {what}")?,
                Finding::NotChecked(why) => writeln!(f, "not checked  {promise}: {why}")?,
            }
        }
        Ok(())
    }
}

/// Why a promise is not kept, or was not checked.
pub(super) enum Unkept {
    Broken(String),
    NotChecked(&'static str),
}

pub(super) type Checked = Result<(), Unkept>;

impl From<StoreError> for Unkept {
    fn from(error: StoreError) -> Self {
        Self::Broken(format!("unexpected error: {error}"))
    }
}

/// Fails unless a condition holds.
pub(super) fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(Unkept::Broken(broken()))
    }
}
