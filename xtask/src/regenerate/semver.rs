//! The version step that each published crate needs: of the generated one by its public surface, of
//! the others by what the change means on the wire.

use std::fmt;

use serde::Serialize;

use super::compare::Verdict;
use super::refusal::{Refusal, Stage};
use crate::golden::Generated;

pub mod surface;

use surface::{Difference, Happened, Surface};

/// The crate whose types and functions are generated.
const GENERATED: &str = "pollination-auth-api";

/// The module of the generated crate that holds the typed mocks.
const MOCKS: &str = "httpmock";

/// What a step means while a version begins with 0.
pub const BEFORE_1_0: &str = "before 1.0, major is 0.1 to 0.2; minor and patch are 0.1.0 to 0.1.1";

/// A step of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// No release is needed.
    None,
    /// A change that a user's code does not see.
    Patch,
    /// Something new to use; before 1.0 it also raises the patch number.
    Minor,
    /// A user's code may no longer compile or work; before 1.0 this raises the minor number.
    Major,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The version step of each published crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semver {
    /// Of the crate whose types and functions are generated.
    pub generated: Step,
    /// Of each other crate. They have types of their own, so only the wire breaks their users.
    pub others: Step,
}

impl Semver {
    /// Returns the step of a crate.
    #[must_use]
    pub fn of(&self, name: &str) -> Step {
        if name == GENERATED {
            self.generated
        } else {
            self.others
        }
    }
}

/// What a change means for the versions, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The steps.
    pub semver: Semver,
    /// The crates that are published.
    pub published: Vec<String>,
    /// What is different in the public surface of the generated crate.
    pub surface: Vec<Difference>,
}

/// Compares two generated clients, and tells the step of every crate in a list.
///
/// # Errors
///
/// A generated file is no Rust.
pub fn release(
    (old, new): (&Generated, &Generated),
    verdict: Verdict,
    published: Vec<String>,
) -> Result<Release, Refusal> {
    let broken = |error: syn::Error| Refusal::new(Stage::Generate, "", error.to_string());
    let new_surface = surface_of(new).map_err(broken)?;
    let surface = surface_of(old).map_err(broken)?.differences(&new_surface);
    let generated = if old == new {
        Step::None
    } else if surface.is_empty() {
        Step::Patch
    } else if surface.iter().all(|it| it.change == Happened::Added) {
        Step::Minor
    } else {
        Step::Major
    };
    let others = match verdict {
        Verdict::Breaking => Step::Major,
        Verdict::Compatible => Step::Patch,
        // A release that asks for the new version of the generated crate.
        Verdict::Identical if generated == Step::Major => Step::Patch,
        Verdict::Identical => Step::None,
    };
    Ok(Release {
        semver: Semver { generated, others },
        published,
        surface,
    })
}

fn surface_of(generated: &Generated) -> syn::Result<Surface> {
    let mut surface = Surface::default();
    surface.add("", &generated.client)?;
    surface.add(MOCKS, &generated.httpmock)?;
    Ok(surface)
}
