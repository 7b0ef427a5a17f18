//! The promises of a store, put to the test by the library's kit on a real server.

use std::sync::Arc;

use pollination_auth::testing::conformance::{Finding, Harness, check};
use pollination_auth::{CredentialStore, ProfileId, StoreFuture};
use serde_json::{Value, json};

use crate::engine::Engine;

/// The attempts to end a lock between two writes of its holder.
const ATTEMPTS: u32 = 100;

struct Vault(Engine);

impl Vault {
    /// Returns every version of every secret that the server still has.
    async fn versions(&self) -> Vec<Value> {
        let (_, list) = self
            .0
            .call("LIST", "secret/metadata/pollination", None)
            .await;
        let keys = list.pointer("/data/keys").and_then(Value::as_array);
        let mut found = Vec::new();
        for key in keys.into_iter().flatten().filter_map(Value::as_str) {
            let path = format!("secret/metadata/pollination/{key}");
            let metadata = self.0.must("GET", &path, None).await;
            let versions = metadata
                .pointer("/data/versions")
                .and_then(Value::as_object);
            for number in versions.into_iter().flatten().map(|(number, _)| number) {
                let path = format!("secret/data/pollination/{key}?version={number}");
                // A version that was destroyed is a 404 without data.
                found.push(self.0.call("GET", &path, None).await.1);
            }
        }
        found
    }
}

impl Harness for Vault {
    fn open(&self) -> StoreFuture<'_, Arc<dyn CredentialStore>> {
        Box::pin(async { Ok(Arc::new(self.0.store().build().unwrap()) as Arc<_>) })
    }

    /// Makes the lock free, as somebody does who takes it over and releases it.
    fn end_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let path = self.0.store().build().unwrap().path(profile);
            for _ in 0..ATTEMPTS {
                let now = self.0.must("GET", &path, None).await;
                let version = now.pointer("/data/metadata/version").cloned();
                let mut data = now.pointer("/data/data").cloned().unwrap();
                data.as_object_mut().unwrap().remove("holder");
                let body = json!({"options": {"cas": version}, "data": data});
                if self.0.call("POST", &path, Some(body)).await.0 == 200 {
                    return Ok(true);
                }
            }
            panic!("the lock does not end");
        })
    }

    fn find<'a>(&'a self, text: &'a str) -> StoreFuture<'a, Option<bool>> {
        Box::pin(async move {
            let versions = self.versions().await;
            let holds = |version: &Value| version.to_string().contains(text);
            Ok(Some(versions.iter().any(holds)))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_of_a_store_is_checked_and_kept() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    // The engine keeps old versions by itself, whatever the secret's own limit is.
    engine
        .must("POST", "secret/config", Some(json!({"max_versions": 5})))
        .await;
    let report = check(&Vault(engine)).await;
    for (_, finding) in report.findings() {
        assert_eq!(*finding, Finding::Kept, "{report}");
    }
}
