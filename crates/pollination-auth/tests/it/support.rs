//! Test support: clients, calls by name, and a mock that records whole requests.
//!
//! What a mock library can't do on the wire is done in `listener`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use pollination_auth::{
    AccessToken, ApiToken, Client, ClientBuilder, Clock, Error, Moment, Operation, RetryPolicy,
    Secret, reqwest,
};

pub(crate) const ID: &str = "an-id";
pub(crate) const SECRET: &str = "a-secret";
pub(crate) const NEW_SECRET: &str = "a-new-secret";
/// An access token that is not a JWT, so that only the reply states its lifetime.
pub(crate) const ACCESS_TOKEN: &str = "an.access-token";

pub(crate) const OPERATIONS: [Operation; 5] = [
    Operation::Login,
    Operation::GetApiToken,
    Operation::CreateApiToken,
    Operation::RotateApiTokenSecret,
    Operation::DeleteApiToken,
];

/// The operations that need an access token.
pub(crate) const WITH_BEARER: [Operation; 4] = [
    Operation::GetApiToken,
    Operation::CreateApiToken,
    Operation::RotateApiTokenSecret,
    Operation::DeleteApiToken,
];

/// The operations whose reply is the only copy of a secret.
pub(crate) const MINTING: [Operation; 2] =
    [Operation::CreateApiToken, Operation::RotateApiTokenSecret];

pub(crate) fn path(operation: Operation) -> &'static str {
    match operation {
        Operation::Login => "/auth/login",
        _ => "/auth/api-token",
    }
}

/// Calls an operation for its error alone.
pub(crate) async fn call(client: &Client, operation: Operation) -> Result<(), Error> {
    match operation {
        Operation::Login => client.login().await.map(drop),
        Operation::GetApiToken => client.get_api_token().await.map(drop),
        Operation::CreateApiToken => client.create_api_token().await.map(drop),
        Operation::RotateApiTokenSecret => client.rotate_api_token_secret().await.map(drop),
        Operation::DeleteApiToken => client.delete_api_token().await,
        other => panic!("an operation without a call: {other}"),
    }
}

pub(crate) fn api_token() -> ApiToken {
    ApiToken::new(ID, Secret::from(SECRET)).unwrap()
}

/// Leaves the root certificates out: nothing here speaks TLS, and loading them takes longer than
/// most tests do.
fn without_roots(http: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    http.tls_certs_only([])
}

/// A client that logs in, and attempts everything once.
pub(crate) fn logging_in(base_url: impl Into<String>) -> ClientBuilder {
    Client::builder()
        .api_token(api_token())
        .base_url(base_url)
        .retry(RetryPolicy::none())
        .configure_http(without_roots)
}

/// A client with an access token alone, and attempts everything once.
pub(crate) fn bearing(base_url: impl Into<String>) -> ClientBuilder {
    Client::builder()
        .access_token(AccessToken::new(ACCESS_TOKEN).unwrap())
        .base_url(base_url)
        .retry(RetryPolicy::none())
        .configure_http(without_roots)
}

/// A client with which an operation makes exactly one request.
pub(crate) fn single(operation: Operation, base_url: impl Into<String>) -> ClientBuilder {
    match operation {
        Operation::Login => logging_in(base_url),
        _ => bearing(base_url),
    }
}

/// The default number of attempts, without a wait between them.
pub(crate) fn at_once() -> RetryPolicy {
    RetryPolicy::default().first_wait(Duration::ZERO)
}

/// Names the variant: the derived `Debug` of an enum begins with it.
pub(crate) fn variant(error: &Error) -> String {
    let shown = format!("{error:?}");
    shown.split('(').next().unwrap().to_owned()
}

/// A request, as a server saw it; the names of the headers in lower case, all in order of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// The request target: path and query, or a whole URL for a proxy.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn new(
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (String, String)>,
        body: &[u8],
    ) -> Self {
        let mut headers: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        headers.sort();
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    fn of(request: &HttpMockRequest) -> Self {
        // httpmock makes a whole URL of the target; `listener` sees what was really sent.
        let uri = request.uri();
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        Self::new(
            request.method_str(),
            target,
            request.headers_vec().clone(),
            request.body_ref(),
        )
    }

    pub(crate) fn is(&self, operation: Operation) -> bool {
        self.method == operation.method() && self.target.ends_with(path(operation))
    }

    /// Returns all values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// What a server answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status).header("content-type", "application/json")
        }
    }

    pub(crate) fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status).header("content-type", "text/html; charset=utf-8")
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The usual success of an operation.
    pub(crate) fn usual(operation: Operation) -> Self {
        match operation {
            Operation::Login => Self::login(ACCESS_TOKEN),
            Operation::GetApiToken => Self::json(200, format!(r#"{{"id":"{ID}"}}"#)),
            Operation::CreateApiToken => Self::minted(201, NEW_SECRET),
            Operation::RotateApiTokenSecret => Self::minted(200, NEW_SECRET),
            _ => Self::empty(204),
        }
    }

    pub(crate) fn minted(status: u16, secret: &str) -> Self {
        Self::json(status, format!(r#"{{"id":"{ID}","secret":"{secret}"}}"#))
    }

    pub(crate) fn login(access_token: &str) -> Self {
        Self::json(
            202,
            format!(
                r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600}}"#
            ),
        )
    }

    /// The usual success of whatever operation a request asks for.
    pub(crate) fn to(seen: &Seen) -> Self {
        let operation = OPERATIONS.into_iter().find(|one| seen.is(*one));
        operation.map_or_else(|| Self::empty(404), Self::usual)
    }
}

type Answering = Box<dyn FnMut(&Seen) -> Answer + Send>;

/// httpmock with one mock for all requests: records them, and answers with a script.
pub(crate) struct Mock {
    server: MockServer,
    seen: Arc<Mutex<Vec<Seen>>>,
    answering: Arc<Mutex<Answering>>,
}

impl Mock {
    pub(crate) fn start(answering: impl FnMut(&Seen) -> Answer + Send + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answering = Arc::new(Mutex::new(Box::new(answering) as Answering));
        let server = MockServer::start();
        let (record, answer) = (seen.clone(), answering.clone());
        server.mock(|when, then| {
            when.is_true(|_request| true);
            then.respond_with(move |request| {
                let request = Seen::of(request);
                let Answer {
                    status,
                    headers,
                    body,
                } = (lock(&answer))(&request);
                lock(&record).push(request);
                HttpMockResponse {
                    status: Some(status),
                    headers: Some(headers),
                    body: Some(body.into()),
                }
            });
        });
        Self {
            server,
            seen,
            answering,
        }
    }

    /// Answers logins as usual, and everything else with this.
    pub(crate) fn after_login(answer: Answer) -> Self {
        Self::start(move |seen| match seen.is(Operation::Login) {
            true => Answer::usual(Operation::Login),
            false => answer.clone(),
        })
    }

    pub(crate) fn always(answer: Answer) -> Self {
        Self::start(move |_| answer.clone())
    }

    pub(crate) fn answer_from_now_on(&self, answer: Answer) {
        *lock(&self.answering) = Box::new(move |_| answer.clone());
    }

    pub(crate) fn base_url(&self) -> String {
        self.server.base_url()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.seen().iter().filter(|seen| seen.is(operation)).count()
    }
}

/// Answers with each of these in turn, and then always with the last one.
pub(crate) fn in_turn(answers: impl Into<Vec<Answer>>) -> impl FnMut(&Seen) -> Answer {
    let mut answers = std::collections::VecDeque::from(answers.into());
    move |_| match answers.len() {
        1 => answers[0].clone(),
        _ => answers.pop_front().unwrap(),
    }
}

/// A panic of an assertion elsewhere leaves these values whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that a test sets; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<Mutex<Moment>>);

impl ManualClock {
    pub(crate) fn at(wall: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Moment {
            wall,
            monotonic: Duration::from_secs(1_000),
        })))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut now = lock(&self.0);
        now.wall += by;
        now.monotonic += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *lock(&self.0)
    }
}

/// Returns a generated model with the fields of a JSON value, whatever else the contract gives it.
pub(crate) fn model<T: serde::de::DeserializeOwned>(fields: serde_json::Value) -> T {
    serde_json::from_value(fields).unwrap()
}
