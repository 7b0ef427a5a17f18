//! What goes wrong on a server, and what the store says of it.

use std::time::Duration;

use pollination_auth::{CredentialStore as _, Document, StoreError};
use pollination_auth_vault::{VaultAuth, VaultError, VaultStore};
use serde_json::json;

use crate::engine::Engine;
use crate::support::{profile, secret, vault_error};

/// A call that can't succeed is not repeated for long.
const PATIENCE: Duration = Duration::from_millis(300);

async fn read_error(store: &VaultStore) -> StoreError {
    let read = store.read(&profile("a"), Document::Credential).await;
    read.unwrap_err()
}

#[tokio::test]
async fn a_sealed_server_is_named() {
    let Some(engine) = Engine::start_durable().await else {
        return;
    };
    let store = engine.store().patience(PATIENCE).build().unwrap();
    engine.seal().await;
    let error = read_error(&store).await;
    assert!(matches!(vault_error(&error), VaultError::Sealed), "{error}");
    engine.unseal().await;
    store
        .read(&profile("a"), Document::Credential)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_is_gone_is_unreachable() {
    let Some(mut engine) = Engine::start().await else {
        return;
    };
    let store = engine.store().patience(PATIENCE).build().unwrap();
    engine.kill();
    let error = read_error(&store).await;
    assert!(
        matches!(vault_error(&error), VaultError::Unreachable(_)),
        "{error}"
    );
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn mounts_and_namespaces_that_are_wrong_are_named() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine
        .mount("old", json!({"type": "kv", "options": {"version": "1"}}))
        .await;
    engine.mount("plain", json!({"type": "kv"})).await;

    let error = read_error(&engine.store().mount("nowhere").build().unwrap()).await;
    assert!(
        matches!(vault_error(&error), VaultError::NoSuchMount { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("`nowhere`"), "{error}");

    for mount in ["old", "plain", "identity"] {
        let store = engine.store().mount(mount).build().unwrap();
        let error = read_error(&store).await;
        assert!(
            matches!(vault_error(&error), VaultError::NotVersion2 { .. }),
            "{error}"
        );
        let locked = store.try_lock(&profile("a")).await.unwrap_err();
        assert!(
            matches!(vault_error(&locked), VaultError::NotVersion2 { .. }),
            "{locked}"
        );
    }
    let (status, _) = engine
        .call("GET", "old/data/pollination?list=true", None)
        .await;
    assert_eq!(status, 404, "nothing was written to version 1");

    let store = engine.store().mount("gone").build().unwrap();
    let kv = json!({"type": "kv", "options": {"version": "2"}});
    engine.mount("gone", kv).await;
    store
        .read(&profile("a"), Document::Credential)
        .await
        .unwrap();
    engine.must("DELETE", "sys/mounts/gone", None).await;
    let error = read_error(&store).await;
    assert!(
        matches!(vault_error(&error), VaultError::NoSuchMount { .. }),
        "{error}"
    );

    let error = read_error(&engine.store().namespace("nowhere").build().unwrap()).await;
    assert!(
        matches!(vault_error(&error), VaultError::NoSuchNamespace { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_namespace_of_its_own_is_used() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.must("PUT", "sys/namespaces/team", None).await;
    let kv = json!({"type": "kv", "options": {"version": "2"}});
    let (status, _) = engine
        .call_in(Some("team"), "POST", "sys/mounts/kv", Some(kv))
        .await;
    assert_eq!(status, 204);
    let store = engine
        .store()
        .namespace("team")
        .mount("kv")
        .build()
        .unwrap();
    let profile = profile("a");
    let mut lock = crate::support::lock(&store, &profile).await;
    lock.write(Document::Credential, None, &secret("one"))
        .await
        .unwrap();
    let path = store.path(&profile);
    assert_eq!(
        engine.call_in(Some("team"), "GET", &path, None).await.0,
        200
    );
    assert_eq!(engine.call("GET", &path, None).await.0, 404);
}

#[tokio::test]
async fn what_a_policy_lacks_is_named_with_its_path() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let profile = profile("a");
    // From nothing to everything, one capability after the other.
    let data = r#"path "secret/data/pollination/*" { capabilities = ["read"] }"#;
    let write =
        r#"path "secret/data/pollination/*" { capabilities = ["read", "create", "update"] }"#;
    let metadata =
        r#"path "secret/metadata/pollination/*" { capabilities = ["create", "update"] }"#;
    let look =
        r#"path "secret/metadata/pollination/*" { capabilities = ["read", "create", "update"] }"#;
    let destroy = r#"path "secret/destroy/pollination/*" { capabilities = ["update"] }"#;
    let nothing = r#"path "elsewhere" { capabilities = ["read"] }"#;
    let elsewhere = r#"path "secret/data/elsewhere" { capabilities = ["read"] }"#;
    engine
        .must("POST", "secret/config", Some(json!({"max_versions": 5})))
        .await;
    let steps = [
        (vec![nothing], Some("`secret`")),
        (vec![elsewhere], Some("path \"secret/data/pollination/a-")),
        (vec![data], Some("path \"secret/metadata/pollination/a-")),
        (vec![data, metadata], Some("[\"create\", \"update\"]")),
        (vec![write, metadata], Some("[\"read\"]")),
        (
            vec![write, look],
            Some("path \"secret/destroy/pollination/a-"),
        ),
        (vec![write, look, destroy], None),
    ];
    for (rules, lacks) in steps {
        engine.policy("app", &rules.join("\n")).await;
        let token = engine.token(json!({"policies": ["app"]})).await;
        let store = VaultStore::builder(engine.address()).auth(VaultAuth::token(&token));
        let store = store.build().unwrap();
        let work = async {
            let lock = store.try_lock(&profile).await?;
            let mut lock = lock.expect("the one before was released");
            let version = lock.write(Document::Journal, None, &secret("one")).await?;
            let removed = lock.remove(Document::Journal, Some(&version)).await;
            let released = lock.release().await;
            removed.and(released)
        };
        match (work.await, lacks) {
            (Ok(()), None) => {}
            (Err(error), Some(lacks)) => {
                let shown = error.to_string();
                assert!(shown.contains(lacks), "{shown} instead of {lacks}");
                assert!(!shown.contains(&token));
                // What a failed step left behind.
                let root = engine.store().build().unwrap();
                if let Some(lock) = root.try_lock(&profile).await.unwrap() {
                    lock.release().await.unwrap();
                }
                let path = root.path(&profile).replacen("data", "metadata", 1);
                engine.must("DELETE", &path, None).await;
            }
            (done, lacks) => panic!("{done:?} instead of {lacks:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_outside_of_a_runtime_is_an_error() {
    let store = VaultStore::builder("http://127.0.0.1:1").auth(VaultAuth::token("a-token"));
    let store = store.build().unwrap();
    let error = std::thread::spawn(move || {
        let profile = profile("a");
        let mut read = store.read(&profile, Document::Credential);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match read.as_mut().poll(&mut context) {
            std::task::Poll::Ready(read) => read.map(drop).unwrap_err(),
            std::task::Poll::Pending => panic!("there is nothing to wait for"),
        }
    });
    let error = error.join().unwrap();
    assert!(
        matches!(vault_error(&error), VaultError::NoRuntime),
        "{error}"
    );
}
