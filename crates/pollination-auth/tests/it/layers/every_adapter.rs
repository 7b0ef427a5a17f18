//! What is true for every adapter: the replay after a 401, which requests get a token, how they fail.

use bytes::Bytes;
use http::{Request, StatusCode};
use pollination_auth::{Client, Error};
use pollination_auth_fake::{FakeService, Fault, Operation};

use super::adapter::ADAPTERS;
use super::{PATH, builder, by_name, credentials, get, given_token};

#[tokio::test]
async fn a_refused_request_is_made_once_more_with_the_next_token_and_the_same_body() {
    for adapter in ADAPTERS {
        let service = FakeService::start();
        let client = builder(&service).build().unwrap();
        let first = adapter.send(&client, get(&service)).await;
        assert_eq!(first.unwrap(), StatusCode::OK, "{adapter:?}");
        service.expire_all_tokens();

        let request = Request::put(format!("{}{PATH}", service.base_url()));
        let request = request.body(Bytes::from_static(b"the body")).unwrap();
        let reply = adapter.send(&client, request).await;
        assert_eq!(reply.unwrap(), StatusCode::OK, "{adapter:?}");
        assert_eq!(service.logins(), 2, "{adapter:?}");
        let requests = service.requests();
        let bodies = requests
            .iter()
            .filter(|request| request.operation() == Some(Operation::RotateApiTokenSecret))
            .map(|request| request.body().to_vec());
        assert_eq!(bodies.collect::<Vec<_>>(), [b"the body", b"the body"]);
        let seen = credentials(&service);
        assert_eq!(seen[0], seen[1], "{adapter:?}");
        assert_ne!(seen[1], seen[2], "{adapter:?}");
    }
}

#[tokio::test]
async fn row_26_the_second_401_is_the_answer_and_a_403_or_a_503_the_first() {
    for adapter in ADAPTERS {
        let service = FakeService::start();
        let client = builder(&service).build().unwrap();
        for status in [403, 503, 401, 401] {
            service.fail_next(Operation::GetApiToken, Fault::status(status));
        }
        for status in [403, 503, 401] {
            let reply = adapter.send(&client, get(&service)).await;
            assert_eq!(reply.unwrap(), status, "{adapter:?}");
        }
        assert_eq!(
            (service.count(Operation::GetApiToken), service.logins()),
            (4, 2)
        );
    }
}

#[tokio::test]
async fn a_client_that_cannot_log_in_passes_the_401_on() {
    for adapter in ADAPTERS {
        let service = FakeService::start();
        let client = Client::builder()
            .access_token(given_token())
            .base_url(service.base_url())
            .build()
            .unwrap();
        let reply = adapter.send(&client, get(&service)).await;
        assert_eq!(reply.unwrap(), StatusCode::UNAUTHORIZED, "{adapter:?}");
        assert_eq!(
            (service.count(Operation::GetApiToken), service.logins()),
            (1, 0)
        );
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_error_says_why() {
    for adapter in ADAPTERS {
        let service = FakeService::start();
        let client = builder(&service).build().unwrap();
        service.fail_next(Operation::Login, Fault::status(401));
        let error = adapter.send(&client, get(&service)).await.unwrap_err();
        assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}");
        assert_eq!(service.count(Operation::GetApiToken), 0, "{adapter:?}");
    }
}

#[tokio::test]
async fn another_port_and_another_host_see_no_token_and_cause_no_login() {
    for adapter in ADAPTERS {
        let (service, other) = (FakeService::start(), FakeService::start());
        let client = builder(&service).build().unwrap();
        for url in [other.base_url(), by_name(&other), by_name(&service)] {
            let request = Request::get(format!("{url}{PATH}")).body(Bytes::new());
            let reply = adapter.send(&client, request.unwrap()).await;
            assert_eq!(
                reply.unwrap(),
                StatusCode::UNAUTHORIZED,
                "{adapter:?} {url}"
            );
        }
        assert_eq!(credentials(&other), [None, None], "{adapter:?}");
        assert_eq!(credentials(&service), [None], "{adapter:?}");
        assert_eq!(service.logins(), 0, "{adapter:?}");
    }
}

#[tokio::test]
async fn a_header_of_the_caller_is_kept_and_its_401_is_the_answer() {
    for adapter in ADAPTERS {
        let service = FakeService::start();
        let client = builder(&service).build().unwrap();
        client.login().await.unwrap();
        let mut request = get(&service);
        let custom = "Custom planted".parse().unwrap();
        request.headers_mut().insert("authorization", custom);
        let reply = adapter.send(&client, request).await;
        assert_eq!(reply.unwrap(), StatusCode::UNAUTHORIZED, "{adapter:?}");
        let seen = credentials(&service);
        assert_eq!(seen, [Some("Custom planted".to_owned())], "{adapter:?}");
        assert_eq!(service.logins(), 1, "{adapter:?}");
    }
}
