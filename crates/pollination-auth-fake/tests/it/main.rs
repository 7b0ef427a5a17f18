//! Facts about the service, as a client of it sees them over HTTP.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod api_token;
#[cfg(test)]
mod caller;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod login;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod paused;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program_control;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program_described;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program_options;
#[cfg(test)]
#[cfg(feature = "cli")]
mod program_state;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod service;
