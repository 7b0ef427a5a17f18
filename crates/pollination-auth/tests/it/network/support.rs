//! Test support for the network: clients, one way to call each operation, and bounds.

use std::net::SocketAddr;
use std::time::Duration;

use pollination_auth::{
    ApiToken, Client, ClientBuilder, Error, Operation, Reason, RetryPolicy, Secret,
};
use tokio::net::TcpSocket;

use super::fault_server::FaultServer;
use super::reply::{ID, Reply};

/// Long enough for anything on a loaded machine; what takes longer hangs.
const BOUND: Duration = Duration::from_secs(30);

/// The attempts that the default policy makes.
pub(super) const ATTEMPTS: u32 = 3;

/// The secret that the client begins with.
pub(super) const SECRET: &str = "a-secret";

pub(super) const OPERATIONS: [Operation; 5] = [
    Operation::Login,
    Operation::GetApiToken,
    Operation::CreateApiToken,
    Operation::RotateApiTokenSecret,
    Operation::DeleteApiToken,
];

/// Those whose reply is the only place with a new secret.
pub(super) const MINTING: [Operation; 2] =
    [Operation::CreateApiToken, Operation::RotateApiTokenSecret];

/// Those that may be repeated when a reply is lost, and whose reply has a body.
pub(super) const REPEATABLE: [Operation; 2] = [Operation::Login, Operation::GetApiToken];

/// Fails when a future takes longer than anything here may.
pub(super) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(BOUND, future)
        .await
        .expect("this hangs")
}

/// A client of this base URL that waits for nothing between two attempts.
pub(super) fn builder(base_url: impl Into<String>) -> ClientBuilder {
    Client::builder()
        .api_token(ApiToken::new(ID, Secret::from(SECRET)).unwrap())
        .base_url(base_url)
        .retry(RetryPolicy::default().first_wait(Duration::ZERO))
}

pub(super) fn client(base_url: impl Into<String>) -> Client {
    builder(base_url).build().unwrap()
}

/// Calls an operation and ignores its value.
pub(super) async fn call(client: &Client, operation: Operation) -> Result<(), Error> {
    match operation {
        Operation::Login => within(client.login()).await.map(drop),
        Operation::GetApiToken => within(client.get_api_token()).await.map(drop),
        Operation::CreateApiToken => within(client.create_api_token()).await.map(drop),
        Operation::RotateApiTokenSecret => within(client.rotate_api_token_secret()).await.map(drop),
        Operation::DeleteApiToken => within(client.delete_api_token()).await,
        other => panic!("{other} is new here"),
    }
}

/// What a test asserts of a failed call: the variant by name, the reason, and the attempts.
#[derive(Debug, PartialEq)]
pub(super) struct Failed {
    pub(super) variant: &'static str,
    pub(super) reason: Reason,
    /// As the error counts them.
    pub(super) attempts: u32,
    /// As the server counts them.
    pub(super) requests: u32,
}

impl Failed {
    pub(super) fn of(error: &Error, server: &FaultServer) -> Self {
        let requests = server.requests(error.operation()).len();
        Self {
            variant: variant(error),
            reason: error.failure().reason().clone(),
            attempts: error.failure().attempts(),
            requests: u32::try_from(requests).unwrap(),
        }
    }

    /// A failure with the same count of attempts at client and server.
    pub(super) fn expected(variant: &'static str, reason: Reason, attempts: u32) -> Self {
        Self {
            variant,
            reason,
            attempts,
            requests: attempts,
        }
    }
}

pub(super) fn variant(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "NotFound",
        Error::Redirected(_) => "Redirected",
        Error::NotSent(_) => "NotSent",
        Error::Unavailable(_) => "Unavailable",
        Error::Ambiguous(_) => "Ambiguous",
        Error::UnusableReply(_) => "UnusableReply",
        Error::Internal(_) => "Internal",
        other => panic!("no fault here leads to {other:?}"),
    }
}

/// Calls an operation that is always answered like this; returns the error and the server.
pub(super) async fn fails(operation: Operation, reply: Reply) -> (Error, FaultServer) {
    let server = FaultServer::start().await;
    server.always(operation, reply);
    let client = client(server.base_url());
    let result = call(&client, operation).await;
    let error = result.expect_err(operation.as_str());
    assert_eq!(error.operation(), operation);
    (error, server)
}

/// The raw reply as text.
pub(super) fn raw_reply(error: &Error) -> Option<String> {
    let raw = error.raw_reply()?;
    Some(String::from_utf8(raw.expose_secret().to_vec()).unwrap())
}

/// A port on which nobody listens and which nobody else can take.
pub(super) struct ClosedPort {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl ClosedPort {
    pub(super) fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    pub(super) fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Connections of an earlier listener may still occupy the port.
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        Self {
            address: socket.local_addr().unwrap(),
            _bound: socket,
        }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}
