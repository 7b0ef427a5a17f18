//! Facts about the client, as a service on the loopback address and its callers see it.
//!
//! `cfg(test)` is always set here; the attribute makes clippy treat the helpers as tests too.

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod believed;
#[cfg(test)]
mod certificates;
#[cfg(test)]
#[cfg(feature = "testing")]
mod conformance;
#[cfg(test)]
#[path = "../../../pollination-auth-fake/tests/it/contract.rs"]
mod contract;
#[cfg(test)]
#[cfg(unix)]
mod credential_files;
#[cfg(test)]
mod credential_provider;
#[cfg(test)]
mod default_chain;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod held_tokens;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod lifecycle_fake;
#[cfg(test)]
mod listener;
#[cfg(test)]
mod network;
#[cfg(test)]
mod observability;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod redaction_log;
#[cfg(test)]
mod redaction_plot;
#[cfg(test)]
mod redaction_settings;
#[cfg(test)]
mod redaction_words;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod replies_login;
#[cfg(test)]
mod replies_minted;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod settings;
#[cfg(test)]
#[cfg(feature = "socks")]
mod socks;
#[cfg(test)]
mod statuses;
#[cfg(test)]
mod support;
