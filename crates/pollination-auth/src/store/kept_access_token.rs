//! An access token that processes share, as a document, and how long it lasts by this machine's clock.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::stored_token::StoredToken;
use crate::credential::access_token::AccessToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// The version of the document; one that is not known is not used.
const VERSION: u32 = 2;

/// How far this machine's clock may be behind the service's: 5 minutes, as Kerberos has it.
///
/// A clock that is further behind may stand still or have been reset, so it does not tell how much
/// of a token's life has passed.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// An access token that processes share, and its life by this machine's clock.
///
/// [`share_access_token`](crate::ClientBuilder::share_access_token) and the command
/// `pollination-auth` keep it as one document of a store of its own. This is for other programs
/// that read or keep the same document. A document belongs to one state of one stored credential:
/// after a rotation it is not used any longer.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use pollination_auth::{ApiToken, Client, KeptAccessToken, MemoryStore, Profile, Secret};
/// use pollination_auth_fake::FakeService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = FakeService::builder().id("an-id").secret("a-secret").start();
/// let profile = Profile::new(MemoryStore::new(), &service.base_url(), "default")?;
/// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
/// let stored = profile.stored().await?.ok_or("no API token is stored")?;
///
/// let before = SystemTime::now();
/// let client = Client::builder().profile(profile.clone()).build()?;
/// let token = client.access_token().await?;
/// let kept = KeptAccessToken::new(token, before).ok_or("its expiry is not known")?;
/// let document = kept.to_document(profile.id(), &stored).ok_or("it is too long")?;
///
/// let read = KeptAccessToken::from_document(profile.id(), &stored, &document);
/// let left = read.ok_or("it belongs to another credential")?.remaining(SystemTime::now());
/// assert!(left > Duration::from_secs(60));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeptAccessToken {
    token: AccessToken,
    /// A time before the login.
    obtained_at: SystemTime,
    expires_at: SystemTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text<'a> {
    version: u32,
    base_url: Cow<'a, str>,
    profile: Cow<'a, str>,
    id: Cow<'a, str>,
    generation: u64,
    obtained_at: u64,
    expires_at: u64,
    /// Borrowed, so that no copy of it is left behind.
    access_token: &'a str,
}

impl KeptAccessToken {
    /// The longest document: 32 KiB, the longest access token and what stands around it.
    pub const LIMIT: usize = 32 * 1024;

    /// Takes a token with the time just before its login. Returns `None` if its expiry is not known.
    #[must_use]
    pub fn new(token: AccessToken, before_login: SystemTime) -> Option<Self> {
        Some(Self {
            expires_at: token.expires_at()?,
            token,
            obtained_at: before_login,
        })
    }

    /// Returns the access token, which does not know its expiry if it was read from a document.
    #[must_use]
    pub fn access_token(&self) -> &AccessToken {
        &self.token
    }

    /// Returns when it expires by the clock of the machine that logged in.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Reads a document. Returns `None` if it is damaged or does not belong to this state of the
    /// credential.
    #[must_use]
    pub fn from_document(
        profile: &ProfileId,
        stored: &StoredToken,
        document: &Secret,
    ) -> Option<Self> {
        // The parser's error quotes the text.
        let text: Text<'_> = serde_json::from_str(document.expose_secret()).ok()?;
        let belongs = text.version == VERSION
            && text.base_url == profile.base_url()
            && text.profile == profile.name()
            && text.id == stored.api_token().id().as_str()
            && text.generation == stored.generation();
        if !belongs {
            return None;
        }
        Some(Self {
            token: AccessToken::new(text.access_token).ok()?,
            obtained_at: of_epoch(text.obtained_at)?,
            expires_at: of_epoch(text.expires_at)?,
        })
    }

    /// Writes the document for this state of the credential. Returns `None` if it would be longer
    /// than [`LIMIT`](Self::LIMIT).
    #[must_use]
    pub fn to_document(&self, profile: &ProfileId, stored: &StoredToken) -> Option<Secret> {
        let text = Text {
            version: VERSION,
            base_url: profile.base_url().into(),
            profile: profile.name().into(),
            id: stored.api_token().id().as_str().into(),
            generation: stored.generation(),
            obtained_at: epoch(self.obtained_at),
            expires_at: epoch(self.expires_at),
            access_token: self.token.expose_secret(),
        };
        // Full size from the start, because growing would leave copies that nobody wipes.
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::LIMIT));
        serde_json::to_writer(&mut *bytes, &text).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        (text.len() <= Self::LIMIT).then(|| Secret::from(text.to_owned()))
    }

    /// Returns the remaining lifetime, zero if any view of it contradicts this machine's clock.
    ///
    /// The clock may have been changed since the login, so it is checked against the time of the
    /// login and, both ways, against the expiry that the token itself claims.
    #[must_use]
    pub fn remaining(&self, now: SystemTime) -> Duration {
        let Ok(lifetime) = self.expires_at.duration_since(self.obtained_at) else {
            return Duration::ZERO;
        };
        let is_from_the_future = now < self.obtained_at;
        let is_contradicted = self.token.claimed_expiry().is_some_and(|expiry| {
            let ahead = expiry.duration_since(now).unwrap_or_default();
            ahead.is_zero() || ahead > lifetime.saturating_add(TOLERANCE)
        });
        if is_from_the_future || is_contradicted {
            return Duration::ZERO;
        }
        self.expires_at.duration_since(now).unwrap_or_default()
    }
}

fn epoch(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}

fn of_epoch(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::api_token::ApiToken;
    use crate::foundation::base_url::BaseUrl;
    use crate::store::record::Record;

    /// Claims to expire 3600 s after 1970: `{"exp":3600}`.
    const CLAIMS_3600: &str = "e30.eyJleHAiOjM2MDB9.c2ln";

    fn at(seconds: u64) -> SystemTime {
        of_epoch(seconds).unwrap()
    }

    fn kept(token: &str, (obtained_at, expires_at): (u64, u64)) -> KeptAccessToken {
        KeptAccessToken {
            token: AccessToken::new(token).unwrap(),
            obtained_at: at(obtained_at),
            expires_at: at(expires_at),
        }
    }

    #[test]
    fn row_67_a_kept_token_lasts_as_long_as_every_view_allows() {
        let left = |token, life, now| kept(token, life).remaining(at(now)).as_secs();
        // Clock right: by the document and by the claim alike.
        assert_eq!(left(CLAIMS_3600, (0, 3600), 0), 3600);
        assert_eq!(left(CLAIMS_3600, (0, 3600), 3599), 1);
        assert_eq!(left(CLAIMS_3600, (0, 3600), 3600), 0);
        // Clock ahead at the login and right now, and past that time.
        assert_eq!(left(CLAIMS_3600, (9000, 12600), 1800), 0);
        assert_eq!(left(CLAIMS_3600, (3000, 6600), 3601), 0);
        // Clock behind by a little at both times, and by more: it may have been reset in between.
        assert_eq!(left(CLAIMS_3600, (300, 3300), 300), 3000);
        assert_eq!(left(CLAIMS_3600, (0, 600), 60), 0);
        // Without a claim the document alone counts, and the future never does.
        assert_eq!(left("opaque", (100, 200), 150), 50);
        assert_eq!(left("opaque", (100, 200), 99), 0);
        assert_eq!(left("opaque", (200, 100), 50), 0);
    }

    #[test]
    fn a_document_belongs_to_one_state_of_one_credential() {
        let base_url = BaseUrl::parse("https://h.example", false).unwrap();
        let profile = ProfileId::new(&base_url, "work");
        let token = ApiToken::new("an-id", Secret::from("planted")).unwrap();
        let stored = StoredToken(Record::new(token, 3));
        // As version 0.1 writes it.
        let text = r#"{"version":2,"base_url":"https://h.example","profile":"work","id":"an-id","generation":3,"obtained_at":100,"expires_at":200,"access_token":"opaque"}"#;
        let written = kept("opaque", (100, 200))
            .to_document(&profile, &stored)
            .unwrap();
        assert_eq!(written.expose_secret(), text);
        let read = |text: &str| {
            KeptAccessToken::from_document(&profile, &stored, &Secret::from(text.to_owned()))
        };
        let read_back = read(text).unwrap();
        assert_eq!(read_back.token.expose_secret(), "opaque");
        assert_eq!(read_back.remaining(at(150)).as_secs(), 50);
        for (from, to) in [
            ("\"version\":2", "\"version\":3"),
            ("h.example", "other.example"),
            ("\"work\"", "\"home\""),
            ("an-id", "another-id"),
            ("\"generation\":3", "\"generation\":4"),
            ("opaque", "not a token"),
            ("}", ""),
        ] {
            assert!(read(&text.replace(from, to)).is_none(), "{to}");
        }
    }
}
