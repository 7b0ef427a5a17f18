//! Values that one conjunction of schemas allows: no alternatives, every limit an interval or a
//! set. A schema is a union of these.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use enumset::{EnumSet, EnumSetType};
use serde_json::Value;

use super::change::Direction;
use super::limits::{Forms, Numbers, Range};
use super::node::{All, Node};
use super::values::Listed;
use crate::document::number::Exact;

/// The kinds of values that are told apart; null is judged on its own.
#[derive(Debug, EnumSetType)]
pub(super) enum Sort {
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction.
    Whole,
    /// A number with a fraction.
    Fraction,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Sort {
    /// Returns the kind of a value; null has none.
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) if Exact::of(value).is_some_and(Exact::is_whole) => Self::Whole,
            Value::Number(_) => Self::Fraction,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
        })
    }
}

/// Values that a conjunction of schemas allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece<'a> {
    /// The schemas, each without its alternatives, the outermost first.
    pub(super) parts: Vec<Node<'a>>,
    /// The schemas whose values are not among these.
    pub(super) excluded: Vec<Node<'a>>,
    /// The name of the component that it is, as an alternative.
    pub(super) name: Option<Rc<str>>,
    /// The pointer of what it says as an alternative.
    pub(super) own: Option<Rc<str>>,
    /// The kinds of values that `type` allows.
    pub(super) typed: EnumSet<Sort>,
    /// The kinds of values that there are.
    pub(super) sorts: EnumSet<Sort>,
    /// The only values, if they are listed.
    pub(super) values: Option<Listed<'a>>,
    pub(super) numbers: Numbers,
    pub(super) length: Range,
    pub(super) forms: Forms<'a>,
    pub(super) items: All<'a>,
    pub(super) count: Range,
    pub(super) unique: bool,
    /// The named fields.
    pub(super) fields: BTreeMap<&'a str, All<'a>>,
    /// The fields that don't go this way.
    pub(super) hidden: BTreeSet<&'a str>,
    pub(super) required: BTreeSet<&'a str>,
    /// What other fields have to be; without it they are anything.
    pub(super) rest: Option<All<'a>>,
    pub(super) size: Range,
}

impl<'a> Piece<'a> {
    pub(super) fn new(parts: Vec<Node<'a>>, excluded: Vec<Node<'a>>, direction: Direction) -> Self {
        let mut piece = Self {
            sorts: EnumSet::all(),
            ..Self::default()
        };
        for part in &parts {
            piece.read(part);
        }
        piece.fields_of(&parts, direction);
        piece.parts = parts;
        piece.typed = piece.sorts;
        piece.excluded = excluded;
        if let Some(values) = piece.values.take() {
            let is_of_sort =
                |value: &&Value| Sort::of(value).is_some_and(|it| piece.sorts.contains(it));
            let values = Listed::new(values.iter().filter(is_of_sort));
            piece.sorts = values.iter().filter_map(Sort::of).collect();
            piece.values = Some(values);
        }
        piece.sorts &= !piece.impossible();
        piece
    }

    pub(super) fn pointer(&self) -> &str {
        self.parts.first().map_or("", |part| &part.pointer)
    }

    fn read(&mut self, part: &Node<'a>) {
        let schema = part.value;
        if part.is_nothing() {
            self.sorts = EnumSet::empty();
        }
        if let Some(named) = schema.get("type").and_then(Value::as_str) {
            self.sorts &= sorts_of(named);
        }
        if let Some(Value::Array(listed)) = schema.get("enum") {
            let before = self.values.take();
            let both = |value: &&Value| before.as_ref().is_none_or(|before| before.has(value));
            self.values = Some(Listed::new(listed.iter().filter(both)));
        }
        self.numbers.read(schema);
        self.forms.read(schema);
        self.length.read(schema, "minLength", "maxLength");
        self.count.read(schema, "minItems", "maxItems");
        self.size.read(schema, "minProperties", "maxProperties");
        self.unique |= schema.get("uniqueItems") == Some(&Value::Bool(true));
        if let Some(items) = part.under("items") {
            self.items.push(items);
        }
        let required = schema.get("required").and_then(Value::as_array);
        self.required
            .extend(required.into_iter().flatten().filter_map(Value::as_str));
    }

    /// Reads the fields: each has to be what every part says of it, by name or for the rest.
    fn fields_of(&mut self, parts: &[Node<'a>], direction: Direction) {
        let mut parts: Vec<(BTreeMap<_, _>, _)> = parts
            .iter()
            .map(|part| (part.named("properties").collect(), rest_of(part)))
            .collect();
        for (named, _) in &parts {
            for (name, node) in named {
                if is_hidden(node, direction) {
                    self.hidden.insert(name);
                }
            }
        }
        let names: BTreeSet<&str> = parts
            .iter()
            .flat_map(|(named, _)| named.keys().copied())
            .collect();
        for name in names.difference(&self.hidden) {
            let field = self.fields.entry(name).or_default();
            for (named, rest) in &mut parts {
                named
                    .remove(name)
                    .or_else(|| rest.clone())
                    .into_iter()
                    .for_each(|node| field.push(node));
            }
        }
        self.required.retain(|name| !self.hidden.contains(name));
        for rest in parts.into_iter().filter_map(|(_, rest)| rest) {
            self.rest.get_or_insert_default().push(rest);
        }
    }

    /// Returns the kinds of values that nothing can be of.
    fn impossible(&self) -> EnumSet<Sort> {
        let mut none = EnumSet::empty();
        if self.numbers.no_whole() {
            none |= Sort::Whole;
        }
        if self.numbers.no_fraction() {
            none |= Sort::Fraction;
        }
        if self.length.is_empty() {
            none |= Sort::Text;
        }
        if self.count.is_empty() || self.count.low > 0 && self.items.is_nothing() {
            none |= Sort::List;
        }
        let missing = |name: &&&str| self.field(name).is_some_and(|field| field.is_nothing());
        if self.size.is_empty() || self.required.iter().any(|name| missing(&name)) {
            none |= Sort::Object;
        }
        none
    }

    /// Returns what a field has to be; nothing says that it is anything.
    pub(super) fn field(&self, name: &str) -> Option<&All<'a>> {
        self.fields.get(name).or(self.rest.as_ref())
    }

    /// Returns `true` if there are no other fields than the named ones.
    pub(super) fn is_closed(&self) -> bool {
        self.rest.as_ref().is_some_and(All::is_nothing)
    }

    /// Returns what is said under a keyword, and by which schema.
    pub(super) fn said(&self, keyword: &str) -> Vec<(&Node<'a>, &'a Value)> {
        let said = self
            .parts
            .iter()
            .filter_map(|part| Some((part, part.value.get(keyword)?)));
        said.collect()
    }
}

fn rest_of<'a>(part: &Node<'a>) -> Option<Node<'a>> {
    part.under("additionalProperties")
        .filter(|rest| *rest.value != Value::Bool(true))
}

/// Returns `true` if a field does not go in a direction.
fn is_hidden(node: &Node<'_>, direction: Direction) -> bool {
    let keyword = match direction {
        Direction::Request => "readOnly",
        Direction::Reply => "writeOnly",
    };
    let members = |keyword: &str| node.members(keyword);
    let hidden = |member: &Node<'_>| is_hidden(member, direction);
    node.value.get(keyword) == Some(&Value::Bool(true))
        || members("allOf").iter().any(hidden)
        // Whichever alternative it is, it does not go.
        || ["anyOf", "oneOf"].iter().any(|keyword| {
            let members = members(keyword);
            !members.is_empty() && members.iter().all(hidden)
        })
}

fn sorts_of(named: &str) -> EnumSet<Sort> {
    match named {
        "boolean" => Sort::Boolean.into(),
        "integer" => Sort::Whole.into(),
        "number" => Sort::Whole | Sort::Fraction,
        "string" => Sort::Text.into(),
        "array" => Sort::List.into(),
        "object" => Sort::Object.into(),
        _ => EnumSet::empty(),
    }
}
