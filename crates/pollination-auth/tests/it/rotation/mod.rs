//! Rotation on real files, over HTTP, in real processes; the protocol alone is tested in the crate.

mod child;
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
