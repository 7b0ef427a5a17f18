//! A disk in memory that writes down each step, and says what may be on it after a loss of power.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use zeroize::Zeroizing;

use super::super::StoreError;
use super::super::disk::protection::Protection;
use super::super::disk::{Disk, DiskLock, Written};

/// A step, as it was taken.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Write(String, Vec<u8>),
    Sync(String),
    Rename(String, String),
    Remove(String),
    SyncDirectory,
    /// Not a step on the disk: a whole write or removal has returned.
    Returned,
}

pub(super) type Files = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
pub(super) struct VirtualDisk {
    files: Mutex<Files>,
    trace: Mutex<Vec<Step>>,
}

impl VirtualDisk {
    pub(super) fn with(files: Files) -> Self {
        Self {
            files: Mutex::new(files),
            trace: Mutex::default(),
        }
    }

    pub(super) fn trace(&self) -> Vec<Step> {
        self.trace.lock().unwrap().clone()
    }

    pub(super) fn files_now(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap()
    }

    pub(super) fn note(&self, step: Step) {
        self.trace.lock().unwrap().push(step);
    }
}

impl Disk for VirtualDisk {
    fn read(&self, file: &str, _: Protection) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(self.files_now().get(file).cloned().map(Zeroizing::new))
    }

    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError> {
        self.note(Step::Write(file.to_owned(), bytes.to_vec()));
        let there = self.files_now().insert(file.to_owned(), bytes.to_vec());
        assert_eq!(there, None, "a new file takes no other's name");
        Ok(Box::new(|| {
            self.note(Step::Sync(file.to_owned()));
            Ok(())
        }))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.note(Step::Rename(from.to_owned(), to.to_owned()));
        let mut files = self.files_now();
        let bytes = files.remove(from).unwrap();
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&self, file: &str) -> Result<bool, StoreError> {
        self.note(Step::Remove(file.to_owned()));
        Ok(self.files_now().remove(file).is_some())
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        self.note(Step::SyncDirectory);
        Ok(())
    }

    fn files(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.files_now().keys().cloned().collect())
    }

    fn try_lock(&self, _: &str) -> Result<Option<DiskLock>, StoreError> {
        Ok(Some(Box::new(())))
    }

    fn is_locked(&self, _: &str) -> Result<bool, StoreError> {
        Ok(false)
    }
}

/// What is in a file that was written and not yet synced: nothing, a part, or all of it.
const CONTENTS: [usize; 3] = [0, 1, 2];

/// Returns every state in which the disk may be when the power fails behind the last of these steps.
///
/// Names change on the disk in any selection since the directory was last synced, and the content
/// of a file may be there in part until it was synced, whatever its name is by then.
pub(super) fn after_power_loss(steps: &[Step]) -> Vec<Files> {
    let synced = steps
        .iter()
        .rposition(|step| matches!(step, Step::SyncDirectory))
        .map_or(0, |position| position + 1);
    let (lasting, pending) = steps.split_at(synced);
    let changes: Vec<&Step> = pending.iter().filter(|step| changes_a_name(step)).collect();
    let mut states = Vec::new();
    for chosen in 0..1_usize << changes.len() {
        for content in CONTENTS {
            let mut names: BTreeMap<String, usize> = BTreeMap::new();
            let mut inodes: Vec<(Vec<u8>, bool)> = Vec::new();
            let mut current: BTreeMap<String, usize> = BTreeMap::new();
            let mut change = 0;
            for (position, step) in lasting.iter().chain(pending).enumerate() {
                let is_pending = position >= synced && changes_a_name(step);
                let lasts = !is_pending || chosen & (1 << change) != 0;
                change += usize::from(is_pending);
                take(step, lasts, &mut names, &mut current, &mut inodes);
            }
            let read = |inode: &usize| {
                let (bytes, is_synced) = &inodes[*inode];
                let length = if *is_synced {
                    bytes.len()
                } else {
                    bytes.len() * content / 2
                };
                bytes[..length].to_vec()
            };
            let files = names
                .iter()
                .map(|(name, inode)| (name.clone(), read(inode)));
            states.push(files.collect());
        }
    }
    states
}

fn changes_a_name(step: &Step) -> bool {
    matches!(step, Step::Write(..) | Step::Rename(..) | Step::Remove(_))
}

/// Takes a step in memory, and in the directory on the disk if it lasts there.
fn take(
    step: &Step,
    lasts: bool,
    names: &mut BTreeMap<String, usize>,
    current: &mut BTreeMap<String, usize>,
    inodes: &mut Vec<(Vec<u8>, bool)>,
) {
    match step {
        Step::Write(file, bytes) => {
            inodes.push((bytes.clone(), false));
            current.insert(file.clone(), inodes.len() - 1);
            if lasts {
                names.insert(file.clone(), inodes.len() - 1);
            }
        }
        Step::Sync(file) => inodes[current[file]].1 = true,
        Step::Rename(from, to) => {
            let inode = current.remove(from).unwrap();
            current.insert(to.clone(), inode);
            if lasts {
                names.remove(from);
                names.insert(to.clone(), inode);
            }
        }
        Step::Remove(file) => {
            current.remove(file);
            if lasts {
                names.remove(file);
            }
        }
        Step::SyncDirectory | Step::Returned => {}
    }
}
