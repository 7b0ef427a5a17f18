//! What taking in a large document of upstream costs: `cargo xtask diff`, as it is run.

use std::path::Path;

use serde_json::Value;

use crate::figure::Figure;
use crate::figure::Goal::AtMost;
use crate::lab::{Lab, cargo, cpu_of, output};

/// The upstream document that is made larger.
const UPSTREAM: &str = "xtask/tests/data/fastapi-3.1.0.json";

/// A megabyte.
const MEGABYTE: usize = 1_000_000;

/// How much more a document of twice the size may cost; linear is 2, and starting costs nothing.
const TWICE: f64 = 2.3;

/// Measures a document of 10 MB, and one of half of that to see the growth.
pub(crate) fn figures(lab: &Lab, root: &Path) -> Vec<Figure> {
    let build = ["build", "--locked", "--quiet", "--release", "-p", "xtask"];
    output(cargo(root, build));
    let (half, whole) = (
        cost(lab, root, 5 * MEGABYTE),
        cost(lab, root, 10 * MEGABYTE),
    );
    vec![
        Figure::alone("a document of 10 MB", "s of CPU", whole, AtMost(0.5)),
        Figure::alone("10 MB to 5 MB", "ratio", whole / half, AtMost(TWICE)),
    ]
}

/// Compares the contract with an upstream document of about this size, and counts from begin to end.
fn cost(lab: &Lab, root: &Path, size: usize) -> f64 {
    let upstream = std::fs::read_to_string(root.join(UPSTREAM)).expect("the upstream document");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let document = folder.path().join("large.json");
    std::fs::write(&document, enlarged(&upstream, size)).expect("room for a document");
    let mut diff = lab.program("xtask");
    diff.current_dir(root)
        .args(["diff", "openapi.json"])
        .arg(&document);
    cpu_of(|| assert!(output(diff).contains("identical"), "another contract")).as_secs_f64()
}

/// Writes what does not belong to the contract again and again, under other names.
fn enlarged(upstream: &str, size: usize) -> String {
    let mut document: Value = serde_json::from_str(upstream).expect("JSON");
    let paths = document
        .pointer_mut("/paths")
        .and_then(Value::as_object_mut);
    let paths = paths.expect("paths");
    let others = paths.iter().filter(|(path, _)| !path.starts_with("/auth/"));
    let others: Vec<_> = others
        .map(|(path, item)| (path.clone(), item.clone()))
        .collect();
    let once: usize = others
        .iter()
        .map(|(path, item)| path.len() + item.to_string().len())
        .sum();
    for round in 0..size / once {
        for (path, item) in &others {
            paths.insert(format!("{path}/{round}"), item.clone());
        }
    }
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_about_as_large_as_asked() {
        let upstream = r#"{"paths": {"/auth/login": {}, "/jobs": {"get": {"summary": "Jobs"}}}}"#;
        let large = enlarged(upstream, 10_000);
        assert!((8_000..15_000).contains(&large.len()), "{}", large.len());
        assert_eq!(large.matches("/auth/login").count(), 1);
    }
}
