//! Other ways to use the client: as middleware, as a tower service, in a generated client, without async.

mod adapter;
#[cfg(feature = "blocking")]
mod blocking;
mod events;
mod every_adapter;
mod generated;
#[cfg(all(feature = "reqwest-middleware", feature = "tower"))]
mod lookalikes;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_chain;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_destinations;
#[cfg(feature = "tower")]
mod tower_bodies;
#[cfg(feature = "tower")]
mod tower_service;

use pollination_auth::{AccessToken, ApiToken, Client, ClientBuilder, Secret};
use pollination_auth_fake::FakeService;

/// How many callers a herd has.
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
const HERD: usize = 100;

/// The path of the one operation that changes nothing.
const PATH: &str = "/auth/api-token";

/// A request for the one resource of a service that can be read.
fn get(service: &FakeService) -> http::Request<bytes::Bytes> {
    let request = http::Request::get(format!("{}{PATH}", service.base_url()));
    request.body(bytes::Bytes::new()).unwrap()
}

/// The URL of a service by the name of this machine instead of its address: another host.
fn by_name(service: &FakeService) -> String {
    service.base_url().replace("127.0.0.1", "localhost")
}

/// A builder for the service's own API token.
fn builder(service: &FakeService) -> ClientBuilder {
    let (id, secret) = (service.id().unwrap(), service.secret().unwrap());
    Client::builder()
        .api_token(ApiToken::new(id, Secret::from(secret.expose_secret())).unwrap())
        .base_url(service.base_url())
}

/// An access token that no service issued; it states no expiry.
fn given_token() -> AccessToken {
    AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.cGxhbnRlZA").unwrap()
}

/// The `Authorization` headers that a service received, in order; `None` for a request without one.
fn credentials(service: &FakeService) -> Vec<Option<String>> {
    let requests = service.requests();
    let others = requests
        .iter()
        .filter(|request| request.path() != "/auth/login");
    others
        .map(|request| request.header("authorization").map(str::to_owned))
        .collect()
}
