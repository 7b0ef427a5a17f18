//! Every reply that the service can give is one that the contract has.

use std::collections::BTreeSet;

use pollination_auth_fake::{FakeService, Fault, Operation};

use crate::caller::{Answer, Caller, WITH_BEARER, secret_of};
use crate::contract::{OF_THE_FAKE, assert_documented};

#[tokio::test]
async fn every_reply_of_the_service_is_one_of_the_contract() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let mut seen = BTreeSet::new();
    let mut judge = |operation: Operation, answer: &Answer| {
        let status = answer.status.as_u16();
        assert_documented(operation.as_str(), status, &answer.body);
        seen.insert((operation.as_str(), status));
    };

    let (id, secret) = (service.id().unwrap(), secret_of(&service));
    judge(Operation::Login, &caller.login(&id, &secret).await);
    judge(Operation::Login, &caller.login(&id, "no").await);
    for body in ["", "{}", "[]", "nonsense", r#"{"id":1,"secret":2}"#] {
        judge(Operation::Login, &caller.login_with(body).await);
    }
    let access_token = caller.access_token(&service).await;
    for operation in WITH_BEARER {
        judge(operation, &caller.call(operation, "no").await);
    }
    for operation in [
        Operation::GetApiToken,
        Operation::RotateApiTokenSecret,
        Operation::CreateApiToken,
        Operation::DeleteApiToken,
        Operation::GetApiToken,
        Operation::RotateApiTokenSecret,
        Operation::DeleteApiToken,
        Operation::CreateApiToken,
    ] {
        judge(operation, &caller.call(operation, &access_token).await);
    }
    assert_eq!(seen, BTreeSet::from(OF_THE_FAKE));
}

#[tokio::test]
async fn a_scripted_status_of_the_contract_has_a_body_of_the_contract() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    for operation in WITH_BEARER {
        for status in [403, 500] {
            service.fail_next(operation, Fault::status(status));
            assert_eq!(caller.documented(operation, "any").await.status, status);
        }
    }
}
