//! Takes out of each generated operation what costs something on every call and gives nothing.
//!
//! progenitor sends a header `api-version`, which the contract does not have, and has the URL put
//! together and parsed anew for each call. An operation of another shape stays as it is.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::{Expr, ExprMethodCall, ImplItem, Item, LitStr, Pat, Stmt};

/// Slims the operations of the client.
pub(super) fn slim(items: &mut [Item]) {
    for item in items {
        let Item::Impl(client) = item else { continue };
        for item in &mut client.items {
            if let ImplItem::Fn(operation) = item {
                without_api_version(&mut operation.block.stmts);
                without_parsing(&mut operation.block.stmts);
            }
        }
    }
}

/// Takes the header out, and the map of headers where it was the only one in it.
///
/// A contract may have a header of that name; the value of progenitor's own is a function's.
fn without_api_version(statements: &mut Vec<Stmt>) {
    const MAP: &str = "header_map";
    let is_api_version = |statement: &Stmt| {
        matches!(statement, Stmt::Expr(Expr::MethodCall(call), _) if is_named(&call.receiver, MAP))
            && text(statement).contains(":: api_version ()")
    };
    statements.retain(|statement| !is_api_version(statement));
    let mentions = |statement: &&Stmt| text(statement).contains(MAP);
    // It is made and handed on; whatever else there is puts something in.
    if statements.iter().filter(mentions).count() != 2 {
        return;
    }
    let no_longer_handed_on = each_link(statements, |link| {
        if link.method == "headers" && link.args.iter().any(|argument| is_named(argument, MAP)) {
            return Some((*link.receiver).clone());
        }
        None
    });
    if no_longer_handed_on {
        statements.retain(|statement| local_name(statement).as_deref() != Some(MAP));
    }
}

/// Lets the client make the request to a path that has no parameters: it knows the URL already.
fn without_parsing(statements: &mut Vec<Stmt>) {
    let Some(path) = statements.iter().find_map(fixed_path) else {
        return;
    };
    let replaced = each_link(statements, |link| {
        let is_first = text(&link.receiver) == "self . client"
            && link.args.len() == 1
            && link.args.iter().all(|argument| is_named(argument, "url"));
        let method = syn::Ident::new(&link.method.to_string().to_uppercase(), Span::call_site());
        is_first.then(|| syn::parse_quote!(crate::request(self, ::reqwest::Method::#method, #path)))
    });
    if replaced {
        statements.retain(|statement| local_name(statement).as_deref() != Some("url"));
    }
}

/// Gives the path in `let url = format!("{}/the/path", self.baseurl,);`.
fn fixed_path(statement: &Stmt) -> Option<LitStr> {
    let Stmt::Local(local) = statement else {
        return None;
    };
    let Expr::Macro(made) = &*local.init.as_ref()?.expr else {
        return None;
    };
    let (format, rest) = made
        .mac
        .parse_body_with(|input: syn::parse::ParseStream<'_>| {
            let format: LitStr = input.parse()?;
            let rest: proc_macro2::TokenStream = input.parse()?;
            Ok((format, rest.to_string()))
        })
        .ok()?;
    let written = format.value();
    let path = written.strip_prefix("{}")?;
    let is_fixed = made.mac.path.is_ident("format")
        && local_name(statement)? == "url"
        && rest == quote!(, self.baseurl,).to_string()
        && !path.contains(['{', '}']);
    is_fixed.then(|| LitStr::new(path, format.span()))
}

/// Offers each call of the chain that builds the request to be replaced, and tells whether one was.
fn each_link(statements: &mut [Stmt], replace: impl Fn(&ExprMethodCall) -> Option<Expr>) -> bool {
    let mut replaced = false;
    for statement in statements {
        // It begins with an underscore where a parameter has the name.
        if local_name(statement).is_none_or(|name| name.trim_start_matches('_') != "request") {
            continue;
        }
        let Stmt::Local(syn::Local {
            init: Some(init), ..
        }) = statement
        else {
            continue;
        };
        let mut link = &mut *init.expr;
        loop {
            if let Expr::MethodCall(call) = &*link
                && let Some(other) = replace(call)
            {
                *link = other;
                replaced = true;
                break;
            }
            link = match link {
                Expr::MethodCall(call) => &mut call.receiver,
                Expr::Try(tried) => &mut tried.expr,
                _ => break,
            };
        }
    }
    replaced
}

/// Gives the name that a `let` gives.
fn local_name(statement: &Stmt) -> Option<String> {
    match statement {
        Stmt::Local(local) => match &local.pat {
            Pat::Ident(name) => Some(name.ident.to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn is_named(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.path.is_ident(name))
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::generate;

    /// Gives the generated client of one operation on `/a/path`, without blanks.
    fn operation(id: &str, parameters: &[(&str, &str)]) -> String {
        let parameters = parameters.iter().map(|(place, name)| {
            serde_json::json!({
                "in": place, "name": name, "required": true, "schema": {"type": "string"}
            })
        });
        let contract = serde_json::json!({
            "openapi": "3.0.2",
            "info": {"title": "", "version": ""},
            "paths": {"/a/path": {"get": {
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
        let plain = operation("get_it", &[]);
        assert!(!plain.contains("header_map"), "{plain}");
        let other = operation("get_it", &[("header", "x-other")]);
        assert!(other.contains(r#"header_map.append("x-other","#), "{other}");
        assert!(!other.contains("::api_version()"), "{other}");
        let own = operation("get_it", &[("header", "api-version")]);
        assert!(own.contains(r#"header_map.append("api-version","#), "{own}");
        assert!(own.contains(".headers(header_map)"), "{own}");
        assert!(!own.contains("::api_version()"), "{own}");
    }

    #[test]
    fn a_parameter_may_have_the_name_of_what_is_replaced() {
        let request = operation("get_it", &[("query", "request")]);
        assert!(!request.contains("header_map"), "{request}");
        assert!(
            request.contains("letmut_request=crate::request("),
            "{request}"
        );
        let url = operation("get_it", &[("query", "url")]);
        assert!(url.contains("let_url=format!("), "{url}");
        assert!(url.contains(".get(_url)"), "{url}");
    }

    #[test]
    fn an_operation_may_have_the_name_of_what_is_called_instead() {
        let client = operation("request", &[]);
        assert!(
            client.contains("pubasyncfnrequest<'a>(&'aself)"),
            "{client}"
        );
        assert!(
            client.contains(r#"crate::request(self,::reqwest::Method::GET,"/a/path")"#),
            "{client}"
        );
    }
}
