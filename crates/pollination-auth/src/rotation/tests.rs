//! The protocol in a world of its own: every schedule of crashes and replies, on virtual time.

mod clocks;
mod control;
mod crash;
mod explore;
mod failing_steps;
mod model;
mod others;
mod product;
mod server;
mod short;
mod steps;
mod world;

use std::fmt;

/// Prints the numbers for whoever runs the tests with `--nocapture`.
#[expect(
    clippy::print_stdout,
    reason = "the numbers are what these tests are for"
)]
fn report(numbers: fmt::Arguments<'_>) {
    println!("{numbers}");
}
