//! Says how many nanoseconds of processor time the reads took.

use bench_google::{Arguments, run};
use clap::Parser as _;

fn main() {
    println!("{}", run(&Arguments::parse()).as_nanos());
}
