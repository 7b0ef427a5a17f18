//! From the document that upstream publishes to the contract of this workspace, in stages. Each is
//! a pure function in a module of its own.

pub mod compare;
pub mod correct;
mod gather;
pub mod lower;
pub mod normalise;
pub mod pipeline;
pub mod read;
pub mod refusal;
pub mod report;
pub mod run;
pub mod select;
pub mod source;
pub mod validate;
pub mod write;
