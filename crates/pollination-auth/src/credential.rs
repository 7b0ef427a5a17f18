//! The two credentials, and how long an access token may be used.

pub(crate) mod access_token;
pub(crate) mod api_token;
pub(crate) mod cached_token;
pub(crate) mod credential_provider;
pub(crate) mod grant;
pub(crate) mod jwt;
pub(crate) mod lifetime;
pub(crate) mod profile_id;
pub(crate) mod validity;
