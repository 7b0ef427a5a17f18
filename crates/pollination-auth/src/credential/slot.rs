//! The cell that holds the current token: read by everybody at once, written under the cache's lock.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// A cell with a value that many read and few replace.
///
/// Reading takes no lock and allocates nothing. Writers take turns under a lock of the cache, so
/// that comparing and replacing are one step among them.
pub(crate) struct Slot<T>(ArcSwap<T>);

impl<T> Slot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(ArcSwap::from_pointee(value))
    }

    pub(crate) fn lend(&self) -> Lent<T> {
        Lent(self.0.load())
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        self.0.store(value);
    }
}

/// A value of a [`Slot`], lent to a reader; it lives on when the slot gets another one.
///
/// Threads that read do not slow each other down: in place of a counter that they share, each notes
/// what it has borrowed for itself.
pub(crate) struct Lent<T>(Guard<Arc<T>>);

impl<T> Lent<T> {
    pub(crate) fn into_owned(self) -> Arc<T> {
        Guard::into_inner(self.0)
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Lent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
