//! The bodies of replies, field by field as the contract documents them.
//!
//! They are not the generated models: those get a field whenever the contract does, and this
//! service goes on without it until it is taught the field.

use pollination_auth_api::SecretText;
use serde::Serialize;

/// An access token, as a login returns it.
#[derive(Serialize)]
pub(crate) struct AccessToken {
    pub(crate) access_token: SecretText,
    pub(crate) expires_in: u64,
    pub(crate) token_type: &'static str,
}

/// The id of an API token.
#[derive(Serialize)]
pub(crate) struct Id {
    pub(crate) id: String,
}

/// An API token with its secret.
#[derive(Serialize)]
pub(crate) struct ApiToken {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<SecretText>,
}

/// What is wrong with a request.
#[derive(Serialize)]
pub(crate) struct Invalid {
    pub(crate) detail: Vec<Violation>,
}

/// One thing that is wrong with a request, and where.
#[derive(Debug, Serialize)]
pub(crate) struct Violation {
    pub(crate) loc: Vec<Loc>,
    pub(crate) msg: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// A step on the way to a place in a request.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Loc {
    Name(String),
    Index(usize),
}

#[cfg(test)]
mod tests {
    use pollination_auth_api::types;
    use serde::de::DeserializeOwned;

    use super::*;

    fn is_a<T: DeserializeOwned>(body: &impl Serialize) -> bool {
        serde_json::from_slice::<T>(&serde_json::to_vec(body).unwrap()).is_ok()
    }

    #[test]
    fn every_body_is_one_of_the_contract() {
        let secret = || SecretText::from("a-secret".to_owned());
        assert!(is_a::<types::Auth0TokenResponse>(&AccessToken {
            access_token: secret(),
            expires_in: 1,
            token_type: "Bearer",
        }));
        let id = || "an-id".to_owned();
        assert!(is_a::<types::NewToken>(&Id { id: id() }));
        for secret in [Some(secret()), None] {
            assert!(is_a::<types::Token>(&ApiToken { id: id(), secret }));
        }
        let loc = vec![Loc::Name("body".to_owned()), Loc::Index(0)];
        let detail = vec![Violation {
            loc,
            msg: "no",
            kind: "none",
        }];
        assert!(is_a::<types::HttpValidationError>(&Invalid { detail }));
    }
}
