//! The service of the virtual world: what each behaviour does to the secret, and what it answers.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::credential::api_token::ApiToken;
use crate::credential::jwt::Times;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::secret::Secret;
use crate::foundation::secret::SecretBytes;
use crate::rotation::protocol::fingerprint::Names;
use crate::rotation::protocol::{PutFailure, PutReply};

/// What the service does with one request for a new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Behaviour {
    /// Nothing, and no answer.
    Never,
    AtOnce,
    /// The answer is lost.
    Lost,
    /// The answer breaks off.
    Truncated,
    NoSecret,
    /// The account has another API token by now, and that one is rotated.
    OtherId,
    /// The API token was deleted by somebody else: 404 from now on.
    Deleted,
    /// The field `secret` comes twice.
    TwoSecrets,
    SameSecret,
    /// No answer, and the change comes this many seconds later.
    Late(u64),
    /// The change comes late, and is known everywhere later still.
    LateAndSlow(u64),
    /// A good answer, and the new secret is known everywhere only after the propagation time.
    Slow,
    /// Refused with this status; nothing is done.
    Refused(u16),
    /// An error with this status; nothing is done.
    Failed(u16),
    /// An error with this status, after it was done.
    DoneAndFailed(u16),
    /// No connection.
    NotSent,
}

/// The time in which a new secret becomes known everywhere, where it takes time.
pub(super) const PROPAGATION: u64 = 30;

/// A change of the secret: since when it holds, and since when everybody knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) secret: u32,
    pub(super) at: Duration,
    pub(super) known_at: Duration,
}

/// The service: its secrets are numbers, and the first one is 0.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// The changes that were asked for, the late ones too.
    changes: Vec<Change>,
    minted: u32,
    /// The account's API token is another one: every new secret is of that one.
    pub(super) is_other: bool,
    /// The account has no API token any longer.
    pub(super) is_gone: bool,
    /// The requests that were tried, the one that found no connection too.
    pub(super) requests: usize,
}

pub(super) fn token(secret: u32) -> ApiToken {
    ApiToken::new("an-id", Secret::from(format!("secret-{secret}"))).unwrap()
}

/// An API token of the account that is not the one that is rotated.
fn other(secret: u32) -> ApiToken {
    ApiToken::new("other-id", Secret::from(format!("other-{secret}"))).unwrap()
}

/// An access token with the service's own times.
pub(super) fn access_token(issued: Duration, life: Duration) -> Secret {
    let (iat, exp) = (issued.as_secs(), (issued + life).as_secs());
    let payload = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{iat},"exp":{exp}}}"#));
    Secret::from(format!("e30.{payload}.c2ln"))
}

/// Returns how long the service accepts an access token.
pub(super) fn bearer_left(access_token: &Secret, now: Duration) -> Duration {
    let times = Times::read(access_token.expose_secret()).unwrap();
    times.expiry().saturating_sub(now)
}

pub(super) fn number(token: &ApiToken) -> Option<u32> {
    token
        .secret()
        .expose_secret()
        .strip_prefix("secret-")?
        .parse()
        .ok()
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            changes: Vec::new(),
            minted: 0,
            is_other: false,
            is_gone: false,
            requests: 0,
        }
    }

    /// The changes that hold at a time, in the order in which they came to hold.
    fn made(&self, now: Duration) -> Vec<Change> {
        let mut made: Vec<_> = self
            .changes
            .iter()
            .filter(|one| one.at <= now)
            .copied()
            .collect();
        made.sort_by_key(|one| one.at);
        made
    }

    pub(super) fn active(&self, now: Duration) -> u32 {
        self.made(now).last().map_or(0, |change| change.secret)
    }

    /// Returns `true` if this is the account's API token, though not the one that is rotated.
    pub(super) fn is_the_other(&self, token: &ApiToken) -> bool {
        self.is_other && token.is_same_as(&other(self.minted))
    }

    /// Somebody replaces the account's API token by another one.
    pub(super) fn create(&mut self, now: Duration) -> ApiToken {
        self.is_other = true;
        other(self.change(now, Duration::ZERO))
    }

    /// The answers that a login can get: one, or both while a change becomes known.
    pub(super) fn logins(&self, token: &ApiToken, now: Duration, arbitrary: bool) -> Vec<bool> {
        if self.is_other || self.is_gone {
            return vec![false];
        }
        let made = self.made(now);
        let (active, before) = match made.as_slice() {
            [] => (
                Change {
                    secret: 0,
                    at: now,
                    known_at: Duration::ZERO,
                },
                0,
            ),
            [only] => (*only, 0),
            [.., before, last] => (*last, before.secret),
        };
        let asked = number(token);
        let (is_active, is_before) = (asked == Some(active.secret), asked == Some(before));
        if now >= active.known_at {
            vec![is_active]
        } else if !is_active && !is_before {
            vec![false]
        } else if arbitrary {
            vec![true, false]
        } else {
            vec![is_before && !is_active]
        }
    }

    fn change(&mut self, at: Duration, propagation: Duration) -> u32 {
        self.minted += 1;
        if self.is_other {
            return self.minted;
        }
        self.changes.push(Change {
            secret: self.minted,
            at,
            known_at: at + propagation,
        });
        self.minted
    }

    /// Acts on a request; `slow` is added to every change.
    pub(super) fn put(&mut self, does: Behaviour, now: Duration, slow: Duration) -> PutReply {
        use Behaviour as B;
        self.requests += 1;
        let does = match does {
            // What reaches the service finds no API token, or another one.
            B::NotSent | B::Never | B::Refused(_) | B::Failed(_) => does,
            B::Deleted => does,
            _ if self.is_gone => B::Deleted,
            B::Lost | B::Truncated | B::NoSecret | B::DoneAndFailed(_) => does,
            B::Late(_) | B::LateAndSlow(_) => does,
            _ if self.is_other => B::OtherId,
            other => other,
        };
        let late = Duration::from_secs;
        match does {
            B::Never => failed(Error::Ambiguous, Reason::TimedOut),
            B::AtOnce => PutReply::Minted(token(self.change(now, slow))),
            B::Slow => PutReply::Minted(token(self.change(now, late(PROPAGATION)))),
            B::Lost => {
                self.change(now, slow);
                failed(Error::Ambiguous, Reason::ConnectionLost)
            }
            B::Truncated | B::NoSecret => {
                self.change(now, slow);
                failed(Error::UnusableReply, Reason::NoBody)
            }
            B::OtherId => {
                self.is_other = true;
                PutReply::Minted(other(self.change(now, slow)))
            }
            B::Deleted => {
                self.is_gone = true;
                PutReply::Gone(error(Error::NotFound, Reason::Status))
            }
            B::TwoSecrets => {
                let secret = self.change(now, slow);
                doubtful(vec![token(secret), token(1_000)])
            }
            B::SameSecret => PutReply::Minted(token(self.active(now))),
            B::Late(seconds) => {
                self.change(now + late(seconds), slow);
                failed(Error::Ambiguous, Reason::Status)
            }
            B::LateAndSlow(seconds) => {
                self.change(now + late(seconds), late(PROPAGATION));
                failed(Error::Ambiguous, Reason::Status)
            }
            B::Refused(401) => PutReply::Unauthorized(error(Error::Unauthorized, Reason::Status)),
            B::Refused(403) => failed(Error::Forbidden, Reason::Status),
            B::Refused(404) => PutReply::Gone(error(Error::NotFound, Reason::Status)),
            B::Refused(429) => PutReply::Failed(PutFailure {
                error: error(Error::RateLimited, Reason::Status),
                doubtful: Vec::new(),
                wait: Some(Duration::from_secs(90)),
            }),
            B::Refused(_) => failed(Error::Redirected, Reason::Status),
            B::Failed(_) => failed(Error::Ambiguous, Reason::Status),
            B::DoneAndFailed(_) => {
                self.change(now, slow);
                failed(Error::Ambiguous, Reason::Status)
            }
            B::NotSent => PutReply::NotSent(error(Error::NotSent, Reason::ConnectFailed)),
        }
    }

    /// Hashes what can still make a difference: which secrets are known, and what is to come.
    pub(super) fn fingerprint(&self, now: Duration, names: &mut Names, state: &mut impl Hasher) {
        (self.is_other, self.is_gone).hash(state);
        let made = self.made(now);
        for change in made.iter().rev().take(2) {
            names.of(&token(change.secret)).hash(state);
        }
        let known_in = made
            .last()
            .map(|active| active.known_at.saturating_sub(now));
        (made.len().min(2), known_in).hash(state);
        for change in self.changes.iter().filter(|one| one.at > now) {
            let (at, known_at) = (change.at - now, change.known_at - now);
            (names.of(&token(change.secret)), at, known_at).hash(state);
        }
    }
}

pub(super) fn error(variant: fn(crate::error::failure::Failure) -> Error, reason: Reason) -> Error {
    variant(Facts::new(Operation::RotateApiTokenSecret, reason).into())
}

fn failed(variant: fn(crate::error::failure::Failure) -> Error, reason: Reason) -> PutReply {
    PutReply::Failed(PutFailure {
        error: error(variant, reason),
        doubtful: Vec::new(),
        wait: None,
    })
}

fn doubtful(tokens: Vec<ApiToken>) -> PutReply {
    let facts = Facts {
        raw: Some(SecretBytes::from(b"raw".to_vec())),
        ..Facts::new(Operation::RotateApiTokenSecret, Reason::NoBody)
    };
    PutReply::Failed(PutFailure {
        error: Error::UnusableReply(facts.into()),
        doubtful: tokens,
        wait: None,
    })
}
