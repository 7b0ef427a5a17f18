//! Holds counts against those that are checked in: what grew is found before it lands.

use std::path::Path;

use crate::figure::{Figure, OURS};

/// The counts that are checked in, beside the manifest of this package.
pub const FILE: &str = "crates/pollination-auth-bench/baseline.json";

/// How much a count of instructions may grow: 3 %.
///
/// The same program counts the same; another compiler, C library or processor moves some of them.
const INSTRUCTIONS: f64 = 0.03;

/// How much a count of allocations may grow: half of one for each piece of work.
///
/// Some are made once for many calls, and fall on either side of a measurement.
const ALLOCATIONS: f64 = 0.5;

/// Reads the counts that are checked in.
///
/// # Errors
///
/// They can't be read, or are none.
pub fn read(root: &Path) -> std::io::Result<Vec<Figure>> {
    Ok(serde_json::from_slice(&std::fs::read(root.join(FILE))?)?)
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

/// Says what is wrong with counts: what misses its goal, and what grew beyond its tolerance.
#[must_use]
pub fn complaints(counted: &[Figure], baseline: &[Figure]) -> Vec<String> {
    counted
        .iter()
        .filter_map(|figure| complaint(figure, baseline))
        .collect()
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
    let same = |other: &&Figure| other.name == *name && other.unit == *unit;
    let before = baseline.iter().find(same).and_then(ours);
    let (Some(now), Some(before)) = (ours(figure), before) else {
        return Some(format!(
            "{name}, {unit}: not in the baseline; write it anew"
        ));
    };
    let most = match unit.as_str() {
        "instructions" => before * (1.0 + INSTRUCTIONS),
        _ => before + ALLOCATIONS,
    };
    (now > most).then(|| format!("{name}, {unit}: {now:.2} where it was {before:.2}"))
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
            figure("instructions", 1_030.0),
            figure("instructions", 1.0),
            figure("allocations", 50.5),
        ] {
            assert_eq!(complaints(&[passes], &baseline), Vec::<String>::new());
        }
    }

    #[test]
    fn what_grew_or_misses_its_goal_or_is_new_is_told() {
        let baseline = [figure("instructions", 1_000.0), figure("allocations", 50.0)];
        for (told, complaint) in [
            (
                figure("instructions", 1_031.0),
                "a call, instructions: 1031.00 where it was 1000.00",
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
            assert_eq!(complaints(&[told], &baseline), [complaint]);
        }
    }
}
