//! Compares the media types of a body. The client sends and reads JSON where it can.

use serde_json::{Value, json};

use super::super::normalise::content::plain;
use super::change::{Direction, Kind};
use super::changes::Sides;
use super::comparer::Comparer;
use crate::document::parts::entries;
use crate::document::pointer::at;

/// The media type that the client sends and accepts.
const JSON: &str = "application/json";

/// A media type: its name, which may be a range, and its schema. Its parameters make it another
/// one, but for the charset.
struct MediaType<'a> {
    name: String,
    value: &'a Value,
    pointer: String,
}

impl MediaType<'_> {
    /// Returns `true` if everything that another one names is named by this one.
    fn covers(&self, other: &Self) -> bool {
        let all_of = self
            .name
            .strip_suffix('*')
            .filter(|start| start.ends_with('/'));
        self.name == other.name
            || self.name == "*/*"
            || all_of.is_some_and(|start| other.name.starts_with(start))
    }
}

pub(super) fn compare<'a>(
    comparer: &mut Comparer<'a>,
    direction: Direction,
    (old, old_pointer): (&'a Value, &str),
    (new, new_pointer): (&'a Value, &str),
) {
    let outer = comparer.changes.direction.replace(direction);
    let (before, after) = (media_types(old, old_pointer), media_types(new, new_pointer));
    let spoken = before.iter().find(|media_type| media_type.name == JSON);
    let spoken = spoken
        .or(before.first())
        .map(|media_type| media_type.name.clone());
    for old in &before {
        // The client uses one, and whatever becomes of the others does not break it.
        comparer.changes.is_unused = spoken.as_ref() != Some(&old.name);
        let same = after.iter().find(|new| new.name == old.name);
        let covering = after.iter().find(|new| new.covers(old) || old.covers(new));
        let Some(new) = same.or(covering) else {
            let others: Vec<_> = after.iter().map(|new| new.name.as_str()).collect();
            let message = format!("{} is now {}", old.name, others.join(" or "));
            let sides = Sides::old(&old.pointer);
            comparer
                .changes
                .breaking(Kind::MediaTypeRemoved, sides, message);
            continue;
        };
        if new.name != old.name {
            // A wider range takes what a narrower one does.
            let fits = match direction {
                Direction::Request => new.covers(old),
                Direction::Reply => old.covers(new),
            };
            let message = format!("{} is now {}", old.name, new.name);
            let sides = Sides::both(&old.pointer, &new.pointer);
            let (changes, kind) = (&mut comparer.changes, Kind::MediaTypeChanged);
            match fits {
                true => changes.compatible(kind, sides, message),
                false => changes.breaking(kind, sides, message),
            }
        }
        let schema = |media_type: &MediaType<'a>| {
            (
                media_type.value.get("schema"),
                at(&media_type.pointer, "schema"),
            )
        };
        comparer.schemas(direction, schema(old), schema(new));
    }
    comparer.changes.is_unused = false;
    for new in &after {
        if !before.iter().any(|old| old.covers(new) || new.covers(old)) {
            let message = format!("{} is possible", new.name);
            let sides = Sides::new(&new.pointer);
            comparer
                .changes
                .compatible(Kind::MediaTypeAdded, sides, message);
        }
    }
    comparer.changes.direction = outer;
}

fn media_types<'a>(value: &'a Value, pointer: &str) -> Vec<MediaType<'a>> {
    let pointer = at(pointer, "content");
    let media_types = entries(value.get("content")).map(|(key, value)| MediaType {
        name: plain(key),
        value,
        pointer: at(&pointer, key),
    });
    media_types.collect()
}

/// Returns how a parameter or header is serialized: as a media type, or in a style with its
/// defaults.
pub(super) fn serialization(value: &Value) -> Value {
    if let Some((key, _)) = entries(value.get("content")).next() {
        return json!(plain(key));
    }
    // A header of a response says no place, and is written as one of a request.
    let location = value.get("in").and_then(Value::as_str).unwrap_or_default();
    let form = ["query", "cookie"].contains(&location);
    let style = value.get("style").and_then(Value::as_str);
    let style = style.unwrap_or(if form { "form" } else { "simple" });
    let explode = value
        .get("explode")
        .and_then(Value::as_bool)
        .unwrap_or(style == "form");
    json!([style, explode, value.get("allowReserved")])
}

/// Returns the schema of a parameter or header, which may stand below a media type.
pub(super) fn schema_of<'a>(value: &'a Value, pointer: &str) -> (Option<&'a Value>, String) {
    match entries(value.get("content")).next() {
        Some((key, media_type)) => {
            let pointer = at(&at(pointer, "content"), key);
            (media_type.get("schema"), at(&pointer, "schema"))
        }
        None => (value.get("schema"), at(pointer, "schema")),
    }
}
