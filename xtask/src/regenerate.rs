//! From whatever upstream publishes to the contract of this workspace, in stages that are each a
//! pure function. What a stage does is in its module; here is their order.

pub mod compare;
pub mod correct;
mod gather;
pub mod lower;
pub mod normalise;
pub mod pipeline;
pub mod positions;
pub mod read;
pub mod reference;
pub mod refusal;
pub mod report;
pub mod run;
pub mod select;
pub mod source;
pub mod validate;
pub mod write;

/// The operations of the contract, by operationId. This is the one place that lists them.
pub const OPERATIONS: [&str; 5] = [
    "login",
    "get_api_token",
    "create_api_token",
    "rotate_api_token_secret",
    "delete_api_token",
];
