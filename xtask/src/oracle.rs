//! Tries the comparison on random pairs of schemas. `jsonschema` judges random values on both
//! sides: a value that a client would have to read or send, and that the other side does not
//! allow, must have been told as breaking.

use std::io::{self, Write};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::document::parts::OPERATIONS;
use crate::regenerate::compare::{Class, Direction, compare};
use crate::regenerate::pipeline::{Goal, prepare_value};
use crate::workspace;

mod pick;
mod reading;
mod schemas;
mod values;

use pick::put;
use reading::{is_sent, without_optional_nulls};
use schemas::{Dialect, Schemas, edited};
use values::Values;

/// Values that are tried for one pair and one direction.
///
/// Few enough for thousands of pairs in a minute; the constants of both schemas and their
/// neighbours come first.
const VALUES: usize = 150;

/// The field that has the schema of a pair, in a request and in a reply.
const FIELD: &str = "value";

/// The overlay of a comparison: what is corrected upstream does not matter here.
const NO_OVERLAY: &str = r#"{"overlay": "1.0.0", "info": {"title": "None", "version": "1"}, "actions": [
    {"target": "$.nothing", "remove": true}
]}"#;

/// Options of [`run`].
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many pairs to try.
    pub pairs: u32,
    /// The seed of everything that is random.
    pub seed: u64,
    /// Whether schemas may have `oneOf`.
    pub one_of: bool,
}

/// What came of the pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Pairs that the earlier stages refused.
    pub refused: u32,
    /// Verdicts: one for each pair and direction.
    pub verdicts: u32,
    /// Verdicts that were breaking.
    pub breaking: u32,
    /// Those for which a value was found that breaks a client.
    pub witnessed: u32,
    /// Pairs with a value that breaks a client, and no breaking verdict.
    pub unsound: Vec<String>,
}

/// Tries pairs, prints what came of them, and returns `true` if every verdict was sound.
///
/// # Errors
///
/// The output can't be written.
pub fn run(options: &Options, output: &mut dyn Write) -> io::Result<bool> {
    let outcome = outcome(options);
    for unsound in &outcome.unsound {
        writeln!(output, "unsound   {unsound}")?;
    }
    let Outcome {
        refused,
        verdicts,
        breaking,
        witnessed,
        ..
    } = outcome;
    writeln!(
        output,
        "{verdicts} verdicts on {} pairs ({refused} were refused): {breaking} breaking, {witnessed} \
         of them with a value that breaks a client; {} unsound",
        options.pairs,
        outcome.unsound.len()
    )?;
    Ok(outcome.unsound.is_empty())
}

/// Tries pairs.
#[must_use]
pub fn outcome(options: &Options) -> Outcome {
    let mut random = Rng::with_seed(options.seed);
    let contract = workspace::read(&workspace::root().join(workspace::CONTRACT));
    let contract = contract
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    let contract: Value = contract.unwrap_or_default();
    let mut outcome = Outcome::default();
    for number in 0..options.pairs {
        let dialect = match random.bool() {
            true => Dialect::Newer,
            false => Dialect::Older,
        };
        let old = Schemas::random(&mut random, dialect, options.one_of);
        let new = edited(&old, &mut random);
        let told = match told(&contract, &old, &new) {
            Some(told) => told,
            None => {
                outcome.refused += 1;
                continue;
            }
        };
        for (direction, breaks) in told {
            outcome.verdicts += 1;
            outcome.breaking += u32::from(breaks);
            let Some(value) = witness(&old, &new, direction, &mut random) else {
                continue;
            };
            outcome.witnessed += u32::from(breaks);
            if !breaks {
                let pair = format!(
                    "{number} {direction:?}: {value} of {} to {}",
                    old.shown(),
                    new.shown()
                );
                outcome.unsound.push(pair);
            }
        }
    }
    outcome
}

/// Returns for each direction whether the comparison tells of a breaking change.
fn told(contract: &Value, old: &Schemas, new: &Schemas) -> Option<[(Direction, bool); 2]> {
    let side = |schemas: &Schemas| {
        let document = document(contract, schemas)?;
        prepare_value(document, NO_OVERLAY, Goal::Side(&[])).ok()
    };
    let comparison = compare(&side(old)?.document, &side(new)?.document);
    let told = [Direction::Request, Direction::Reply].map(|direction| {
        let breaks = comparison
            .changes
            .iter()
            .any(|change| change.direction == Some(direction) && change.class == Class::Breaking);
        (direction, breaks)
    });
    Some(told)
}

/// Returns the contract with schemas in a request and in a reply.
fn document(contract: &Value, schemas: &Schemas) -> Option<Value> {
    let mut document = contract.clone();
    *document.get_mut("openapi")? = json!(schemas.dialect.version());
    let components = document
        .pointer_mut("/components/schemas")?
        .as_object_mut()?;
    components.extend(schemas.shared.clone());
    let holder = json!({
        "type": "object",
        "properties": {FIELD: schemas.schema},
        "required": [FIELD]
    });
    let [login, get, ..] = OPERATIONS;
    let content = json!({"application/json": {"schema": holder}});
    for (_, item) in document.get_mut("paths")?.as_object_mut()? {
        for (_, operation) in item.as_object_mut()? {
            let id = operation.get("operationId").cloned().unwrap_or_default();
            if id == login {
                put(
                    operation,
                    "requestBody",
                    json!({"required": true, "content": content}),
                );
            }
            if id == get {
                put(
                    operation.pointer_mut("/responses/200")?,
                    "content",
                    content.clone(),
                );
            }
        }
    }
    Some(document)
}

/// Looks for a value that breaks a client: a new one of a reply that it can't read, or an old one
/// of a request that is no longer taken.
fn witness(old: &Schemas, new: &Schemas, direction: Direction, random: &mut Rng) -> Option<Value> {
    let validators = (old.validator()?, new.validator()?);
    let source = match direction {
        Direction::Request => old,
        Direction::Reply => new,
    };
    let mut values = Values::new(&[old, new], source);
    (0..VALUES).find_map(|_| {
        let value = values.next(random, direction);
        // To the client, null in a field that may be missing is as good as missing.
        let plain = without_optional_nulls(old, &value);
        match direction {
            Direction::Reply => {
                let breaks = validators.1.is_valid(&value)
                    && !validators.0.is_valid(&value)
                    && !plain.iter().any(|plain| validators.0.is_valid(plain));
                breaks.then_some(value)
            }
            Direction::Request => {
                let [plain, ..] = plain;
                let breaks = validators.0.is_valid(&plain)
                    && !validators.1.is_valid(&plain)
                    && is_sent(old, &plain);
                breaks.then_some(plain)
            }
        }
    })
}
