//! Where a document has an operation, and which place of another document is the most like it.

use std::fmt;

use similar::TextDiff;

use crate::document::pointer::unescaped;

/// The method and the path of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The method, in lower case.
    pub method: String,
    /// The path.
    pub path: String,
}

impl Place {
    /// Returns the place that the JSON pointer of an operation names.
    #[must_use]
    pub fn of(pointer: &str) -> Option<Self> {
        let (path, method) = pointer.strip_prefix("/paths/")?.rsplit_once('/')?;
        Some(Self {
            method: method.to_owned(),
            path: unescaped(path),
        })
    }

    /// Returns a message that the operation of this place is gone, with the most similar one.
    #[must_use]
    pub fn is_gone(&self, others: &[Self]) -> String {
        // Of equals `max_by` takes the last one, and the first one is expected.
        let nearest = others
            .iter()
            .rev()
            .max_by(|left, right| self.likeness(left).total_cmp(&self.likeness(right)));
        match nearest {
            Some(nearest) => format!("{self} is gone; the nearest is {nearest}"),
            None => format!("{self} is gone; the document has no operation"),
        }
    }

    fn likeness(&self, other: &Self) -> f32 {
        let same_method = if self.method == other.method {
            SAME_METHOD
        } else {
            0.0
        };
        TextDiff::from_chars(self.path.as_str(), other.path.as_str()).ratio() + same_method
    }
}

/// How much the same method counts beside the path, whose likeness is 1 at most: it decides between
/// the operations of one path, and not between paths.
const SAME_METHOD: f32 = 0.05;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.to_uppercase(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let (method, path) = text.split_once(' ').unwrap();
        Place {
            method: method.to_lowercase(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn the_nearest_path_is_the_one_with_the_most_in_common() {
        let others = [
            "GET /users",
            "POST /tokens",
            "GET /tokens",
            "GET /tokens/{id}",
        ]
        .map(place);
        assert_eq!(
            place("GET /auth/api-token").is_gone(&others),
            "GET /auth/api-token is gone; the nearest is GET /tokens"
        );
        assert_eq!(
            place("DELETE /auth/api-token").is_gone(&others[1..3]),
            "DELETE /auth/api-token is gone; the nearest is POST /tokens"
        );
        assert_eq!(
            place("GET /a").is_gone(&[]),
            "GET /a is gone; the document has no operation"
        );
    }

    #[test]
    fn a_pointer_names_a_place() {
        assert_eq!(
            Place::of("/paths/~1auth~1api-token/get"),
            Some(place("GET /auth/api-token"))
        );
        assert_eq!(Place::of("/components/schemas/A"), None);
    }
}
