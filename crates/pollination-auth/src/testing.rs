//! What authors of stores call in their tests (feature `testing`).

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[expect(clippy::expect_used, reason = "a panic is how a fuzzer is told")]
pub mod fuzzing;
#[cfg(test)]
#[cfg(unix)]
pub(crate) mod log;
#[cfg(any(test, fuzzing))]
#[expect(clippy::expect_used, reason = "a panic is how a fuzzer is told")]
mod replies;
