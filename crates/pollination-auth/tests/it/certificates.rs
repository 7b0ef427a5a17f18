//! Machines without root certificates; what is read from the environment needs another process.
//!
//! On macOS and Windows only the system's store is used, and it always has some.
#![cfg(all(unix, not(target_os = "macos")))]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use pollination_auth::reqwest::Certificate;
use pollination_auth::{ApiToken, BuildError, Client, Secret};

use crate::listener::Listener;
use crate::support::{Answer, ID, SECRET};

/// Names the base URL to the other process; without it, that test does nothing.
const BASE_URL: &str = "POLLINATION_AUTH_TEST_BASE_URL";

/// Makes the other process trust the root certificates of Mozilla, and no others.
const MOZILLA: &str = "POLLINATION_AUTH_TEST_MOZILLA";

/// The error for an https service without a root certificate, before and after the problem.
const MESSAGE: (&str, &str) = (
    "no root certificate was found: ",
    "; install the system's certificates, let SSL_CERT_FILE name a file of them, or add one with \
     `configure_http`",
);

/// Builds a client in another process, and returns its output.
fn build(base_url: &str, environment: &[(&str, &OsStr)]) -> String {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process
        .args(["--exact", "certificates::builds_as_the_environment_says"])
        .arg("--nocapture")
        .env_clear()
        .envs(environment.iter().copied())
        .env(BASE_URL, base_url);
    let output = process.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs in the other process; on its own it does nothing.
#[expect(
    clippy::print_stdout,
    reason = "the other process says what came of it"
)]
#[tokio::test]
async fn builds_as_the_environment_says() {
    let Ok(base_url) = std::env::var(BASE_URL) else {
        return;
    };
    let builder = Client::builder()
        .api_token(ApiToken::new(ID, Secret::from(SECRET)).unwrap())
        .base_url(&*base_url);
    let builder = if std::env::var_os(MOZILLA).is_some() {
        let roots: Vec<_> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|der| Certificate::from_der(der).unwrap())
            .collect();
        builder.configure_http(move |http| http.tls_certs_only(roots.clone()))
    } else {
        builder
    };
    match builder.build() {
        Ok(client) if base_url.starts_with("http:") => {
            client.login().await.unwrap();
            println!("logged in");
        }
        Ok(_) => println!("built"),
        Err(error @ (BuildError::NoRootCertificates(_) | BuildError::NoCryptoProvider)) => {
            println!("{error}")
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[cfg(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc")))]
#[test]
fn row_77_a_client_without_cryptography_says_how_to_install_it() {
    let said = build("https://h.example", &[]);
    let expected = "rustls has no cryptography provider; install one with \
                    `CryptoProvider::install_default` before building the client";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn row_78_a_client_with_root_certificates_of_its_own_needs_none_of_the_system() {
    let nowhere = OsStr::new("/nonexistent");
    let own = [("SSL_CERT_FILE", nowhere), (MOZILLA, OsStr::new("1"))];
    let said = build("https://h.example", &own);
    assert!(said.contains("built"), "{said}");
}

#[test]
fn row_78_a_client_without_root_certificates_says_which_variable_names_what() {
    let nowhere = PathBuf::from("/nonexistent");
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no-certificates");
    std::fs::create_dir_all(&directory).unwrap();
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (variable, path, verb, problem) in [
        ("SSL_CERT_FILE", &nowhere, "is", "does not exist"),
        ("SSL_CERT_FILE", &directory, "is", "is a directory"),
        ("SSL_CERT_FILE", &file("empty.pem", ""), "is", "is empty"),
        (
            "SSL_CERT_FILE",
            &file("damaged.pem", damaged),
            "is",
            "has no valid certificate in PEM format",
        ),
        ("SSL_CERT_DIR", &nowhere, "has", "does not exist"),
        (
            "SSL_CERT_DIR",
            &directory,
            "has",
            "has no file with a valid certificate in PEM format",
        ),
    ] {
        let said = build("https://h.example", &[(variable, path.as_os_str())]);
        let (before, behind) = MESSAGE;
        let expected = format!("{before}{variable} {verb} {path:?}, which {problem}{behind}");
        assert!(said.contains(&expected), "{expected}\n{said}");
    }
}

#[tokio::test]
async fn row_78_an_http_service_on_this_machine_needs_no_certificate() {
    let server = Listener::start(Answer::to).await;
    let base_url = server.base_url();
    let said = tokio::task::spawn_blocking(move || {
        build(&base_url, &[("SSL_CERT_FILE", OsStr::new("/nonexistent"))])
    });
    let said = said.await.unwrap();
    assert!(said.contains("logged in"), "{said}");
    assert_eq!(server.seen().len(), 1);
}
