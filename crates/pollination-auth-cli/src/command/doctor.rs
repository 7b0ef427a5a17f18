//! Checks what a command needs: the connection, the credential store and the environment.
//!
//! No secret is sent, and none is shown.

mod certificate;
mod check;
mod connection;
mod machine;

use std::fmt;

use serde::Serialize;

use self::check::Check;
use crate::args::global::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output;

#[derive(Serialize)]
struct Answer {
    /// Whether nothing has to be done.
    ok: bool,
    checks: Vec<Check>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.checks.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

pub(crate) async fn run(global: &Global) -> Result<Exit, CliError> {
    let (has_client, mut checks) = connection::check(global).await;
    checks.extend(machine::check(global, has_client).await);
    let ok = checks.iter().all(Check::is_good);
    output::report(global.output, &Answer { ok, checks })?;
    Ok(if ok { Exit::Done } else { Exit::Problem })
}
