//! Compares the headers of a response. Removing a header breaks a client only if the header was
//! required.

use serde_json::Value;

use super::change::{Class, Direction, Kind};
use super::changes::Sides;
use super::comparer::Comparer;
use super::content::{schema_of, serialization};
use crate::document::parts::entries;
use crate::document::pointer::at;
use crate::document::reference::follow;

/// The header of a response that OpenAPI says to ignore: the media types say it.
const IGNORED: &str = "content-type";

/// A header: its name in lower case, and what is said of it.
struct Header<'a> {
    key: String,
    name: &'a str,
    value: &'a Value,
    pointer: String,
}

impl Header<'_> {
    fn is_required(&self) -> bool {
        self.value.get("required") == Some(&Value::Bool(true))
    }
}

pub(super) fn compare<'a>(
    comparer: &mut Comparer<'a>,
    (old, old_pointer): (&'a Value, &str),
    (new, new_pointer): (&'a Value, &str),
) {
    let before = list(comparer.pair.old, old, old_pointer);
    let after = list(comparer.pair.new, new, new_pointer);
    for old in &before {
        match after.iter().find(|new| new.key == old.key) {
            Some(new) => one(comparer, old, new),
            None => {
                let class = match old.is_required() {
                    true => Class::Breaking,
                    false => Class::Compatible,
                };
                let message = format!("the header {} is no longer documented", old.name);
                let sides = Sides::old(&old.pointer);
                comparer
                    .changes
                    .add(Kind::HeaderChanged, class, sides, message);
            }
        }
    }
    for new in &after {
        if !before.iter().any(|old| old.key == new.key) {
            let message = format!("the header {} is documented", new.name);
            let sides = Sides::new(&new.pointer);
            comparer
                .changes
                .compatible(Kind::HeaderChanged, sides, message);
        }
    }
}

fn list<'a>(document: &'a Value, response: &'a Value, pointer: &str) -> Vec<Header<'a>> {
    let pointer = at(pointer, "headers");
    let headers = entries(response.get("headers")).map(|(name, header)| {
        let (value, pointer) = follow(document, header, at(&pointer, name));
        Header {
            key: name.to_lowercase(),
            name,
            value,
            pointer,
        }
    });
    headers.filter(|header| header.key != IGNORED).collect()
}

fn one<'a>(comparer: &mut Comparer<'a>, old: &Header<'a>, new: &Header<'a>) {
    let sides = Sides::both(&old.pointer, &new.pointer);
    match (old.is_required(), new.is_required()) {
        (true, false) => {
            let message = format!("the header {} may now be left out", new.name);
            comparer
                .changes
                .breaking(Kind::HeaderChanged, sides, message);
        }
        (false, true) => {
            let message = format!("the header {} is always there now", new.name);
            comparer
                .changes
                .compatible(Kind::HeaderChanged, sides, message);
        }
        _ => {}
    }
    let (before, after) = (serialization(old.value), serialization(new.value));
    if before != after {
        let message = format!("the header {} is written in another way", new.name);
        let sides = Sides::both(&old.pointer, &new.pointer).with(Some(before), Some(after));
        comparer
            .changes
            .breaking(Kind::HeaderChanged, sides, message);
    }
    let schema = |header: &Header<'a>| schema_of(header.value, &header.pointer);
    comparer.schemas(Direction::Reply, schema(old), schema(new));
}
