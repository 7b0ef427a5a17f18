//! A check of the directory that is killed between two steps, and a write that nobody waits for.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use tokio::runtime::Handle;

use super::observed_disk;
use super::power_loss::token;
use crate::foundation::secret::Secret;
use crate::store::{CredentialStore as _, Document, FileStore, Profile, StoreError};

fn unfinished(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".tmp")
        })
        .count()
}

/// The panic ends the check between two steps, as a kill would.
#[tokio::test]
async fn what_a_killed_check_left_is_removed_by_the_next_one_and_by_nobody_meanwhile() {
    let path = std::env::temp_dir().join(format!("killed-check-{}", std::process::id()));
    let _left_over = std::fs::remove_dir_all(&path);
    let directory = path.clone();
    let killed = observed_disk::open(&path, move |step| {
        if step.kind == "sync" && step.is_done {
            // Neither another check nor the holder of a profile's lock removes what is in use.
            let other = FileStore::open(&directory).unwrap();
            let others = Profile::new(other.clone(), "https://h.example", "default").unwrap();
            Handle::current().block_on(async {
                let checked = other.check_writable().await;
                assert!(matches!(checked, Err(StoreError::Locked)), "{checked:?}");
                others.save(&token("old")).await.unwrap();
            });
            assert!(directory.join(step.file).exists());
            panic!("the process is killed here");
        }
    });
    killed.check_writable().await.unwrap_err();
    assert_eq!(unfinished(&path), 1);
    FileStore::open(&path)
        .unwrap()
        .check_writable()
        .await
        .unwrap();
    assert_eq!(unfinished(&path), 0);
    std::fs::remove_dir_all(path).unwrap();
}

/// The step holds the thread that writes, as a slow disk would.
#[tokio::test]
async fn row_65_a_write_whose_future_is_dropped_holds_the_lock_until_the_file_is_written() {
    let path = std::env::temp_dir().join(format!("dropped-write-{}", std::process::id()));
    let _left_over = std::fs::remove_dir_all(&path);
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (end, may_end) = channel::<()>();
    let may_end = Mutex::new(may_end);
    let store = observed_disk::open(&path, move |step| {
        if step.kind == "sync" && !step.is_done {
            begun.send(()).unwrap();
            let _told = may_end.lock().unwrap().recv();
        }
    });
    let profile = Profile::new(store.clone(), "https://h.example", "default").unwrap();
    let mut lock = store.try_lock(profile.id()).await.unwrap().unwrap();
    let text = Secret::from("text");
    tokio::select! {
        biased;
        _ = lock.write(Document::Credential, None, &text) => panic!("it waits"),
        _ = has_begun.recv() => {}
    }
    drop(lock);
    assert!(store.is_locked(profile.id()).await.unwrap());
    assert!(store.try_lock(profile.id()).await.unwrap().is_none());
    drop(end);
    while store.is_locked(profile.id()).await.unwrap() {
        tokio::task::yield_now().await;
    }
    let written = store
        .read(profile.id(), Document::Credential)
        .await
        .unwrap();
    assert_eq!(written.unwrap().text().expose_secret(), "text");
    std::fs::remove_dir_all(path).unwrap();
}
