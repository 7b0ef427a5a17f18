//! The secrets that this client sent or received, to be masked in every reply.
//!
//! A login, a new secret and a failed reply use them; other calls do not.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::mask::Mask;
use crate::foundation::secret::Secret;

/// The most secrets that are remembered: 16, the API token's and the access tokens of half a day.
const LIMIT: usize = 16;

/// The shortest secret that is looked for in an id: 8 bytes. An id can contain less by chance, and has
/// to stay what it is then.
const ECHO: usize = 8;

/// The newest secrets, each once.
#[derive(Default)]
pub(crate) struct Known(Mutex<VecDeque<Secret>>);

impl Known {
    /// Remembers a secret as the newest; beyond the limit the oldest is forgotten.
    pub(crate) fn add(&self, secret: &str) {
        let secret = Secret::from(secret.to_owned());
        self.with(|secrets| {
            secrets.retain(|known| known.expose_secret() != secret.expose_secret());
            if secrets.len() >= LIMIT {
                secrets.pop_front();
            }
            secrets.push_back(secret);
        });
    }

    /// Returns `true` if one of them, or the one that is given too, stands in an id as it is.
    pub(super) fn are_in(&self, id: &str, given: &str) -> bool {
        let is_in = |secret: &str| secret.len() >= ECHO && id.contains(secret);
        is_in(given) || self.with(|secrets| secrets.iter().any(|it| is_in(it.expose_secret())))
    }

    /// Returns a mask for all of them.
    pub(super) fn mask(&self) -> Mask {
        Mask::new(self.with(|secrets| secrets.iter().cloned().collect()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<Secret>) -> T) -> T {
        // A panic elsewhere leaves the list whole.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_81_the_newest_secrets_are_remembered_and_one_that_is_used_stays() {
        let known = Known::default();
        for number in 0..LIMIT {
            known.add(&format!("secret-{number:02}"));
        }
        known.add("secret-00");
        known.add("another");
        let shown = |text: &str| known.mask().hide(text);
        assert_eq!(shown("secret-00 another"), "[REDACTED] [REDACTED]");
        assert_eq!(shown("secret-01"), "secret-01");
        assert_eq!(shown("secret-02"), "[REDACTED]");
    }
}
