//! A Rust client for the authentication API of Pollination, a cloud service for building
//! simulation.
//!
//! You have an API token: an id and a secret. A [`Client`] logs in with it, keeps one access token
//! fresh for all of your tasks, and reports each [`Error`] by type, so you know what to do next.
//!
//! ```
//! use pollination_auth::{ApiToken, Client, Secret};
//! use pollination_auth_fake::FakeService;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // The service in memory; leave out `base_url` to call the real one.
//!     let service = FakeService::builder().id("an-id").secret("a-secret").start();
//!     let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
//!     let client = Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
//!
//!     let token = client.access_token().await?;
//!     let header = format!("Bearer {}", token.expose_secret());
//!     assert!(header.len() > 100);
//!     Ok(())
//! }
//! ```
//!
//! # How do I …
//!
//! **… get a token?** [`Client::access_token`], as often as you like: it logs in once, and again
//! before the token expires. [`Client::access_token_valid_for`] returns one that stays valid for a
//! while, [`Client::access_token_changes`] a channel that receives every new one.
//!
//! **… take the credential from the environment?** [`Client::from_env`].
//!
//! **… use what `pollination-auth login` stored?** [`Client::from_default_chain`], which looks at
//! the environment first. [`ClientBuilder::share_access_token`] lets many processes share one login.
//!
//! **… take it from files that Kubernetes, Docker or systemd mounts?**
//! [`ClientBuilder::api_token_files`], or name them in the environment.
//!
//! **… take it from my own secrets manager?** [`ClientBuilder::credential_provider`].
//!
//! **… use an access token that I have already?** [`ClientBuilder::access_token`]. Such a client
//! can't log in; after the token expires, calls fail with [`Error::AccessTokenExpired`].
//!
//! **… call my API with it?** With the feature `reqwest-middleware` or `tower`: a layer puts a
//! fresh access token on your own requests to the service's host, and on no others. A client that
//! progenitor generates takes [`Client::authorize`] as its hook. Without them, send it after
//! `Bearer` to that host, and to no other; after a 401 call [`Client::invalidate_access_token`].
//!
//! **… call it from code that can't wait?** [`Client::keep_fresh`].
//!
//! **… use it without async?** With the feature `blocking`.
//!
//! **… keep the credential?** In a [`CredentialStore`]: [`FileStore`], `KeyringStore`, or your own. A
//! client with a store ([`ClientBuilder::store`]) reads it at each login.
//!
//! **… rotate the secret?** [`Client::rotate_api_token_secret`]. With a store no crash, lost reply or
//! full disk makes it lose the secret; [`Client::rotation`] is the same with options. Without one,
//! store the new secret before anything else; if the reply can't be used, its bytes are in
//! [`Error::raw_reply`].
//!
//! **… test my code?** Without a service: write it against [`AccessTokenProvider`]. With the crate `pollination-auth-fake`: the service in memory, which fails
//! on demand. [`ClientBuilder::clock`] shows a [`Clock`] that moves with the service's.
//!
//! **… change the host, the proxy, the certificates, the timeouts?** [`ClientBuilder`].
//!
//! **… trust a private CA?** [`ClientBuilder::configure_http`] with `tls_certs_merge`, or the
//! variable `SSL_CERT_FILE`. The HTTP client under the middleware needs the same.
//!
//! **… see what it does?** Through `tracing`, at the level `debug`: one span for each attempt, with
//! the operation, the status and the duration. Never a body, a header or a query.
//!
//! The repository has a program for each answer in `crates/pollination-auth-examples`:
//! `quickstart`, `middleware`, `axum`, `tonic`, `blocking`, `rotate`, `fleet`, `testing`, `settings`
//! and `observe`. They run against the service in memory.
//!
//! # What it never does
//!
//! It follows no redirect. It speaks plain http to no other machine unless you allow it by name. It
//! repeats no create or rotate that may have happened. It prints neither secrets nor the server's
//! error text: a secret leaves through `expose_secret`, the text through [`Error::detail`].
//!
//! # Features
//!
//! One TLS backend is needed. With several, rustls is used unless [`ClientBuilder::configure_http`]
//! chooses another one with `tls_backend_native`. What other crates enable in reqwest changes nothing.
//!
//! - `rustls-aws-lc` (default): rustls with the cryptography of aws-lc, or with the provider that the
//!   program installs.
//! - `rustls-no-provider`: rustls with the provider that the program installs before it builds a
//!   client, such as ring (`rustls::crypto::ring::default_provider().install_default()`) or the FIPS
//!   module of aws-lc. Without one, building fails with [`BuildError::NoCryptoProvider`].
//! - `native-tls`: OpenSSL on Linux, which needs its headers to build; SChannel on Windows, Secure
//!   Transport on macOS.
//!
//! The others are off by default:
//!
//! - `socks`: SOCKS proxies, in `ALL_PROXY` and in [`ClientBuilder::configure_http`].
//! - `reqwest-middleware`: `AuthMiddleware`, for requests made with the crate of that name.
//! - `tower`: `AuthLayer` and `AuthService`, for any tower service that takes HTTP requests.
//! - `blocking`: `blocking::Client`, for code without async.
//! - `keyring`: `KeyringStore`, for credentials in the system's keyring.
//! - `testing`: `testing::conformance`, which checks your own [`CredentialStore`].
//! - `codegen`: compiles the client from the contract with progenitor, not from the checked-in copy,
//!   which is the same.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The layers, from the ground up: a module names only those above it in this list.
#[cfg(feature = "blocking")]
pub mod blocking;
mod cache;
mod call;
mod client;
mod credential;
mod error;
mod foundation;
mod middleware;
mod rotation;
mod store;
#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod testing;
mod wire;

pub use cache::{AccessTokenChanges, ClientGone, FreshAccessToken};
pub use call::retry::RetryPolicy;
pub use client::Client;
pub use client::build_error::BuildError;
pub use client::builder::ClientBuilder;
pub use client::passed_over::PassedOver;
pub use client::provider::{AccessTokenFuture, AccessTokenProvider};
pub use credential::access_token::AccessToken;
pub use credential::api_token::{ApiToken, ApiTokenId, CredentialError};
pub use credential::profile_id::ProfileId;
pub use error::Error;
pub use error::failure::{Failure, Reason};
pub use error::violation::{Location, Violation};
pub use foundation::base_url::{BaseUrlError, DEFAULT_BASE_URL};
pub use foundation::clock::{Clock, Moment, SystemClock};
pub use foundation::operation::Operation;
pub use foundation::secret::{Secret, SecretBytes};
#[cfg(feature = "reqwest-middleware")]
pub use middleware::AuthMiddleware;
#[cfg(feature = "tower")]
pub use middleware::{AuthLayer, AuthService};
pub use rotation::{
    Recovered, RotateCause, RotateError, RotateFailure, RotateOptions, Rotated, Rotation,
    RotationHandle, RotationStatus,
};
#[cfg(feature = "keyring")]
pub use store::KeyringStore;
pub use store::credential_files::CredentialFileError;
pub use store::{
    CredentialStore, Document, FileStore, KeptAccessToken, MemoryStore, NoDefaultDirectory,
    Profile, ProfileLock, Ruling, StoreError, StoreFuture, StoreLock, StoredDocument, StoredToken,
    Version,
};
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use testing::fuzzing;
/// The HTTP client, in the version that [`ClientBuilder::configure_http`] takes.
pub use wire::transport::reqwest;
