//! Who runs this process.

pub(super) fn own_id() -> u32 {
    rustix::process::geteuid().as_raw()
}
