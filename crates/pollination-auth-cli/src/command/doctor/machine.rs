//! This machine: the credential store and its modes, what is unfinished in it, and the environment.

use std::env;
use std::path::Path;

use pollination_auth::{RotationStatus, StoreError};

use super::check::Check;
use crate::access_token_file::SharedToken;
use crate::args::global::Global;
use crate::command::profile;
use crate::context::{self, Context, Stored};
use crate::credential::Found;
use crate::environment;
use crate::error::CliError;
use crate::paths;
use crate::place::Place;
use crate::time::rfc3339;
use crate::variables::{DIRECTORY, HOST, ID, LATER_KEY, PROFILE, RESCUE, SECRET};

/// The names of the checks, in order.
const STORE: &str = "store";
const RESCUE_DIRECTORY: &str = "rescue directory";
const PROFILES: &str = "profiles";
const CREDENTIAL: &str = "credential";
const ENVIRONMENT: &str = "environment";

/// The variables that change what a command does; what they are set to may be nobody's business.
const SHOWN: [&str; 6] = [
    HOST,
    PROFILE,
    DIRECTORY,
    RESCUE,
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Checks all of it; what is stored is looked at only where a client can be set up.
pub(super) async fn check(global: &Global, has_client: bool) -> Vec<Check> {
    let mut checks = vec![match store().await {
        Ok(check) => check,
        Err(error) => Check::problem(STORE, error.to_string(), of_store(&error)),
    }];
    checks.push(rescue().await);
    if has_client {
        checks.push(unfinished(global).await);
        checks.push(credential(global).await);
    } else {
        let why = "no client can be set up";
        checks.extend([PROFILES, CREDENTIAL].map(|name| Check::skipped(name, why)));
    }
    checks.extend(environment());
    checks
}

/// Checks that the directory is safe, and that something can be stored.
async fn store() -> Result<Check, CliError> {
    let directory = paths::credentials()?;
    let shown = directory.display();
    if paths::is_missing(&directory) {
        return Ok(Check::good(
            STORE,
            format!("{shown}, which `login` creates"),
        ));
    }
    let files = context::open_store(directory.clone())?;
    files.check_writable().await?;
    Ok(Check::good(
        STORE,
        format!("{shown}, writable{}", mode(&directory)),
    ))
}

/// Checks the second place for a new secret: it has to work when the store does not.
async fn rescue() -> Check {
    let directory = match paths::rescue() {
        Ok(directory) => directory,
        // Whoever has no home directory has no second place, and needs none to log in.
        Err(error @ CliError::NoDirectory(_)) => {
            return Check::skipped(RESCUE_DIRECTORY, error.to_string());
        }
        Err(error) => return of_rescue(error.to_string()),
    };
    let shown = directory.display();
    if paths::credentials().is_ok_and(|store| paths::is_within(&directory, &store)) {
        return of_rescue(format!(
            "{shown} is in the credential store, so a new secret is lost if that fails"
        ));
    }
    if paths::is_missing(&directory) {
        return Check::good(RESCUE_DIRECTORY, format!("{shown}, created if needed"));
    }
    let checked = async {
        let files = context::open_store(directory.clone())?;
        Ok::<_, CliError>(files.check_writable().await?)
    };
    match checked.await {
        Ok(()) => Check::good(
            RESCUE_DIRECTORY,
            format!("{shown}, writable{}", mode(&directory)),
        ),
        Err(error) => of_rescue(error.to_string()),
    }
}

fn of_rescue(found: String) -> Check {
    let advice = format!("set {RESCUE} to a private directory outside the store, or unset it");
    Check::problem(RESCUE_DIRECTORY, found, advice)
}

/// Returns the mode of a directory, as `ls` and `chmod` have it.
#[cfg(unix)]
fn mode(directory: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    /// The bits that `chmod` sets.
    const PERMISSIONS: u32 = 0o7777;
    let found = directory.metadata();
    found.map_or_else(
        |_gone| String::new(),
        |found| format!(", mode {:04o}", found.permissions().mode() & PERMISSIONS),
    )
}

#[cfg(not(unix))]
fn mode(_: &Path) -> String {
    String::new()
}

fn of_store(error: &CliError) -> String {
    match error {
        CliError::NoDirectory(_) | CliError::Variable { .. } => {
            format!("set {DIRECTORY} to a directory")
        }
        _ => format!("repair it, or set {DIRECTORY} to another directory"),
    }
}

/// Looks for rotations and creations that were interrupted, in every profile.
async fn unfinished(global: &Global) -> Check {
    let entries = match profile::entries(global).await {
        Ok(entries) => entries,
        Err(error) => return Check::skipped(PROFILES, error.to_string()),
    };
    let number = entries.len();
    let unusable = match profile::unusable(global) {
        Ok(unusable) => unusable,
        Err(error) => return Check::skipped(PROFILES, error.to_string()),
    };
    let found = |entry: &&profile::Entry| entry.unfinished.is_some() || entry.problem.is_some();
    let open = entries.iter().filter(found).map(profile::Entry::summary);
    let open: Vec<_> = open
        .chain(unusable.iter().map(ToString::to_string))
        .collect();
    let run = entries.iter().find_map(|entry| entry.run.as_ref());
    if open.is_empty() {
        return Check::good(
            PROFILES,
            format!("{number} stored, with nothing unfinished"),
        );
    }
    let otherwise = run.map_or_else(
        || "run `pollination-auth profile list`".to_owned(),
        |run| format!("run `{run}`"),
    );
    Check::of_errors(PROFILES, &open, &otherwise)
}

/// Looks for the API token that commands use. Whether the service accepts it is not asked.
async fn credential(global: &Global) -> Check {
    if environment::find().is_err() {
        return Check::skipped(CREDENTIAL, "the environment is invalid");
    }
    let context = match Context::open_or_without_store(global) {
        Ok(context) => context,
        Err(error) => return Check::skipped(CREDENTIAL, error.to_string()),
    };
    let found = Found::look(&context).await;
    let stored = found.as_ref().ok().and_then(|found| found.stored.as_ref());
    if let Some(stored) = stored
        && let Err(problem) = check_beside(&context, stored).await
    {
        return problem;
    }
    match found {
        Err(error) => {
            let error = context.explain(error);
            let otherwise = "run `pollination-auth status`";
            Check::of_errors(CREDENTIAL, &[error.to_string()], otherwise)
        }
        Ok(found) => match (found.preferred_environment(), &found.stored) {
            (Some(token), None) => Check::good(
                CREDENTIAL,
                format!("API token {} of the environment", token.id()),
            ),
            (Some(token), Some(stored)) => Check::good(
                CREDENTIAL,
                format!(
                    "API token {} of the environment, which takes precedence over the stored one, {}",
                    token.id(),
                    stored.token.id()
                ),
            ),
            (None, Some(stored)) if environment::has_other_secret(&stored.token) => {
                two_secrets(&context, stored)
            }
            (None, Some(stored)) => Check::good(
                CREDENTIAL,
                match context.place() {
                    Place::File => format!("API token {} is stored", stored.token.id()),
                    Place::Keyring => {
                        let (id, place) = (stored.token.id(), Place::KEYRING);
                        format!("API token {id} is stored in {place}")
                    }
                },
            ),
            (None, None) => Check::problem(
                CREDENTIAL,
                "none is stored for this host and profile",
                format!("run `{}`", context.login()),
            ),
        },
    }
}

/// Checks what commands need beside the credential: its lock, and the cached access token.
async fn check_beside(context: &Context, stored: &Stored) -> Result<(), Check> {
    let of_lock = |error: StoreError| {
        let advice = "move it away, or let this user write it";
        Check::problem(CREDENTIAL, error.to_string(), advice)
    };
    let of_token = |error: CliError| {
        let otherwise = "run `pollination-auth status`";
        Check::of_errors(CREDENTIAL, &[error.to_string()], otherwise)
    };
    context.check_lock().await.map_err(of_lock)?;
    let Some(shared) = SharedToken::look(context).map_err(of_token)? else {
        return Ok(());
    };
    shared.check_lock().await.map_err(of_lock)?;
    if let Some(owner) = stored.owner() {
        shared.read(owner).await.map_err(of_token)?;
    }
    Ok(())
}

/// Returns the problem of an API token that has one secret in the store and another one in the
/// environment: commands begin with the stored one, and programs with that of the environment.
fn two_secrets(context: &Context, stored: &Stored) -> Check {
    let id = stored.token.id();
    let found = format!("the environment has another secret of the API token {id} than the store");
    let rotated_at = match &stored.rotation {
        RotationStatus::Settled { rotated_at, .. } => *rotated_at,
        _ => None,
    };
    match rotated_at {
        Some(at) => Check::problem(
            CREDENTIAL,
            format!(
                "{found}, which was rotated at {}; that of the environment is probably the old one",
                rfc3339(at)
            ),
            format!(
                "unset {ID} and {SECRET}, or their _FILE variables; programs that use the library \
                 read the environment first"
            ),
        ),
        None => Check::problem(
            CREDENTIAL,
            format!("{found}; one of the two is probably old"),
            format!(
                "run `{}` to store that of the environment if it is the new one; otherwise unset \
                 {ID} and {SECRET}, or their _FILE variables",
                context.login()
            ),
        ),
    }
}

/// Checks the variables. Their values are not shown: a wrong one may be a secret.
fn environment() -> Vec<Check> {
    let mut set: Vec<_> = SHOWN
        .into_iter()
        .filter(|name| env::var_os(name).is_some())
        .collect();
    let mut checks = Vec::new();
    match environment::find() {
        Err(error) => checks.push(Check::problem(
            ENVIRONMENT,
            error.to_string(),
            "correct the variable, or unset it",
        )),
        Ok(Some(_token)) => set.push("an API token"),
        Ok(None) => {}
    }
    if environment::has_later_key() {
        checks.push(Check::problem(
            ENVIRONMENT,
            format!("{LATER_KEY} is set, a key of the vendor's later API"),
            "unset it: it is not an API token, and is not used here",
        ));
    }
    if checks.is_empty() {
        let set = if set.is_empty() {
            "nothing is set".to_owned()
        } else {
            format!("has {}", set.join(", "))
        };
        checks.push(Check::good(ENVIRONMENT, set));
    }
    checks
}
