//! The layers of each crate: the one list of them, which `ARCHITECTURE.md` shows as well.
//! `arrows` checks the files against it.

use super::finding::Finding;

/// The layers of a crate.
pub(super) struct Layers {
    /// The folder of its sources.
    pub(super) folder: &'static str,
    /// A line for each layer, the lowest first: its modules with a space between them, two spaces
    /// or more, and what they are.
    pub(super) rows: &'static str,
}

impl Layers {
    /// The modules, from the lowest layer up.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.rows.lines().flat_map(names)
    }

    /// The layer of a module or of the crate's root, which is above all others.
    pub(super) fn level(&self, name: &str) -> Option<usize> {
        if ["lib.rs", "main.rs"].contains(&name) {
            return Some(self.rows.lines().count());
        }
        let mut rows = self.rows.lines();
        rows.position(|row| names(row).any(|other| other == name))
    }

    /// The list as `ARCHITECTURE.md` has it.
    fn shown(&self) -> String {
        format!("```text\n{}:\n{}```\n", self.folder, self.rows)
    }
}

fn names(row: &str) -> impl Iterator<Item = &str> {
    row.split("  ").take(1).flat_map(|names| names.split(' '))
}

pub(super) const LAYERS: [Layers; 6] = [
    Layers {
        folder: "crates/pollination-auth/src",
        rows: "\
foundation  secrets that wipe themselves, clocks, operations, base URLs
credential  the API token, the access token and what is known of its life
error       errors by what to do, and how a failure becomes one
store       where credentials are kept: profiles, documents, files, memory
wire        the five operations over the exchange; our types and the generated ones
call        one call as attempts: deadline, span, retry
cache       one current access token, single flight, cooldown
client      the client, its builder, the replay after a 401
rotation    the crash-safe change of the secret
middleware  the access token on other people's requests
blocking    the client without async
testing     what fuzzers and authors of stores call
",
    },
    Layers {
        folder: "crates/pollination-auth-cli/src",
        rows: "\
variables exit time refusal text limits     names, exit codes, times, refusals, wrapped text, limits
proxy advice messages argument_error log    what the command says
recovery                                    what it says of a rotation
error                                       errors with their exit code and what to do
unusable                                    what it says of a document that can't be used
environment paths place profiles output     what is read from and written to the system
args prompt progress rescue stdin           the command line and the terminal's questions
interrupt lock_wait                         what ends a command, and when
terminal context credential                 what every command is given
kept_files aside                            files beside the credential, and in the rescue directory
access_token_file checked creation          what several commands do
current_token                               a valid access token
command                                     one file for each command
run                                         from arguments to an exit code
",
    },
    Layers {
        folder: "crates/pollination-auth-fake/src",
        rows: "\
operation reply body clock random login_body  requests, replies, time and chance
route door port                               what a request asks for, and whether it gets in
account access_token request_log              what the service knows
fault outcome script                          what comes of a request, and what a test scripts
service                                       a request in, a reply out, and the state in between
control                                       calls that script and inspect the service
server builder                                the service on a port, and setting it up
fake                                          the service as a test has it
",
    },
    Layers {
        folder: "crates/pollination-auth-vault/src",
        rows: "\
error                 what fails on the server or on the way to it
address text tls      where the server is; secret texts in JSON; the TLS backend
server                one exchange, repeated while the server can't serve it
auth session          how the store authenticates, and its own token
slot watch            what a profile's secret contains; when a lease is over
held                  the lock as rules on one register
kv                    the requests to the secrets engine
lock                  the lock as the library holds it
store builder         the store and its settings
",
    },
    Layers {
        folder: "src",
        rows: "\
secret bearer urls  types of the generated code that wipe themselves, and its URLs
exchange            one HTTP exchange, captured
",
    },
    Layers {
        folder: "xtask/src",
        rows: "\
workspace terminal canonical                  where files lie, how to print, how JSON is written
document                                      an OpenAPI document as JSON: its parts, positions and references
golden                                        the generated code as it is checked in
regenerate                                    from an upstream document to the contract, in stages
oracle                                        random pairs of schemas that try the comparison
mutations                                     documents with random damage that try every stage
check                                         the rules of the workspace
service                                       the fake service as a process
bench compiles races readme replay            programs that CI and people run
distribute                                    wheels, archives, Windows
packaging                                     the archives that are published
engines proof                                 the tests that need a real server; what a release proves
mutants                                       changes that a test has to notice
ci                                            the steps of CI
cli                                           the command line
",
    },
];

/// The page that shows the layers.
pub(super) const SHOWN: &str = "ARCHITECTURE.md";

/// Checks that `ARCHITECTURE.md` shows the layers as they are.
pub(super) fn shown(text: &str) -> Vec<Finding> {
    let hides = |layers: &&Layers| !text.contains(&layers.shown());
    let finding = |layers: &Layers| Finding {
        path: SHOWN.to_owned(),
        line: 1,
        what: format!(
            "the layers of {} are not these:\n{}",
            layers.folder,
            layers.shown()
        ),
        remedy: "paste this block in place of the old one",
    };
    LAYERS.iter().filter(hides).map(finding).collect()
}
