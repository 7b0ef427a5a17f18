//! The long-lived credential: an API token, and the checks of the texts it is made of.

use std::fmt;

use crate::foundation::secret::{Bearer, Secret};

/// The longest id or secret that is accepted: 4 KiB.
///
/// The service's own are a few dozen characters; a longer text is a file or a reply gone wrong.
pub(crate) const CREDENTIAL_LIMIT: usize = 4 * 1024;

/// The id of an API token. It is not secret.
///
/// ```
/// use pollination_auth::{ApiToken, ApiTokenId, Secret};
///
/// let token = ApiToken::new("an-id", Secret::from("a-secret"))?;
/// let id: &ApiTokenId = token.id();
/// assert_eq!(format!("logged in as {id}"), "logged in as an-id");
/// # Ok::<(), pollination_auth::CredentialError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiTokenId(String);

impl ApiTokenId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiTokenId({:?})", self.0)
    }
}

/// An API token: the id and the secret to log in with.
///
/// ```
/// use pollination_auth::{ApiToken, Secret};
///
/// let token = ApiToken::new("an-id", Secret::from("a-secret"))?;
/// assert_eq!(token.id().as_str(), "an-id");
/// assert_eq!(token.secret().expose_secret(), "a-secret");
/// assert!(ApiToken::new("an-id", Secret::from("")).is_err());
/// # Ok::<(), pollination_auth::CredentialError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ApiToken {
    id: ApiTokenId,
    secret: Secret,
}

impl ApiToken {
    /// Checks an id and a secret. Ignores one newline at the end of either.
    ///
    /// They have different types, so that the compiler refuses them in the wrong order:
    ///
    /// ```compile_fail,E0308
    /// use pollination_auth::{ApiToken, Secret};
    ///
    /// let token = ApiToken::new(Secret::from("a-secret"), "an-id");
    /// ```
    ///
    /// # Errors
    ///
    /// [`CredentialError`] if one is empty, longer than 4 KiB, begins or ends with white space,
    /// begins with a byte order mark, or contains a control character.
    pub fn new(id: impl Into<String>, secret: Secret) -> Result<Self, CredentialError> {
        let id = entered_id(&id.into())?;
        Ok(Self::of(id, entered_secret(secret.expose_secret())?))
    }

    /// Checks an id and a secret from the service, without trimming.
    pub(crate) fn exact(id: &str, secret: &str) -> Result<Self, CredentialError> {
        let id = checked_id(id)?;
        check(secret, Part::Secret)?;
        Ok(Self::of(id, Secret::from(secret.to_owned())))
    }

    /// Joins an id and a secret that have been checked.
    pub(crate) fn of(id: ApiTokenId, secret: Secret) -> Self {
        Self { id, secret }
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &ApiTokenId {
        &self.id
    }

    /// Returns the secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Returns `true` if both have the same id and secret.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.id == other.id && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

/// Checks an id from the service, without trimming.
pub(crate) fn checked_id(id: impl Into<String>) -> Result<ApiTokenId, CredentialError> {
    let id = id.into();
    check(&id, Part::Id)?;
    Ok(ApiTokenId(id))
}

/// Checks an id that a user entered. Ignores one newline at its end.
pub(crate) fn entered_id(text: &str) -> Result<ApiTokenId, CredentialError> {
    checked_id(without_newline(text))
}

/// Checks a secret that a user entered. Ignores one newline at its end.
pub(crate) fn entered_secret(text: &str) -> Result<Secret, CredentialError> {
    let text = without_newline(text);
    check(text, Part::Secret)?;
    Ok(Secret::from(text.to_owned()))
}

/// Returns a text without the one newline that a file or a pipe ends with.
pub(crate) fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn check(text: &str, part: Part) -> Result<(), CredentialError> {
    let problem = if text.is_empty() {
        Problem::Empty
    } else if text.len() > CREDENTIAL_LIMIT {
        Problem::TooLong
    } else if text.starts_with('\u{feff}') {
        Problem::ByteOrderMark
    } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        // Nearly every text ends here; the rest looks at each character.
        return Ok(());
    } else if text.chars().any(char::is_control) {
        Problem::ControlCharacter
    } else if text.trim() != text {
        Problem::OuterSpace
    } else {
        return Ok(());
    };
    Err(CredentialError::new(part, None, problem))
}

/// Error of a credential that can't be used: which part, where it came from and why. It never
/// contains the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialError {
    part: Part,
    source: Option<&'static str>,
    problem: Problem,
}

impl CredentialError {
    /// Returns the name of the field that has the part in a reply.
    pub(crate) fn field(&self) -> &'static str {
        match self.part {
            Part::Id => "id",
            Part::Secret => "secret",
            Part::AccessToken => "access_token",
        }
    }

    fn new(part: Part, source: Option<&'static str>, problem: Problem) -> Self {
        Self {
            part,
            source,
            problem,
        }
    }

    /// Names the place that the text came from.
    pub(crate) fn found_in(self, source: &'static str) -> Self {
        Self::new(self.part, Some(source), self.problem)
    }

    pub(crate) fn not_unicode(part: Part, source: Option<&'static str>) -> Self {
        Self::new(part, source, Problem::NotUnicode)
    }

    pub(crate) fn missing(part: Part, source: &'static str) -> Self {
        Self::new(part, Some(source), Problem::Missing)
    }

    pub(crate) fn empty(part: Part, source: &'static str) -> Self {
        Self::new(part, Some(source), Problem::Empty)
    }

    /// Creates the error of a part that is set twice: in a variable, and in the file that another
    /// one names.
    pub(crate) fn set_twice(part: Part, source: &'static str, other: &'static str) -> Self {
        Self::new(part, Some(source), Problem::AlsoSetBy(other))
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Id => "the API token's id",
            Part::Secret => "the API token's secret",
            Part::AccessToken => "the access token",
        };
        let problem = match self.problem {
            Problem::Missing => "is not set",
            Problem::Empty => "is empty",
            Problem::AlsoSetBy(_) => "is set twice; unset one of the two",
            Problem::TooLong => "is longer than any that the service gives out",
            Problem::ByteOrderMark => "begins with a byte order mark; save it as plain UTF-8",
            Problem::ControlCharacter => "contains a control character, such as a second line",
            Problem::OuterSpace => "begins or ends with white space",
            Problem::NotUnicode => "is not valid UTF-8",
            Problem::NotABearerToken => "has a character that no bearer token has (RFC 6750)",
        };
        match (self.source, self.problem) {
            (Some(source), Problem::AlsoSetBy(other)) => {
                write!(f, "{part} (from {source} and {other}) {problem}")
            }
            (Some(source), _) => write!(f, "{part} (from {source}) {problem}"),
            (None, _) => write!(f, "{part} {problem}"),
        }
    }
}

impl std::error::Error for CredentialError {}

/// The part of a credential that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Id,
    Secret,
    AccessToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Missing,
    AlsoSetBy(&'static str),
    Empty,
    TooLong,
    ByteOrderMark,
    ControlCharacter,
    OuterSpace,
    NotUnicode,
    NotABearerToken,
}

/// The longest access token that is accepted: 16 KiB.
///
/// Servers commonly refuse a request whose headers are larger than that.
pub(crate) const ACCESS_TOKEN_LIMIT: usize = 16 * 1024;

/// Checks that a text can be sent after `Bearer`: a b64token of RFC 6750, section 2.1.
pub(crate) fn checked_bearer(text: &str) -> Result<Bearer, CredentialError> {
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let bearer = if text.is_empty() {
        Err(Problem::Empty)
    } else if text.len() > ACCESS_TOKEN_LIMIT {
        Err(Problem::TooLong)
    } else if body.is_empty() || !body.bytes().all(allowed) {
        Err(Problem::NotABearerToken)
    } else {
        Bearer::new(text).map_err(|_invalid| Problem::NotABearerToken)
    };
    bearer.map_err(|problem| CredentialError::new(Part::AccessToken, None, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(secret: &str) -> Problem {
        ApiToken::new("id", Secret::from(secret))
            .unwrap_err()
            .problem
    }

    #[test]
    fn row_51_one_newline_at_the_end_is_taken_off() {
        for ending in ["", "\n", "\r\n"] {
            let token =
                ApiToken::new(format!("id{ending}"), Secret::from(format!("s{ending}"))).unwrap();
            assert_eq!(
                (token.id().as_str(), token.secret().expose_secret()),
                ("id", "s")
            );
        }
    }

    #[test]
    fn row_51_a_text_that_is_no_secret_is_refused_by_reason() {
        assert_eq!(problem(""), Problem::Empty);
        assert_eq!(problem("\n"), Problem::Empty);
        assert_eq!(problem("s\n\n"), Problem::ControlCharacter);
        assert_eq!(problem("a\0b"), Problem::ControlCharacter);
        assert_eq!(problem("\u{feff}s"), Problem::ByteOrderMark);
        assert_eq!(problem(" s"), Problem::OuterSpace);
        assert_eq!(problem("   "), Problem::OuterSpace);
        assert_eq!(problem(&"s".repeat(CREDENTIAL_LIMIT + 1)), Problem::TooLong);
        assert_eq!(
            ApiToken::new("", Secret::from("s")).unwrap_err().part,
            Part::Id
        );
    }

    #[test]
    fn row_07_what_the_service_gave_is_taken_as_it_stands_or_not_at_all() {
        let token = ApiToken::exact("id", "s").unwrap();
        assert_eq!(
            (token.id().as_str(), token.secret().expose_secret()),
            ("id", "s")
        );
        for ending in ["\n", "\r", "\r\n", "\0"] {
            let ended = format!("s{ending}");
            for (error, part) in [
                (ApiToken::exact("id", &ended).unwrap_err(), Part::Secret),
                (ApiToken::exact(&ended, "s").unwrap_err(), Part::Id),
                (checked_id(&ended).unwrap_err(), Part::Id),
            ] {
                assert_eq!(
                    (error.part, error.problem),
                    (part, Problem::ControlCharacter)
                );
            }
        }
    }

    #[test]
    fn row_51_the_error_names_the_source_and_not_the_value() {
        let error = ApiToken::new("id", Secret::from("planted\nplanted"))
            .unwrap_err()
            .found_in("a file");
        assert_eq!(
            error.to_string(),
            "the API token's secret (from a file) contains a control character, such as a second line"
        );
        assert!(!format!("{error:?}").contains("planted"));
    }

    #[test]
    fn row_18_only_a_b64token_is_a_bearer() {
        for good in ["a", "eyJ.eyJ-_~+/.sig==", &"a".repeat(ACCESS_TOKEN_LIMIT)] {
            assert_eq!(checked_bearer(good).unwrap().expose_secret(), good);
        }
        for bad in ["a\nb", "a\r\nb", "a\0", "a b", "a,b", "é", "=", "a=b"] {
            assert_eq!(
                checked_bearer(bad).unwrap_err().problem,
                Problem::NotABearerToken,
                "{bad:?}"
            );
        }
        assert_eq!(checked_bearer("").unwrap_err().problem, Problem::Empty);
        let long = "a".repeat(1024 * 1024);
        assert_eq!(checked_bearer(&long).unwrap_err().problem, Problem::TooLong);
    }
}
