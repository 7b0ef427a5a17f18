//! The one account: its API token, which secret is valid when, and late changes.
//!
//! Authentication and the form of the response are not decided here.

use std::time::Duration;

use pollination_auth_api::SecretText;

use crate::body;
use crate::clock::{Millis, millis};
use crate::operation::Operation;
use crate::random;

/// Why the account can't carry out an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Impossible {
    NoApiToken,
    ApiTokenExists,
}

/// When a new secret becomes valid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NewSecret {
    AtOnce,
    /// For this long it is not accepted, and the one before it still is.
    After(Duration),
    /// There is no new secret: the old one stays valid.
    Same,
}

pub(crate) struct Account {
    api_token: Option<ApiToken>,
    create_replaces: bool,
    late: Vec<Late>,
}

struct ApiToken {
    id: String,
    secret: SecretText,
    propagation: Option<Propagation>,
}

/// Until it ends, the new secret is not accepted.
struct Propagation {
    until: Millis,
    accepted: Option<SecretText>,
}

/// A requested change that is not applied yet.
struct Late {
    operation: Operation,
    requests_left: usize,
}

impl Account {
    pub(crate) fn new(id: String, secret: SecretText, create_replaces: bool) -> Self {
        Self {
            api_token: Some(ApiToken {
                id,
                secret,
                propagation: None,
            }),
            create_replaces,
            late: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.api_token.as_ref().map(|token| token.id.as_str())
    }

    pub(crate) fn secret(&self) -> Option<&SecretText> {
        self.api_token.as_ref().map(|token| &token.secret)
    }

    pub(crate) fn accepts(&self, id: &str, secret: Option<&SecretText>, now: Millis) -> bool {
        let (Some(token), Some(secret)) = (&self.api_token, secret) else {
            return false;
        };
        let accepted = match &token.propagation {
            Some(propagation) if now < propagation.until => propagation.accepted.as_ref(),
            _ => Some(&token.secret),
        };
        token.id == id
            && accepted.is_some_and(|accepted| accepted.expose_secret() == secret.expose_secret())
    }

    /// Checks that an operation would find what it needs.
    pub(crate) fn allows(&self, operation: Operation) -> Result<(), Impossible> {
        match (operation, &self.api_token) {
            (Operation::CreateApiToken, Some(_)) if !self.create_replaces => {
                Err(Impossible::ApiTokenExists)
            }
            (
                Operation::GetApiToken
                | Operation::RotateApiTokenSecret
                | Operation::DeleteApiToken,
                None,
            ) => Err(Impossible::NoApiToken),
            _ => Ok(()),
        }
    }

    pub(crate) fn show_id(&self) -> Result<body::Id, Impossible> {
        let token = self.api_token.as_ref().ok_or(Impossible::NoApiToken)?;
        Ok(body::Id {
            id: token.id.clone(),
        })
    }

    /// Creates an API token with a new id and a new secret.
    pub(crate) fn create(
        &mut self,
        new: NewSecret,
        now: Millis,
    ) -> Result<body::ApiToken, Impossible> {
        self.allows(Operation::CreateApiToken)?;
        let token = ApiToken {
            id: random::id(),
            secret: SecretText::from(random::secret()),
            propagation: propagation(new, now, None),
        };
        let shown = token.show();
        self.api_token = Some(token);
        Ok(shown)
    }

    /// Replaces the secret with a new one.
    pub(crate) fn rotate(
        &mut self,
        new: NewSecret,
        now: Millis,
    ) -> Result<body::ApiToken, Impossible> {
        let token = self.api_token.as_mut().ok_or(Impossible::NoApiToken)?;
        if !matches!(new, NewSecret::Same) {
            let secret = SecretText::from(random::secret());
            let old = std::mem::replace(&mut token.secret, secret);
            let accepted = match token.propagation.take() {
                Some(earlier) if now < earlier.until => earlier.accepted,
                _ => Some(old),
            };
            token.propagation = propagation(new, now, accepted);
        }
        Ok(token.show())
    }

    pub(crate) fn delete(&mut self) -> Result<(), Impossible> {
        self.api_token
            .take()
            .map(drop)
            .ok_or(Impossible::NoApiToken)
    }

    /// Schedules a change for after this many further requests, or until it is settled.
    pub(crate) fn defer(&mut self, operation: Operation, requests: usize) {
        self.late.push(Late {
            operation,
            requests_left: requests,
        });
    }

    /// Counts the changes that are not applied yet.
    pub(crate) fn late_changes(&self) -> usize {
        self.late.len()
    }

    /// Counts one request, and applies the changes that are due.
    pub(crate) fn pass_one_request(&mut self, now: Millis) {
        let mut due = Vec::new();
        self.late.retain_mut(|late| {
            let is_due = late.requests_left == 0;
            if is_due {
                due.push(late.operation);
            }
            late.requests_left = late.requests_left.saturating_sub(1);
            !is_due
        });
        self.commit(due, now);
    }

    /// Applies all late changes, and ends every propagation.
    pub(crate) fn settle(&mut self, now: Millis) {
        let due: Vec<_> = self.late.drain(..).map(|late| late.operation).collect();
        self.commit(due, now);
        if let Some(token) = &mut self.api_token {
            token.propagation = None;
        }
    }

    fn commit(&mut self, due: Vec<Operation>, now: Millis) {
        for operation in due {
            // Nobody hears of the outcome; an operation that has become impossible does nothing.
            let _unheard = match operation {
                Operation::CreateApiToken => self.create(NewSecret::AtOnce, now).map(drop),
                Operation::RotateApiTokenSecret => self.rotate(NewSecret::AtOnce, now).map(drop),
                Operation::DeleteApiToken => self.delete(),
                Operation::Login | Operation::GetApiToken => Ok(()),
            };
        }
    }
}

impl ApiToken {
    fn show(&self) -> body::ApiToken {
        body::ApiToken {
            id: self.id.clone(),
            secret: Some(self.secret.clone()),
        }
    }
}

fn propagation(new: NewSecret, now: Millis, accepted: Option<SecretText>) -> Option<Propagation> {
    match new {
        NewSecret::After(time) => Some(Propagation {
            until: now.saturating_add(millis(time)),
            accepted,
        }),
        NewSecret::AtOnce | NewSecret::Same => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_000_000;
    const SECOND: Duration = Duration::from_secs(1);

    fn account() -> Account {
        Account::new("i".to_owned(), SecretText::from("s".to_owned()), false)
    }

    fn old() -> SecretText {
        SecretText::from("s".to_owned())
    }

    #[test]
    fn a_rotated_away_secret_is_not_accepted() {
        let mut account = account();
        let new = account.rotate(NewSecret::AtOnce, NOW).unwrap().secret;
        assert!(!account.accepts("i", Some(&old()), NOW));
        assert!(account.accepts("i", new.as_ref(), NOW));
    }

    #[test]
    fn while_a_secret_propagates_the_one_before_it_is_accepted() {
        let mut account = account();
        let new = account
            .rotate(NewSecret::After(SECOND), NOW)
            .unwrap()
            .secret;
        for (now, is_new) in [(NOW, false), (NOW + 999, false), (NOW + 1000, true)] {
            assert_eq!(account.accepts("i", new.as_ref(), now), is_new, "{now}");
            assert_eq!(account.accepts("i", Some(&old()), now), !is_new, "{now}");
        }
    }

    #[test]
    fn a_second_rotation_while_the_first_propagates_keeps_the_accepted_secret() {
        let mut account = account();
        account.rotate(NewSecret::After(SECOND), NOW).unwrap();
        let third = account
            .rotate(NewSecret::After(SECOND), NOW)
            .unwrap()
            .secret;
        assert!(account.accepts("i", Some(&old()), NOW));
        assert!(account.accepts("i", third.as_ref(), NOW + 1000));
    }

    #[test]
    fn a_late_change_is_made_after_the_requests_it_waits_for() {
        let mut account = account();
        account.defer(Operation::RotateApiTokenSecret, 2);
        for _ in 0..2 {
            account.pass_one_request(NOW);
            assert!(account.accepts("i", Some(&old()), NOW));
        }
        account.pass_one_request(NOW);
        assert!(!account.accepts("i", Some(&old()), NOW));
    }

    #[test]
    fn settling_makes_late_changes_and_ends_propagation() {
        let mut account = account();
        let new = account
            .rotate(NewSecret::After(SECOND), NOW)
            .unwrap()
            .secret;
        account.settle(NOW);
        assert!(account.accepts("i", new.as_ref(), NOW));
        account.defer(Operation::DeleteApiToken, 5);
        account.settle(NOW);
        assert_eq!(account.id(), None);
    }

    #[test]
    fn at_most_one_api_token_exists() {
        let mut account = account();
        assert_eq!(
            account.create(NewSecret::AtOnce, NOW).err(),
            Some(Impossible::ApiTokenExists)
        );
        account.delete().unwrap();
        assert_eq!(account.delete(), Err(Impossible::NoApiToken));
        assert_eq!(
            account.rotate(NewSecret::AtOnce, NOW).err(),
            Some(Impossible::NoApiToken)
        );
        let created = account.create(NewSecret::AtOnce, NOW).unwrap();
        assert_ne!(created.id, "i");
    }
}
