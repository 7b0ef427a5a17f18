//! Options that several commands share, and those of `login`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values;

/// The longest time in which the service may still learn of a new secret, in all of its parts.
pub(super) const SETTLE: &str = "60s";

/// Which access token is wanted.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Minimum remaining lifetime, such as 90s, 5m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(crate) valid_for: Option<Duration>,

    /// Ignore the cached token and log in again
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Login {
    /// Take the id and the secret from here only
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub(crate) from: Option<Source>,

    /// Store the id and the secret in the system's keyring instead of a file
    ///
    /// The keyring is that of the Secret Service (such as GNOME Keyring or KWallet), Windows or macOS. If
    /// a file has the id and the secret, it is removed once the keyring has them. Later logins of
    /// this profile use the keyring too, until `logout`. Needs a build with the feature `keyring`.
    #[arg(long)]
    pub(crate) keyring: bool,

    /// Give up an unfinished rotation; its journal may hold the only working key
    ///
    /// A request of the rotation may still be on its way, and would end the given secret. So the
    /// secret is checked again after the time of --settle.
    #[arg(long)]
    pub(crate) discard_rotation: bool,

    #[command(flatten)]
    pub(crate) settle: Settle,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

/// Where an id and a secret come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The variables that `pollination-auth --help` lists, or the files that they name
    Environment,
    /// Two lines: the id and the secret
    Stdin,
    /// A terminal, which does not show the secret
    Prompt,
}

#[derive(Args, Debug)]
pub(crate) struct Settle {
    /// Time to wait before checking again a stored secret that the service refuses
    ///
    /// The stored secret is given up only if both checks fail, because part of the service may not
    /// have learned of a new secret yet. Too short a time can lose the secret. At most 1h.
    #[arg(long, value_name = "DURATION", default_value = SETTLE, value_parser = values::settle)]
    pub(crate) settle: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct Confirmed {
    /// Skip confirmation (required without a terminal)
    #[arg(long, short)]
    pub(crate) yes: bool,
}
