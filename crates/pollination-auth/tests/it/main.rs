//! Facts about the client, as a program that uses it sees them.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod rotation;
