//! Facts about the command, as a shell sees it: the real program against the service in memory.
//!
//! `cfg(test)` always holds here; saying it lets clippy see that the helpers are tests too.

#[cfg(test)]
mod access_token;
#[cfg(test)]
mod api_token;
#[cfg(test)]
mod checked;
#[cfg(test)]
#[cfg(unix)]
mod creation;
#[cfg(test)]
mod deletion;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod environment;
#[cfg(test)]
#[cfg(unix)]
mod exec;
#[cfg(test)]
mod help;
#[cfg(test)]
#[cfg(unix)]
mod interrupt;
#[cfg(test)]
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod keyring;
#[cfg(test)]
mod login;
#[cfg(test)]
#[cfg(unix)]
mod next_creation;
#[cfg(test)]
mod only_copy;
#[cfg(test)]
mod output;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod proxy;
#[cfg(test)]
#[cfg(unix)]
mod readme;
#[cfg(test)]
mod recording;
#[cfg(test)]
#[cfg(unix)]
mod refused_creation;
#[cfg(test)]
mod rescued;
#[cfg(test)]
mod rotate;
#[cfg(test)]
mod rulings;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod store;
#[cfg(test)]
#[cfg(unix)]
mod terminal;
#[cfg(test)]
mod unreachable;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod world;
