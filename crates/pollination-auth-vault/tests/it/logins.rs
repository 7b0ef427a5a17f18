//! The store's own token on a real server: obtained, renewed, and replaced.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use pollination_auth::{CredentialStore as _, Document, Secret, StoreError};
use pollination_auth_vault::{VaultAuth, VaultError, VaultStore};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::engine::Engine;
use crate::support::{profile, vault_error};

/// Allows a reader what it needs.
const READ: &str = r#"path "secret/data/pollination/*" { capabilities = ["read"] }"#;

async fn read(store: &VaultStore) -> Result<(), StoreError> {
    let read = store.read(&profile("a"), Document::Credential).await;
    read.map(drop)
}

fn store(engine: &Engine, auth: VaultAuth) -> VaultStore {
    VaultStore::builder(engine.address())
        .auth(auth)
        .build()
        .unwrap()
}

/// Returns how many tokens there are.
async fn tokens(engine: &Engine) -> usize {
    let list = engine.must("LIST", "auth/token/accessors", None).await;
    list.pointer("/data/keys")
        .and_then(|keys| keys.as_array())
        .unwrap()
        .len()
}

/// Revokes every token that came from a login method.
async fn revoke(engine: &Engine, method: &str) {
    engine
        .must(
            "PUT",
            &format!("sys/leases/revoke-prefix/auth/{method}/login"),
            None,
        )
        .await;
}

#[tokio::test]
async fn an_app_role_logs_in_once_and_again_when_its_token_was_revoked() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.policy("app", READ).await;
    let (role, secret) = engine.app_role(json!({"token_policies": ["app"]})).await;
    let store = store(&engine, VaultAuth::app_role(&role, Secret::from(secret)));
    let before = tokens(&engine).await;
    for _ in 0..3 {
        read(&store).await.unwrap();
    }
    assert_eq!(tokens(&engine).await, before + 1);
    revoke(&engine, "approle").await;
    assert_eq!(tokens(&engine).await, before);
    read(&store).await.unwrap();
    assert_eq!(tokens(&engine).await, before + 1);
}

#[tokio::test]
async fn a_token_of_an_app_role_is_renewed_and_then_replaced() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.policy("app", READ).await;
    // It can be renewed for five seconds, and lives for two without. Three logins are too few for
    // those who don't renew it.
    let short = json!({
        "token_policies": ["app"],
        "token_ttl": "2s",
        "token_max_ttl": "5s",
        "secret_id_num_uses": 3,
    });
    let (role, secret) = engine.app_role(short).await;
    let store = store(&engine, VaultAuth::app_role(&role, Secret::from(secret)));
    let started = std::time::Instant::now();
    while started.elapsed() < Duration::from_secs(8) {
        read(&store).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_login_that_is_refused_names_its_path_and_no_secret() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (role, _) = engine.app_role(json!({})).await;
    for (auth, path) in [
        (
            VaultAuth::app_role(&role, Secret::from("planted")),
            "auth/approle/login",
        ),
        (
            VaultAuth::app_role("planted", Secret::from("planted")).mount("nowhere"),
            "auth/nowhere/login",
        ),
    ] {
        let error = read(&store(&engine, auth)).await.unwrap_err();
        assert!(
            matches!(vault_error(&error), VaultError::LoginRefused { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(path), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("planted"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_given_token_is_renewed_while_nobody_uses_it() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.policy("app", READ).await;
    let short = json!({"policies": ["app"], "ttl": "2s", "period": "2s"});
    let token = engine.token(short).await;
    let store = store(&engine, VaultAuth::token(token));
    read(&store).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    read(&store).await.unwrap();
}

#[tokio::test]
async fn a_given_token_that_was_revoked_is_refused() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.policy("app", READ).await;
    let token = engine.token(json!({"policies": ["app"]})).await;
    let store = store(&engine, VaultAuth::token(&token));
    read(&store).await.unwrap();
    engine
        .must("POST", "auth/token/revoke", Some(json!({ "token": token })))
        .await;
    let error = read(&store).await.unwrap_err();
    assert!(
        matches!(vault_error(&error), VaultError::TokenRefused),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains(&token));
}

/// Answers what Kubernetes answers to a server that asks whose token it was shown.
async fn kubernetes(authenticated: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 16 * 1024];
            let mut read = 0;
            // The body follows the head, in the same or in another packet.
            while !String::from_utf8_lossy(&request[..read]).contains("\"spec\"") {
                match socket.read(&mut request[read..]).await {
                    Ok(more) if more > 0 => read += more,
                    _ => break,
                }
            }
            let shown = String::from_utf8_lossy(&request[..read]).contains(authenticated);
            let body = json!({
                "kind": "TokenReview",
                "apiVersion": "authentication.k8s.io/v1",
                "status": {
                    "authenticated": shown,
                    "user": {
                        "username": "system:serviceaccount:prod:app",
                        "uid": "1",
                        "groups": ["system:serviceaccounts", "system:serviceaccounts:prod"],
                    },
                },
            })
            .to_string();
            let length = body.len();
            let reply = format!(
                "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _gone = socket.write_all(reply.as_bytes()).await;
        }
    });
    address
}

/// A token of a service account; nobody checks its signature but Kubernetes.
fn jwt(id: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = json!({
        "iss": "https://kubernetes.default.svc.cluster.local",
        "sub": "system:serviceaccount:prod:app",
        "exp": 4_102_444_800_u64,
        "iat": 1_700_000_000,
        "jti": id,
        "kubernetes.io": {
            "namespace": "prod",
            "serviceaccount": {"name": "app", "uid": "1"},
        },
    });
    let header = json!({"alg": "RS256", "typ": "JWT"});
    format!(
        "{}.{}.{}",
        encode(&header.to_string()),
        encode(&claims.to_string()),
        encode("a signature")
    )
}

#[tokio::test]
async fn a_service_account_of_kubernetes_logs_in_with_the_token_that_is_mounted_now() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.policy("app", READ).await;
    let (first, second) = (jwt("first"), jwt("second"));
    let host = kubernetes(second.clone().leak()).await;
    engine
        .must(
            "POST",
            "sys/auth/kubernetes",
            Some(json!({"type": "kubernetes"})),
        )
        .await;
    let ca = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = json!({
        "kubernetes_host": host,
        "kubernetes_ca_cert": ca.cert.pem(),
        "token_reviewer_jwt": jwt("reviewer"),
        "disable_local_ca_jwt": true,
        "disable_iss_validation": true,
    });
    engine
        .must("POST", "auth/kubernetes/config", Some(config))
        .await;
    let role = json!({
        "bound_service_account_names": ["app"],
        "bound_service_account_namespaces": ["prod"],
        "token_policies": ["app"],
    });
    engine
        .must("POST", "auth/kubernetes/role/app", Some(role))
        .await;

    let file = engine.file("token");
    let auth = || VaultAuth::kubernetes("app").service_account_file(&file);
    let store = store(&engine, auth());
    let error = read(&store).await.unwrap_err();
    assert!(
        matches!(vault_error(&error), VaultError::ServiceAccount { .. }),
        "{error}"
    );
    std::fs::write(&file, &first).unwrap();
    let error = read(&store).await.unwrap_err();
    assert!(
        matches!(vault_error(&error), VaultError::LoginRefused { .. }),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains(&first));
    std::fs::write(&file, format!("{second}\n")).unwrap();
    read(&store).await.unwrap();
    revoke(&engine, "kubernetes").await;
    read(&store).await.unwrap();
}

#[tokio::test]
async fn a_forbidden_request_does_not_look_like_a_refused_token() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    engine.policy("app", &READ.replace("read", "list")).await;
    let role = json!({"token_policies": ["app"], "token_no_default_policy": true});
    let (role, secret) = engine.app_role(role).await;
    let store = store(&engine, VaultAuth::app_role(&role, Secret::from(secret)));
    for _ in 0..2 {
        let error = read(&store).await.unwrap_err();
        assert!(
            matches!(vault_error(&error), VaultError::Forbidden { .. }),
            "{error}"
        );
    }
}
