//! Advice after a rotation: what the service has ruled, what to run, and until when.

use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use pollination_auth::{RotateError, Ruling};
use serde::{Deserialize, Serialize};

use crate::text::{option, quoted};
use crate::time;
use crate::variables;

/// The commands that go on from a rotation.
#[derive(Clone, Debug)]
pub(crate) struct Remedies {
    pub(crate) login: String,
    pub(crate) create: String,
    pub(crate) resume: String,
    /// The rescue directory, if there is one.
    pub(crate) rescue: Option<PathBuf>,
}

impl Remedies {
    /// Returns what helps if something else answered for the service, or with another account's
    /// words.
    fn again(&self) -> String {
        let resume = &self.resume;
        format!("\n  if the service answered wrongly, `{resume}` asks it again")
    }

    /// Returns where else a secret may be: a pair in the rescue directory can be unreadable, or have another
    /// id.
    fn elsewhere(&self) -> String {
        self.rescue.as_ref().map_or_else(String::new, |rescue| {
            format!(
                "\n  first look for a newer pair in {}; {}={} makes every command use what is there",
                rescue.display(),
                variables::DIRECTORY,
                quoted(&rescue.to_string_lossy())
            )
        })
    }

    pub(crate) fn of(&self, ruling: Ruling) -> String {
        let Self {
            login,
            create,
            resume,
            rescue: _,
        } = self;
        match ruling {
            Ruling::ApiTokenGone => format!(
                "\n  create one in the web interface and run `{login}`,\n  or with an access token \
                 from before run `{create}`{}",
                self.again()
            ),
            Ruling::OtherApiToken => {
                format!("\n  `{resume}` names where it is kept; run `{login}` with it")
            }
            _ => format!(
                "{}\n  create a new API token in the web interface and run `{login}`{}",
                self.elsewhere(),
                self.again()
            ),
        }
    }
}

/// A new API token in the rescue directory, or one that may be it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Aside {
    pub(crate) directory: PathBuf,
    pub(crate) profile: String,
    pub(crate) id: String,
    /// Whether it was seen there, and is known to be the new one.
    #[serde(skip)]
    pub(crate) is_sure: bool,
}

impl Aside {
    /// Returns which API token is where.
    pub(crate) fn is_where(&self) -> String {
        let is_in = if self.is_sure { "is in" } else { "may be in" };
        format!("{} {is_in} {}", self.id, self.directory.display())
    }

    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        (&self.directory, &self.profile) == (&other.directory, &other.profile)
    }

    /// Returns how commands use what is there.
    pub(crate) fn how_to_use(&self) -> String {
        format!(
            "{}={} with {} makes every command use it",
            variables::DIRECTORY,
            quoted(&self.directory.to_string_lossy()),
            option("--profile", &self.profile)
        )
    }
}

/// What a creation without a clear end may have made.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// An API token, or nothing.
    Unknown,
    /// An API token, or nothing if what was stored before still logs in.
    UnlessStored,
    /// The stored API token. A newer secret of it may be in these places, where somebody may have rotated
    /// it.
    Stored(Vec<Aside>),
    /// The API tokens in these places, of which the last is the newest.
    PutAside(Vec<Aside>),
}

/// What to do about a creation without a clear end.
#[derive(Clone, Debug)]
pub(crate) struct Redo {
    pub(crate) made: Made,
    pub(crate) delete: String,
    /// This one alone, where no API token exists.
    pub(crate) create: String,
    /// The stored API token that `create` asks about before it replaces it: nobody was asked yet.
    pub(crate) asks: Option<String>,
}

impl Redo {
    /// Returns the commands that replace an API token whose secret nobody knows, each on a line.
    pub(crate) fn lines(&self) -> String {
        let asked = self.asks.as_ref().map_or_else(String::new, |id| {
            format!(
                "\n  the second command would replace the stored API token {id} on this machine too: add \
                 `{}` if it may, or another --profile to keep both",
                option("--replace", id)
            )
        });
        format!("\n    {}\n    {}{asked}", self.delete, self.create)
    }
}

impl fmt::Display for Redo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.made {
            Made::Unknown => {
                f.write_str(
                    "an API token may exist whose secret nobody knows; if nobody uses it, replace it:",
                )?;
            }
            Made::UnlessStored => f.write_str(
                "if the stored API token no longer logs in, and nobody else has rotated it, there is a new \
                 one whose secret nobody knows; only then replace it:",
            )?,
            Made::Stored(places) => {
                f.write_str(
                    "the new API token is stored, and a login with it completes the creation; only if \
                     it does not log in, ",
                )?;
                for aside in places {
                    write!(
                        f,
                        "look for a newer secret in {} ({}), and if there is none, ",
                        aside.directory.display(),
                        aside.how_to_use()
                    )?;
                }
                f.write_str("replace it:")?;
            }
            Made::PutAside(places) => {
                for (number, aside) in places.iter().enumerate() {
                    let then = if number == 0 { "" } else { "; " };
                    let is_in = match aside.is_sure {
                        true => format!("{} is in", aside.id),
                        false => format!("may be {} in", aside.id),
                    };
                    write!(
                        f,
                        "{then}the new API token {is_in} {}, and {}",
                        aside.directory.display(),
                        aside.how_to_use()
                    )?;
                }
                let are_sure = places.iter().all(|aside| aside.is_sure);
                f.write_str(if are_sure && places.len() > 1 {
                    "; the last of these is the newest; only if none of them logs in, replace it:"
                } else if are_sure {
                    "; only if it does not log in, replace it:"
                } else {
                    "; only if that is not the new one or does not log in, and nobody uses the account's \
                     API token, replace it:"
                })?;
            }
        }
        f.write_str(&self.lines())
    }
}

/// Advice on how to continue a rotation, and until when.
pub(crate) struct Recovery<'a> {
    pub(crate) error: &'a RotateError,
    pub(crate) remedies: &'a Remedies,
}

impl fmt::Display for Recovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, remedies } = self;
        if error.is_safe_to_retry() {
            return Ok(());
        }
        if let RotateError::CredentialLost(failure) = error
            && let Some(since) = failure.started_at()
        {
            write!(
                f,
                "\n  the rotation began at {}, and {} requests may have been acted on",
                time::rfc3339(since),
                failure.requests()
            )?;
        }
        match ruling(error) {
            // Where it is kept is said already.
            Some(Ruling::OtherApiToken) => {
                write!(f, "\n  run `{}` with the other one", remedies.login)
            }
            Some(Ruling::CredentialLost) => {
                write!(
                    f,
                    "\n  then run `{}`{}{}",
                    remedies.login,
                    remedies.elsewhere(),
                    remedies.again()
                )
            }
            Some(ruling) => f.write_str(&remedies.of(ruling)),
            None => {
                let before = before(error.recovery_deadline());
                write!(f, "\n  run `{}`{before}", remedies.resume)
            }
        }
    }
}

/// Returns until when a rotation can be resumed, or that this may be over by this machine's clock.
pub(crate) fn before(deadline: Option<SystemTime>) -> String {
    deadline.map_or_else(String::new, |deadline| {
        let at = time::rfc3339(deadline);
        if deadline > SystemTime::now() {
            format!(" before {at}")
        } else {
            format!(
                "\n  {OVERDUE} {at}: the service decides whether a lost secret can still be replaced"
            )
        }
    })
}

/// What stands before the end of a rotation's access token where that has passed.
pub(crate) const OVERDUE: &str = "by this machine's clock its access token expired at";

/// Returns what the service has ruled on the last rotation, and when.
pub(crate) fn ruled(ruling: Ruling, at: SystemTime) -> String {
    let what = match ruling {
        Ruling::ApiTokenGone => "the account has no API token any longer",
        Ruling::OtherApiToken => {
            "the last rotation brought a secret of another API token than the stored one"
        }
        _ => "the credential is lost: no known secret works any longer",
    };
    format!("{what} (since {})", time::rfc3339(at))
}

/// Returns what the service has ruled, if it has.
pub(crate) fn ruling(error: &RotateError) -> Option<Ruling> {
    match error {
        RotateError::CredentialLost(_) => Some(Ruling::CredentialLost),
        RotateError::ApiTokenGone(_) => Some(Ruling::ApiTokenGone),
        RotateError::OtherApiToken(_) => Some(Ruling::OtherApiToken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_advice_to_replace_is_for_the_case_that_none_of_several_api_tokens_logs_in() {
        let aside = |id: &str| Aside {
            directory: "/rescue".into(),
            profile: format!("default {id}"),
            id: id.to_owned(),
            is_sure: true,
        };
        let redo = Redo {
            made: Made::PutAside(vec![aside("older"), aside("newer")]),
            delete: "delete".to_owned(),
            create: "create".to_owned(),
            asks: None,
        };
        let said = redo.to_string();
        assert!(said.contains("the last of these is the newest"), "{said}");
        assert!(said.contains("only if none of them logs in"), "{said}");
        assert!(
            said.find("older is in") < said.find("newer is in"),
            "{said}"
        );
    }

    #[test]
    fn a_rotation_is_never_to_be_resumed_before_a_time_in_the_past() {
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let said = before(Some(past));
        assert!(
            said.contains(&format!("{OVERDUE} 2023-11-14T22:13:20Z")),
            "{said}"
        );
        assert!(!said.contains("before"), "{said}");
        let hour = Duration::from_secs(3600);
        let said = before(Some(SystemTime::now() + hour));
        assert!(said.starts_with(" before 2"), "{said}");
        assert_eq!(before(None), "");
    }
}
