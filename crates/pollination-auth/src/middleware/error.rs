//! Our error, out of that of a middleware or of a stack of layers.

use std::error::Error as StdError;

use crate::error::Error;

impl Error {
    /// Returns the error of this crate that is in the error of a middleware, if there is one.
    ///
    /// Takes the error of a `reqwest_middleware` client, the boxed error of a tower stack, and every
    /// error that has either in its chain of sources.
    ///
    /// ```
    /// use pollination_auth::{Error, Failure, Operation, Reason};
    ///
    /// let ours = Error::Unavailable(Failure::new(Operation::Login, Reason::TimedOut));
    /// let boxed: Box<dyn std::error::Error + Send + Sync> = ours.into();
    /// assert!(matches!(Error::from_middleware(&*boxed), Some(Error::Unavailable(_))));
    /// ```
    #[must_use]
    pub fn from_middleware<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(ours) = error.downcast_ref() {
                return Some(ours);
            }
            next = inside(error).or_else(|| error.source());
        }
        None
    }
}

/// Returns the error that a middleware failed with. It is not among the sources of what wraps it,
/// which shows it as its own.
#[cfg(feature = "reqwest-middleware")]
fn inside<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref() {
        Some(reqwest_middleware::Error::Middleware(inside)) => Some(inside.as_ref()),
        _ => None,
    }
}

#[cfg(not(feature = "reqwest-middleware"))]
fn inside<'a>(_: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::failure::{Failure, Reason};
    use crate::foundation::operation::Operation;

    fn ours() -> Error {
        Error::Unavailable(Failure::new(Operation::Login, Reason::TimedOut))
    }

    /// What a layer further out makes of an error.
    #[derive(Debug, thiserror::Error)]
    #[error("outside")]
    struct Outside<E: StdError + 'static>(#[source] E);

    #[test]
    fn our_error_is_found_however_deep_it_is() {
        let boxed: Box<dyn StdError + Send + Sync> = Outside(Outside(ours())).into();
        assert!(matches!(
            Error::from_middleware(&*boxed),
            Some(Error::Unavailable(_))
        ));
        let foreign = Outside(std::io::Error::other("foreign"));
        assert!(Error::from_middleware(&foreign).is_none());
    }

    #[cfg(feature = "reqwest-middleware")]
    #[test]
    fn our_error_is_found_in_that_of_a_middleware_and_in_what_wraps_it() {
        let failed = || reqwest_middleware::Error::middleware(ours());
        assert!(Error::from_middleware(&failed()).is_some());
        let retried = reqwest_middleware::Error::middleware(Outside(failed()));
        assert!(Error::from_middleware(&Outside(retried)).is_some());
        let foreign = reqwest_middleware::Error::middleware(std::io::Error::other("foreign"));
        assert!(Error::from_middleware(&foreign).is_none());
    }
}
