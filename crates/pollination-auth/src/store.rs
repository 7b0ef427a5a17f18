//! Where credentials are kept: stores, and files that others write.
//!
//! `credential_store` has the traits that a store implements, `record` and `journal` the content of
//! the two documents, `writer` the checks before a write. `rotation` decides the order of the
//! writes.

mod change;
pub(crate) mod credential_files;
mod credential_store;
mod default_directory;
mod disk;
mod document;
mod error;
mod file;
pub(crate) mod journal;
mod kept_access_token;
#[cfg(feature = "keyring")]
mod keyring;
mod keyring_mark;
pub(crate) mod kind;
mod lock_wait;
mod memory;
mod profile;
pub(crate) mod record;
mod stored_document;
mod stored_token;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub(crate) use self::change::CHANGE_PATIENCE;
pub use self::credential_store::{CredentialStore, ProfileLock, StoreFuture, StoreLock};
pub use self::default_directory::NoDefaultDirectory;
pub use self::error::StoreError;
pub use self::file::FileStore;
pub use self::journal::Ruling;
pub use self::kept_access_token::KeptAccessToken;
#[cfg(feature = "keyring")]
pub use self::keyring::KeyringStore;
pub use self::kind::Document;
pub use self::memory::MemoryStore;
pub(crate) use self::profile::JournalState;
pub use self::profile::Profile;
pub use self::stored_document::{StoredDocument, Version};
pub use self::stored_token::StoredToken;
pub(crate) use self::task::{Unfinished, on_blocking_thread};
pub(crate) use self::writer::Writer;
