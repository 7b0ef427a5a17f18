//! Runs the tests of the command on a real keyring, if this machine has one to start.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::distribute::program::run;

/// The module of the tests.
const ONLY: &str = "keyring::";

/// Set for the tests if the programs are installed. Without it they are left out.
const INSTALLED: &str = "POLLINATION_TEST_KEYRING";

/// The programs that the tests run, and an option that does nothing else.
const PROGRAMS: [(&str, &str); 4] = [
    ("dbus-run-session", "--version"),
    ("dbus-send", "--help"),
    ("gnome-keyring-daemon", "--version"),
    ("timeout", "--version"),
];

/// The longest time of the tests, in seconds: 5 minutes. They take some seconds; a keyring that asks for a
/// password is given up by the command after 2 minutes.
const LIMIT: &str = "300";

/// Runs those of the command's tests, or says what to install.
pub(super) fn test(tests: Command, output: &mut impl Write) -> io::Result<()> {
    let missing = |(program, option): &&(&str, &str)| !runs(program, option);
    if let Some((program, _)) = PROGRAMS.iter().find(missing) {
        writeln!(
            output,
            "engines: left out the tests on a real keyring, because there is no `{program}`; on Debian \
             `apt-get install coreutils dbus gnome-keyring` installs it"
        )?;
        return output.flush();
    }
    writeln!(output, "engines: gnome-keyring under dbus-run-session")?;
    output.flush()?;
    // It ends the tests, their keyrings and their commands; `kill` would end the tests alone.
    let mut bounded = Command::new("timeout");
    bounded.arg(LIMIT).arg(tests.get_program()).arg(ONLY);
    if let Some(folder) = tests.get_current_dir() {
        bounded.current_dir(folder);
    }
    run(bounded.env(INSTALLED, "1"))
}

fn runs(program: &str, option: &str) -> bool {
    // Whether it accepts the option does not matter.
    let ran = Command::new(program)
        .arg(option)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ran.is_ok()
}
