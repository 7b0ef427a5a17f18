//! Whether the objects of one piece are in another, as the client sees them: it sends and reads
//! the named fields, and null in place of a field that may be missing is as good as missing.

use super::answer::Answer;
use super::change::Direction;
use super::judge::{Judge, Sight};
use super::limits::Range;
use super::node::All;
use super::piece::Piece;

impl<'a> Judge<'a> {
    pub(super) fn objects(&mut self, sub: &Piece<'a>, sup: &Piece<'a>, sight: Sight) -> Answer {
        let seen = sight != Sight::Plain;
        let request = seen && self.direction == Direction::Request;
        let reply = seen && self.direction == Direction::Reply;
        // The generated type of a request has the named fields only, if there are any.
        let closed = sub.is_closed() || request && !sub.fields.is_empty() && sub.rest.is_none();
        if !sup.required.is_subset(&sub.required) || !size(sub, closed).within(sup.size) {
            return Answer::No;
        }
        let old = if self.old_is_sub(sight) { sub } else { sup };
        let everything = All::default();
        // Null counts as a field, so that without it there may be too few.
        let counts = old.size.low > 0;
        let mut answer = Answer::Yes;
        for (name, own) in &sub.fields {
            let without_null = seen && !counts && !old.required.contains(name);
            let other = match (sup.fields.get(name), &sup.rest) {
                (Some(other), _) => other,
                // What the client sends is no longer taken, or never was.
                (None, _) if request && !own.is_nothing() => return Answer::No,
                (None, Some(rest)) => rest,
                (None, None) => continue,
            };
            if own.is_nothing() {
                continue;
            }
            answer = answer.and(|| self.within(own, other, sight, without_null));
        }
        for (name, other) in &sup.fields {
            if sub.fields.contains_key(name) || closed && !reply {
                continue;
            }
            // What the client reads is no longer sent, or never was.
            if reply && !other.is_nothing() {
                return Answer::No;
            }
            if !closed {
                let own = sub.rest.as_ref().unwrap_or(&everything);
                answer = answer.and(|| self.within(own, other, sight, false));
            }
        }
        if let (false, Some(rest)) = (closed, &sup.rest) {
            let own = sub.rest.as_ref().unwrap_or(&everything);
            answer = answer.and(|| self.within(own, rest, sight, false));
        }
        answer
    }

    fn old_is_sub(&self, sight: Sight) -> bool {
        (self.direction == Direction::Request) == (sight == Sight::Forward)
    }
}

/// Returns how many fields an object can have.
fn size(piece: &Piece<'_>, closed: bool) -> Range {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let mut size = piece.size;
    size.low = size.low.max(count(piece.required.len()));
    if closed {
        size.high = size.high.min(count(piece.fields.len()));
    }
    size
}
