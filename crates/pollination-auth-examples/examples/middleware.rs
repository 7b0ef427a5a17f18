//! Calls to the rest of the service with a fresh access token: by hand, and with a client that
//! progenitor generates.
//!
//! It runs against the service in memory, whose one readable resource stands for the other parts.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};

use pollination_auth::{ApiToken, AuthMiddleware, Client, Secret};
use pollination_auth_fake::{FakeService, Operation};
use progenitor::progenitor_client::{ClientHooks, ClientInfo as _, OperationInfo};
use reqwest::{Request, Response, StatusCode};
use reqwest_middleware::ClientBuilder;

/// What progenitor makes of the contract of another part; each request gets an access token.
mod another_part {
    progenitor::generate_api!(
        spec = "examples/another_part.json",
        inner_type = pollination_auth::Client,
        pre_hook_async = pollination_auth::Client::authorize,
    );
}

/// Repeats a request after a 401, with the next access token.
impl ClientHooks<Client> for another_part::Client {
    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        self.inner().execute(self.client(), request).await
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
        .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
        .base_url(&*host)
        .build()?;

    let plain = reqwest::Client::new();
    let http = ClientBuilder::new(plain.clone())
        .with(AuthMiddleware::new(client.clone()))
        .build();
    let reply = http.get(format!("{host}/auth/api-token")).send().await?;
    say(format_args!("by hand: status {}", reply.status()))?;

    let generated = another_part::Client::new_with_client(&host, plain, client);
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
    let inner = known.inner().clone();
    let client = another_part::Client::new_with_client(host, reqwest::Client::new(), inner);
    client.get_item().await.err()?.status()
}

fn say(step: impl fmt::Display) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{step}")?)
}
