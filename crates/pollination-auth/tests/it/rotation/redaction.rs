//! No output contains a secret: neither that of the public types of store and rotation, nor the
//! events of a rotation that meets faults.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use pollination_auth::{
    ApiToken, CredentialStore as _, Document, FileStore, KeptAccessToken, MemoryStore, Profile,
    ProfileId, ProfileLock, Recovered, RotateCause, RotateError, RotateFailure, RotateOptions,
    Rotated, Rotation, RotationHandle, RotationStatus, Ruling, Secret, StoreError, StoreFuture,
    StoreLock, StoredDocument, StoredToken, Version,
};
use pollination_auth_fake::{Fault, Operation};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::support::{OLD, Stage, assert_clean, options};
use crate::redaction_log::never_alone;

/// Records every field of every event and span.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Fields(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn no_event_of_a_rotation_and_its_recovery_shows_a_secret() {
    never_alone();
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    for fault in [
        Fault::commit_and_drop(),
        Fault::truncated(),
        Fault::wrong_id(),
        Fault::same_secret(),
        Fault::raw_body(r#"{"id":"an-id","secret":"planted-one","secret":"planted-two"}"#),
        Fault::commit_and_answer(500).body(r#"{"detail":"planted"}"#),
    ] {
        let stage = Stage::new();
        stage
            .service
            .fail_next(Operation::RotateApiTokenSecret, fault);
        let one = stage
            .client()
            .rotation(options().requests(1))
            .rotate()
            .await;
        // A reply for another id ends the rotation, and nothing is left to recover.
        let recovered = stage.rotation().recover().await;
        let shown = format!("{one:?} {recovered:?}");
        assert_clean(&shown);
        assert!(!shown.contains(&stage.active()));
        if let Err(error) = &recovered {
            assert_clean(&error.to_string());
            assert!(!error.to_string().contains(&stage.active()));
        }
        let events = log.0.lock().unwrap().clone();
        assert!(events.contains("the connection broke"), "{events}");
        assert_clean(&events);
        assert!(!events.contains(&stage.active()));
    }
}

/// Names each type, so that adding or removing one fails here.
fn shown<T: Debug>(value: &T) -> String {
    format!("{value:?}")
}

#[tokio::test]
async fn no_public_type_of_store_and_rotation_shows_a_secret() {
    let stage = Stage::new();
    let memory = MemoryStore::new();
    let store: FileStore = stage.directory.store();
    let profile: Profile = stage.profile();
    let id: &ProfileId = profile.id();
    let chosen: RotateOptions = options().emergency_store(memory.clone());
    let rotation: Rotation = stage.client().rotation(chosen.clone());
    let handle: RotationHandle = rotation.start();
    let rotated: Rotated = handle.wait().await.unwrap();
    let status: RotationStatus = rotation.status().await.unwrap();
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::truncated());
    let one = stage.client().rotation(options().requests(1));
    let error: RotateError = one.rotate().await.unwrap_err();
    assert!(matches!(error, RotateError::UnusableReply(_)), "{error:?}");
    let failure: &RotateFailure = error.failure();
    assert_eq!(failure.expose_raw_replies().len(), 1);
    let cause: &RotateCause = failure.cause().unwrap();
    let recovered: Recovered = rotation.recover().await.unwrap();
    let other = ApiToken::new("an-id", Secret::from("planted-other")).unwrap();
    let refused: StoreError = profile.save(&other).await.unwrap_err();
    let minted = stage.client().access_token().await.unwrap();
    let kept = KeptAccessToken::new(minted, std::time::SystemTime::now()).unwrap();
    let stored: StoredToken = profile.stored().await.unwrap().unwrap();
    // A store implements its lock, so `Debug` shows no field of one.
    let lock: StoreLock = memory.try_lock(id).await.unwrap().unwrap();
    let held: &dyn ProfileLock = &*lock;
    let reading: StoreFuture<'_, Option<StoredDocument>> = store.read(id, Document::Credential);
    let document: StoredDocument = reading.await.unwrap().unwrap();
    let version: &Version = document.version();
    let texts = [
        shown(&lock),
        format!("{held:?}"),
        shown(&stored),
        shown(&kept),
        shown(&document),
        shown(version),
        shown(&memory),
        shown(&store),
        shown(&profile),
        shown(id),
        shown(&chosen),
        shown(&rotation),
        shown(&handle),
        shown(&rotated),
        shown(&status),
        shown(&error),
        shown(failure),
        shown(cause),
        shown(&recovered),
        shown(&refused),
        shown(&Document::Journal),
        shown(&Ruling::OtherApiToken),
        error.to_string(),
        cause.to_string(),
    ];
    for text in texts {
        assert_clean(&text);
        for secret in [
            OLD,
            &stage.active(),
            rotated.api_token().secret().expose_secret(),
            kept.access_token().expose_secret(),
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[cfg(feature = "testing")]
#[tokio::test(start_paused = true)]
async fn no_report_of_the_test_kit_shows_what_a_store_holds() {
    use pollination_auth::testing::conformance::{Finding, Promise, Report};
    let report: Report = crate::conformance::report_of_a_broken_store().await;
    for (promise, finding) in report.findings() {
        let (promise, finding): (&Promise, &Finding) = (promise, finding);
        for text in [shown(promise), shown(finding), promise.to_string()] {
            assert!(!text.contains("conformance-secret"), "{text}");
        }
    }
    for text in [shown(&report), report.to_string()] {
        assert!(text.contains("Broken") || text.contains("BROKEN"), "{text}");
        assert!(!text.contains("conformance-secret"), "{text}");
    }
}

#[cfg(feature = "keyring")]
#[tokio::test]
async fn a_store_in_the_keyring_shows_nothing_that_it_holds() {
    use pollination_auth::KeyringStore;
    let stage = Stage::new();
    let store: KeyringStore = KeyringStore::open(stage.directory.path()).unwrap();
    // A credential that is still in a file is the valid one.
    let held = store.read(stage.profile().id(), Document::Credential).await;
    let held = held.unwrap().unwrap();
    assert!(held.text().expose_secret().contains(OLD));
    for text in [shown(&store), shown(&held)] {
        assert!(!text.contains(OLD), "{text}");
    }
}
