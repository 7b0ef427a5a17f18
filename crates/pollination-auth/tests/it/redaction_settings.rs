//! A secret in a setting is sent where it belongs and shown nowhere: proxy, headers, base URL,
//! environment. What calls show is in `redaction`.

use std::process::Command;

use pollination_auth::reqwest::Proxy;
use pollination_auth::reqwest::header::{HeaderMap, HeaderValue};
use pollination_auth::{
    AccessToken, ApiToken, BuildError, Client, ClientBuilder, CredentialFileError, Error, Secret,
};

use crate::listener::Listener;
use crate::redaction::{bearing, expect_nothing, logging_in_with};
use crate::redaction_log::{Shown, logged};
use crate::redaction_plot::{
    API_SECRET, GIVEN, IN_ENVIRONMENT, IN_HEADER, IN_URL, LOST, OF_PROXY, SECRETS, usual,
};
use crate::support::{ID, WITH_BEARER, call};

#[test]
fn proxy_password_and_extra_headers_are_sent_and_not_shown() {
    let ((shown, seen), log) = logged(async {
        let mut shown = Shown::default();
        let proxy = Listener::start(usual).await;
        let address = proxy.address();
        let refused = Listener::start(usual).await.address();
        for (proxy, works) in [(address, true), (refused, false)] {
            let through = [
                Proxy::all(format!("http://user:{OF_PROXY}@{proxy}")).unwrap(),
                Proxy::all(format!("http://{proxy}"))
                    .unwrap()
                    .basic_auth("user", OF_PROXY),
            ];
            for through in through {
                let extra = HeaderMap::from_iter([(
                    "x-key".parse().unwrap(),
                    HeaderValue::from_static(IN_HEADER),
                )]);
                let builder = bearing(GIVEN, "http://127.0.0.1:9").configure_http(move |http| {
                    http.proxy(through.clone())
                        .default_headers(extra.clone())
                        .connection_verbose(true)
                });
                shown.debug("the builder", &builder);
                let client = builder.build().unwrap();
                shown.debug("the client", &client);
                for operation in WITH_BEARER {
                    let result = call(&client, operation).await;
                    assert_eq!(result.is_ok(), works, "{result:?}");
                    if let Err(error) = result {
                        shown.error("a refused proxy", &error);
                    }
                }
            }
        }
        (shown, proxy.seen())
    });
    assert_eq!(seen.len(), 2 * WITH_BEARER.len());
    for seen in seen {
        assert_eq!(seen.header("x-key"), [IN_HEADER]);
        let sent = seen.header("proxy-authorization").concat();
        let mut found = Shown::default();
        found.text("the header", sent);
        assert_eq!(found.leaks(&[OF_PROXY]).len(), 1, "in base64");
    }
    expect_nothing(shown, &log);
}

#[test]
fn what_is_refused_at_build_is_not_shown() {
    let mut shown = Shown::default();
    for base_url in [
        format!("https://{IN_URL}@h.example"),
        format!("https://user:{IN_URL}@h.example"),
        format!("https://h.example?key={IN_URL}"),
        format!("https://h.example#{IN_URL}"),
        format!("http://user:{IN_URL}@127.0.0.1"),
        format!("{IN_URL}://h.example"),
        format!("https://{IN_URL} h.example"),
        IN_URL.to_owned(),
    ] {
        let builder = logging_in_with(API_SECRET, &base_url);
        shown.debug(&base_url, &builder);
        let error = builder.build().unwrap_err();
        assert!(matches!(error, BuildError::BaseUrl(_)), "{error:?}");
        shown.chain("base URL", &error);
    }
    for secret in ["\n\n", "\0", " ", "\u{feff}"].map(|end| format!("{end}{LOST}{end}")) {
        shown.chain(
            "API token",
            &ApiToken::new(ID, Secret::from(&*secret)).unwrap_err(),
        );
        shown.chain("access token", &AccessToken::new(&*secret).unwrap_err());
    }
    let agent = logging_in_with(API_SECRET, "https://h.example").user_agent(format!("{LOST}\n"));
    shown.chain("user agent", &agent.build().unwrap_err());
    assert_eq!(shown.leaks(&SECRETS), [""; 0]);
}

/// Returns the error of a file from the error of the call that needed it.
pub(crate) fn file_error(error: &Error) -> CredentialFileError {
    let source = std::error::Error::source(error).unwrap();
    source
        .downcast_ref::<CredentialFileError>()
        .unwrap()
        .clone()
}

#[test]
fn what_is_in_a_file_is_not_shown() {
    let directory = std::env::temp_dir().join(format!("redaction-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let [id, secret] = ["id", "secret"].map(|name| directory.join(name));
    std::fs::write(&id, ID).unwrap();
    let (mut shown, log) = logged(async {
        let mut shown = Shown::default();
        let builder = Client::builder().api_token_files(&id, &secret);
        shown.debug("the builder", &builder);
        let client = builder.build().unwrap();
        let texts = [
            format!("{LOST}\n\n").into_bytes(),
            [LOST.as_bytes(), b"\xff"].concat(),
            LOST.repeat(1000).into_bytes(),
        ];
        for text in texts {
            std::fs::write(&secret, text).unwrap();
            let error = client.login().await.unwrap_err();
            shown.chain("CredentialFileError", &file_error(&error));
            shown.error("a file", &error);
        }
        shown.debug("the client", &client);
        shown
    });
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(!shown.is_empty());
    shown.text("the log", log);
    assert_eq!(shown.leaks(&SECRETS), [""; 0]);
}

/// The environment of a process can't be changed from within, so this is another process.
#[test]
fn the_environment_is_not_shown() {
    let mut shown = Shown::default();
    for (secret, host) in [
        (IN_ENVIRONMENT.to_owned(), "https://h.example".to_owned()),
        (
            IN_ENVIRONMENT.to_owned(),
            format!("https://{IN_ENVIRONMENT}@h.example"),
        ),
        (format!("{IN_ENVIRONMENT}\n\n"), String::new()),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "redaction_settings::shows_the_environment",
                "--nocapture",
            ])
            .env("POLLINATION_API_KEY_ID", ID)
            .env("POLLINATION_API_KEY_SECRET", secret)
            .env("POLLINATION_HOST", host)
            .output()
            .unwrap();
        assert!(output.status.success());
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("from the environment: "), "{said}");
        shown.text("the environment", said);
    }
    assert_eq!(shown.leaks(&SECRETS), [""; 0]);
}

/// Runs in the other process; on its own it shows that nothing is set.
#[test]
fn shows_the_environment() {
    use std::io::Write as _;

    let builder = ClientBuilder::from_env();
    let text = match &builder {
        Ok(builder) => format!("{builder:?}"),
        Err(error) => format!("{error} {error:?} {error:#?}"),
    };
    let client = format!("{:?}", Client::from_env());
    let line = format!("from the environment: {text} {client}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}
