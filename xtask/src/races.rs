//! Runs pairs of commands concurrently, kills some, and checks that no credential is lost.
//!
//! The command and the fake service run as processes, as they would for a user. `round` runs one
//! round; this module runs the rounds of every pair and reports.

mod process;
mod round;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use fastrand::Rng;

use self::round::{Pair, Round, Seen};
use crate::service::Service;
use crate::terminal::{BAD, GOOD, HEADING};
use crate::workspace::{Built, build, cargo};

/// Builds the programs that the races run.
const BUILD: &str = "build --locked --quiet -p pollination-auth-cli -p pollination-auth-fake";

/// The delay of every reply: 20 ms, so that the requests of two commands overlap.
const LATENCY: [&str; 2] = ["--latency", "20ms"];

/// Options of the races: the number of rounds, the seed and the time.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rounds of each pair of commands
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rounds: u32,
    /// Seed of the delays, the kills and the lost replies
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Start no round after this many seconds
    #[arg(long, default_value_t = 1800, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
}

/// The built programs.
struct Programs {
    command: PathBuf,
    service: PathBuf,
}

impl Programs {
    /// Copies the programs, so that another build does not replace them during the races.
    fn copied_to(&self, directory: &Path) -> io::Result<Self> {
        let copy = |program: &Path| {
            let copy = directory.join(program.file_name().unwrap_or_default());
            fs::copy(program, &copy)?;
            Ok::<_, io::Error>(copy)
        };
        Ok(Self {
            command: copy(&self.command)?,
            service: copy(&self.service)?,
        })
    }
}

/// The results of the rounds of one pair.
#[derive(Default)]
struct Tally {
    rounds: u32,
    kills: u32,
    drops: u32,
    /// Commands that hung or crashed.
    broken: u32,
    codes: BTreeMap<String, u32>,
    /// A description of each round that lost a credential.
    lost: Vec<String>,
}

impl Tally {
    fn add(&mut self, seen: Seen) {
        self.rounds += 1;
        self.kills += seen.kills;
        self.drops += u32::from(seen.dropped);
        self.broken += seen.broken;
        for code in seen.codes {
            *self.codes.entry(code).or_default() += 1;
        }
        self.lost.extend(seen.lost);
    }

    fn is_well(&self) -> bool {
        self.lost.is_empty() && self.broken == 0
    }
}

/// Runs every pair, and returns `true` if nothing was lost and no command hung or crashed.
///
/// # Errors
///
/// A program can't be built or started, or the output can't be written.
pub(crate) fn run(root: &Path, options: &Options, output: &mut impl Write) -> io::Result<bool> {
    let homes = tempdir(root)?;
    let programs = programs(root)?.copied_to(&homes)?;
    let deadline = Instant::now() + Duration::from_secs(u64::from(options.seconds));
    // Rounds wait more than they work, so the pairs run side by side.
    let results: Vec<_> = thread::scope(|scope| {
        let pairs = Pair::ALL.map(|pair| {
            let (programs, homes) = (&programs, &homes);
            scope.spawn(move || race(pair, programs, homes, options, deadline))
        });
        let join = |pair: thread::ScopedJoinHandle<'_, io::Result<Tally>>| {
            pair.join()
                .unwrap_or_else(|_| Err(io::Error::other("a race panicked")))
        };
        pairs.into_iter().map(join).collect()
    });
    // The homes of rounds that lost something are kept for inspection.
    let mut well = true;
    writeln!(
        output,
        "{HEADING}{:<22}{:>7}{:>7}{:>7}{:>7}{:>6}  exit codes{HEADING:#} (seed {})",
        "pair", "rounds", "kills", "drops", "broken", "lost", options.seed
    )?;
    for (pair, tally) in Pair::ALL.into_iter().zip(results) {
        let tally = tally?;
        well &= tally.is_well();
        let codes: Vec<_> = tally
            .codes
            .iter()
            .map(|(code, count)| format!("{code}: {count}"))
            .collect();
        writeln!(
            output,
            "{:<22}{:>7}{:>7}{:>7}{:>7}{:>6}  {}",
            pair.name(),
            tally.rounds,
            tally.kills,
            tally.drops,
            tally.broken,
            tally.lost.len(),
            codes.join(", ")
        )?;
        for lost in &tally.lost {
            writeln!(output, "{BAD}lost{BAD:#} {lost}")?;
        }
    }
    if well {
        fs::remove_dir_all(&homes)?;
        writeln!(output, "{GOOD}races: nothing was lost{GOOD:#}")?;
    } else {
        writeln!(output, "{BAD}races: failed{BAD:#}; see {}", homes.display())?;
    }
    Ok(well)
}

/// Runs the rounds of one pair, on a service of its own.
fn race(
    pair: Pair,
    programs: &Programs,
    homes: &Path,
    options: &Options,
    deadline: Instant,
) -> io::Result<Tally> {
    let options_of_service = [&LATENCY, pair.service_options()].concat();
    let service = Service::start(&programs.service, &options_of_service)?;
    let mut tally = Tally::default();
    for number in 0..options.rounds {
        if Instant::now() >= deadline {
            break;
        }
        let home = homes.join(format!("{}-{number}", pair.name().replace(' ', "-")));
        fs::create_dir(&home)?;
        let round = Round {
            pair,
            number,
            chance: chance(options.seed, pair, number),
            service: &service,
            program: &programs.command,
            home: &home,
        };
        let seen = round.run()?;
        if seen.lost.is_none() {
            fs::remove_dir_all(&home)?;
        }
        tally.add(seen);
    }
    Ok(tally)
}

/// Returns the random numbers of a round: the same for the same seed, pair and number.
fn chance(seed: u64, pair: Pair, number: u32) -> Rng {
    let mut seeds = Rng::with_seed(seed);
    let of_pair = pair.name().bytes().fold(seeds.u64(..), |mixed, byte| {
        Rng::with_seed(mixed ^ u64::from(byte)).u64(..)
    });
    Rng::with_seed(of_pair ^ u64::from(number))
}

/// Creates an empty directory of this run.
fn tempdir(root: &Path) -> io::Result<PathBuf> {
    let directory = root.join(format!("target/races/{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// Builds the programs, and returns where cargo put them.
fn programs(root: &Path) -> io::Result<Programs> {
    let built = build(cargo(root, BUILD))?;
    let program = |name: &str| {
        let is_it = |built: &&Built| built.program.file_stem().is_some_and(|stem| stem == name);
        let missing = || io::Error::other(format!("cargo built no program {name}"));
        let found = built.iter().find(is_it).ok_or_else(missing)?;
        Ok::<_, io::Error>(found.program.clone())
    };
    Ok(Programs {
        command: program("pollination-auth")?,
        service: program("pollination-auth-fake")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_its_own_numbers_and_has_them_again() {
        let of = |seed, pair, number| chance(seed, pair, number).u64(..);
        let one = of(1, Pair::RotateLogin, 0);
        assert_eq!(of(1, Pair::RotateLogin, 0), one);
        for other in [
            of(2, Pair::RotateLogin, 0),
            of(1, Pair::LoginLogin, 0),
            of(1, Pair::RotateLogin, 1),
        ] {
            assert_ne!(other, one);
        }
    }
}
