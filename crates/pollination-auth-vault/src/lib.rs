//! A credential store for [`pollination_auth`] on version 2 of the KV secrets engine of HashiCorp
//! Vault and OpenBao.
//!
//! A fleet of processes shares one credential: each reads it, each may rotate it, one at a time.
//!
//! ```no_run
//! use pollination_auth::{Client, RotateOptions, Secret};
//! use pollination_auth_vault::{VaultAuth, VaultStore};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = VaultStore::builder("https://vault.example.com:8200")
//!     .auth(VaultAuth::app_role("a-role-id", Secret::from("a-secret-id")))
//!     .build()?;
//! let client = Client::builder().store(store).build()?;
//! let token = client.access_token().await?;
//! let rotated = client.rotation(RotateOptions::default()).rotate().await?;
//! # let _ = (token, rotated);
//! # Ok(())
//! # }
//! ```
//!
//! # What it keeps, and where
//!
//! One KV secret for each profile, `pollination/<profile>` below the mount `secret` unless the
//! builder is told otherwise. It contains both documents, the credential and the journal of a
//! rotation, and who holds the lock. [`VaultStore::path`] returns its path. The store makes the
//! engine keep one version of it and refuse writes without check-and-set. Whatever is replaced or
//! removed is destroyed, in every version.
//!
//! # The lock
//!
//! The lock is a lease: its holder writes a mark into the secret, and renews it every third of
//! the [lease](VaultStoreBuilder::lease). Every write is a check-and-set on the whole secret.
//!
//! - *No two holders write.* Whoever takes the lock over writes, so the version that the former
//!   holder knows is no longer the current one. All of its later writes are refused, at whatever
//!   step it was paused and for however long. It learns [`StoreError::LockLost`].
//! - *No clocks are compared.* A process takes the lock over once it has seen one and the same
//!   version for a whole lease, by its own monotonic clock.
//! - *A lost reply is looked up.* Every write carries a mark of its own. If a write had to be
//!   repeated and the version is no longer the expected one, the mark shows whether the first
//!   request was carried out.
//! - *The question whether the lock is still held is a renewal.* So a request that is sent after
//!   it has a whole lease before it.
//!
//! A process that is killed blocks the others for one lease. A request to the service itself can't
//! be fenced: if a process stands still for longer than its lease right between that question and
//! the request, the service may carry out a request of a former holder. The rotation then ends with
//! `RotateError::PersistFailed`, which carries the new secret.
//!
//! # The policy
//!
//! Readers need the first capability of the first path. Those who rotate need all:
//!
//! ```hcl
//! path "secret/data/pollination/*"     { capabilities = ["read", "create", "update"] }
//! path "secret/metadata/pollination/*" { capabilities = ["read", "create", "update"] }
//! path "secret/destroy/pollination/*"  { capabilities = ["update"] }
//! ```
//!
//! # Connections
//!
//! It follows no redirect, speaks plain http to no other machine unless you allow it by name, and
//! repeats what the server can't serve for 15 s ([`patience`](VaultStoreBuilder::patience)). It
//! needs a Tokio runtime with IO and timers.
//!
//! [`StoreError::LockLost`]: pollination_auth::StoreError::LockLost

mod address;
mod auth;
mod builder;
mod error;
mod held;
mod kv;
mod lock;
mod server;
mod session;
mod slot;
mod store;
mod text;
mod tls;
mod watch;

pub use auth::VaultAuth;
pub use builder::VaultStoreBuilder;
pub use error::VaultError;
pub use store::VaultStore;

/// The crate's page, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The page that leads from an empty server to a client, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/vault.md")]
struct Page;
