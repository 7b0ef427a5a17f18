//! Facts about the store on a real server.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod errors;
#[cfg(test)]
#[cfg(unix)]
mod fleet;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod logins;
#[cfg(test)]
mod support;
