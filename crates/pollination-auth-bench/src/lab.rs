//! Runs the workers, each in a process of its own, and reads what they say.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::UsageWho;

use crate::work::{Peer, Scenario, Took, cpu_time};

/// How much more work allocations are counted over than instructions: it runs at its full speed, and
/// with many tasks at once it depends on their order how many replies come in two parts.
const MORE: usize = 20;

/// Where the programs lie and where the service listens; the service ends with it.
pub struct Lab {
    programs: PathBuf,
    server: Child,
    base_url: String,
}

impl Lab {
    /// Starts the service out of the folder in which the programs of this package lie.
    ///
    /// # Panics
    ///
    /// The service does not start, as when it was not built.
    #[must_use]
    pub fn open(programs: &Path) -> Self {
        let mut command = Command::new(programs.join("bench-server"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("bench-server among the programs");
        let output = server.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("where it listens");
        let base_url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        Self {
            programs: programs.to_owned(),
            server,
            base_url,
        }
    }

    /// Returns where the service listens.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the cost of this much work.
    #[must_use]
    pub fn took(&self, scenario: Scenario, peer: Peer, count: usize) -> Took {
        let said = output(self.tell(self.program("bench-worker"), scenario, peer, count));
        serde_json::from_str(&said).expect("what it took")
    }

    /// Counts the allocations of one more piece of work, to a tenth.
    ///
    /// What is allocated once in hundreds of calls, as when a reply comes in two parts, does not
    /// count.
    #[must_use]
    pub fn allocations(&self, scenario: Scenario, peer: Peer) -> f64 {
        let counts = scenario.counts();
        let (few, many) = (counts.0, counts.0 + MORE * (counts.1 - counts.0));
        let allocations = per_piece((few, many), |count| {
            let worker = self.program("bench-allocations");
            let said = output(self.tell(worker, scenario, peer, count));
            said.trim().parse().expect("a count")
        });
        (allocations * 10.0).round() / 10.0
    }

    /// Counts the instructions of one more piece of work, with callgrind.
    #[must_use]
    pub fn instructions(&self, scenario: Scenario, peer: Peer) -> f64 {
        per_piece(scenario.counts(), |count| {
            callgrind(self.program("bench-worker"), |valgrind| {
                self.tell(valgrind, scenario, peer, count)
            })
        })
    }

    /// Returns a program of this workspace that is built as this one is.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    fn tell(&self, mut command: Command, scenario: Scenario, peer: Peer, count: usize) -> Command {
        command.args([scenario.to_string(), peer.to_string()]);
        command.arg(&self.base_url).arg(count.to_string());
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        // It ends with its input; there is nothing else to do if it does not.
        let _ = self.server.wait();
    }
}

/// Returns `true` if instructions can be counted here.
#[must_use]
pub fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|version| version.status.success())
}

/// Counts the instructions of a program, to which the arguments are added, with callgrind.
pub(crate) fn callgrind(program: Command, tell: impl FnOnce(Command) -> Command) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let counts = folder.path().join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind");
    valgrind.arg(format!("--callgrind-out-file={}", counts.display()));
    valgrind.arg(program.get_program());
    output(tell(valgrind));
    let counts = std::fs::read_to_string(counts).expect("the counts of callgrind");
    total(&counts).expect("the total of callgrind")
}

/// Takes the difference of two counts, in which everything that is done once is gone.
pub(crate) fn per_piece((few, many): (usize, usize), measure: impl Fn(usize) -> f64) -> f64 {
    (measure(many) - measure(few)) / (many - few) as f64
}

/// Reads the total out of a file of callgrind: of all parts if there are several, else of the one.
fn total(counts: &str) -> Option<f64> {
    let line = |name| counts.lines().find_map(|line| line.strip_prefix(name));
    line("totals: ")
        .or_else(|| line("summary: "))?
        .trim()
        .parse()
        .ok()
}

/// Runs a command to its end, and gives what it says.
///
/// # Panics
///
/// It can't be run, or fails.
pub(crate) fn output(mut command: Command) -> String {
    let ran = command.output();
    let name = command.get_program().display().to_string();
    let ran = ran.unwrap_or_else(|error| panic!("{name}: {error}"));
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{name} failed: {complaint}");
    String::from_utf8(ran.stdout).expect("text")
}

/// Counts the processor time of the children that are run and waited for meanwhile.
pub(crate) fn cpu_of(run: impl FnOnce()) -> Duration {
    let before = cpu_time(UsageWho::RUSAGE_CHILDREN);
    run();
    cpu_time(UsageWho::RUSAGE_CHILDREN) - before
}

/// Makes a cargo command in a folder.
pub(crate) fn cargo(
    folder: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_with_one_part_and_with_several() {
        assert_eq!(total("events: Ir\nsummary: 12\n\n1 2\n"), Some(12.0));
        assert_eq!(total("summary: 5\n\ntotals: 12\n"), Some(12.0));
        assert_eq!(total("events: Ir\n"), None);
    }
}
