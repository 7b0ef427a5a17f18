//! The program, as a shell or another language's test starts it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

use pollination_auth_fake::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};
use crate::contract::assert_documented;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pollination-auth-fake");

/// A running program; ended when it is dropped.
pub(crate) struct Program {
    child: Child,
    #[cfg_attr(not(unix), expect(dead_code, reason = "it keeps the pipe open"))]
    stdout: BufReader<std::process::ChildStdout>,
    pub(crate) base_url: String,
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let base_url = line
            .strip_prefix("listening on ")
            .unwrap()
            .trim_end()
            .to_owned();
        Self {
            child,
            stdout,
            base_url,
        }
    }

    fn address(&self) -> &str {
        self.base_url.strip_prefix("http://").unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// Asks a program's control endpoint for something.
pub(crate) async fn control(caller: &Caller, method: Method, name: &str, body: &Value) -> Answer {
    let request = caller.request(method, &format!("/__control/{name}"));
    Caller::send(request.body(body.to_string())).await
}

fn fails_with(arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert_eq!(stdout, b"");
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn it_serves_all_operations_with_its_documented_defaults() {
    let program = Program::start(&[]);
    assert!(program.base_url.starts_with("http://127.0.0.1:"));
    let caller = Caller::at(program.base_url.clone());
    let answer = caller.login("fake-id", "fake-secret").await;
    assert_eq!(answer.status, 202);
    assert_documented("login", 202, &answer.body);
    assert_eq!(answer.json()["expires_in"], json!(86_400));
    let access_token = answer.text("access_token");
    let mut statuses = Vec::new();
    for operation in [
        Operation::GetApiToken,
        Operation::RotateApiTokenSecret,
        Operation::DeleteApiToken,
        Operation::GetApiToken,
        Operation::CreateApiToken,
        Operation::CreateApiToken,
    ] {
        let answer = caller.documented(operation, &access_token).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 204, 404, 201, 409]);
}

#[tokio::test]
async fn it_takes_id_secret_and_lifetime_from_its_arguments() {
    let program = Program::start(&["--id", "i", "--secret", "s", "--expires-in", "60"]);
    let answer = Caller::at(program.base_url.clone()).login("i", "s").await;
    assert_eq!(answer.json()["expires_in"], json!(60));
}

/// A signal tells it.
#[cfg(unix)]
#[test]
fn it_prints_one_line_and_ends_when_it_is_told_to() {
    let mut program = Program::start(&[]);
    let told = Command::new("kill")
        .arg(program.child.id().to_string())
        .status();
    assert!(told.unwrap().success());
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    program.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn a_port_in_use_is_an_error_with_status_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (status, stderr) = fails_with(&["--port", &address.port().to_string()]);
    assert_eq!(status, Some(1));
    let expected = format!("pollination-auth-fake: cannot listen on {address}: ");
    assert!(stderr.starts_with(&expected), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_wrong_argument_is_an_error_with_status_2() {
    for arguments in [
        &["--port", "65536"][..],
        &["--port", "x"],
        &["--id", ""],
        &["--secret", ""],
        &["--expires-in", "-1"],
        &["--expires-in", "1h"],
        &["--latency", "5"],
        &["--latency", "-1s"],
        &["--listen", "127.0.0.1"],
        &["--listen", "127.0.0.1:0", "--port", "0"],
        &["--allow-host", ""],
        &["--wrong-secret-status", "199"],
        &["--nonsense"],
        &["surplus"],
    ] {
        let (status, stderr) = fails_with(arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let program = Program::start(&[]);
    let mut stream = TcpStream::connect(program.address()).unwrap();
    for _ in 0..3 {
        let request = "OPTIONS /auth/login HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(&stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).unwrap();
        }
        assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
        let body = br#"{"detail":"no such operation: OPTIONS /auth/login"}"#;
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{head}"
        );
        let mut got = vec![0; body.len()];
        reader.read_exact(&mut got).unwrap();
        assert_eq!(got, body);
    }
}

#[tokio::test]
async fn an_unknown_request_and_a_head_request_are_answered() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let answer = Caller::send(caller.request(Method::PATCH, "/x")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.detail().as_str()),
        (404, "no such operation: PATCH /x")
    );
    let answer = Caller::send(caller.request(Method::HEAD, "/x")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (404, 0));
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let answer = caller.login_with(" ".repeat(64 * 1024 + 1)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.detail().as_str()),
        (413, "the body is too large")
    );
}
