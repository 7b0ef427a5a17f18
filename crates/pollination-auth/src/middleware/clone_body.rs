//! Whether a body can be sent a second time, for the replay after a 401.
//!
//! When a replay is made is not asked here.

/// Clones the body of a request before it is sent, where that can be done.
///
/// Without a second body a request is sent all the same, and made only once. [`ByClone`] does it for
/// every body with `Clone`, and any function from `&B` to `Option<B>` for the others: see
/// [`AuthLayer::clone_body_with`](crate::AuthLayer::clone_body_with).
///
/// Needs the feature `tower`.
pub trait CloneBody<B> {
    /// Gives a second body like this one, or none.
    fn clone_body(&self, body: &B) -> Option<B>;
}

/// Clones every body with `Clone`; the default of [`AuthLayer`](crate::AuthLayer).
///
/// Needs the feature `tower`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByClone;

impl<B: Clone> CloneBody<B> for ByClone {
    fn clone_body(&self, body: &B) -> Option<B> {
        Some(body.clone())
    }
}

impl<B, F: Fn(&B) -> Option<B>> CloneBody<B> for F {
    fn clone_body(&self, body: &B) -> Option<B> {
        self(body)
    }
}
