//! The check of a store: one promise after the other.

use super::harness::Harness;
use super::report::{Promise, Report};
use super::stage::Stage;
use super::{documents, locks, schedules};

/// Checks every promise of a store, and reports which are kept.
///
/// It uses profiles of a host of its own, and removes what it has stored. Call it inside a Tokio
/// runtime.
pub async fn check(harness: &(impl Harness + ?Sized)) -> Report {
    let stage = Stage::new(harness);
    let mut report = Report::default();
    report.add(Promise::Keeps, documents::keeps(&stage).await);
    report.add(Promise::ComparesAndSwaps, documents::compares(&stage).await);
    report.add(Promise::ReplacesAsAWhole, documents::replaces(&stage).await);
    report.add(Promise::Removes, documents::removes(&stage).await);
    report.add(Promise::Destroys, documents::destroys(&stage).await);
    report.add(Promise::Excludes, locks::excludes(&stage).await);
    report.add(Promise::LooksWithoutTaking, locks::looks(&stage).await);
    report.add(Promise::TellsOfAnEndedLock, locks::ends(&stage).await);
    report.add(Promise::SurvivesCrashes, schedules::crashes(&stage).await);
    report.add(
        Promise::SurvivesEndedLocks,
        schedules::overtaken(&stage).await,
    );
    stage.clean().await;
    report
}
