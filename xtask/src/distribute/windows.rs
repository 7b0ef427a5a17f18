//! Windows without Windows: builds for it with MinGW, and runs the tests under Wine.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::run;
use crate::workspace::cargo;

const TARGET: &str = "x86_64-pc-windows-gnu";

/// The C compiler of MinGW, which also links.
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Where Wine is: on the search path, or where Debian's package puts it.
const WINE: [&str; 3] = ["wine64", "wine", "/usr/lib/wine/wine64"];

/// The library that Wine lacks, from the root.
const LIBRARY: &str = "xtask/wine/bcryptprimitives.c";

/// The tests that run; doc tests can't be run for another target.
const TESTS: &str = "test --locked --no-fail-fast --all-features --lib --bins --test it \
                     --package pollination-auth --package pollination-auth-fake \
                     --package pollination-auth-cli";

/// The tests that run at once: 2. Wine takes a while to start a program, and fails to under load.
const THREADS: &str = "2";

/// The tests that Wine can't do: it refuses some of a thousand connections at once, and its TLS takes no
/// root certificate of a program's own.
const LEFT_OUT: [&str; 2] = [
    "a_thousand_logins_at_once",
    "row_77_a_caller_chooses_between_the_backends_that_are_built",
];

/// What is missing, and how Debian calls it.
const NEEDED: &str = "install MinGW and Wine, on Debian: \
                      apt-get install gcc-mingw-w64-x86-64 nasm wine64";

/// Builds the command, the library and the fake for Windows and runs their tests under Wine.
///
/// # Errors
///
/// A program that fails or is missing, with its command line.
pub(crate) fn test(root: &Path, output: &mut impl Write) -> io::Result<()> {
    let wine = WINE.into_iter().find(|wine| starts(wine));
    let wine = wine.filter(|_| starts(COMPILER));
    let wine = wine.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, NEEDED))?;
    run(Command::new("rustup").args(["target", "add", TARGET]))?;
    let own = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = own.join(TARGET).join("debug");
    for folder in [target.clone(), target.join("deps")] {
        fs::create_dir_all(&folder)?;
        let mut compile = Command::new(COMPILER);
        compile.args(["-shared", "-O2", "-o"]);
        compile.arg(folder.join("bcryptprimitives.dll"));
        run(compile.arg(root.join(LIBRARY)).arg("-ladvapi32"))?;
    }
    let mut tests = cargo(root, TESTS);
    tests.args(["--target", TARGET, "--"]);
    for test in LEFT_OUT {
        tests.args(["--skip", test]);
    }
    tests.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", wine);
    tests.env("RUST_TEST_THREADS", THREADS);
    // What is unused there is for another system, and has to say so.
    tests.env("RUSTFLAGS", "-D warnings");
    // Its own notes would stand between a program's lines.
    tests.env("WINEDEBUG", "-all");
    tests.env("WINEPREFIX", own.join("wine"));
    run(&mut tests)?;
    writeln!(output, "all tests pass on {TARGET} under {wine}")
}

fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    command.output().is_ok_and(|output| output.status.success())
}
