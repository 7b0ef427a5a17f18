//! A check of the directory that is killed between two steps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::observed_disk;
use super::power_loss::token;
use crate::store::{FileStore, Profile, StoreError};

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
#[test]
fn what_a_killed_check_left_is_removed_by_the_next_one_and_by_nobody_meanwhile() {
    let path = std::env::temp_dir().join(format!("killed-check-{}", std::process::id()));
    let _left_over = std::fs::remove_dir_all(&path);
    let directory = path.clone();
    let killed = observed_disk::open(&path, move |step| {
        if step.kind == "sync" && step.is_done {
            // Neither another check nor the holder of a profile's lock removes what is in use.
            let other = FileStore::open(&directory).unwrap();
            assert!(matches!(other.check_writable(), Err(StoreError::Locked)));
            let others = Profile::new(Arc::new(other), "https://h.example", "default").unwrap();
            others.save(&token("old")).unwrap();
            assert!(directory.join(step.file).exists());
            panic!("the process is killed here");
        }
    });
    catch_unwind(AssertUnwindSafe(|| killed.check_writable())).unwrap_err();
    assert_eq!(unfinished(&path), 1);
    FileStore::open(&path).unwrap().check_writable().unwrap();
    assert_eq!(unfinished(&path), 0);
    std::fs::remove_dir_all(path).unwrap();
}
