//! What a user sets takes effect, and what keeps secrets safe can't be undone.
//!
//! Certificates need a TLS server and are not tested here; what is read from the environment is in
//! the unit tests of `env`.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pollination_auth::reqwest::header::{HeaderMap, HeaderValue};
use pollination_auth::reqwest::{Proxy, redirect, tls};
use pollination_auth::{BaseUrlError, BuildError, Client, Operation, Reason};

use crate::listener::{Listener, Script, Then};
use crate::support::{
    ACCESS_TOKEN, Answer, ID, MINTING, Mock, OPERATIONS, SECRET, WITH_BEARER, at_once, bearing,
    call, in_turn, logging_in, single, variant,
};

/// Short enough to be waited for, and long enough to send a request on a machine that is busy.
const SHORT: Duration = Duration::from_millis(300);

async fn silent() -> Listener {
    Listener::start(|_| Script::new("", Then::Hang)).await
}

#[tokio::test]
async fn the_user_agent_is_sent_with_every_operation() {
    for operation in OPERATIONS {
        let mock = Mock::start(Answer::to);
        let client = single(operation, mock.base_url())
            .user_agent("a-program/1.2")
            // The builder's setting applies, whatever is done to the HTTP client.
            .configure_http(|http| http.user_agent("another/0"));
        call(&client.build().unwrap(), operation).await.unwrap();
        assert_eq!(mock.seen()[0].header("user-agent"), ["a-program/1.2"]);
    }
}

#[tokio::test]
async fn an_extra_header_is_sent_with_every_operation() {
    for operation in OPERATIONS {
        let mock = Mock::start(Answer::to);
        let headers = HeaderMap::from_iter([(
            "x-tenant".parse().unwrap(),
            HeaderValue::from_static("a-tenant"),
        )]);
        let client = single(operation, mock.base_url())
            .configure_http(move |http| http.default_headers(headers.clone()));
        call(&client.build().unwrap(), operation).await.unwrap();
        assert_eq!(mock.seen()[0].header("x-tenant"), ["a-tenant"]);
    }
}

#[tokio::test]
async fn extra_headers_replace_neither_the_bearer_nor_what_the_contract_has() {
    let fixed = ["authorization", "accept", "accept-encoding", "user-agent"];
    let headers: HeaderMap = fixed
        .map(|name| (name.parse().unwrap(), HeaderValue::from_static("mine")))
        .into_iter()
        .collect();
    for operation in WITH_BEARER {
        let mock = Mock::start(Answer::to);
        let headers = headers.clone();
        let client = bearing(mock.base_url())
            .configure_http(move |http| http.default_headers(headers.clone()));
        call(&client.build().unwrap(), operation).await.unwrap();
        let seen = mock.seen();
        for name in fixed {
            let [value] = &seen[0].header(name)[..] else {
                panic!("{operation} has {name} twice");
            };
            assert_ne!(*value, "mine", "{operation} {name}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_is_set_gets_the_whole_url_also_for_this_machine() {
    for operation in OPERATIONS {
        let proxy = Listener::start(Answer::to).await;
        let server = Listener::start(Answer::to).await;
        let through = Proxy::all(proxy.base_url()).unwrap().basic_auth("u", "p");
        let client = single(operation, server.base_url())
            .configure_http(move |http| http.proxy(through.clone()));
        call(&client.build().unwrap(), operation).await.unwrap();
        let seen = proxy.seen();
        assert_eq!(seen.len(), 1);
        assert!(seen[0].target.starts_with(&server.base_url()), "{seen:?}");
        assert!(seen[0].is(operation));
        // "u:p" in base64.
        assert_eq!(seen[0].header("proxy-authorization"), ["Basic dTpw"]);
        assert_eq!(server.seen(), []);
    }
}

/// Marks the other process as such: a test run with a real credential in its environment
/// must not use that.
const IN_ANOTHER_PROCESS: &str = "POLLINATION_AUTH_TEST_IN_ANOTHER_PROCESS";

#[tokio::test]
async fn row_37_a_proxy_of_the_environment_is_not_used_for_this_machine() {
    let proxy = Listener::start(Answer::to).await;
    let server = Listener::start(Answer::to).await;
    let mut process = Command::new(std::env::current_exe().unwrap());
    process
        .args(["--exact", "settings::logs_in_as_the_environment_says"])
        .env(IN_ANOTHER_PROCESS, "yes")
        .env("POLLINATION_API_KEY_ID", ID)
        .env("POLLINATION_API_KEY_SECRET", SECRET)
        .env("POLLINATION_HOST", server.base_url());
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        process.env(name, proxy.base_url());
    }
    for name in ["no_proxy", "NO_PROXY"] {
        process.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || process.output());
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.seen().len(), 1);
    assert_eq!(proxy.connections(), [[]; 0]);
}

/// What the other process runs; on its own it does nothing.
#[tokio::test]
async fn logs_in_as_the_environment_says() {
    if std::env::var_os(IN_ANOTHER_PROCESS).is_some() {
        Client::from_env().unwrap().login().await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_is_used_again_unless_the_pool_is_empty() {
    for (pool, connections) in [(None, 1), (Some(4), 1), (Some(0), 3)] {
        let server = Listener::start(Answer::to).await;
        let client = bearing(server.base_url()).configure_http(move |http| match pool {
            Some(size) => http.pool_max_idle_per_host(size),
            None => http,
        });
        let client = client.build().unwrap();
        for _ in 0..3 {
            client.get_api_token().await.unwrap();
        }
        assert_eq!(server.connections().len(), connections, "{pool:?}");
    }
}

#[tokio::test]
async fn row_39_a_create_or_rotate_has_a_connection_of_its_own_whatever_the_pool() {
    for operation in MINTING {
        let server = Listener::start(Answer::to).await;
        let client = bearing(server.base_url())
            .configure_http(|http| http.pool_max_idle_per_host(4))
            .build()
            .unwrap();
        client.get_api_token().await.unwrap();
        for _ in 0..2 {
            call(&client, operation).await.unwrap();
        }
        client.get_api_token().await.unwrap();
        let requests: Vec<_> = server.connections().iter().map(Vec::len).collect();
        assert_eq!(requests, [2, 1, 1], "{operation}");
    }
}

#[tokio::test]
async fn a_second_http_client_is_built_when_a_create_or_rotate_needs_it() {
    for operation in MINTING {
        let server = Listener::start(Answer::to).await;
        let built = Arc::new(AtomicUsize::new(0));
        let counted = built.clone();
        let client = bearing(server.base_url()).configure_http(move |http| {
            counted.fetch_add(1, Ordering::Relaxed);
            http.tls_certs_only([])
        });
        let client = client.build().unwrap();
        client.get_api_token().await.unwrap();
        assert_eq!(built.load(Ordering::Relaxed), 1);
        for _ in 0..2 {
            call(&client, operation).await.unwrap();
        }
        assert_eq!(built.load(Ordering::Relaxed), 2, "{operation}");
    }
}

#[tokio::test]
async fn row_78_what_goes_missing_after_the_build_fails_a_create_or_rotate_before_it_is_sent() {
    for operation in MINTING {
        let server = Listener::start(Answer::to).await;
        let built = AtomicUsize::new(0);
        let client = bearing(server.base_url()).configure_http(move |http| {
            let http = http.tls_certs_only([]);
            match built.fetch_add(1, Ordering::Relaxed) {
                // As when the file of the root certificates is replaced: gone for a moment.
                1 => http
                    .tls_version_min(tls::Version::TLS_1_3)
                    .tls_version_max(tls::Version::TLS_1_2),
                _ => http,
            }
        });
        let client = client.build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), "NotSent", "{operation}");
        assert_eq!(error.failure().reason(), &Reason::NoHttpClient);
        assert!(error.is_retryable());
        assert_eq!(server.connections().len(), 0);
        call(&client, operation).await.unwrap();
    }
}

#[tokio::test]
async fn row_34_a_server_that_never_answers_ends_the_attempt() {
    for operation in OPERATIONS {
        let server = silent().await;
        let client = single(operation, server.base_url()).attempt_timeout(SHORT);
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        let expected = match MINTING.contains(&operation) {
            true => "Ambiguous",
            false => "Unavailable",
        };
        assert_eq!(variant(&error), expected, "{operation}");
        assert_eq!(error.failure().reason(), &Reason::TimedOut);
        assert_eq!(error.status(), None);
        assert_eq!(error.failure().attempts(), 1);
        // On a busy machine the time can be over before the request is there.
        assert!(server.seen().len() <= 1, "{operation}");
    }
}

#[tokio::test]
async fn row_33_what_came_before_the_time_ran_out_is_kept() {
    for operation in MINTING {
        let body = r#"{"id":"an-id","secr"#;
        let server = Listener::start(move |_| {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n";
            Script::new(format!("{head}{body}"), Then::Hang)
        })
        .await;
        let client = bearing(server.base_url()).attempt_timeout(SHORT);
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), "UnusableReply");
        assert_eq!(error.failure().reason(), &Reason::TimedOut);
        assert_eq!(error.raw_reply().unwrap().expose_secret(), body.as_bytes());
    }
}

#[tokio::test]
async fn the_total_timeout_ends_a_call_whose_attempts_could_go_on() {
    for operation in [Operation::Login, Operation::GetApiToken] {
        let server = silent().await;
        let client = single(operation, server.base_url())
            .retry(at_once())
            .total_timeout(SHORT);
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), "Unavailable", "{operation}");
        assert_eq!(error.failure().reason(), &Reason::TimedOut);
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn the_number_of_attempts_is_what_was_set() {
    for attempts in [0, 1, 2, 5] {
        let mock = Mock::always(Answer::empty(503));
        let client = bearing(mock.base_url()).retry(at_once().max_attempts(attempts));
        let error = client.build().unwrap().get_api_token().await.unwrap_err();
        assert_eq!(error.failure().attempts(), attempts.max(1));
        assert_eq!(mock.seen().len(), attempts.max(1) as usize);
    }
}

#[tokio::test]
async fn row_34_nobody_listening_is_not_sent_and_attempted_again() {
    let address = silent().await.address();
    for operation in OPERATIONS {
        let client = single(operation, format!("http://{address}")).retry(at_once());
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), "NotSent", "{operation}");
        assert_eq!(error.failure().reason(), &Reason::ConnectFailed);
        assert_eq!(error.failure().attempts(), 3);
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn safe_settings_can_not_be_undone() {
    let other = Listener::start(Answer::to).await;
    let answer = Answer::empty(307).header("location", &other.base_url());
    let mut answers = in_turn([answer, Answer::login(ACCESS_TOKEN)]);
    let mock = Mock::start(move |seen| answers(seen));
    let client = logging_in(mock.base_url()).configure_http(|http| {
        http.redirect(redirect::Policy::limited(10))
            .timeout(Duration::from_nanos(1))
            .connect_timeout(Duration::from_nanos(1))
            .https_only(true)
    });
    let client = client.build().unwrap();
    let error = client.login().await.unwrap_err();
    assert_eq!(variant(&error), "Redirected");
    assert_eq!(other.connections().len(), 0);
    let token = client.login().await.unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
}

#[test]
fn a_client_that_could_not_work_is_not_built() {
    let zero = |client: Result<Client, BuildError>| match client {
        Err(BuildError::ZeroTimeout(name)) => name,
        other => panic!("{other:?}"),
    };
    let builder = || logging_in("https://h.example");
    let none = Duration::ZERO;
    assert_eq!(zero(builder().connect_timeout(none).build()), "connect");
    assert_eq!(zero(builder().attempt_timeout(none).build()), "attempt");
    assert_eq!(zero(builder().total_timeout(none).build()), "total");
    let bare = Client::builder().build();
    assert!(matches!(bare, Err(BuildError::NoCredential)), "{bare:?}");
    for text in ["a\nb", "a\0", "a\x7f"] {
        let agent = builder().user_agent(text).build();
        assert!(matches!(agent, Err(BuildError::UserAgent)), "{agent:?}");
    }
}

#[test]
fn row_36_plain_http_to_another_machine_needs_to_be_allowed_by_name() {
    let builder = || logging_in("http://h.example");
    let refused = builder().build();
    assert!(
        matches!(refused, Err(BuildError::BaseUrl(BaseUrlError::PlainHttp))),
        "{refused:?}"
    );
    let allowed = builder().dangerously_allow_plain_http().build().unwrap();
    let shown = format!("{allowed:?}");
    assert!(shown.contains("http://h.example"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}
