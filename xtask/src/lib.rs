//! The tasks of this workspace: check it, run what CI runs, and regenerate the contract.
//!
//! The binary is a thin caller of [`cli`]; everything else is here, where tests reach it. What
//! users of the client run is in the other crates.

#![expect(clippy::exhaustive_enums, reason = "the crate is not published")]

mod bench;
pub mod canonical;
pub mod check;
pub mod ci;
pub mod cli;
pub mod compiles;
mod distribute;
pub mod document;
mod engines;
pub mod golden;
mod mutants;
pub mod mutations;
pub mod oracle;
mod packaging;
mod proof;
mod races;
mod readme;
pub mod regenerate;
mod replay;
mod service;
pub mod terminal;
pub mod workspace;

#[path = "../../build/codegen.rs"]
mod codegen;
