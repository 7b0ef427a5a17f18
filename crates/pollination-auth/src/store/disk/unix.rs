//! The store's directory on Unix: a descriptor that every file is opened by, so that no swap of a
//! path redirects a step, and what Unix knows of owners and modes.

mod owner;
mod parents;
mod sync;

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use self::owner::own_id;
use self::sync::NameSync;
use super::protection::{Protection, unsafe_path};
use crate::store::StoreError;

/// The bits with which others than the owner can read, write or search.
const OTHERS: u32 = 0o077;

/// The bits with which others than the owner can write.
const OTHERS_WRITE: u32 = 0o022;

/// The mode of every file: for its owner alone.
const PRIVATE: u32 = 0o600;

/// Opens no symbolic link, and does not wait for the other end of a pipe.
const NO_LINK: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// The store's directory as it was opened.
pub(super) struct Directory {
    /// The path that it was opened by, which must still lead to it.
    path: PathBuf,
    open: File,
    names: NameSync,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, NameSync::new(File::sync_all))
    }

    fn open_with(path: &Path, names: NameSync) -> Result<Self, StoreError> {
        let failed = |error| StoreError::failed("open its directory", error);
        // A later change of the working directory must not change what the path means.
        let path = std::path::absolute(path).map_err(failed)?;
        let real = parents::resolve(&path, &names)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | NO_LINK;
        let open = rustix::fs::open(&real, flags, Mode::empty())
            .map_err(|errno| failed(errno.into()))?
            .into();
        let directory = Self { path, open, names };
        directory.check()?;
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the path still leads to the directory that was opened, and that no one else can
    /// write to it.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let failed = |error| StoreError::failed("check its directory", error);
        let open = self.open.metadata().map_err(failed)?;
        let problem = match fs::metadata(&self.path) {
            Ok(now) if is_same(&open, &now) => directory_problem(&open, self.is_link()),
            Ok(_) => Some("it was replaced while the store was open; find out by whom"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("it was removed while the store was open; open the store again")
            }
            Err(error) => return Err(failed(error)),
        };
        problem.map_or(Ok(()), |problem| Err(unsafe_path(&self.path, problem)))
    }

    /// Returns `true` if the path is a link, so that what it leads to may be everybody's.
    fn is_link(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_symlink())
    }

    pub(super) fn open_file(&self, file: &str) -> io::Result<File> {
        self.open_at(file, OFlags::RDONLY)
    }

    /// Creates a file that is not there yet, for this user alone.
    pub(super) fn create_file(&self, file: &str) -> io::Result<File> {
        let open = self.open_at(file, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        // A umask can only have taken away what this user needs.
        open.set_permissions(Permissions::from_mode(PRIVATE))?;
        Ok(open)
    }

    pub(super) fn lock_file(&self, file: &str) -> io::Result<File> {
        self.open_at(file, OFlags::WRONLY | OFlags::CREATE)
    }

    fn open_at(&self, file: &str, flags: OFlags) -> io::Result<File> {
        let mode = Mode::from_bits_truncate(PRIVATE);
        let open = rustix::fs::openat(&self.open, file, flags | NO_LINK, mode)?;
        Ok(open.into())
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.open, from, &self.open, to)?)
    }

    pub(super) fn remove(&self, file: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.open, file, AtFlags::empty())?)
    }

    /// Waits until the names in the directory are on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.names.sync(&self.open, &self.path)
    }

    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.open)? {
            // A name that is no text is not one of ours.
            names.extend(entry?.file_name().to_str().map(ToOwned::to_owned));
        }
        Ok(names)
    }
}

/// Takes the lock on a file alone; returns `false` if others have it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// Takes the lock on a file together with others; returns `false` if one has it alone.
pub(super) fn try_lock_shared(file: &File) -> io::Result<bool> {
    flock(file, FlockOperation::NonBlockingLockShared)
}

pub(super) fn unlock(file: &File) -> io::Result<()> {
    Ok(rustix::fs::flock(file, FlockOperation::Unlock)?)
}

fn flock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match rustix::fs::flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

pub(super) fn is_a_link(error: &io::Error) -> bool {
    let link = [Errno::LOOP, Errno::MLINK].map(|errno| errno.raw_os_error());
    error
        .raw_os_error()
        .is_some_and(|code| link.contains(&code))
}

pub(super) fn check_file(metadata: &Metadata, protection: Protection) -> Result<(), &'static str> {
    let mode = metadata.mode();
    if metadata.uid() != own_id() {
        Err("it belongs to another user")
    } else if mode & OTHERS_WRITE != 0 {
        Err("others can write to it; check its content, then make it private with chmod 600")
    } else if mode & OTHERS != 0 && protection == Protection::Private {
        Err("others can read it; make it private with chmod 600, and then rotate the secret")
    } else {
        Ok(())
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn directory_problem(metadata: &Metadata, is_link: bool) -> Option<&'static str> {
    let is_foreign = metadata.uid() != own_id();
    let is_open = metadata.mode() & OTHERS_WRITE != 0;
    match (is_foreign, is_open, is_link) {
        (true, _, false) => Some("it belongs to another user"),
        (true, _, true) => Some(
            "it is a symbolic link to a directory of another user; replace the link with a \
             directory of your own",
        ),
        (false, true, false) => Some("others can write to it; make it private with chmod 700"),
        (false, true, true) => Some(
            "it is a symbolic link to a directory that others can write to; replace the link with \
             a directory of your own",
        ),
        (false, false, _) => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::super::{Disk as _, RealDisk};
    use super::*;

    /// A user who is neither root nor the one of these tests.
    const OTHER: u32 = 54_321;

    pub(in super::super) fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A directory below that of temporary files, removed with the value.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("edges-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _left_over = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            set_mode(&path, 0o755);
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    /// The path that is refused, and why.
    fn refusal<T>(result: Result<T, StoreError>) -> (String, &'static str) {
        match result {
            Err(StoreError::Unsafe { what, problem }) => (what, problem),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it was not refused"),
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    #[test]
    fn row_85_a_parent_that_others_can_write_to_is_refused_before_anything_is_made_in_it() {
        let scratch = Scratch::new("parent");
        let above = scratch.0.join("above");
        fs::create_dir_all(above.join("between")).unwrap();
        for mode in [0o777, 0o707, 0o703] {
            set_mode(&above, mode);
            let (what, problem) = refusal(RealDisk::open(&above.join("between/store")));
            assert_eq!(Path::new(&what), above, "{mode:o}");
            assert!(problem.contains("others can write to it"), "{problem}");
        }
        assert_eq!(names(&above.join("between")), [""; 0]);
        for mode in [0o755, 0o700, 0o1777] {
            set_mode(&above, mode);
            RealDisk::open(&above.join("between/store")).unwrap();
        }
    }

    #[test]
    fn row_85_a_link_on_the_way_counts_with_the_directories_that_hold_it() {
        let scratch = Scratch::new("link");
        let (open, safe) = (scratch.0.join("open"), scratch.0.join("safe"));
        for path in [&open, &safe] {
            fs::create_dir(path).unwrap();
            set_mode(path, 0o755);
        }
        symlink("../safe/store", open.join("second")).unwrap();
        symlink("../open/second", safe.join("first")).unwrap();
        let disk = RealDisk::open(&safe.join("first")).unwrap();
        drop(disk.write("a", b"x").unwrap());
        assert_eq!(names(&safe.join("store")), ["a"]);
        set_mode(&open, 0o777);
        let (what, _) = refusal(RealDisk::open(&safe.join("first")));
        assert_eq!(Path::new(&what), open);
        symlink("circle", safe.join("circle")).unwrap();
        let circle = RealDisk::open(&safe.join("circle"));
        assert!(matches!(circle, Err(StoreError::Failed { .. })));
    }

    /// Only root can give a file away; for everyone else the table of `parents` has these cases.
    #[test]
    fn row_85_a_parent_of_another_user_is_refused() {
        let scratch = Scratch::new("owner");
        let above = scratch.0.join("above");
        fs::create_dir(&above).unwrap();
        set_mode(&above, 0o755);
        if own_id() != 0 {
            let refused = chown(&above, Some(OTHER), None).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
            return;
        }
        chown(&above, Some(OTHER), None).unwrap();
        let (what, problem) = refusal(RealDisk::open(&above.join("store")));
        assert_eq!(Path::new(&what), above);
        assert!(problem.contains("another user"), "{problem}");

        // Of another's group, and open to it.
        chown(&above, Some(0), Some(OTHER)).unwrap();
        set_mode(&above, 0o775);
        refusal(RealDisk::open(&above.join("store")));

        // Sticky, with what lies in it another's.
        chown(&above, Some(0), Some(0)).unwrap();
        set_mode(&above, 0o1777);
        symlink(&scratch.0, above.join("planted")).unwrap();
        std::os::unix::fs::lchown(above.join("planted"), Some(OTHER), None).unwrap();
        refusal(RealDisk::open(&above.join("planted/store")));

        // And the store's own directory.
        RealDisk::open(&above.join("store")).unwrap();
        chown(above.join("store"), Some(OTHER), None).unwrap();
        let (what, _) = refusal(RealDisk::open(&above.join("store")));
        assert_eq!(Path::new(&what), above.join("store"));
    }

    #[test]
    fn row_85_a_directory_that_is_swapped_after_it_was_opened_is_refused_at_each_step() {
        let scratch = Scratch::new("swap");
        let (store, aside) = (scratch.0.join("store"), scratch.0.join("aside"));
        let disk = RealDisk::open(&store).unwrap();
        disk.write("a", b"x").unwrap()().unwrap();
        fs::rename(&store, &aside).unwrap();
        let (_, problem) = refusal(disk.write("b", b"x").map(drop));
        assert!(problem.contains("removed"), "{problem}");

        let other = RealDisk::open(&store).unwrap();
        drop(other.write("a", b"planted").unwrap());
        let refusals = [
            refusal(disk.write("b", b"x").map(drop)),
            refusal(disk.rename("a", "c")),
            refusal(disk.remove("a")),
            refusal(disk.files()),
            refusal(disk.try_lock("a.lock")),
            refusal(disk.read("a", Protection::Private)),
        ];
        for (what, problem) in refusals {
            assert_eq!(Path::new(&what), store);
            assert!(problem.contains("replaced"), "{problem}");
        }
        assert_eq!(
            (names(&store), names(&aside)),
            (vec!["a".to_owned()], vec!["a".to_owned()])
        );

        // Back in its place it is the one that was opened.
        fs::remove_dir_all(&store).unwrap();
        fs::rename(&aside, &store).unwrap();
        disk.rename("a", "b").unwrap();
        assert_eq!(names(&store), ["b"]);
    }

    #[test]
    fn row_85_a_directory_that_was_opened_to_others_since_is_refused_before_a_write_and_a_rename() {
        let scratch = Scratch::new("mode");
        let store = scratch.0.join("store");
        let disk = RealDisk::open(&store).unwrap();
        drop(disk.write("a", b"x").unwrap());
        set_mode(&store, 0o770);
        for refused in [disk.write("b", b"x").map(drop), disk.rename("a", "c")] {
            let (_, problem) = refusal(refused);
            assert!(problem.contains("chmod 700"), "{problem}");
        }
        assert_eq!(names(&store), ["a"]);
    }

    #[test]
    fn row_85_a_step_goes_to_the_directory_that_was_opened_whatever_its_path_leads_to() {
        let scratch = Scratch::new("descriptor");
        let (store, aside) = (scratch.0.join("store"), scratch.0.join("aside"));
        let disk = RealDisk::open(&store).unwrap();
        fs::rename(&store, &aside).unwrap();
        fs::create_dir(&store).unwrap();
        // Below the check: as if the swap came right after it.
        drop(disk.0.create_file("a").unwrap());
        disk.0.rename("a", "b").unwrap();
        assert_eq!(
            (names(&store), names(&aside)),
            (vec![], vec!["b".to_owned()])
        );
        disk.0.remove("b").unwrap();
        assert_eq!(names(&aside), [""; 0]);
    }
}
