//! Calls to the rest of the service with a fresh access token: by hand, and with a client that
//! progenitor generates.
//!
//! It runs against the service in memory, whose one readable resource stands for the other parts.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};

use another_part::Error as CallError;
use pollination_auth::{ApiToken, AuthMiddleware, Client};
use pollination_auth_fake::{FakeService, Operation};
use progenitor::progenitor_client::{ClientHooks, OperationInfo};
use reqwest::StatusCode;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

/// What progenitor makes of the contract of another part; `Expected` makes the hooks below a must.
mod another_part {
    progenitor::generate_api!(
        spec = "examples/another_part.json",
        inner_type = crate::Authenticated,
        hooks = Expected,
    );
}

/// What the generated client carries: who has the token, and what puts it on.
#[derive(Clone, Debug)]
pub struct Authenticated {
    client: Client,
    http: ClientWithMiddleware,
}

impl ClientHooks<Authenticated> for another_part::Client {
    /// Fetches the token where a hook can still tell why there is none.
    async fn pre<E>(
        &self,
        _: &mut reqwest::Request,
        _: &OperationInfo,
    ) -> Result<(), CallError<E>> {
        let token = self.inner.client.access_token().await;
        token
            .map(drop)
            .map_err(|error| CallError::Custom(error.to_string()))
    }

    /// Sends through the middleware, which puts the token on and replays after a 401.
    async fn exec(
        &self,
        request: reqwest::Request,
        _: &OperationInfo,
    ) -> reqwest::Result<reqwest::Response> {
        match self.inner.http.execute(request).await {
            Ok(response) => Ok(response),
            Err(reqwest_middleware::Error::Reqwest(error)) => Err(error),
            // The token was refused, and no login gave the next one. Here a hook can't give an
            // error of ours, so it gives the refusal; the next call's `pre` says why.
            Err(reqwest_middleware::Error::Middleware(_)) => {
                let mut refusal = http::Response::new("");
                *refusal.status_mut() = StatusCode::UNAUTHORIZED;
                Ok(refusal.into())
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let host = service.base_url();
    let client = Client::builder()
        .api_token(ApiToken::new("an-id", "a-secret")?)
        .base_url(&*host)
        .build()?;

    let plain = reqwest::Client::new();
    let http = ClientBuilder::new(plain.clone())
        .with(AuthMiddleware::new(client.clone()))
        .build();
    let reply = http.get(format!("{host}/auth/api-token")).send().await?;
    say(format_args!("by hand: status {}", reply.status()))?;

    let generated =
        another_part::Client::new_with_client(&host, plain, Authenticated { client, http });
    let item = generated.get_item().await?;
    say(format_args!("generated: the item {}", item.id))?;

    service.expire_all_tokens();
    let item = generated.get_item().await?;
    say(format_args!(
        "after the token's end: the item {} again",
        item.id
    ))?;
    say(format_args!(
        "so far: {} requests and {} logins",
        service.count(Operation::GetApiToken),
        service.logins()
    ))?;

    let stranger = FakeService::start();
    let elsewhere = stranger.base_url();
    let other = generated_elsewhere(&generated, &elsewhere).await;
    let carried = stranger
        .requests()
        .iter()
        .any(|request| request.header("authorization").is_some());
    if other != Some(StatusCode::UNAUTHORIZED) || carried {
        return Err("another host saw the token".into());
    }
    say("another host: no token was sent there")
}

/// Makes the same call to another host, and gives the status that came back.
async fn generated_elsewhere(known: &another_part::Client, host: &str) -> Option<StatusCode> {
    let inner = known.inner.clone();
    let client = another_part::Client::new_with_client(host, reqwest::Client::new(), inner);
    client.get_item().await.err()?.status()
}

fn say(step: impl fmt::Display) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{step}")?)
}
