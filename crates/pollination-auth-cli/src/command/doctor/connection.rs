//! The way to the service: host, proxy, name, TLS, what answers there, and its clock.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use pollination_auth::reqwest::header::DATE;
use pollination_auth::reqwest::redirect::Policy;
use pollination_auth::reqwest::tls::TlsInfo;
use pollination_auth::reqwest::{self, Response, StatusCode, Url};
use pollination_auth::{AccessToken, BaseUrlError, BuildError, Client};

use super::certificate;
use super::check::Check;
use crate::advice;
use crate::args::global::Global;
use crate::error::CliError;
use crate::progress;
use crate::proxy::{self, Proxy};
use crate::time::rounded;

/// The names of the checks, in order.
const HOST: &str = "host";
const PROXY: &str = "proxy";
const DNS: &str = "DNS";
const TLS: &str = "TLS";
const SERVICE: &str = "service";
const CLOCK: &str = "clock";

/// How long to wait for a name, and for an answer: 15 s, as one attempt of the client.
const PATIENCE: Duration = Duration::from_secs(15);

/// How far the clocks may be apart: 5 minutes, as Kerberos has it.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What a client is told if what came back is not HTTP, or nothing came back.
const NO_REPLY: [&str; 2] = ["invalid HTTP", "connection closed before message completed"];

/// Advice for a port for TLS that was sent plain http.
const TLS_INSTEAD: &str = "if the port speaks TLS, use https:// in --host";

/// Advice for a port on this machine that did not answer TLS with TLS.
const HTTP_INSTEAD: &str =
    "the port does not speak TLS; if it speaks plain http, use http:// in --host";

/// The place that answers 401 to a request without an access token, and changes nothing.
const PLACE: &str = "auth/api-token";

/// Checks the way, up to the first thing that fails. Returns `true` if a client could be set up.
pub(super) async fn check(global: &Global) -> (bool, Vec<Check>) {
    let url = match host(global) {
        Ok(url) => url,
        Err(error) => {
            let check = Check::problem(HOST, error.to_string(), "correct --host");
            let rest = [PROXY, DNS, TLS, SERVICE, CLOCK];
            return (false, skip(vec![check], &rest, "the host is invalid"));
        }
    };
    let proxy = proxy::of(url.as_str());
    let checks = vec![
        Check::good(HOST, url.as_str().trim_end_matches('/')),
        of_proxy(&url, proxy.as_ref()),
    ];
    match set_up(global) {
        Ok(_client) => (true, connect(checks, &url, proxy).await),
        Err(error) => {
            let checks = skip(checks, &[DNS], "no client can be set up");
            let error = error.to_string();
            // What to do comes last in it.
            let (found, advice) = error
                .rsplit_once("; ")
                .unwrap_or((&error, "correct it, and run `doctor` again"));
            let check = Check::problem(TLS, found, advice);
            let checks = [checks, vec![check]].concat();
            (
                false,
                skip(checks, &[SERVICE, CLOCK], "no client can be set up"),
            )
        }
    }
}

async fn connect(mut checks: Vec<Check>, url: &Url, proxy: Option<Proxy>) -> Vec<Check> {
    match name(url, proxy.as_ref()).await {
        Ok(check) => checks.push(check),
        Err(check) => {
            checks.push(check);
            return skip(checks, &[TLS, SERVICE, CLOCK], "the name is not known");
        }
    }
    match progress::watch("asking the service", ask(url)).await {
        Ok(response) => {
            checks.push(of_certificate(url, &response));
            checks.push(service(url, proxy.as_ref(), &response));
            checks.push(clock(
                response
                    .headers()
                    .get(DATE)
                    .and_then(|date| date.to_str().ok()),
            ));
            checks
        }
        Err(error) => {
            let why = advice::of_transport(&error, url.as_str());
            if why.is_tls {
                let issuer = issuer(url).await.unwrap_or_default();
                checks.push(Check::problem(
                    TLS,
                    format!("{}{issuer}", why.causes),
                    advised(url, &why),
                ));
            } else {
                checks.push(Check::skipped(TLS, "there is no connection"));
                let advice = advised(url, &why);
                checks.push(Check::problem(SERVICE, why.causes, advice));
                return skip(checks, &[CLOCK], "there is no connection");
            }
            skip(checks, &[SERVICE, CLOCK], "there is no connection")
        }
    }
}

fn skip(mut checks: Vec<Check>, names: &[&'static str], why: &str) -> Vec<Check> {
    checks.extend(names.iter().map(|name| Check::skipped(name, why)));
    checks
}

/// Returns the host as the client reads it.
fn host(global: &Global) -> Result<Url, CliError> {
    match set_up(global) {
        Err(error @ CliError::Host(_)) => Err(error),
        _ => Url::parse(&global.host).map_err(|_no_url| CliError::Host(BaseUrlError::NotAUrl)),
    }
}

/// Sets up a client, which finds out whether the host is valid and whether there are root
/// certificates.
fn set_up(global: &Global) -> Result<Client, CliError> {
    // Nothing is sent with it.
    let token = AccessToken::new("unused").map_err(BuildError::from)?;
    let builder = Client::builder().base_url(&global.host).access_token(token);
    let builder = if global.dangerously_allow_plain_http {
        builder.dangerously_allow_plain_http()
    } else {
        builder
    };
    Ok(builder.build()?)
}

fn of_proxy(url: &Url, proxy: Option<&Proxy>) -> Check {
    if let Some(variable) = proxy::unusable(url.as_str()) {
        let found = format!("{variable} {}", advice::NO_PROXY_URL);
        return Check::problem(PROXY, found, advice::SET_PROXY);
    }
    let found = proxy.map_or_else(
        || "none for this host".to_owned(),
        |proxy| format!("{}, set by {}", proxy.address, proxy.variable),
    );
    Check::good(PROXY, found)
}

/// Looks up the name of what the connection goes to.
async fn name(url: &Url, proxy: Option<&Proxy>) -> Result<Check, Check> {
    let of_proxy = proxy.and_then(|proxy| Url::parse(&proxy.address).ok());
    let to = of_proxy.as_ref().unwrap_or(url);
    let host = to.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let what = if proxy.is_some() { " (the proxy)" } else { "" };
    if address.parse::<IpAddr>().is_ok() {
        return Ok(Check::good(
            DNS,
            format!("not needed: {host}{what} is an IP address"),
        ));
    }
    let port = to.port_or_known_default().unwrap_or_default();
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((address, port))).await;
    let advice = "check the host name and the network";
    match found {
        Err(_elapsed) => Err(Check::problem(
            DNS,
            format!("no answer for {host} within {}", rounded(PATIENCE)),
            advice,
        )),
        Ok(Err(error)) => Err(Check::problem(DNS, format!("{host}: {error}"), advice)),
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.map(|found| found.ip().to_string()).collect();
            Ok(Check::good(
                DNS,
                format!("{host}{what} is {}", addresses.join(", ")),
            ))
        }
    }
}

/// Returns a client like the library's, which tells of the certificate too.
fn client(url: &Url, trusts_all: bool) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().tls_backend_rustls();
    let builder = if trusts_all || proxy::is_this_machine(url) {
        builder.no_proxy()
    } else {
        builder
    };
    builder
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .tls_info(true)
        .tls_danger_accept_invalid_certs(trusts_all)
        .build()
}

/// Asks for what needs an access token, without one.
async fn ask(url: &Url) -> reqwest::Result<Response> {
    client(url, false)?.get(place(url)).send().await
}

fn place(url: &Url) -> String {
    format!("{}/{PLACE}", url.as_str().trim_end_matches('/'))
}

/// Returns who issued a certificate that is not trusted. Whoever has it learns nothing but that.
///
/// Nothing is asked where a proxy is used: it would not be verified either, and gets its password.
async fn issuer(url: &Url) -> Option<String> {
    if proxy::of(url.as_str()).is_some() {
        return None;
    }
    let response = client(url, true).ok()?.get(place(url)).send().await.ok()?;
    let described = certificate::describe(peer(&response)?)?;
    Some(format!("; the certificate is {described}"))
}

fn peer(response: &Response) -> Option<&[u8]> {
    let info = response.extensions().get::<TlsInfo>()?;
    info.peer_certificate()
}

fn of_certificate(url: &Url, response: &Response) -> Check {
    if url.scheme() == "http" {
        let found = if proxy::is_this_machine(url) {
            "not used: the service is on this machine"
        } else {
            "not used: anyone on the network can read the secrets"
        };
        return Check::good(TLS, found);
    }
    let described = peer(response).and_then(certificate::describe);
    Check::good(
        TLS,
        described.map_or_else(
            || "the certificate is trusted".to_owned(),
            |described| format!("the certificate is trusted, {described}"),
        ),
    )
}

/// Checks that what answers is the API: it wants an access token, and says so in JSON.
fn service(url: &Url, proxy: Option<&Proxy>, response: &Response) -> Check {
    let status = response.status();
    let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    let is_json = media_type.trim().eq_ignore_ascii_case("application/json");
    let found = format!("answered with status {}", status.as_u16());
    if is_json && matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Check::good(
            SERVICE,
            format!("{found}, as expected without an access token"),
        );
    }
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && let Some(proxy) = proxy
    {
        return Check::problem(SERVICE, found, advice::of_proxy_authentication(proxy));
    }
    let advice = if status.is_redirection() {
        "redirects are not followed; check --host"
    } else if is_temporary(status) {
        "temporary failure; try again later"
    } else if url.scheme() == "http" && status == StatusCode::BAD_REQUEST && !is_json {
        TLS_INSTEAD
    } else {
        "this is not the API; check --host, and whether a proxy or a login page answers for it"
    };
    let what = if is_json { "" } else { ", and not with JSON" };
    Check::problem(SERVICE, format!("{found}{what}"), advice)
}

/// Returns `true` if a status is of a server that may answer otherwise later.
fn is_temporary(status: StatusCode) -> bool {
    let is_for_good = status == StatusCode::NOT_IMPLEMENTED;
    status.is_server_error() && !is_for_good || status == StatusCode::TOO_MANY_REQUESTS
}

/// Compares this machine's clock with the service's.
fn clock(date: Option<&str>) -> Check {
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return Check::skipped(CLOCK, "the reply has no date");
    };
    compare(SystemTime::now(), theirs)
}

fn compare(ours: SystemTime, theirs: SystemTime) -> Check {
    let (apart, direction) = match ours.duration_since(theirs) {
        Ok(apart) => (apart, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    let found = format!("{} {direction} the service's", rounded(apart));
    if apart > TOLERANCE {
        let advice = "set this machine's clock: access tokens seem to expire at other times";
        Check::problem(CLOCK, found, advice)
    } else if apart < Duration::from_secs(2) {
        // A date has whole seconds.
        Check::good(CLOCK, "the same as the service's")
    } else {
        Check::good(CLOCK, found)
    }
}

fn advised(url: &Url, why: &advice::Transport) -> String {
    if url.scheme() == "http" && NO_REPLY.iter().any(|part| why.causes.contains(part)) {
        return TLS_INSTEAD.to_owned();
    }
    // Plain http is named on this machine alone: a firewall can answer without TLS too.
    if why.is_tls && proxy::is_this_machine(url) && !why.causes.contains("certificate") {
        return HTTP_INSTEAD.to_owned();
    }
    why.advice.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_a_problem_in_either_direction() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let hour = Duration::from_secs(3600);
        assert!(compare(now, now).is_good());
        assert!(compare(now + TOLERANCE, now).is_good());
        for (ours, theirs, words) in [
            (now + hour, now, "clock: 1h ahead of the service's"),
            (now, now + hour, "clock: 1h behind the service's"),
        ] {
            let check = compare(ours, theirs);
            assert!(
                !check.is_good() && check.to_string().contains(words),
                "{check}"
            );
        }
    }
}
