//! Test support: a plain HTTP client, and one call for each operation.

use pollination_auth_api::SecretText;
use pollination_auth_fake::{FakeService, Operation};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::contract;

/// Calls one service.
pub(crate) struct Caller {
    base_url: String,
    client: Client,
}

/// A whole reply.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap().to_owned()
    }

    /// The text of a field, as a secret is one.
    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap().to_owned()
    }
}

impl Caller {
    pub(crate) fn of(service: &FakeService) -> Self {
        Self::at(service.base_url())
    }

    pub(crate) fn at(base_url: String) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { base_url, client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.base_url))
    }

    pub(crate) async fn try_send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
        Self::try_send(request).await.unwrap()
    }

    pub(crate) fn login_request(&self, body: impl Into<String>) -> reqwest::RequestBuilder {
        self.request(Method::POST, "/auth/login")
            .header(CONTENT_TYPE, "application/json")
            .body(body.into())
    }

    pub(crate) async fn login_with(&self, body: impl Into<String>) -> Answer {
        Self::send(self.login_request(body)).await
    }

    pub(crate) async fn login(&self, id: &str, secret: &str) -> Answer {
        self.login_with(json!({"id": id, "secret": secret}).to_string())
            .await
    }

    /// Logs in with what the service has now, and gives the access token.
    pub(crate) async fn access_token(&self, service: &FakeService) -> String {
        let secret = secret_of(service);
        let answer = self.login(&service.id().unwrap(), &secret).await;
        assert_eq!(answer.status, 202);
        answer.text("access_token")
    }

    pub(crate) fn operation_request(
        &self,
        operation: Operation,
        access_token: &str,
    ) -> reqwest::RequestBuilder {
        let method = match operation {
            Operation::Login => panic!("a login has a body; use login_request"),
            Operation::GetApiToken => Method::GET,
            Operation::CreateApiToken => Method::POST,
            Operation::RotateApiTokenSecret => Method::PUT,
            Operation::DeleteApiToken => Method::DELETE,
            other => panic!("the request of {other} is not written yet"),
        };
        self.request(method, "/auth/api-token")
            .header(AUTHORIZATION, format!("Bearer {access_token}"))
    }

    pub(crate) async fn call(&self, operation: Operation, access_token: &str) -> Answer {
        Self::send(self.operation_request(operation, access_token)).await
    }

    /// As [`call`](Self::call), and the reply is one of the contract.
    pub(crate) async fn documented(&self, operation: Operation, access_token: &str) -> Answer {
        let answer = self.call(operation, access_token).await;
        contract::assert_documented(operation.as_str(), answer.status.as_u16(), &answer.body);
        answer
    }
}

pub(crate) fn secret_of(service: &FakeService) -> String {
    let secret: SecretText = service.secret().unwrap();
    secret.expose_secret().to_owned()
}

/// The operations that need an access token.
pub(crate) const WITH_BEARER: [Operation; 4] = [
    Operation::GetApiToken,
    Operation::CreateApiToken,
    Operation::RotateApiTokenSecret,
    Operation::DeleteApiToken,
];
