//! The client that people use.
