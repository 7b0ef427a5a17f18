//! The protocol of a rotation as a machine without time, disk or network.
//!
//! It takes the result of the last effect and returns the next one. `drive` carries the effects
//! out; the tests do so in a virtual world. What holds in every state:
//!
//! - I1: no secret is overwritten before its successor has logged in.
//! - I2: a request is announced in the journal, with the access token that could make it again,
//!   before it is sent; and no rotation begins while there is a journal.
//! - The service judges: nothing is called lost, and no secret is dropped, because of this
//!   machine's clock. A lost lock ends the run: nothing more is sent or written.
//! - I3: the result is a credential that logs in, or a failure with everything that was received.
//!
//! The states of a rotation, by what is durable in each:
//!
//! | State | Store | Journal | A recovery that begins here |
//! |---|---|---|---|
//! | settled | secret | none | does nothing |
//! | announced, sent | old | access token, requests | settles, tries all secrets, creates another if none works |
//! | received | old | and the new secret | tries the new secret at once, and then as above |
//! | stored | new | as before | sees that it is done, and removes the journal |
//! | ruled on | old | and what the service has ruled | of another API token: stops; otherwise tries again |
//!
//! That the new secret has logged in is not written down: trying it again costs one login, and a
//! note of it would be one more write that can fail.

mod conclude;
mod effect;
mod ending;
#[cfg(test)]
pub(super) mod fingerprint;
mod judge;
mod machine;
mod request;

pub(super) use self::effect::{Effect, Event, FreshToken, LoginReply, PutFailure, PutReply};
pub(super) use self::ending::{Ending, Verdict};
pub(super) use self::machine::{Machine, Rules};
