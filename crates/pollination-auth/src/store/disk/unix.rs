//! What Unix knows of owners and modes, and how a link is not followed.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Protection;

/// The bits with which others than the owner can read, write or search.
const OTHERS: u32 = 0o077;

/// The bits with which others than the owner can write.
const OTHERS_WRITE: u32 = 0o022;

/// Opens no symbolic link, and does not wait for the other end of a pipe.
pub(super) fn do_not_follow(options: &mut OpenOptions) {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    options.custom_flags(flags.bits().cast_signed());
}

pub(super) fn is_a_link(error: &io::Error) -> bool {
    let link = [Errno::LOOP, Errno::MLINK].map(|errno| errno.raw_os_error());
    error
        .raw_os_error()
        .is_some_and(|code| link.contains(&code))
}

pub(super) fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

pub(super) fn check_directory(metadata: &Metadata) -> Result<(), &'static str> {
    if metadata.uid() != own_id() {
        Err("it belongs to another user")
    } else if metadata.mode() & OTHERS_WRITE != 0 {
        Err("others can write to it; make it private with chmod 700")
    } else {
        Ok(())
    }
}

pub(super) fn check_file(metadata: &Metadata, protection: Protection) -> Result<(), &'static str> {
    let mode = metadata.mode();
    if metadata.uid() != own_id() {
        Err("it belongs to another user")
    } else if mode & OTHERS_WRITE != 0 {
        Err("others can write to it; look at what stands in it, then chmod 600")
    } else if mode & OTHERS != 0 && protection == Protection::Private {
        Err("others can read it; make it private with chmod 600, and then rotate the secret")
    } else {
        Ok(())
    }
}

fn own_id() -> u32 {
    rustix::process::geteuid().as_raw()
}
