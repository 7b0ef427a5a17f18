//! FAULTS 5.7, point 3: the steps of a whole rotation, cut off everywhere, in every order that the
//! disk may have put them, and read by the real loader.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::virtual_disk::{Step, VirtualDisk, after_power_loss};
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::secret::Secret;
use crate::store::journal::{Candidate, Journal};
use crate::store::record::Record;
use crate::store::{FileStore, JournalState, Profile};

pub(super) fn profile(disk: Arc<VirtualDisk>) -> Profile {
    let base_url = BaseUrl::parse("https://api.example", false).unwrap();
    Profile::of(
        Arc::new(FileStore::on(disk)),
        ProfileId::new(&base_url, "default"),
    )
}

pub(super) fn token(secret: &str) -> ApiToken {
    ApiToken::new("an-id", Secret::from(secret)).unwrap()
}

pub(super) fn journal(requests: u32, candidates: &[&str]) -> Journal {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let candidates = candidates.iter().map(|secret| Candidate {
        token: token(secret),
        request: requests,
        doubtful: false,
    });
    Journal {
        generation: 0,
        access_token: Secret::from("e30.e30.sig"),
        access_token_expires: time,
        started_at: time,
        requests,
        candidates: candidates.collect(),
        conclusion: None,
    }
}

/// The documents of a rotation, one write after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Nothing,
    OldSecret,
    Announced,
    Candidate,
    NewSecret,
    Cleared,
}

const VERSIONS: [Version; 6] = [
    Version::Nothing,
    Version::OldSecret,
    Version::Announced,
    Version::Candidate,
    Version::NewSecret,
    Version::Cleared,
];

async fn write(profile: &Profile, version: Version) {
    let old = Record::new(token("old"), 0);
    let new = Record::new(token("new"), 1);
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    let done = match version {
        Version::Nothing => Ok(()),
        Version::OldSecret => writer.put_record(None, &old).await,
        Version::Announced => writer.put_journal(&old, &journal(1, &[])).await,
        Version::Candidate => writer.put_journal(&old, &journal(1, &["new"])).await,
        Version::NewSecret => writer.put_record(Some(&old), &new).await,
        Version::Cleared => writer.clear_journal(&new).await,
    };
    done.unwrap();
}

/// Returns the version of the documents that the loader finds, as text.
async fn found(profile: &Profile) -> String {
    let Some(record) = profile.record().await.unwrap() else {
        assert_eq!(
            profile.journal_state(None, None).await.unwrap(),
            JournalState::None
        );
        return "nothing".to_owned();
    };
    let journal = profile.journal(&record).await.unwrap();
    let secret = record.token.secret().expose_secret();
    match journal {
        None => secret.to_owned(),
        Some(journal) => format!("{secret}, journal with {}", journal.candidates.len()),
    }
}

fn says(version: Version) -> &'static str {
    match version {
        Version::Nothing => "nothing",
        Version::OldSecret => "old",
        Version::Announced => "old, journal with 0",
        Version::Candidate => "old, journal with 1",
        Version::NewSecret => "new, journal with 1",
        Version::Cleared => "new",
    }
}

#[tokio::test]
async fn point_5_7_3_after_a_loss_of_power_the_loader_finds_the_last_document_or_the_one_under_way()
{
    let disk = Arc::new(VirtualDisk::default());
    let writer = profile(disk.clone());
    for version in VERSIONS {
        write(&writer, version).await;
        disk.note(Step::Returned);
    }
    let trace = disk.trace();
    let (mut states, mut torn) = (0, 0);
    for cut in 0..=trace.len() {
        let done = &trace[..cut];
        let returned = done
            .iter()
            .filter(|step| matches!(step, Step::Returned))
            .count();
        let last = VERSIONS[returned.saturating_sub(1)];
        let under_way = VERSIONS[returned.min(VERSIONS.len() - 1)];
        for files in after_power_loss(done) {
            states += 1;
            torn += usize::from(files.keys().any(|name| name.starts_with('.')));
            let found = found(&profile(Arc::new(VirtualDisk::with(files)))).await;
            let allowed = [says(last), says(under_way)];
            assert!(
                allowed.contains(&found.as_str()),
                "{cut}: {found}, not {allowed:?}"
            );
        }
    }
    assert!(
        states > 100 && torn > 30,
        "{states} states, {torn} with a torn file"
    );
}

#[tokio::test]
async fn control_without_the_sync_of_the_file_a_torn_document_is_found() {
    let disk = Arc::new(VirtualDisk::default());
    let writer = profile(disk.clone());
    write(&writer, Version::OldSecret).await;
    let careless: Vec<Step> = disk
        .trace()
        .into_iter()
        .filter(|step| !matches!(step, Step::Sync(_)))
        .collect();
    let mut torn = 0;
    for files in after_power_loss(&careless) {
        let reader = profile(Arc::new(VirtualDisk::with(files)));
        torn += usize::from(reader.record().await.is_err());
    }
    assert!(torn > 0);
}

#[tokio::test]
async fn a_torn_file_is_swept_by_the_next_who_takes_the_lock() {
    let disk = Arc::new(VirtualDisk::default());
    let writer = profile(disk.clone());
    write(&writer, Version::OldSecret).await;
    let torn = format!(".{}.0123.tmp", writer.id().key());
    let others = ".other-0123456789abcdef.0123.tmp".to_owned();
    for name in [&torn, &others] {
        disk.files_now().insert(name.clone(), b"half".to_vec());
    }
    let _lock = writer.try_lock().await.unwrap().unwrap();
    let names: Vec<_> = disk.files_now().keys().cloned().collect();
    assert!(
        !names.contains(&torn) && names.contains(&others),
        "{names:?}"
    );
}
