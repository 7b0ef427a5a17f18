//! Answers to the question whether all values of one schema are values of another.

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All are.
    Yes,
    /// Some are not.
    No,
    /// It could not be decided.
    Unknown(Reason),
}

/// The reason why something could not be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Multiples,
    Not,
    OneOf,
    Patterns,
    TooLarge,
    Union,
}

impl Reason {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Multiples => "different values of `multipleOf` may allow the same numbers",
            Self::Not => "it is not known which values `not` excludes",
            Self::OneOf => "a value may fit more than one alternative of `oneOf`",
            Self::Patterns => "different patterns may match the same texts",
            Self::TooLarge => "the schemas are too large to be compared",
            Self::Union => "several alternatives together may allow the same values",
        }
    }
}

impl Answer {
    pub(super) fn is_yes(self) -> bool {
        self == Self::Yes
    }

    /// Returns the answer to a question for which all of its parts must be answered with yes.
    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => other(),
            // A plain no is worth more than that nothing is known.
            Self::Unknown(_) => match other() {
                Self::No => Self::No,
                _ => self,
            },
            Self::No => Self::No,
        }
    }

    pub(super) fn from_decided(decided: Option<bool>, reason: Reason) -> Self {
        match decided {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown(reason),
        }
    }

    pub(super) fn yes_or_no(yes: bool) -> Self {
        Self::from_decided(Some(yes), Reason::TooLarge)
    }
}
