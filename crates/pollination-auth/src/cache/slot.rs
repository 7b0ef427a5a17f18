//! The cell that holds the current token: read by everybody at once, written under the cache's lock.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// A cell with a value that many read and few replace.
///
/// Reading takes no lock and allocates nothing. Writers take turns under a lock of the cache, so
/// that comparing and replacing are one step among them.
pub(super) struct Slot<T>(ArcSwapOption<T>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(ArcSwapOption::empty())
    }
}

impl<T> Slot<T> {
    pub(super) fn load(&self) -> Option<Arc<T>> {
        self.0.load_full()
    }

    pub(super) fn store(&self, value: Option<Arc<T>>) {
        self.0.store(value);
    }
}
