//! The protocol of a rotation as a machine without time, disk or network.
//!
//! It is told what came of the last effect and says what the next one is. Who carries them out is
//! `drive`; the tests carry them out in a world of their own. What holds in every state:
//!
//! - I1: no secret is overwritten before its successor has logged in.
//! - I2: a request is announced in the journal, with the access token that could make it again,
//!   before it is sent; and no rotation begins while there is a journal.
//! - The service judges: nothing is called lost, and no secret is dropped, because of this machine's
//!   clock. A lock that has ended ends the run: nothing more is sent or written.
//! - I3: the end is a credential that logs in, or a failure that carries all that was received.
//!
//! The states of a rotation, by what is durable in each:
//!
//! | State | Store | Journal | A recovery that begins here |
//! |---|---|---|---|
//! | settled | secret | none | does nothing |
//! | announced, sent | old | access token, requests | settles, tries all secrets, mints another if all are dead |
//! | received | old | and the new secret | tries the new secret at once, and then as above |
//! | stored | new, old as previous | as before | sees that it is done, and removes the journal |
//! | ruled on | old | and what the service has ruled | of another API token: stops; else looks once more |
//! | in grace | new, old as previous | none | forgets the old one after the grace, if it is dead |
//!
//! That the new secret has logged in is not written down by itself: trying it again costs one
//! login, and a note of it one more moment at which a disk can fail.

mod ending;
#[cfg(test)]
pub(super) mod fingerprint;
mod judge;
mod machine;
mod request;

pub(super) use self::ending::{Ending, Verdict};
pub(super) use self::machine::{
    Bearer, Effect, LoginReply, Machine, PutFailure, PutReply, Reply, Rules,
};
pub(super) use self::request::longest_journal;
