//! Compiles `openapi.json` into `OUT_DIR`: the client, and the typed httpmock helpers.
//!
//! With the feature `codegen`, progenitor generates them. Without it, the golden copy is used.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

#[cfg(feature = "codegen")]
#[path = "build/codegen.rs"]
mod codegen;

fn main() -> Result<(), Box<dyn error::Error>> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("run me from cargo")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("run me from cargo")?);
    for input in ["build.rs", "build", "openapi.json", "tests/golden"] {
        println!("cargo::rerun-if-changed={input}");
    }
    write_sources(&root, &out)
}

#[cfg(feature = "codegen")]
fn write_sources(root: &Path, out: &Path) -> Result<(), Box<dyn error::Error>> {
    let contract = fs::read_to_string(root.join("openapi.json"))?;
    let generated = codegen::generate(&contract)?;
    fs::write(out.join("client.rs"), generated.client)?;
    fs::write(out.join("httpmock.rs"), generated.httpmock)?;
    Ok(())
}

#[cfg(not(feature = "codegen"))]
fn write_sources(root: &Path, out: &Path) -> Result<(), Box<dyn error::Error>> {
    for source in ["client.rs", "httpmock.rs"] {
        fs::copy(root.join("tests/golden").join(source), out.join(source))?;
    }
    Ok(())
}
