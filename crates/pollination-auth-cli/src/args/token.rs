//! The commands on the account's API token.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::help;
use super::options::{Confirmed, SETTLE, Settle};
use super::values;

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Ask the service for the id of the account's API token
    Show(Bearer),
    /// Create an API token and store it; prints its id
    ///
    /// The service creates one only if the account has none. After a deletion, an access token from
    /// before it is needed to create the next one.
    ///
    /// The access token is kept in a private file until the new API token has logged in. If the
    /// creation is interrupted or its reply is lost, the error and `status` name the file.
    #[command(after_long_help = help::CREATE)]
    Create(Create),
    /// Rotate the secret, crash-safely
    ///
    /// The service creates a new secret, and the old one stops working. The new one is stored
    /// before the old one is discarded. Ctrl-C lets the rotation finish; a second Ctrl-C stops it.
    /// Complete an interrupted rotation with `--resume`.
    ///
    /// If the outcome of a request is unknown, or the service refuses it, the command waits for the
    /// settle time before deciding or retrying, and says so on stderr.
    Rotate(Rotate),
    /// Delete the account's API token, and remove it from this machine
    Delete(Delete),
}

/// What the account is reached with if not with the stored credential.
#[derive(Args, Debug)]
pub(crate) struct Bearer {
    /// Use the access token on standard input instead of the stored credential
    #[arg(long)]
    pub(crate) access_token_stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) bearer: Bearer,

    #[command(flatten)]
    pub(crate) settle: Settle,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) bearer: Bearer,

    /// Print the secret too; it is stored either way
    #[arg(long)]
    pub(crate) show_secret: bool,

    /// Replace the stored API token with this id, and no other one, without asking
    #[arg(long, value_name = "ID")]
    pub(crate) replace: Option<String>,

    #[command(flatten)]
    pub(crate) settle: Settle,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// Complete an interrupted rotation; never start one
    #[arg(long)]
    pub(crate) resume: bool,

    /// Longest time in which the service may still act on a request or learn of a new secret
    ///
    /// The command waits for it if the outcome of a request is unknown, and at the start of
    /// `--resume`. A rotation without a fault does not wait. Too short a time can lose the secret.
    /// At most 1h.
    #[arg(long, value_name = "DURATION", default_value = SETTLE, value_parser = values::settle)]
    pub(crate) settle: Duration,

    /// Minimum remaining lifetime of the access token that a recovery may need
    ///
    /// The rotation does not start if access tokens expire sooner. A shorter time lets a service
    /// with short-lived access tokens rotate, and leaves less time for `--resume`. [default: 15m or
    /// ten times `--settle`, whichever is longer]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(crate) recovery_horizon: Option<Duration>,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}
