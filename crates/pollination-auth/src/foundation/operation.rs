//! The five operations, by their names in the contract.

use std::fmt;

/// One of the five operations of the service.
///
/// ```
/// use pollination_auth::Operation;
///
/// assert_eq!(Operation::RotateApiTokenSecret.to_string(), "rotate_api_token_secret");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /auth/login`
    Login,
    /// `GET /auth/api-token`
    GetApiToken,
    /// `POST /auth/api-token`
    CreateApiToken,
    /// `PUT /auth/api-token`
    RotateApiTokenSecret,
    /// `DELETE /auth/api-token`
    DeleteApiToken,
}

impl Operation {
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

    /// Returns `true` if its reply contains a new secret, which the service keeps no copy of.
    pub(crate) fn mints_a_secret(self) -> bool {
        matches!(self, Self::CreateApiToken | Self::RotateApiTokenSecret)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
