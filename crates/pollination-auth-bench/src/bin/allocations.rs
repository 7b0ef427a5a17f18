//! One scenario with one peer, under an allocator that counts: says how many allocations it took.
//!
//! A program apart from the worker, so that counting costs nothing where time and instructions are
//! measured. It counts those of this thread, on which every scenario but those of two threads runs.

#![expect(clippy::print_stdout, reason = "a program for the benchmark")]

use clap::Parser as _;
use pollination_auth_bench::work::{Arguments, work};

fn main() {
    let arguments = Arguments::parse();
    let counted = allocation_counter::measure(|| {
        let _took = work(&arguments);
    });
    println!("{}", counted.count_total);
}
