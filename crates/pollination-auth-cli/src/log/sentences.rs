//! Events as sentences, one on a line: which request was made, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Writes each event as a sentence.
pub(super) struct Sentences;

/// The fields of an event or of the span around it, as text.
#[derive(Clone, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Sentences {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let attempt = context.event_span(event).and_then(|span| {
            let fields = span.extensions().get::<Fields>().cloned();
            fields.filter(|_| span.name() == "attempt")
        });
        let sentence = match attempt {
            Some(attempt) => of_attempt(&attempt, &fields),
            None => of_event(&fields),
        };
        // There is nobody left to tell about it.
        let _unheard = writeln!(io::stderr(), "{sentence}");
    }
}

/// Returns what came of a request, such as `login at h.example:443: status 202 after 80ms`.
fn of_attempt(attempt: &Fields, event: &Fields) -> String {
    let of = |name| attempt.get(name).unwrap_or("?");
    let (operation, host, port) = (of("operation"), of("server.address"), of("server.port"));
    let attempt_number = match attempt.get("http.request.resend_count") {
        None | Some("0") => String::new(),
        Some(earlier) => format!(", retry {earlier}"),
    };
    let outcome = match (
        event.get("error.type"),
        attempt.get("http.response.status_code"),
    ) {
        (Some(error), Some(status)) => format!("{error}, status {status}"),
        (Some(error), None) => error.to_owned(),
        (None, Some(status)) => format!("status {status}"),
        (None, None) => event.get("message").unwrap_or_default().to_owned(),
    };
    let after = duration(event).map_or_else(String::new, |after| {
        format!(" after {}", humantime::format_duration(after))
    });
    format!("{operation} at {host}:{port}{attempt_number}: {outcome}{after}")
}

/// Returns how long a request took, in whole milliseconds.
fn duration(event: &Fields) -> Option<Duration> {
    let seconds: f64 = event.get("http.client.request.duration")?.parse().ok()?;
    let exact = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Duration::from_millis(exact.as_millis().try_into().ok()?))
}

/// Returns the message of an event, with its other fields behind it.
fn of_event(event: &Fields) -> String {
    let message = event.get("message").unwrap_or_default();
    let rest = event.0.iter().filter(|(name, _)| **name != "message");
    let rest: Vec<_> = rest
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if rest.is_empty() {
        message.to_owned()
    } else {
        format!("{message}: {}", rest.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(fields: &[(&'static str, &str)]) -> Fields {
        Fields(
            fields
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_request_is_a_sentence() {
        let attempt = [
            ("operation", "login"),
            ("server.address", "h.example"),
            ("server.port", "443"),
        ];
        let done = fields(&[
            ("http.client.request.duration", "0.0801"),
            ("message", "done"),
        ]);
        let accepted = fields(&[&attempt[..], &[("http.response.status_code", "202")]].concat());
        assert_eq!(
            of_attempt(&accepted, &done),
            "login at h.example:443: status 202 after 80ms"
        );
        let second = fields(&[&attempt[..], &[("http.request.resend_count", "1")]].concat());
        let failed = fields(&[("error.type", "the time ran out"), ("message", "failed")]);
        assert_eq!(
            of_attempt(&second, &failed),
            "login at h.example:443, retry 1: the time ran out"
        );
    }

    #[test]
    fn another_event_is_its_message_with_its_fields() {
        let event = fields(&[("message", "rotation"), ("effect", "login")]);
        assert_eq!(of_event(&event), "rotation: effect login");
        assert_eq!(of_event(&fields(&[("message", "done")])), "done");
    }
}
