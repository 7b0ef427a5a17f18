//! One scenario with one peer in a process of its own: says what it took, as JSON.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for the benchmark, which can end when it can't go on"
)]

use clap::Parser as _;
use pollination_auth_bench::work::{Arguments, work};

fn main() {
    let took = work(&Arguments::parse());
    println!("{}", serde_json::to_string(&took).expect("numbers"));
}
