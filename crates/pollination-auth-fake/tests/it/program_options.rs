//! What the options of the program change.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::json;

use crate::caller::Caller;
use crate::program::{PROGRAM, Program};

#[tokio::test]
async fn row_83_a_program_for_other_machines_still_refuses_web_pages() {
    let program = Program::start(&["--listen", "0.0.0.0:0", "--allow-host", "fake"]);
    let port = program.base_url.strip_prefix("http://0.0.0.0:").unwrap();
    let caller = Caller::at(format!("http://127.0.0.1:{port}"));
    assert_eq!(caller.login("fake-id", "fake-secret").await.status, 202);
    for (name, value, status) in [
        ("host", "10.1.2.3:8000", 200),
        ("host", "fake:8000", 200),
        ("host", "rebound.example:8000", 403),
        ("origin", "https://page.example", 403),
        ("origin", "http://10.1.2.3:8000", 403),
        ("origin", "null", 403),
    ] {
        let request = caller.request(Method::GET, "/__control/credential");
        let answer = Caller::send(request.header(name, value)).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        let shows_it = answer.body.windows(11).any(|part| part == b"fake-secret");
        assert_eq!(shows_it, status == 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_name_is_refused_unless_it_is_allowed() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let request = caller
        .request(Method::GET, "/__control")
        .header("host", "fake");
    let answer = Caller::send(request).await;
    assert_eq!(answer.status, 403);
    assert!(answer.detail().contains("--allow-host NAME"));
}

#[tokio::test]
async fn requests_are_logged_on_demand_without_their_secrets() {
    for (arguments, logged) in [
        (
            &["--log"][..],
            "POST /auth/login 202\nGET /auth/api-token 200\nGET /x 404\nPOST /auth/login -\n",
        ),
        (&[], ""),
    ] {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let base_url = line.trim_end().strip_prefix("listening on ").unwrap();
        let caller = Caller::at(base_url.to_owned());
        let login = caller.login("fake-id", "fake-secret").await;
        let get = caller.request(Method::GET, "/auth/api-token?secret=planted");
        Caller::send(get.bearer_auth(login.text("access_token"))).await;
        Caller::send(caller.request(Method::GET, "/x").body("planted")).await;
        let fault = json!({"operation": "login", "fault": "drop_connection"}).to_string();
        Caller::send(
            caller
                .request(Method::POST, "/__control/faults")
                .body(fault),
        )
        .await;
        Caller::try_send(caller.login_request("planted"))
            .await
            .err()
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut stderr = String::new();
        child.stderr.unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, logged);
    }
}

#[tokio::test]
async fn a_wrong_secret_gets_the_status_that_was_asked_for() {
    let program = Program::start(&["--wrong-secret-status", "403"]);
    let caller = Caller::at(program.base_url.clone());
    assert_eq!(caller.login("fake-id", "no").await.status, 403);
}
