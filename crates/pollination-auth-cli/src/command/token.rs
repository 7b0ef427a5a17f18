//! The commands on the account's API token, one module for each.

mod bearer;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod rotate;
pub(super) mod show;
