//! Facts about the tasks as a whole, on the documents in `tests/data`.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod pipeline;
