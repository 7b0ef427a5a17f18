//! The promises about documents: kept, compared, replaced as a whole, and destroyed.

use super::harness::Harness;
use super::report::{Checked, Unkept, ensure};
use super::stage::{Stage, shows, text};
use crate::store::{Document, StoreError, StoredDocument, Version};

/// The longest document that a rotation writes: 64 KiB.
const LONG: usize = 64 * 1024;

/// How often a document is replaced while others read it: 20 times.
const REPLACEMENTS: usize = 20;

/// A document that no rotation writes. A store has to keep it too.
const TEXT: &str = "{ \"conformance\": \"\\u0000 \u{e9} \u{1f511}\" }\n";

pub(super) async fn keeps(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    let (one, two) = (stage.id("keeps")?, stage.id("beside")?);
    let (store, reader) = (stage.open().await?, stage.open().await?);
    let mut lock = stage.lock(&*store, &one).await?;
    let long = "x".repeat(LONG);
    for document in [Document::Credential, Document::Journal] {
        let mut version: Option<Version> = None;
        for content in [TEXT, &long, "short"] {
            let written = lock.write(document, version.as_ref(), &text(content)).await;
            let written = written?;
            for (who, store) in [("writer", &store), ("other handle", &reader)] {
                let is_shown = shows(&**store, &one, document, Some(content), Some(&written));
                ensure(is_shown.await?, || {
                    let (name, bytes) = (document.as_str(), content.len());
                    format!("the {who} does not read the {name} of {bytes} bytes that was written")
                })?;
            }
            ensure(version.as_ref() != Some(&written), || {
                "two contents have the same version".to_owned()
            })?;
            version = Some(written);
        }
        let elsewhere = reader.read(&two, document).await?;
        ensure(elsewhere.is_none(), || {
            "another profile has the document of this one".to_owned()
        })?;
    }
    Ok(lock.release().await?)
}

pub(super) async fn compares(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    let id = stage.id("compares")?;
    let store = stage.open().await?;
    let mut lock = stage.lock(&*store, &id).await?;
    for document in [Document::Credential, Document::Journal] {
        let name = document.as_str();
        let first = lock.write(document, None, &text("first")).await?;
        let second = lock.write(document, Some(&first), &text("second")).await?;
        for (what, expected) in [("no document", None), ("an old version", Some(&first))] {
            let written = lock.write(document, expected, &text("third")).await;
            refused(&written, || {
                format!("a write of the {name} that expects {what}")
            })?;
            let removed = lock.remove(document, expected).await;
            refused(&removed, || {
                format!("a removal of the {name} that expects {what}")
            })?;
            let is_kept = shows(&*store, &id, document, Some("second"), Some(&second));
            ensure(is_kept.await?, || {
                format!("a write or removal of the {name} that was refused changed it")
            })?;
        }
        lock.remove(document, Some(&second)).await?;
        // Whether it is gone is another promise.
        if shows(&*store, &id, document, None, None).await? {
            let late = lock.write(document, Some(&second), &text("late")).await;
            refused(&late, || format!("a write that expects the removed {name}"))?;
        }
    }
    Ok(lock.release().await?)
}

fn refused<T>(result: &Result<T, StoreError>, what: impl FnOnce() -> String) -> Checked {
    match result {
        Err(StoreError::Changed) => Ok(()),
        Err(error) => Err(Unkept::Broken(format!(
            "{} fails with another error than `Changed`: {error}",
            what()
        ))),
        Ok(_) => Err(Unkept::Broken(format!("{} succeeds", what()))),
    }
}

pub(super) async fn replaces(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    const DOCUMENT: Document = Document::Journal;
    let id = stage.id("replaces")?;
    let (store, reader) = (stage.open().await?, stage.open().await?);
    let mut lock = stage.lock(&*store, &id).await?;
    let contents = ["a".repeat(LONG), "b".repeat(LONG / 2), "c".to_owned()];
    let first = contents.first().map_or("", String::as_str);
    let mut version = lock.write(DOCUMENT, None, &text(first)).await?;
    shows(&*reader, &id, DOCUMENT, Some(first), Some(&version)).await?;
    for content in contents.iter().cycle().skip(1).take(REPLACEMENTS) {
        let next = text(content);
        let write = lock.write(DOCUMENT, Some(&version), &next);
        let read = async {
            let mut read = Vec::new();
            for _ in 0..4 {
                read.push(reader.read(&id, DOCUMENT).await);
            }
            read
        };
        let (written, read) = tokio::join!(write, read);
        version = written?;
        for found in read {
            let found = found?;
            let whole = |found: &StoredDocument| {
                let text = found.text().expose_secret();
                contents.iter().any(|content| content == text)
            };
            ensure(found.as_ref().is_some_and(whole), || {
                "a reader beside a write sees neither the old document nor the new one".to_owned()
            })?;
        }
    }
    Ok(lock.release().await?)
}

pub(super) async fn removes(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    let id = stage.id("removes")?;
    let (store, reader) = (stage.open().await?, stage.open().await?);
    let mut lock = stage.lock(&*store, &id).await?;
    for document in [Document::Credential, Document::Journal] {
        let name = document.as_str();
        let version = lock.write(document, None, &text("removed")).await?;
        lock.remove(document, Some(&version)).await?;
        ensure(shows(&*reader, &id, document, None, None).await?, || {
            format!("the {name} is still read after its removal")
        })?;
        for expected in [None, Some(&version)] {
            let again = lock.remove(document, expected).await;
            again.map_err(|error| {
                Unkept::Broken(format!(
                    "removing a {name} that is not there fails: {error}"
                ))
            })?;
        }
        lock.write(document, None, &text("anew")).await?;
    }
    Ok(lock.release().await?)
}

pub(super) async fn destroys(stage: &Stage<'_, impl Harness + ?Sized>) -> Checked {
    let id = stage.id("destroys")?;
    let store = stage.open().await?;
    let mark = |number: u8| format!("conformance-{number}-{:016x}", stage.run);
    let is_there = |number| async move {
        let found = stage.harness.find(&mark(number)).await?;
        found.ok_or(Unkept::NotChecked(
            "the harness can't look for old versions",
        ))
    };
    let mut lock = stage.lock(&*store, &id).await?;
    for document in [Document::Credential, Document::Journal] {
        let first = lock.write(document, None, &text(&mark(1))).await?;
        let second = lock.write(document, Some(&first), &text(&mark(2))).await?;
        ensure(is_there(2).await?, || {
            "the harness does not find what was just written".to_owned()
        })?;
        lock.remove(document, Some(&second)).await?;
        for number in [1, 2] {
            ensure(!is_there(number).await?, || {
                format!(
                    "an old version of the removed {} is left",
                    document.as_str()
                )
            })?;
        }
    }
    Ok(lock.release().await?)
}
