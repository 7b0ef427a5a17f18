//! The five operations over the wire: our types in, our types or a failed attempt out.
//!
//! One call here is one HTTP exchange: nothing is retried, nothing is cached.

pub(crate) mod answer;
mod bytes;
pub(crate) mod decode;
mod decoded;
mod error_text;
mod fields;
pub(crate) mod known;
mod login;
mod mask;
pub(crate) mod retry_after;
pub(crate) mod secrets;
pub(crate) mod transport;

use std::sync::Arc;
use std::time::Duration;

use pollination_auth_api::{Client, Exchange, ResponseValue, SecretText, types};

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
    /// Each call's exchange is a clone of this one, so that they share the parsed URLs.
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
        let client = self.client(Operation::Login, None, timeout)?;
        let result = client.login(&body).await;
        let (reply, _) = self.reply(Operation::Login, client, result, secret);
        reply.grant(requested_at)
    }

    /// `GET /auth/api-token`
    pub(crate) async fn get_api_token(
        &self,
        bearer: &AccessToken,
        timeout: Duration,
    ) -> Attempted<Answer<ApiTokenId>> {
        const OPERATION: Operation = Operation::GetApiToken;
        let client = self.client(OPERATION, Some(bearer), timeout)?;
        let result = client.get_api_token().await;
        let (reply, generated) = self.reply(OPERATION, client, result, bearer.expose_secret());
        reply.api_token_id(generated)
    }

    /// `POST /auth/api-token`
    pub(crate) async fn create_api_token(
        &self,
        bearer: &AccessToken,
        timeout: Duration,
    ) -> Attempted<Answer<ApiToken>> {
        const OPERATION: Operation = Operation::CreateApiToken;
        let client = self.client(OPERATION, Some(bearer), timeout)?;
        let result = client.create_api_token().await;
        let (reply, _) = self.reply(OPERATION, client, result, bearer.expose_secret());
        reply.api_token(None)
    }

    /// `PUT /auth/api-token`; `held` is the API token that is rotated, where it is known.
    pub(crate) async fn rotate_api_token_secret(
        &self,
        bearer: &AccessToken,
        held: Option<&ApiToken>,
        timeout: Duration,
    ) -> Attempted<Answer<ApiToken>> {
        const OPERATION: Operation = Operation::RotateApiTokenSecret;
        let client = self.client(OPERATION, Some(bearer), timeout)?;
        let result = client.rotate_api_token_secret().await;
        let (reply, _) = self.reply(OPERATION, client, result, bearer.expose_secret());
        reply.api_token(held)
    }

    /// `DELETE /auth/api-token`
    pub(crate) async fn delete_api_token(
        &self,
        bearer: &AccessToken,
        timeout: Duration,
    ) -> Attempted<Answer<()>> {
        const OPERATION: Operation = Operation::DeleteApiToken;
        let client = self.client(OPERATION, Some(bearer), timeout)?;
        let result = client.delete_api_token().await;
        let (reply, _) = self.reply(OPERATION, client, result, bearer.expose_secret());
        reply.nothing()
    }

    /// Creates the generated client for one call.
    fn client(
        &self,
        operation: Operation,
        bearer: Option<&AccessToken>,
        timeout: Duration,
    ) -> Attempted<Client> {
        let mut exchange = self.exchange.clone();
        if let Some(bearer) = bearer {
            exchange = exchange.bearer(bearer.bearer());
        }
        if let Some(timeout) = self.transport.own_timeout(timeout) {
            exchange = exchange.timeout(timeout);
        }
        let http = self.transport.client_for(operation);
        let http = http.map_err(|error| self.context(operation, "").not_sent(error))?;
        let prefix = self.base_url.prefix();
        Ok(Client::new_with_client(prefix, http, exchange))
    }

    /// Returns the reply to a call that carried this secret, and the generated value of it.
    fn reply<'a, T, E>(
        &'a self,
        operation: Operation,
        client: Client,
        result: Result<ResponseValue<T>, pollination_auth_api::Error<E>>,
        secret: &'a str,
    ) -> (Reply<'a>, Option<T>) {
        let (outcome, generated) = Exchange::conclude(client, result);
        let context = self.context(operation, secret);
        (Reply { context, outcome }, generated)
    }

    fn context<'a>(&'a self, operation: Operation, secret: &'a str) -> Context<'a> {
        Context {
            operation,
            secret,
            known: &self.known,
            base_url: &self.base_url,
            clock: &*self.clock,
        }
    }
}
