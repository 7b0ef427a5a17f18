//! The Pollination authentication service in memory: for tests, and as a program.
//!
//! [`FakeService::start`] gives a test a whole service on the loopback address, with one account
//! and one API token. It keeps the five operations of the contract with their statuses and bodies,
//! signs real access tokens, lets them expire, and can be told to fail in the ways that a network
//! and a service fail. Its secrets open nothing but itself.
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
//! # What it decides where the contract is silent
//!
//! - A login without a secret is a wrong credential, 401: the contract makes the secret optional.
//! - A second API token is refused with 409, and the one that exists stays as it is.
//! - An access token is judged by what is in it alone. It stays valid until it expires, also after
//!   its secret was rotated or the API token deleted.
//! - A request for another path is answered 404, one with another method 405, and both name it.
//! - It never answers 403 or 500 by itself; a scripted fault does.
//!
//! # The program
//!
//! `pollination-auth-fake --port 8000` is the service for code in any language; `--help` lists the
//! options. A test scripts it through a control endpoint on the same port, which takes and gives
//! JSON. `GET /__control` describes the calls, the faults with what they take, and the operations;
//! `docs/fake.md` in the repository has the same, with examples.
//!
//! A fault has there the name of a constructor of [`Fault`]:
//!
//! ```json
//! {"operation": "login", "fault": "status", "status": 429, "headers": {"retry-after": "5"}}
//! ```
//!
//! The program shows its id, its secret and whole requests to whoever asks: it is a fake, and no
//! real secret may be sent to it.
//!
//! # Limits
//!
//! The server is httpmock's, so paths under `/__httpmock__/` are its own, and it logs requests
//! whole at the level `debug`. The program `pollination-auth-fake` and [`Builder::bind`] have
//! neither of the two. Where requests race for a queue of faults in which some have a delay, one of
//! them can meet its fault without the delay, in a test and not in the program.
//!
//! # Features
//!
//! - `cli` (default): the program. Without it neither clap nor humantime is built.

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
