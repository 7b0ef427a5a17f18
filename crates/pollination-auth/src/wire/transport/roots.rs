//! Why no root certificate was found: the variables, the places they name, and what is wrong there.

use std::env::split_paths;
use std::ffi::OsString;
use std::fs::{metadata, read_dir};
use std::path::Path;

const FILE: &str = "SSL_CERT_FILE";
const DIRECTORY: &str = "SSL_CERT_DIR";

/// Returns where certificates were looked for and what was found there; a path is no secret.
pub(super) fn problem(variable: impl Fn(&str) -> Option<OsString>) -> String {
    let mut problems = Vec::new();
    if let Some(path) = variable(FILE) {
        let path = Path::new(&path);
        problems.push(format!("{FILE} is {path:?}, which {}", of_file(path)));
    }
    for path in variable(DIRECTORY).iter().flat_map(split_paths) {
        // The platform's verifier ignores an empty path too.
        if !path.as_os_str().is_empty() {
            problems.push(format!(
                "{DIRECTORY} has {path:?}, which {}",
                of_directory(&path)
            ));
        }
    }
    if problems.is_empty() {
        return format!("the system has none, and neither {FILE} nor {DIRECTORY} is set");
    }
    problems.join("; ")
}

fn of_file(path: &Path) -> String {
    match metadata(path) {
        Err(error) => unreadable(&error),
        Ok(found) if found.is_dir() => "is a directory".to_owned(),
        Ok(found) if found.is_file() && found.len() == 0 => "is empty".to_owned(),
        Ok(_) => match std::fs::File::open(path) {
            Err(error) => unreadable(&error),
            Ok(_) => "has no valid certificate in PEM format".to_owned(),
        },
    }
}

fn of_directory(path: &Path) -> String {
    match read_dir(path) {
        Err(error) => unreadable(&error),
        Ok(_) => "has no file with a valid certificate in PEM format".to_owned(),
    }
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::NotADirectory => "is not a directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        kind => format!("can't be read: {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_78_where_nothing_is_set_the_variables_are_named() {
        for variable in [None, Some(OsString::new())] {
            let problem = problem(|name| variable.clone().filter(|_| name == DIRECTORY));
            assert_eq!(
                problem,
                "the system has none, and neither SSL_CERT_FILE nor SSL_CERT_DIR is set"
            );
        }
    }

    /// On Windows no variable is read.
    #[cfg(unix)]
    #[test]
    fn row_78_each_place_is_named_with_what_is_wrong_there() {
        let file = env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml";
        let directories = format!("/nonexistent:{}", env!("CARGO_MANIFEST_DIR"));
        let problem = problem(|name| match name {
            FILE => Some(OsString::from(&file)),
            _ => std::env::join_paths(directories.split(':')).ok(),
        });
        let [of_file, first, second] = problem.split("; ").collect::<Vec<_>>()[..] else {
            panic!("{problem}");
        };
        assert!(of_file.starts_with("SSL_CERT_FILE is \""), "{problem}");
        assert!(of_file.ends_with("which has no valid certificate in PEM format"));
        assert_eq!(
            first,
            "SSL_CERT_DIR has \"/nonexistent\", which does not exist"
        );
        assert!(second.ends_with("which has no file with a valid certificate in PEM format"));
    }
}
