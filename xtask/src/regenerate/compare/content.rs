//! Compares the media types of a body. The client sends and reads JSON where it can.

use serde_json::Value;

use super::change::{Class, Direction, Kind};
use super::changes::Sides;
use super::comparer::Comparer;
use crate::document::parts::entries;
use crate::document::pointer::at;

/// The media type that the client sends and accepts.
const JSON: &str = "application/json";

/// A media type: its name without parameters, which may be a range, and its schema.
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
        let same = after.iter().find(|new| new.name == old.name);
        let covering = after.iter().find(|new| new.covers(old) || old.covers(new));
        let Some(new) = same.or(covering) else {
            let others: Vec<_> = after.iter().map(|new| new.name.as_str()).collect();
            let message = format!("{} is now {}", old.name, others.join(" or "));
            let class = class(spoken.as_ref() == Some(&old.name));
            let sides = Sides::old(&old.pointer);
            comparer
                .changes
                .add(Kind::MediaTypeRemoved, class, sides, message);
            continue;
        };
        if new.name != old.name {
            // A wider range takes what a narrower one does.
            let fits = match direction {
                Direction::Request => new.covers(old),
                Direction::Reply => old.covers(new),
            };
            let class = class(!fits && spoken.as_ref() == Some(&old.name));
            let message = format!("{} is now {}", old.name, new.name);
            let sides = Sides::both(&old.pointer, &new.pointer);
            comparer
                .changes
                .add(Kind::MediaTypeChanged, class, sides, message);
        }
        let schema = |media_type: &MediaType<'a>| {
            (
                media_type.value.get("schema"),
                at(&media_type.pointer, "schema"),
            )
        };
        comparer.schemas(direction, schema(old), schema(new));
    }
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

fn class(breaks: bool) -> Class {
    match breaks {
        true => Class::Breaking,
        false => Class::Compatible,
    }
}

fn media_types<'a>(value: &'a Value, pointer: &str) -> Vec<MediaType<'a>> {
    let pointer = at(pointer, "content");
    let media_types = entries(value.get("content")).map(|(key, value)| MediaType {
        name: essence(key),
        value,
        pointer: at(&pointer, key),
    });
    media_types.collect()
}

/// Returns a media type without its parameters.
fn essence(key: &str) -> String {
    key.split(';').next().unwrap_or(key).trim().to_lowercase()
}

/// Returns the media type of a parameter or header that has one.
pub(super) fn media_type_of(value: &Value) -> Option<String> {
    let (key, _) = entries(value.get("content")).next()?;
    Some(essence(key))
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
