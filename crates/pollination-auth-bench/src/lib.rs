//! What `pollination-auth` costs, measured beside its peers in one run.
//!
//! The service is a process of its own, as small as can be, so that the client dominates; see
//! `docs/performance.md` for each number and how to repeat it.

#![expect(clippy::exhaustive_enums, reason = "the crate is not published")]
#![expect(
    unexpected_cfgs,
    reason = "the generated code asks for features of the crate that it is made for"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that can't go on has nothing to say"
)]

pub mod baseline;
mod builds;
mod document;
mod elsewhere;
pub mod figure;
pub mod lab;
pub mod peers;
pub mod plot;
pub mod sections;
pub mod server;
mod starts;
pub mod work;

// The generated code names these at the root of its crate.
use peers::generated::{Exchange, url};
use pollination_auth_api::SecretText;
