//! The protocol in a world of its own: every schedule of crashes and replies, on virtual time.

mod control;
mod explore;
mod model;
mod product;
mod server;
mod steps;
mod world;
