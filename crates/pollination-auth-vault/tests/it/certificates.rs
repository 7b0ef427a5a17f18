//! A real server over TLS, with a certificate of a private CA.

use std::time::Duration;

use pollination_auth::{CredentialStore as _, Document};
use pollination_auth_vault::{VaultAuth, VaultError, VaultStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;

use crate::engine::Engine;
use crate::support::{profile, vault_error};

struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn ca() -> Ca {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Ca {
        pem,
        issuer: Issuer::new(params, key),
    }
}

#[tokio::test]
async fn a_private_ca_is_trusted_where_it_is_given_and_nowhere_else() {
    let (ours, other) = (ca(), ca());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &ours.issuer).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let listener = json!({
        "tls_cert_file": file("certificate.pem", certificate.pem()),
        "tls_key_file": file("key.pem", key.serialize_pem()),
    });
    let root = reqwest::Certificate::from_pem(ours.pem.as_bytes()).unwrap();
    // With all features reqwest's own default is another backend.
    let http = reqwest::Client::builder()
        .tls_backend_rustls()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let Some(engine) = Engine::start_at("https", listener, http).await else {
        return;
    };
    let store = |pem: Option<&str>| {
        let store = VaultStore::builder(engine.address()).auth(VaultAuth::token(engine.root()));
        let store = store.patience(Duration::from_secs(60));
        match pem {
            Some(pem) => store.ca_certificates(pem).build().unwrap(),
            None => store.build().unwrap(),
        }
    };
    let profile = profile("a");
    let read = store(Some(&ours.pem))
        .read(&profile, Document::Credential)
        .await;
    assert!(read.unwrap().is_none());
    // It is not repeated, although there is patience for a minute.
    for pem in [None, Some(other.pem.as_str())] {
        let error = store(pem)
            .read(&profile, Document::Credential)
            .await
            .unwrap_err();
        assert!(matches!(vault_error(&error), VaultError::Tls(_)), "{error}");
        assert!(
            error.to_string().contains("invalid peer certificate"),
            "{error}"
        );
    }
}
