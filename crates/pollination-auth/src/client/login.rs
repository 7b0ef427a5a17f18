//! The login, as the cache's source of access tokens.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::held::{Held, Look, store_failed};
use super::sharing::Sharing;
use crate::cache::TokenSource;
use crate::call::SharedCalls;
use crate::credential::api_token::ApiToken;
use crate::credential::grant::Grant;
use crate::error::Error;
use crate::error::classify::Class;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::store::StoreError;

/// How many other credentials a login tries when one was refused: 3.
///
/// Each is a change of the stored credential within one call. Someone who keeps storing revoked
/// credentials must not keep the login going.
const MOST_CHANGES: u32 = 3;

/// The first wait for a rotation: 20 ms, the time of a rotation that goes well.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// The longest wait between two looks at a rotation: 500 ms.
///
/// A rotation that has to settle takes minutes, and each look asks the store three times.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Logs in with the API token that the client holds.
pub(crate) struct Login {
    calls: SharedCalls,
    held: Held,
    /// With whom the access token is shared, if it is.
    sharing: Option<Arc<Sharing>>,
}

impl Login {
    pub(crate) fn new(calls: SharedCalls, held: Held, share: bool) -> Self {
        let profile = held.profile().filter(|_| share);
        let sharing = profile.map(|profile| Sharing::new(calls.clone(), profile.clone()));
        Self {
            sharing: sharing.map(Arc::new),
            calls,
            held,
        }
    }
}

impl TokenSource for Login {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        let login = login(self.calls.clone(), self.held.clone());
        match self.sharing.clone() {
            Some(sharing) => Box::pin(async move { sharing.fetch(login).await }),
            None => Box::pin(async move { Ok(login.await?.0) }),
        }
    }
}

/// Logs in, and returns the API token that was accepted as well.
async fn login(calls: SharedCalls, held: Held) -> Result<(Grant, Arc<ApiToken>), Error> {
    let deadline = calls.deadline();
    let mut token = held.get(Operation::Login).await?;
    let mut changes = 0;
    loop {
        let attempt = calls
            .call(Operation::Login, deadline, |number, timeout| {
                calls.observe(Operation::Login, number, calls.wire.login(&token, timeout))
            })
            .await;
        let failed = match attempt {
            Ok(grant) => return Ok((grant, token)),
            Err(failed) => failed,
        };
        if !matches!(failed.class, Class::Status(401 | 403)) || changes >= MOST_CHANGES {
            return Err(failed.into_error());
        }
        match after_refusal(&held, &token, deadline).await? {
            Some(other) => token = other,
            None => return Err(failed.into_error()),
        }
        changes += 1;
    }
}

/// Returns the API token to try after this one was refused, waiting for whoever changes it.
///
/// Returns `None` if nobody changes it: then the refusal stands.
async fn after_refusal(
    held: &Held,
    refused: &Arc<ApiToken>,
    deadline: Instant,
) -> Result<Option<Arc<ApiToken>>, Error> {
    const OPERATION: Operation = Operation::Login;
    let mut wait = FIRST_WAIT;
    loop {
        match held.look(refused).await? {
            Look::Other(other) => return Ok(Some(other)),
            Look::Same => return Ok(None),
            Look::CutOff => {
                return Err(store_failed(OPERATION, StoreError::RotationUnfinished));
            }
            Look::UnderWay => {}
        }
        // Fails before the deadline, since callers stop waiting for this login at the deadline.
        let next_look = Instant::now() + wait;
        if next_look >= deadline {
            let facts = Facts::new(OPERATION, Reason::RotationUnderWay);
            return Err(Error::Unavailable(facts.into()));
        }
        held.changed(next_look).await;
        wait = LONGEST_WAIT.min(wait * 2);
    }
}

/// The source of a client that has nothing to log in with.
pub(crate) struct NoLogin;

impl TokenSource for NoLogin {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        let facts = Facts::new(Operation::Login, Reason::Expired);
        Box::pin(std::future::ready(Err(Error::AccessTokenExpired(
            facts.into(),
        ))))
    }
}
