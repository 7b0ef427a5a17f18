//! The command `pollination-auth`: logs in to Pollination and manages its API token.
//!
//! ```sh
//! pollination-auth login
//! pollination-auth access-token --format header | curl -H @- https://...
//! ```
//!
//! The access token is in no program's arguments there, which other processes can read. It is
//! cached until it expires. If the service answers 401 before that, `--fresh` logs in again.
//!
//! It is the library `pollination-auth` for those who are not in Rust: shells, scripts, cron.
//! `pollination-auth --help` lists the commands, and `pollination-auth man` prints a manual page.
//!
//! # Output
//!
//! Only the result is written to stdout: text, or with `--output json` one line of JSON, in which a
//! time is `{"utc": "2023-11-14T22:13:20Z", "epoch": 1700000000}`. Everything else is written to
//! stderr. With `--output json` the last line of stderr is the error, as `{"error": {"kind":
//! "not_logged_in", "exit_code": 3, "message": "...", "notes": []}}`. A reader that closes the pipe
//! early is not an error.
//!
//! # Secrets
//!
//! `login` takes the id and the secret from the environment, standard input or a prompt that does not
//! show the secret, never from an argument, which other processes can read. An error about an
//! argument does not repeat what may be a secret. A secret is printed only as the result:
//! `access-token` prints the access token, and `token create --show-secret` the new secret. A crash
//! leaves no core image.
//!
//! # Credentials in the environment
//!
//! `access-token`, `exec`, `status` and `token show` work without a login if
//! `POLLINATION_API_KEY_ID` and `POLLINATION_API_KEY_SECRET` are set, or name files as
//! `POLLINATION_API_KEY_ID_FILE` and `POLLINATION_API_KEY_SECRET_FILE`. Nothing of it is stored, and the
//! access token is not cached, so each call logs in.
//!
//! - If nothing is stored for the host and profile, the environment is used.
//! - If another API token is stored, the environment takes precedence, and a warning says so.
//! - If the same API token is stored, the stored secret is tried first, because a rotation changes it.
//!   If the service refuses that one, the secret of the environment is tried, and a warning says so.
//!
//! Commands that change the credential need a stored one, and exit with 3 otherwise: a new secret
//! would have no place to go.
//!
//! # Other processes
//!
//! A command waits up to 35 s for a lock that another process holds. If it is refused while another
//! process rotates the secret, it waits for the rotation to finish, and uses the new secret.
//!
//! # Files
//!
//! Credentials are stored in `pollination-auth` in the platform's configuration directory (that is
//! `$XDG_CONFIG_HOME` or `~/.config`, and `%APPDATA%` on Windows), or in `POLLINATION_AUTH_DIR`: in
//! the library's `FileStore`, which refuses files that others can read or change. Its subdirectory
//! `access-tokens` has the newest access token of each profile, protected in the same way and bound
//! to host, profile, id and generation, so that processes share one login. In `creations` the
//! access token of `token create` is kept until the new API token has logged in: if the reply is
//! lost, it is the only way to replace the new secret, and the error and `status` name its file.
//!
//! If a new secret can't be stored there, it is written to `POLLINATION_AUTH_RESCUE_DIR`, by
//! default `pollination-auth/rescue` in the platform's data directory. That is created only then,
//! and is not below the first one, which could fail with it. A reply to `token create` that can't
//! be read, and may contain a secret, is kept there too, in a file that the error names.
//!
//! # Keyring
//!
//! `login --keyring` stores the id and the secret in the system's keyring (Secret Service, Windows or
//! macOS) instead of a file, in a build with the feature `keyring`. Every other command finds them
//! there, because a file without a secret in the subdirectory `keyring` says so. `logout` removes
//! them from the keyring, and the next login is one to a file again. If the keyring is missing or
//! locked, the command says so, and stores nothing in a file instead; if it is lost for good, remove
//! that file and log in again. The cached access token, the
//! journal of a rotation and a rescued secret stay in files. Programs that use the library don't
//! read the keyring.
//!
//! # Certificates and proxies
//!
//! `SSL_CERT_FILE` names a file of root certificates (PEM), such as that of a private CA, and
//! `SSL_CERT_DIR` a directory of them; they are trusted instead of the system's. On Windows and macOS
//! the system's certificate store is used. The proxy of `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`
//! is used, except for the hosts that `NO_PROXY` lists, and never for this machine. If no
//! connection can be made, the error has a line with the cause, such as `invalid peer certificate:
//! UnknownIssuer`. `doctor` checks all of it.
//!
//! # Interrupts
//!
//! Ctrl-C at a prompt gives the terminal back, and the exit code is 130; that holds for SIGINT,
//! SIGTERM, SIGQUIT and SIGHUP. A rotation or creation that has begun finishes first, and the exit
//! code is its own. A second Ctrl-C stops it with 130; SIGHUP does not, so that it survives the end
//! of the terminal. An interrupted rotation is completed by `token rotate --resume`. If a rotation
//! has lost the credential, `login --discard-rotation` starts anew with one that was created in the
//! web interface.
//!
//! # Exit codes
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | success |
//! | 1 | a bug, or a failure without a code of its own |
//! | 2 | wrong usage or invalid input |
//! | 3 | not logged in; run `login` |
//! | 4 | the service refuses the credential |
//! | 5 | temporary failure; try again later |
//! | 6 | outcome unknown; run what the error names |
//! | 7 | the secret is lost; create a new API token |
//! | 8 | not confirmed; without a terminal, use --yes |
//! | 9 | the credential store is unusable or unsafe |
//! | 10 | the account has no API token |
//! | 11 | the service refuses; retrying does not help |
//! | 12 | access tokens expire sooner than requested |
//! | 13 | `doctor` has found a problem |
//! | 126 | `exec` can't run the command |
//! | 127 | `exec` can't find the command |
//! | 130 | interrupted |

mod access_token_file;
mod advice;
mod args;
mod argument_error;
mod aside;
mod checked;
mod command;
mod context;
mod creation;
mod credential;
mod current_token;
mod environment;
mod error;
mod exit;
mod interrupt;
mod kept_files;
mod limits;
mod lock_wait;
mod log;
mod messages;
mod output;
mod paths;
mod place;
mod profiles;
mod progress;
mod prompt;
mod proxy;
mod recovery;
mod refusal;
mod rescue;
mod run;
mod stdin;
mod terminal;
mod text;
mod time;
mod unusable;
mod variables;

pub use run::main;
