//! An outage over the control endpoint.
//!
//! While connections are refused no call can end it: it ends by itself.

use serde::Deserialize;

use super::body;
use crate::service::Service;

#[derive(Deserialize)]
#[serde(tag = "outage", rename_all = "snake_case", deny_unknown_fields)]
enum Wanted {
    Refused { seconds: f64 },
    Unavailable {},
}

pub(super) fn start(service: &Service, text: &[u8]) -> Result<(), String> {
    match body::read(text)? {
        Wanted::Refused { seconds } => service.door.close_for(body::duration(seconds)?),
        Wanted::Unavailable {} => service.state().is_unavailable = true,
    }
    Ok(())
}

pub(super) fn end(service: &Service) {
    service.state().is_unavailable = false;
}
