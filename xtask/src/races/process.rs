//! One command as a process: starts it late, sends its input late, kills it early, and waits for it
//! up to a limit.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fmt};

/// The time limit of one command: 60 s. A command that takes longer hangs.
///
/// A command waits up to 35 s for another process. A login takes up to 30 s only if the service
/// hangs, which the fake does not.
const LIMIT: Duration = Duration::from_secs(60);

/// The time between two checks of a process: 2 ms, a tenth of the delay of a reply.
const POLL: Duration = Duration::from_millis(2);

/// When a process starts, gets its input, and is killed. The last two count from its start.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) start: Duration,
    pub(super) input: Duration,
    pub(super) kill: Option<Duration>,
}

/// How a process ended.
pub(super) struct Ended {
    pub(super) arguments: String,
    pub(super) end: End,
    pub(super) said: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Code(i32),
    /// Killed by us, at the planned time.
    Killed,
    /// Killed by us, because it exceeded the limit.
    Hung,
    /// Killed by a signal that is not ours.
    Crashed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Killed => f.write_str("killed"),
            Self::Hung => f.write_str("hung"),
            Self::Crashed => f.write_str("crashed"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "    {}: {}", self.arguments, self.end)?;
        for line in self.said.lines() {
            write!(f, "\n        {line}")?;
        }
        Ok(())
    }
}

/// The directories of the credentials and of rescued secrets, in the home.
pub(super) const CREDENTIALS: &str = "credentials";
pub(super) const RESCUE: &str = "rescue";

/// The command, and the home and service that it uses.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) program: &'a Path,
    pub(super) host: &'a str,
    pub(super) home: &'a Path,
    /// The directory of the credentials, in the home.
    pub(super) credentials: &'a str,
}

impl Place<'_> {
    /// Runs the command until it exits.
    pub(super) fn run(&self, arguments: &[&str], input: &str) -> io::Result<Ended> {
        self.run_at(arguments, input, Times::default())
    }

    /// Runs the command at these times.
    pub(super) fn run_at(
        &self,
        arguments: &[&str],
        input: &str,
        times: Times,
    ) -> io::Result<Ended> {
        sleep(times.start);
        let mut child = Command::new(self.program)
            .args(arguments)
            .args(["--host", self.host])
            .env_clear()
            // Windows can't open a socket without it.
            .envs(env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
            .env("HOME", self.home)
            .env("POLLINATION_AUTH_DIR", self.home.join(self.credentials))
            .env("POLLINATION_AUTH_RESCUE_DIR", self.home.join(RESCUE))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let started = Instant::now();
        let mut stdin = child.stdin.take();
        // The output of a command fits into a pipe, so this reads it after the exit.
        let forced = loop {
            if child.try_wait()?.is_some() {
                break None;
            }
            let age = started.elapsed();
            if age >= times.input
                && let Some(mut stdin) = stdin.take()
            {
                // A command that does not read its input closes the pipe.
                let _unread = stdin.write_all(input.as_bytes());
            }
            let forced = match times.kill {
                Some(kill) if age >= kill => Some(End::Killed),
                _ if age >= LIMIT => Some(End::Hung),
                _ => None,
            };
            if forced.is_some() {
                child.kill()?;
                break forced;
            }
            sleep(POLL);
        };
        let output = child.wait_with_output()?;
        let by_itself = output.status.code().map_or(End::Crashed, End::Code);
        Ok(Ended {
            arguments: arguments.join(" "),
            end: forced.unwrap_or(by_itself),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
