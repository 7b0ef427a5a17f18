//! Syncs the names in a directory to disk, as far as its file system can.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

/// What a file system answers that can't sync a directory.
const CAN_NOT: [Errno; 3] = [Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP];

/// Syncs directories, and warns once of a file system that can't.
pub(super) struct NameSync {
    sync: fn(&File) -> io::Result<()>,
    warned: AtomicBool,
}

impl NameSync {
    pub(super) fn new(sync: fn(&File) -> io::Result<()>) -> Self {
        Self {
            sync,
            warned: AtomicBool::new(false),
        }
    }

    /// Waits until the names in a directory are on the disk.
    ///
    /// Some network and FUSE file systems have no such call for directories. They sync the
    /// names by themselves or not at all, and a second try changes nothing.
    pub(super) fn sync(&self, directory: &File, path: &Path) -> io::Result<()> {
        match (self.sync)(directory) {
            Err(error) if is_unsupported(&error) => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        directory = %path.display(),
                        %error,
                        "the file system can't sync a directory to disk; a power failure can undo \
                         the last change of the credential store"
                    );
                }
                Ok(())
            }
            other => other,
        }
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    let can_not = CAN_NOT.map(|errno| errno.raw_os_error());
    error
        .raw_os_error()
        .is_some_and(|code| can_not.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::super::Directory;
    use super::*;
    use crate::store::disk::{Disk as _, RealDisk};
    use crate::testing::log::logged;

    fn fails(errno: Errno) -> io::Result<()> {
        Err(errno.into())
    }

    #[test]
    fn row_79_a_file_system_that_can_not_sync_a_directory_is_warned_of_once() {
        let path = std::env::temp_dir().join(format!("no-sync-{}", std::process::id()));
        let syncs: [fn(&File) -> io::Result<()>; 3] = [
            |_| fails(Errno::INVAL),
            |_| fails(Errno::NOTSUP),
            |_| fails(Errno::OPNOTSUPP),
        ];
        for sync in syncs {
            let (results, log) = logged(|| {
                // The first sync is that of the parent, whose new entry the directory is.
                let opened = Directory::open_with(&path, NameSync::new(sync)).map(RealDisk);
                let disk = opened.unwrap();
                [disk.sync_directory(), disk.sync_directory()]
            });
            std::fs::remove_dir(&path).unwrap();
            assert!(results.iter().all(Result::is_ok), "{results:?}");
            assert_eq!(log.matches("WARN").count(), 1, "{log}");
            assert!(log.contains("can't sync a directory to disk"), "{log}");
        }
    }

    #[test]
    fn row_79_every_other_error_of_a_sync_stays_one() {
        let path = std::env::temp_dir().join(format!("bad-sync-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        super::super::tests::set_mode(&path, 0o700);
        let syncs: [fn(&File) -> io::Result<()>; 3] = [
            |_| fails(Errno::IO),
            |_| fails(Errno::NOSPC),
            |_| fails(Errno::ROFS),
        ];
        for sync in syncs {
            let (result, log) = logged(|| {
                let disk = Directory::open_with(&path, NameSync::new(sync)).map(RealDisk);
                disk.unwrap().sync_directory()
            });
            assert!(result.is_err());
            assert_eq!(log, "");
        }
        std::fs::remove_dir(&path).unwrap();
    }
}
