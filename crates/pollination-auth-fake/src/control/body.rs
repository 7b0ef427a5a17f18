//! The body of a call of the control endpoint: JSON of one type, and times within a limit.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::call::ROOT;

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
        .map_err(|error| format!("this call takes another body: {error}; GET {ROOT} shows it"))
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
