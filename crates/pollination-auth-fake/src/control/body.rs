//! What the body of a call of the control endpoint is made of: times, headers, bodies of replies.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::is_framing;
use crate::route::CONTROL;

/// The longest time that is taken: a year, far from where adding it could overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A time, to move the clock by or to wait.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    seconds: f64,
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|error| format!("this call takes another body: {error}; GET {CONTROL} shows it"))
}

pub(super) fn seconds(body: &[u8]) -> Result<Duration, String> {
    let Time { seconds } = read(body)?;
    duration(seconds)
}

pub(super) fn duration(seconds: f64) -> Result<Duration, String> {
    let longest = LONGEST.as_secs();
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| format!("{seconds:?} is no number of seconds from 0 to {longest}"))
}

/// Returns the bytes of a text as it is, and of anything else as JSON.
pub(super) fn bytes_of(body: &Value) -> Bytes {
    match body {
        Value::String(text) => Bytes::from(text.clone()),
        json => Bytes::from(json.to_string()),
    }
}

/// Checks the headers of a reply; their values may be written as numbers (`retry-after`).
pub(super) fn headers(wanted: &BTreeMap<String, Value>) -> Result<Vec<(String, String)>, String> {
    let one = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(format!("the header {name} is a text or a number")),
        };
        let fits = name.parse::<HeaderName>().is_ok()
            && HeaderValue::from_str(&value).is_ok_and(|value| value.to_str().is_ok());
        if !fits {
            return Err(format!("no HTTP header: {name}"));
        }
        if is_framing(name) {
            return Err(format!("the server sets this header by itself: {name}"));
        }
        Ok((name.clone(), value))
    };
    wanted.iter().map(one).collect()
}
