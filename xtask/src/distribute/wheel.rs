//! The wheels: builds them, installs them into a fresh environment, and runs the page for Python
//! users with them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::run;

/// What builds a wheel; any 1.x builds these.
const MATURIN: &str = "maturin>=1.8,<2";

/// The page whose blocks are run, from the root.
const PAGE: &str = "docs/python.md";

/// The packages that become wheels, and the name of each wheel's project.
const WHEELS: [(&str, &str); 2] = [
    ("pollination-auth-cli", "pollination-auth"),
    ("pollination-auth-fake", "pollination-auth-fake"),
];

/// What a block of the page becomes: the token's three lines, the fixture, the test.
const BLOCKS: [&str; 3] = ["three_lines.py", "conftest.py", "test_page.py"];

/// Builds both wheels and tries them as a Python user would.
///
/// # Errors
///
/// A program that fails, with its command line: Python 3.8 or newer with `venv` is needed, and its
/// package index.
pub(crate) fn build(root: &Path, release: bool, output: &mut impl Write) -> io::Result<()> {
    let folder = root.join("target/wheels");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // Beside the wheels lies nothing else: the folder is what is uploaded.
    let tools = Venv::create(root.join("target/wheel-tools"))?;
    run(tools.pip().args(["install", "--quiet", MATURIN]))?;
    for (package, _) in WHEELS {
        let mut maturin = tools.command("maturin");
        maturin.args(["build", "--quiet", "--locked", "--out"]);
        maturin.arg(&folder).arg("--manifest-path");
        maturin.arg(root.join(format!("crates/{package}/Cargo.toml")));
        if release {
            maturin.arg("--release");
        } else {
            // Not for others' machines, so it may need this one's C library.
            maturin.args(["--profile", "dev", "--compatibility", "linux"]);
        }
        run(&mut maturin)?;
    }
    for wheel in fs::read_dir(&folder)? {
        writeln!(output, "built {}", wheel?.path().display())?;
    }
    try_page(root, &folder)
}

/// Installs the wheels and pytest into a fresh environment and runs the page's blocks.
fn try_page(root: &Path, wheels: &Path) -> io::Result<()> {
    let fresh = Venv::create(root.join("target/wheel-fresh"))?;
    let names = WHEELS.map(|(_, project)| project);
    let mut install = fresh.pip();
    install.args(["install", "--quiet", "--no-index", "--find-links"]);
    run(install.arg(wheels).args(names))?;
    run(fresh.pip().args(["install", "--quiet", "pytest"]))?;
    let page = fs::read_to_string(root.join(PAGE))?;
    let folder = root.join("target/wheel-page");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let blocks = blocks(&page);
    if blocks.len() != BLOCKS.len() {
        let found = format!("{PAGE} has {} Python blocks", blocks.len());
        return Err(io::Error::other(found));
    }
    for (name, block) in BLOCKS.into_iter().zip(blocks) {
        fs::write(folder.join(name), block)?;
    }
    // The three lines run inside of a test, so that the fixture gives them a service.
    fs::write(
        folder.join("test_token.py"),
        "import runpy\n\n\ndef test_three_lines_get_a_token(pollination):\n    \
         assert runpy.run_path(\"three_lines.py\")[\"token\"].count(\".\") == 2\n",
    )?;
    let mut pytest = fresh.command("python");
    pytest.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    pytest.current_dir(&folder).env("PATH", fresh.search_path());
    run(&mut pytest)
}

/// Returns the blocks of a page that are marked as Python.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```python\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect()
}

/// A virtual environment of Python.
struct Venv(PathBuf);

impl Venv {
    fn create(folder: PathBuf) -> io::Result<Self> {
        let mut create = Command::new(if cfg!(windows) { "python" } else { "python3" });
        run(create.args(["-m", "venv", "--clear"]).arg(&folder))?;
        Ok(Self(folder))
    }

    fn programs(&self) -> PathBuf {
        self.0.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    fn command(&self, program: &str) -> Command {
        Command::new(self.programs().join(program))
    }

    fn pip(&self) -> Command {
        let mut command = self.command("python");
        command.args(["-m", "pip", "--disable-pip-version-check"]);
        command
    }

    /// Returns a search path on which the environment's programs come first.
    fn search_path(&self) -> std::ffi::OsString {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(self.programs()).chain(std::env::split_paths(&others));
        std::env::join_paths(all).unwrap_or(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn the_page_has_the_blocks_that_are_run() {
        let page = fs::read_to_string(workspace::root().join(PAGE)).unwrap();
        let blocks = blocks(&page);
        assert_eq!(blocks.len(), BLOCKS.len());
        assert!(blocks[0].contains("access-token") && blocks[1].contains("@pytest.fixture"));
        assert!(blocks[2].contains("def test_"));
    }
}
