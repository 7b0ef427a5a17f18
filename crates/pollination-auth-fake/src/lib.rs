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
//! - A login without a secret is answered with 401: the contract makes the secret optional.
//! - A second API token is refused with 409, and the existing one is unchanged.
//! - An access token is verified by its content alone. It stays valid until it expires, even after
//!   its secret was rotated or the API token was deleted.
//! - A request for another path is answered 404, one with another method 405, and both name it.
//! - It answers 403 or 500 only for a scripted fault.
//!
//! # The program
//!
//! `pollination-auth-fake --port 8000` runs the service for code in any language; `--help` lists
//! the options. A test scripts it through a control endpoint on the same port, which takes and
//! returns JSON. `GET /__control` describes the calls, the faults with what they take, and the
//! operations; `docs/fake.md` in the repository has the same, with examples.
//!
//! There a fault has the name of a constructor of [`Fault`]:
//!
//! ```json
//! {"operation": "login", "fault": "status", "status": 429, "headers": {"retry-after": "5"}}
//! ```
//!
//! The program shows its id, its secret and whole requests to anyone who asks. Never send a real
//! secret to it.
//!
//! # Limits
//!
//! The server is httpmock, which reserves paths under `/__httpmock__/` and logs whole requests at
//! the level `debug`. The program `pollination-auth-fake` and [`Builder::bind`] do neither. If
//! requests race for a queue of faults in which some have a delay, one of them can meet its fault
//! without the delay, in a test but not in the program.
//!
//! # Features
//!
//! - `cli` (default): the program. Without it clap and humantime are not built.

mod access_token;
mod account;
mod builder;
mod clock;
mod control;
mod fake;
mod fake_clock;
mod fault;
mod listener;
mod login_body;
mod operation;
mod outcome;
mod random;
mod reply;
mod request_log;
mod script;
mod service;

pub use builder::{Builder, DEFAULT_EXPIRES_IN, DEFAULT_KEPT_REQUESTS};
pub use fake::{FakeService, START_LIMIT};
pub use fake_clock::FakeClock;
pub use fault::Fault;
pub use listener::Listener;
pub use operation::Operation;
pub use request_log::RecordedRequest;
