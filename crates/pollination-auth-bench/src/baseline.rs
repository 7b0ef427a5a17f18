//! Holds counts against those that are checked in: what grew is found before it lands.

use std::path::Path;

use crate::figure::{Figure, OURS};

/// The counts that are checked in, beside the manifest of this package.
pub const FILE: &str = "crates/pollination-auth-bench/baseline.json";

/// The unit of what is counted with valgrind alone.
const INSTRUCTIONS_UNIT: &str = "instructions";

/// How much a count of instructions may grow: 5 %.
///
/// Another compiler, C library or processor moves some counts, and so does the order in which the system
/// wakes many tasks: the same program counted 65 700 to 67 700 for a call of 64 tasks.
const INSTRUCTIONS: f64 = 0.05;

/// How much a count of allocations may grow: half of one for each piece of work.
///
/// A piece of work has a whole number of them.
const ALLOCATIONS: f64 = 0.5;

/// Reads the counts that are checked in.
///
/// # Errors
///
/// The file can't be read or is not a list of figures; the error names it.
pub fn read(root: &Path) -> Result<Vec<Figure>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{FILE}: {error}");
    let text = std::fs::read(root.join(FILE)).map_err(|error| told(&error))?;
    serde_json::from_slice(&text).map_err(|error| told(&error))
}

/// Puts these counts in the place of those that are checked in.
///
/// # Errors
///
/// They can't be written.
pub fn write(root: &Path, figures: &[Figure]) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(figures)?;
    std::fs::write(root.join(FILE), text + "\n")
}

/// Returns what is wrong with counts: what misses its goal, what grew beyond its tolerance, and what
/// is no longer counted.
///
/// Where not one count is of instructions there is no valgrind, and those are not missed.
#[must_use]
pub fn complaints(counted: &[Figure], baseline: &[Figure]) -> Vec<String> {
    let no_instructions = counted
        .iter()
        .all(|figure| figure.unit != INSTRUCTIONS_UNIT);
    let missing = baseline.iter().filter(|before| {
        let excused = no_instructions && before.unit == INSTRUCTIONS_UNIT;
        !excused && !counted.iter().any(|figure| is_same(figure, before))
    });
    let missing = missing.map(|Figure { name, unit, .. }| format!("{name}, {unit}: not counted"));
    counted
        .iter()
        .filter_map(|figure| complaint(figure, baseline))
        .chain(missing)
        .collect()
}

fn is_same(one: &Figure, other: &Figure) -> bool {
    one.name == other.name && one.unit == other.unit
}

fn complaint(figure: &Figure, baseline: &[Figure]) -> Option<String> {
    let Figure {
        name, unit, judged, ..
    } = figure;
    if !figure.is_met() {
        return Some(format!(
            "{name}, {unit}: {judged:.3} misses the goal, {:?}",
            figure.goal
        ));
    }
    let before = baseline.iter().find(|other| is_same(figure, other));
    let before = before.and_then(ours);
    let (Some(now), Some(before)) = (ours(figure), before) else {
        return Some(format!(
            "{name}, {unit}: not in the baseline; write it anew"
        ));
    };
    let most = match unit.as_str() {
        INSTRUCTIONS_UNIT => before * (1.0 + INSTRUCTIONS),
        _ => before + ALLOCATIONS,
    };
    // What is no number is not within anything.
    let is_within = now <= most;
    (!is_within).then(|| format!("{name}, {unit}: {now:.2} where it was {before:.2}"))
}

fn ours(figure: &Figure) -> Option<f64> {
    figure.numbers.get(OURS).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Goal;

    fn figure(unit: &str, number: f64) -> Figure {
        Figure::alone("a call", unit, number, Goal::AtMost(2_000.0))
    }

    #[test]
    fn what_stays_within_its_tolerance_passes() {
        let baseline = [figure("instructions", 1_000.0), figure("allocations", 50.0)];
        for passes in [
            figure("instructions", 1_050.0),
            figure("instructions", 1.0),
            figure("allocations", 50.5),
        ] {
            let same = baseline.iter().filter(|before| before.unit == passes.unit);
            let baseline: Vec<Figure> = same.cloned().collect();
            assert_eq!(complaints(&[passes], &baseline), Vec::<String>::new());
        }
    }

    #[test]
    fn what_grew_or_misses_its_goal_or_is_new_is_told() {
        let baseline = [figure("instructions", 1_000.0), figure("allocations", 50.0)];
        for (told, complaint) in [
            (
                figure("instructions", 1_051.0),
                "a call, instructions: 1051.00 where it was 1000.00",
            ),
            (
                figure("allocations", 51.0),
                "a call, allocations: 51.00 where it was 50.00",
            ),
            (
                figure("instructions", 3_000.0),
                "a call, instructions: 3000.000 misses the goal, Some(AtMost(2000.0))",
            ),
            (
                figure("ns", 1.0),
                "a call, ns: not in the baseline; write it anew",
            ),
        ] {
            assert_eq!(complaints(&[told], &baseline).first().unwrap(), complaint);
        }
    }

    #[test]
    fn what_is_no_number_is_told() {
        let counted = |number| Figure::alone("a herd", "allocations", number, None);
        assert_eq!(
            complaints(&[counted(f64::NAN)], &[counted(1.0)]),
            ["a herd, allocations: NaN where it was 1.00"]
        );
    }

    #[test]
    fn what_is_no_longer_counted_is_told_but_for_instructions_without_valgrind() {
        let baseline = [figure("instructions", 1_000.0), figure("allocations", 50.0)];
        let [instructions, allocations] = &baseline;
        let passes = complaints(std::slice::from_ref(allocations), &baseline);
        assert_eq!(passes, Vec::<String>::new());
        assert_eq!(
            complaints(std::slice::from_ref(instructions), &baseline),
            ["a call, allocations: not counted"]
        );
    }

    #[test]
    fn a_baseline_that_is_missing_or_broken_is_named() {
        let root = tempfile::tempdir().unwrap();
        let told = || read(root.path()).unwrap_err();
        assert!(told().starts_with(FILE), "{}", told());
        let file = root.path().join(FILE);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "[{}]").unwrap();
        assert!(told().starts_with(FILE), "{}", told());
    }
}
