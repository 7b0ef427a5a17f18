//! The archive of a release: the command with its pages and completions, a list of what it is made
//! of, and checksums.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::program::{output as output_of, run};
use crate::workspace::cargo;

/// The package of the command, and its program.
const PACKAGE: &str = "pollination-auth-cli";
const PROGRAM: &str = "pollination-auth";

/// Builds the command; the target follows.
const BUILD: &str = "build --locked --profile dist --package pollination-auth-cli";

/// Runs the command on this machine; its arguments follow.
const RUN: &str = "run --locked --quiet --package pollination-auth-cli --";

/// Lists the crates that a program is made of, on standard output.
const SBOM_TOOL: &str = "cargo-sbom@0.10.0";

/// The shells whose completions are packed, and the file that each of them reads.
const COMPLETIONS: [(&str, &str); 6] = [
    ("bash", "pollination-auth.bash"),
    ("elvish", "pollination-auth.elv"),
    ("fish", "pollination-auth.fish"),
    ("nushell", "pollination-auth.nu"),
    ("powershell", "_pollination-auth.ps1"),
    ("zsh", "_pollination-auth"),
];

/// Builds the command for a target and packs it into `target/dist`.
///
/// # Errors
///
/// A program that fails, with its command line.
pub(crate) fn build(root: &Path, target: &str, output: &mut impl Write) -> io::Result<()> {
    let dist = root.join("target/dist");
    let name = format!("{PROGRAM}-{}-{target}", version(root)?);
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("completions"))?;

    let mut build = cargo(root, BUILD);
    run(build.args(["--target", target]))?;
    let file = if target.contains("windows") {
        format!("{PROGRAM}.exe")
    } else {
        PROGRAM.to_owned()
    };
    let built = root.join("target").join(target).join("dist").join(&file);
    fs::copy(built, folder.join(&file))?;
    for text in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"] {
        fs::copy(root.join(text), folder.join(text))?;
    }
    let readme = root.join("crates").join(PACKAGE).join("README.md");
    fs::copy(readme, folder.join("README.md"))?;
    write_pages(root, &folder)?;
    fs::write(folder.join("sbom.cdx.json"), sbom(root)?)?;

    let archive = if target.contains("windows") {
        format!("{name}.zip")
    } else {
        format!("{name}.tar.gz")
    };
    // The suffix chooses the form; Windows' own tar writes zip too.
    let mut tar = Command::new("tar");
    run(tar
        .args(["-a", "-c", "-f", &archive, &name])
        .current_dir(&dist))?;
    let sum = checksum(&dist.join(&archive))?;
    fs::write(
        dist.join(format!("{archive}.sha256")),
        format!("{sum}  {archive}\n"),
    )?;
    writeln!(output, "{sum}  {}", dist.join(archive).display())
}

/// Writes the manual pages and the completions.
///
/// The command prints them itself. One for this machine does so: the packed one may not run here.
fn write_pages(root: &Path, folder: &Path) -> io::Result<()> {
    let print = |arguments: &[&str]| {
        let output = output_of(cargo(root, RUN).args(arguments))?;
        Ok::<_, io::Error>(output.stdout)
    };
    fs::write(folder.join(format!("{PROGRAM}.1")), print(&["man"])?)?;
    for (shell, file) in COMPLETIONS {
        let script = print(&["completions", shell])?;
        fs::write(folder.join("completions").join(file), script)?;
    }
    Ok(())
}

/// Returns the crates that the command is made of, as CycloneDX.
fn sbom(root: &Path) -> io::Result<Vec<u8>> {
    let tools = root.join("target/tools");
    let mut install = cargo(root, "install --locked --quiet --root");
    run(install.arg(&tools).arg(SBOM_TOOL))?;
    let mut list = Command::new(tools.join("bin/cargo-sbom"));
    list.args(["--output-format", "cyclone_dx_json_1_6"]);
    list.args(["--cargo-package", PACKAGE]).current_dir(root);
    Ok(output_of(&mut list)?.stdout)
}

/// Returns the version of the command, as cargo knows it.
fn version(root: &Path) -> io::Result<String> {
    let id = output_of(&mut cargo(root, &format!("pkgid --locked {PACKAGE}")))?.stdout;
    let id = String::from_utf8_lossy(&id).trim().to_owned();
    match id.rsplit_once(['@', '#']) {
        Some((_, version)) => Ok(version.to_owned()),
        None => Err(io::Error::other(format!("no version in {id:?}"))),
    }
}

fn checksum(file: &Path) -> io::Result<String> {
    let digest = Sha256::digest(fs::read(file)?);
    Ok(digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_that_of_sha256sum() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "abc").unwrap();
        assert_eq!(
            checksum(file.path()).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
