//! One current access token for everybody: read without waiting, refreshed by one task.
//!
//! `machine` decides what happens when; the other files carry it out.

mod changes;
mod flight;
mod keeper;
mod landing;
mod machine;
mod shared;
#[cfg(test)]
mod tests;
mod token_cache;
mod wait;

pub use self::changes::{AccessTokenChanges, ClientGone};
pub use self::keeper::FreshAccessToken;
pub(crate) use self::shared::TokenSource;
pub(crate) use self::token_cache::TokenCache;
