//! Holds the credentials of Pollination: logs in, keeps the access token fresh, rotates the secret.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access_token;
mod base_url;
#[cfg(feature = "blocking")]
pub mod blocking;
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
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
mod middleware;
mod operation;
mod retry;
mod retry_after;
mod secret;
mod source;
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
#[cfg(feature = "reqwest-middleware")]
pub use middleware::AuthMiddleware;
#[cfg(feature = "tower")]
pub use middleware::{AuthLayer, AuthService};
pub use operation::Operation;
pub use retry::RetryPolicy;
pub use secret::Secret;
/// The HTTP client, in the version that [`ClientBuilder::configure_http`] hands through.
pub use transport::reqwest;
pub use wire::SecretBytes;
