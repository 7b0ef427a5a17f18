//! The fake service as a process: starts it, scripts it, inspects it, and stops it in the end.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// How long a call of the control endpoint may take: 10 s, far above what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running fake service.
pub(crate) struct Service {
    child: Child,
    url: String,
    http: reqwest::blocking::Client,
}

/// The valid id and secret, as the service itself knows them.
pub(crate) struct Truth {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Service {
    /// Starts the program and waits until it prints its address.
    pub(crate) fn start(program: &Path, options: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.map(str::to_owned);
        let http = reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .build();
        // Created first, so that it stops the process even if the rest fails.
        let service = Self {
            child,
            url: url.clone().unwrap_or_default(),
            http: http.map_err(io::Error::other)?,
        };
        url.ok_or_else(|| io::Error::other(format!("the fake service said {line:?}")))?;
        Ok(service)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Resets the service to its start.
    pub(crate) fn reset(&self) -> io::Result<()> {
        self.call("POST", "/__control/reset", None, None).map(drop)
    }

    /// Answers requests with a valid access token for another path with an empty text.
    pub(crate) fn add_route(&self, method: &str, path: &str) -> io::Result<()> {
        let route = json!({"method": method, "path": path, "body": ""});
        self.call("POST", "/__control/routes", None, Some(&route))
            .map(drop)
    }

    /// Makes the next request for an operation meet a fault.
    pub(crate) fn script(&self, fault: &Value) -> io::Result<()> {
        self.call("POST", "/__control/faults", None, Some(fault))
            .map(drop)
    }

    /// Removes the faults that no request has met.
    pub(crate) fn clear_faults(&self) -> io::Result<()> {
        self.call("DELETE", "/__control/faults", None, None)
            .map(drop)
    }

    /// Returns the valid credential, or `None` if the account has no API token.
    pub(crate) fn truth(&self) -> io::Result<Option<Truth>> {
        let answer = self.call("GET", "/__control/credential", None, None)?;
        let text = |field: &str| Some(answer.get(field)?.as_str()?.to_owned());
        Ok(text("id")
            .zip(text("secret"))
            .map(|(id, secret)| Truth { id, secret }))
    }

    /// Logs in without the command, as the web interface or another machine would.
    pub(crate) fn log_in(&self) -> io::Result<String> {
        let missing = || io::Error::other("the fake service gave no access token");
        let truth = self.truth()?.ok_or_else(missing)?;
        let body = json!({"id": truth.id, "secret": truth.secret});
        let answer = self.call("POST", "/auth/login", None, Some(&body))?;
        let token = answer.get("access_token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(missing)
    }

    /// Changes the account's API token without the command: `PUT` rotates it, `DELETE` deletes it.
    ///
    /// A missing API token is not an error: a command may have been faster.
    pub(crate) fn change(&self, method: &str, access_token: &str) -> io::Result<()> {
        self.call(method, "/auth/api-token", Some(access_token), None)
            .map(drop)
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Value> {
        let method = method.parse().map_err(io::Error::other)?;
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let reply = request.send().map_err(io::Error::other)?;
        let is_missing = bearer.is_some() && reply.status() == reqwest::StatusCode::NOT_FOUND;
        if !reply.status().is_success() && !is_missing {
            let status = reply.status();
            return Err(io::Error::other(format!(
                "{path} was answered with {status}"
            )));
        }
        let text = reply.text().map_err(io::Error::other)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A process that has exited can't be killed again.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
