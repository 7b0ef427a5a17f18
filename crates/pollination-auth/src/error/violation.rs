//! What the server found wrong with a request: one problem each, and where it is.

use std::fmt;

/// One problem the server found in the request, and where.
///
/// `Display` writes the place and the kind; the server's message is in [`message`](Self::message).
///
/// ```
/// use pollination_auth::{Location, Violation};
///
/// /// Returns the name of the field that is to blame.
/// fn field(violation: &Violation) -> Option<&str> {
///     match violation.location().last()? {
///         Location::Field(name) => Some(name),
///         _ => None,
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::start();
/// # let body = r#"{"detail":[{"loc":["body","secret"],"msg":"too short","type":"value_error"}]}"#;
/// # service.fail_next(
/// #     pollination_auth_fake::Operation::Login,
/// #     pollination_auth_fake::Fault::status(422).body(body),
/// # );
/// # let api_token = pollination_auth::ApiToken::new("an-id", pollination_auth::Secret::from("a-secret"))?;
/// # let client = pollination_auth::Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
/// # let error = client.login().await.unwrap_err();
/// assert_eq!(field(&error.violations()[0]), Some("secret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    pub(crate) location: Vec<Location>,
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// One step of the path to a place in a request.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A name: of a part of the request, or of a field.
    Field(String),
    /// A position in a list, from 0.
    Index(i64),
}

impl Violation {
    /// Returns the path to the place, such as `body`, `items`, 0, `id`.
    #[must_use]
    pub fn location(&self) -> &[Location] {
        &self.location
    }

    /// Returns the kind of violation, such as `missing`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the server's message, with this client's secrets masked.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.location.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            match step {
                Location::Field(name) => write!(f, "{dot}{}", name.escape_debug())?,
                Location::Index(index) => write!(f, "{dot}{index}")?,
            }
        }
        write!(f, " ({})", self.kind.escape_debug())
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Violation({self})")
    }
}
