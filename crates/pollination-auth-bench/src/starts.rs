//! What it costs to start: building a client, and printing the access token that the command keeps.

use std::path::Path;
use std::process::Command;

use crate::figure::{Figure, Goal};
use crate::lab::{Lab, callgrind, cargo, has_valgrind, output};
use crate::work::{Peer, Scenario};

/// What a client may cost, beside one of reqwest with the same TLS: a tenth more, for its checks.
const CLIENT: Goal = Goal::AtMost(1.1);

/// What `access-token` may cost beside `status`, which reads the same files and prints no secret.
const KEPT_TOKEN: Goal = Goal::AtMost(1.2);

/// The program of the command, which lies among those of the benchmarks.
const COMMAND: &str = "pollination-auth";

/// Counts what building a client costs, which is the same each time.
pub(crate) fn counts(lab: &Lab) -> Vec<Figure> {
    if !has_valgrind() {
        return Vec::new();
    }
    let counts =
        [Peer::Ours, Peer::ByHand].map(|peer| (peer, lab.instructions(Scenario::Build, peer)));
    vec![Figure::compared(
        "building a client",
        "instructions",
        counts,
        CLIENT,
    )]
}

/// Counts what the whole command executes with a kept access token.
pub(crate) fn command(lab: &Lab, root: &Path) -> Vec<Figure> {
    if !has_valgrind() {
        return Vec::new();
    }
    let home = Home::logged_in(lab, root);
    let count = |name| {
        callgrind(lab.program(COMMAND), |valgrind| {
            home.tell(valgrind, lab, name)
        })
    };
    let (token, status) = (count("access-token"), count("status"));
    let mut figure = Figure::alone("access-token", "instructions", token, KEPT_TOKEN);
    figure.numbers.insert("status".to_owned(), status);
    vec![figure.judged(token / status)]
}

/// The command `pollination-auth`, with a credential and an access token that it keeps.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    /// Builds the command, and logs in with it.
    pub(crate) fn logged_in(lab: &Lab, root: &Path) -> Self {
        let build = [
            "build",
            "--locked",
            "--quiet",
            "--release",
            "-p",
            "pollination-auth-cli",
        ];
        output(cargo(root, build));
        let home = Self(tempfile::tempdir().expect("a temporary folder"));
        output(with_api_token(home.command(lab, "login")));
        home
    }

    /// Returns a command that finds the credential and the access token.
    pub(crate) fn command(&self, lab: &Lab, name: &str) -> Command {
        self.tell(lab.program(COMMAND), lab, name)
    }

    /// Returns a command that finds an API token in its environment, and nothing else.
    pub(crate) fn first_time(&self, lab: &Lab, name: &str) -> Command {
        let mut command = with_api_token(self.command(lab, name));
        command.env("POLLINATION_AUTH_DIR", self.0.path().join("nothing"));
        command
    }

    fn tell(&self, mut command: Command, lab: &Lab, name: &str) -> Command {
        command.args([name, "--host", lab.base_url()]);
        command.env("POLLINATION_AUTH_DIR", self.0.path());
        command
    }
}

fn with_api_token(mut command: Command) -> Command {
    command.env("POLLINATION_API_KEY_ID", "an-id");
    command.env("POLLINATION_API_KEY_SECRET", "a-secret");
    command
}
