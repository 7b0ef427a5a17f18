//! What a call of the control endpoint is. Which calls there are is the list in [`super`].

use crate::reply::Reply;
use crate::service::Service;

/// A call of the control endpoint.
pub(super) struct Call {
    pub(super) method: &'static str,
    /// The path behind [`CONTROL`](crate::route::CONTROL).
    pub(super) name: &'static str,
    /// A body that it takes, if it takes one.
    pub(super) takes: Option<&'static str>,
    pub(super) does: &'static str,
    pub(super) act: Act,
}

/// What a call does; a change is answered with 204.
pub(super) enum Act {
    Show(fn(&Service) -> Reply),
    Change(fn(&Service)),
    /// A change that the body describes; the error is what is wrong with the body.
    Read(fn(&Service, &[u8]) -> Result<(), String>),
}
