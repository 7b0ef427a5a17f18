//! Holds the credentials of Pollination: logs in, keeps the access token fresh, rotates the secret.

mod access_token;
mod base_url;
mod builder;
mod cache;
mod calls;
mod client;
mod clock;
mod credential;
mod env;
mod error;
mod failure;
mod jwt;
mod operation;
mod retry;
mod retry_after;
mod rotation;
mod secret;
mod source;
mod store;
mod transport;
mod validity;
mod verdict;
mod wire;

pub use access_token::AccessToken;
pub use base_url::BaseUrlError;
pub use builder::{BuildError, ClientBuilder};
pub use client::Client;
pub use clock::{Clock, Moment, SystemClock};
pub use credential::{ApiToken, ApiTokenId, CredentialError};
pub use error::Error;
pub use failure::{Failure, Location, Reason, Violation};
pub use operation::Operation;
pub use retry::RetryPolicy;
pub use rotation::{
    Recovered, RotateCause, RotateError, RotateFailure, RotateOptions, Rotated, Rotation,
    RotationHandle, RotationStatus,
};
pub use secret::Secret;
pub use store::{
    CredentialStore, DiskStep, DiskStepKind, Document, FileStore, MemoryStore, Profile, ProfileId,
    StoreError, StoreLock,
};
/// The HTTP client, in the version that [`ClientBuilder::configure_http`] hands through.
pub use transport::reqwest;
pub use wire::SecretBytes;
