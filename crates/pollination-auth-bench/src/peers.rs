//! The same authenticated GET, made by each peer as its users would make it.
//!
//! All of them keep their connection, read the id from the JSON and refuse a status of failure.

pub mod by_hand;
pub mod generated;
pub mod hyper_util;
pub mod ours;
pub mod socket;
pub mod ureq;

use std::time::Duration;

/// How long a connection may take: what `pollination-auth` has by default.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an attempt may take: what `pollination-auth` has by default.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The body of the reply.
#[derive(serde::Deserialize)]
struct NewToken {
    id: String,
}

/// A peer that makes calls without blocking; clones share its connections.
pub trait Calls: Clone + Send + Sync + 'static {
    /// Makes the call, and sees that the id is the right one.
    fn get_api_token(&self) -> impl Future<Output = ()> + Send;
}

/// A peer that blocks its thread, and has one connection for each.
pub trait BlockingCalls: Send + 'static {
    /// Makes the call, and sees that the id is the right one.
    fn get_api_token(&mut self);
}
