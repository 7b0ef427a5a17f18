//! Pairs off the alternatives of two schemas: which are the same or changed, gone or new.

use super::piece::Piece;

/// The alternatives of two schemas.
pub(super) struct Paired<'p, 'a> {
    /// The same alternative in both.
    pub(super) pairs: Vec<(&'p Piece<'a>, &'p Piece<'a>)>,
    /// Those that only the old schema has.
    pub(super) gone: Vec<&'p Piece<'a>>,
    /// Those that only the new schema has.
    pub(super) come: Vec<&'p Piece<'a>>,
}

/// Pairs off alternatives: by name, by values, by fields, and the only one left on each side.
pub(super) fn pair_off<'p, 'a>(
    before: &'p [Piece<'a>],
    after: &'p [Piece<'a>],
    are_alike: &mut impl FnMut(&Piece<'a>, &Piece<'a>) -> bool,
) -> Paired<'p, 'a> {
    let mut paired = Paired {
        pairs: Vec::new(),
        gone: before.iter().collect(),
        come: after.iter().collect(),
    };
    paired.by(&mut |old, new| old.name.is_some() && old.name == new.name);
    paired.by(are_alike);
    paired.by(&mut looks_like);
    if let ([old], [new]) = (paired.gone.as_slice(), paired.come.as_slice()) {
        paired.pairs.push((old, new));
        paired.gone.clear();
        paired.come.clear();
    }
    paired
}

impl<'p, 'a> Paired<'p, 'a> {
    fn by(&mut self, belong: &mut impl FnMut(&Piece<'a>, &Piece<'a>) -> bool) {
        let (pairs, come) = (&mut self.pairs, &mut self.come);
        self.gone.retain(|old| {
            let found = come.iter().position(|new| belong(old, new));
            pairs.extend(found.map(|index| (*old, come.remove(index))));
            found.is_none()
        });
    }
}

/// Returns `true` if two objects have the same fields, or all but a few of them.
fn looks_like(old: &Piece<'_>, new: &Piece<'_>) -> bool {
    let shared = old
        .fields
        .keys()
        .filter(|name| new.fields.contains_key(*name))
        .count();
    old.sorts == new.sorts && shared > 0 && 2 * shared > old.fields.len().max(new.fields.len())
}
