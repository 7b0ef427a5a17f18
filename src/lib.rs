//! The generated client of the Pollination authentication API, made safe for secrets.
//!
//! `build.rs` compiles `openapi.json` into [`types`] and [`Client`]. The handwritten part is small:
//! [`SecretText`], the type of every `format: password` in the models, and [`Exchange`], which sends
//! each request and captures the reply.
//!
//! Programs use the crate `pollination-auth`, which is built on this one: it logs in, keeps the
//! access token fresh and maps every reply to a typed error. Use this crate for the models alone,
//! or for the typed httpmock helpers (feature `httpmock`).
//!
//! ```
//! use pollination_auth_api::types::Token;
//!
//! let token: Token = serde_json::from_str(r#"{"id": "a", "secret": "s"}"#)?;
//! assert_eq!(format!("{:?}", token.secret), "Some(SecretText([REDACTED]))");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Features
//!
//! - `codegen` (default): run progenitor at build time. Without it the checked-in copy of the same
//!   code is compiled, and progenitor is not built.
//! - `httpmock`: typed mocks of the five operations.
//! - `schemars`: `JsonSchema` for every model.

mod bearer;
mod exchange;
mod secret;
mod urls;

pub use bearer::{Bearer, InvalidBearer};
pub use exchange::{CutOff, Exchange, Head, Outcome, REPLY_LIMIT};
pub use generated::{Client, ClientInfo, Error, ResponseValue, types};
pub use secret::{SecretBytes, SecretText};
// The generated code calls it at the root of the crate.
use urls::url;

/// The code that `build.rs` generated from `openapi.json`.
#[allow(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::exhaustive_enums,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    unused_imports,
    unused_mut,
    reason = "generated: its lints are progenitor's, and differ with the contract"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

/// Typed httpmock helpers: one `When` and `Then` for each operation.
///
/// ```
/// use httpmock::MockServer;
/// use pollination_auth_api::httpmock::MockServerExt;
/// use pollination_auth_api::types::NewToken;
///
/// let id: NewToken = serde_json::from_str(r#"{"id": "an-id"}"#)?;
/// let server = MockServer::start();
/// let mock = server.get_api_token(|_when, then| {
///     then.ok(&id);
/// });
/// assert_eq!(mock.calls(), 0);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[cfg(feature = "httpmock")]
#[allow(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::exhaustive_enums,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    unused_imports,
    reason = "generated: its lints are progenitor's, and differ with the contract"
)]
pub mod httpmock {
    include!(concat!(env!("OUT_DIR"), "/httpmock.rs"));
}
