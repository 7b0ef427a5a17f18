//! Brings schemas into a normal form: `allOf` is merged, `anyOf` and `oneOf` become a union of
//! pieces without alternatives, and null is judged on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::change::Direction;
use super::node::{All, Id, Key, Node};
use super::piece::Piece;

/// The most pieces of one schema.
///
/// A union has a member for each; only unions beside each other multiply. It bounds the work.
const PIECES_LIMIT: usize = 1000;

/// The most unions within each other without a field or an item between them.
///
/// Validation refuses circles of them, so this only bounds the recursion.
const NESTING_LIMIT: usize = 100;

/// Whether null is allowed, by the two ways in which `nullable` is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Null {
    /// As OpenAPI 3.0.3 says: beside a type, and only if `enum` and everything else allow it.
    pub(super) strict: bool,
    /// As generators read it: it allows null whatever stands beside it.
    pub(super) loose: bool,
}

impl Null {
    const BOTH: Self = Self {
        strict: true,
        loose: true,
    };

    fn and(self, other: Self) -> Self {
        Self {
            strict: self.strict && other.strict,
            loose: self.loose && other.loose,
        }
    }

    /// Returns `true` if both readings allow no more than those of another schema.
    pub(super) fn within(self, other: Self) -> bool {
        self.strict <= other.strict && self.loose <= other.loose
    }
}

/// A schema in its normal form.
#[derive(Debug, Default)]
pub(super) struct Normal<'a> {
    /// What holds whatever alternative is chosen.
    pub(super) base: Piece<'a>,
    pub(super) has_alternatives: bool,
    /// The values other than null.
    pub(super) pieces: Vec<Piece<'a>>,
    pub(super) null: Null,
    /// Not all pieces are here.
    pub(super) is_cut: bool,
}

/// A conjunction of schemas, before it is read.
#[derive(Clone, Default)]
struct Raw<'a> {
    parts: Vec<Node<'a>>,
    excluded: Vec<Node<'a>>,
    name: Option<Rc<str>>,
    own: Option<Rc<str>>,
}

impl<'a> Raw<'a> {
    fn and(&self, other: &Self) -> Self {
        Self {
            parts: [self.parts.as_slice(), &other.parts].concat(),
            excluded: [self.excluded.as_slice(), &other.excluded].concat(),
            name: other.name.clone().or_else(|| self.name.clone()),
            own: other.own.clone().or_else(|| self.own.clone()),
        }
    }

    fn key(&self) -> (Vec<Id>, Vec<Id>) {
        let ids = |nodes: &[Node<'a>]| nodes.iter().map(Node::id).collect();
        (ids(&self.parts), ids(&self.excluded))
    }
}

/// Alternatives: one of them must hold, or exactly one.
struct Choice<'a> {
    members: Vec<Node<'a>>,
    exactly_one: bool,
}

/// Reads schemas, each once.
pub(super) struct Reader<'a> {
    direction: Direction,
    known: BTreeMap<Key, Rc<Normal<'a>>>,
    nulls: BTreeMap<Id, Null>,
    nesting: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            known: BTreeMap::new(),
            nulls: BTreeMap::new(),
            nesting: 0,
        }
    }

    /// Returns the normal form of schemas that must all hold.
    pub(super) fn read(&mut self, all: &All<'a>) -> Rc<Normal<'a>> {
        let key = all.key();
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let mut base = Raw::default();
        let mut choices = Vec::new();
        let mut seen = BTreeSet::new();
        for node in &all.nodes {
            gather(node, &mut base, &mut choices, &mut seen);
        }
        let has_alternatives = !choices.is_empty();
        let mut normal = Normal {
            base: self.piece(base.clone()),
            has_alternatives,
            null: self.null_of_all(&all.nodes),
            ..Normal::default()
        };
        let raws = self.combined(base, &choices, &mut normal.is_cut);
        let pieces = raws.into_iter().map(|raw| self.piece(raw));
        normal.pieces = pieces.filter(|piece| !piece.sorts.is_empty()).collect();
        let normal = Rc::new(normal);
        self.known.insert(key, Rc::clone(&normal));
        normal
    }

    fn piece(&self, raw: Raw<'a>) -> Piece<'a> {
        Piece {
            name: raw.name,
            own: raw.own,
            ..Piece::new(raw.parts, raw.excluded, self.direction)
        }
    }

    /// Returns every way to choose an alternative of each choice.
    fn combined(
        &mut self,
        base: Raw<'a>,
        choices: &[Choice<'a>],
        is_cut: &mut bool,
    ) -> Vec<Raw<'a>> {
        let mut raws = vec![base];
        if self.nesting > NESTING_LIMIT {
            *is_cut = true;
            return raws;
        }
        self.nesting += 1;
        for choice in choices {
            let mut alternatives = Vec::new();
            for (index, member) in choice.members.iter().enumerate() {
                let normal = self.read(&All::one(member.clone()));
                *is_cut |= normal.is_cut;
                let others = choice.members.iter().enumerate();
                let others = others.filter(|(other, _)| choice.exactly_one && *other != index);
                let others: Vec<_> = others.map(|(_, other)| other.clone()).collect();
                alternatives.extend(normal.pieces.iter().map(|piece| {
                    Raw {
                        parts: piece.parts.clone(),
                        excluded: [others.as_slice(), &piece.excluded].concat(),
                        name: piece.name.clone().or_else(|| member.wrapped_name()),
                        own: piece
                            .own
                            .clone()
                            .or_else(|| Some(Rc::clone(&member.pointer))),
                    }
                }));
            }
            let mut seen = BTreeSet::new();
            let products = raws.iter().flat_map(|raw| {
                let both = alternatives.iter().map(|alternative| raw.and(alternative));
                both.collect::<Vec<_>>()
            });
            let mut products = products.filter(|raw| seen.insert(raw.key()));
            let kept = products.by_ref().take(PIECES_LIMIT).collect();
            *is_cut |= products.next().is_some();
            raws = kept;
        }
        self.nesting -= 1;
        raws
    }

    fn null_of_all(&mut self, nodes: &[Node<'a>]) -> Null {
        nodes
            .iter()
            .fold(Null::BOTH, |null, node| null.and(self.null(node)))
    }

    /// Returns whether a schema allows null.
    fn null(&mut self, node: &Node<'a>) -> Null {
        if let Some(known) = self.nulls.get(&node.id()) {
            return *known;
        }
        // What only leads back to itself allows nothing; validation refuses it anyway.
        self.nulls.insert(node.id(), Null::default());
        let null = self.null_by_parts(node);
        self.nulls.insert(node.id(), null);
        null
    }

    fn null_by_parts(&mut self, node: &Node<'a>) -> Null {
        let Value::Object(schema) = node.value else {
            let all = *node.value == Value::Bool(true);
            return if all { Null::BOTH } else { Null::default() };
        };
        let nullable = schema.get("nullable") == Some(&Value::Bool(true));
        if nullable && refers(node) {
            return Null::BOTH;
        }
        let untyped = !schema.contains_key("type");
        let listed = schema.get("enum").and_then(Value::as_array);
        let listed = listed.is_none_or(|values| values.iter().any(Value::is_null));
        let own = Null {
            strict: listed && (untyped || nullable),
            loose: listed && untyped,
        };
        let mut null = own.and(self.null_of_all(&node.members("allOf")));
        for (keyword, exactly_one) in [("anyOf", false), ("oneOf", true)] {
            let members = node.members(keyword);
            if !members.is_empty() {
                let members: Vec<_> = members.iter().map(|member| self.null(member)).collect();
                let fits = |count: usize| count == 1 || count > 1 && !exactly_one;
                null = null.and(Null {
                    strict: fits(members.iter().filter(|null| null.strict).count()),
                    loose: fits(members.iter().filter(|null| null.loose).count()),
                });
            }
        }
        if let Some(not) = node.under("not") {
            let not = self.null(&not);
            null = null.and(Null {
                strict: !not.strict,
                loose: !not.loose,
            });
        }
        null.loose |= nullable;
        null
    }
}

/// Returns `true` if a schema says of its values only that they are those of a reference.
///
/// A type can't stand beside a reference, so `nullable` around one is how 3.0 writes that it may
/// be null, and the stage `lower` as well.
fn refers(node: &Node<'_>) -> bool {
    let others = ["anyOf", "enum", "not", "oneOf", "type"];
    let says_more = others.iter().any(|it| node.value.get(it).is_some());
    match node.members("allOf").as_slice() {
        [only] => only.name.is_some() && !says_more,
        _ => false,
    }
}

/// Takes a schema apart: what it says itself, and its choices.
fn gather<'a>(
    node: &Node<'a>,
    base: &mut Raw<'a>,
    choices: &mut Vec<Choice<'a>>,
    seen: &mut BTreeSet<Id>,
) {
    if !seen.insert(node.id()) {
        return;
    }
    base.parts.push(node.clone());
    for (keyword, exactly_one) in [("anyOf", false), ("oneOf", true)] {
        let members = node.members(keyword);
        if !members.is_empty() {
            choices.push(Choice {
                members,
                exactly_one,
            });
        }
    }
    base.excluded.extend(node.under("not"));
    for member in node.members("allOf") {
        gather(&member, base, choices, seen);
    }
}
