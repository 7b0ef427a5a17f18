//! What it costs to start: building a client, and printing the access token that the command keeps.

use std::path::Path;

use crate::figure::{Figure, Goal};
use crate::lab::{Lab, callgrind, cargo, has_valgrind, output};
use crate::work::{Peer, Scenario};

/// What a client may cost, beside one of reqwest with the same TLS: a tenth more, for its checks.
const CLIENT: Goal = Goal::AtMost(1.1);

/// What `access-token` may cost beside `status`, which reads the same files and prints no secret.
const KEPT_TOKEN: Goal = Goal::AtMost(1.2);

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
    let build = [
        "build",
        "--locked",
        "--quiet",
        "--release",
        "-p",
        "pollination-auth-cli",
    ];
    output(cargo(root, build));
    let home = tempfile::tempdir().expect("a temporary folder");
    let command = |mut command: std::process::Command, arguments: &[&str]| {
        command
            .args(arguments)
            .args(["--host", lab.base_url()])
            .env("POLLINATION_AUTH_DIR", home.path());
        command
    };
    let mut login = command(lab.program("pollination-auth"), &["login"]);
    login.env("POLLINATION_API_KEY_ID", "an-id");
    login.env("POLLINATION_API_KEY_SECRET", "a-secret");
    output(login);
    let count = |name| {
        callgrind(lab.program("pollination-auth"), |valgrind| {
            command(valgrind, &[name])
        })
    };
    let (token, status) = (count("access-token"), count("status"));
    let mut figure = Figure::alone("access-token", "instructions", token, KEPT_TOKEN);
    figure.numbers.insert("status".to_owned(), status);
    vec![figure.judged(token / status)]
}
