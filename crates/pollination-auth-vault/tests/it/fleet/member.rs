//! One process of the fleet: logs in and rotates until its input ends.

use std::collections::HashMap;
use std::error::Error;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use pollination_auth::{Client, RotateOptions, Secret};
use pollination_auth_vault::{VaultAuth, VaultStore};

use super::steps::{Stepped, say};

/// The lease of a member's lock: 2 s, twice the minimum, for machines that are busy.
pub(super) const LEASE: Duration = Duration::from_secs(2);

/// How each line of a member begins.
pub(super) const PREFIX: &str = "fleet: ";

/// The name of the fleet's profile.
pub(super) const PROFILE: &str = "default";

/// How long a member's call is repeated while the server is sealed or dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a login waits for a rotation, which somebody who was stopped can hold up.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The fake service acts on a request at once.
const SETTLE: Duration = Duration::from_millis(500);

/// The longest pauses between two logins and two rotations of a member, in milliseconds.
///
/// Those who have to stop under the lock rotate more often, or they would rarely get it.
const LOGIN_PAUSE: u64 = 300;
const ROTATION_PAUSE: u64 = 3000;
const STOPPED_ROTATION_PAUSE: u64 = 300;

/// Names of the variables that a member gets.
const VARIABLES: [&str; 5] = ["VAULT", "ROLE_ID", "SECRET_ID", "SERVICE", "SEED"];

/// The number of the call before which a member stops itself.
const STOP_AT: &str = "POLLINATION_TEST_FLEET_STOP_AT";

/// What all members are told.
pub(super) struct Settings {
    pub(super) vault: String,
    pub(super) role_id: String,
    pub(super) secret_id: String,
    pub(super) service: String,
    pub(super) seed: u64,
}

fn variable(name: &str) -> String {
    format!("POLLINATION_TEST_FLEET_MEMBER_{name}")
}

impl Settings {
    /// Returns the environment of a member.
    pub(super) fn variables(&self, member: usize, stop: Option<u32>) -> HashMap<String, String> {
        let seed = self.seed.wrapping_mul(31).wrapping_add(member as u64);
        let values = [
            self.vault.clone(),
            self.role_id.clone(),
            self.secret_id.clone(),
            self.service.clone(),
            seed.to_string(),
        ];
        let names = VARIABLES.into_iter().map(variable);
        let stop = stop.map(|stop| (STOP_AT.to_owned(), stop.to_string()));
        names.zip(values).chain(stop).collect()
    }

    /// Returns the settings of this process, if it is a member.
    fn of_this_process() -> Option<Self> {
        let value = |name| std::env::var(variable(name)).ok();
        Some(Self {
            vault: value("VAULT")?,
            role_id: value("ROLE_ID")?,
            secret_id: value("SECRET_ID")?,
            service: value("SERVICE")?,
            seed: value("SEED")?.parse().unwrap(),
        })
    }

    pub(super) fn store(&self) -> VaultStore {
        VaultStore::builder(&self.vault)
            .auth(VaultAuth::app_role(
                &self.role_id,
                Secret::from(&*self.secret_id),
            ))
            .lease(LEASE)
            .patience(PATIENCE)
            .build()
            .unwrap()
    }
}

/// Returns an error with all of its causes.
fn causes(error: &dyn Error) -> String {
    let mut all = error.to_string();
    let mut error = error;
    while let Some(cause) = error.source() {
        all = format!("{all}: {cause}");
        error = cause;
    }
    all.replace('\n', " ")
}

/// Does nothing unless the fleet test has started this process as a member.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn runs_if_it_is_told_to() {
    let Some(settings) = Settings::of_this_process() else {
        return;
    };
    let mut chance = Rng::with_seed(settings.seed);
    let stop_at = std::env::var(STOP_AT).ok();
    let stop_at: Option<u32> = stop_at.map(|stop| stop.parse().unwrap());
    let rotation_pause = match stop_at {
        Some(_) => STOPPED_ROTATION_PAUSE,
        None => ROTATION_PAUSE,
    };
    let client = Client::builder()
        .store(Stepped::new(settings.store(), stop_at))
        .base_url(&settings.service)
        .total_timeout(TIMEOUT)
        .build()
        .unwrap();
    let options = RotateOptions::default().settle(SETTLE).lock_wait(TIMEOUT);
    let rotation = client.rotation(options);

    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    std::thread::spawn(move || {
        let _read = std::io::stdin().read_to_end(&mut Vec::new());
        over.store(true, Ordering::SeqCst);
    });
    // Whoever waits for a rotation in a login rotates beside it, or nobody would go on with one that
    // was cut off.
    let pause = |chance: &mut Rng, longest| {
        tokio::time::sleep(Duration::from_millis(chance.u64(0..longest)))
    };
    let mut other_chance = chance.fork();
    let read = async {
        while !is_over.load(Ordering::SeqCst) {
            match client.login().await {
                Ok(_) => say("read"),
                Err(error) => say(format_args!("unread {}", causes(&error))),
            }
            pause(&mut chance, LOGIN_PAUSE).await;
        }
    };
    let rotate = async {
        while !is_over.load(Ordering::SeqCst) {
            pause(&mut other_chance, rotation_pause).await;
            match rotation.rotate().await {
                Ok(rotated) if rotated.by_another() => say("by-another"),
                Ok(rotated) => say(format_args!("rotated {}", rotated.generation())),
                Err(error) => say(format_args!("unrotated {error}")),
            }
        }
    };
    tokio::join!(read, rotate);
}
