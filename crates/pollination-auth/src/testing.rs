//! What only fuzzers and tests call.

#[expect(clippy::expect_used, reason = "a panic is how a fuzzer is told")]
pub mod fuzzing;
#[cfg(test)]
#[cfg(unix)]
pub(crate) mod log;
#[expect(clippy::expect_used, reason = "a panic is how a fuzzer is told")]
mod replies;
