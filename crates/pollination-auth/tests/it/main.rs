//! The tests of the library from outside: what a program sees that uses only its public interface.

// The lints know helpers as tests by this.
#[cfg(test)]
mod network;
