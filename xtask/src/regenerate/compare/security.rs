//! Compares the required authentication by what the schemes are, not by their names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::change::Kind;
use super::changes::{Changes, Pair, Sides};
use crate::canonical;
use crate::document::parts::{NEEDS, Operation, entries};
use crate::document::pointer::{at, to_component};
use crate::document::reference::follow;

/// A way to authenticate: each scheme as canonical text, and the scopes it requires.
type Way = BTreeMap<String, BTreeSet<String>>;

/// Fields of a scheme that are for people only.
const SAID_TO_PEOPLE: [&str; 2] = ["bearerFormat", "description"];

pub(super) fn compare(
    pair: &Pair<'_>,
    old: &Operation<'_>,
    new: &Operation<'_>,
    changes: &mut Changes,
) {
    let (before, after) = (ways(pair.old, old), ways(pair.new, new));
    if before == after {
        return;
    }
    // A client keeps its access if nothing more is required of it.
    let still_open = |way: &Way| after.iter().any(|other| asks_no_more(other, way));
    let sides = Sides::both(&at(&old.pointer, "security"), &at(&new.pointer, "security"));
    let value = |operation: &Operation<'_>| operation.value.get("security").cloned();
    let sides = sides.with(value(old), value(new));
    let message = format!(
        "{} was asked for, and now {}",
        words(&before),
        words(&after)
    );
    if taken(&before, old.id).into_iter().all(still_open) {
        changes.compatible(Kind::SecurityChanged, sides, message);
    } else {
        changes.breaking(Kind::SecurityChanged, sides, message);
    }
}

/// Returns the ways that the client takes: with its bearer token, or with nothing if it shows none
/// to the operation. If it has no such way, it may take any.
fn taken<'w>(ways: &'w BTreeSet<Way>, id: &str) -> Vec<&'w Way> {
    let shows_bearer = NEEDS.iter().any(|need| need.id == id && need.bearer);
    let fits = |way: &&Way| match shows_bearer {
        true => way.len() == 1 && way.keys().all(|scheme| is_bearer(scheme)),
        false => way.is_empty(),
    };
    let taken: Vec<_> = ways.iter().filter(fits).collect();
    match taken.is_empty() {
        true => ways.iter().collect(),
        false => taken,
    }
}

fn is_bearer(scheme: &str) -> bool {
    let scheme: Value = serde_json::from_str(scheme).unwrap_or_default();
    scheme.get("type") == Some(&json!("http")) && scheme.get("scheme") == Some(&json!("bearer"))
}

fn asks_no_more(new: &Way, old: &Way) -> bool {
    new.iter()
        .all(|(scheme, scopes)| old.get(scheme).is_some_and(|held| scopes.is_subset(held)))
}

fn ways(document: &Value, operation: &Operation<'_>) -> BTreeSet<Way> {
    let alternatives = operation.value.get("security").and_then(Value::as_array);
    let ways: BTreeSet<Way> = alternatives
        .into_iter()
        .flatten()
        .map(|alternative| {
            let schemes = entries(Some(alternative)).map(|(name, scopes)| {
                let scopes = scopes.as_array().into_iter().flatten();
                let scopes = scopes
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect();
                (scheme(document, name), scopes)
            });
            schemes.collect()
        })
        .collect();
    if ways.is_empty() {
        return BTreeSet::from([Way::new()]);
    }
    ways
}

/// The scheme in one line: equal for what is equal on the wire.
fn scheme(document: &Value, name: &str) -> String {
    let target = to_component("securitySchemes", name);
    let nothing = json!({});
    let scheme = document.pointer(&target).unwrap_or(&nothing);
    let (scheme, _) = follow(document, scheme, target);
    let mut plain = Map::new();
    for (key, value) in entries(Some(scheme)) {
        if !SAID_TO_PEOPLE.contains(&key.as_str()) && !key.starts_with("x-") {
            // Names of headers and of HTTP schemes are case-insensitive.
            let lower = value.as_str().filter(|_| key == "scheme" || key == "name");
            let lower = lower.map(|text| json!(text.to_lowercase()));
            let mut value = lower.unwrap_or_else(|| value.clone());
            without_scopes(&mut value);
            plain.insert(key.clone(), value);
        }
    }
    canonical::sorted(&Value::Object(plain)).to_string()
}

/// Removes the scopes that a scheme has: an operation says itself which ones it asks for.
fn without_scopes(flows: &mut Value) {
    let flows = flows.as_object_mut().into_iter().flatten();
    for flow in flows.filter_map(|(_, flow)| flow.as_object_mut()) {
        flow.remove("scopes");
    }
}

fn words(ways: &BTreeSet<Way>) -> String {
    let way = |way: &Way| {
        let schemes = way.iter().map(|(scheme, scopes)| {
            let scheme: Value = serde_json::from_str(scheme).unwrap_or_default();
            let word = |key: &str| scheme.get(key).and_then(Value::as_str);
            let kind = word("type").unwrap_or("something");
            let detail = word("scheme").or_else(|| word("name")).unwrap_or_default();
            let scopes = scopes
                .iter()
                .map(|scope| format!(" {scope}"))
                .collect::<String>();
            format!("{kind} {detail}{scopes}").trim_end().to_owned()
        });
        let schemes: Vec<_> = schemes.collect();
        if schemes.is_empty() {
            "nothing".to_owned()
        } else {
            schemes.join(" with ")
        }
    };
    ways.iter().map(way).collect::<Vec<_>>().join(" or ")
}
