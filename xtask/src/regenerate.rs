//! From whatever upstream publishes to the contract of this workspace, in stages that are each a
//! pure function. What a stage does is in its module; here is their order.

pub mod correct;
mod gather;
pub mod normalise;
pub mod positions;
pub mod reference;
pub mod refusal;
pub mod select;

/// The operations of the contract, by operationId. This is the one place that lists them.
pub const OPERATIONS: [&str; 5] = [
    "login",
    "get_api_token",
    "create_api_token",
    "rotate_api_token_secret",
    "delete_api_token",
];
