//! The five operations over the wire: our types in, our types or a failed attempt out.
//!
//! One call here is one HTTP exchange: nothing is retried, nothing is cached.

pub(crate) mod answer;
mod bytes;
pub(crate) mod decode;
mod decoded;
pub(crate) mod known;
mod login;
mod mask;
pub(crate) mod retry_after;
pub(crate) mod secrets;
pub(crate) mod transport;
mod words;

use std::sync::Arc;
use std::time::Duration;

use pollination_auth_api::{Client, Exchange, Outcome, SecretText, types};

use self::answer::{Answer, Attempted};
use self::decode::{Context, Reply};
use self::known::Known;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::{ApiToken, ApiTokenId};
use crate::credential::grant::Grant;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::clock::Clock;
use crate::foundation::operation::Operation;
use crate::wire::transport::Transport;

/// Sends the five operations to one service.
pub(crate) struct Wire {
    pub(crate) base_url: BaseUrl,
    pub(crate) transport: Transport,
    pub(crate) clock: Arc<dyn Clock>,
    /// What each call's exchange is cloned from, so that they share the parsed URLs.
    exchange: Exchange,
    pub(crate) known: Known,
}

impl Wire {
    pub(crate) fn new(base_url: BaseUrl, transport: Transport, clock: Arc<dyn Clock>) -> Self {
        Self {
            base_url,
            transport,
            clock,
            exchange: Exchange::new(),
            known: Known::default(),
        }
    }

    /// `POST /auth/login`
    pub(crate) async fn login(
        &self,
        token: &ApiToken,
        timeout: Duration,
    ) -> Attempted<Answer<Grant>> {
        let requested_at = self.clock.now();
        let secret = token.secret().expose_secret();
        let body = types::Token {
            id: token.id().as_str().to_owned(),
            secret: Some(SecretText::from(secret.to_owned())),
        };
        let exchange = self.exchange(timeout);
        let client = self.client(Operation::Login, exchange);
        let result = client.login(&body).await;
        let (outcome, _) = Exchange::conclude(client, result);
        self.reply(Operation::Login, outcome, secret)
            .grant(requested_at)
    }

    /// `GET /auth/api-token`
    pub(crate) async fn get_api_token(
        &self,
        bearer: &AccessToken,
        timeout: Duration,
    ) -> Attempted<Answer<ApiTokenId>> {
        const OPERATION: Operation = Operation::GetApiToken;
        let exchange = self.exchange(timeout).bearer(bearer.bearer());
        let client = self.client(OPERATION, exchange);
        let result = client.get_api_token().await;
        let (outcome, generated) = Exchange::conclude(client, result);
        self.reply(OPERATION, outcome, bearer.expose_secret())
            .api_token_id(generated)
    }

    /// `POST /auth/api-token`
    pub(crate) async fn create_api_token(
        &self,
        bearer: &AccessToken,
        timeout: Duration,
    ) -> Attempted<Answer<ApiToken>> {
        const OPERATION: Operation = Operation::CreateApiToken;
        let exchange = self.exchange(timeout).bearer(bearer.bearer());
        let client = self.client(OPERATION, exchange);
        let result = client.create_api_token().await;
        let (outcome, _) = Exchange::conclude(client, result);
        self.reply(OPERATION, outcome, bearer.expose_secret())
            .api_token(None)
    }

    /// `PUT /auth/api-token`; `held` is the API token that is rotated, where it is known.
    pub(crate) async fn rotate_api_token_secret(
        &self,
        bearer: &AccessToken,
        held: Option<&ApiToken>,
        timeout: Duration,
    ) -> Attempted<Answer<ApiToken>> {
        const OPERATION: Operation = Operation::RotateApiTokenSecret;
        let exchange = self.exchange(timeout).bearer(bearer.bearer());
        let client = self.client(OPERATION, exchange);
        let result = client.rotate_api_token_secret().await;
        let (outcome, _) = Exchange::conclude(client, result);
        self.reply(OPERATION, outcome, bearer.expose_secret())
            .api_token(held)
    }

    /// `DELETE /auth/api-token`
    pub(crate) async fn delete_api_token(
        &self,
        bearer: &AccessToken,
        timeout: Duration,
    ) -> Attempted<Answer<()>> {
        const OPERATION: Operation = Operation::DeleteApiToken;
        let exchange = self.exchange(timeout).bearer(bearer.bearer());
        let client = self.client(OPERATION, exchange);
        let result = client.delete_api_token().await;
        let (outcome, _) = Exchange::conclude(client, result);
        self.reply(OPERATION, outcome, bearer.expose_secret())
            .nothing()
    }

    fn exchange(&self, timeout: Duration) -> Exchange {
        let exchange = self.exchange.clone();
        match self.transport.own_timeout(timeout) {
            Some(timeout) => exchange.timeout(timeout),
            None => exchange,
        }
    }

    fn client(&self, operation: Operation, exchange: Exchange) -> Client {
        let http = self.transport.client_for(operation);
        Client::new_with_client(self.base_url.prefix(), http, exchange)
    }

    /// Returns what the exchange captured of a call that carried this secret.
    fn reply<'a>(&'a self, operation: Operation, outcome: Outcome, secret: &'a str) -> Reply<'a> {
        Reply {
            context: Context {
                operation,
                secret,
                known: &self.known,
                base_url: &self.base_url,
                clock: &*self.clock,
            },
            outcome,
        }
    }
}
