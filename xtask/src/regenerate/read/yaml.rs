//! Parses YAML 1.2 text to a JSON value: the core schema, one document, bounded aliases. What JSON
//! can't represent (keys that are not strings, custom tags, infinity) is refused.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::super::refusal::{Refusal, Stage};
use super::limits::DEPTH_LIMIT;
use crate::document::pointer::at;

/// The most that aliases of YAML may add to a document, counted in values and in bytes of text.
///
/// A document written by hand repeats a few thousand lines in this way. The limit stops a "billion
/// laughs" document at some hundred megabytes of memory.
const ALIAS_LIMIT: usize = 1024 * 1024;

/// The merge key of YAML 1.1, which 1.2 does not have.
const MERGE: &str = "<<";

pub(super) fn parse(text: &str) -> Result<Value, Refusal> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let result = match event {
            Ok((event, span)) => loader.event(event, &span.start),
            Err(error) => Err(placed(error.info(), error.marker())),
        };
        result.map_err(|message| Refusal::new(Stage::Read, loader.pointer(), message))?;
    }
    loader
        .root
        .ok_or_else(|| Refusal::new(Stage::Read, "", "the document is empty"))
}

fn placed(message: &str, place: &Marker) -> String {
    let (line, column) = (place.line(), place.col() + 1);
    format!("the YAML is broken: {message} at line {line} column {column}")
}

/// A collection that is still open.
struct Open {
    anchor: usize,
    content: Content,
    size: Size,
}

enum Content {
    List(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}

/// The size of a value: values and bytes together, and levels.
#[derive(Clone, Copy, Default)]
struct Size {
    weight: usize,
    depth: usize,
}

#[derive(Default)]
struct Loader {
    root: Option<Value>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, Size)>,
    /// What aliases have added so far.
    added: usize,
}

impl Loader {
    fn event(&mut self, event: Event<'_>, place: &Marker) -> Result<(), String> {
        let result = match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("there is a second document".to_owned())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref())
            }
            Event::Alias(anchor) => self.alias(anchor),
            Event::SequenceStart(anchor, tag) => core_tag(tag.as_deref(), "seq")
                .and_then(|()| self.start(anchor, Content::List(Vec::new()))),
            Event::MappingStart(anchor, tag) => core_tag(tag.as_deref(), "map")
                .and_then(|()| self.start(anchor, Content::Mapping(Map::new(), None))),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => Ok(()),
        };
        result.map_err(|message| placed(&message, place))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), String> {
        // A key is always a string: the status code `200` is not a number.
        let value = if self.wants_key() {
            Value::from(text)
        } else {
            resolved(text, style, tag)?
        };
        let size = Size {
            weight: 1 + text.len(),
            depth: 0,
        };
        self.add(value, size, anchor)
    }

    fn alias(&mut self, anchor: usize) -> Result<(), String> {
        let Some((value, size)) = self.anchors.get(&anchor) else {
            return Err("an alias stands inside of what it names".to_owned());
        };
        let size = *size;
        self.added = self.added.saturating_add(size.weight);
        if self.added > ALIAS_LIMIT {
            return Err("aliases make the document longer than may be".to_owned());
        }
        if self.open.len() + size.depth > DEPTH_LIMIT {
            return Err(format!("nested deeper than {DEPTH_LIMIT} levels"));
        }
        let value = value.clone();
        self.add(value, size, 0)
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                content: Content::Mapping(_, None),
                ..
            })
        )
    }

    fn start(&mut self, anchor: usize, content: Content) -> Result<(), String> {
        if self.wants_key() {
            return Err("a key must be a text".to_owned());
        }
        if self.open.len() >= DEPTH_LIMIT {
            return Err(format!("nested deeper than {DEPTH_LIMIT} levels"));
        }
        self.open.push(Open {
            anchor,
            content,
            size: Size::default(),
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(closed) = self.open.pop() else {
            return Ok(());
        };
        let value = match closed.content {
            Content::List(items) => Value::Array(items),
            Content::Mapping(entries, _) => Value::Object(entries),
        };
        let size = Size {
            weight: closed.size.weight + 1,
            depth: closed.size.depth + 1,
        };
        self.add(value, size, closed.anchor)
    }

    /// Adds a value to the collection that is open.
    fn add(&mut self, value: Value, size: Size, anchor: usize) -> Result<(), String> {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
            // An anchored text is copied even if nothing refers to it.
            self.added = self.added.saturating_add(size.weight);
            if self.added > ALIAS_LIMIT {
                return Err("anchors make the document longer than may be".to_owned());
            }
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        open.size.weight += size.weight;
        open.size.depth = open.size.depth.max(size.depth);
        match &mut open.content {
            Content::List(items) => items.push(value),
            Content::Mapping(entries, key) => match (key.take(), value) {
                (Some(taken), value) => {
                    entries.insert(taken, value);
                }
                (None, Value::String(name)) => {
                    if name == MERGE {
                        return Err("the merge key << is of YAML 1.1; write it out".to_owned());
                    }
                    if entries.contains_key(&name) {
                        return Err(format!("the key {name:?} is there twice"));
                    }
                    *key = Some(name);
                }
                (None, _) => return Err("a key must be a text".to_owned()),
            },
        }
        Ok(())
    }

    /// Returns the pointer of the current place.
    fn pointer(&self) -> String {
        self.open
            .iter()
            .fold(String::new(), |pointer, open| match &open.content {
                Content::List(items) => at(&pointer, &items.len().to_string()),
                Content::Mapping(_, Some(key)) => at(&pointer, key),
                Content::Mapping(_, None) => pointer,
            })
    }
}

/// Refuses a tag that is not the one of the core schema.
fn core_tag(tag: Option<&Tag>, expected: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => {
            Err(format!("the tag {}{} is not known", tag.handle, tag.suffix))
        }
        _ => Ok(()),
    }
}

/// Resolves the type of a scalar.
fn resolved(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    if let Some(tag) = tag {
        let known = tag.is_yaml_core_schema();
        let value = plain(text)?;
        return match (known, tag.suffix.as_str()) {
            (true, "str") => Ok(text.into()),
            (true, "int") if value.is_i64() || value.is_u64() => Ok(value),
            (true, "float") if value.is_number() => Ok(value),
            (true, "bool") if value.is_boolean() => Ok(value),
            (true, "null") if value.is_null() => Ok(value),
            _ => Err(format!(
                "the tag {}{} does not fit here",
                tag.handle, tag.suffix
            )),
        };
    }
    match style {
        ScalarStyle::Plain => plain(text),
        _ => Ok(text.into()),
    }
}

/// Resolves a plain scalar by the core schema of YAML 1.2.
fn plain(text: &str) -> Result<Value, String> {
    let number = |digits: &str, radix| {
        u64::from_str_radix(digits, radix)
            .map(Value::from)
            .map_err(|_| format!("the number {text} is too large"))
    };
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Err("JSON has no .nan".to_owned()),
        _ => {
            let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
            let whole = text.parse::<i64>().map(Value::from);
            let whole = whole.or_else(|_| text.parse::<u64>().map(Value::from)).ok();
            let all_digits = |digits: &str| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            };
            if let Some(hex) = text.strip_prefix("0x").filter(|hex| is_radix(hex, 16)) {
                number(hex, 16)?
            } else if let Some(octal) = text.strip_prefix("0o").filter(|octal| is_radix(octal, 8)) {
                number(octal, 8)?
            } else if let Some(whole) = whole.filter(|_| all_digits(unsigned)) {
                whole
            } else if is_float(unsigned) {
                let float = text.parse::<f64>().ok().and_then(Number::from_f64);
                Value::Number(float.ok_or_else(|| format!("the number {text} is too large"))?)
            } else if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
                return Err("JSON has no .inf".to_owned());
            } else {
                text.into()
            }
        }
    })
}

fn is_radix(digits: &str, radix: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
}

/// Returns `true` if a text is a float of the core schema, its sign aside.
fn is_float(text: &str) -> bool {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction) && exponent
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
