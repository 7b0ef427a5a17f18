//! Decides whether all values of one schema are values of another, as a client of the operations
//! reads and writes them. It follows schemas that lead back to themselves by taking a question
//! that is being answered as answered with yes: only a finite difference is one.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::answer::{Answer, Reason};
use super::change::Direction;
use super::node::{All, Key, Node};
use super::normal::{Normal, Reader};
use super::piece::{Piece, Sort};

/// The most comparisons of two pieces for one pair of documents.
///
/// A union of 100 members compared with another one takes 10 000 of them for each level; ten times
/// a hundred of those are under a second. Beyond it the answer is that nothing is known.
const EFFORT_LIMIT: usize = 1_000_000;

/// The most questions within each other.
///
/// Schemas that refer to each other in every way can be followed as deep as there are pairs of
/// them; the stage `select` allows 500 components, and few are met twice on the way down. The limit
/// is for the stack.
pub(super) const DEPTH_LIMIT: usize = 5000;

/// The whole numbers in an interval are listed up to this many.
const LISTED_LIMIT: i128 = 32;

/// How values are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// As the client sees them: whether all new values are old ones (a reply), or all old values
    /// are new ones (a request).
    Forward,
    /// As the client sees them, the other way round.
    Backward,
    /// As JSON Schema has it.
    Plain,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    sub: Key,
    sup: Key,
    sight: Sight,
    without_null: bool,
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    /// Being answered, this deep.
    Open(usize),
    /// Answered with yes, if the question that is open this deep will be.
    IfOpen(usize),
    Answered(Answer),
}

/// Answers questions about the schemas of two documents in one direction, each once.
pub(super) struct Judge<'a> {
    pub(super) direction: Direction,
    pub(super) reader: Reader<'a>,
    known: BTreeMap<Question, Entry>,
    /// Those answered with yes on the condition that a question that is still open will be.
    conditional: Vec<Question>,
    /// The outermost open question that was taken as answered since it was last looked at.
    assumed: usize,
    pub(super) apart: BTreeMap<(Key, Key), bool>,
    depth: usize,
    effort: usize,
}

impl<'a> Judge<'a> {
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            reader: Reader::new(direction),
            known: BTreeMap::new(),
            conditional: Vec::new(),
            assumed: usize::MAX,
            apart: BTreeMap::new(),
            depth: 0,
            effort: 0,
        }
    }

    /// Returns whether every value of `sub` is one of `sup`. Null can be left out of the question.
    pub(super) fn within(
        &mut self,
        sub: &All<'a>,
        sup: &All<'a>,
        sight: Sight,
        without_null: bool,
    ) -> Answer {
        let question = Question {
            sub: sub.key(),
            sup: sup.key(),
            sight,
            without_null,
        };
        match self.known.get(&question) {
            Some(Entry::Answered(answer)) => return *answer,
            Some(Entry::Open(depth) | Entry::IfOpen(depth)) => {
                self.assumed = self.assumed.min(*depth);
                return Answer::Yes;
            }
            None if self.depth >= DEPTH_LIMIT || self.effort >= EFFORT_LIMIT => {
                return Answer::Unknown(Reason::TooLarge);
            }
            None => {}
        }
        let outer = std::mem::replace(&mut self.assumed, usize::MAX);
        let conditional = self.conditional.len();
        self.known.insert(question.clone(), Entry::Open(self.depth));
        self.depth += 1;
        let answer = self.answer(sub, sup, sight, without_null);
        self.depth -= 1;
        let inner = std::mem::replace(&mut self.assumed, outer);
        let entry = match answer {
            // Nothing that is still open was needed.
            Answer::Yes if inner >= self.depth => Entry::Answered(answer),
            Answer::Yes => Entry::IfOpen(inner),
            _ => Entry::Answered(answer),
        };
        match entry {
            Entry::Answered(Answer::Yes) => {
                for question in self.conditional.drain(conditional..) {
                    self.known.insert(question, entry);
                }
            }
            Entry::Answered(_) => {
                // What was answered with yes may have relied on this question.
                for question in self.conditional.drain(conditional..) {
                    self.known.remove(&question);
                }
            }
            Entry::IfOpen(_) | Entry::Open(_) => {
                for question in self.conditional.iter().skip(conditional) {
                    self.known.insert(question.clone(), entry);
                }
                self.conditional.push(question.clone());
            }
        }
        self.assumed = self.assumed.min(inner);
        self.known.insert(question, entry);
        answer
    }

    fn answer(&mut self, sub: &All<'a>, sup: &All<'a>, sight: Sight, without_null: bool) -> Answer {
        let (sub, sup) = (self.reader.read(sub), self.reader.read(sup));
        if sub.is_cut {
            return Answer::Unknown(Reason::TooLarge);
        }
        let null = Answer::yes_or_no(without_null || sub.null.within(sup.null));
        let mut answer = null;
        for piece in &sub.pieces {
            if answer == Answer::No {
                break;
            }
            answer = answer.and(|| self.piece_within(piece, &sup, sight));
        }
        match answer {
            Answer::No if sup.is_cut => Answer::Unknown(Reason::TooLarge),
            answer => answer,
        }
    }

    /// Returns whether the values of a piece are values of a schema.
    pub(super) fn piece_within(
        &mut self,
        piece: &Piece<'a>,
        sup: &Rc<Normal<'a>>,
        sight: Sight,
    ) -> Answer {
        let mut answer = Answer::Yes;
        for sort in piece.sorts {
            answer = answer.and(|| self.sort_within(piece, sort, sup, sight));
        }
        answer
    }

    /// Returns whether the values of a piece that are of one kind are values of a schema.
    fn sort_within(
        &mut self,
        piece: &Piece<'a>,
        sort: Sort,
        sup: &Rc<Normal<'a>>,
        sight: Sight,
    ) -> Answer {
        let candidates: Vec<_> = sup
            .pieces
            .iter()
            .filter(|other| other.sorts.contains(sort))
            .collect();
        let mut unknown = None;
        for other in &candidates {
            match self.both_within(piece, sort, other, sight) {
                Answer::Yes => return Answer::Yes,
                Answer::Unknown(reason) => unknown = unknown.or(Some(reason)),
                Answer::No => {}
            }
        }
        if let Some(values) = listed(piece, sort) {
            return self.values_within(&values, piece, sup);
        }
        let together = (candidates.len() > 1).then_some(Reason::Union);
        let not_all = (!piece.excluded.is_empty() && !candidates.is_empty()).then_some(Reason::Not);
        match unknown.or(together).or(not_all) {
            Some(reason) => Answer::Unknown(reason),
            None => Answer::No,
        }
    }

    /// Returns whether each of some values is one of a schema.
    fn values_within(
        &mut self,
        values: &[Value],
        piece: &Piece<'a>,
        sup: &Rc<Normal<'a>>,
    ) -> Answer {
        let mut answer = Answer::Yes;
        for value in values {
            if self.piece_has(piece, value, piece) == Some(false) {
                continue;
            }
            let has = self.normal_has(sup, value, piece);
            answer = answer.and(|| Answer::from_decided(has, Reason::Patterns));
        }
        answer
    }

    /// Returns whether the values of one piece are in another, for one kind of values.
    fn both_within(
        &mut self,
        sub: &Piece<'a>,
        sort: Sort,
        sup: &Piece<'a>,
        sight: Sight,
    ) -> Answer {
        self.effort += 1;
        if self.effort >= EFFORT_LIMIT {
            return Answer::Unknown(Reason::TooLarge);
        }
        if sup.values.is_some() {
            // Only listed values can be among listed ones, and they are looked at one by one.
            return Answer::No;
        }
        let limits = match sort {
            Sort::Boolean => Answer::Yes,
            Sort::Whole => numbers(sub.numbers.whole_within(&sup.numbers), sub, sup),
            Sort::Fraction => numbers(sub.numbers.fractions_within(&sup.numbers), sub, sup),
            Sort::Text => texts(sub, sup),
            Sort::List => self.lists(sub, sup, sight),
            Sort::Object => self.objects(sub, sup, sight),
        };
        limits.and(|| self.beside(sub, sort, &sup.excluded))
    }

    /// Returns whether no value of a piece is one of the excluded.
    fn beside(&mut self, sub: &Piece<'a>, sort: Sort, excluded: &[Node<'a>]) -> Answer {
        for node in excluded {
            if !self.is_beside(sub, sort, node) {
                return Answer::Unknown(Reason::OneOf);
            }
        }
        Answer::Yes
    }

    fn lists(&mut self, sub: &Piece<'a>, sup: &Piece<'a>, sight: Sight) -> Answer {
        let unique = !sup.unique || sub.unique || sub.count.high <= 1;
        Answer::yes_or_no(unique && sub.count.within(sup.count)).and(|| {
            if sub.count.high == 0 || sup.items.nodes.is_empty() {
                return Answer::Yes;
            }
            match self.within(&sub.items, &sup.items, sight, false) {
                // The empty list is all that is left.
                Answer::No if sub.items.is_nothing() => Answer::Yes,
                answer => answer,
            }
        })
    }
}

fn numbers(within: Option<bool>, sub: &Piece<'_>, sup: &Piece<'_>) -> Answer {
    Answer::yes_or_no(sub.forms.numbers_within(&sup.forms))
        .and(|| Answer::from_decided(within, Reason::Multiples))
}

fn texts(sub: &Piece<'_>, sup: &Piece<'_>) -> Answer {
    let limits = sub.length.within(sup.length) && sub.forms.texts_within(&sup.forms);
    let (own, others) = (&sub.forms.patterns, &sup.forms.patterns);
    let patterns = match others.is_subset(own) {
        true => Answer::Yes,
        false if own.is_empty() => Answer::No,
        false => Answer::Unknown(Reason::Patterns),
    };
    Answer::yes_or_no(limits).and(|| patterns)
}

/// Returns the values of a piece that are of one kind, if they can be listed.
fn listed(piece: &Piece<'_>, sort: Sort) -> Option<Vec<Value>> {
    if let Some(values) = &piece.values {
        let of_sort = values.iter().filter(|value| Sort::of(value) == Some(sort));
        return Some(of_sort.cloned().collect());
    }
    match sort {
        Sort::Boolean => Some(vec![Value::Bool(true), Value::Bool(false)]),
        Sort::Whole => {
            let (first, last) = piece.numbers.whole();
            let few = last
                .checked_sub(first)
                .is_some_and(|more| more < LISTED_LIMIT);
            let whole = |number: i128| i64::try_from(number).ok().map(Value::from);
            few.then(|| (first..=last).map(whole).collect::<Option<_>>())?
        }
        Sort::Text => (piece.length.high == 0).then(|| vec![Value::from("")]),
        Sort::List => (piece.count.high == 0).then(|| vec![Value::Array(Vec::new())]),
        Sort::Fraction | Sort::Object => None,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
