//! Facts about the generated crate, as its users see it.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod exchange;
#[cfg(test)]
mod golden;
#[cfg(test)]
#[cfg(feature = "schemars")]
mod schemas;
