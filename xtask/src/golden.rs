//! The golden copy of the generated code: generates it.
//! `build/codegen.rs` turns the contract into Rust.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

use quote::ToTokens as _;

use crate::codegen;
use crate::workspace::{GOLDEN_CLIENT, GOLDEN_HTTPMOCK};

/// The generated code of one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The models, the client and its operations.
    pub client: String,
    /// The typed httpmock helpers.
    pub httpmock: String,
}

impl Generated {
    /// Returns both golden files: path from the root, and text.
    #[must_use]
    pub fn into_files(self) -> [(&'static str, String); 2] {
        [
            (GOLDEN_CLIENT, self.client),
            (GOLDEN_HTTPMOCK, self.httpmock),
        ]
    }
}

/// Generates the code of a contract.
///
/// progenitor panics on some documents; here that is an error like any other.
///
/// # Errors
///
/// Why the generator can't take the contract, in one line.
pub fn generate(contract: &str) -> Result<Generated, String> {
    let made = quietly(|| codegen::generate(contract));
    match made {
        Ok(Ok(codegen::Generated { client, httpmock })) => Ok(Generated { client, httpmock }),
        Ok(Err(error)) => Err(one_line(&error.to_string())),
        // What it panics with is about its own code.
        Err(()) => Err("it has no way to write this".to_owned()),
    }
}

/// The type of a secret in generated code.
const SECRET_TYPE: &str = "SecretText";

/// Lists the fields of generated structs that hold a secret in a type that would print it.
///
/// A document can have `format: password` where the generator ignores it, so this checks the
/// generated code.
#[must_use]
pub fn open_secrets(generated: &str, secrets: &[&str]) -> Vec<String> {
    let Ok(file) = syn::parse_file(generated) else {
        return Vec::new();
    };
    let mut open = Vec::new();
    let mut waiting: Vec<&[syn::Item]> = vec![&file.items];
    while let Some(items) = waiting.pop() {
        for item in items {
            match item {
                syn::Item::Mod(module) => {
                    waiting.extend(module.content.as_ref().map(|(_, items)| items.as_slice()));
                }
                syn::Item::Struct(model) => {
                    for field in &model.fields {
                        let name = field.ident.as_ref().map(ToString::to_string);
                        let name = name.filter(|name| secrets.contains(&name.as_str()));
                        let kind = field.ty.to_token_stream().to_string();
                        if let Some(name) = name.filter(|_| !kind.contains(SECRET_TYPE)) {
                            open.push(format!("{}::{name}", model.ident));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    open
}

thread_local! {
    /// Whether a panic of this thread is expected, and caught.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that may panic, without the panic's own message on standard error.
///
/// The panic hook belongs to the process: it is installed once, and is silent only for this thread.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T + panic::UnwindSafe) -> Result<T, ()> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !EXPECTED.get() {
                others(info);
            }
        }));
    });
    let outside = EXPECTED.replace(true);
    let result = panic::catch_unwind(work);
    EXPECTED.set(outside);
    result.map_err(drop)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_another_version_is_an_error_and_no_panic() {
        let error = generate(r#"{"openapi":"3.1.0"}"#).unwrap_err();
        assert!(
            error.starts_with("the contract is not OpenAPI 3.0: "),
            "{error}"
        );
    }

    #[test]
    fn a_secret_in_another_type_is_found() {
        let code = "pub mod types { pub struct A { pub secret: Option<crate::SecretText> } \
                    pub struct B { pub secret: String, pub id: String } }";
        assert_eq!(open_secrets(code, &["secret"]), ["B::secret"]);
    }

    #[test]
    fn texts_of_a_form_are_texts_and_need_no_other_crate() {
        let contract = |id: &str| {
            let schema = format!(r#"{{"type":"object","properties":{{"id":{id}}}}}"#);
            let content = format!(r#"{{"application/json":{{"schema":{schema}}}}}"#);
            format!(
                r#"{{"openapi":"3.0.2","info":{{"title":"","version":""}},"paths":{{"/":{{"get":{{
                "operationId":"get","responses":{{"200":{{"description":"","content":{content}}}}}
                }}}}}}}}"#
            )
        };
        for form in [
            r#""pattern":"^a$""#,
            r#""format":"uuid""#,
            r#""format":"date-time""#,
            r#""format":"date""#,
        ] {
            let id = format!(r#"{{"type":"string",{form}}}"#);
            let client = generate(&contract(&id)).unwrap().client;
            let field = "pub id: ::std::option::Option<::std::string::String>";
            assert!(client.contains(field), "{form}: {client}");
        }
    }

    #[test]
    fn two_error_shapes_on_one_operation_are_an_error_and_no_panic() {
        let reply = |kind: &str| {
            let content = format!(r#"{{"application/json":{{"schema":{{"type":"{kind}"}}}}}}"#);
            format!(r#"{{"description":"","content":{content}}}"#)
        };
        let contract = format!(
            r#"{{"openapi":"3.0.2","info":{{"title":"","version":""}},"paths":{{"/":{{"get":{{
            "operationId":"get","responses":{{"204":{{"description":""}},"400":{},"404":{}
            }}}}}}}}}}"#,
            reply("string"),
            reply("integer")
        );
        let error = generate(&contract).unwrap_err();
        assert_eq!(error, "it has no way to write this");
    }
}
