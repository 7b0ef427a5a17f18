//! The command `pollination-auth`: logs in once, and hands out access tokens from then on.
//!
//! ```sh
//! pollination-auth login
//! token=$(pollination-auth access-token) &&
//!   printf 'Authorization: Bearer %s' "$token" | curl -H @- https://...
//! ```
//!
//! The token is an argument of no program there, and without one curl does not run. The kept one is
//! handed out until it ends: where the service answers 401 before that, `--fresh` logs in anew.
//!
//! It is the library `pollination-auth` for those who are not in Rust: shells, scripts, cron.
//! `pollination-auth --help` lists the commands, and `pollination-auth man` prints a manual page.
//!
//! # What goes where
//!
//! Only the answer goes to stdout: a line of text, or with `--output json` one line of JSON, in
//! which a time is `{"utc": "2023-11-14T22:13:20Z", "epoch": 1700000000}`. All else goes to stderr.
//! A reader that closes the pipe early is no error.
//!
//! # Secrets
//!
//! `login` takes id and secret from the environment, standard input or a prompt that shows nothing,
//! and never from an argument, which other processes can see. An error about an argument does not
//! repeat it. A secret is printed where it is the answer and nowhere else: `access-token` prints the
//! token, and `token create --show-secret` the new secret.
//!
//! # The environment instead of a login
//!
//! Where nothing is stored for host and profile, `access-token`, `status` and `token show` take id and
//! secret from `POLLINATION_API_KEY_ID` and `POLLINATION_API_KEY_SECRET`, so that a job of a build
//! server needs no login and no directory. Nothing of it is written, the access token neither: each
//! call logs in. What is stored goes first, because a rotation changes it and leaves the environment
//! as it was; when that has another id, a warning says so. What changes the credential wants it
//! stored, and ends with 3 otherwise: a new secret would have no place to go.
//!
//! # Other processes
//!
//! A command waits up to 35 s for a lock that another process holds. One that is refused while
//! another process rotates the secret waits for the end of that, and uses the new one.
//!
//! # Files
//!
//! Credentials are kept in `pollination-auth` in the platform's directory for settings (that is
//! `$XDG_CONFIG_HOME` or `~/.config`, and `%APPDATA%` on Windows), or in `POLLINATION_AUTH_DIR`: in the library's `FileStore`, which refuses what others can read or
//! change. In `access-tokens` below it the newest access token of each profile is kept in the same
//! way, bound to host, profile, id and generation, so that processes share one login. In `creations`
//! the access token of `token create` is kept until the new API token logs in: where the reply is
//! lost, it is the only way to replace the new secret, and the error and `status` name its file. When a new
//! secret can't be stored there it is offered to `POLLINATION_AUTH_RESCUE_DIR`, by default
//! `pollination-auth/rescue` in the directory for data. That is made only then, and is not below the
//! first one, which could fail with it. A reply to `token create` that can't be read, and may hold a
//! secret, is kept there too, in a file that the error names.
//!
//! # Certificates and proxies
//!
//! `SSL_CERT_FILE` names a file of root certificates (PEM), such as that of a private CA, and
//! `SSL_CERT_DIR` a directory of them; they are trusted in the place of the system's. On Windows and
//! macOS the system's store alone counts. The proxy of `HTTPS_PROXY` or `ALL_PROXY` is used, but not
//! for what `NO_PROXY` lists, and never for this machine. Where no connection can be made, the error
//! has a line with the cause, such as `invalid peer certificate: UnknownIssuer`.
//!
//! # Interrupts
//!
//! An interrupt at the prompt gives the terminal back, and ends the command with 130; that is SIGINT,
//! SIGTERM, SIGQUIT or SIGHUP. A rotation that has begun comes to its end all the same, and so does a
//! creation; the exit code says how it ended, as ever. A second one ends it at once with 130, unless
//! it is SIGHUP: a terminal that was closed is outlasted. After a rotation the
//! journal lets `token rotate --resume` go on. Where a rotation has lost the credential, `login
//! --discard-rotation` starts anew with one that was made in the web interface.
//!
//! # Exit codes
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | a bug, or a failure that has no code of its own |
//! | 2 | wrong usage, or input that can't be used |
//! | 3 | not logged in for this host and profile: run `login` |
//! | 4 | the service refuses the credential: run `login` with another |
//! | 5 | nothing is wrong with what was asked: try again later |
//! | 6 | it is not known what happened; after a rotation: run `token rotate --resume` |
//! | 7 | the credential is lost: make an API token in the web interface |
//! | 8 | not confirmed: without a terminal give `--yes` |
//! | 9 | the credential store can't be used, or not be trusted |
//! | 10 | the account has no API token |
//! | 11 | the service refuses: repeating does not help |
//! | 12 | access tokens don't live as long as was asked for |
//! | 130 | interrupted; after a rotation: run `token rotate --resume` |

mod access_token_file;
mod args;
mod argument_error;
mod checked;
mod command;
mod context;
mod creation;
mod environment;
mod error;
mod exit;
mod interrupt;
mod kept_files;
mod lock_wait;
mod log;
mod messages;
mod output;
mod paths;
mod progress;
mod prompt;
mod recovery;
mod refusal;
mod rescue;
mod run;
mod terminal;
mod time;
mod variables;

pub use run::main;
