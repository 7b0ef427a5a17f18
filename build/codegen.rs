//! Turns the contract into Rust: the client and the typed httpmock helpers.
//!
//! `build.rs` and `xtask` read the contract and write the result.

#[path = "operations.rs"]
mod operations;

use std::fmt;

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, TypeImpl};
use quote::{ToTokens as _, quote};

/// The Rust source that progenitor generates from one contract.
pub(crate) struct Generated {
    /// The models, the client and its operations.
    pub(crate) client: String,
    /// One typed `When` and `Then` for each operation, for use with httpmock.
    pub(crate) httpmock: String,
}

/// Error of a contract that can't be turned into a client.
#[derive(Debug)]
pub(crate) struct CodegenError(String);

impl fmt::Display for CodegenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CodegenError {}

fn because<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> CodegenError {
    move |error| CodegenError(format!("{what}: {error}"))
}

/// Compiles the text of an OpenAPI 3.0 document.
pub(crate) fn generate(contract: &str) -> Result<Generated, CodegenError> {
    let not_read = "the contract is not OpenAPI 3.0";
    let mut contract: serde_json::Value =
        serde_json::from_str(contract).map_err(because(not_read))?;
    let components = contract.get("components").cloned().unwrap_or_default();
    each_operation(&mut contract, |it| shared_in_place(it, &components));
    each_operation(&mut contract, ask_in_json);
    each_operation(&mut contract, default_is_an_error);
    without_patterns(&mut contract, false);
    let for_mocks: OpenAPI = serde_json::from_value(contract.clone()).map_err(because(not_read))?;
    each_operation(&mut contract, without_bodiless_errors);
    each_operation(&mut contract, without_errors_of_a_range);
    let for_client: OpenAPI = serde_json::from_value(contract).map_err(because(not_read))?;
    let client = Generator::new(&settings()).generate_tokens(&for_client);
    let httpmock = Generator::new(&settings()).httpmock(&for_mocks, "crate");
    Ok(Generated {
        client: print(client.map_err(because("progenitor"))?)?,
        httpmock: print(httpmock.map_err(because("progenitor (httpmock)"))?)?,
    })
}

fn each_operation(
    contract: &mut serde_json::Value,
    mut change: impl FnMut(&mut serde_json::Value),
) {
    let paths = contract.get_mut("paths").and_then(|it| it.as_object_mut());
    let items = paths.into_iter().flatten();
    let operations = items.filter_map(|(_, item)| item.as_object_mut()).flatten();
    operations.for_each(|(_, operation)| change(operation));
}

/// Writes shared bodies and responses where they are used: the next steps look at the content of
/// each.
fn shared_in_place(operation: &mut serde_json::Value, components: &serde_json::Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        in_place(body, components, "requestBodies");
    }
    let responses = operation.get_mut("responses");
    let responses = responses.and_then(|it| it.as_object_mut());
    for (_, response) in responses.into_iter().flatten() {
        in_place(response, components, "responses");
    }
}

fn in_place(part: &mut serde_json::Value, components: &serde_json::Value, section: &str) {
    let shared = components.get(section).and_then(|it| it.as_object());
    // One may refer to another; a circle ends after as many steps as there are.
    for _ in 0..shared.map_or(0, |shared| shared.len()) {
        let reference = part.get("$ref").and_then(|it| it.as_str());
        let name = reference.and_then(|it| it.strip_prefix("#/components/"));
        let name = name.and_then(|it| it.strip_prefix(section)?.strip_prefix('/'));
        let found = name.and_then(|name| shared?.get(name));
        if let Some(found) = found {
            *part = found.clone();
        }
    }
}

/// Removes the other media types of a request that can be JSON: progenitor accepts only one.
fn ask_in_json(operation: &mut serde_json::Value) {
    let content = operation.pointer_mut("/requestBody/content");
    let content = content.and_then(|it| it.as_object_mut());
    if let Some(content) = content.filter(|content| content.contains_key("application/json")) {
        content.retain(|media_type, _| media_type == "application/json");
    }
}

/// Writes `default` as the errors that it stands for.
///
/// progenitor takes it for the successes as well, and panics if their type is another one.
fn default_is_an_error(operation: &mut serde_json::Value) {
    let responses = operation.get_mut("responses");
    let Some(responses) = responses.and_then(|it| it.as_object_mut()) else {
        return;
    };
    if let Some(default) = responses.remove("default") {
        for range in ["4XX", "5XX"] {
            responses.entry(range).or_insert_with(|| default.clone());
        }
    }
}

/// Keywords whose values are data, or maps to data.
const DATA: [&str; 4] = ["default", "discriminator", "enum", "example"];

/// Keywords whose values are maps: there a keyword is a name like any other.
const MAPS: [&str; 6] = [
    "headers",
    "parameters",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
];

/// Removes the patterns of texts: typify would check them with another crate, and a client reads
/// what the service sends.
fn without_patterns(value: &mut serde_json::Value, is_map: bool) {
    match value {
        serde_json::Value::Object(fields) => {
            if !is_map {
                fields.remove("pattern");
            }
            for (key, value) in fields.iter_mut() {
                let is_data = DATA.contains(&key.as_str()) || key.starts_with("x-");
                if is_map || !is_data {
                    without_patterns(value, !is_map && MAPS.contains(&key.as_str()));
                }
            }
        }
        serde_json::Value::Array(items) => {
            items
                .iter_mut()
                .for_each(|item| without_patterns(item, false));
        }
        _ => {}
    }
}

/// Removes the errors without content of an operation that has one with content.
///
/// progenitor panics if the errors of an operation have two types, and no content is a type too. A
/// removed error arrives as an unexpected status. The exchange captures it like every other error.
/// The mocks keep it.
fn without_bodiless_errors(operation: &mut serde_json::Value) {
    let responses = operation.get_mut("responses");
    let Some(responses) = responses.and_then(|it| it.as_object_mut()) else {
        return;
    };
    let is_error = |status: &str| !status.starts_with('2');
    let has_content = |response: &serde_json::Value| response.get("content").is_some();
    let typed = responses
        .iter()
        .any(|(status, response)| is_error(status) && has_content(response));
    if typed {
        responses.retain(|status, response| !is_error(status) || has_content(response));
    }
}

/// Removes the errors whose range is there as well: progenitor asks for the range first, and warns
/// users that it never asks for the others. All errors of an operation have one type, so the client
/// misses nothing. The mocks keep them.
fn without_errors_of_a_range(operation: &mut serde_json::Value) {
    let responses = operation.get_mut("responses");
    let Some(responses) = responses.and_then(|it| it.as_object_mut()) else {
        return;
    };
    for (first, range) in [('4', "4XX"), ('5', "5XX")] {
        if responses.contains_key(range) {
            responses.retain(|status, _| status == range || !status.starts_with(first));
        }
    }
}

/// Formats for which typify would use a type of another crate. They stay texts, so that users of
/// the client choose that crate.
const TEXTS: [&str; 3] = ["date", "date-time", "uuid"];

/// Returns the settings: our own secret type, and the exchange as the client's inner value.
fn settings() -> GenerationSettings {
    let text = |format: &str| schemars08::schema::SchemaObject {
        instance_type: Some(schemars08::schema::InstanceType::String.into()),
        format: Some(format.to_owned()),
        ..Default::default()
    };
    let mut settings = GenerationSettings::new();
    settings
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::Exchange))
        .with_conversion(text("password"), "crate::SecretText", std::iter::empty());
    for format in TEXTS {
        let display = std::iter::once(TypeImpl::Display);
        settings.with_conversion(text(format), "::std::string::String", display);
    }
    settings
}

/// Prints tokens as formatted source, the same for everyone who builds it.
fn print(tokens: TokenStream) -> Result<String, CodegenError> {
    let mut file: syn::File = syn::parse2(tokens).map_err(because("the generated code"))?;
    derive_json_schema(&mut file.items);
    operations::slim(&mut file.items)?;
    Ok(prettyplease::unparse(&file))
}

/// Derives `JsonSchema` for every model if the feature `schemars` is on.
///
/// progenitor's own `with_derive` is unconditional; the golden copy has to serve both settings.
fn derive_json_schema(items: &mut [syn::Item]) {
    for item in items {
        match item {
            syn::Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    derive_json_schema(items);
                }
            }
            syn::Item::Struct(model) if is_model(&model.attrs) => {
                model.attrs.push(json_schema_derive());
                if let syn::Fields::Named(fields) = &mut model.fields {
                    fields.named.iter_mut().for_each(describe_optional);
                }
            }
            syn::Item::Enum(model) if is_model(&model.attrs) => {
                model.attrs.push(json_schema_derive());
            }
            _ => {}
        }
    }
}

fn json_schema_derive() -> syn::Attribute {
    syn::parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))])
}

/// Describes an optional field as one that may be left out, as the contract does; by itself,
/// schemars would also allow null.
fn describe_optional(field: &mut syn::Field) {
    if let syn::Type::Path(path) = &field.ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Option"
        && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
    {
        let inner = arguments.args.to_token_stream().to_string();
        let inner = inner.replace(' ', "");
        field.attrs.push(syn::parse_quote! {
            #[cfg_attr(feature = "schemars", schemars(with = #inner, default))]
        });
    }
}

/// Returns `true` for a type of the contract: progenitor makes each of them serializable.
fn is_model(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive")
            && attribute
                .to_token_stream()
                .to_string()
                .contains("Serialize")
    })
}
