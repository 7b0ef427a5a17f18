//! Access tokens on the caller's own requests; each kind of HTTP client has a module.

mod error;
mod for_requests;
#[cfg(feature = "reqwest-middleware")]
mod for_reqwest;
#[cfg(feature = "tower")]
mod for_tower;
mod replay;
mod selection;

#[cfg(feature = "reqwest-middleware")]
pub use self::for_reqwest::AuthMiddleware;
#[cfg(feature = "tower")]
pub use self::for_tower::{AuthLayer, AuthService};
