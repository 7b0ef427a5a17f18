//! From a captured exchange to a value or a failed attempt: status first, body second.
//!
//! The captured bytes are decoded here, because the generated code accepts neither another success
//! status nor a byte order mark nor a lifetime in quotes. Only the id, which every ordinary call
//! reads, is the generated value where there is one. A secret and a token's type are read strictly.

use std::time::SystemTime;

use pollination_auth_api::{CutOff, Head, Outcome, types};
use serde::de::IgnoredAny;

use super::answer::{Answer, Attempted};
use super::bytes::without_byte_order_mark;
use super::error_text::ErrorText;
use super::fields::{self, Fields};
use super::known::Known;
use super::login::LoginFields;
use super::mask::Mask;
use super::retry_after;
use super::secrets::secrets_in;
use super::transport::{self, HTTPS};
use crate::credential::api_token::{ApiToken, ApiTokenId, checked_id};
use crate::credential::grant::Grant;
use crate::credential::validity::LONGEST_LIFETIME;
use crate::error::classify::{Class, FailedAttempt};
use crate::error::failure::{Facts, Reason};
use crate::foundation::base_url::BaseUrl;
use crate::foundation::clock::{Clock, Moment};
use crate::foundation::operation::Operation;
use crate::foundation::secret::SecretBytes;

/// What is known of a call apart from its reply.
pub(crate) struct Context<'a> {
    pub(crate) operation: Operation,
    /// The secret that the call carried.
    pub(crate) secret: &'a str,
    pub(crate) known: &'a Known,
    pub(crate) base_url: &'a BaseUrl,
    pub(crate) clock: &'a dyn Clock,
}

/// One captured exchange, before it is read.
pub(crate) struct Reply<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) outcome: Outcome,
}

/// A reply with a status: its head, its bytes, and what cut them off.
struct Received<'a> {
    context: Context<'a>,
    head: Head,
    body: SecretBytes,
    cut_off: Option<CutOff>,
}

impl<'a> Reply<'a> {
    /// Reads the reply of a login.
    pub(crate) fn grant(self, requested_at: Moment) -> Attempted<Answer<Grant>> {
        self.read(|reply| {
            let fields: LoginFields = reply.document()?;
            let grant = fields.check(requested_at, reply.date())?;
            let Context { known, secret, .. } = reply.context;
            known.add(secret);
            known.add(grant.access_token.expose_secret());
            Ok(grant)
        })
    }

    /// Reads the id of the API token, from the generated value if there is one.
    pub(crate) fn api_token_id(
        self,
        generated: Option<types::NewToken>,
    ) -> Attempted<Answer<ApiTokenId>> {
        self.read(|reply| {
            let types::NewToken { id, .. } = match generated {
                Some(token) if !reply.is_encoded() => token,
                _ => reply.document()?,
            };
            let id = checked_id(id).map_err(Reason::UnusableCredential)?;
            reply.without_secrets(id)
        })
    }

    /// Reads a new API token; `held` is the one that it replaces.
    pub(crate) fn api_token(self, held: Option<&ApiToken>) -> Attempted<Answer<ApiToken>> {
        self.read(|reply| {
            let token = reply.new_api_token(held)?;
            if held.is_some_and(|held| held.is_same_as(&token)) {
                tracing::warn!(
                    operation = reply.context.operation.as_str(),
                    "the new secret is the old one"
                );
            }
            Ok(token)
        })
    }

    /// Reads the success of a delete: a body that is empty, as with 204, or one of JSON.
    ///
    /// A 202 only promises the delete, and a page is not the service's.
    pub(crate) fn nothing(self) -> Attempted<Answer<()>> {
        self.read(|reply| match reply.head.status.as_u16() {
            202 => Err(Reason::Pending),
            _ => reply.json_or_empty(),
        })
    }

    /// Reads a success; everything else is a failed attempt.
    fn read<T>(
        self,
        value: impl FnOnce(&Received<'a>) -> Result<T, Reason>,
    ) -> Attempted<Answer<T>> {
        let reply = self.received()?;
        if !reply.head.status.is_success() {
            return Err(reply.refused());
        }
        match value(&reply) {
            Ok(value) => Ok(reply.answer(value)),
            Err(reason) => Err(reply.unusable(reason)),
        }
    }

    /// Returns the reply if there is one with a status.
    fn received(self) -> Attempted<Received<'a>> {
        let Self { context, outcome } = self;
        let (head, body, cut_off) = match outcome {
            Outcome::Complete { head, body } => (head, body, None),
            Outcome::CutOff { head, body, cause } => (head, body, Some(cause)),
            Outcome::NotSent(error) => return Err(context.not_sent(error)),
            Outcome::Ambiguous(Some(error)) if transport::is_certificate_refused(&error) => {
                return Err(context.unanswered(Class::NeverSent, Some(error)));
            }
            Outcome::Ambiguous(error) => return Err(context.unanswered(Class::Lost, error)),
            // A variant that is added later: it may have been sent.
            _ => return Err(context.unanswered(Class::Lost, None)),
        };
        Ok(Received {
            context,
            head,
            body,
            cut_off,
        })
    }
}

impl Context<'_> {
    /// Returns the failed attempt of an exchange that sent nothing.
    pub(super) fn not_sent(&self, error: transport::TransportError) -> FailedAttempt {
        let class = match transport::reason(&error) {
            Reason::Tls | Reason::ProxyAuthentication => Class::NeverSent,
            _ => Class::NotSent,
        };
        self.unanswered(class, Some(error))
    }

    /// Returns the failed attempt of an exchange without a status.
    fn unanswered(&self, class: Class, error: Option<transport::TransportError>) -> FailedAttempt {
        let reason = error
            .as_ref()
            .map_or(Reason::ConnectionLost, transport::reason);
        let other_scheme = error
            .as_ref()
            .and_then(|error| transport::other_scheme(error, self.base_url));
        let facts = Facts {
            other_scheme,
            source: error.map(transport::source),
            ..Facts::new(self.operation, reason)
        };
        FailedAttempt::new(class, facts)
    }
}

impl Received<'_> {
    /// Checks a new secret before it replaces anything.
    fn new_api_token(&self, held: Option<&ApiToken>) -> Result<ApiToken, Reason> {
        let types::Token { id, secret, .. } = self.document()?;
        let secret = secret.as_ref().map_or("", |secret| secret.expose_secret());
        self.context.known.add(secret);
        let id = self.without_secrets(checked_id(id).map_err(Reason::UnusableCredential)?)?;
        let new = ApiToken::exact(id.as_str(), secret).map_err(Reason::UnusableCredential)?;
        match held {
            Some(held) if held.id() != new.id() => {
                let mask = self.mask();
                let hidden = |id| mask.id(id).map_err(Reason::UnusableCredential);
                Err(Reason::IdMismatch {
                    expected: hidden(held.id())?,
                    received: hidden(new.id())?,
                })
            }
            _ => Ok(new),
        }
    }

    /// Returns an id in which every secret is masked: ids are shown and logged.
    fn without_secrets(&self, id: ApiTokenId) -> Result<ApiTokenId, Reason> {
        if !self.context.known.are_in(id.as_str(), self.context.secret) {
            return Ok(id);
        }
        self.mask().id(&id).map_err(Reason::UnusableCredential)
    }

    /// Reads the bytes as one JSON document; the reason of a failure quotes none of them.
    fn document<T: Fields>(&self) -> Result<T, Reason> {
        let body = without_byte_order_mark(self.body.expose_secret());
        if self.is_encoded() {
            return Err(Reason::Encoded);
        }
        serde_json::from_slice(body).map_err(|error| {
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
                field: fields::wrong::<T>(body),
                line: error.line(),
                column: error.column(),
            }
        })
    }

    /// Checks that the service can have written the body: it is empty, or JSON.
    fn json_or_empty(&self) -> Result<(), Reason> {
        match self.document() {
            Ok(IgnoredAny) | Err(Reason::NoBody) => Ok(()),
            Err(reason) => Err(reason),
        }
    }

    /// Returns `true` if the bytes have an encoding that was not asked for.
    fn is_encoded(&self) -> bool {
        self.header("content-encoding")
            .is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.headers.get(name).map(|value| value.as_bytes())
    }

    /// Returns the service's own time, if the reply states it.
    fn date(&self) -> Option<SystemTime> {
        let text = std::str::from_utf8(self.header("date")?).ok()?;
        httpdate::parse_http_date(text.trim()).ok()
    }

    /// Returns a mask for every secret that this client knows, including the call's own.
    fn mask(&self) -> Mask {
        self.context.known.add(self.context.secret);
        self.context.known.mask()
    }

    /// Returns the value with its status, and warns of a reply that was cut off after it.
    fn answer<T>(&self, value: T) -> Answer<T> {
        if self.cut_off.is_some() {
            tracing::warn!(
                operation = self.context.operation.as_str(),
                "the connection broke after a whole reply"
            );
        }
        Answer {
            value,
            status: self.head.status.as_u16(),
        }
    }

    /// Returns the failed attempt of a success that was cut off or has the wrong content.
    fn unusable(self, reason: Reason) -> FailedAttempt {
        let is_cut = matches!(self.cut_off, Some(CutOff::Transport(_)));
        let mints_a_secret = self.context.operation.mints_a_secret();
        // A reply that was cut off counts as lost, unless a new secret may be in its bytes.
        let class = if is_cut && !mints_a_secret {
            Class::Lost
        } else {
            Class::Unusable
        };
        let raw = mints_a_secret.then(|| self.body.clone());
        for secret in raw.iter().flat_map(secrets_in) {
            self.context.known.add(secret.expose_secret());
        }
        let mut facts = Facts {
            raw,
            is_not_the_api: matches!(reason, Reason::NotJson { .. }),
            ..self.facts(reason)
        };
        if let Some(CutOff::Transport(cause)) = self.cut_off {
            facts.source = Some(transport::source(cause));
        }
        FailedAttempt::new(class, facts)
    }

    /// Returns the failed attempt of a status that is not a success.
    fn refused(self) -> FailedAttempt {
        let operation = self.context.operation;
        let status = self.head.status.as_u16();
        let unlike = self.json_or_empty().err();
        let is_page = matches!(unlike, Some(Reason::NotJson { .. }));
        let is_not_the_api = is_unsupported(operation, status) || is_page && is_own_refusal(status);
        let (class, reason) = match (status, unlike) {
            (404, Some(reason)) => (Class::Foreign, reason),
            (404, None) if is_not_the_api => (Class::Foreign, Reason::Status),
            // After a create or rotate it stays open what a server behind this one has done.
            (501, _) if !operation.mints_a_secret() => (Class::Foreign, Reason::Status),
            (407, _) => (Class::Status(407), Reason::ProxyAuthentication),
            _ => (Class::Status(status), Reason::Status),
        };
        // Web servers answer plain http on a port for TLS with this status and a page.
        let is_plain_to_tls = status == 400 && is_page && !self.context.base_url.is_https();
        let has_json_error = self.document::<IgnoredAny>().is_ok();
        let mask = self.mask();
        let content_type = self.header("content-type").unwrap_or_default();
        let text = ErrorText::read(self.body.expose_secret(), content_type, &mask);
        let now = self.context.clock.now().wall;
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
            // Masked first: a parsed host is in lower case, in which no secret would be found.
            .and_then(|location| self.context.base_url.origin_of(&mask.hide(location)))
            .and_then(|origin| mask.word(origin.as_bytes()));
        let facts = Facts {
            detail: text.detail,
            violations: text.violations,
            redirect_origin,
            has_json_error,
            is_not_the_api,
            other_scheme: is_plain_to_tls.then_some(HTTPS),
            // A clock may not be able to express a longer wait.
            retry_at: wait.and_then(|wait| now.checked_add(wait.min(LONGEST_LIFETIME))),
            ..self.facts(reason)
        };
        FailedAttempt::new(class, facts)
    }

    fn facts(&self, reason: Reason) -> Facts {
        Facts {
            status: Some(self.head.status.as_u16()),
            request_id: self
                .header("x-request-id")
                .and_then(|value| self.mask().word(value)),
            ..Facts::new(self.context.operation, reason)
        }
    }
}

/// Returns `true` if a status says that the server does not have the operation, as the API does.
fn is_unsupported(operation: Operation, status: u16) -> bool {
    // Where an API token is asked for, a 404 means that there is none.
    matches!(status, 405 | 501) || status == 404 && operation == Operation::Login
}

/// Returns `true` if the service itself answers with a status, and not a proxy, when it refuses.
fn is_own_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 407 | 408 | 425 | 429)
}
