//! Endpoints of the user's own over the control endpoint, each with one reply.

use std::collections::BTreeMap;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::body;
use crate::fault::is_final;
use crate::route::Route;
use crate::service::Service;

/// The most endpoints at once: more than a test has, and with their bodies at most 64 MiB.
const MOST_ROUTES: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    method: String,
    path: String,
    status: Option<u16>,
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
}

pub(super) fn add(service: &Service, text: &[u8]) -> Result<(), String> {
    let wanted: Wanted = body::read(text)?;
    let method = Method::from_bytes(wanted.method.as_bytes())
        .map_err(|_| format!("no HTTP method: {}", wanted.method))?;
    let status = match wanted.status.map(|status| (status, is_final(status))) {
        None => StatusCode::OK,
        Some((status, true)) => StatusCode::from_u16(status).unwrap_or_default(),
        Some(_) => return Err("\"status\" is a number from 200 to 999".to_owned()),
    };
    let mut headers = HeaderMap::new();
    if wanted.body.as_ref().is_some_and(|body| !body.is_string()) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in body::headers(&wanted.headers)? {
        // They have been checked.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            headers.insert(name, value);
        }
    }
    let bytes = wanted.body.as_ref().map(body::bytes_of).unwrap_or_default();
    let route = Route::new(method, &wanted.path, move |_| {
        let mut response = Response::new(bytes.clone());
        *response.status_mut() = status;
        *response.headers_mut() = headers.clone();
        response
    })?;
    let mut state = service.state();
    route.add_to(&mut state.routes);
    if state.routes.len() > MOST_ROUTES {
        state.routes.pop();
        return Err(format!(
            "{MOST_ROUTES} routes are there already; POST /__control/reset takes them back"
        ));
    }
    Ok(())
}
