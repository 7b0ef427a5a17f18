//! `cargo xtask bench`: measures, prints one table, and writes it as JSON.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum as _};
use pollination_auth_bench::baseline;
use pollination_auth_bench::figure::{Figure, table};
use pollination_auth_bench::lab::{Lab, has_valgrind};
use pollination_auth_bench::plot;
use pollination_auth_bench::sections::{COUNTED, Section};

/// Measures what pollination-auth costs beside its peers, and prints one table
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", version = None)]
struct Arguments {
    /// Measure these alone; all of them take about 25 minutes
    #[arg(long, value_enum, value_name = "SECTION", num_args = 1..)]
    only: Vec<Section>,
    /// Count instructions and allocations, and exit with 1 if they grew
    #[arg(long, conflicts_with_all = ["only", "json", "plot"])]
    check: bool,
    /// Count instructions and allocations, and check them in as the baseline
    #[arg(long, conflicts_with_all = ["check", "only", "json", "plot"])]
    write_baseline: bool,
    /// Write the numbers to this file, too
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    json: PathBuf,
    /// Draw the instructions of a call with each peer
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns `true` if everything is as it ought to be.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    if arguments.write_baseline && !has_valgrind() {
        return Err(
            "a baseline without instructions would be none: valgrind is not installed".into(),
        );
    }
    // Counting takes minutes, after which it would be late to learn that there is none.
    let before = match arguments.check {
        true => baseline::read(&root)?,
        false => Vec::new(),
    };
    let own = std::env::current_exe()?;
    let lab = Lab::open(own.parent().unwrap_or(Path::new(".")));
    if !has_valgrind() {
        println!("valgrind is not installed: instructions are not counted");
    }
    if arguments.check || arguments.write_baseline {
        let counted: Vec<Figure> = COUNTED
            .iter()
            .flat_map(|section| section.count(&lab))
            .collect();
        print!("{}", table(&counted));
        if arguments.write_baseline {
            baseline::write(&root, &counted)?;
            return Ok(true);
        }
        let complaints = baseline::complaints(&counted, &before);
        complaints
            .iter()
            .for_each(|complaint| println!("{complaint}"));
        return Ok(complaints.is_empty());
    }
    let sections = match arguments.only.as_slice() {
        [] => Section::value_variants(),
        some => some,
    };
    let measured = sections
        .iter()
        .flat_map(|section| section.measure(&lab, &root));
    let figures: Vec<Figure> = measured.collect();
    print!("{}", table(&figures));
    std::fs::write(
        root.join(&arguments.json),
        serde_json::to_string_pretty(&figures)?,
    )?;
    if let Some(file) = &arguments.plot {
        plot::draw(&figures, &root.join(file))?;
    }
    Ok(true)
}
