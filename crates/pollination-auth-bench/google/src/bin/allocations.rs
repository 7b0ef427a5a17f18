//! Says how many allocations a login and the reads on one thread took.

use bench_google::{Arguments, run};
use clap::Parser as _;

fn main() {
    let arguments = Arguments::parse();
    let counted = allocation_counter::measure(|| {
        let _time = run(&arguments);
    });
    println!("{}", counted.count_total);
}
