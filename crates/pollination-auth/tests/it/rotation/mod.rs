//! Rotation on real files, over HTTP, in real processes. The unit tests cover the protocol alone.

mod child;
mod emergency_store;
mod failing_store;
mod faults;
#[cfg(unix)]
mod files;
mod futures;
mod holders;
mod kill;
mod leases;
mod logins;
mod processes;
mod redaction;
mod rulings;
mod support;
