//! A secret that is planted wherever one can be is in the request that needs it, and nowhere else.
//!
//! Searched is everything that a public type shows and everything that anybody logs. Secrets in
//! settings are in `redaction_settings`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pollination_auth::{
    AccessToken, AccessTokenChanges, AccessTokenFuture, AccessTokenProvider, ApiToken, ApiTokenId,
    BaseUrlError, BuildError, Client, ClientBuilder, ClientGone, CredentialError,
    CredentialFileError, Error, Failure, FreshAccessToken, Location, Moment, NoDefaultDirectory,
    Operation, PassedOver, Reason, RetryPolicy, Secret, SecretBytes, SystemClock, Violation,
};

use crate::listener::Listener;
use crate::redaction_log::{Shown, logged};
use crate::redaction_plot::{
    API_SECRET, CREATED, End, GIVEN, IN_HEADER, IN_URL, LOST, MINTED, OF_PROXY, ROTATED, SECRETS,
    ends, usual,
};
use crate::redaction_settings::file_error;
use crate::support::{Answer, ID, OPERATIONS, WITH_BEARER, call, lock, logging_in};

/// Long enough for a reply on the loopback address, and short enough to wait for none.
const SHORT: Duration = Duration::from_millis(100);

pub(crate) fn logging_in_with(secret: &str, base_url: &str) -> ClientBuilder {
    let token = ApiToken::new(ID, Secret::from(secret)).unwrap();
    // Verbose connections would log every byte; the client switches that off again.
    logging_in(base_url)
        .api_token(token)
        .configure_http(|http| http.connection_verbose(true))
}

pub(crate) fn bearing(token: &str, base_url: &str) -> ClientBuilder {
    logging_in_with(API_SECRET, base_url).access_token(AccessToken::new(token).unwrap())
}

/// Calls an operation and shows whatever comes of it.
async fn show_call(shown: &mut Shown, what: &str, client: &Client, operation: Operation) {
    let what = format!("{operation}, {what}");
    match operation {
        Operation::Login => shown.debug(&what, &client.login().await),
        Operation::GetApiToken => shown.debug(&what, &client.get_api_token().await),
        Operation::CreateApiToken => shown.debug(&what, &client.create_api_token().await),
        Operation::RotateApiTokenSecret => {
            shown.debug(&what, &client.rotate_api_token_secret().await);
        }
        _ => shown.debug(&what, &client.delete_api_token().await),
    }
    shown.debug(&what, client);
}

#[test]
fn successes_show_nothing() {
    let ((shown, seen), log) = logged(async {
        let mut shown = Shown::default();
        let server = Listener::start(usual).await;
        let client = logging_in_with(API_SECRET, &server.base_url())
            .build()
            .unwrap();
        let changes: AccessTokenChanges = client.access_token_changes();
        for operation in [
            Operation::GetApiToken,
            Operation::CreateApiToken,
            Operation::RotateApiTokenSecret,
            Operation::Login,
            Operation::DeleteApiToken,
        ] {
            show_call(&mut shown, "success", &client, operation).await;
            shown.debug("changes", &changes);
            shown.debug("changes", &changes.latest());
        }
        shown.debug("changes", &ClientGone);
        let given = bearing(GIVEN, &server.base_url()).build().unwrap();
        let provider: &dyn AccessTokenProvider = &given;
        let provided: AccessTokenFuture<'_> = provider.access_token();
        shown.debug("provider", &provided.await);
        let fresh: FreshAccessToken = given.keep_fresh().unwrap();
        shown.debug("fresh", &fresh);
        shown.debug("fresh", &fresh.get());
        for operation in WITH_BEARER {
            show_call(&mut shown, "success", &given, operation).await;
        }
        (shown, server.seen())
    });
    // Where it belongs, each of them is.
    let logins: Vec<_> = seen
        .iter()
        .filter(|seen| seen.is(Operation::Login))
        .map(|seen| seen.body.as_str())
        .collect();
    let body = |secret| format!(r#"{{"id":"{ID}","secret":"{secret}"}}"#);
    assert_eq!(logins, [body(API_SECRET), body(ROTATED)]);
    let bearers: Vec<_> = seen
        .iter()
        .flat_map(|seen| seen.header("authorization"))
        .collect();
    let bearer = |token| format!("Bearer {token}");
    assert_eq!(bearers[..4], vec![bearer(MINTED); 4]);
    assert_eq!(bearers[4..], vec![bearer(GIVEN); 4]);
    expect_nothing(shown, &log);
}

/// Looks through what was shown and logged; the log has to be one of the whole exchange.
#[track_caller]
pub(crate) fn expect_nothing(mut shown: Shown, log: &str) {
    for target in [
        "pollination_auth::",
        "reqwest::connect",
        "hyper_util::client",
    ] {
        assert!(log.contains(target), "nothing is logged by {target}");
    }
    assert!(!shown.is_empty());
    shown.text("the log", log);
    assert_eq!(shown.leaks(&SECRETS), [""; 0]);
}

#[test]
fn no_failure_shows_anything() {
    let (shown, log) = logged(async {
        let mut shown = Shown::default();
        let end: Arc<Mutex<End>> = Arc::new(Mutex::new(Box::new(|_| Answer::empty(404).into())));
        let ending = end.clone();
        let server = Listener::start(move |seen| (lock(&ending))(seen)).await;
        let login = logging_in_with(API_SECRET, &server.base_url()).attempt_timeout(SHORT);
        let given = bearing(GIVEN, &server.base_url()).attempt_timeout(SHORT);
        let (login, given) = (login.build().unwrap(), given.build().unwrap());
        for (name, next) in ends() {
            *lock(&end) = next;
            for operation in OPERATIONS {
                let client = match operation {
                    Operation::Login => &login,
                    _ => &given,
                };
                if let Err(error) = call(client, operation).await {
                    shown.error(&format!("{operation}, {name}"), &error);
                } else {
                    // Any success is one, whatever its body.
                    assert_eq!(operation, Operation::DeleteApiToken, "{name}");
                }
            }
        }
        shown
    });
    expect_nothing(shown, &log);
}

#[test]
fn a_connection_that_fails_shows_nothing() {
    let (shown, log) = logged(async {
        let mut shown = Shown::default();
        let server = Listener::start(usual).await;
        let plain = server.address();
        let refused = Listener::start(usual).await.address();
        for base_url in [format!("https://{plain}"), format!("http://{refused}")] {
            let login = logging_in_with(API_SECRET, &base_url).build().unwrap();
            let given = bearing(GIVEN, &base_url).build().unwrap();
            for operation in OPERATIONS {
                let client = match operation {
                    Operation::Login => &login,
                    _ => &given,
                };
                let error = call(client, operation).await.unwrap_err();
                assert!(matches!(error, Error::NotSent(_)), "{error:?}");
                let is_tls = error.failure().reason() == &Reason::Tls;
                assert_eq!(is_tls, base_url.starts_with("https:"), "{error:?}");
                shown.error(&format!("{operation} at {base_url}"), &error);
            }
        }
        // Something has to be sent, or the log proves nothing.
        let login = logging_in_with(API_SECRET, &server.base_url())
            .build()
            .unwrap();
        login.login().await.unwrap();
        shown
    });
    expect_nothing(shown, &log);
}

/// Every public type of the crate, with secrets wherever it can hold one.
///
/// `cargo xtask check` compares the list with what `lib.rs` exports.
async fn every_public_type(shown: &mut Shown) {
    let reply = format!(r#"{{"id":"another","secret":"{LOST}"}}"#);
    let mismatch = Listener::start(move |seen| match seen.is(Operation::Login) {
        true => Answer::login(MINTED),
        false => Answer::json(200, reply.clone()),
    })
    .await;
    let client: Client = logging_in_with(API_SECRET, &mismatch.base_url())
        .build()
        .unwrap();
    let builder: ClientBuilder = logging_in_with(API_SECRET, &format!("https://{IN_URL}@h"));
    let error: Error = client.rotate_api_token_secret().await.unwrap_err();
    let failure: &Failure = error.failure();
    let reason: &Reason = failure.reason();
    let raw: &SecretBytes = failure.raw_reply().unwrap();
    assert!(String::from_utf8_lossy(raw.expose_secret()).contains(LOST));
    let token: ApiToken = ApiToken::new(ID, Secret::from(API_SECRET)).unwrap();
    let id: &ApiTokenId = token.id();
    let secret: &Secret = token.secret();
    let access_token: AccessToken = client.access_token().await.unwrap();
    assert_eq!(access_token.expose_secret(), MINTED);
    let refused: CredentialError =
        ApiToken::new(ID, Secret::from(format!("{LOST}\0"))).unwrap_err();
    let file = std::env::temp_dir().join(format!("redaction-list-{}", std::process::id()));
    std::fs::write(&file, format!("{LOST}\0")).unwrap();
    let of_file = Client::builder()
        .api_token_files(&file, &file)
        .build()
        .unwrap();
    let of_file = of_file.login().await.unwrap_err();
    std::fs::remove_file(&file).unwrap();
    let of_file: CredentialFileError = file_error(&of_file);
    let url: BaseUrlError = match logging_in(format!("https://{IN_URL}@h")).build() {
        Err(BuildError::BaseUrl(error)) => error,
        other => panic!("{other:?}"),
    };
    let build: BuildError = BuildError::BaseUrl(url);

    let body = format!(
        r#"{{"detail":[{{"loc":["{API_SECRET}",0],"msg":"{API_SECRET}","type":"{API_SECRET}"}}]}}"#
    );
    let malformed = Listener::start(move |_| Answer::json(422, body.clone())).await;
    let client_of_it = logging_in_with(API_SECRET, &malformed.base_url())
        .build()
        .unwrap();
    let invalid = client_of_it.login().await.unwrap_err();
    let violation: &Violation = &invalid.violations()[0];
    let location: &[Location] = violation.location();

    let moment: Moment = pollination_auth::Clock::now(&SystemClock);
    shown.debug("AccessToken", &access_token);
    shown.debug("ApiToken", &token);
    shown.debug("ApiTokenId", id);
    shown.display("ApiTokenId", id);
    shown.chain("BaseUrlError", &url);
    shown.chain("BuildError", &build);
    shown.debug("Client", &client);
    shown.debug("ClientBuilder", &builder);
    shown.chain("CredentialError", &refused);
    shown.chain("CredentialFileError", &of_file);
    shown.error("Error", &error);
    shown.error("Error", &invalid);
    shown.debug("Failure", failure);
    shown.debug("Location", location);
    shown.debug("Moment", &moment);
    shown.debug("Operation", &error.operation());
    shown.debug("Reason", reason);
    shown.debug("RetryPolicy", &RetryPolicy::default());
    shown.debug("Secret", secret);
    shown.debug("SecretBytes", raw);
    shown.debug("SystemClock", &SystemClock);
    shown.debug("Violation", violation);
    types_of_features(shown, client);
}

/// The public types that are there with a feature alone.
#[cfg_attr(
    not(any(feature = "reqwest-middleware", feature = "tower")),
    expect(unused_variables, reason = "there is less to show with fewer features")
)]
fn types_of_features(shown: &mut Shown, client: Client) {
    #[cfg(feature = "blocking")]
    {
        let builder = logging_in_with(API_SECRET, "http://127.0.0.1:1");
        let blocking: pollination_auth::blocking::Client = builder.build_blocking().unwrap();
        shown.debug("blocking::Client", &blocking);
        let options = pollination_auth::RotateOptions::default();
        let rotation: pollination_auth::blocking::Rotation = blocking.rotation(options);
        shown.debug("blocking::Rotation", &rotation);
    }
    #[cfg(feature = "reqwest-middleware")]
    {
        use pollination_auth::AuthMiddleware;
        let middleware: AuthMiddleware = AuthMiddleware::new(client.clone());
        shown.debug("AuthMiddleware", &middleware);
    }
    #[cfg(feature = "tower")]
    {
        use pollination_auth::{AuthLayer, AuthService};
        let layer: AuthLayer<fn(&()) -> Option<()>> = AuthLayer::new(client);
        shown.debug("AuthLayer", &layer);
        let service: AuthService<(), _> = tower::Layer::layer(&layer, ());
        shown.debug("AuthService", &service);
    }
}

#[test]
fn no_public_type_shows_what_it_holds() {
    let (shown, log) = logged(async {
        let mut shown = Shown::default();
        every_public_type(&mut shown).await;
        shown
    });
    expect_nothing(shown, &log);
}

/// What the other tests look with does find what is there to be found.
#[test]
fn a_type_that_shows_its_secret_is_found() {
    use base64::Engine as _;

    #[derive(Debug)]
    struct Leaky {
        _secret: Vec<u8>,
    }

    let leaks = |show: &dyn Fn(&mut Shown)| {
        let mut shown = Shown::default();
        show(&mut shown);
        shown.leaks(&SECRETS).len()
    };
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("user:{OF_PROXY}"));
    let leaky = Leaky {
        _secret: LOST.as_bytes().to_vec(),
    };
    let cause = std::io::Error::other(std::io::Error::other(format!("no {MINTED}")));
    assert_eq!(leaks(&|shown| shown.debug("text", API_SECRET)), 1);
    assert_eq!(leaks(&|shown| shown.debug("part", &API_SECRET[..20])), 1);
    assert_eq!(
        leaks(&|shown| shown.debug("host", &GIVEN.to_lowercase())),
        1
    );
    assert_eq!(leaks(&|shown| shown.display("base64", &basic)), 1);
    assert_eq!(leaks(&|shown| shown.debug("bytes", &leaky)), 2);
    assert_eq!(leaks(&|shown| shown.chain("cause", &cause)), 1);
    assert_eq!(leaks(&|shown| shown.debug("nothing", "nothing")), 0);

    let ((), log) = logged(async {
        tracing::trace!(secret = CREATED, "an event");
        let _span = tracing::trace_span!("a span", secret = ROTATED).entered();
        tracing_log::log::trace!("a line with {IN_HEADER}");
    });
    for secret in [CREATED, ROTATED, IN_HEADER] {
        assert!(log.contains(secret), "{log}");
    }
}

#[test]
fn a_credential_that_is_nowhere_shows_nothing() {
    let mut shown = Shown::default();
    shown.debug("passed over", &PassedOver::Environment);
    shown.debug("no directory", &NoDefaultDirectory::NoHome);
    let builder = logging_in(IN_URL)
        .credential_provider(|| async { ApiToken::new(ID, Secret::from(API_SECRET)) });
    shown.debug("a provider", &builder);
    assert_eq!(shown.leaks(&SECRETS), [""; 0]);
}
