//! The test kit for authors of stores: whether a [`CredentialStore`](crate::CredentialStore) keeps its promises.
//!
//! A rotation loses no secret because its store keeps a few promises. [`check`] puts each of them
//! to the test: on single calls, and by whole rotations that end, or whose lock ends, at every step.
//! The rotations are those of [`Client::rotation`](crate::Client::rotation), against a made-up
//! service without network and waits, so a check takes as long as a few thousand calls of the store.
//!
//! It proves nothing about what a test can't see: that a document survives a loss of power, or that a
//! lock excludes other machines.
//!
//! ```
//! use pollination_auth::testing::conformance::{Harness, check};
//! use pollination_auth::{CredentialStore, MemoryStore, StoreFuture};
//! use std::sync::Arc;
//!
//! struct Memory(MemoryStore);
//!
//! impl Harness for Memory {
//!     /// For a store on a server: a new connection, as another process has it.
//!     fn open(&self) -> StoreFuture<'_, Arc<dyn CredentialStore>> {
//!         Box::pin(async { Ok(Arc::new(self.0.clone()) as Arc<dyn CredentialStore>) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let report = check(&Memory(MemoryStore::new())).await;
//! assert!(report.is_kept(), "{report}");
//! # }
//! ```

mod check;
mod documents;
mod harness;
mod locks;
mod report;
mod schedules;
mod stage;

pub use self::check::check;
pub use self::harness::Harness;
pub use self::report::{Finding, Promise, Report};
