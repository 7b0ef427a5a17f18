//! One pool of connections for each runtime.
//!
//! A connection is driven by the runtime that made it. A request of another runtime that took it out
//! of a shared pool would hang while nothing drives that runtime.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use tokio::runtime::{Handle, Id};

/// The most runtimes that are remembered: 8. A program has one or two. If it has many, each is short-
/// lived and gains nothing from a pool.
const LIMIT: usize = 8;

/// Pools by runtime, read without a lock.
pub(super) struct Pools<P> {
    entries: ArcSwap<Vec<Entry<P>>>,
    /// The pool for the first runtime; locked while the entries are changed.
    first: Mutex<Option<P>>,
}

#[derive(Clone)]
struct Entry<P> {
    runtime: Id,
    /// `None` for a runtime that has made only one call: it may never make another.
    pool: Option<P>,
}

impl<P: Clone> Pools<P> {
    pub(super) fn new(first: P) -> Self {
        Self {
            entries: ArcSwap::default(),
            first: Mutex::new(Some(first)),
        }
    }

    /// Returns the pool of the current runtime; `None` at its first call, while one is built, and if that
    /// fails.
    pub(super) fn current(&self, build: impl FnOnce() -> Option<P>) -> Option<P> {
        let runtime = Handle::try_current().ok()?.id();
        let entries = self.entries.load();
        match find(&entries, runtime) {
            Some(Entry {
                pool: Some(pool), ..
            }) => Some(pool.clone()),
            _ => self.add(runtime, build),
        }
    }

    /// Remembers a runtime, and returns a pool for it if it was known already.
    ///
    /// Beyond the limit a runtime without a pool is forgotten first, then the one with the oldest
    /// pool: it has most likely been shut down.
    fn add(&self, runtime: Id, build: impl FnOnce() -> Option<P>) -> Option<P> {
        // No call waits while a pool is built for another runtime.
        let mut first = self.first.try_lock().ok()?;
        let mut entries = Vec::clone(&self.entries.load());
        let pool = match find(&entries, runtime) {
            Some(Entry {
                pool: Some(pool), ..
            }) => return Some(pool.clone()),
            Some(_) => build(),
            None => first.take(),
        };
        entries.retain(|entry| entry.runtime != runtime);
        if entries.len() >= LIMIT {
            let without = entries.iter().position(|entry| entry.pool.is_none());
            entries.remove(without.unwrap_or_default());
        }
        entries.push(Entry {
            runtime,
            pool: pool.clone(),
        });
        self.entries.store(Arc::new(entries));
        pool
    }
}

fn find<P>(entries: &[Entry<P>], runtime: Id) -> Option<&Entry<P>> {
    entries.iter().find(|entry| entry.runtime == runtime)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    /// The pool that is there from the beginning; the others are counted from 1.
    const FIRST: usize = 0;

    struct Counted {
        pools: Pools<usize>,
        built: Cell<usize>,
    }

    impl Counted {
        fn new() -> Self {
            Self {
                pools: Pools::new(FIRST),
                built: Cell::new(FIRST),
            }
        }

        fn call(&self, runtime: &Runtime) -> Option<usize> {
            let _entered = runtime.enter();
            self.pools.current(|| {
                self.built.set(self.built.get() + 1);
                Some(self.built.get())
            })
        }
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn row_59_each_runtime_has_a_pool_of_its_own_from_its_second_call_on() {
        let counted = Counted::new();
        let [one, other] = [runtime(), runtime()];
        let calls = |runtime| [(); 3].map(|()| counted.call(runtime));
        assert_eq!(calls(&one), [Some(FIRST); 3]);
        assert_eq!(calls(&other), [None, Some(1), Some(1)]);
        assert_eq!(calls(&one), [Some(FIRST); 3]);
        assert_eq!(counted.built.get(), 1);
    }

    #[test]
    fn row_59_runtimes_with_one_call_each_build_nothing_and_take_nobodys_pool() {
        let counted = Counted::new();
        let lasting = [runtime(), runtime()];
        for runtime in lasting.iter().chain(&lasting) {
            counted.call(runtime);
        }
        for _ in 0..100 {
            assert_eq!(counted.call(&runtime()), None);
        }
        assert_eq!(
            lasting.each_ref().map(|runtime| counted.call(runtime)),
            [Some(FIRST), Some(1)]
        );
        assert_eq!(counted.built.get(), 1);
    }

    #[test]
    fn row_59_beyond_the_limit_the_oldest_pool_goes() {
        let counted = Counted::new();
        let runtimes: Vec<_> = (0..=LIMIT).map(|_| runtime()).collect();
        for runtime in &runtimes {
            counted.call(runtime);
            counted.call(runtime);
        }
        assert_eq!(counted.pools.entries.load().len(), LIMIT);
        assert_eq!(counted.call(&runtimes[1]), Some(1));
        assert_eq!(counted.call(&runtimes[0]), None);
    }

    #[test]
    fn a_pool_that_can_not_be_built_is_built_at_a_later_call() {
        let pools = Pools::new(FIRST);
        let [one, other] = [runtime(), runtime()];
        let _entered = one.enter();
        pools.current(|| None);
        let _entered = other.enter();
        let calls = [None, None, Some(1)].map(|built| pools.current(|| built));
        assert_eq!(calls, [None, None, Some(1)]);
    }

    #[test]
    fn without_a_runtime_or_while_another_pool_is_built_there_is_none() {
        let pools = Pools::new(FIRST);
        assert_eq!(pools.current(|| Some(1)), None);
        let [one, other] = [runtime(), runtime()];
        let _entered = one.enter();
        assert_eq!(pools.current(|| Some(2)), Some(FIRST));
        let _entered = other.enter();
        assert_eq!(pools.current(|| Some(3)), None);
        let meanwhile = Cell::new(Some(FIRST));
        let built = pools.current(|| {
            meanwhile.set(pools.current(|| Some(4)));
            Some(5)
        });
        assert_eq!((meanwhile.get(), built), (None, Some(5)));
    }
}
