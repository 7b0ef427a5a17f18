//! The rotation as one call of a client, with the errors of one.

use std::sync::Arc;

use serde::Serialize;

use super::{RotateCause, RotateError, RotateOptions, Rotation};
use crate::client::Client;
use crate::client::held::store_failed;
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::secret::SecretBytes;
use crate::store::StoreError;

const OPERATION: Operation = Operation::RotateApiTokenSecret;

impl Client {
    /// Prepares a crash-safe rotation of the stored secret, with options and detailed errors.
    ///
    /// Requires a client with a [store](crate::ClientBuilder::store) or a
    /// [profile](crate::ClientBuilder::profile).
    #[must_use]
    pub fn rotation(&self, options: RotateOptions) -> Rotation {
        Rotation {
            client: self.clone(),
            options,
        }
    }

    /// Replaces the secret of the account's API token (`PUT /auth/api-token`).
    ///
    /// The client logs in with the new secret from then on. Once the request may have been sent, it
    /// continues if the returned future is dropped.
    ///
    /// A client with a [store](crate::ClientBuilder::store) rotates the stored secret, as
    /// [`rotation`](Self::rotation) does with the default options: no crash loses it, an interrupted
    /// rotation is recovered first, and after a lost reply the call takes minutes. If the store does
    /// not outlive the process, a crash does lose it.
    ///
    /// A client without a store sends one request. The old secret is revoked at once, so store the
    /// new one before anything else: a crash at the wrong moment loses it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let url = service.base_url();
    /// # let directory = std::env::temp_dir().join(format!("doc-rotate-{}", std::process::id()));
    /// use pollination_auth::{ApiToken, Client, FileStore, Profile, Secret};
    ///
    /// let profile = Profile::new(FileStore::open(&directory)?, &url, "default")?;
    /// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
    ///
    /// let client = Client::builder().profile(profile.clone()).build()?;
    /// let rotated = client.rotate_api_token_secret().await?;
    /// assert!(profile.load().await?.is_some_and(|stored| stored.id() == rotated.id()));
    /// # std::fs::remove_dir_all(directory)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] if it may have happened: with a store, call it again, which recovers the
    /// rotation. [`Error::UnusableReply`] if it happened and the reply can't be used, with
    /// [`raw_reply`](Error::raw_reply). [`Error::StoreFailed`] if the store can't be read or locked:
    /// then nothing was sent. Also if the new secret can't be stored: then it is in
    /// [`raw_reply`](Error::raw_reply). [`Error::CredentialsRejected`] if no known secret works, or
    /// [`Error::NotFound`] if the account has no API token any longer; those of
    /// [`login`](Self::login), and those of a refusal.
    ///
    /// With a store, the source of an error is a [`RotateError`] with everything that is known, unless
    /// nothing was changed.
    pub async fn rotate_api_token_secret(&self) -> Result<ApiToken, Error> {
        if self.profile().is_none() {
            return self.rotate_without_store().await;
        }
        // Better than one request, also where it is not safe.
        let options = RotateOptions::default().accept_volatile();
        match self.rotation(options).rotate().await {
            Ok(rotated) => Ok(rotated.token),
            Err(error) => Err(error.into_error()),
        }
    }
}

impl RotateError {
    /// Returns the error of a call: what nobody else has is in its raw reply, and this one is its
    /// source.
    pub(super) fn into_error(self) -> Error {
        let failure = self.failure();
        let newest = failure.expose_candidates().last().map(as_reply);
        let facts = |reason| Facts {
            source: Some(Arc::new(self.clone())),
            ..Facts::new(OPERATION, reason)
        };
        let status = |status| Facts {
            status: Some(status),
            ..facts(Reason::Status)
        };
        let unfinished = facts(Reason::RotationUnfinished);
        match &self {
            Self::NotStarted(_) | Self::Rejected(_) => match failure.cause() {
                // It did not happen after all.
                Some(RotateCause::Service(
                    Error::Ambiguous(cause) | Error::UnusableReply(cause),
                )) => Error::Unavailable(facts(cause.reason().clone()).into()),
                Some(RotateCause::Service(error)) => error.clone(),
                // The store is in order: somebody else is at work on it.
                Some(RotateCause::Store(StoreError::Locked)) => {
                    Error::Unavailable(facts(Reason::RotationUnderWay).into())
                }
                Some(RotateCause::Store(error)) => store_failed(OPERATION, error.clone()),
                Some(RotateCause::AccessTokenTooShort { .. }) => {
                    Error::LifetimeTooShort(facts(Reason::TooShort).into())
                }
                Some(RotateCause::NoRuntime) => Error::internal(OPERATION, Reason::NoRuntime),
                Some(RotateCause::Panicked) => Error::internal(OPERATION, Reason::Panicked),
                Some(RotateCause::NoStore | RotateCause::Volatile) | None => {
                    Error::Unavailable(unfinished.into())
                }
            },
            Self::Ambiguous(_) | Self::Unverified(_) => Error::Ambiguous(unfinished.into()),
            Self::UnusableReply(_) => {
                let raw = failure.expose_raw_replies().last().cloned();
                Error::UnusableReply(Facts { raw, ..unfinished }.into())
            }
            Self::PersistFailed(_) => {
                let facts = facts(Reason::Store);
                Error::StoreFailed(
                    Facts {
                        raw: newest,
                        ..facts
                    }
                    .into(),
                )
            }
            Self::CredentialLost(_) => Error::CredentialsRejected(status(401).into()),
            Self::ApiTokenGone(_) => Error::NotFound(status(404).into()),
            Self::OtherApiToken(_) => {
                let received = failure.expose_candidates().last();
                let ids = failure
                    .id()
                    .cloned()
                    .zip(received.map(|token| token.id().clone()));
                let facts = match ids {
                    Some((expected, received)) => facts(Reason::IdMismatch { expected, received }),
                    None => unfinished,
                };
                Error::UnusableReply(
                    Facts {
                        raw: newest,
                        ..facts
                    }
                    .into(),
                )
            }
        }
    }
}

/// The most bytes that JSON takes for one byte of a text: 6, as in `\u0001`.
const LONGEST_ESCAPE: usize = 6;

/// The rest of a reply, around the two texts.
const FRAME: &str = r#"{"id":"","secret":""}"#;

/// Returns an API token as the service would send it.
fn as_reply(token: &ApiToken) -> SecretBytes {
    #[derive(Serialize)]
    struct Document<'a> {
        id: &'a str,
        secret: &'a str,
    }
    let document = Document {
        id: token.id().as_str(),
        secret: token.secret().expose_secret(),
    };
    let texts = document.id.len() + document.secret.len();
    // Full size from the start: a buffer that grows leaves copies that nobody wipes.
    let mut bytes = Vec::with_capacity(LONGEST_ESCAPE.saturating_mul(texts) + FRAME.len());
    let written = serde_json::to_writer(&mut bytes, &document);
    debug_assert!(written.is_ok(), "two texts in a buffer can't fail");
    SecretBytes::from(bytes)
}
