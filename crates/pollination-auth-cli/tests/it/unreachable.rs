//! No connection: the cause is named, and what to look at. And certificates of a private authority.

#[cfg(unix)]
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
#[cfg(unix)]
use snapbox::str;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::world::{ID, PROGRAM, Ran, SECRET, World};

/// Logs in to another host than that of the service in memory.
pub(crate) fn log_in(world: &World, host: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = std::process::Command::new(PROGRAM);
    command
        .args(["login", "--host", host])
        .env_clear()
        .envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
        .env("HOME", world.home.path())
        .env("POLLINATION_AUTH_DIR", world.directory())
        .env("POLLINATION_API_KEY_ID", ID)
        .env("POLLINATION_API_KEY_SECRET", SECRET)
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Runs a command for another host without any root certificate: it can't build a client.
#[cfg(target_os = "linux")]
fn without_roots(world: &World, host: &str, arguments: &[&str]) -> Ran {
    let mut command = std::process::Command::new(PROGRAM);
    command
        .args(arguments)
        .args(["--host", host])
        .env_clear()
        .envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
        .env("HOME", world.home.path())
        .env("POLLINATION_AUTH_DIR", world.directory())
        .env("SSL_CERT_FILE", "/nonexistent/roots.pem")
        .stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Returns a port on which nobody listens.
pub(crate) fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn the_cause_of_a_failed_connection_is_told() {
    let world = World::new();
    let host = format!("http://127.0.0.1:{}", closed_port());
    // No proxy is used for this machine, so none is to blame.
    let ran = log_in(
        &world,
        &host,
        &[("ALL_PROXY", "http://u:planted@p.example")],
    );
    let stderr = ran.fails_with(5);
    assert!(
        stderr.contains("\n  cause: tcp connect error: Connection refused"),
        "{stderr}"
    );
    assert!(
        stderr.contains("\n  nothing listens on that port; start the service, or check the port"),
        "{stderr}"
    );
    assert!(!stderr.to_lowercase().contains("proxy"), "{stderr}");
}

#[test]
fn row_90_the_scheme_that_the_port_does_not_speak_is_named() {
    let world = World::new();
    let plain = world.service.base_url().replace("http://", "https://");
    let ran = log_in(&world, &plain, &[]);
    let advice = "; nothing was sent; if the port speaks plain http, use http:// in --host\n";
    assert!(ran.fails_with(11).contains(advice), "{ran:?}");
    let advice = "; try again later; if the port speaks TLS, use https:// in --host\n";
    let secure = behind_tls(&world, &authority()).replace("https://", "http://");
    for host in [secure, answering("")] {
        let ran = log_in(&world, &host, &[]);
        assert!(ran.fails_with(5).contains(advice), "{ran:?}");
    }
    let page = "400 Bad Request\r\ncontent-length: 5\r\n\r\nHTTPS";
    let ran = log_in(&world, &answering(page), &[]);
    let advice = "; if the port speaks TLS, use https:// in --host\n";
    assert!(ran.fails_with(11).contains(advice), "{ran:?}");
}

/// Answers each connection with this status line and what follows, or with nothing.
pub(crate) fn answering(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            // A request is shorter than this, and what is unread would reset the connection.
            let _head = socket.read(&mut [0; 64 * 1024]).unwrap();
            if !reply.is_empty() {
                write!(socket, "HTTP/1.0 {reply}").unwrap();
            }
        }
    });
    format!("http://{address}")
}

#[test]
fn row_89_a_server_that_is_not_the_api_is_not_tried_again_and_no_credential_is_blamed() {
    let world = World::new();
    // As Python, Go, nginx and FastAPI answer what they do not know.
    for reply in [
        "501 Unsupported method ('POST')\r\ncontent-type: text/html\r\n\r\n<!DOCTYPE HTML>",
        "404 Not Found\r\ncontent-type: text/plain\r\n\r\n404 page not found",
        "405 Not Allowed\r\ncontent-type: text/html\r\n\r\n<html>",
        "404 Not Found\r\ncontent-type: application/json\r\n\r\n{\"detail\":\"Not Found\"}",
        "404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "403 Forbidden\r\ncontent-type: text/html\r\n\r\n<html>",
        "200 OK\r\ncontent-type: text/html\r\n\r\n<html>",
    ] {
        let ran = log_in(&world, &answering(reply), &[]);
        let code = if reply.starts_with("403") { 4 } else { 11 };
        let stderr = ran.fails_with(code);
        let advice = "; the host does not look like the Pollination API; check --host";
        assert!(stderr.contains(advice), "{reply}: {stderr}");
        assert!(!stderr.contains("attempts"), "{reply}: {stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_ca_that_is_used_as_a_servers_certificate_is_not_blamed_on_the_roots() {
    let world = World::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let root = world.home.path().join("root.pem");
    fs::write(&root, certificate.pem()).unwrap();
    let host = serve_tls(&world, certificate.into(), &key);
    let ran = log_in(&world, &host, &[("SSL_CERT_FILE", root.to_str().unwrap())]);
    let stderr = ran.fails_with(11);
    assert!(
        stderr.contains("the server uses the certificate of a CA"),
        "{stderr}"
    );
    assert!(!stderr.contains("SSL_CERT_FILE"), "{stderr}");
}

pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "A private CA");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// As [`behind_tls`], with a certificate that this machine's clock calls not valid yet.
#[cfg(target_os = "linux")]
pub(crate) fn behind_early_tls(
    world: &World,
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2090, 1, 1);
    params.not_after = rcgen::date_time_ymd(2091, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    serve_tls(world, certificate.into(), &key)
}

/// Answers each connection over TLS with what the service in memory says.
pub(crate) fn behind_tls(world: &World, authority: &CertifiedIssuer<'static, KeyPair>) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    serve_tls(world, certificate.into(), &key)
}

/// As [`behind_tls`], with this certificate.
fn serve_tls(world: &World, certificate: CertificateDer<'static>, key: &KeyPair) -> String {
    serve_tls_after(world, certificate, key, || {})
}

/// As [`serve_tls`], and does something before each reply.
fn serve_tls_after(
    world: &World,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    before: impl Fn() + Send + 'static,
) -> String {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.service.base_url().replace("http://", "");
    // It ends with the process of the tests.
    thread::spawn(move || {
        for socket in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            // Who does not trust the certificate leaves in the middle of it.
            let _left = forward(
                StreamOwned::new(session, socket.unwrap()),
                &service,
                &before,
            );
        }
    });
    format!("https://{address}")
}

fn forward(client: impl Read + Write, service: &str, before: impl Fn()) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if client.read_line(&mut head)? == 0 {
            return Ok(());
        }
        let line = head[start..].trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let mut service = TcpStream::connect(service)?;
    let head = head.trim_end();
    write!(service, "{head}\r\nconnection: close\r\n\r\n")?;
    service.write_all(&body)?;
    let mut reply = Vec::new();
    service.read_to_end(&mut reply)?;
    before();
    client.get_mut().write_all(&reply)
}

/// On Windows the system's store is asked, in its own words.
#[cfg(unix)]
#[test]
fn row_35_a_private_authority_is_refused_with_the_cause_and_the_way_out_which_works() {
    let world = World::new();
    let authority = authority();
    let host = behind_tls(&world, &authority);
    let ran = log_in(&world, &host, &[]);
    world.assert_is(
        ran.fails_with(11),
        snapbox::str![[r#"
logging in to https://127.0.0.1:[..] with the API token of the environment
error: login: the server's certificate or TLS handshake is not acceptable; nothing was sent
  cause: invalid peer certificate: UnknownIssuer
  for a private CA, set SSL_CERT_FILE to the file of its root certificate (PEM)

"#]],
    );
    if cfg!(target_os = "linux") {
        let root = world.home.path().join("root.pem");
        fs::write(&root, authority.pem()).unwrap();
        let ran = log_in(&world, &host, &[("SSL_CERT_FILE", root.to_str().unwrap())]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let directory = world.home.path().join("roots");
        fs::create_dir(&directory).unwrap();
        fs::copy(&root, directory.join("root.pem")).unwrap();
        let directory = directory.to_str().unwrap();
        let ran = log_in(&world, &host, &[("SSL_CERT_DIR", directory)]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

/// On Windows and macOS the system's store is asked, in its own words.
#[cfg(target_os = "linux")]
#[test]
fn row_35_a_certificate_that_is_not_valid_yet_is_blamed_on_the_clock() {
    let world = World::new();
    let authority = authority();
    let host = behind_early_tls(&world, &authority);
    let root = world.home.path().join("root.pem");
    fs::write(&root, authority.pem()).unwrap();
    let ran = log_in(&world, &host, &[("SSL_CERT_FILE", root.to_str().unwrap())]);
    let stderr = ran.fails_with(11);
    assert!(
        stderr.contains("\n  check this machine's clock"),
        "{stderr}"
    );
    assert!(!stderr.contains("--host"), "{stderr}");
}

/// On Windows and macOS no variable is read.
#[cfg(target_os = "linux")]
#[test]
fn row_78_roots_that_vanish_are_named_by_the_variable_of_either_kind() {
    let world = World::new();
    let authority = authority();
    let directory = world.home.path().join("roots");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("root.pem"), authority.pem()).unwrap();
    let variables = [("SSL_CERT_DIR", directory.to_str().unwrap())];
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let roots = directory.clone();
    let host = serve_tls_after(&world, certificate.into(), &key, move || {
        let _gone = fs::remove_file(roots.join("root.pem"));
    });
    assert_eq!(log_in(&world, &host, &variables).code, Some(0));
    fs::write(directory.join("root.pem"), authority.pem()).unwrap();
    let mut command = std::process::Command::new(PROGRAM);
    command
        .args(["token", "rotate", "--yes", "--host", &host])
        .env_clear()
        .env("HOME", world.home.path())
        .env("POLLINATION_AUTH_DIR", world.directory())
        .envs(variables)
        .stdin(Stdio::null());
    let ran = Ran::from(command.output().unwrap());
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("SSL_CERT_DIR"), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_stored_and_kept_is_shown_without_building_a_client() {
    let world = World::new();
    let authority = authority();
    let host = behind_tls(&world, &authority);
    let root = world.home.path().join("root.pem");
    fs::write(&root, authority.pem()).unwrap();
    let ran = log_in(&world, &host, &[("SSL_CERT_FILE", root.to_str().unwrap())]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for command in ["access-token", "status"] {
        let ran = without_roots(&world, &host, &[command]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    // What asks the service builds one.
    let ran = without_roots(&world, &host, &["access-token", "--fresh"]);
    let stderr = ran.fails_with(1);
    assert!(stderr.contains("no root certificate was found"), "{stderr}");
}

/// On Windows no variable is read: the system's store is asked.
#[cfg(unix)]
#[test]
fn row_78_without_root_certificates_the_variable_is_named_and_what_it_names() {
    let world = World::new();
    let missing = [("SSL_CERT_FILE", "/nonexistent/roots.pem")];
    let ran = log_in(&world, "https://h.example", &missing);
    world.assert_is(
        ran.fails_with(1),
        str![[r#"
error: no root certificate was found: SSL_CERT_FILE is "/nonexistent/roots.pem", which does not exist; install the system's certificates, or set SSL_CERT_FILE to a file of root certificates (PEM)

"#]],
    );
    // This machine's own service needs none.
    let ran = log_in(&world, &world.service.base_url(), &missing);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
