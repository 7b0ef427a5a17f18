//! The tasks of this workspace: check it, run what CI runs, and take in a changed contract.
//!
//! The binary is a thin caller of [`cli`]; everything else is here, where tests reach it. What
//! runs on the machine of a user of the client is in the other crates.

mod bench;
pub mod canonical;
pub mod check;
pub mod ci;
pub mod cli;
pub mod golden;
mod packaging;
mod races;
pub mod regenerate;
mod soak;
pub mod terminal;
pub mod workspace;

#[path = "../../build/codegen.rs"]
mod codegen;
