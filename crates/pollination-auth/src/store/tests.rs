//! The file store on a disk that loses power, documents that must not be trusted, and writers whose
//! lock is late, ends, or outlives them.

mod cut_off;
mod documents;
pub(crate) mod observed_disk;
mod power_loss;
mod replicas;
mod virtual_disk;
mod writers;
