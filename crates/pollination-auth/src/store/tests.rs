//! The file store on a disk that loses power, and documents that must not be trusted.

mod documents;
mod power_loss;
mod virtual_disk;
