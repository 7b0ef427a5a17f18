//! The scheme of the base URL is not the one that the port speaks: the error names the other one.

use std::net::SocketAddr;
use std::sync::Arc;

use pollination_auth::{Error, Operation};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::fault_server::FaultServer;
use super::reply::Reply;
use super::support::{MINTING, REPEATABLE, builder, call, client, fails, variant};

/// The most that a server here reads of what it does not understand: longer than a `ClientHello`.
const MOST: usize = 64 * 1024;

/// A server that reads what comes first, answers with these bytes and ends each connection.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut read = vec![0; MOST];
            let _begun = socket.read(&mut read).await;
            let _gone = socket.write_all(bytes).await;
            let _ended = socket.shutdown().await;
        }
    });
    address.to_string()
}

/// Returns the scheme that the error names, and the advice, with what the library says of it.
fn named(error: &Error) -> (Option<&'static str>, String) {
    let shown = error.to_string();
    let advice = shown.split_once("; ").unwrap().1.to_owned();
    (error.failure().other_scheme(), advice)
}

#[tokio::test]
async fn row_90_plain_http_to_a_port_for_tls_names_https() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_single_cert(vec![certificate.into()], key);
    let server = FaultServer::start_tls(config.unwrap()).await;
    let tls = server.base_url().replace("https://", "http://");
    let not_http = format!(
        "http://{}",
        answering(b"\x15\x03\x01\x00\x02\x02\x46").await
    );
    let silent = format!("http://{}", answering(b"").await);
    for base_url in [tls, not_http, silent] {
        let error = call(&client(base_url), Operation::Login).await.unwrap_err();
        assert_eq!(variant(&error), "Unavailable", "{error:?}");
        let advice = "try again later; if the port speaks TLS, use https:// in the base URL";
        assert_eq!(named(&error), (Some("https"), advice.to_owned()));
    }
}

#[tokio::test]
async fn row_90_tls_to_a_port_for_plain_http_names_http() {
    let plain = answering(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let silent = answering(b"").await;
    for address in [plain, silent] {
        let client = builder(format!("https://{address}"))
            .configure_http(|http| http.tls_certs_only([]))
            .build()
            .unwrap();
        let error = call(&client, Operation::Login).await.unwrap_err();
        assert_eq!(variant(&error), "NotSent", "{error:?}");
        let advice = "nothing was sent; if the port speaks plain http, use http:// in the base URL";
        assert_eq!(named(&error), (Some("http"), advice.to_owned()));
    }
}

/// Who answers there may be a firewall or a login page.
#[tokio::test]
async fn row_90_nobody_is_told_to_do_without_tls_on_another_machine() {
    let plain = answering(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let silent = answering(b"").await;
    for address in [plain, silent].map(|address| address.parse::<SocketAddr>().unwrap()) {
        let client = builder(format!("https://h.example:{}", address.port()))
            .configure_http(move |http| http.tls_certs_only([]).resolve("h.example", address))
            .build()
            .unwrap();
        let error = call(&client, Operation::Login).await.unwrap_err();
        assert_eq!(variant(&error), "NotSent", "{error:?}");
        let (scheme, advice) = named(&error);
        assert_eq!(scheme, None);
        assert!(!advice.contains("http://"), "{advice}");
    }
}

#[tokio::test]
async fn row_90_a_reply_that_is_cut_off_is_no_sign_of_another_scheme() {
    for operation in [REPEATABLE, MINTING].concat() {
        let cut = Reply::with_length(operation, 100, "{").close();
        let (error, _server) = fails(operation, cut).await;
        let is_minted = MINTING.contains(&operation);
        assert_eq!(variant(&error) == "UnusableReply", is_minted, "{error:?}");
        assert_eq!(error.failure().other_scheme(), None, "{operation}");
    }
}
