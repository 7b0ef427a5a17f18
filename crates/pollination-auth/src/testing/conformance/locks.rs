//! The promises about locks: one holder, looks that do not take, and an end that is told.

use super::harness::Harness;
use super::report::{Checked, Unkept, ensure};
use super::stage::{Stage, shows, text};
use crate::store::Document;

/// How often others ask for a lock while it is held: 20 times.
const ATTEMPTS: usize = 20;

/// How many look at a lock at the same time: 8.
const LOOKS: usize = 8;

pub(super) async fn excludes(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    let (one, two) = (stage.id("excludes")?, stage.id("beside")?);
    let (store, other) = (stage.open().await?, stage.open().await?);
    let mut version = None;
    for way in ["released", "dropped"] {
        let mut lock = stage.lock(&*store, &one).await?;
        for _ in 0..ATTEMPTS {
            for (who, store) in [("another handle", &other), ("the same handle", &store)] {
                let second = store.try_lock(&one).await?;
                ensure(second.is_none(), || {
                    format!("{who} takes a lock that is held")
                })?;
            }
            let held = text("held");
            let written = lock.write(Document::Journal, version.as_ref(), &held);
            version = Some(written.await?);
            ensure(lock.is_held().await?, || {
                "a lock that is held says that it has ended".to_owned()
            })?;
        }
        let beside = other.try_lock(&two).await?;
        ensure(beside.is_some(), || {
            "the lock of one profile keeps others from another profile".to_owned()
        })?;
        if way == "released" {
            lock.release().await?;
            let next = other.try_lock(&one).await?;
            ensure(next.is_some(), || {
                "a lock is held after its release".to_owned()
            })?;
        } else {
            drop(lock);
            stage.lock(&*other, &one).await?;
        }
    }
    Ok(())
}

pub(super) async fn looks(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    let id = stage.id("looks")?;
    let (store, other) = (stage.open().await?, stage.open().await?);
    for attempt in 0..ATTEMPTS {
        let looks = async {
            for _ in 0..LOOKS {
                let is_locked = other.is_locked(&id).await;
                tokio::task::yield_now().await;
                is_locked?;
            }
            Ok::<_, Unkept>(())
        };
        // Each time at another moment of their looks.
        let take = async {
            for _ in 0..attempt {
                tokio::task::yield_now().await;
            }
            store.try_lock(&id).await
        };
        let (looked, lock) = tokio::join!(looks, take);
        looked?;
        let lock = lock?.ok_or_else(|| {
            Unkept::Broken("a lock can't be taken while others look whether it is held".to_owned())
        })?;
        ensure(other.is_locked(&id).await?, || {
            "a look at a lock that is held says that it is free".to_owned()
        })?;
        lock.release().await?;
        ensure(!other.is_locked(&id).await?, || {
            "a look at a lock that was released says that it is held".to_owned()
        })?;
    }
    Ok(())
}

pub(super) async fn ends(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    const DOCUMENT: Document = Document::Journal;
    let id = stage.id("ends")?;
    let (store, other) = (stage.open().await?, stage.open().await?);
    let mut ended = stage.lock(&*store, &id).await?;
    let version = ended.write(DOCUMENT, None, &text("before")).await?;
    if !stage.harness.end_lock(&id).await? {
        return Err(Unkept::NotChecked("no lock of this store can end"));
    }
    let mut lock = stage.lock(&*other, &id).await?;
    ensure(!ended.is_held().await.unwrap_or(false), || {
        "a lock that another one holds by now says that it is held".to_owned()
    })?;
    let late = ended.write(DOCUMENT, Some(&version), &text("late")).await;
    ensure(late.is_err(), || {
        "a lock that another one holds by now still writes".to_owned()
    })?;
    let removed = ended.remove(DOCUMENT, Some(&version)).await;
    ensure(removed.is_err(), || {
        "a lock that another one holds by now still removes".to_owned()
    })?;
    ensure(
        shows(&*other, &id, DOCUMENT, Some("before"), Some(&version)).await?,
        || "a lock that another one holds by now has changed the document".to_owned(),
    )?;
    drop(ended);
    ensure(lock.is_held().await?, || {
        "dropping a lock that has ended takes it from its new holder".to_owned()
    })?;
    lock.remove(DOCUMENT, Some(&version)).await?;
    Ok(lock.release().await?)
}
