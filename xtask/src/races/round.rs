//! One round: runs two commands concurrently, resumes an interrupted one, and checks the result.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;
use std::thread::{scope, sleep};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::process::{CREDENTIALS, End, Ended, Place, RESCUE, Times};
use crate::service::{Service, Truth};

/// The id and the secret that the fake service starts with.
const START: &str = "fake-id\nfake-secret\n";

/// The longest delay of a start and of an input: 300 ms, a rotation against the fake service and a
/// little more.
const SPREAD: Duration = Duration::from_millis(300);

/// The longest delay of a slow reply: 1.2 s, in which another command can finish.
const SLOWEST: Duration = Duration::from_millis(1200);

/// Rounds whose number is a multiple of 3 lose a reply.
const DROP_EVERY: u32 = 3;

/// Rounds whose number is a multiple of 2 have kills.
const KILL_EVERY: u32 = 2;

/// How often the check retries a login that the command calls a temporary failure.
const CHECKS: u32 = 3;

/// Words of the message about a credential in the rescue directory.
const PUT_ASIDE: &str = "put into";

/// The exit codes that the races check, as `pollination-auth --help` lists them.
const NOT_LOGGED_IN: End = End::Code(3);
const TRY_LATER: End = End::Code(5);
const UNFINISHED: End = End::Code(6);

/// The settle time is short because the fake service acts on a request at once.
const ROTATE: &[&str] = &["token", "rotate", "--yes", "--settle", "1s"];
const RESUME: &[&str] = &["token", "rotate", "--resume", "--settle", "1s"];
const LOGIN: &[&str] = &["login", "--from", "stdin", "--yes", "--settle", "1s"];
const CREATE: &[&str] = &[
    "token",
    "create",
    "--yes",
    "--access-token-stdin",
    "--settle",
    "1s",
];
const DELETE: &[&str] = &["token", "delete", "--yes", "--access-token-stdin"];
const FRESH: &[&str] = &["access-token", "--fresh"];
const LOGOUT: &[&str] = &["logout", "--yes"];
const STATUS: &[&str] = &["status"];

/// Two commands that run concurrently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    RotateLogin,
    /// The service lets a creation replace the API token.
    RotateCreate,
    RotateAccessToken,
    RotateLogout,
    /// Somebody else rotates between the two: the first login has the old secret, the second one
    /// the new one.
    LoginLogin,
    /// Somebody else deletes the API token before each of them.
    CreateCreate,
}

impl Pair {
    pub(super) const ALL: [Self; 6] = [
        Self::RotateLogin,
        Self::RotateCreate,
        Self::RotateAccessToken,
        Self::RotateLogout,
        Self::LoginLogin,
        Self::CreateCreate,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RotateLogin => "rotate x login",
            Self::RotateCreate => "rotate x create",
            Self::RotateAccessToken => "rotate x access-token",
            Self::RotateLogout => "rotate x logout",
            Self::LoginLogin => "login x login",
            Self::CreateCreate => "create x create",
        }
    }

    fn commands(self) -> [&'static [&'static str]; 2] {
        match self {
            Self::RotateLogin => [ROTATE, LOGIN],
            Self::RotateCreate => [ROTATE, CREATE],
            Self::RotateAccessToken => [ROTATE, FRESH],
            Self::RotateLogout => [ROTATE, LOGOUT],
            Self::LoginLogin => [LOGIN, LOGIN],
            Self::CreateCreate => [CREATE, CREATE],
        }
    }

    /// Returns what another client does to the API token just before the second command.
    fn meanwhile(self) -> Option<&'static str> {
        match self {
            Self::CreateCreate => Some("DELETE"),
            Self::LoginLogin => Some("PUT"),
            Self::RotateLogin
            | Self::RotateCreate
            | Self::RotateAccessToken
            | Self::RotateLogout => None,
        }
    }

    /// Returns the options that the service is started with.
    pub(super) fn service_options(self) -> &'static [&'static str] {
        match self {
            Self::RotateCreate => &["--create-replaces"],
            _ => &[],
        }
    }

    /// Returns the operation whose reply is lost.
    fn loses(self, chance: &mut Rng) -> &'static str {
        match self {
            Self::LoginLogin => "login",
            Self::CreateCreate => "create_api_token",
            Self::RotateCreate if chance.bool() => "create_api_token",
            _ => "rotate_api_token_secret",
        }
    }
}

/// The inputs of a round.
pub(super) struct Round<'a> {
    pub(super) pair: Pair,
    pub(super) number: u32,
    pub(super) chance: Rng,
    pub(super) service: &'a Service,
    pub(super) program: &'a Path,
    pub(super) home: &'a Path,
}

/// The result of a round.
pub(super) struct Seen {
    pub(super) kills: u32,
    pub(super) dropped: bool,
    pub(super) broken: u32,
    /// How the two commands ended.
    pub(super) codes: Vec<String>,
    /// The round's commands with what they said, if a credential was lost.
    pub(super) lost: Option<String>,
}

impl Round<'_> {
    /// Runs the round.
    pub(super) fn run(mut self) -> io::Result<Seen> {
        let service = self.service;
        service.reset()?;
        let place = Place {
            program: self.program,
            host: service.url(),
            home: self.home,
            credentials: CREDENTIALS,
        };
        let mut ran = vec![place.run(LOGIN, START)?];
        let access_token = service.log_in()?;
        let pair = self.pair;
        if pair == Pair::CreateCreate {
            service.change("DELETE", &access_token)?;
        }
        let dropped = self.script()?;
        let (times, kills) = self.times();
        let [first, second] = pair.commands();
        let both = scope(|scope| {
            let first = scope.spawn(|| {
                let input = if first == LOGIN { START } else { &access_token };
                place.run_at(first, input, times[0])
            });
            let second = scope.spawn(|| {
                let wait = times[1].start;
                sleep(wait);
                if let Some(method) = pair.meanwhile() {
                    service.change(method, &access_token)?;
                }
                let times = Times {
                    start: Duration::ZERO,
                    ..times[1]
                };
                place.run_at(second, &self.input(second, &access_token)?, times)
            });
            let panicked = |_| Err(io::Error::other("a command's thread panicked"));
            let first = first.join().unwrap_or_else(panicked);
            [first, second.join().unwrap_or_else(panicked)]
        });
        let [first, second] = both;
        let both = [first?, second?];
        service.clear_faults()?;
        let codes = both.iter().map(|ended| ended.end.to_string()).collect();
        let ends = both.each_ref().map(|ended| ended.end);
        ran.extend(both);
        let is_lost = !self.is_kept(place, ends, &mut ran)?;
        let broken = |ended: &&Ended| matches!(ended.end, End::Hung | End::Crashed);
        Ok(Seen {
            kills,
            dropped,
            broken: u32::try_from(ran.iter().filter(broken).count()).unwrap_or(u32::MAX),
            codes,
            lost: is_lost.then(|| self.story(&ran)),
        })
    }

    /// Scripts the lost reply, or a slow one.
    fn script(&mut self) -> io::Result<bool> {
        let dropped = self.number.is_multiple_of(DROP_EVERY);
        let operation = self.pair.loses(&mut self.chance);
        let delay = below(&mut self.chance, SLOWEST).as_secs_f64();
        let fault = if dropped {
            json!({"operation": operation, "fault": "commit_and_drop"})
        } else {
            json!({"operation": operation, "fault": "delay", "seconds": delay})
        };
        self.service.script(&fault)?;
        Ok(dropped)
    }

    /// Chooses at random when the two commands start, get their input, and are killed.
    fn times(&mut self) -> ([Times; 2], u32) {
        let mut times = [Times::default(); 2];
        for times in &mut times {
            times.start = below(&mut self.chance, SPREAD);
            times.input = below(&mut self.chance, SPREAD);
        }
        if self.pair.meanwhile().is_some() {
            // The change by another client matters after the first command has begun.
            times[1].start += SPREAD;
        }
        if !self.number.is_multiple_of(KILL_EVERY) {
            return (times, 0);
        }
        // Mostly one of them; the other one has to cope with what it left.
        let (which, both) = (self.chance.bool(), self.chance.bool() && self.chance.bool());
        let mut kills = 0;
        for (is_first, times) in [true, false].into_iter().zip(&mut times) {
            if both || is_first == which {
                times.kill = Some(below(&mut self.chance, 2 * SPREAD));
                kills += 1;
            }
        }
        (times, kills)
    }

    /// Returns the input of the second command: the secret at its start, or the access token.
    fn input(&self, command: &[&str], access_token: &str) -> io::Result<String> {
        if command != LOGIN {
            return Ok(access_token.to_owned());
        }
        if self.pair != Pair::LoginLogin {
            return Ok(START.to_owned());
        }
        let truth = self.service.truth()?;
        Ok(truth.map_or_else(String::new, |truth| lines(&truth)))
    }

    /// Resumes what was interrupted, and returns `true` if the credential is where it must be.
    fn is_kept(&self, place: Place<'_>, ends: [End; 2], ran: &mut Vec<Ended>) -> io::Result<bool> {
        let is_aside = Cell::new(ran.iter().any(says_put_aside));
        let mut run = |arguments: &[&str], input: &str| {
            let ended = place.run(arguments, input)?;
            let end = ended.end;
            is_aside.set(is_aside.get() || says_put_aside(&ended));
            ran.push(ended);
            Ok::<_, io::Error>(end)
        };
        let interrupted = |end: End| matches!(end, End::Killed | UNFINISHED);
        if self.pair.commands()[0] == ROTATE && ends.into_iter().any(interrupted) {
            run(RESUME, "")?;
        }
        let Some(truth) = self.service.truth()? else {
            // The API token was deleted, and nobody has created another one.
            return Ok(true);
        };
        if self.pair == Pair::RotateLogout && run(STATUS, "")? == NOT_LOGGED_IN {
            // Only a logout may do this, and it leaves nothing behind.
            let logged_out = matches!(ends[1], End::Code(0) | End::Killed);
            return Ok(logged_out && !holds(self.home, &truth.secret)?);
        }
        if logs_in(&mut run)? {
            // A logout that left a credential has lost nothing, but must not report success.
            return Ok(self.pair != Pair::RotateLogout || ends[1] != End::Code(0));
        }
        // A secret that could not be stored is in the rescue directory, and a command said so.
        if is_aside.get() {
            let aside = Place {
                credentials: RESCUE,
                ..place
            };
            if aside.run(FRESH, "")?.end == End::Code(0) {
                return Ok(true);
            }
        }
        let was_created = match self.pair {
            // The caller of a failed login still has the secret.
            Pair::LoginLogin if ends[1] != End::Code(0) => {
                run(LOGIN, &lines(&truth))?;
                return logs_in(&mut run);
            }
            Pair::CreateCreate => ends.into_iter().any(interrupted),
            Pair::RotateCreate => interrupted(ends[1]),
            _ => false,
        };
        let Some(access_token) = kept_access_token(self.home)?.filter(|_| was_created) else {
            return Ok(false);
        };
        run(DELETE, &access_token)?;
        run(CREATE, &access_token)?;
        logs_in(&mut run)
    }

    /// Returns the round with all output of its commands.
    fn story(&self, ran: &[Ended]) -> String {
        let mut story = format!("in round {} of {}:", self.number, self.pair.name());
        for ended in ran {
            story.push('\n');
            story.push_str(&ended.to_string());
        }
        story
    }
}

fn says_put_aside(ended: &Ended) -> bool {
    ended.said.contains(PUT_ASIDE)
}

/// Returns a random time below this one, in whole milliseconds.
fn below(chance: &mut Rng, limit: Duration) -> Duration {
    let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(chance.u64(..limit.max(1)))
}

/// Returns `true` if the stored credential logs in.
fn logs_in(run: &mut impl FnMut(&[&str], &str) -> io::Result<End>) -> io::Result<bool> {
    for _ in 0..CHECKS {
        match run(FRESH, "")? {
            TRY_LATER => {}
            end => return Ok(end == End::Code(0)),
        }
    }
    Ok(false)
}

/// Returns the access token that an interrupted creation left on this machine.
fn kept_access_token(home: &Path) -> io::Result<Option<String>> {
    let Ok(files) = fs::read_dir(home.join(CREDENTIALS).join("creations")) else {
        return Ok(None);
    };
    for file in files {
        let path = file?.path();
        if path.to_string_lossy().ends_with(".credential.json") {
            return fs::read_to_string(path).map(Some);
        }
    }
    Ok(None)
}

/// Writes a credential as `login --from stdin` reads it.
fn lines(truth: &Truth) -> String {
    format!("{}\n{}\n", truth.id, truth.secret)
}

/// Returns `true` if a file below a directory contains this text.
fn holds(directory: &Path, text: &str) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            holds(&path, text)?
        } else {
            String::from_utf8_lossy(&fs::read(&path)?).contains(text)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
