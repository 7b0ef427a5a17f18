//! Building a client: each setting is checked, and the parts are put together.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::builder::{ClientBuilder, Credential};
use super::held::Held;
use super::login::{Login, NoLogin};
use crate::cache::{TokenCache, TokenSource};
use crate::call::Calls;
use crate::call::retry::RetryBudget;
use crate::client::Client;
use crate::client::build_error::BuildError;
use crate::credential::access_token::AccessToken;
use crate::credential::grant::Grant;
use crate::credential::jwt;
use crate::credential::profile_id::ProfileId;
use crate::credential::validity::Validity;
use crate::foundation::base_url::{BaseUrl, DEFAULT_BASE_URL};
use crate::foundation::clock::Clock;
use crate::store::Profile;
use crate::wire::Wire;
use crate::wire::transport::{self, Settings, Transport, Unbuilt};

/// The profile of a client that was given a store alone.
const DEFAULT_PROFILE: &str = "default";
/// The most of an attempt's time that connecting may take: nine tenths.
const CONNECT_SHARE: f64 = 0.9;
/// How much longer than a call a login may take before it counts as lost: 1 s.
const FLIGHT_GRACE: Duration = Duration::from_secs(1);
/// The lifetime of a given access token without an expiry: a century, since the service decides.
const OPEN_END: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl ClientBuilder {
    /// Builds the client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if there is no credential, the base URL is invalid or could leak a secret, a
    /// timeout is zero, the user agent is not a valid header, no root certificate is found for an
    /// https service, rustls has no cryptography, or the HTTP client can't be set up.
    pub fn build(self) -> Result<Client, BuildError> {
        for (name, timeout) in [
            ("connect", self.connect_timeout),
            ("attempt", self.attempt_timeout),
            ("total", self.total_timeout),
        ] {
            if timeout.is_zero() {
                return Err(BuildError::ZeroTimeout(name));
            }
        }
        if !transport::is_user_agent(&self.user_agent) {
            return Err(BuildError::UserAgent);
        }
        let refused = if self.is_host_of_environment {
            BuildError::Host
        } else {
            BuildError::BaseUrl
        };
        let of_profile = match &self.credential {
            Some(Credential::Profile(profile)) => Some(profile.id().base_url()),
            _ => None,
        };
        let base_url = self.base_url.as_deref().or(of_profile);
        let base_url = base_url.unwrap_or(DEFAULT_BASE_URL);
        let base_url = BaseUrl::parse(base_url, self.allow_plain_http).map_err(refused)?;
        if of_profile.is_some_and(|host| host != base_url.prefix()) {
            return Err(BuildError::ProfileOfAnotherHost);
        }
        let transport = Transport::build(Settings {
            base_url: base_url.clone(),
            // Only the connect timeout proves that nothing was sent, so it has to come first.
            connect_timeout: self
                .connect_timeout
                .min(self.attempt_timeout.mul_f64(CONNECT_SHARE)),
            attempt_timeout: self.attempt_timeout,
            user_agent: self.user_agent,
            configure: self.configure,
        })
        .map_err(|unbuilt| match unbuilt {
            Unbuilt::NoProvider => BuildError::NoCryptoProvider,
            Unbuilt::NoRoots(problem) => BuildError::NoRootCertificates(problem),
            Unbuilt::Refused(error) => BuildError::Http(transport::source(error)),
        })?;
        let calls = Arc::new(Calls {
            wire: Wire::new(base_url, transport, self.clock.clone()),
            policy: self.retry,
            budget: RetryBudget::new(),
            attempt_timeout: self.attempt_timeout,
            total_timeout: self.total_timeout,
        });
        let flight_limit = self.total_timeout.saturating_add(FLIGHT_GRACE);
        let cache = |source: Box<dyn TokenSource>| {
            TokenCache::new(source, self.clock.clone(), flight_limit)
        };
        let held = match self.credential.ok_or(BuildError::NoCredential)? {
            Credential::ApiToken(token) => Held::own(token),
            Credential::Files(files) => Held::files(files),
            Credential::Provider(provider) => Held::provided(provider),
            Credential::Store(store) => {
                let id = ProfileId::new(&calls.wire.base_url, DEFAULT_PROFILE);
                Held::stored(Profile::of(store, id))
            }
            Credential::Chain(find, name) => {
                let name = name.as_deref().unwrap_or(DEFAULT_PROFILE);
                find(ProfileId::new(&calls.wire.base_url, name))?
            }
            Credential::Profile(profile) => Held::stored(profile),
            Credential::AccessToken(token) => {
                let cache = cache(Box::new(NoLogin));
                let validity = given(&token, &*self.clock);
                cache.put(Grant::new(token.bearer().clone(), None, validity));
                return Ok(Client::new(calls, cache, None));
            }
        };
        let login = Login::new(calls.clone(), held.clone(), self.share_access_token);
        Ok(Client::new(calls, cache(Box::new(login)), Some(held)))
    }
}

/// Returns how long a given access token may be used: until the service refuses it. The expiry in
/// it only says how long it seems to last.
fn given(token: &AccessToken, clock: &dyn Clock) -> Validity {
    let now = clock.now();
    let since_1970 = now
        .wall
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let lifetime = jwt::Times::read(token.expose_secret())
        .map_or(OPEN_END, |times| times.expiry().saturating_sub(since_1970));
    Validity::given(now, lifetime)
}
