//! Who may name whom in `crates/pollination-auth`: the transport alone knows the HTTP client,
//! the wire alone knows the generated crate. Comments and strings name nobody.

use super::{Finding, Parsed, tokens};

/// Where the rules hold: the sources of the library, not its tests and examples.
const LIBRARY: &str = "crates/pollination-auth/src/";

/// A layer: the crate that it hides, and the modules that may name it.
struct Layer {
    hidden: &'static [&'static str],
    modules: &'static [&'static str],
    remedy: &'static str,
}

const LAYERS: [Layer; 2] = [
    Layer {
        hidden: &["reqwest", "reqwest_middleware"],
        // The root hands the crate itself on, so that users name the same version.
        modules: &["transport", "middleware", "lib"],
        remedy: "ask `transport` for what you need; only it and middleware name reqwest",
    },
    Layer {
        hidden: &["pollination_auth_api"],
        // The transport hands the client over and has to name its type for that.
        modules: &["wire", "transport"],
        remedy: "take our own types from `wire`; only it names the generated crate",
    },
];

pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for parsed in files {
        let Some(module) = parsed.file.path.strip_prefix(LIBRARY) else {
            continue;
        };
        for layer in &LAYERS {
            if layer.modules.iter().any(|name| lies_in(module, name)) {
                continue;
            }
            tokens::identifiers(&parsed.tokens, &mut |ident| {
                if layer.hidden.iter().any(|hidden| ident == hidden) {
                    let what = format!("this module names `{ident}`");
                    let line = ident.span().start().line;
                    findings.push(parsed.finding(line, what, layer.remedy));
                }
            });
        }
    }
    findings
}

/// Tells whether a file is the module, lies under it, or is a middleware by its own name.
fn lies_in(path: &str, module: &str) -> bool {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    let by_name = module == "middleware" && file.contains(module);
    let as_root = path == module || path.split('/').next() == Some(module);
    let as_folder = module == "middleware" && folders.split('/').any(|name| name == module);
    by_name || as_root || as_folder
}

#[cfg(test)]
mod tests {
    use super::super::{rules, tree};
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
            "wire.rs",
            "client/transport.rs",
            "transported.rs",
        ] {
            assert_eq!(found(path, REQWEST), [(2, what.clone())], "{path}");
        }
        for path in [
            "transport.rs",
            "transport/tls.rs",
            "middleware.rs",
            "client/middleware/mod.rs",
            "bearer_middleware.rs",
            "lib.rs",
        ] {
            assert_eq!(found(path, REQWEST), [], "{path}");
        }
    }

    #[test]
    fn only_wire_and_transport_name_the_generated_crate() {
        let what = "this module names `pollination_auth_api`".to_owned();
        for path in ["lib.rs", "middleware.rs", "rotation/wire.rs"] {
            assert_eq!(found(path, GENERATED), [(2, what.clone())], "{path}");
        }
        for path in ["wire.rs", "wire/errors.rs", "transport.rs"] {
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
            ("src/exchange.rs", REQWEST),
        ]);
        assert_eq!(rules(&files), []);
    }
}
