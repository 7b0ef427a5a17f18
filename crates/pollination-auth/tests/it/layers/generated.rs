//! A client that progenitor generates for another part of the service, with the two hooks.

use pollination_auth::{Client, Error};
use pollination_auth_fake::{FakeService, Fault, Operation};
use progenitor::progenitor_client::{ClientHooks, ClientInfo as _, OperationInfo};
use reqwest::{Request, Response, StatusCode};

use super::{builder, credentials};

mod another_part {
    progenitor::generate_api!(
        spec = "../pollination-auth-examples/examples/another_part.json",
        inner_type = pollination_auth::Client,
        pre_hook_async = pollination_auth::Client::authorize,
    );
}

impl ClientHooks<Client> for another_part::Client {
    async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        self.inner().execute(self.client(), request).await
    }
}

fn generated(service: &FakeService, host: &str) -> another_part::Client {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    another_part::Client::new_with_client(host, http, builder(service).build().unwrap())
}

#[tokio::test]
async fn a_generated_client_carries_the_token_and_goes_on_after_a_401() {
    let service = FakeService::start();
    let jobs = generated(&service, &service.base_url());
    let id = service.id().unwrap();
    assert_eq!(jobs.get_item().await.unwrap().id, id);
    service.expire_all_tokens();
    assert_eq!(jobs.get_item().await.unwrap().id, id);
    assert_eq!(
        (service.count(Operation::GetApiToken), service.logins()),
        (3, 2)
    );
}

#[tokio::test]
async fn a_generated_client_sends_nothing_without_a_token_and_says_why() {
    let service = FakeService::start();
    let jobs = generated(&service, &service.base_url());
    service.fail_next(Operation::Login, Fault::status(403));
    let error = jobs.get_item().await.unwrap_err();
    let why = jobs.inner().access_token().await.unwrap_err();
    assert!(matches!(why, Error::CredentialsRejected(_)), "{why:?}");
    assert!(error.to_string().contains(&why.to_string()), "{error}");
    assert_eq!(
        (service.count(Operation::GetApiToken), service.logins()),
        (0, 1)
    );
}

#[tokio::test]
async fn a_401_after_which_no_login_works_is_the_answer() {
    let service = FakeService::start();
    let jobs = generated(&service, &service.base_url());
    jobs.get_item().await.unwrap();
    service.expire_all_tokens();
    service.fail_next(Operation::Login, Fault::status(403));
    let error = jobs.get_item().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(
        (service.count(Operation::GetApiToken), service.logins()),
        (2, 2)
    );
}

#[tokio::test]
async fn a_generated_client_of_another_host_carries_no_token() {
    let (service, other) = (FakeService::start(), FakeService::start());
    let error = generated(&service, &other.base_url()).get_item().await;
    let status = error.unwrap_err().status();
    assert_eq!(status, Some(StatusCode::UNAUTHORIZED));
    assert_eq!(credentials(&other), [None]);
    assert_eq!(service.logins(), 0);
}
