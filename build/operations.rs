//! Saves each generated operation two costs: the parsing of its URL, and a header.
//!
//! progenitor formats the URL anew for each call and sends a header `api-version`, which the
//! contract does not have. A path without parameters is asked of `crate::url` instead, which
//! parses it once; the header is left out. What progenitor writes differently is an error.

use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{Expr, ImplItem, ImplItemFn, Item, LitStr, Local, Stmt, Token};

use super::CodegenError;

/// Changes all operations: the async functions of the client.
pub(super) fn slim(items: &mut [Item]) -> Result<(), CodegenError> {
    for item in items {
        let Item::Impl(client) = item else { continue };
        for item in &mut client.items {
            if let ImplItem::Fn(operation) = item
                && operation.sig.asyncness.is_some()
            {
                let changed = slim_url(operation).and_then(|()| slim_header(operation));
                changed.ok_or_else(|| {
                    CodegenError(format!(
                        "build/operations.rs does not know how progenitor writes the URL and the \
                         header `api-version` of the operation `{}`",
                        operation.sig.ident
                    ))
                })?;
            }
        }
    }
    Ok(())
}

/// Replaces `format!("{}/the/path", self.baseurl,)`; more arguments are the path's parameters.
fn slim_url(operation: &mut ImplItemFn) -> Option<()> {
    let mut values = operation.block.stmts.iter_mut().filter_map(value_of);
    let (url, arguments) = values.find_map(|value| match value {
        Expr::Macro(made) if made.mac.path.is_ident("format") => {
            let list = Punctuated::<Expr, Token![,]>::parse_terminated;
            let arguments = made.mac.parse_body_with(list).ok()?;
            Some((value, arguments))
        }
        _ => None,
    })?;
    if arguments.len() == 2 {
        let format: LitStr = syn::parse2(arguments.first()?.to_token_stream()).ok()?;
        let format = format.value();
        let path = format.strip_prefix("{}")?;
        *url = syn::parse_quote!(crate::url(self, #path)?);
    }
    Some(())
}

/// Removes the header from the map of headers, which no longer needs room for it.
fn slim_header(operation: &mut ImplItemFn) -> Option<()> {
    let statements = &mut operation.block.stmts;
    let text = |statement: &Stmt| statement.to_token_stream().to_string().replace(' ', "");
    let header = statements
        .iter()
        .position(|statement| text(statement).contains("::api_version()"))?;
    let map = statements.get_mut(header.checked_sub(1)?)?;
    let map = Some(map).filter(|map| text(map).contains("HeaderMap::with_capacity("))?;
    *value_of(map)? = syn::parse_quote!(::reqwest::header::HeaderMap::new());
    statements.remove(header);
    Some(())
}

/// Returns the value of a `let`.
fn value_of(statement: &mut Stmt) -> Option<&mut Expr> {
    match statement {
        Stmt::Local(Local {
            init: Some(init), ..
        }) => Some(&mut init.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::generate;

    /// Returns the generated client of one operation, without blanks.
    fn operation(id: &str, path: &str, parameters: &[(&str, &str)]) -> String {
        let parameters = parameters.iter().map(|(place, name)| {
            serde_json::json!({
                "in": place, "name": name, "required": true, "schema": {"type": "string"}
            })
        });
        let contract = serde_json::json!({
            "openapi": "3.0.2",
            "info": {"title": "", "version": ""},
            "paths": {path: {"get": {
                "operationId": id,
                "parameters": parameters.collect::<Vec<_>>(),
                "responses": {"204": {"description": ""}},
            }}},
        });
        let client = generate(&contract.to_string()).unwrap().client;
        client.split_whitespace().collect()
    }

    #[test]
    fn only_the_header_that_the_contract_does_not_have_is_taken_out() {
        for name in ["x-other", "api-version"] {
            let own = operation("get_it", "/a", &[("header", name)]);
            let appended = format!(r#"header_map.append("{name}","#);
            assert_eq!(own.matches(&appended).count(), 1, "{own}");
            assert!(!own.contains("::api_version()"), "{own}");
        }
    }

    #[test]
    fn a_path_without_parameters_is_parsed_once_whatever_else_has_its_name() {
        for (id, query, name) in [("get_it", "x", "url"), ("url", "url", "_url")] {
            let written = operation(id, "/a/path", &[("query", query)]);
            let url = format!(r#"let{name}=crate::url(self,"/a/path")?;"#);
            assert!(written.contains(&url), "{written}");
        }
        let written = operation("get_it", "/a/{id}", &[("path", "id")]);
        assert!(written.contains(r#"format!("{}/a/{}","#), "{written}");
    }

    #[test]
    fn an_operation_of_another_shape_is_an_error_that_names_it() {
        for body in [
            r#"let url = "/a"; let map = Map::new(); map.append(Self::api_version());"#,
            r#"let url = format!("/a", self.baseurl); let map = Map::new();"#,
            r#"let url = format!("{}/a", self.baseurl); send(Self::api_version());"#,
        ] {
            let client = format!("impl Client {{ async fn get_it(&self) {{ {body} }} }}");
            let mut file: syn::File = syn::parse_str(&client).unwrap();
            let error = super::slim(&mut file.items).unwrap_err();
            assert!(error.to_string().contains("`get_it`"), "{error}");
        }
    }
}
