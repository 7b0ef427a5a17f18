//! The basics of all layers: secrets, clocks, the operations, the base URL, the runtime.

pub(crate) mod base_url;
pub(crate) mod chance;
pub(crate) mod clock;
pub(crate) mod digest;
pub(crate) mod operation;
pub(crate) mod runtime;
pub(crate) mod secret;
