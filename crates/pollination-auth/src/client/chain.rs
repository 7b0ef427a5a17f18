//! The default chain: where a client finds its credential without being told.

use std::env::var_os;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::env::{self, Found};
use super::held::Held;
use super::passed_over::PassedOver;
use super::variables::CREDENTIALS_DIRECTORY;
use crate::client::build_error::BuildError;
use crate::credential::profile_id::ProfileId;
#[cfg(feature = "keyring")]
use crate::store::KeyringStore;
use crate::store::{CredentialStore, Document, FileStore, NoDefaultDirectory, Profile};

/// What the chain came to.
enum Link {
    Environment(Found),
    Stored(Arc<dyn CredentialStore>),
}

/// The places outside of the program that the chain looks at.
struct Surroundings<'a> {
    look_up: &'a dyn Fn(&'static str) -> Option<OsString>,
    directory: Result<PathBuf, NoDefaultDirectory>,
}

/// Goes through the chain from this process.
pub(super) fn find(profile: ProfileId) -> Result<Held, BuildError> {
    let surroundings = Surroundings {
        look_up: &var_os,
        directory: FileStore::default_directory(),
    };
    Ok(match resolve(surroundings, &profile)? {
        Link::Environment(Found::ApiToken(token)) => Held::own(token),
        Link::Environment(Found::Files(files)) => Held::files(files),
        Link::Stored(store) => Held::stored(Profile::of(store, profile)),
    })
}

/// Goes through the chain, and takes the first place that has a credential.
///
/// One that has an unusable credential ends it: to pass it over would log in as somebody else.
fn resolve(surroundings: Surroundings<'_>, profile: &ProfileId) -> Result<Link, BuildError> {
    let look_up = surroundings.look_up;
    let mut passed_over = Vec::new();
    if env::has_api_token(look_up) {
        return Ok(Link::Environment(env::api_token(look_up)?));
    }
    let mut pass_over = |passed: PassedOver| {
        tracing::debug!(reason = %passed, "a step of the default chain was passed over");
        passed_over.push(passed);
    };
    pass_over(PassedOver::Environment);
    pass_over(PassedOver::SystemdCredentials {
        directory: look_up(CREDENTIALS_DIRECTORY).map(PathBuf::from),
    });
    match surroundings.directory {
        Err(NoDefaultDirectory::NoHome) => pass_over(PassedOver::NoHome),
        Err(empty @ NoDefaultDirectory::Empty) => return Err(BuildError::Directory(empty)),
        Ok(directory) => {
            let is_in_keyring = FileStore::belongs_in_keyring(&directory, profile);
            #[cfg(feature = "keyring")]
            if is_in_keyring {
                let store = KeyringStore::open(&directory).map_err(BuildError::Store)?;
                return Ok(Link::Stored(Arc::new(store)));
            }
            let file = directory.join(FileStore::file_name(profile, Document::Credential));
            // What can't be looked at is not passed over: opening the store says why.
            let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
            let is_missing = file.symlink_metadata().as_ref().is_err_and(is_missing);
            // On Windows nothing is below a file, which is no error.
            if !is_missing || directory.is_file() {
                let store = FileStore::open(&directory).map_err(BuildError::Store)?;
                return Ok(Link::Stored(Arc::new(store)));
            }
            if is_in_keyring {
                return Err(BuildError::InKeyring(profile.clone()));
            }
            pass_over(PassedOver::NotStored {
                directory,
                profile: profile.clone(),
            });
        }
    }
    Err(BuildError::NoCredentialFound(passed_over))
}

#[cfg(test)]
mod tests {
    use super::super::variables::{ID, SECRET};
    use super::*;
    use crate::foundation::base_url::BaseUrl;

    fn profile() -> ProfileId {
        let base_url = BaseUrl::parse("https://h.example", false).unwrap();
        ProfileId::new(&base_url, "work")
    }

    /// Goes through the chain, and returns in a word what it came to.
    fn resolved(
        variables: &[(&str, &str)],
        directory: Result<PathBuf, NoDefaultDirectory>,
    ) -> String {
        resolved_for(&profile(), variables, directory)
    }

    fn resolved_for(
        profile: &ProfileId,
        variables: &[(&str, &str)],
        directory: Result<PathBuf, NoDefaultDirectory>,
    ) -> String {
        let look_up = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let surroundings = Surroundings {
            look_up: &look_up,
            directory,
        };
        match resolve(surroundings, profile) {
            Ok(Link::Environment(_)) => "environment".to_owned(),
            Ok(Link::Stored(_)) => "stored".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_first_step_with_a_credential_is_taken_and_the_error_names_all() {
        let directory = std::env::temp_dir().join(format!("chain-{}", std::process::id()));
        let _left_over = std::fs::remove_dir_all(&directory);
        let set = [(ID, "an-id"), (SECRET, "a-secret")];
        let nowhere = resolved(&[], Ok(directory.clone()));
        assert_eq!(
            nowhere,
            format!(
                "no credential was found: POLLINATION_API_KEY_ID and POLLINATION_API_KEY_SECRET are \
                 not set, and neither are the variables with _FILE after their names; \
                 CREDENTIALS_DIRECTORY is not set; no credential is stored for \
                 https://h.example (profile work) in {}; run `pollination-auth login --profile work \
                 --host https://h.example`, or give `Client::builder()` an `api_token`",
                directory.display()
            )
        );
        assert!(!directory.exists(), "a look makes nothing");
        let homeless = resolved(
            &[(CREDENTIALS_DIRECTORY, "/nowhere")],
            Err(NoDefaultDirectory::NoHome),
        );
        assert!(
            homeless.contains("/nowhere has no pollination-api-key-id"),
            "{homeless}"
        );
        assert!(
            homeless.contains("there is no home directory"),
            "{homeless}"
        );

        let _store = FileStore::open(&directory).unwrap();
        let file = FileStore::file_name(&profile(), Document::Credential);
        std::fs::write(directory.join(file), "{}").unwrap();
        assert_eq!(resolved(&[], Ok(directory.clone())), "stored");
        assert_eq!(resolved(&set, Ok(directory.clone())), "environment");

        let marks = directory.join("keyring");
        std::fs::create_dir(&marks).unwrap();
        let elsewhere =
            ProfileId::new(&BaseUrl::parse("https://k.example", false).unwrap(), "work");
        let mark = FileStore::file_name(&elsewhere, Document::Credential);
        std::fs::write(marks.join(mark), "{}").unwrap();
        let in_keyring = resolved_for(&elsewhere, &[], Ok(directory.clone()));
        if cfg!(feature = "keyring") {
            assert_eq!(in_keyring, "stored");
        } else {
            assert_eq!(
                in_keyring,
                "the credential of https://k.example (profile work) is in the system's keyring; enable \
                 the feature `keyring` of pollination-auth"
            );
        }

        let below_a_file = directory.join(FileStore::file_name(&profile(), Document::Credential));
        let unusable = resolved(&[], Ok(below_a_file));
        assert_eq!(unusable, "the stored credential can't be used");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn row_51_a_step_that_is_wrong_is_an_error_and_not_passed_over() {
        let nowhere = || Err(NoDefaultDirectory::NoHome);
        assert_eq!(
            resolved(&[(ID, "an-id")], nowhere()),
            "the API token's secret (from POLLINATION_API_KEY_SECRET) is not set"
        );
        assert_eq!(
            resolved(&[(ID, "an-id"), (SECRET, "")], nowhere()),
            "the API token's secret (from POLLINATION_API_KEY_SECRET) is empty"
        );
        assert_eq!(
            resolved(&[], Err(NoDefaultDirectory::Empty)),
            "POLLINATION_AUTH_DIR is empty; set it to a directory, or unset it"
        );
    }
}
