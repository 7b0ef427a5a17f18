//! One measured thing: a number for each peer, and what it ought to be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::work::Peer;

/// The name of a figure's own column, where it is not about peers.
pub const OURS: &str = "ours";

/// One measured thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The unit of the numbers.
    pub unit: String,
    /// A number for each peer, by its name.
    pub numbers: BTreeMap<String, f64>,
    /// Ours to that which it is compared with, or our number where it stands alone.
    pub judged: f64,
    /// What it ought to be.
    pub goal: Option<Goal>,
}

/// What a figure ought to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Goal {
    fn is_met(self, judged: f64) -> bool {
        match self {
            Self::AtMost(most) => judged <= most,
            Self::AtLeast(least) => judged >= least,
        }
    }
}

impl Figure {
    /// Compares our number with that of reqwest by hand.
    #[must_use]
    pub fn compared(
        name: &str,
        unit: &str,
        numbers: impl IntoIterator<Item = (Peer, f64)>,
        goal: Goal,
    ) -> Self {
        let numbers = numbers
            .into_iter()
            .map(|(peer, number)| (peer.to_string(), number));
        let numbers: BTreeMap<_, _> = numbers.collect();
        let of = |peer: Peer| numbers.get(&peer.to_string()).copied().unwrap_or(f64::NAN);
        Self {
            judged: of(Peer::Ours) / of(Peer::ByHand),
            name: name.to_owned(),
            unit: unit.to_owned(),
            goal: Some(goal),
            numbers,
        }
    }

    /// Takes our number alone.
    #[must_use]
    pub fn alone(name: &str, unit: &str, number: f64, goal: impl Into<Option<Goal>>) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            numbers: BTreeMap::from([(OURS.to_owned(), number)]),
            judged: number,
            goal: goal.into(),
        }
    }

    /// Takes a judgement that was not made of the numbers.
    #[must_use]
    pub fn judged(self, judged: f64) -> Self {
        Self { judged, ..self }
    }

    /// Returns `true` if it is what it ought to be; what has no goal is.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.goal.is_none_or(|goal| goal.is_met(self.judged))
    }
}

/// Writes one table of all figures, as Markdown.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let mut peers: Vec<&str> = Vec::new();
    for name in figures.iter().flat_map(|figure| figure.numbers.keys()) {
        if !peers.contains(&name.as_str()) {
            peers.push(name);
        }
    }
    peers.sort_by_key(|peer| *peer != OURS);
    let mut rows = vec![vec!["measure".to_owned()]];
    let [head, ..] = rows.as_mut_slice() else {
        return String::new();
    };
    head.extend(peers.iter().map(|peer| (*peer).to_owned()));
    head.extend(["judged", "goal", ""].map(str::to_owned));
    for figure in figures {
        let mut row = vec![format!("{}, {}", figure.name, figure.unit)];
        let number = |peer: &&str| {
            figure
                .numbers
                .get(*peer)
                .map_or_else(String::new, |it| short(*it))
        };
        row.extend(peers.iter().map(number));
        row.push(short(figure.judged));
        row.push(match figure.goal {
            Some(Goal::AtMost(most)) => format!("<= {most}"),
            Some(Goal::AtLeast(least)) => format!(">= {least}"),
            None => String::new(),
        });
        row.push(if figure.is_met() { "" } else { "missed" }.to_owned());
        rows.push(row);
    }
    aligned(&rows)
}

/// Writes rows under each other, the first as the head.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Nothing can fail that writes into a text.
            let _ = match column {
                0 => write!(table, "| {cell:<width$} "),
                _ => write!(table, "| {cell:>width$} "),
            };
        }
        table.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(*width);
                let _ = match column {
                    0 => write!(table, "| {dashes} "),
                    _ => write!(table, "| {dashes}:"),
                };
            }
            table.push_str("|\n");
        }
    }
    table
}

/// Writes a number with as many digits as tell something.
fn short(number: f64) -> String {
    match number.abs() {
        large if large >= 1_000.0 => format!("{number:.0}"),
        middle if middle >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_judged_by_the_one_by_hand() {
        let numbers = [
            (Peer::Ours, 50.0),
            (Peer::ByHand, 100.0),
            (Peer::Socket, 1.0),
        ];
        let figure = Figure::compared("calls", "instructions", numbers, Goal::AtMost(0.5));
        assert_eq!(figure.judged, 0.5);
        assert!(figure.is_met());
        let missed = Figure {
            goal: Some(Goal::AtLeast(0.6)),
            ..figure
        };
        assert!(!missed.is_met());
    }

    #[test]
    fn what_was_not_measured_meets_no_goal() {
        let figure = Figure::compared("calls", "n", [(Peer::Ours, 1.0)], Goal::AtMost(9.0));
        assert!(!figure.is_met());
    }

    #[test]
    fn a_table_has_a_column_for_each_peer_and_says_what_is_missed() {
        let figures = [
            Figure::alone("a", "ns", 12.34, Goal::AtMost(10.0)),
            Figure::compared(
                "b",
                "n",
                [(Peer::Ours, 1.0), (Peer::Ureq, 2_000.4)],
                Goal::AtMost(1.0),
            )
            .judged(1.0),
        ];
        assert_eq!(
            table(&figures),
            "| measure | ours | ureq | judged |  goal |        |\n\
             | ------- | ----:| ----:| ------:| -----:| ------:|\n\
             | a, ns   | 12.3 |      |   12.3 | <= 10 | missed |\n\
             | b, n    | 1.00 | 2000 |   1.00 |  <= 1 |        |\n"
        );
    }
}
