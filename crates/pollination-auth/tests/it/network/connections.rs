//! Connections that are refused, reset or closed, and which of them are used again.

use std::sync::Arc;

use pollination_auth::reqwest::dns::{Name, Resolve, Resolving};
use pollination_auth::{Operation, Reason};

use super::fault_server::{FaultServer, OnAccept};
use super::reply::{ACCESS_TOKEN, Reply};
use super::support::{
    ATTEMPTS, ClosedPort, Failed, MINTING, OPERATIONS, builder, call, client, fails, variant,
    within,
};

#[tokio::test]
async fn row_30_a_404_after_a_lost_204_is_a_delete_that_is_done() {
    for lost in [Reply::default().close(), Reply::default().reset()] {
        let server = FaultServer::start().await;
        let gone = Reply::json(404, r#"{"detail":"no token"}"#);
        server.script(Operation::DeleteApiToken, [lost, gone]);
        let client = client(server.base_url());
        assert!(matches!(
            call(&client, Operation::DeleteApiToken).await,
            Ok(())
        ));
        assert_eq!(server.requests(Operation::DeleteApiToken).len(), 2);
        // Its access token is forgotten: the next operation logs in.
        call(&client, Operation::GetApiToken).await.unwrap();
        assert_eq!(server.requests(Operation::Login).len(), 2);
    }
}

#[tokio::test]
async fn row_30_a_404_at_the_first_try_says_that_there_was_none() {
    let gone = Reply::json(404, r#"{"detail":"no token"}"#);
    let (error, server) = fails(Operation::DeleteApiToken, gone).await;
    let expected = Failed::expected("NotFound", Reason::Status, 1);
    assert_eq!(Failed::of(&error, &server), expected);
}

#[tokio::test]
async fn row_34_a_refused_connection_is_not_sent_and_tried_again_by_every_operation() {
    for operation in OPERATIONS {
        let server = FaultServer::start().await;
        let client = client(server.base_url());
        call(&client, Operation::Login).await.unwrap();
        let _closed = within(server.stop()).await;
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), "NotSent", "{operation}: {error:?}");
        assert_eq!(
            error.failure().reason(),
            &Reason::ConnectFailed,
            "{operation}"
        );
        assert_eq!(error.failure().attempts(), ATTEMPTS, "{operation}");
        assert_eq!(error.operation(), operation);
        assert!(error.is_retryable(), "{operation}");
    }
}

#[tokio::test]
async fn row_34_nothing_listens_there_at_all() {
    let closed = ClosedPort::new();
    let error = call(&client(closed.base_url()), Operation::GetApiToken)
        .await
        .unwrap_err();
    // The login that it needs has failed.
    assert_eq!(error.operation(), Operation::Login);
    assert_eq!(variant(&error), "NotSent");
    assert_eq!(error.failure().attempts(), ATTEMPTS);
}

#[tokio::test]
async fn row_34_a_name_that_has_no_address_is_not_sent() {
    let client = builder("https://nowhere.invalid")
        .configure_http(|http| http.dns_resolver(Arc::new(NoAddress)))
        .build()
        .unwrap();
    let error = call(&client, Operation::Login).await.unwrap_err();
    assert_eq!(variant(&error), "NotSent");
    assert_eq!(error.failure().reason(), &Reason::ConnectFailed);
    assert_eq!(error.failure().attempts(), ATTEMPTS);
}

/// Resolves no name, so that no test asks a name server.
struct NoAddress;

impl Resolve for NoAddress {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::ready(Err("no such name".into())))
    }
}

#[tokio::test]
async fn row_34_a_good_access_token_serves_on_while_the_service_is_down() {
    let server = FaultServer::start().await;
    let client = client(server.base_url());
    call(&client, Operation::Login).await.unwrap();
    let _closed = within(server.stop()).await;
    for _ in 0..3 {
        let token = within(client.access_token()).await.unwrap();
        assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    }
    // An explicit login fails, and removes nothing.
    let error = call(&client, Operation::Login).await.unwrap_err();
    assert_eq!(variant(&error), "NotSent");
    let token = within(client.access_token()).await.unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
}

#[tokio::test]
async fn a_connection_that_is_reset_when_it_is_made_repeats_nothing_that_may_have_been_sent() {
    for operation in MINTING {
        let server = FaultServer::start().await;
        let client = client(server.base_url());
        call(&client, Operation::Login).await.unwrap();
        server.on_accept([OnAccept::Reset]);
        // The machine decides if that is noticed while connecting or while writing.
        match call(&client, operation).await {
            Ok(()) => assert_eq!(server.requests(operation).len(), 1, "{operation}"),
            Err(error) => {
                let expected = Failed {
                    requests: 0,
                    ..Failed::expected("Ambiguous", Reason::ConnectionLost, 1)
                };
                assert_eq!(Failed::of(&error, &server), expected, "{operation}");
            }
        }
    }
}

#[tokio::test]
async fn connections_that_are_reset_when_they_are_made_are_made_again_for_a_login() {
    let server = FaultServer::start().await;
    server.on_accept([OnAccept::Reset; 2]);
    call(&client(server.base_url()), Operation::Login)
        .await
        .unwrap();
    assert_eq!(server.connections(), 3);
    assert_eq!(server.requests(Operation::Login).len(), 1);
}

#[tokio::test]
async fn row_39_a_rotate_and_a_create_use_a_connection_of_their_own() {
    let server = FaultServer::start().await;
    let client = client(server.base_url());
    for operation in [
        Operation::Login,
        Operation::GetApiToken,
        Operation::RotateApiTokenSecret,
        Operation::CreateApiToken,
        Operation::GetApiToken,
        Operation::RotateApiTokenSecret,
    ] {
        call(&client, operation).await.unwrap();
    }
    let over: Vec<_> = server
        .received()
        .iter()
        .map(|received| received.connection)
        .collect();
    assert_eq!(over, [0, 0, 1, 2, 0, 3]);
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn row_39_a_kept_connection_that_closes_on_the_next_request_is_a_lost_reply() {
    for lost in [Reply::default().close(), Reply::default().reset()] {
        for operation in [Operation::GetApiToken, Operation::DeleteApiToken] {
            let server = FaultServer::start().await;
            server.script(operation, [lost.clone()]);
            let client = client(server.base_url());
            call(&client, Operation::Login).await.unwrap();
            call(&client, operation).await.unwrap();
            let over: Vec<_> = server
                .requests(operation)
                .iter()
                .map(|received| received.connection)
                .collect();
            assert_eq!(over, [0, 1], "{operation}");
        }
    }
}

#[tokio::test]
async fn row_39_a_kept_connection_that_closed_meanwhile_fails_no_call() {
    for operation in OPERATIONS {
        let server = FaultServer::start().await;
        let closed = Reply::good(Operation::Login, 0).close();
        server.script(Operation::Login, [closed]);
        let client = client(server.base_url());
        call(&client, Operation::Login).await.unwrap();
        call(&client, operation).await.unwrap();
        let all = server.requests(operation);
        let expected = if operation == Operation::Login { 2 } else { 1 };
        assert_eq!(all.len(), expected, "{operation}");
        assert_eq!(all.last().unwrap().connection, 1, "{operation}");
    }
}
