//! A service written with axum: the client is part of its state, and all handlers share one login.
//!
//! It calls itself once and ends. The service in memory stands for Pollination.

use std::error::Error;
use std::io::{self, Write as _};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use pollination_auth::{ApiToken, Client, Secret};
use pollination_auth_fake::FakeService;
use pollination_auth_fake::http::{Method, Response};

/// What every handler gets; clones are cheap and share everything.
#[derive(Clone)]
struct Service {
    client: Client,
    http: reqwest::Client,
}

/// Passes the account's projects on.
async fn projects(State(service): State<Service>) -> Result<String, StatusCode> {
    let url = format!("{}/projects", service.client.base_url());
    let mut request = service.http.get(url).build().map_err(gateway)?;
    // Puts a valid access token on, and after a 401 sends it once more with the next one.
    service
        .client
        .authorize(&mut request)
        .await
        .map_err(gateway)?;
    let reply = service.client.execute(&service.http, request).await;
    let reply = reply.and_then(reqwest::Response::error_for_status);
    reply.map_err(gateway)?.text().await.map_err(gateway)
}

/// Logs why the upstream call failed; the caller learns only that it did.
fn gateway(error: impl Error) -> StatusCode {
    let _unheard = writeln!(io::stderr(), "upstream: {error}");
    StatusCode::BAD_GATEWAY
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pollination = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .route(Method::GET, "/projects", |_| Response::new("daylight"))
        .start();
    let client = Client::builder()
        .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
        .base_url(pollination.base_url())
        .build()?;

    let http = reqwest::Client::new();
    let state = Service {
        client,
        http: http.clone(),
    };
    let app = Router::new()
        .route("/projects", get(projects))
        .with_state(state);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let own = format!("http://{}/projects", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    for _ in 0..2 {
        let reply = http.get(&own).send().await?.error_for_status()?;
        writeln!(io::stdout(), "{}", reply.text().await?)?;
    }
    writeln!(io::stdout(), "logins: {}", pollination.logins())?;
    Ok(())
}
