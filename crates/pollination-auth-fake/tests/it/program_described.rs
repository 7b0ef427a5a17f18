//! What the program says of its control endpoint: by itself, in its help, and in `docs/fake.md`.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::program::{PROGRAM, Program, control};

const PAGE: &str = include_str!("../../../../docs/fake.md");
const README: &str = include_str!("../../README.md");

async fn description(caller: &Caller) -> Value {
    let answer = Caller::send(caller.request(Method::GET, "/__control")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.json()
}

fn list<'a>(description: &'a Value, of: &str) -> &'a [Value] {
    description[of].as_array().unwrap()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap()
}

#[tokio::test]
async fn it_describes_itself_with_and_without_a_slash() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let with_slash = control(&caller, Method::GET, "", &Value::Null).await;
    assert_eq!(with_slash.json(), description(&caller).await);
}

#[test]
fn the_help_names_it() {
    for help in ["-h", "--help"] {
        let output = Command::new(PROGRAM).arg(help).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(
            shown.contains("curl http://127.0.0.1:PORT/__control"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_fault_is_taken_for_the_operations_that_it_names_and_no_others() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let description = description(&caller).await;
    for fault in list(&description, "faults") {
        for operation in list(&description, "operations") {
            let operation = &operation["operation"];
            let mut body = json!({"operation": operation, "fault": fault["fault"]});
            let without = control(&caller, Method::POST, "faults", &body).await;
            if let Some(argument) = fault["takes"].as_str() {
                assert_eq!(without.status, 400, "{body}");
                body[argument] = json!(503);
            }
            let answer = control(&caller, Method::POST, "faults", &body).await;
            let is_named = fault["operations"].as_array().unwrap().contains(operation);
            assert_eq!(answer.status == 204, is_named, "{body}");
        }
    }
}

#[tokio::test]
async fn a_call_that_shows_a_body_takes_it_and_another_needs_none() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for call in list(&description(&caller).await, "calls") {
        let (method, path) = text(call, "call").split_once(' ').unwrap();
        let request = || caller.request(method.parse().unwrap(), path);
        let takes = &call["takes"];
        if !takes.is_null() {
            assert_eq!(Caller::send(request()).await.status, 400, "{call}");
        }
        let body = if takes.is_null() {
            String::new()
        } else {
            takes.to_string()
        };
        let status = Caller::send(request().body(body)).await.status;
        assert_eq!(status, if method == "GET" { 200 } else { 204 }, "{call}");
    }
}

#[tokio::test]
async fn the_page_has_what_the_program_says() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let description = description(&caller).await;
    let code = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => format!("`{text}`"),
        json => format!("`{json}`"),
    };
    let mut tables = [
        "| Call | Body | What it does |\n|---|---|---|\n",
        "| `fault` | Takes | What it does | `operation` |\n|---|---|---|---|\n",
        "| Field | What it is |\n|---|---|\n",
        "| `operation` | Request |\n|---|---|\n",
    ]
    .map(str::to_owned);
    for line in list(&description, "calls") {
        let (call, takes) = (code(&line["call"]), code(&line["takes"]));
        tables[0].push_str(&format!("| {call} | {takes} | {} |\n", text(line, "does")));
    }
    let every = list(&description, "operations").len();
    for line in list(&description, "faults") {
        let (fault, takes) = (code(&line["fault"]), code(&line["takes"]));
        let operations: Vec<_> = list(line, "operations").iter().map(code).collect();
        let operations = match operations.len() {
            all if all == every => "any".to_owned(),
            _ => operations.join(", "),
        };
        let does = text(line, "does");
        tables[1].push_str(&format!("| {fault} | {takes} | {does} | {operations} |\n"));
    }
    for line in list(&description, "fault_fields") {
        tables[2].push_str(&format!(
            "| {} | {} |\n",
            code(&line["field"]),
            text(line, "is")
        ));
    }
    for line in list(&description, "operations") {
        let (operation, request) = (code(&line["operation"]), code(&line["request"]));
        tables[3].push_str(&format!("| {operation} | {request} |\n"));
    }
    for table in tables {
        assert!(PAGE.contains(&table), "docs/fake.md lacks:\n{table}");
    }
}

/// A line of a page that calls the program with curl.
struct Curl<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a str,
    has_access_token: bool,
}

impl<'a> Curl<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (options, path) = line
            .strip_prefix("curl ")?
            .split_once("http://127.0.0.1:8000")?;
        let body = options.split('\'').nth(1).unwrap_or_default();
        let method = match options.strip_prefix("-X ") {
            Some(rest) => rest.split(' ').next()?,
            None if body.is_empty() => "GET",
            None => "POST",
        };
        Some(Self {
            method,
            path,
            body,
            has_access_token: options.contains("Bearer $TOKEN"),
        })
    }
}

#[tokio::test]
async fn every_call_with_curl_that_is_documented_is_taken() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for page in [PAGE, README] {
        let curls: Vec<_> = page.lines().filter_map(Curl::of).collect();
        assert_ne!(curls.len(), 0);
        for Curl {
            method,
            path,
            body,
            has_access_token,
        } in curls
        {
            let request = || {
                let request = caller.request(method.parse().unwrap(), path);
                request.body(body.to_owned())
            };
            let answer = if has_access_token {
                let refused = Caller::send(request().bearer_auth("not-one")).await;
                assert_eq!(refused.status, 401, "{method} {path}");
                let login = caller.login("fake-id", "fake-secret").await;
                Caller::send(request().bearer_auth(login.text("access_token"))).await
            } else {
                Caller::send(request()).await
            };
            assert!(answer.status.is_success(), "{method} {path}");
        }
    }
}
