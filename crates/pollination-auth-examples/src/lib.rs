//! The README's Rust blocks, compiled as doc tests with what its readers depend on.

#[cfg(all(doctest, feature = "reqwest-middleware"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
