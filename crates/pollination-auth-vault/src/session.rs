//! The store's own token: obtained, renewed before it expires, and replaced when it is refused.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use pollination_auth::Secret;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use crate::auth::VaultAuth;
use crate::error::VaultError;
use crate::server::{Reply, Request, Server};
use crate::text::Text;

/// A token is renewed after two thirds of its life, which leaves a third for repetitions.
const RENEW_AFTER: (u32, u32) = (2, 3);

/// A failed renewal is repeated after a tenth of the life, so that no server is flooded.
const REPEAT_AFTER: u32 = 10;

/// A renewal that brings less than half of the first life shows that the maximum is near.
const FULL_LIVES: u32 = 2;

/// A server, and the token with which it is asked.
pub(crate) struct Session {
    server: Server,
    auth: VaultAuth,
    token: Mutex<Option<Token>>,
    /// Renews a given token while nobody asks for it.
    keeper: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// A token and what is known of its life.
struct Token {
    header: HeaderValue,
    /// The life that it had at first; `None` if it does not expire.
    life: Option<Duration>,
    /// When to renew it; `None` if it can't be renewed.
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
}

/// What a login, a renewal and a look at a token say of it.
#[derive(Deserialize)]
struct Granted {
    client_token: Text,
    lease_duration: u64,
    renewable: bool,
}

#[derive(Deserialize)]
struct WithAuth {
    auth: Granted,
}

#[derive(Deserialize)]
struct Looked {
    ttl: u64,
    renewable: bool,
}

impl Token {
    fn new(header: HeaderValue, since: Instant, seconds: u64, renewable: bool) -> Self {
        let life = (seconds > 0).then(|| Duration::from_secs(seconds));
        let mut token = Self {
            header,
            life,
            renew_at: None,
            expires_at: None,
        };
        if let Some(life) = life {
            token.live(since, life, renewable);
        }
        token
    }

    fn live(&mut self, since: Instant, life: Duration, renewable: bool) {
        let (part, whole) = RENEW_AFTER;
        // A life that no clock can express does not end.
        self.expires_at = since.checked_add(life);
        self.renew_at = since.checked_add(life / whole * part).filter(|_| renewable);
    }

    fn renew_later(&mut self) {
        let pause = self.life.map(|life| life / REPEAT_AFTER);
        self.renew_at = pause.and_then(|pause| Instant::now().checked_add(pause));
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.renew_at.is_some_and(|at| now >= at)
    }
}

impl Session {
    pub(crate) fn new(server: Server, auth: VaultAuth) -> Result<Arc<Self>, VaultError> {
        if let Some(token) = auth.given() {
            header(token)?;
        }
        Ok(Arc::new(Self {
            server,
            auth,
            token: Mutex::default(),
            keeper: std::sync::Mutex::default(),
        }))
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Sends a request with a valid token.
    ///
    /// The server answers 403 both to a token that is not valid any more and to one that its policy
    /// forbids the request. The former is replaced and the request sent once more.
    pub(crate) async fn send(self: &Arc<Self>, request: &Request) -> Result<Reply, VaultError> {
        let token = self.token().await?;
        let reply = self.server.send(request, Some(&token)).await?;
        if reply.status() != 403 || self.is_valid(&token).await? {
            return Ok(reply);
        }
        self.forget(&token).await;
        if self.auth.given().is_some() {
            return Err(VaultError::TokenRefused);
        }
        let token = self.token().await?;
        self.server.send(request, Some(&token)).await
    }

    /// Returns a token, after a login or a renewal if one is due.
    async fn token(self: &Arc<Self>) -> Result<HeaderValue, VaultError> {
        let mut current = self.token.lock().await;
        let now = Instant::now();
        if let Some(token) = current.as_mut().filter(|token| token.is_due(now)) {
            match self.renew(token, now).await {
                Ok(true) => {}
                Ok(false) if self.auth.given().is_some() => token.renew_at = None,
                Ok(false) => *current = None,
                // It is still valid.
                Err(_) if !token.is_expired(Instant::now()) => token.renew_later(),
                Err(error) => return Err(error),
            }
        }
        let token = match current.take() {
            Some(token) if self.auth.given().is_some() || !token.is_expired(now) => token,
            _ => self.obtain().await?,
        };
        let header = token.header.clone();
        let renew_at = token.renew_at;
        *current = Some(token);
        drop(current);
        if self.auth.given().is_some() && renew_at.is_some() {
            self.keep();
        }
        Ok(header)
    }

    /// Looks at the given token, or logs in.
    async fn obtain(&self) -> Result<Token, VaultError> {
        let since = Instant::now();
        if let Some(token) = self.auth.given() {
            let header = header(token)?;
            let request = Request::get("auth/token/lookup-self");
            let reply = self.server.send(&request, Some(&header)).await?;
            // A policy can forbid the look; then nothing is known of its life.
            let unknown = Looked {
                ttl: 0,
                renewable: false,
            };
            let Looked { ttl, renewable } = reply.data().unwrap_or(unknown);
            return Ok(Token::new(header, since, ttl, renewable));
        }
        let request = self.auth.login().await?;
        let reply = self.server.send(&request, None).await?;
        if !reply.is_success() {
            return Err(VaultError::LoginRefused {
                path: request.path().to_owned(),
                status: reply.status(),
            });
        }
        let WithAuth { auth } = reply.decode()?;
        tracing::debug!(seconds = auth.lease_duration, "logged in to the server");
        let header = header(&auth.client_token.into())?;
        Ok(Token::new(
            header,
            since,
            auth.lease_duration,
            auth.renewable,
        ))
    }

    /// Renews a token; returns `false` if that is no longer possible or worth while.
    async fn renew(&self, token: &mut Token, since: Instant) -> Result<bool, VaultError> {
        let request = Request::post("auth/token/renew-self", &json!({}), 0);
        let reply = self.server.send(&request, Some(&token.header)).await?;
        if !reply.is_success() {
            return Ok(false);
        }
        let WithAuth { auth } = reply.decode()?;
        let life = Duration::from_secs(auth.lease_duration);
        token.live(since, life, auth.renewable);
        let is_full = token.life.is_none_or(|first| life >= first / FULL_LIVES);
        Ok(is_full && auth.renewable)
    }

    /// Returns `true` if the server accepts a token at all.
    async fn is_valid(&self, token: &HeaderValue) -> Result<bool, VaultError> {
        let request = Request::get("auth/token/lookup-self");
        let reply = self.server.send(&request, Some(token)).await?;
        Ok(reply.is_success())
    }

    /// Forgets a token, unless another one has replaced it.
    async fn forget(&self, refused: &HeaderValue) {
        let mut current = self.token.lock().await;
        if current
            .as_ref()
            .is_some_and(|token| token.header == refused)
        {
            *current = None;
        }
    }

    /// Starts a task that renews the given token, unless one runs.
    fn keep(self: &Arc<Self>) {
        // Nothing panics while it is locked.
        let Ok(mut keeper) = self.keeper.lock() else {
            return;
        };
        // The runtime that ran it may have been shut down.
        if keeper.as_ref().is_none_or(JoinHandle::is_finished) {
            *keeper = Some(tokio::spawn(renew_while_used(Arc::downgrade(self))));
        }
    }
}

/// Renews a token when it is due, until the store is gone or the token can't be renewed any more.
async fn renew_while_used(session: Weak<Session>) {
    loop {
        let due = match session.upgrade() {
            Some(session) => session
                .token
                .lock()
                .await
                .as_ref()
                .and_then(|token| token.renew_at),
            None => None,
        };
        let Some(due) = due else {
            return;
        };
        sleep_until(due).await;
        let Some(session) = session.upgrade() else {
            return;
        };
        if let Err(error) = Box::pin(session.token()).await {
            tracing::warn!(%error, "the token of the credential store was not renewed");
        }
    }
}

/// Returns a token as a header, which shares one text that is wiped.
fn header(token: &Secret) -> Result<HeaderValue, VaultError> {
    let text = Zeroizing::new(token.expose_secret().as_bytes().to_vec());
    let header = HeaderValue::from_maybe_shared(Bytes::from_owner(text));
    let mut header = header.map_err(|_invalid| VaultError::InvalidSetting {
        setting: "auth",
        problem: "the token has a byte that no HTTP header can carry, such as a line break",
    })?;
    header.set_sensitive(true);
    Ok(header)
}
