//! Replies from arbitrary bytes, for fuzzing: decodes them as real ones and checks invariants.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use pollination_auth_api::{CutOff, Head, Outcome};

use crate::credential::api_token::{ApiToken, checked_bearer};
use crate::credential::validity::LONGEST_LIFETIME;
use crate::error::classify::FailedAttempt;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::clock::{Clock, Moment};
use crate::foundation::operation::Operation;
use crate::foundation::secret::{Secret, SecretBytes};
use crate::wire::answer::{Answer, Attempted};
use crate::wire::decode::{Context, Reply};
use crate::wire::known::Known;
use crate::wire::transport::{self, HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The secret of the call; no echo of it may be shown.
const SECRET: &str = "planted-secret";

/// The API token that a rotation replaces.
static HELD: LazyLock<ApiToken> =
    LazyLock::new(|| ApiToken::new("an-id", Secret::from(SECRET)).expect("both are valid"));

static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

static BASE_URL: LazyLock<BaseUrl> =
    LazyLock::new(|| BaseUrl::parse("https://h.example", false).expect("it is valid"));

/// A clock that never moves, so that the same bytes always have the same result.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment {
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            monotonic: Duration::ZERO,
        }
    }
}

/// Decodes `<operation> <status> [cut | limit]`, lines of headers, an empty line and a body.
///
/// Returns `true` for a value, and `None` for bytes that are not of this form.
pub(crate) fn decode(input: &[u8]) -> Option<bool> {
    let written = Written::parse(input)?;
    match written.operation {
        Operation::Login => {
            let requested_at = Still.now();
            let reply = written.reply();
            checked(&written, reply.grant(requested_at), |grant| {
                checked_bearer(grant.access_token.expose_secret()).expect("it can be sent");
                let lifetime = grant.validity.remaining(&requested_at);
                assert!(!lifetime.is_zero() && lifetime <= LONGEST_LIFETIME);
            })
        }
        Operation::GetApiToken => {
            let reply = written.reply();
            checked(&written, reply.api_token_id(None), |id| {
                assert!(
                    ApiToken::new(id.as_str(), Secret::from("s"))
                        .is_ok_and(|token| token.id() == id)
                );
            })
        }
        Operation::CreateApiToken => {
            let reply = written.reply();
            checked(&written, reply.api_token(None), is_usable)
        }
        Operation::RotateApiTokenSecret => {
            let reply = written.reply();
            checked(&written, reply.api_token(Some(&HELD)), |token| {
                is_usable(token);
                assert_eq!(token.id(), HELD.id());
            })
        }
        Operation::DeleteApiToken => checked(&written, written.reply().nothing(), |()| {}),
    }
}

/// Checks that a new API token is valid input, unchanged.
fn is_usable(token: &ApiToken) {
    let again = ApiToken::new(token.id().as_str(), token.secret().clone());
    assert!(again.is_ok_and(|again| again.is_same_as(token)));
}

fn checked<T>(
    written: &Written<'_>,
    result: Attempted<Answer<T>>,
    good: impl Fn(&T),
) -> Option<bool> {
    match result {
        Ok(Answer { value, status }) => {
            assert!(written.status.is_success(), "a refusal is no success");
            assert_eq!(status, written.status.as_u16());
            good(&value);
            Some(true)
        }
        Err(failed) => {
            failed_well(written, failed);
            Some(false)
        }
    }
}

/// Checks that an error keeps a reply that may contain a new secret, and shows no known secret.
fn failed_well(written: &Written<'_>, failed: FailedAttempt) {
    let error = failed.into_error();
    let kept = error.raw_reply().map(SecretBytes::expose_secret);
    let may_hold_a_secret = written.operation.mints_a_secret() && written.status.is_success();
    assert_eq!(kept, may_hold_a_secret.then_some(written.body));
    assert_eq!(error.status(), Some(written.status.as_u16()));
    let mut shown = format!("{error} {error:?} {:?}", error.detail());
    for violation in error.violations() {
        shown += &format!("{violation} {violation:?} {}", violation.message());
    }
    assert!(!shown.contains(SECRET), "the secret is shown");
}

/// A reply as the bytes describe it.
struct Written<'a> {
    operation: Operation,
    status: StatusCode,
    cut_off: Option<fn() -> CutOff>,
    headers: HeaderMap,
    body: &'a [u8],
}

impl<'a> Written<'a> {
    fn parse(input: &'a [u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, body) = input.split_at(end);
        let mut lines = head.split(|byte| *byte == b'\n');
        let mut words = std::str::from_utf8(lines.next()?).ok()?.split(' ');
        let operation = match words.next()? {
            "login" => Operation::Login,
            "get" => Operation::GetApiToken,
            "create" => Operation::CreateApiToken,
            "rotate" => Operation::RotateApiTokenSecret,
            "delete" => Operation::DeleteApiToken,
            _ => return None,
        };
        let status = StatusCode::from_bytes(words.next()?.as_bytes()).ok()?;
        let cut_off: Option<fn() -> CutOff> = match words.next() {
            None => None,
            Some("limit") => Some(|| CutOff::Limit),
            Some("cut") => Some(|| CutOff::Transport(transport::any_error())),
            Some(_) => return None,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            headers.append(
                HeaderName::from_bytes(name).ok()?,
                HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?,
            );
        }
        Some(Self {
            operation,
            status,
            cut_off,
            headers,
            body: body.get(2..)?,
        })
    }

    fn reply(&self) -> Reply<'static> {
        let head = Head {
            status: self.status,
            headers: self.headers.clone(),
        };
        let body = SecretBytes::from(self.body.to_vec());
        let outcome = match self.cut_off {
            None => Outcome::Complete { head, body },
            Some(cause) => Outcome::CutOff {
                head,
                body,
                cause: cause(),
            },
        };
        Reply {
            context: Context {
                operation: self.operation,
                secret: SECRET,
                known: &KNOWN,
                base_url: &BASE_URL,
                clock: &Still,
            },
            outcome,
        }
    }
}
