//! The five operations, by their names in the contract.
//!
//! What an operation does is not decided here.

use std::fmt;

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

    /// Returns the HTTP method.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Login | Self::CreateApiToken => "POST",
            Self::GetApiToken => "GET",
            Self::RotateApiTokenSecret => "PUT",
            Self::DeleteApiToken => "DELETE",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Login => "/auth/login",
            _ => "/auth/api-token",
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
