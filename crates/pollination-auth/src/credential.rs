//! The two credentials and how long one of them may be used; where they are kept is the store's affair.

pub(crate) mod access_token;
pub(crate) mod api_token;
pub(crate) mod cached_token;
pub(crate) mod grant;
pub(crate) mod jwt;
pub(crate) mod lifetime;
pub(crate) mod profile_id;
pub(crate) mod slot;
pub(crate) mod validity;
