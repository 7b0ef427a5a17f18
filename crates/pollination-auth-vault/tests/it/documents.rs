//! Documents on a real server: read, compared, written and destroyed.

use pollination_auth::{CredentialStore as _, Document, StoreError, Version};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::support::{lock, profile, secret};

const DOCUMENTS: [Document; 2] = [Document::Credential, Document::Journal];

#[tokio::test]
async fn documents_are_kept_with_their_versions() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    for document in DOCUMENTS {
        assert!(store.read(&profile, document).await.unwrap().is_none());
    }
    let mut lock = lock(&store, &profile).await;
    for document in DOCUMENTS {
        let text = secret(&format!("{{\"a\": \"{}\"}}\n\u{1f41d}", document.as_str()));
        let written = lock.write(document, None, &text).await.unwrap();
        let read = store.read(&profile, document).await.unwrap().unwrap();
        assert_eq!(read.text().expose_secret(), text.expose_secret());
        assert_eq!(read.version(), &written);
    }
    lock.release().await.unwrap();
    for document in DOCUMENTS {
        assert!(store.read(&profile, document).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_document_that_is_not_the_expected_one_is_not_replaced_or_removed() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    let mut lock = lock(&store, &profile).await;
    let document = Document::Credential;
    let first = lock.write(document, None, &secret("one")).await.unwrap();
    let second = lock
        .write(document, Some(&first), &secret("two"))
        .await
        .unwrap();
    assert_ne!(first, second);
    let other = Version::new("other");
    lock.remove(Document::Journal, Some(&other)).await.unwrap();
    for expected in [None, Some(&first), Some(&other)] {
        let written = lock.write(document, expected, &secret("three")).await;
        assert!(matches!(written, Err(StoreError::Changed)), "{written:?}");
        let removed = lock.remove(document, expected).await;
        assert!(matches!(removed, Err(StoreError::Changed)), "{removed:?}");
    }
    let read = store.read(&profile, document).await.unwrap().unwrap();
    assert_eq!(read.text().expose_secret(), "two");
    assert!(lock.is_held().await.unwrap());
}

/// Returns the numbers of the versions that the engine still keeps.
async fn kept(engine: &Engine, path: &str) -> Vec<u64> {
    let reply = engine
        .must("GET", &path.replacen("data", "metadata", 1), None)
        .await;
    let versions = reply
        .pointer("/data/versions")
        .and_then(Value::as_object)
        .unwrap();
    let kept = versions
        .iter()
        .filter(|(_, version)| version["destroyed"] == json!(false));
    let mut kept: Vec<_> = kept.map(|(number, _)| number.parse().unwrap()).collect();
    kept.sort_unstable();
    kept
}

#[tokio::test]
async fn what_is_removed_or_replaced_is_destroyed_in_every_version() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    let path = store.path(&profile);
    // The engine's own limit takes precedence over the secret's when it is larger.
    let many = json!({"max_versions": 20});
    engine.must("POST", "secret/config", Some(many)).await;
    // What somebody wrote by hand before.
    let by_hand = json!({"data": {"credential": "by hand"}});
    engine.must("POST", &path, Some(by_hand)).await;

    let mut lock = lock(&store, &profile).await;
    let found = store
        .read(&profile, Document::Credential)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.text().expose_secret(), "by hand");
    let new = secret("planted-1");
    let credential = lock
        .write(Document::Credential, Some(found.version()), &new)
        .await
        .unwrap();
    let journal = lock
        .write(Document::Journal, None, &secret("planted-2"))
        .await
        .unwrap();
    assert!(kept(&engine, &path).await.len() > 3);
    lock.remove(Document::Journal, Some(&journal))
        .await
        .unwrap();
    assert_eq!(kept(&engine, &path).await.len(), 1);
    lock.remove(Document::Journal, None).await.unwrap();
    let new = secret("planted-3");
    let credential = lock
        .write(Document::Credential, Some(&credential), &new)
        .await
        .unwrap();
    lock.remove(Document::Credential, Some(&credential))
        .await
        .unwrap();
    lock.release().await.unwrap();

    assert_eq!(kept(&engine, &path).await.len(), 1);
    let newest = engine.must("GET", &path, None).await.to_string();
    assert!(
        !newest.contains("planted") && !newest.contains("by hand"),
        "{newest}"
    );
}

#[tokio::test]
async fn the_engine_keeps_one_version_and_refuses_writes_without_comparison() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    let path = store.path(&profile);
    let mut lock = lock(&store, &profile).await;
    lock.write(Document::Credential, None, &secret("one"))
        .await
        .unwrap();
    assert_eq!(kept(&engine, &path).await.len(), 1);
    let (status, _) = engine.call("POST", &path, Some(json!({"data": {}}))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_secret_that_was_deleted_by_hand_can_be_written_again() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    let path = store.path(&profile);
    for part in ["data", "metadata"] {
        let mut lock = lock(&store, &profile).await;
        lock.write(Document::Credential, None, &secret("one"))
            .await
            .unwrap();
        lock.release().await.unwrap();
        engine
            .must("DELETE", &path.replacen("data", part, 1), None)
            .await;
        assert!(
            store
                .read(&profile, Document::Credential)
                .await
                .unwrap()
                .is_none()
        );
    }
}

#[tokio::test]
async fn profiles_are_apart() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let store = engine.store().folder("a/b").build().unwrap();
    let (one, other) = (profile("one"), profile("other"));
    let mut first = lock(&store, &one).await;
    let mut second = lock(&store, &other).await;
    first
        .write(Document::Credential, None, &secret("1"))
        .await
        .unwrap();
    second
        .write(Document::Credential, None, &secret("2"))
        .await
        .unwrap();
    let read = store
        .read(&one, Document::Credential)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.text().expose_secret(), "1");
    assert!(store.path(&one).starts_with("secret/data/a/b/one-"));
}
