//! Every directory on the way to the store's own: followed from the root, and refused where
//! somebody else could put another one in its place.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::owner::own_id;
use super::sync::NameSync;
use crate::store::StoreError;
use crate::store::disk::protection::unsafe_path;

/// The user who can change every directory anyway.
const ROOT: u32 = 0;

/// The bit with which the members of the group can write.
const GROUP_WRITES: u32 = 0o020;

/// The bit with which everyone can write.
const EVERYONE_WRITES: u32 = 0o002;

/// The bit with which an entry is removed or renamed by its owner alone.
const STICKY: u32 = 0o1000;

/// The mode of a directory that is created: for its owner alone.
const PRIVATE: u32 = 0o700;

/// The number that Linux shows for a user who has none in this process's user namespace: 65 534.
const UNMAPPED: u32 = 65_534;

/// The most symbolic links on the way: 40, as on Linux. A longer way is a circle.
const LINKS: usize = 40;

/// Returns the path without links, with every directory of it there.
///
/// It goes from the root down, so that each step is taken in a directory that is already known to
/// be safe: nobody else can change what it has seen. The directories that hold a link on the way
/// are checked as well.
pub(super) fn resolve(path: &Path, names: &NameSync) -> Result<PathBuf, StoreError> {
    let looking = |error| StoreError::failed("check its directory", error);
    let mut real = PathBuf::from("/");
    let mut rest = Vec::new();
    push(&mut rest, path);
    let mut links = 0;
    while let Some(step) = rest.pop() {
        match Path::new(&step).components().next() {
            Some(Component::RootDir) => real = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                real.pop();
            }
            Some(Component::Normal(name)) => {
                let entry = real.join(name);
                let metadata = enter(&real, &entry, names)?;
                if metadata.is_symlink() {
                    links += 1;
                    if links > LINKS {
                        return Err(looking(Errno::LOOP.into()));
                    }
                    push(&mut rest, &fs::read_link(&entry).map_err(looking)?);
                } else {
                    real = entry;
                }
            }
            Some(Component::CurDir | Component::Prefix(_)) | None => {}
        }
    }
    Ok(real)
}

/// Pushes the components of a path, the first one on top.
fn push(rest: &mut Vec<OsString>, path: &Path) {
    let steps = path.components().rev();
    rest.extend(steps.map(|step| step.as_os_str().to_owned()));
}

/// Returns the metadata of an entry, creating a directory if it is missing.
fn enter(parent: &Path, entry: &Path, names: &NameSync) -> Result<Metadata, StoreError> {
    let looking = |error| StoreError::failed("check its directory", error);
    let metadata = match fs::symlink_metadata(entry) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            check(parent, entry, own_id())?;
            create(parent, entry, names)
                .map_err(|error| StoreError::failed("create its directory", error))?;
            fs::symlink_metadata(entry).map_err(looking)?
        }
        found => found.map_err(looking)?,
    };
    check(parent, entry, metadata.uid())?;
    Ok(metadata)
}

/// Creates a directory that survives a power failure.
fn create(parent: &Path, directory: &Path, names: &NameSync) -> io::Result<()> {
    match DirBuilder::new().mode(PRIVATE).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // The name of a directory is kept by the one above it.
    names.sync(&File::open(parent)?, parent)
}

/// Checks that nobody else can replace an entry of a directory; the owner is the entry's.
fn check(parent: &Path, entry: &Path, owner: u32) -> Result<(), StoreError> {
    let metadata = fs::symlink_metadata(parent)
        .map_err(|error| StoreError::failed("check its directory", error))?;
    let parent_is = Parent {
        owner: metadata.uid(),
        group: metadata.gid(),
        mode: metadata.mode(),
    };
    let trusted = Trusted::here();
    match parent_is.who_replaces(&trusted) {
        Replacer::Others(problem) => Err(unsafe_path(parent, problem)),
        Replacer::ItsOwner if !trusted.has(owner) => {
            Err(unsafe_path(entry, "it belongs to another user"))
        }
        Replacer::ItsOwner | Replacer::Nobody => Ok(()),
    }
}

/// What is known of a directory above the store's.
struct Parent {
    owner: u32,
    group: u32,
    mode: u32,
}

/// Who else can replace an entry of a directory.
enum Replacer {
    Nobody,
    /// The owner of the entry: the directory is sticky.
    ItsOwner,
    /// Somebody else, for this reason.
    Others(&'static str),
}

impl Parent {
    fn who_replaces(&self, trusted: &Trusted) -> Replacer {
        // A system that gives each user a private group gives it the user's number, and lets the
        // group write by default. Its members can't be asked for everywhere, so the number decides.
        let is_private_group = self.group == self.owner;
        let writers = if is_private_group {
            EVERYONE_WRITES
        } else {
            EVERYONE_WRITES | GROUP_WRITES
        };
        if !trusted.has(self.owner) {
            Replacer::Others(
                "it belongs to another user, who could replace the credential store below it",
            )
        } else if self.mode & writers == 0 {
            Replacer::Nobody
        } else if self.mode & STICKY != 0 {
            Replacer::ItsOwner
        } else {
            Replacer::Others(
                "others can write to it and replace the credential store below it; take that away \
                 with chmod go-w",
            )
        }
    }
}

/// The users who can replace the store anyway, or whose store it is.
struct Trusted {
    own: u32,
    /// Root has no number in this user namespace, as in a sandbox. The root directory shows that.
    is_root_unmapped: bool,
}

impl Trusted {
    fn here() -> Self {
        Self {
            own: own_id(),
            is_root_unmapped: fs::metadata("/").is_ok_and(|root| root.uid() == UNMAPPED),
        }
    }

    fn has(&self, user: u32) -> bool {
        user == self.own || user == ROOT || self.is_root_unmapped && user == UNMAPPED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The user of these tests, and one who is neither that nor root.
    const OWN: u32 = 1000;
    const OTHER: u32 = 1001;

    fn is_refused(owner: u32, group: u32, mode: u32, entry_owner: u32) -> bool {
        let trusted = Trusted {
            own: OWN,
            is_root_unmapped: false,
        };
        match (Parent { owner, group, mode }).who_replaces(&trusted) {
            Replacer::Nobody => false,
            Replacer::ItsOwner => !trusted.has(entry_owner),
            Replacer::Others(_) => true,
        }
    }

    #[test]
    fn row_85_only_a_parent_in_which_nobody_else_can_replace_the_next_one_is_safe() {
        for (owner, group, mode, entry_owner) in [
            (ROOT, ROOT, 0o755, OWN),
            (OWN, OWN, 0o700, OWN),
            // The group is the user's own, by its number.
            (OWN, OWN, 0o775, OWN),
            (ROOT, ROOT, 0o775, OWN),
            (ROOT, ROOT, 0o1777, OWN),
            (ROOT, ROOT, 0o1777, ROOT),
            (OWN, 100, 0o1770, OWN),
            (OWN, 100, 0o755, OWN),
        ] {
            assert!(
                !is_refused(owner, group, mode, entry_owner),
                "{owner} {group} {mode:o} {entry_owner}"
            );
        }
        for (owner, group, mode, entry_owner) in [
            (OTHER, OTHER, 0o755, OWN),
            (OTHER, OTHER, 0o1777, OWN),
            (ROOT, ROOT, 0o777, OWN),
            (OWN, OWN, 0o702, OWN),
            (OWN, 100, 0o770, OWN),
            (ROOT, OWN, 0o775, OWN),
            (ROOT, ROOT, 0o1777, OTHER),
            (OWN, 100, 0o1770, OTHER),
        ] {
            assert!(
                is_refused(owner, group, mode, entry_owner),
                "{owner} {group} {mode:o} {entry_owner}"
            );
        }
    }

    #[test]
    fn row_85_a_user_without_a_number_is_trusted_in_a_sandbox_alone() {
        let trusted = Trusted {
            own: OWN,
            is_root_unmapped: true,
        };
        let root_directory = |mode| Parent {
            owner: UNMAPPED,
            group: UNMAPPED,
            mode,
        };
        let verdict = |mode| root_directory(mode).who_replaces(&trusted);
        assert!(matches!(verdict(0o755), Replacer::Nobody));
        assert!(matches!(verdict(0o777), Replacer::Others(_)));
        assert!(!trusted.has(OTHER));
        let outside = Trusted {
            own: OWN,
            is_root_unmapped: false,
        };
        assert!(!outside.has(UNMAPPED));
    }
}
