//! The whole life of a credential, step by step, without showing a secret.
//!
//! By itself it runs against the service in memory. With `POLLINATION_API_KEY_ID`,
//! `POLLINATION_API_KEY_SECRET` and `POLLINATION_HOST` set it runs against that service, and then
//! changes nothing unless it is called with `--destructive FILE`: it then rotates, deletes and
//! creates, and keeps the new id and secret in that file, which must not exist yet.

use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

use pollination_auth::{AccessToken, ApiToken, Client, Error as AuthError, Secret};
use pollination_auth_fake::FakeService;

/// Asks for the steps that change the account of a real service.
const DESTRUCTIVE: &str = "--destructive";

const VARIABLES: [&str; 3] = [
    "POLLINATION_API_KEY_ID",
    "POLLINATION_API_KEY_SECRET",
    "POLLINATION_HOST",
];

/// Prints an error with `{}`, which says what to do; one that `main` returns is printed with `{:?}`.
#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody listens, the exit code tells.
            let _unheard = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let safe = match arguments[..] {
        [] => None,
        [DESTRUCTIVE, path] => Some(Safe::create(path)?),
        _ => return Err(format!("the only option is {DESTRUCTIVE} FILE").into()),
    };
    match VARIABLES
        .iter()
        .filter(|name| std::env::var_os(name).is_some())
        .count()
    {
        0 => {
            let service = FakeService::builder()
                .id("an-id")
                .secret("a-secret")
                .start();
            let host = service.base_url();
            say(format_args!("the service in memory is used, at {host}"))?;
            let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
            let client = Client::builder()
                .api_token(api_token)
                .base_url(&*host)
                .build()?;
            read(&client).await?;
            change(&client, &host, safe).await
        }
        3 => {
            say("the service of the environment is used")?;
            let client = Client::from_env()?;
            read(&client).await?;
            if safe.is_none() {
                return say(format_args!(
                    "nothing was changed; {DESTRUCTIVE} FILE would"
                ));
            }
            change(&client, &std::env::var("POLLINATION_HOST")?, safe).await
        }
        _ => Err(format!("set all of {}, or none of them", VARIABLES.join(", ")).into()),
    }
}

/// The file that keeps the newest credential of a real service.
struct Safe(File);

impl Safe {
    /// Makes the file first, so that nothing is changed where nothing can be kept.
    fn create(path: &str) -> Result<Self, Box<dyn Error>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self(
            options
                .open(path)
                .map_err(|error| format!("{path}: {error}"))?,
        ))
    }

    fn keep(&mut self, token: &ApiToken) -> io::Result<()> {
        self.0.rewind()?;
        self.0.set_len(0)?;
        writeln!(self.0, "{}={}", VARIABLES[0], token.id())?;
        writeln!(
            self.0,
            "{}={}",
            VARIABLES[1],
            token.secret().expose_secret()
        )?;
        self.0.sync_all()
    }
}

/// The steps that change nothing.
async fn read(client: &Client) -> Result<(), Box<dyn Error>> {
    let token = client.access_token().await?;
    say(format_args!("logged in; {}", Shown(&token)))?;
    let again = client.access_token().await?;
    let same = again.expose_secret() == token.expose_secret();
    say(format_args!(
        "asked again: {}",
        if same {
            "the same access token"
        } else {
            "a new one"
        }
    ))?;
    say(format_args!(
        "the account's API token has the id {}",
        client.get_api_token().await?
    ))
}

/// The steps that change the account: rotate, delete, create.
async fn change(client: &Client, host: &str, mut safe: Option<Safe>) -> Result<(), Box<dyn Error>> {
    let mut keep = |token: &ApiToken| safe.as_mut().map_or(Ok(()), |safe| safe.keep(token));

    let rotated = client.rotate_api_token_secret().await?;
    keep(&rotated)?;
    say(format_args!(
        "rotated the secret of {}; the old one no longer works",
        rotated.id()
    ))?;
    let access_token = client.login().await?;
    say("logged in with the new secret")?;

    client.delete_api_token().await?;
    say("deleted the API token")?;
    match client.login().await {
        Err(AuthError::CredentialsRejected(_)) => {
            say("its secret no longer logs in, as it should be")?
        }
        Err(other) => return Err(other.into()),
        Ok(_) => return Err("a deleted API token still logs in".into()),
    }

    // An access token stays valid until it ends; it is enough to create a new API token.
    let keeper = Client::builder()
        .access_token(access_token)
        .base_url(host)
        .build()?;
    let created = keeper.create_api_token().await?;
    keep(&created)?;
    say(format_args!(
        "created an API token with the id {}",
        created.id()
    ))?;
    let renewed = Client::builder()
        .api_token(created)
        .base_url(host)
        .build()?;
    let token = renewed.access_token().await?;
    say(format_args!("logged in with it; {}", Shown(&token)))
}

/// What may be shown of an access token: how long it lasts.
struct Shown<'a>(&'a AccessToken);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self
            .0
            .expires_at()
            .and_then(|end| end.duration_since(SystemTime::now()).ok());
        match left {
            Some(left) => write!(f, "the access token is good for {} s", left.as_secs()),
            None => f.write_str("the access token has an unknown end"),
        }
    }
}

fn say(step: impl fmt::Display) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout(), "{step}")?)
}
