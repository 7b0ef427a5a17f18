//! An OpenAPI document as JSON: its parts, its positions, and its references. The stages in
//! `regenerate` work on it.

pub mod keywords;
pub mod number;
pub mod parts;
pub mod pointer;
pub mod positions;
pub mod reference;
