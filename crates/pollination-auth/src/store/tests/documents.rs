//! FAULTS 5.7, point 10: documents that are damaged, newer, or of something else are refused.

use std::sync::Arc;

use super::power_loss::{journal, profile, token};
use super::virtual_disk::VirtualDisk;
use crate::store::record::Record;
use crate::store::{Document, Profile, StoreError, Version};

/// A profile with a credential and a journal, and its disk.
async fn written() -> (Arc<VirtualDisk>, Profile) {
    let disk = Arc::new(VirtualDisk::default());
    let profile = profile(disk.clone());
    let old = Record::new(token("planted-old"), 0);
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    writer.put_record(None, &old).await.unwrap();
    let journal = journal(2, &["planted-new"]);
    writer.put_journal(&old, &journal).await.unwrap();
    drop(writer);
    (disk, profile)
}

fn change(disk: &VirtualDisk, document: &str, from: &str, to: &str) {
    let mut files = disk.files_now();
    let (_, bytes) = files
        .iter_mut()
        .find(|(name, _)| name.contains(document))
        .unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{from}");
    *bytes = text.replace(from, to).into_bytes();
}

/// Reads both documents; the error, without the secrets.
async fn refusal(profile: &Profile) -> StoreError {
    let error = match profile.record().await {
        Ok(record) => profile.journal(&record.unwrap()).await.unwrap_err(),
        Err(error) => error,
    };
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("planted") && !shown.contains("e30.e30"),
        "{shown}"
    );
    error
}

#[tokio::test]
async fn both_documents_are_read_as_they_were_written() {
    let (_disk, profile) = written().await;
    let record = profile.record().await.unwrap().unwrap();
    assert_eq!(record.token.secret().expose_secret(), "planted-old");
    let read = profile.journal(&record).await.unwrap().unwrap();
    assert_eq!((read.requests, read.candidates.len()), (2, 1));
    assert_eq!(
        read.candidates[0].token.secret().expose_secret(),
        "planted-new"
    );
    assert_eq!(read.access_token.expose_secret(), "e30.e30.sig");
}

#[tokio::test]
async fn point_5_7_10_a_journal_with_one_letter_changed_is_refused() {
    let (disk, profile) = written().await;
    change(&disk, "journal", "planted-new", "planted-now");
    assert!(matches!(
        refusal(&profile).await,
        StoreError::Corrupt {
            document: Document::Journal,
            problem: "its checksum is wrong"
        }
    ));
}

#[tokio::test]
async fn point_5_7_10_a_journal_cut_off_anywhere_is_refused() {
    let (disk, profile) = written().await;
    let record = profile.record().await.unwrap().unwrap();
    let name = format!("{}.journal.json", profile.id().key());
    let whole = disk.files_now()[&name].clone();
    // The last byte is a newline, without which the document is whole.
    for length in 0..whole.len() - 1 {
        disk.files_now()
            .insert(name.clone(), whole[..length].to_vec());
        let refused = profile.journal(&record).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Corrupt { .. }),
            "{length}: {refused}"
        );
    }
}

#[tokio::test]
async fn point_5_7_10_a_newer_version_is_refused() {
    for document in ["credential", "journal"] {
        let (disk, profile) = written().await;
        change(&disk, document, "\"version\": 1", "\"version\": 2");
        let refused = refusal(&profile).await;
        assert!(
            matches!(refused, StoreError::Newer { version: 2, .. }),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn point_5_7_10_a_version_that_no_program_writes_is_refused() {
    for document in ["credential", "journal"] {
        let (disk, profile) = written().await;
        change(&disk, document, "\"version\": 1", "\"version\": 0");
        let refused = refusal(&profile).await;
        let StoreError::Corrupt { problem, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!(problem, "its version is none that this program knows");
    }
}

#[tokio::test]
async fn point_5_7_10_documents_of_another_host_profile_id_or_secret_are_refused() {
    for (document, from, to) in [
        ("credential", "https://api.example", "https://other.example"),
        ("credential", "\"default\"", "\"other\""),
        ("credential", "an-id", "another-id"),
        ("credential", "planted-old", "planted-other"),
        ("credential", "\"generation\": 0", "\"generation\": 7"),
    ] {
        let (disk, profile) = written().await;
        change(&disk, document, from, to);
        let refused = refusal(&profile).await;
        assert!(
            matches!(refused, StoreError::Foreign { .. }),
            "{from}: {refused}"
        );
    }
}

/// Earlier versions kept the secret before the last rotation in this field.
#[tokio::test]
async fn a_credential_that_lists_the_previous_secret_is_read_and_written_without_it() {
    let (disk, profile) = written().await;
    let known = "\"generation\": 0";
    let previous = format!("\"previous\": \"planted-previous\", {known}");
    change(&disk, "credential", known, &previous);
    let record = profile.record().await.unwrap().unwrap();
    assert_eq!(record.token.secret().expose_secret(), "planted-old");
    let text = record.write(profile.id()).unwrap();
    assert!(!text.expose_secret().contains("previous"));
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_refused_without_its_value() {
    let (disk, profile) = written().await;
    change(
        &disk,
        "credential",
        "\"generation\": 0",
        "\"planted\": \"planted\"",
    );
    assert!(matches!(
        refusal(&profile).await,
        StoreError::Corrupt { .. }
    ));
}

#[tokio::test]
async fn nothing_is_saved_over_an_unfinished_rotation() {
    let (_disk, profile) = written().await;
    let seen = profile.stored().await.unwrap().unwrap();
    let refused = profile.replace(&seen, &token("other")).await.unwrap_err();
    assert!(matches!(refused, StoreError::RotationUnfinished));
    let journal = profile.journal_version().await.unwrap().unwrap();
    let other = profile.discard_journal(&Version::new("other")).await;
    assert!(matches!(other, Err(StoreError::Changed)), "{other:?}");
    profile.discard_journal(&journal).await.unwrap();
    assert_eq!(profile.journal_version().await.unwrap(), None);
    let gone = profile.discard_journal(&journal).await;
    assert!(matches!(gone, Err(StoreError::Changed)), "{gone:?}");
    profile.replace(&seen, &token("other")).await.unwrap();
    assert_eq!(
        profile
            .load()
            .await
            .unwrap()
            .unwrap()
            .secret()
            .expose_secret(),
        "other"
    );
}

#[test]
fn the_keys_of_profiles_differ_and_fit_into_a_file_name() {
    let key = |name: &str| {
        let base_url =
            crate::foundation::base_url::BaseUrl::parse("https://api.example", false).unwrap();
        crate::credential::profile_id::ProfileId::new(&base_url, name).key()
    };
    assert_ne!(key("a/b"), key("a_b"));
    assert_ne!(key("A"), key("a"));
    let hostile = key("../../etc/passwd\0");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    assert!(hostile.chars().all(plain), "{hostile}");
    assert!(key(&"long".repeat(100)).len() <= 49);
}
