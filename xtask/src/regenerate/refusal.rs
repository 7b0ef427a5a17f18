//! Refusals of a document: all problems that a stage found, each with its JSON pointer. What else
//! can go wrong with a command is here too.

use std::{fmt, io};

use serde::Serialize;

/// The stage of the pipeline that refused a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Bytes to one JSON value.
    Read,
    /// The five operations and what they reach.
    Select,
    /// 3.1 to 3.0.
    Lower,
    /// The overlay document.
    Correct,
    /// What the generator and the handwritten crate need.
    Validate,
    /// Rust made of the document.
    Generate,
    /// What changed.
    Compare,
    /// The files of the workspace.
    Write,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One problem of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The JSON pointer of the place in the stage's input; empty for the whole document.
    pub pointer: String,
    /// What is wrong there, and what is expected.
    pub message: String,
}

/// A stage and the problems it found, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The stage that refused.
    pub stage: Stage,
    /// The problems, in the order of the document.
    pub problems: Vec<Problem>,
}

impl Refusal {
    /// Refuses for a single reason.
    pub fn new(stage: Stage, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            stage,
            problems: vec![Problem {
                pointer: pointer.into(),
                message: message.into(),
            }],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { pointer, message }) in self.problems.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            let place = if pointer.is_empty() { "" } else { " at " };
            write!(f, "{newline}{}{place}{pointer}: {message}", self.stage)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Error of a command that could not finish.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A document was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The change breaks clients, and that was not allowed.
    #[error("the change breaks clients; nothing was written. Use --allow-breaking to write it")]
    Withheld,
    /// A document or a file of the workspace can't be read, or the output can't be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Collects the problems of a stage, and refuses if there is any.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        let problem = Problem {
            pointer: pointer.into(),
            message: message.into(),
        };
        // A schema that is reached twice is one problem.
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Finishes a stage.
    ///
    /// # Errors
    ///
    /// At least one problem was added.
    pub fn into_result(self, stage: Stage) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Refusal {
            stage,
            problems: self.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::pointer::at;

    #[test]
    fn a_refusal_has_a_line_for_each_problem() {
        let mut problems = Problems::default();
        problems.add(at("/paths", "/a~b"), "no");
        problems.add("", "nothing");
        problems.add("", "nothing");
        let refusal = problems.into_result(Stage::Select).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "select at /paths/~1a~0b: no\nselect: nothing"
        );
    }

    #[test]
    fn no_problem_is_no_refusal() {
        assert_eq!(Problems::default().into_result(Stage::Read), Ok(()));
    }
}
