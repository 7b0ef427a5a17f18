//! An interceptor for gRPC clients of tonic: it is synchronous, so it takes a token that a task
//! keeps fresh, and never blocks.
//!
//! No call is made here: the interceptor is given a request, as a generated client does it.

use std::error::Error;
use std::io::{self, Write as _};

use pollination_auth::{ApiToken, Client, FreshAccessToken, Secret};
use pollination_auth_fake::FakeService;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Puts an access token on each request; pass it to `YourClient::with_interceptor`.
#[derive(Clone)]
struct Authenticated(FreshAccessToken);

impl Interceptor for Authenticated {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let token = self.0.get().map_err(|error| match error.is_retryable() {
            true => Status::unavailable(error.to_string()),
            false => Status::unauthenticated(error.to_string()),
        })?;
        let header = format!("Bearer {}", token.expose_secret());
        let mut header: MetadataValue<_> = header
            .parse()
            .map_err(|_invalid| Status::internal("the access token is no header"))?;
        header.set_sensitive(true);
        request.metadata_mut().insert("authorization", header);
        Ok(request)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let client = Client::builder()
        .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
        .base_url(service.base_url())
        .build()?;
    // The first token is there before the first request.
    client.access_token().await?;
    let mut interceptor = Authenticated(client.keep_fresh()?);

    let request = interceptor.call(Request::new(()))?;
    let is_authenticated = request.metadata().contains_key("authorization");
    writeln!(io::stdout(), "authenticated: {is_authenticated}")?;
    Ok(())
}
