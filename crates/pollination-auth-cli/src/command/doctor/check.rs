//! One line of the report.

use std::fmt;

use serde::Serialize;

/// What was found in one place.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    result: Outcome,
    found: String,
    /// What to do; lines of four spaces are commands.
    advice: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Problem,
    /// Something before it failed.
    Skipped,
}

impl Check {
    pub(super) fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            result: Outcome::Ok,
            found: found.into(),
            advice: None,
        }
    }

    pub(super) fn problem(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            name,
            result: Outcome::Problem,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    /// Returns the problem that error messages tell of: what is wrong on their first lines, what to
    /// do on the first one's other lines.
    pub(super) fn of_errors(name: &'static str, messages: &[String], otherwise: &str) -> Self {
        let parts = messages.iter().map(|message| {
            message
                .split_once("\n  ")
                .map_or((message.as_str(), None), |(found, advice)| {
                    (found, Some(advice))
                })
        });
        let found: Vec<_> = parts.clone().map(|(found, _)| found).collect();
        let advice = parts.clone().find_map(|(_, advice)| advice);
        Self::problem(name, found.join("; "), advice.unwrap_or(otherwise))
    }

    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self {
            name,
            result: Outcome::Skipped,
            found: why.into(),
            advice: None,
        }
    }

    /// Returns `true` unless something has to be done.
    pub(super) fn is_good(&self) -> bool {
        self.result != Outcome::Problem
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match self.result {
            Outcome::Ok => "ok",
            Outcome::Problem => "problem",
            Outcome::Skipped => "skipped",
        };
        write!(f, "{result}: {}: {}", self.name, self.found)?;
        match &self.advice {
            Some(advice) => write!(f, "\n  fix: {advice}"),
            None => Ok(()),
        }
    }
}
