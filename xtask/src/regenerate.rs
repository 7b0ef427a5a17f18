//! From the document that upstream publishes to the contract of this workspace, in stages. Each is
//! a pure function in a module of its own.

pub mod compare;
pub mod correct;
pub mod difference;
mod gather;
pub mod generate;
mod locate;
pub mod lower;
pub mod normalise;
pub mod pipeline;
pub mod place;
pub mod plan;
pub mod read;
pub mod refusal;
pub mod report;
pub mod run;
mod rust_faults;
pub mod select;
pub mod semver;
pub mod source;
pub mod validate;
pub mod write;
