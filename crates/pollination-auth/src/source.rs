//! What the client logs in with, and the login itself as the cache's source of access tokens.

use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::cache::TokenSource;
use crate::calls::SharedCalls;
use crate::credential::ApiToken;
use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;
use crate::verdict::Class;
use crate::wire::Grant;

/// The API token that a client holds; a rotation replaces it.
pub(crate) struct Held(ArcSwap<ApiToken>);

impl Held {
    pub(crate) fn new(token: ApiToken) -> Self {
        Self(ArcSwap::from_pointee(token))
    }

    pub(crate) fn get(&self) -> Arc<ApiToken> {
        self.0.load_full()
    }

    pub(crate) fn replace(&self, token: ApiToken) {
        self.0.store(Arc::new(token));
    }
}

/// Logs in with the API token that the client holds.
pub(crate) struct Login {
    pub(crate) calls: SharedCalls,
    pub(crate) held: Arc<Held>,
}

impl TokenSource for Login {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        Box::pin(login(self.calls.clone(), self.held.clone()))
    }
}

async fn login(calls: SharedCalls, held: Arc<Held>) -> Result<Grant, Error> {
    let deadline = calls.deadline();
    let mut token = held.get();
    let mut read_again = false;
    loop {
        let attempt = calls
            .call(Operation::Login, deadline, |timeout| {
                calls.wire.login(&token, timeout)
            })
            .await;
        let failed = match attempt {
            Ok(grant) => return Ok(grant),
            Err(failed) => failed,
        };
        // A rotation may have replaced the secret while the old one was on its way.
        let current = held.get();
        let replaced = !current.is_same_as(&token);
        if failed.class != Class::Status(401) || read_again || !replaced {
            return Err(failed.into_error());
        }
        token = current;
        read_again = true;
    }
}

/// Stands in for a login where there is nothing to log in with.
pub(crate) struct NoLogin;

impl TokenSource for NoLogin {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        let facts = Facts::new(Operation::Login, Reason::Expired);
        Box::pin(std::future::ready(Err(Error::AccessTokenExpired(
            facts.into(),
        ))))
    }
}
