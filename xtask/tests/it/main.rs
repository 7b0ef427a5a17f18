//! Facts about the tasks as a whole, on the documents in `tests/data`.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod broken;
#[cfg(test)]
mod command;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod emitters;
#[cfg(test)]
mod evolutions;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod walkthrough;
