//! The file store on a disk that loses power, documents that must not be trusted, and writers whose
//! lock is late, ends, or outlives them.

mod documents;
mod killed_check;
pub(crate) mod observed_disk;
mod power_loss;
mod virtual_disk;
mod writers;
