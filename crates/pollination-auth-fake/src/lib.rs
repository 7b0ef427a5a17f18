//! The Pollination authentication service in memory: for tests, and as a program.
//!
//! [`FakeService::start`] starts a complete service on the loopback address, with one account and
//! one API token. It implements the five operations of the contract with their status codes and
//! bodies, signs real access tokens, lets them expire, and can be scripted to fail in the ways that
//! a network and a service fail. Its secrets are valid only for itself.
//!
//! ```
//! use std::time::Duration;
//! use pollination_auth_fake::{Fault, FakeService, Operation};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = FakeService::builder().id("an-id").secret("a-secret").start();
//! service.fail_next(Operation::Login, Fault::status(503));
//!
//! let login = reqwest::Client::new()
//!     .post(format!("{}/auth/login", service.base_url()))
//!     .header("content-type", "application/json")
//!     .body(r#"{"id": "an-id", "secret": "a-secret"}"#);
//! let (first, second) = (login.try_clone().ok_or("a stream")?, login);
//! assert_eq!(first.send().await?.status(), 503);
//! assert_eq!(second.send().await?.status(), 202);
//! assert_eq!(service.logins(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Where the contract is silent
//!
//! - A login without a secret is answered with 401, like one with a wrong secret; [`Builder`] has
//!   another status for both. The contract makes the secret optional.
//! - A second API token is refused with 409, and the existing one is unchanged; with
//!   [`Builder::create_replaces`] it replaces the existing one.
//! - An access token is verified by its content alone. It stays valid until it expires, even after
//!   its secret was rotated or the API token was deleted.
//! - A request for another path is answered 404, one with another method 405, and both name it. One
//!   with a slash too many at the end is answered 307, as FastAPI does it.
//! - It answers 500 only for a scripted fault.
//!
//! # The program
//!
//! `pollination-auth-fake --port 8000` runs the service for code in any language; `--help` lists
//! the options. A test scripts it through a control endpoint on the same port, which takes and
//! returns JSON. `GET /__control` describes the calls, the faults with what they take, and the
//! operations; `docs/fake.md` in the repository has the same, with examples. A service that a Rust
//! test starts has the endpoint too, for what that test runs in another process.
//!
//! There a fault has the name of a constructor of [`Fault`]:
//!
//! ```json
//! {"operation": "login", "fault": "status", "status": 429, "headers": {"retry-after": "5"}}
//! ```
//!
//! The endpoint shows the id, the secret and whole requests to anyone who asks. Never send a real
//! secret to it.
//!
//! # Features
//!
//! - `cli` (default): the program. Without it clap and humantime are not built.

mod access_token;
mod account;
mod body;
mod builder;
mod clock;
mod control;
mod door;
mod fake;
mod fault;
mod login_body;
mod operation;
mod outcome;
mod port;
mod random;
mod reply;
mod request_log;
mod route;
mod script;
mod server;
mod service;

pub use builder::{Builder, DEFAULT_EXPIRES_IN, DEFAULT_KEPT_REQUESTS};
pub use door::Outage;
pub use fake::FakeService;
pub use fault::Fault;
pub use operation::Operation;
pub use request_log::RecordedRequest;

/// The types of a request and its reply, for [`Builder::route`].
pub use http;
