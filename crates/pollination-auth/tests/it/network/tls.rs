//! Certificates of every kind, with an authority of our own: which are trusted, and how a refusal is
//! reported.

use std::sync::Arc;

#[cfg(feature = "rustls-no-provider")]
use pollination_auth::reqwest::Identity;
use pollination_auth::reqwest::{Certificate, ClientBuilder as HttpBuilder};
use pollination_auth::{ClientBuilder, Operation, Reason};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
#[cfg(feature = "rustls-no-provider")]
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::fault_server::FaultServer;
use super::reply::Reply;
use super::support::{Failed, OPERATIONS, call};

/// The host of every server here.
const HOST: &str = "127.0.0.1";

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A certificate with its key.
struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn authority(name: &str) -> Authority {
    let mut params = params(&[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    CertificateParams::new(hosts).unwrap()
}

fn signed(params: &CertificateParams, authority: &Authority) -> Leaf {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Leaf { certificate, key }
}

fn self_signed() -> Leaf {
    let key = KeyPair::generate().unwrap();
    let certificate = params(&[HOST]).self_signed(&key).unwrap();
    Leaf { certificate, key }
}

/// A server with this certificate; with `clients`, it takes only those with a certificate of it.
async fn server(leaf: Leaf, clients: Option<&Authority>) -> FaultServer {
    server_of(aws_lc_rs::default_provider(), leaf, clients).await
}

async fn server_of(
    provider: CryptoProvider,
    leaf: Leaf,
    clients: Option<&Authority>,
) -> FaultServer {
    let provider = Arc::new(provider);
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(leaf.key.serialize_der()).unwrap();
    let config = config.with_single_cert(vec![leaf.certificate.into()], key);
    FaultServer::start_tls(config.unwrap()).await
}

/// A client of this base URL, in a program that brings what its features leave to it.
fn builder(base_url: impl Into<String>) -> ClientBuilder {
    #[cfg(not(feature = "rustls-aws-lc"))]
    let _was_installed_before = one_suite().install_default();
    super::support::builder(base_url)
}

/// A provider that a program could bring: it has one cipher suite, so that a server sees it.
#[cfg(not(feature = "rustls-aws-lc"))]
fn one_suite() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256],
        ..aws_lc_rs::default_provider()
    }
}

/// A client that trusts one more authority than the machine does.
fn trusting(server: &FaultServer, authority: &Authority) -> ClientBuilder {
    let root = Certificate::from_der(authority.der()).unwrap();
    builder(server.base_url()).configure_http(move |http| trust(http, root.clone()))
}

/// Adds an authority to those that the machine trusts; Wine can't add to its own, so it replaces them.
fn trust(http: HttpBuilder, root: Certificate) -> HttpBuilder {
    let is_wine = std::env::var_os("WINEPREFIX").is_some();
    if cfg!(windows) && is_wine {
        http.tls_certs_only([root])
    } else {
        http.tls_certs_merge([root])
    }
}

/// Checks the outcome of a refused certificate: one attempt, nothing sent, and retrying is no help.
async fn is_refused(server: &FaultServer, client: ClientBuilder) {
    let client = client.build().unwrap();
    let error = call(&client, Operation::Login).await.unwrap_err();
    let expected = Failed {
        requests: 0,
        ..Failed::expected("NotSent", Reason::Tls, 1)
    };
    assert_eq!(Failed::of(&error, server), expected, "{error:?}");
    assert!(!error.is_retryable());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn row_35_a_self_signed_certificate_is_refused() {
    let server = server(self_signed(), None).await;
    is_refused(&server, builder(server.base_url())).await;
}

#[tokio::test]
async fn row_35_an_unknown_authority_is_refused() {
    let (known, unknown) = (authority("known"), authority("unknown"));
    let server = server(signed(&params(&[HOST]), &unknown), None).await;
    is_refused(&server, trusting(&server, &known)).await;
}

#[tokio::test]
async fn row_35_a_certificate_of_another_host_is_refused() {
    let authority = authority("known");
    let server = server(signed(&params(&["other.example"]), &authority), None).await;
    is_refused(&server, trusting(&server, &authority)).await;
}

#[tokio::test]
async fn row_35_an_expired_certificate_is_refused() {
    let authority = authority("known");
    let mut expired = params(&[HOST]);
    expired.not_before = rcgen::date_time_ymd(2000, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let server = server(signed(&expired, &authority), None).await;
    is_refused(&server, trusting(&server, &authority)).await;
}

#[tokio::test]
async fn row_35_a_certificate_that_is_not_valid_yet_is_refused() {
    let authority = authority("known");
    let mut early = params(&[HOST]);
    early.not_before = rcgen::date_time_ymd(4000, 1, 1);
    let server = server(signed(&early, &authority), None).await;
    is_refused(&server, trusting(&server, &authority)).await;
}

#[tokio::test]
async fn row_35_what_would_accept_any_certificate_is_undone() {
    let server = server(self_signed(), None).await;
    let careless = builder(server.base_url()).configure_http(|http| {
        http.tls_danger_accept_invalid_certs(true)
            .tls_danger_accept_invalid_hostnames(true)
    });
    is_refused(&server, careless).await;
}

#[tokio::test]
async fn row_35_what_would_accept_any_host_is_undone() {
    let authority = authority("known");
    let root = Certificate::from_der(authority.der()).unwrap();
    let server = server(signed(&params(&["other.example"]), &authority), None).await;
    // Only with roots of its own can the HTTP client skip checking the host.
    let careless = builder(server.base_url()).configure_http(move |http| {
        http.tls_certs_only([root.clone()])
            .tls_danger_accept_invalid_hostnames(true)
    });
    is_refused(&server, careless).await;
}

#[tokio::test]
async fn row_35_an_authority_that_is_added_is_trusted_by_every_operation() {
    let authority = authority("known");
    let server = server(signed(&params(&[HOST]), &authority), None).await;
    let client = trusting(&server, &authority).build().unwrap();
    for operation in OPERATIONS {
        call(&client, operation).await.unwrap();
        assert_eq!(server.requests(operation).len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn row_35_an_authority_can_be_the_only_one() {
    let (known, other) = (authority("known"), authority("other"));
    let server = server(signed(&params(&[HOST]), &known), None).await;
    let only = |authority: &Authority| {
        let root = Certificate::from_der(authority.der()).unwrap();
        builder(server.base_url()).configure_http(move |http| http.tls_certs_only([root.clone()]))
    };
    is_refused(&server, only(&other)).await;
    let client = only(&known).build().unwrap();
    call(&client, Operation::Login).await.unwrap();
}

/// Returns `true` if an error of rustls is among the causes of an error.
fn is_of_rustls(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error
        .downcast_ref()
        .and_then(std::io::Error::get_ref)
        .map(|inner| inner as &(dyn std::error::Error + 'static));
    error.is::<tokio_rustls::rustls::Error>()
        || inner.or_else(|| error.source()).is_some_and(is_of_rustls)
}

/// With all features reqwest's own default is another backend.
#[tokio::test]
async fn row_77_the_backend_is_rustls_unless_this_crate_is_built_without() {
    let server = server(self_signed(), None).await;
    let client = builder(server.base_url()).build().unwrap();
    let error = call(&client, Operation::Login).await.unwrap_err();
    let expected = cfg!(feature = "rustls-no-provider");
    assert_eq!(is_of_rustls(&error), expected, "{error:?}");
}

#[cfg(all(feature = "rustls-no-provider", feature = "native-tls"))]
#[tokio::test]
async fn row_77_a_caller_chooses_between_the_backends_that_are_built() {
    let (known, other) = (authority("known"), authority("other"));
    let server = server(signed(&params(&[HOST]), &known), None).await;
    let native = |authority: &Authority| {
        let root = Certificate::from_der(authority.der()).unwrap();
        builder(server.base_url())
            .configure_http(move |http| http.tls_backend_native().tls_certs_merge([root.clone()]))
    };
    let client = native(&other).build().unwrap();
    let error = call(&client, Operation::Login).await.unwrap_err();
    assert!(!is_of_rustls(&error), "{error:?}");
    assert_eq!(error.failure().reason(), &Reason::Tls);
    let client = native(&known).build().unwrap();
    for operation in OPERATIONS {
        call(&client, operation).await.unwrap();
    }
}

#[cfg(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc")))]
#[tokio::test]
async fn row_77_the_cryptography_is_what_the_program_installed() {
    let authority = authority("known");
    let provider = CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384],
        ..aws_lc_rs::default_provider()
    };
    let another_suite = server_of(provider, signed(&params(&[HOST]), &authority), None).await;
    is_refused(&another_suite, trusting(&another_suite, &authority)).await;
}

#[cfg(feature = "rustls-no-provider")]
#[tokio::test]
async fn row_77_a_backend_that_was_configured_in_advance_takes_the_place_of_our_own() {
    let (known, other) = (authority("known"), authority("other"));
    let server = server(signed(&params(&[HOST]), &known), None).await;
    let configured = |authority: &Authority| {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        builder(server.base_url())
            .configure_http(move |http| http.tls_backend_preconfigured(tls.clone()))
    };
    is_refused(&server, configured(&other)).await;
    let client = configured(&known).build().unwrap();
    for operation in OPERATIONS {
        call(&client, operation).await.unwrap();
    }
}

#[tokio::test]
async fn row_35_a_server_without_tls_is_refused_like_a_bad_certificate() {
    let server = FaultServer::start().await;
    let https = server.base_url().replace("http:", "https:");
    is_refused(&server, builder(https)).await;
}

// The native backends take another form of key, and do not show the server's alert.
#[cfg(feature = "rustls-no-provider")]
#[tokio::test]
async fn a_client_certificate_is_presented_to_a_server_that_asks_for_one() {
    let authority = authority("known");
    let server = server(signed(&params(&[HOST]), &authority), Some(&authority)).await;
    let own = signed(&params(&["client.example"]), &authority);
    let pem = own.certificate.pem() + &own.key.serialize_pem();
    let identity = Identity::from_pem(pem.as_bytes()).unwrap();
    let root = Certificate::from_der(authority.der()).unwrap();
    let client = builder(server.base_url())
        .configure_http(move |http| trust(http.identity(identity.clone()), root.clone()))
        .build()
        .unwrap();
    for operation in OPERATIONS {
        call(&client, operation).await.unwrap();
    }
    assert_eq!(server.received().len(), OPERATIONS.len());
}

#[cfg(feature = "rustls-no-provider")]
#[tokio::test]
async fn a_server_that_misses_the_client_certificate_refuses_for_good() {
    let authority = authority("known");
    let server = server(signed(&params(&[HOST]), &authority), Some(&authority)).await;
    is_refused(&server, trusting(&server, &authority)).await;
}

#[tokio::test]
async fn row_01_a_redirect_from_https_to_http_is_not_followed() {
    let plain = FaultServer::start().await;
    let authority = authority("known");
    for operation in OPERATIONS {
        let server = server(signed(&params(&[HOST]), &authority), None).await;
        let location = format!("{}/auth/login?planted", plain.base_url());
        server.always(
            operation,
            Reply::raw(format!(
                "HTTP/1.1 307 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
            )),
        );
        let client = trusting(&server, &authority).build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        let expected = Failed::expected("Redirected", Reason::Status, 1);
        assert_eq!(Failed::of(&error, &server), expected, "{operation}");
        assert_eq!(error.status(), Some(307));
        let origin = error.failure().redirect_origin();
        assert_eq!(origin, Some(plain.base_url().as_str()));
    }
    assert_eq!(plain.connections(), 0);
}
