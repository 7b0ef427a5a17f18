//! Pairs off the alternatives of two schemas: which are the same, changed, removed or added.

use super::change::Class;
use super::view::Node;

/// The alternatives of two schemas.
pub(super) struct Alternatives<'n, 'a> {
    /// The unchanged ones.
    pub(super) same: Vec<(&'n Node<'a>, &'n Node<'a>)>,
    /// The only one left on each side: it changed.
    pub(super) changed: Option<(&'n Node<'a>, &'n Node<'a>)>,
    /// The removed ones, and whether another one accepts their values.
    pub(super) gone: Vec<(&'n Node<'a>, bool)>,
    /// The added ones, and whether an old one accepted their values.
    pub(super) come: Vec<(&'n Node<'a>, bool)>,
}

/// Pairs off the alternatives between which a judge finds no difference.
pub(super) fn pair_off<'n, 'a>(
    before: &'n [Node<'a>],
    after: &'n [Node<'a>],
    judge: &mut impl FnMut(&Node<'_>, &Node<'_>) -> Option<Class>,
) -> Alternatives<'n, 'a> {
    let mut same = Vec::new();
    let mut come: Vec<_> = after.iter().collect();
    let mut gone: Vec<_> = before.iter().collect();
    gone.retain(|old| {
        let found = come.iter().position(|new| judge(old, new).is_none());
        same.extend(found.map(|index| (*old, come.remove(index))));
        found.is_none()
    });
    if let ([old], [new]) = (gone.as_slice(), come.as_slice()) {
        return Alternatives {
            same,
            changed: Some((*old, *new)),
            gone: Vec::new(),
            come: Vec::new(),
        };
    }
    let mut fits = |old: &Node<'_>, new: &Node<'_>| judge(old, new) != Some(Class::Breaking);
    let gone = gone
        .into_iter()
        .map(|old| (old, after.iter().any(|new| fits(old, new))))
        .collect();
    let come = come
        .into_iter()
        .map(|new| (new, before.iter().any(|old| fits(old, new))))
        .collect();
    Alternatives {
        same,
        changed: None,
        gone,
        come,
    }
}
