//! From a captured exchange to a value or a failed attempt: status first, body second.
//!
//! Lenient where the world is lenient (a status of success, a number in quotes, a byte order mark),
//! strict where it is dangerous (a secret, a lifetime, a token's type).

use std::time::SystemTime;

use pollination_auth_api::{CutOff, Head, Outcome, types};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::answer::{Answer, Attempted};
use super::bytes::without_byte_order_mark;
use super::known::Known;
use super::login::{LoginFields, Seconds, lenient_login};
use super::mask::Mask;
use super::retry_after;
use super::secrets::secrets_in;
use super::transport;
use super::words::Words;
use crate::credential::api_token::{ApiToken, ApiTokenId, checked_id};
use crate::credential::grant::Grant;
use crate::credential::validity::LONGEST_LIFETIME;
use crate::error::classify::{Attempt, Class};
use crate::error::failure::{Facts, Reason};
use crate::foundation::base_url::BaseUrl;
use crate::foundation::clock::{Clock, Moment};
use crate::foundation::operation::Operation;
use crate::foundation::secret::{Secret, SecretBytes};

/// One captured exchange, about to be read.
pub(crate) struct Reply<'a, T> {
    pub(crate) operation: Operation,
    /// What the generated code decoded, where it could.
    pub(crate) typed: Option<T>,
    pub(crate) outcome: Outcome,
    /// The secret that the call carried.
    pub(crate) secret: &'a str,
    pub(crate) known: &'a Known,
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) clock: &'a dyn Clock,
}

/// A success: its head, its bytes, and whether they are all of them.
struct Success<'a, T> {
    operation: Operation,
    typed: Option<T>,
    head: Head,
    body: SecretBytes,
    cut_off: Option<CutOff>,
    secret: &'a str,
    known: &'a Known,
    base_url: &'a BaseUrl,
    clock: &'a dyn Clock,
}

impl Reply<'_, types::Auth0TokenResponse> {
    pub(crate) fn grant(self, requested_at: Moment) -> Attempted<Answer<Grant>> {
        let mut success = self.success()?;
        let fields = match success.typed.take() {
            Some(typed) if !success.is_encoded() => Ok(LoginFields {
                access_token: Secret::from(typed.access_token.expose_secret().to_owned()),
                token_type: typed.token_type,
                expires_in: Some(Seconds::Whole(typed.expires_in)),
            }),
            _ => success.document(lenient_login),
        };
        match fields.and_then(|fields| fields.check(requested_at, success.date())) {
            Ok(grant) => {
                let known = success.known;
                known.add(success.secret);
                known.add(grant.access_token.expose_secret());
                Ok(success.taken(grant))
            }
            Err(reason) => Err(success.unusable(reason)),
        }
    }
}

impl Reply<'_, types::NewToken> {
    pub(crate) fn api_token_id(self) -> Attempted<Answer<ApiTokenId>> {
        let mut success = self.success()?;
        let id = success
            .decoded()
            .and_then(|types::NewToken { id }| checked_id(id).map_err(Reason::UnusableCredential));
        match id {
            Ok(id) => Ok(success.taken(id)),
            Err(reason) => Err(success.unusable(reason)),
        }
    }
}

impl Reply<'_, types::Token> {
    /// Reads a new API token; `held` is the one that it takes the place of.
    pub(crate) fn api_token(self, held: Option<&ApiToken>) -> Attempted<Answer<ApiToken>> {
        let mut success = self.success()?;
        let minted = success
            .decoded()
            .and_then(|token| success.minted(&token, held));
        match minted {
            Ok(token) => {
                if held.is_some_and(|held| held.is_same_as(&token)) {
                    tracing::warn!(
                        operation = success.operation.as_str(),
                        "the new secret is the old one"
                    );
                }
                Ok(success.taken(token))
            }
            Err(reason) => Err(success.unusable(reason)),
        }
    }
}

impl Reply<'_, ()> {
    /// Reads the success of a delete: 204, or another status with an empty body or one of JSON.
    ///
    /// A 202 promises the delete alone, and a page is not the service's.
    pub(crate) fn nothing(self) -> Attempted<Answer<()>> {
        let success = self.success()?;
        let done = match success.head.status.as_u16() {
            204 => Ok(()),
            202 => Err(Reason::Pending),
            _ => success.json_or_empty(),
        };
        match done {
            Ok(()) => Ok(success.taken(())),
            Err(reason) => Err(success.unusable(reason)),
        }
    }
}

impl<'a, T> Reply<'a, T> {
    /// Tells a success from every other way in which an exchange can end.
    fn success(self) -> Attempted<Success<'a, T>> {
        let Self {
            operation,
            typed,
            outcome,
            secret,
            known,
            base_url,
            clock,
        } = self;
        let (head, body, cut_off) = match outcome {
            Outcome::NotSent(error) => {
                let reason = transport::reason(&error);
                let class = if matches!(reason, Reason::Tls | Reason::ProxyAuthentication) {
                    Class::NeverSent
                } else {
                    Class::NotSent
                };
                let source = Some(transport::source(error));
                let facts = Facts {
                    source,
                    ..Facts::new(operation, reason)
                };
                return Err(Attempt::new(class, facts));
            }
            Outcome::Complete { head, body } => (head, body, None),
            Outcome::CutOff { head, body, cause } => (head, body, Some(cause)),
            Outcome::Ambiguous(error) => {
                let reason = error
                    .as_ref()
                    .map_or(Reason::ConnectionLost, transport::reason);
                let class = if error
                    .as_ref()
                    .is_some_and(transport::is_certificate_refused)
                {
                    Class::NeverSent
                } else {
                    Class::Lost
                };
                let source = error.map(transport::source);
                let facts = Facts {
                    source,
                    ..Facts::new(operation, reason)
                };
                return Err(Attempt::new(class, facts));
            }
            // The outcome can grow; what it may be then may have been sent.
            _ => {
                let facts = Facts::new(operation, Reason::ConnectionLost);
                return Err(Attempt::new(Class::Lost, facts));
            }
        };
        let success = Success {
            operation,
            typed,
            head,
            body,
            cut_off,
            secret,
            known,
            base_url,
            clock,
        };
        if success.head.status.is_success() {
            Ok(success)
        } else {
            Err(success.refused())
        }
    }
}

impl Success<'_, types::Token> {
    /// Checks a new secret before anything is replaced by it.
    fn minted(&self, token: &types::Token, held: Option<&ApiToken>) -> Result<ApiToken, Reason> {
        let secret = token
            .secret
            .as_ref()
            .map_or("", |secret| secret.expose_secret());
        let minted = ApiToken::exact(&token.id, secret).map_err(Reason::UnusableCredential)?;
        self.known.add(secret);
        match held {
            Some(held) if held.id() != minted.id() => {
                let mask = self.mask();
                let hidden = |id| mask.id(id).map_err(Reason::UnusableCredential);
                Err(Reason::IdMismatch {
                    expected: hidden(held.id())?,
                    received: hidden(minted.id())?,
                })
            }
            _ => Ok(minted),
        }
    }
}

impl<T: DeserializeOwned> Success<'_, T> {
    /// Gives the generated model: as the generated code read it, or read here.
    ///
    /// The generated code reads the documented status alone, and no byte order mark.
    fn decoded(&mut self) -> Result<T, Reason> {
        match self.typed.take() {
            Some(typed) if !self.is_encoded() => Ok(typed),
            _ => self.document(|bytes| serde_json::from_slice(bytes)),
        }
    }
}

impl<T> Success<'_, T> {
    /// Reads the bytes as one JSON document; says why not, without a word of them.
    fn document<U>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<U, serde_json::Error>,
    ) -> Result<U, Reason> {
        let body = without_byte_order_mark(self.body.expose_secret());
        if self.is_encoded() {
            return Err(Reason::Encoded);
        }
        read(body).map_err(|error| {
            match &self.cut_off {
                Some(CutOff::Transport(cause)) => return transport::reason(cause),
                Some(_) => return Reason::TooLarge,
                None => {}
            }
            if body.trim_ascii().is_empty() {
                return Reason::NoBody;
            }
            if serde_json::from_slice::<IgnoredAny>(body).is_err() {
                let content_type = self
                    .header("content-type")
                    .and_then(|value| self.mask().media_type(value));
                return Reason::NotJson {
                    content_type,
                    length: body.len(),
                };
            }
            Reason::NotTheDocument {
                line: error.line(),
                column: error.column(),
            }
        })
    }

    /// Checks that the body is one the service can have written: none, or JSON.
    fn json_or_empty(&self) -> Result<(), Reason> {
        let read = self.document(|body| serde_json::from_slice::<IgnoredAny>(body));
        match read {
            Ok(_) | Err(Reason::NoBody) => Ok(()),
            Err(reason) => Err(reason),
        }
    }

    /// Tells whether the bytes are encoded in a way that was not asked for.
    fn is_encoded(&self) -> bool {
        self.header("content-encoding")
            .is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.headers.get(name).map(|value| value.as_bytes())
    }

    /// Returns the service's own time, where the reply has it.
    fn date(&self) -> Option<SystemTime> {
        let text = std::str::from_utf8(self.header("date")?).ok()?;
        httpdate::parse_http_date(text.trim()).ok()
    }

    /// Returns a mask for every secret that this client knows, the call's own included.
    fn mask(&self) -> Mask {
        self.known.add(self.secret);
        self.known.mask()
    }

    /// Gives the value on, and says when the reply was not quite as it should be.
    fn taken<U>(&self, value: U) -> Answer<U> {
        if self.cut_off.is_some() {
            tracing::warn!(
                operation = self.operation.as_str(),
                "the connection broke off behind a whole reply"
            );
        }
        Answer {
            value,
            status: self.head.status.as_u16(),
        }
    }

    /// A success that can't be used: broken off, or not what belongs here.
    fn unusable(self, reason: Reason) -> Attempt {
        let broke_off = matches!(self.cut_off, Some(CutOff::Transport(_)));
        // A login or get that broke off is as good as lost; a new secret may be in the bytes.
        let lost = broke_off && !self.operation.mints_a_secret();
        let class = if lost { Class::Lost } else { Class::Unusable };
        let raw = self.operation.mints_a_secret().then(|| self.body.clone());
        for secret in raw.iter().flat_map(secrets_in) {
            self.known.add(secret.expose_secret());
        }
        let mut facts = Facts {
            raw,
            ..self.facts(reason)
        };
        if let Some(CutOff::Transport(cause)) = self.cut_off {
            facts.source = Some(transport::source(cause));
        }
        Attempt::new(class, facts)
    }

    /// A status that is no success.
    fn refused(self) -> Attempt {
        let (class, reason) = match self.head.status.as_u16() {
            404 => match self.json_or_empty() {
                Ok(()) => (Class::Status(404), Reason::Status),
                Err(reason) => (Class::Foreign404, reason),
            },
            407 => (Class::Status(407), Reason::ProxyAuthentication),
            status => (Class::Status(status), Reason::Status),
        };
        let mask = self.mask();
        let content_type = self.header("content-type").unwrap_or_default();
        let words = Words::read(self.body.expose_secret(), content_type, &mask);
        let now = self.clock.now().wall;
        let waits = self
            .head
            .headers
            .get_all("retry-after")
            .iter()
            .map(|value| value.as_bytes());
        let wait = retry_after::wait(waits, now);
        let redirect_origin = self
            .head
            .status
            .is_redirection()
            .then(|| std::str::from_utf8(self.header("location")?).ok())
            .flatten()
            // Masked first: a parsed host is in lower case, and the secret would not be found in it.
            .and_then(|location| self.base_url.origin_of(&mask.hide(location)))
            .and_then(|origin| mask.word(origin.as_bytes()));
        let facts = Facts {
            detail: words.detail,
            violations: words.violations,
            redirect_origin,
            // A wait beyond what a clock can say is as good as the longest that is believed.
            retry_at: wait.and_then(|wait| now.checked_add(wait.min(LONGEST_LIFETIME))),
            ..self.facts(reason)
        };
        Attempt::new(class, facts)
    }

    fn facts(&self, reason: Reason) -> Facts {
        Facts {
            status: Some(self.head.status.as_u16()),
            request_id: self
                .header("x-request-id")
                .and_then(|value| self.mask().word(value)),
            ..Facts::new(self.operation, reason)
        }
    }
}
