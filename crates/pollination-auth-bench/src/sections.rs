//! What is measured, in sections that can be asked for one by one.

use std::path::Path;

use crate::figure::Figure;
use crate::figure::Goal::{AtLeast, AtMost};
use crate::lab::{Lab, has_valgrind};
use crate::work::{Peer, Scenario, TASKS};
use crate::{builds, document, elsewhere, starts};

/// The peers of a call, in the order of the table.
const PEERS: [Peer; 6] = [
    Peer::Ours,
    Peer::ByHand,
    Peer::Generated,
    Peer::HyperUtil,
    Peer::Ureq,
    Peer::Socket,
];

/// The peers that do not block, and share one connection pool among tasks.
const ASYNC_PEERS: [Peer; 4] = [Peer::Ours, Peer::ByHand, Peer::Generated, Peer::HyperUtil];

/// How often what is told in time is measured: the machine does other things meanwhile.
pub(crate) const ROUNDS: usize = 9;

/// How often we and reqwest by hand are compared under load: processes that do the same differ by some
/// percent, so that many of them tell more than long ones.
const LOAD_ROUNDS: usize = 25;

/// The requests of one round under load: about a tenth of a second.
const LOAD: usize = 10_000;

/// The readings of one round: about a tenth of a second.
pub(crate) const READINGS: usize = 5_000_000;

/// How much slower a reading on two threads may seem: 5 %, for they share what a core has.
const SLOWER: f64 = 1.05;

/// The callers of a herd.
const HERD: usize = 10_000;

/// How long the soak is, in seconds: three minutes, the first of which is what the end is held to.
const SOAK: usize = 180;

/// A part of what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Section {
    /// Instructions and allocations of a call, and requests a second.
    Calls,
    /// What reading a good access token costs.
    Reads,
    /// What building a client costs, and the command with a kept access token.
    Starts,
    /// What many callers cost that find no access token.
    Herd,
    /// How much memory grows in three minutes.
    Soak,
    /// What taking in a document of 10 MB costs.
    Regenerate,
    /// The same as the service's Python SDK does; fetches it first.
    Sdk,
    /// Reading a cached access token, beside the clients of Google; builds them first.
    Google,
    /// What the crate adds to a build and to a program; takes some minutes.
    Builds,
}

/// The sections with counts that are held against the baseline.
pub const COUNTED: [Section; 4] = [
    Section::Calls,
    Section::Reads,
    Section::Starts,
    Section::Herd,
];

impl Section {
    /// Measures all of a section.
    #[must_use]
    pub fn measure(self, lab: &Lab, root: &Path) -> Vec<Figure> {
        match self {
            Self::Calls => calls(lab),
            Self::Reads => [reads(lab), reading_time(lab)].concat(),
            Self::Starts => [starts::counts(lab), starts::command(lab, root)].concat(),
            Self::Herd => [herd(lab), vec![herd_time(lab)]].concat(),
            Self::Soak => vec![soak(lab)],
            Self::Regenerate => document::figures(lab, root),
            Self::Sdk => elsewhere::sdk(lab, root),
            Self::Google => elsewhere::google(lab, root),
            Self::Builds => builds::figures(root),
        }
    }

    /// Measures what is the same each time: counts, and none of them of time.
    #[must_use]
    pub fn count(self, lab: &Lab) -> Vec<Figure> {
        match self {
            Self::Calls => counts_of_calls(lab),
            Self::Reads => reads(lab),
            Self::Starts => starts::counts(lab),
            Self::Herd => herd(lab),
            _ => Vec::new(),
        }
    }
}

/// A way to make calls, with the name that its figures have.
type Calls = (&'static str, Scenario);

const SEQUENTIAL: Calls = ("a call", Scenario::Sequential);
const TASKS_AT_ONCE: Calls = ("a call of 64 tasks", Scenario::Tasks);

fn instructions(lab: &Lab, (name, scenario): Calls, peers: &[Peer]) -> Option<Figure> {
    let counts = peers
        .iter()
        .map(|peer| (*peer, lab.instructions(scenario, *peer)));
    has_valgrind().then(|| Figure::compared(name, "instructions", counts, AtMost(1.0)))
}

fn allocations(lab: &Lab, (name, scenario): Calls, peers: &[Peer]) -> Figure {
    let counts = peers
        .iter()
        .map(|peer| (*peer, lab.allocations(scenario, *peer)));
    Figure::compared(name, "allocations", counts, AtMost(1.0))
}

fn calls(lab: &Lab) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (calls, peers) in [(SEQUENTIAL, &PEERS[..]), (TASKS_AT_ONCE, &ASYNC_PEERS)] {
        figures.extend(instructions(lab, calls, peers));
        figures.push(allocations(lab, calls, peers));
    }
    figures.push(load(lab));
    figures
}

/// Leaves out the allocations of many tasks: it depends on their order how many replies come in two
/// parts, which is one more for each.
fn counts_of_calls(lab: &Lab) -> Vec<Figure> {
    const COMPARED: [Peer; 2] = [Peer::Ours, Peer::ByHand];
    let mut figures = vec![allocations(lab, SEQUENTIAL, &COMPARED)];
    figures.extend(instructions(lab, SEQUENTIAL, &COMPARED));
    figures.extend(instructions(lab, TASKS_AT_ONCE, &COMPARED));
    figures
}

/// Lets the peers take turns, so that what else the machine does falls on all of them.
///
/// ureq's threads, whose end the service has to clear up, are far from the two that are compared, and
/// of these none always comes behind the other.
fn load(lab: &Lab) -> Figure {
    const TURNS: [Peer; 7] = [
        Peer::Ureq,
        Peer::HyperUtil,
        Peer::Generated,
        Peer::Ours,
        Peer::ByHand,
        Peer::ByHand,
        Peer::Ours,
    ];
    type Round = [f64; TURNS.len()];
    let rate = |peer| {
        let took = lab.took(Scenario::Load, peer, LOAD);
        (LOAD / TASKS * TASKS) as f64 / took.wall * 1e9
    };
    let rounds: Vec<Round> = (0..LOAD_ROUNDS).map(|_| TURNS.map(rate)).collect();
    let of = |pick: fn(&Round) -> f64| median(rounds.iter().map(pick));
    let ours: fn(&Round) -> f64 = |[.., first, _, _, last]| (first + last) / 2.0;
    let theirs: fn(&Round) -> f64 = |[.., first, last, _]| (first + last) / 2.0;
    let numbers = [
        (Peer::Ureq, of(|[it, ..]| *it)),
        (Peer::HyperUtil, of(|[_, it, ..]| *it)),
        (Peer::Generated, of(|[_, _, it, ..]| *it)),
        (Peer::Ours, of(ours)),
        (Peer::ByHand, of(theirs)),
    ];
    let ratio = median(rounds.iter().map(|round| ours(round) / theirs(round)));
    Figure::compared("64 tasks", "requests/s", numbers, AtLeast(1.0)).judged(ratio)
}

fn reads(lab: &Lab) -> Vec<Figure> {
    let name = "a good access token";
    let allocations = lab.allocations(Scenario::Read, Peer::Ours);
    let mut figures = vec![Figure::alone(name, "allocations", allocations, AtMost(0.0))];
    if has_valgrind() {
        let instructions = lab.instructions(Scenario::Read, Peer::Ours);
        figures.push(Figure::alone(name, "instructions", instructions, None));
    }
    figures
}

/// In processor time, which tells what threads cost each other whatever else the machine does.
fn reading_time(lab: &Lab) -> Vec<Figure> {
    let time = |scenario, threads: usize| {
        let readings = (threads * READINGS) as f64;
        let took = || lab.took(scenario, Peer::Ours, READINGS).cpu / readings;
        median((0..ROUNDS).map(|_| took()))
    };
    let (one, two) = (time(Scenario::Read, 1), time(Scenario::ReadTwice, 2));
    vec![
        Figure::alone("a good access token", "ns", one, AtMost(30.0)),
        Figure::alone("the same on two threads", "ns", two, AtMost(SLOWER)).judged(two / one),
    ]
}

fn herd(lab: &Lab) -> Vec<Figure> {
    let name = "a caller of a herd";
    let allocations = lab.allocations(Scenario::Herd, Peer::Ours);
    let mut figures = vec![Figure::alone(name, "allocations", allocations, None)];
    if has_valgrind() {
        let instructions = lab.instructions(Scenario::Herd, Peer::Ours);
        figures.push(Figure::alone(name, "instructions", instructions, None));
    }
    figures
}

/// The worker sees to it that there is one login; a herd of one costs that and nothing else.
fn herd_time(lab: &Lab) -> Figure {
    let cpu =
        |callers| median((0..ROUNDS).map(|_| lab.took(Scenario::Herd, Peer::Ours, callers).cpu));
    let each = (cpu(HERD) - cpu(1)) / (HERD - 1) as f64 / 1e3;
    Figure::alone(
        "a caller of a herd of 10 000",
        "µs of CPU",
        each,
        AtMost(1.5),
    )
}

fn soak(lab: &Lab) -> Figure {
    let growth = lab.took(Scenario::Soak, Peer::Ours, SOAK).growth;
    let growth = growth.unwrap_or(f64::NAN);
    Figure::alone(
        "memory after 3 min to that after 1",
        "ratio",
        growth,
        AtMost(1.02),
    )
}

pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 100.0]), 3.0);
        assert!(median([]).is_nan());
    }
}
