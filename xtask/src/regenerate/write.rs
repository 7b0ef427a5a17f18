//! Several files, replaced together: after an error the tree is unchanged, and after a kill it is
//! found out and repeated. Their content is decided before.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::refusal::{Refusal, Stage};

/// A file to write: its path from the root, and its text.
pub type NewFile = (&'static str, String);

/// The folder of the lock, from the root: git ignores it.
const LOCK_FOLDER: &str = "target";

/// The file whose lock a run holds that writes. It stays there, for a lock on a file that is
/// removed would exclude nobody.
const LOCK: &str = "regenerate.lock";

/// Locks a workspace against other runs that write, until the file is dropped.
///
/// # Errors
///
/// Another run holds the lock, or the file can't be made.
pub fn lock(root: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let folder = root.join(LOCK_FOLDER);
    fs::create_dir_all(&folder)?;
    let path = folder.join(LOCK);
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            let message = "another run is writing this workspace; wait for it, then run it again";
            io::Error::new(io::ErrorKind::WouldBlock, message)
        }
        TryLockError::Error(error) => error,
    })?;
    Ok(file)
}

/// Lists the files that are not what they should be, in the order of their paths.
#[must_use]
pub fn stale(root: &Path, files: &[NewFile]) -> Vec<&'static str> {
    let differs = |(path, text): &&NewFile| {
        fs::read(root.join(path)).ok().as_deref() != Some(text.as_bytes())
    };
    let mut stale: Vec<_> = files
        .iter()
        .filter(differs)
        .map(|(path, _)| *path)
        .collect();
    stale.sort_unstable();
    stale
}

/// Replaces every file that is not what it should be, all of them or none, and lists them.
///
/// They are replaced in their order: a run that is killed leaves the first ones new and the last
/// ones old. What it leaves beside them, the next run removes.
///
/// # Errors
///
/// A file can't be written; those that were replaced before are put back.
pub fn replace_all(root: &Path, files: &[NewFile]) -> Result<Vec<&'static str>, Refusal> {
    replace_all_on(&mut Disk, root, files)
}

/// The steps of a replacement, so that tests can let one fail or be the last one.
trait Steps {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The steps as they are.
struct Disk;

impl Steps for Disk {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}

fn replace_all_on(
    steps: &mut impl Steps,
    root: &Path,
    files: &[NewFile],
) -> Result<Vec<&'static str>, Refusal> {
    for (path, _) in files {
        // Of an earlier run that was killed; mostly there is none.
        let _ = fs::remove_file(beside(&root.join(path)));
    }
    let names = stale(root, files);
    let changed = files.iter().filter(|(path, _)| names.contains(path));
    let mut staged = Staged(Vec::new());
    for (path, text) in changed {
        let target = root.join(path);
        let before = match fs::read(&target) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(refused(path, &error)),
        };
        let beside = beside(&target);
        staged.0.push((beside.clone(), target, before));
        let written = steps.write(&beside, text.as_bytes());
        written.map_err(|error| refused(path, &error))?;
    }
    for (index, (beside, target, _)) in staged.0.iter().enumerate() {
        if let Err(error) = steps.rename(beside, target) {
            let done = staged.0.get(..index).unwrap_or_default();
            let mut refusal = refused(&target.display().to_string(), &error);
            for (beside, target, before) in done.iter().rev() {
                if let Err(error) = put_back(beside, target, before.as_deref()) {
                    let lost = refused(&target.display().to_string(), &error);
                    refusal.problems.extend(lost.problems);
                }
            }
            return Err(refusal);
        }
    }
    Ok(names)
}

/// Files written beside their targets; what is left of them is removed on drop.
struct Staged(Vec<(PathBuf, PathBuf, Option<Vec<u8>>)>);

impl Drop for Staged {
    fn drop(&mut self) {
        for (beside, _, _) in &self.0 {
            // After a rename there is nothing to remove.
            let _ = fs::remove_file(beside);
        }
    }
}

fn refused(path: &str, error: &io::Error) -> Refusal {
    Refusal::new(Stage::Write, "", format!("{path}: {error}"))
}

/// A name in the same folder, so that renaming moves no bytes. `.gitignore` has it too.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.new"))
}

fn put_back(beside: &Path, target: &Path, before: Option<&[u8]>) -> io::Result<()> {
    match before {
        Some(bytes) => {
            Disk.write(beside, bytes)?;
            Disk.rename(beside, target)
        }
        None => fs::remove_file(target),
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
