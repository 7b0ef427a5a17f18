//! The programs of the README and its test, as readers make them: pasted into packages of their own,
//! and run against the service in memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::service::Service;
use crate::workspace::{self, Built, build, cargo};

/// The folder of the packages, from the root.
const FOLDER: &str = "target/readme";

/// The workspace of the packages: what is common is built once.
const WORKSPACE: &str =
    "[workspace]\nresolver = \"3\"\nmembers = [\"first\", \"service\", \"stored\"]\n";

/// The beginning of a package's manifest; its name and the README's dependencies follow.
const PACKAGE: &str = "[package]\nversion = \"0.0.0\"\nedition = \"2024\"\n";

/// What stands in the README for the address of a repository that is not public yet.
const NOT_PUBLISHED: &str = "git = \"…\"";

/// Builds the service in memory, which the programs call.
const SERVICE: &str = "build --locked --quiet --package pollination-auth-fake";

/// Builds all programs at once, and the test.
const PROGRAMS: &str = "build --quiet --workspace --all-targets";

/// The API token of the service, as the README's programs have it.
const ID: &str = "an-id";
const SECRET: &str = "a-secret";

/// What the program with a store says of a service and a folder that are not there.
const DEFAULT_HOST: &str = "Client::builder().store(";
const STORE: &str = "/var/lib/daylight/credentials";

/// The titles of the README's sections that have programs.
const FIRST: &str = "Start here";
const MIDDLEWARE: &str = "A service that calls the API";
const TEST: &str = "A test";
const STORED: &str = "A stored credential, and its rotation";

/// Runs the programs of the README and its test; `true` if each does what the README says.
///
/// # Errors
///
/// The README has no such blocks, or a program can't be built or started.
pub(crate) fn run(root: &Path) -> io::Result<bool> {
    let packages = Packages::write(root)?;
    let fake = build(cargo(root, SERVICE))?.pop();
    let fake = fake.ok_or_else(|| io::Error::other("the service in memory was not built"))?;
    let service = Service::start(&fake.program, &["--id", ID, "--secret", SECRET])?;
    // Only requests with a valid access token get the reply of a route.
    service.add_route("GET", "/projects")?;

    let mut programs = cargo(&packages.folder, PROGRAMS);
    programs.env("CARGO_TARGET_DIR", root.join("target"));
    let built = build(programs)?;
    let program = |package: &str, kind: &str| {
        let folder = packages.folder.join(package);
        let is_it = |built: &&Built| built.folder == folder && built.kind == kind;
        let missing = || io::Error::other(format!("the README's {package} was not built"));
        let found = built.iter().find(is_it).ok_or_else(missing)?;
        let mut program = Command::new(&found.program);
        program.current_dir(&packages.folder);
        Ok::<_, io::Error>(program)
    };
    let says = |package: &str, arguments: &[&str], answer: &str| {
        let mut program = program(package, "bin")?;
        program.env("POLLINATION_HOST", service.url());
        program.env("POLLINATION_API_KEY_ID", ID);
        program.env("POLLINATION_API_KEY_SECRET", SECRET);
        let output = program.args(arguments).stderr(Stdio::inherit()).output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        Ok::<_, io::Error>(output.status.success() && printed.contains(answer))
    };
    Ok(says("first", &[], ID)?
        && program("first", "test")?.status()?.success()
        && says("service", &[], "200 OK")?
        && says("stored", &["--set-up"], "rotated the secret of an-id")?
        && fs::remove_file(packages.folder.join("secret")).is_ok()
        && says("stored", &[], "rotated the secret of an-id")?)
}

/// The packages with the README's programs.
struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// Writes them, with dependencies from this workspace.
    fn write(root: &Path) -> io::Result<Self> {
        let readme = workspace::read(&root.join("README.md"))?;
        let folder = root.join(FOLDER);
        // The stored credential of an earlier run has another secret.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let packages = Self { folder };
        let of = |section: &str, language: &str| block(&readme, section, language);
        let dependencies = of(FIRST, "toml")?.to_owned() + of(TEST, "toml")?;
        let first = packages.package("first", &dependencies, of(FIRST, "rust,no_run")?, root)?;
        fs::create_dir(first.join("tests"))?;
        fs::write(first.join("tests/login.rs"), of(TEST, "rust")?)?;
        let program = of(MIDDLEWARE, "rust,no_run")?;
        packages.package("service", of(MIDDLEWARE, "toml")?, program, root)?;
        let program = stored(of(STORED, "rust,no_run")?, &packages.folder)?;
        packages.package("stored", of(FIRST, "toml")?, &program, root)?;
        let file = |name: &str| packages.folder.join(name);
        fs::write(file("Cargo.toml"), WORKSPACE)?;
        fs::write(file("secret"), SECRET)?;
        fs::copy(root.join("Cargo.lock"), file("Cargo.lock"))?;
        Ok(packages)
    }

    /// Writes one package, and returns its folder.
    fn package(
        &self,
        name: &str,
        dependencies: &str,
        program: &str,
        root: &Path,
    ) -> io::Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let mut manifest = format!("{PACKAGE}name = {name:?}\n\n");
        for line in dependencies.lines() {
            let krate = line.split(' ').next().unwrap_or_default();
            let path = root.join("crates").join(krate).display().to_string();
            manifest.push_str(&line.replace(NOT_PUBLISHED, &format!("path = {path:?}")));
            manifest.push('\n');
        }
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), program)?;
        Ok(folder)
    }
}

/// Returns the program with a store, for the service and a folder of this test.
fn stored(program: &str, folder: &Path) -> io::Result<String> {
    for text in [DEFAULT_HOST, STORE] {
        if !program.contains(text) {
            return Err(io::Error::other(format!(
                "the README's program has no {text}"
            )));
        }
    }
    let host = "Client::builder().base_url(std::env::var(\"POLLINATION_HOST\")?).store(";
    let store = folder.join("credentials").display().to_string();
    // As it stands in a string of Rust.
    let store = store.replace('\\', "\\\\");
    Ok(program.replace(DEFAULT_HOST, host).replace(STORE, &store))
}

/// Returns the first block of a language in a section.
fn block<'a>(page: &'a str, section: &str, language: &str) -> io::Result<&'a str> {
    let missing = || {
        let message = format!("the section {section:?} of the README has no block of {language}");
        io::Error::other(message)
    };
    let (_, after) = page
        .split_once(&format!("\n## {section}\n"))
        .ok_or_else(missing)?;
    let section = after.split("\n## ").next().unwrap_or_default();
    let (_, block) = section
        .split_once(&format!("```{language}\n"))
        .ok_or_else(missing)?;
    Ok(block.split("```").next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_toml_and_rust_block_of_the_readme_is_in_a_package() {
        let readme = workspace::read(&workspace::root().join("README.md")).unwrap();
        let count = |language: &str| readme.matches(&format!("```{language}")).count();
        let known = |language: &str| {
            let has = |section: &&&str| block(&readme, section, language).is_ok();
            let sections = [FIRST, MIDDLEWARE, TEST, STORED];
            sections.iter().filter(has).count()
        };
        assert_eq!(count("toml\n"), known("toml"));
        assert_eq!(count("rust,no_run\n"), known("rust,no_run"));
        assert_eq!(count("rust\n"), known("rust"));
        assert!(block(&readme, FIRST, "python").is_err());
    }

    #[test]
    fn the_program_with_a_store_calls_the_service_in_memory() {
        let readme = workspace::read(&workspace::root().join("README.md")).unwrap();
        let program = block(&readme, STORED, "rust,no_run").unwrap();
        let program = stored(program, Path::new("folder")).unwrap();
        assert!(program.contains("base_url(") && !program.contains(STORE));
        assert!(stored("fn main() {}", Path::new("folder")).is_err());
    }
}
