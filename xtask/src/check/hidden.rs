//! Crates that only a few files of the library may name: the HTTP client and the generated crate.
//! Comments and strings don't count.

use super::finding::{Finding, Parsed};
use super::tokens;

/// The sources of the library, where the rules hold; its tests and examples are free.
const LIBRARY: &str = "crates/pollination-auth/src/";

/// A crate that only some modules may name.
struct Hidden {
    names: &'static [&'static str],
    /// The modules that may name it, from the library's root.
    by: &'static [&'static str],
    remedy: &'static str,
}

const HIDDEN: [Hidden; 2] = [
    Hidden {
        names: &["reqwest", "reqwest_middleware"],
        // The root re-exports the crate, so that users name the same version.
        by: &["wire/transport", "middleware", "lib"],
        remedy: "ask `wire::transport` for what you need; only it and middleware name reqwest",
    },
    Hidden {
        names: &["pollination_auth_api"],
        // The foundation re-exports the types that wipe themselves; `testing` makes replies of the wire.
        by: &["foundation", "wire", "testing"],
        remedy: "take our own types from `wire`; only it names the generated crate",
    },
];

pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for parsed in files {
        let path = parsed.file.path.strip_prefix(LIBRARY);
        let Some(path) = path.and_then(|path| path.strip_suffix(".rs")) else {
            continue;
        };
        for Hidden { names, by, remedy } in &HIDDEN {
            let below = |module: &str| {
                path.strip_prefix(module)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if by.iter().any(|module| below(module)) {
                continue;
            }
            tokens::identifiers(&parsed.tokens, &mut |ident| {
                if names.iter().any(|name| ident == name) {
                    let what = format!("this module names `{ident}`");
                    findings.push(parsed.finding(ident.span().start().line, what, remedy));
                }
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::tree;
    use super::super::rules;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let findings = rules(&tree(&[(&format!("{LIBRARY}{path}"), text)]));
        findings
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    const REQWEST: &str = "//! A.\nuse reqwest::Client;\n";
    const GENERATED: &str = "//! A.\nfn a() -> pollination_auth_api::types::Token {}\n";

    #[test]
    fn only_transport_and_middleware_name_reqwest() {
        let what = "this module names `reqwest`".to_owned();
        for path in [
            "client.rs",
            "wire/mask.rs",
            "client/transport.rs",
            "wire/transported.rs",
        ] {
            assert_eq!(found(path, REQWEST), [(2, what.clone())], "{path}");
        }
        for path in [
            "wire/transport.rs",
            "wire/transport/tls.rs",
            "middleware/tower.rs",
        ] {
            assert_eq!(found(path, REQWEST), [], "{path}");
        }
    }

    #[test]
    fn only_wire_and_the_foundation_name_the_generated_crate() {
        let what = "this module names `pollination_auth_api`".to_owned();
        for path in ["middleware.rs", "rotation/wire.rs"] {
            assert_eq!(found(path, GENERATED), [(2, what.clone())], "{path}");
        }
        for path in ["wire.rs", "wire/errors.rs", "foundation/secret.rs"] {
            assert_eq!(found(path, GENERATED), [], "{path}");
        }
    }

    #[test]
    fn docs_and_strings_name_nobody_and_macros_do() {
        let quiet = "//! Not reqwest.\n/// reqwest\nconst A: &str = \"reqwest\"; // reqwest\n";
        assert_eq!(found("client.rs", quiet), []);
        let loud = "//! A.\nfn a() {\n    vec![reqwest::get]\n}\n";
        assert_eq!(
            found("client.rs", loud),
            [(3, "this module names `reqwest`".into())]
        );
    }

    #[test]
    fn tests_and_other_crates_are_free() {
        let files = tree(&[
            ("crates/pollination-auth/tests/it/main.rs", REQWEST),
            ("build/exchange.rs", REQWEST),
        ]);
        assert_eq!(rules(&files), []);
    }
}
