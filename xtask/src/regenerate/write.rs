//! Several files, replaced together: after an error the tree is unchanged. Their content is decided
//! before.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::refusal::{Refusal, Stage};

/// A file to write: its path from the root, and its text.
pub type NewFile = (&'static str, String);

/// Lists the files that are not what they should be.
#[must_use]
pub fn stale(root: &Path, files: &[NewFile]) -> Vec<&'static str> {
    let differs = |(path, text): &&NewFile| {
        fs::read(root.join(path)).ok().as_deref() != Some(text.as_bytes())
    };
    files
        .iter()
        .filter(differs)
        .map(|(path, _)| *path)
        .collect()
}

/// Replaces every file that is not what it should be, all of them or none, and lists them.
///
/// # Errors
///
/// A file can't be written; those that were replaced before are put back.
pub fn replace_all(root: &Path, files: &[NewFile]) -> Result<Vec<&'static str>, Refusal> {
    replace_all_by(root, files, |from, to| fs::rename(from, to))
}

fn replace_all_by(
    root: &Path,
    files: &[NewFile],
    mut rename: impl FnMut(&Path, &Path) -> io::Result<()>,
) -> Result<Vec<&'static str>, Refusal> {
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
        write(&beside, text.as_bytes()).map_err(|error| refused(path, &error))?;
    }
    for (index, (beside, target, _)) in staged.0.iter().enumerate() {
        if let Err(error) = rename(beside, target) {
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

/// A name in the same folder, so that renaming moves no bytes.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.new"))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn put_back(beside: &Path, target: &Path, before: Option<&[u8]>) -> io::Result<()> {
    match before {
        Some(bytes) => {
            write(beside, bytes)?;
            fs::rename(beside, target)
        }
        None => fs::remove_file(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test, in the target folder.
    fn folder(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/xtask-write");
        let folder = folder.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn tree(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (
                    name,
                    fs::read_to_string(entry.path()).unwrap_or_else(|_| "folder".to_owned()),
                )
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn files_that_are_as_they_should_be_are_left() {
        let root = folder("left");
        fs::write(root.join("a"), "1").unwrap();
        let files = [("a", "1".to_owned()), ("b", "2".to_owned())];
        assert_eq!(stale(&root, &files), ["b"]);
        assert_eq!(replace_all(&root, &files).unwrap(), ["b"]);
        assert_eq!(
            tree(&root),
            [("a".into(), "1".into()), ("b".into(), "2".into())]
        );
    }

    #[test]
    fn a_rename_that_fails_puts_back_those_before_it() {
        let files = ["a", "b", "c"].map(|name| (name, "new".to_owned()));
        for failing in 0..files.len() {
            let root = folder("back");
            // One that is replaced, one that is new, one that is replaced.
            fs::write(root.join("a"), "old").unwrap();
            fs::write(root.join("c"), "old").unwrap();
            let before = tree(&root);
            let mut renamed = 0;
            let rename = |from: &Path, to: &Path| {
                if renamed == failing {
                    return Err(io::Error::other("the disk is gone"));
                }
                renamed += 1;
                fs::rename(from, to)
            };
            let refusal = replace_all_by(&root, &files, rename)
                .unwrap_err()
                .to_string();
            assert!(refusal.ends_with(": the disk is gone"), "{refusal}");
            assert_eq!(tree(&root), before, "the rename {failing} failed");
        }
    }

    #[test]
    fn a_folder_in_the_way_leaves_the_others_as_they_were() {
        let root = folder("way");
        fs::write(root.join("a"), "old").unwrap();
        fs::create_dir_all(root.join("b/c")).unwrap();
        let before = tree(&root);
        let files = ["a", "b"].map(|name| (name, "new".to_owned()));
        let refusal = replace_all(&root, &files).unwrap_err().to_string();
        assert!(refusal.starts_with("write: b: "), "{refusal}");
        assert_eq!(tree(&root), before);
    }

    #[test]
    fn a_folder_that_is_not_there_leaves_nothing_behind() {
        let root = folder("nothing");
        fs::write(root.join("a"), "old").unwrap();
        let files = [("a", "new".to_owned()), ("no/b", "new".to_owned())];
        assert!(
            replace_all(&root, &files)
                .unwrap_err()
                .to_string()
                .starts_with("write: no/b: ")
        );
        assert_eq!(tree(&root), [("a".into(), "old".into())]);
    }
}
