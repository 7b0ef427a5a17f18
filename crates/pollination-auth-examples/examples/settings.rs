//! Another host, other timeouts, an extra header, fewer retries; a proxy is one line more.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;

use pollination_auth::reqwest::header::{HeaderMap, HeaderValue};
use pollination_auth::{ApiToken, Client, RetryPolicy, Secret};
use pollination_auth_fake::FakeService;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();

    let mut headers = HeaderMap::new();
    headers.insert("x-team", HeaderValue::from_static("daylight"));
    let client = Client::builder()
        .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
        .base_url(service.base_url())
        .connect_timeout(Duration::from_secs(2))
        .total_timeout(Duration::from_secs(10))
        .retry(RetryPolicy::default().max_attempts(2))
        .user_agent("daylight-study/1.0")
        // `.proxy(…)`, `.tls_certs_merge(…)` and `.identity(…)` belong here too.
        .configure_http(move |http| {
            http.default_headers(headers.clone())
                .pool_max_idle_per_host(4)
        })
        .build()?;
    client.get_api_token().await?;

    let mut out = io::stdout();
    for request in service.requests() {
        let header = |name| request.header(name).unwrap_or("none");
        let (team, agent) = (header("x-team"), header("user-agent"));
        writeln!(
            out,
            "{} {}: team {team}, {agent}",
            request.method(),
            request.path()
        )?;
    }
    Ok(())
}
