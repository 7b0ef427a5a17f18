//! The file store on a disk that loses power, documents that must not be trusted, and writers whose
//! lock is late, ends, or outlives them.

mod documents;
mod power_loss;
mod virtual_disk;
mod writers;
