//! Limits of a document, in every format.

/// The most bytes of a document: 64 MiB.
///
/// The largest public descriptions of a service have about 12 MB; more than this is a mistake, and
/// a value takes some ten times the memory of its text.
pub const SIZE_LIMIT: usize = 64 * 1024 * 1024;

/// The most levels of nesting.
///
/// FastAPI nests about fifteen deep. Every stage walks a value by recursion, and the limit
/// keeps that far from a stack overflow.
pub const DEPTH_LIMIT: usize = 100;

/// The most that aliases of YAML may add to a document, counted in values and in bytes of text.
///
/// A document written by hand repeats a few thousand lines in this way. The limit stops a "billion
/// laughs" document at some hundred megabytes of memory.
pub(super) const ALIAS_LIMIT: usize = 1024 * 1024;
