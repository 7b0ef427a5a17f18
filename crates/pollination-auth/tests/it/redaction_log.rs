//! Test support: all that anybody logs at TRACE while a future runs, and all that a value shows.

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::io;
use std::sync::{Arc, LazyLock, Mutex, Once};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use pollination_auth::Error;
use tracing::Dispatch;
use tracing_log::LogTracer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::support::lock;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Registers two subscribers, so that a test's own one is never the only one.
///
/// With a single subscriber, tracing asks the thread that reaches an event first, and if that thread
/// has no subscriber, the event is disabled on every thread.
pub(crate) fn never_alone() {
    static OTHERS: LazyLock<[Dispatch; 2]> =
        LazyLock::new(|| [(); 2].map(|()| Dispatch::new(Registry::default())));
    LazyLock::force(&OTHERS);
}

/// Runs a future to its end, and returns its result and the log.
///
/// Everything runs on this one thread, connections included, so the log is that of this test and
/// of no other. reqwest logs with `log`, which is bridged; hyper_util and we with `tracing`.
pub(crate) fn logged<T>(future: impl Future<Output = T>) -> (T, String) {
    logged_by(LevelFilter::TRACE, future)
}

/// Does the same for the events that pass a filter.
pub(crate) fn logged_by<T>(
    filter: impl Layer<Registry> + Send + Sync,
    future: impl Future<Output = T>,
) -> (T, String) {
    static BRIDGE: Once = Once::new();
    BRIDGE.call_once(|| LogTracer::init().unwrap());
    never_alone();
    let buffer = Buffer::default();
    let lines = tracing_subscriber::fmt::layer()
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(buffer.clone());
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    let value = tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(future)
    });
    let log = String::from_utf8(lock(&buffer.0).clone()).unwrap();
    (value, log)
}

/// What was shown, and by what.
#[derive(Default)]
pub(crate) struct Shown(Vec<(String, String)>);

impl Shown {
    /// Keeps a text in lower case, because a parsed host is, with whatever it contained.
    pub(crate) fn text(&mut self, what: &str, text: impl Into<String>) {
        let text = text.into().to_ascii_lowercase();
        self.0.push((what.to_owned(), text));
    }

    pub(crate) fn debug(&mut self, what: &str, value: &(impl Debug + ?Sized)) {
        self.text(what, format!("{value:?}"));
        self.text(what, format!("{value:#?}"));
    }

    pub(crate) fn display(&mut self, what: &str, value: &(impl Display + ?Sized)) {
        self.text(what, format!("{value}"));
        self.text(what, format!("{value:#}"));
    }

    /// Shows an error and all of its sources.
    pub(crate) fn chain(&mut self, what: &str, error: &dyn StdError) {
        self.debug(what, error);
        self.display(what, error);
        if let Some(cause) = error.source() {
            self.chain(what, cause);
        }
    }

    /// Shows the error of a call with everything in it that can be shown.
    pub(crate) fn error(&mut self, what: &str, error: &Error) {
        self.chain(what, error);
        let failure = error.failure();
        self.debug(what, failure);
        self.display(what, failure);
        self.debug(what, failure.reason());
        self.display(what, failure.reason());
        for violation in failure.violations() {
            self.debug(what, violation);
            self.display(what, violation);
            self.debug(what, violation.location());
            self.text(what, violation.kind());
            self.text(what, violation.message());
        }
        // A caller may show the server's error text, so its echoes are masked.
        self.debug(what, &failure.detail());
        self.debug(what, &failure.request_id());
        self.debug(what, &failure.redirect_origin());
        self.debug(what, &failure.raw_reply());
    }

    /// Names what shows one of these secrets in any form.
    pub(crate) fn leaks(&self, secrets: &[&str]) -> Vec<String> {
        let mut leaks = Vec::new();
        for secret in secrets {
            let forms = forms(secret);
            for (what, text) in &self.0 {
                let found = forms.iter().find(|form| text.contains(form.as_str()));
                leaks.extend(found.map(|form| format!("{what} shows {secret} as {form}")));
            }
        }
        leaks.dedup();
        leaks
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The forms in which a secret could be shown, in lower case: a part is enough to be found.
fn forms(secret: &str) -> Vec<String> {
    let (first, second) = secret.split_at(secret.len() / 2);
    let mut forms = vec![first.to_owned(), second.to_owned()];
    // In base64 a text looks different after one or two other bytes.
    for offset in 0..3 {
        let bytes = [&b"::"[..offset], secret.as_bytes()].concat();
        for encoded in [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)] {
            // The ends depend on the surrounding bytes.
            forms.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    // As undecoded bytes are shown.
    let bytes = secret.bytes().take(8);
    let decimal: Vec<_> = bytes.clone().map(|byte| byte.to_string()).collect();
    forms.push(decimal.join(", "));
    forms.push(decimal.join(",\n    "));
    forms.push(bytes.map(|byte| format!("{byte:02x}")).collect());
    forms.iter().map(|form| form.to_ascii_lowercase()).collect()
}
