//! Damages real documents at random and takes them through every stage: each is accepted, and its
//! client is Rust, or it is refused with a place. Nobody panics.

use std::fs;
use std::io;
use std::path::Path;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::document::pointer::{at, unescaped};
use crate::golden::{Generated, quietly};
use crate::regenerate::compare::compare;
use crate::regenerate::generate::generate;
use crate::regenerate::pipeline::{Goal, prepare};
use crate::regenerate::refusal::{Refusal, Stage};
use crate::regenerate::select::{Missing, homes, select};
use crate::workspace::{CONTRACT, OVERLAY, read};

/// The documents of a whole service, of which only the five operations are damaged.
const SERVICES: [&str; 2] = [
    "xtask/tests/data/fastapi-3.0.2.json",
    "xtask/tests/data/fastapi-3.1.0.json",
];

/// The documents of the five operations alone, as several emitters write them.
pub const EMITTERS: &str = "xtask/tests/data/emitters";

/// The most changes of one document. One finds most faults; more reach what one change makes
/// possible, such as a reference to a place that another one made.
const CHANGES: usize = 3;

/// Keywords to insert anywhere: those that the stages and the generator look at.
const KEYWORDS: [&str; 42] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "const",
    "content",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "enum",
    "example",
    "examples",
    "exclusiveMinimum",
    "format",
    "headers",
    "in",
    "items",
    "maximum",
    "maxItems",
    "maxLength",
    "minimum",
    "minLength",
    "minProperties",
    "name",
    "nullable",
    "operationId",
    "parameters",
    "pattern",
    "properties",
    "readOnly",
    "required",
    "schema",
    "security",
    "servers",
    "style",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// What came of one damaged document.
pub struct Tried {
    /// The number of the document.
    pub number: u32,
    /// What was done to which document.
    pub name: String,
    /// The damaged document.
    pub document: Value,
    /// Its client and its contract, or why it is refused.
    pub made: Result<(Generated, Value), Refusal>,
    /// What should never happen.
    pub fault: Option<String>,
}

/// Takes damaged documents through every stage, one after the other.
///
/// # Errors
///
/// A document can't be read.
pub fn tried(root: &Path, number: u32, seed: u64) -> io::Result<impl Iterator<Item = Tried>> {
    let documents = documents(root)?;
    let overlay = read(&root.join(OVERLAY))?;
    let contract = parsed(&root.join(CONTRACT))?;
    let mut random = Rng::with_seed(seed);
    Ok((0..number).filter_map(move |number| {
        let (file, document) = random.choice(&documents)?;
        let mut document = document.clone();
        let mut name = format!("{number} of {file}");
        for _ in 0..random.usize(1..=CHANGES) {
            name += &format!(", {}", damage(&mut document, &mut random));
        }
        Some(take(number, name, document, &overlay, &contract))
    }))
}

/// Takes one document through the stages.
fn take(number: u32, name: String, document: Value, overlay: &str, contract: &Value) -> Tried {
    let text = document.to_string();
    let homes = homes(contract);
    let staged = quietly(|| {
        let prepared = prepare(text.as_bytes(), overlay, Goal::Contract(&homes))?;
        let generated = generate(&prepared.document)?;
        Ok((generated, prepared.document))
    });
    let compared = quietly(|| {
        if let Ok(side) = prepare(text.as_bytes(), overlay, Goal::Side(&homes)) {
            let _ = compare(contract, &side.document);
            let _ = compare(&side.document, contract);
        }
    });
    let fault = match (&staged, compared) {
        (Err(()), _) => Some("a stage panics".to_owned()),
        (_, Err(())) => Some("the comparison panics".to_owned()),
        // Only that of the whole document has no place.
        (Ok(Err(refusal)), _) if document.is_object() => placeless(refusal),
        (Ok(Err(_)), _) => None,
        (Ok(Ok((generated, _))), _) => {
            let files = [&generated.client, &generated.httpmock];
            let unread = files.into_iter().any(|code| syn::parse_file(code).is_err());
            unread.then(|| "the generated code is no Rust".to_owned())
        }
    };
    let panicked = |()| Err(Refusal::new(Stage::Read, "", "a stage panicked"));
    let made = staged.unwrap_or_else(panicked);
    Tried {
        number,
        name,
        document,
        made,
        fault,
    }
}

/// Returns a refusal without a place.
fn placeless(refusal: &Refusal) -> Option<String> {
    let mut problems = refusal.problems.iter();
    let without = problems.any(|problem| problem.pointer.is_empty());
    without.then(|| format!("no place: {refusal}"))
}

/// Reads the documents by name, those of a whole service without what is not ours.
fn documents(root: &Path) -> io::Result<Vec<(String, Value)>> {
    let mut documents = documents_of(&root.join(EMITTERS))?;
    for file in SERVICES.into_iter().chain([CONTRACT]) {
        documents.push((file.to_owned(), parsed(&root.join(file))?));
    }
    for (_, document) in &mut documents {
        *document = select(document, &[], Missing::Refused).map_err(io::Error::other)?;
    }
    Ok(documents)
}

/// Reads the documents of a folder by name, in order.
pub(crate) fn documents_of(folder: &Path) -> io::Result<Vec<(String, Value)>> {
    let mut documents = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            documents.push((name.into_owned(), parsed(&file)?));
        }
    }
    documents.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(documents)
}

fn parsed(path: &Path) -> io::Result<Value> {
    serde_json::from_str(&read(path)?).map_err(io::Error::other)
}

/// Makes one change, and says what it was.
fn damage(document: &mut Value, random: &mut Rng) -> String {
    let mut pointers = Vec::new();
    places(document, String::new(), &mut pointers);
    let pointer = random.choice(&pointers).cloned().unwrap_or_default();
    let other = random.choice(&pointers).cloned().unwrap_or_default();
    let copied = document.pointer(&other).cloned().unwrap_or_default();
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    let key = unescaped(key);
    match random.u8(0..8) {
        0 => {
            let _: Option<Value> = removed(document, parent, &key);
            format!("without {pointer}")
        }
        1 => {
            put(document, &pointer, copied);
            format!("{other} at {pointer}")
        }
        2 => {
            let name = name(&other, random);
            if let Some(value) = removed(document, parent, &key) {
                put(document, &at(parent, &name), value);
            }
            format!("{pointer} is named {name:?}")
        }
        3 => {
            let name = name(&other, random);
            put(document, &at(parent, &name), copied);
            format!("{other} as {name:?} beside {pointer}")
        }
        4 => {
            let keyword = random.choice(KEYWORDS).unwrap_or_default();
            let value = if random.bool() { copied } else { junk(random) };
            let shown = value.to_string();
            put(document, &at(&pointer, keyword), value);
            format!("{keyword}: {shown} in {pointer}")
        }
        5 => {
            // To itself, to something around it, or to anything.
            let around = pointer.match_indices('/').map(|(end, _)| end);
            let around = random
                .choice(around.collect::<Vec<_>>())
                .unwrap_or_default();
            let around = pointer.get(..around).unwrap_or_default();
            let places = [pointer.as_str(), around, other.as_str()];
            let to = random.choice(places).unwrap_or_default();
            let reference = json!({"$ref": format!("#{to}")});
            put(document, &pointer, reference);
            format!("{pointer} refers to {to}")
        }
        _ => {
            let value = junk(random);
            let shown = value.to_string();
            put(document, &pointer, value);
            format!("{shown} at {pointer}")
        }
    }
}

/// Lists the places of a document.
fn places(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let children = fields.iter();
            children.for_each(|(key, value)| places(value, at(&pointer, key), found));
        }
        Value::Array(items) => {
            let children = items.iter().enumerate();
            children
                .for_each(|(index, value)| places(value, at(&pointer, &index.to_string()), found));
        }
        _ => {}
    }
    found.push(pointer);
}

/// Returns another name: one that the document has, a keyword, or one that nobody expects.
fn name(other: &str, random: &mut Rng) -> String {
    let known = other.rsplit('/').next().unwrap_or_default();
    let keyword = random.choice(KEYWORDS).unwrap_or_default();
    let names = [
        known, known, keyword, "", "~/", "self", "Ω", "a b", "default", "2XX", "200", "x-a",
    ];
    random.choice(names).unwrap_or_default().to_owned()
}

/// Returns a value that is seldom where it should be.
fn junk(random: &mut Rng) -> Value {
    let deep = (0..random.u8(1..90)).fold(json!({}), |inner, _| json!({"items": inner}));
    let values = [
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("a"),
        json!("string"),
        json!("array"),
        json!("object"),
        json!("integer"),
        json!("(("),
        json!([]),
        json!([null]),
        json!(["a", "a"]),
        json!({}),
        json!({"": {}}),
        json!({"type": "integer", "maximum": u64::MAX}),
        json!({"type": "null"}),
        json!({"type": ["string", "null"]}),
        json!({"enum": [1, "a", null]}),
        json!({"type": "array"}),
        json!({"type": "object", "additionalProperties": false}),
        json!({"$ref": "#"}),
        json!({"$ref": "#/components/schemas/Token"}),
        json!({"$ref": "other.json#/a"}),
        json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
        json!({"oneOf": []}),
        json!({"anyOf": [{}, {}]}),
        json!({"not": {}}),
        deep,
    ];
    random.choice(values).unwrap_or_default()
}

fn removed(document: &mut Value, parent: &str, key: &str) -> Option<Value> {
    match document.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(key),
        Value::Array(items) => {
            let index = key.parse().ok().filter(|index| *index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

/// Puts a value at a place, in the stead of what is there.
fn put(document: &mut Value, pointer: &str, value: Value) {
    if let Some(found) = document.pointer_mut(pointer) {
        *found = value;
        return;
    }
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(unescaped(key), value);
        }
        Some(Value::Array(items)) => items.push(value),
        _ => {}
    }
}
