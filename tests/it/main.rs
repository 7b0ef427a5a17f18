//! Facts about the generated crate, as its users see it.
//!
//! `cfg(test)` is always set here; the attribute makes clippy treat the helpers as tests too.

#[cfg(test)]
mod exchange;
#[cfg(test)]
mod golden;
#[cfg(test)]
#[cfg(feature = "schemars")]
mod schemas;
