//! The client in a program without async: an access token for several threads, and a rotation.
//!
//! It runs against the service in memory and shows no secret.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::thread;

use pollination_auth::{ApiToken, Client, Secret};
use pollination_auth_fake::FakeService;

/// How many threads need a token at once.
const THREADS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let client = Client::builder()
        .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
        .base_url(service.base_url())
        .build_blocking()?;

    let ids = thread::scope(|scope| {
        let calls = [(); THREADS].map(|()| scope.spawn(|| client.get_api_token()));
        calls.map(|call| call.join().map_err(|_panic| "a thread panicked"))
    });
    for id in ids {
        say(format_args!("the account's API token has the id {}", id??))?;
    }
    say(format_args!(
        "{THREADS} threads made {} login",
        service.logins()
    ))?;

    let rotated = client.rotate_api_token_secret()?;
    say(format_args!("rotated the secret of {}", rotated.id()))?;
    client.login()?;
    say("logged in with the new secret")
}

fn say(step: impl fmt::Display) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{step}")?)
}
