//! Whole rotations on the store: cut off at every step, or overtaken there by another one.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::time::{Instant, sleep};

use super::harness::Harness;
use super::report::{Checked, Unkept, ensure};
use super::stage::{LAG, LOOK, PATIENCE, Stage};
use crate::rotation::rehearsal::{Fate, Process, Service};
use crate::store::{JournalState, Profile, StoreError};

/// What can become of the first request for a secret.
const FATES: [Fate; 4] = [
    Fate::Answered,
    Fate::ReplyLost,
    Fate::ReplyUnclear,
    Fate::NotDone,
];

/// The profile that all rotations are made in, one after the other.
const NAME: &str = "rotations";

/// More steps than any rotation takes: 100. A store that makes one endless is told so.
const MOST_STEPS: usize = 100;

/// Where a process ends: before a step, or while it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Before,
    Within,
}

/// Cuts every rotation off at every step, and its recovery too; then another process recovers.
pub(super) async fn crashes(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    for fate in FATES {
        for cut in [Cut::Before, Cut::Within] {
            for step in 0..MOST_STEPS {
                let mut run = Run::begin(stage, fate).await?;
                let is_over = run.cut_off(step, cut).await?;
                run.recover().await?;
                if is_over {
                    break;
                }
            }
        }
    }
    // A reply that is lost has the longest recovery.
    for step in 0..MOST_STEPS {
        let mut run = Run::begin(stage, Fate::ReplyLost).await?;
        let announced = 3;
        run.cut_off(announced, Cut::Before).await?;
        let is_over = run.cut_off(step, Cut::Within).await?;
        run.recover().await?;
        if is_over {
            break;
        }
    }
    Ok(())
}

/// Ends the lock of every rotation at every step, while another process rotates; then goes on.
pub(super) async fn overtaken(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    for fate in FATES {
        for step in 0..MOST_STEPS {
            let mut run = Run::begin(stage, fate).await?;
            if run.overtake(step).await? {
                break;
            }
            run.recover().await?;
        }
    }
    Ok(())
}

/// One schedule.
struct Run<'a, H: ?Sized> {
    stage: &'a Stage<'a, H>,
    profile: Profile,
    service: Service,
    /// What has happened so far, for the report.
    story: String,
}

impl<'a, H: Harness + ?Sized> Run<'a, H> {
    /// Stores the first credential.
    async fn begin(stage: &'a Stage<'a, H>, fate: Fate) -> Result<Self, Unkept> {
        let profile = stage.profile(NAME).await?;
        stage.reset(profile.id()).await?;
        let first = Service::first()?;
        let run = Self {
            stage,
            profile,
            service: Service::new(fate),
            story: format!("request {fate:?}"),
        };
        let saved = run.profile.save(&first.token).await;
        saved.map_err(|error| run.told("the first credential is not stored", &error))?;
        Ok(run)
    }

    fn told(&self, what: &str, error: &StoreError) -> Unkept {
        Unkept::Broken(format!("{}: {what}: {error}", self.story))
    }

    async fn process(&self) -> Result<Process, Unkept> {
        // A handle of its own, as another process has it.
        let profile = self.stage.profile(NAME).await?;
        let begun = Process::begin(&profile, &self.service, PATIENCE).await;
        begun.map_err(|error| self.told("a process can't begin", &error))
    }

    /// Runs a process up to a step and ends it there; returns `true` if it has no such step.
    async fn cut_off(&mut self, step: usize, cut: Cut) -> Result<bool, Unkept> {
        let mut process = self.process().await?;
        for _ in 0..step {
            let stepped = process.step(&mut self.service).await;
            stepped.map_err(|error| self.told("a step fails", &error))?;
        }
        let next = process.next_step();
        self.story += &format!(", cut off {cut:?} `{}`", next.unwrap_or("the end"));
        if cut == Cut::Within {
            let mut taken = pin!(process.step(&mut self.service));
            // Begun, and then never looked at again.
            poll_fn(|context| {
                let _ready = taken.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
        }
        Ok(next.is_none())
    }

    /// Runs a process up to a step, at which its lock ends and another process rotates; returns
    /// `true` if it has no such step.
    async fn overtake(&mut self, step: usize) -> Result<bool, Unkept> {
        let mut process = self.process().await?;
        for _ in 0..step {
            let stepped = process.step(&mut self.service).await;
            stepped.map_err(|error| self.told("a step fails", &error))?;
        }
        let Some(next) = process.next_step() else {
            return Ok(true);
        };
        if !self.stage.harness.end_lock(self.profile.id()).await? {
            return Err(Unkept::NotChecked("no lock of this store can end"));
        }
        self.story += &format!(", lock ended before `{next}`");
        let other = self.process().await?.finish(&mut self.service).await;
        other.map_err(|error| self.told("the other process fails", &error))?;
        // It stops by itself, and what it calls the cause is its own affair.
        let _stopped = process.finish(&mut self.service).await;
        Ok(false)
    }

    /// Recovers what is there, and checks that the stored secret is the account's.
    async fn recover(&mut self) -> Checked {
        let until = Instant::now() + LAG;
        loop {
            let problem = self.recovered().await?;
            let Some(problem) = problem else {
                return Ok(());
            };
            // A reader that lags behind may not have seen it yet.
            ensure(Instant::now() < until, || {
                format!("{}: {problem}", self.story)
            })?;
            sleep(LOOK).await;
        }
    }

    async fn recovered(&mut self) -> Result<Option<&'static str>, Unkept> {
        let process = self.process().await?;
        let finished = process.finish(&mut self.service).await;
        finished.map_err(|error| self.told("the recovery fails", &error))?;
        let record = self.profile.required().await;
        let record = record.map_err(|error| self.told("the credential can't be read", &error))?;
        if !self.service.accepts(&record.token) {
            return Ok(Some("the service does not accept the stored secret"));
        }
        let journal = self.profile.journal_state(Some(&record), None).await;
        let journal = journal.map_err(|error| self.told("the journal can't be read", &error))?;
        Ok((journal != JournalState::None).then_some("a journal is left"))
    }
}
