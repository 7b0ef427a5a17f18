//! The README's first program and its test, as readers make them: pasted into a package of their
//! own, and run against the service in memory.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::workspace;

/// The beginning of the package's manifest; the README's dependencies follow.
const PACKAGE: &str =
    "[package]\nname = \"readme\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n";

/// What stands in the README for the address of a repository that is not public yet.
const NOT_PUBLISHED: &str = "git = \"…\"";

/// Builds the service in memory, which the program calls.
const SERVICE: &str = "build --locked --quiet --package pollination-auth-fake";

/// Runs the program of the README and its test; `true` if the program prints the id of the service's
/// API token and the test passes.
///
/// # Errors
///
/// The README has no such blocks, or a program can't be started.
pub(crate) fn run(root: &Path) -> io::Result<bool> {
    let readme = workspace::read(&root.join("README.md"))?;
    let folder = root.join("target/readme");
    fs::create_dir_all(folder.join("src"))?;
    fs::create_dir_all(folder.join("tests"))?;
    fs::write(folder.join("Cargo.toml"), manifest(&readme, root)?)?;
    fs::write(
        folder.join("src/main.rs"),
        block(&readme, "rust,no_run", "from_env")?,
    )?;
    fs::write(
        folder.join("tests/login.rs"),
        block(&readme, "rust", "#[tokio::test]")?,
    )?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;

    if !workspace::cargo(root, SERVICE).status()?.success() {
        return Ok(false);
    }
    let service = Service::start(root)?;
    let mut program = workspace::cargo(&folder, "run --quiet");
    program.env("CARGO_TARGET_DIR", root.join("target"));
    program.env("POLLINATION_HOST", &service.base_url);
    program.env("POLLINATION_API_KEY_ID", "fake-id");
    program.env("POLLINATION_API_KEY_SECRET", "fake-secret");
    let output = program.stderr(Stdio::inherit()).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !(output.status.success() && printed.contains("fake-id")) {
        return Ok(false);
    }
    let mut test = workspace::cargo(&folder, "test --quiet --test login");
    test.env("CARGO_TARGET_DIR", root.join("target"));
    Ok(test.status()?.success())
}

/// Returns a manifest with the dependencies of every TOML block, from this workspace.
fn manifest(readme: &str, root: &Path) -> io::Result<String> {
    let mut manifest = PACKAGE.to_owned();
    for (name, krate) in [
        ("[dependencies]", "pollination-auth"),
        ("[dev-dependencies]", "pollination-auth-fake"),
    ] {
        let path = root.join("crates").join(krate).display().to_string();
        let path = format!("path = {path:?}");
        manifest.push_str(&block(readme, "toml", name)?.replace(NOT_PUBLISHED, &path));
        manifest.push('\n');
    }
    Ok(manifest)
}

/// Returns the block of a language that contains a text.
fn block<'a>(page: &'a str, language: &str, text: &str) -> io::Result<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = page.split(fence.as_str()).skip(1);
    let mut blocks = blocks.filter_map(|rest| Some(rest.split_once("```")?.0));
    blocks.find(|block| block.contains(text)).ok_or_else(|| {
        io::Error::other(format!("the README has no block of {language} with {text}"))
    })
}

/// The service in memory, as a program; it ends when this is dropped.
struct Service {
    child: Child,
    base_url: String,
}

impl Service {
    fn start(root: &Path) -> io::Result<Self> {
        let program = root.join("target/debug/pollination-auth-fake");
        let mut child = Command::new(program).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let base_url = line.trim().trim_start_matches("listening on ").to_owned();
        Ok(Self { child, base_url })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // If it has ended by itself, nothing is left to do.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_that_is_run_is_in_the_readme() {
        let root = workspace::root();
        let readme = workspace::read(&root.join("README.md")).unwrap();
        let manifest = manifest(&readme, &root).unwrap();
        assert!(!manifest.contains(NOT_PUBLISHED), "{manifest}");
        assert!(manifest.contains("[dev-dependencies]"));
        assert!(
            block(&readme, "rust,no_run", "from_env")
                .unwrap()
                .contains("fn main()")
        );
        assert!(block(&readme, "toml", "no such text").is_err());
    }
}
