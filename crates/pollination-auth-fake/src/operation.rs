//! The five operations, with their methods and paths.
//!
//! What an operation does is not decided here.

use std::fmt;

use http::Method;

/// Where an API token is exchanged for an access token.
const LOGIN_PATH: &str = "/auth/login";
/// Where the API token is kept.
const API_TOKEN_PATH: &str = "/auth/api-token";

/// One of the operations of the contract, named as in `pollination-auth`.
///
/// ```
/// use pollination_auth_fake::Operation;
///
/// assert_eq!(Operation::RotateApiTokenSecret.to_string(), "rotate_api_token_secret");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /auth/login`: an access token for an id and a secret.
    Login,
    /// `GET /auth/api-token`: the id of the API token.
    GetApiToken,
    /// `POST /auth/api-token`: a new API token.
    CreateApiToken,
    /// `PUT /auth/api-token`: a new secret for the API token.
    RotateApiTokenSecret,
    /// `DELETE /auth/api-token`: deletes the API token.
    DeleteApiToken,
}

impl Operation {
    /// All operations, in the order of the variants.
    pub const ALL: [Self; 5] = [
        Self::Login,
        Self::GetApiToken,
        Self::CreateApiToken,
        Self::RotateApiTokenSecret,
        Self::DeleteApiToken,
    ];

    /// Returns the operationId of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::GetApiToken => "get_api_token",
            Self::CreateApiToken => "create_api_token",
            Self::RotateApiTokenSecret => "rotate_api_token_secret",
            Self::DeleteApiToken => "delete_api_token",
        }
    }

    /// Returns the method and the path of its requests.
    pub(crate) fn request(self) -> &'static str {
        match self {
            Self::Login => "POST /auth/login",
            Self::GetApiToken => "GET /auth/api-token",
            Self::CreateApiToken => "POST /auth/api-token",
            Self::RotateApiTokenSecret => "PUT /auth/api-token",
            Self::DeleteApiToken => "DELETE /auth/api-token",
        }
    }

    /// Returns `true` if it changes the account.
    pub(crate) fn changes_the_account(self) -> bool {
        matches!(
            self,
            Self::CreateApiToken | Self::RotateApiTokenSecret | Self::DeleteApiToken
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Operation(Operation),
    /// The path exists, with these methods.
    OtherMethod {
        allow: &'static str,
    },
    OtherPath,
}

impl Target {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        match (path, method.as_str()) {
            (LOGIN_PATH, "POST") => Self::Operation(Operation::Login),
            (LOGIN_PATH, _) => Self::OtherMethod { allow: "POST" },
            (API_TOKEN_PATH, "GET") => Self::Operation(Operation::GetApiToken),
            (API_TOKEN_PATH, "POST") => Self::Operation(Operation::CreateApiToken),
            (API_TOKEN_PATH, "PUT") => Self::Operation(Operation::RotateApiTokenSecret),
            (API_TOKEN_PATH, "DELETE") => Self::Operation(Operation::DeleteApiToken),
            (API_TOKEN_PATH, _) => Self::OtherMethod {
                allow: "DELETE, GET, POST, PUT",
            },
            _ => Self::OtherPath,
        }
    }

    pub(crate) fn operation(self) -> Option<Operation> {
        match self {
            Self::Operation(operation) => Some(operation),
            Self::OtherMethod { .. } | Self::OtherPath => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_that_an_operation_names_asks_for_it() {
        for operation in Operation::ALL {
            let (method, path) = operation.request().split_once(' ').unwrap();
            let target = Target::of(&method.parse().unwrap(), path);
            assert_eq!(target, Target::Operation(operation));
        }
    }
}
