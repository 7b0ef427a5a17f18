//! How the programs reach people who don't have cargo: wheels, archives, and Windows.

pub(crate) mod archive;
pub(crate) mod program;
pub(crate) mod wheel;
pub(crate) mod windows;
