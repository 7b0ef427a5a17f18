//! Builds a client: every setting checked once, the safe ones put on last.

use std::env::var_os;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::cache::{TokenCache, TokenSource};
use crate::call::Calls;
use crate::call::retry::{RetryBudget, RetryPolicy};
use crate::client::Client;
use crate::client::build_error::BuildError;
use crate::client::env;
use crate::client::login::{Held, Login, NoLogin};
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::ApiToken;
use crate::credential::jwt;
use crate::credential::profile_id::ProfileId;
use crate::credential::validity::Validity;
use crate::foundation::base_url::{BaseUrl, DEFAULT_BASE_URL};
use crate::foundation::clock::{Clock, SystemClock};
use crate::store::credential_files::{CredentialFiles, Given};
use crate::store::{CredentialStore, Profile};
use crate::wire::Wire;
use crate::wire::transport::{self, Configure, HttpBuilder, Settings, Transport, Unbuilt};

/// The time to make a connection: 5 s. A host that is there answers in a fraction of that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for one attempt: 15 s, what the generated client of this API allows by default.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// The time for a whole call: 30 s, two attempts of the longest kind.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// The most of an attempt's time that connecting may take: nine tenths.
const CONNECT_SHARE: f64 = 0.9;
/// How much longer than a call a login is waited for before it counts as lost: 1 s.
const FLIGHT_GRACE: Duration = Duration::from_secs(1);
/// The lifetime of a given access token that tells none: a century, for the service will tell.
const OPEN_END: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The profile of those who have only one.
const DEFAULT_PROFILE: &str = "default";

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Sets up a [`Client`]; see its methods for what can be set and what is the default.
#[must_use]
pub struct ClientBuilder {
    credential: Option<Credential>,
    profile: String,
    base_url: String,
    is_host_of_environment: bool,
    allow_plain_http: bool,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    total_timeout: Duration,
    user_agent: String,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    configure: Option<Configure>,
}

enum Credential {
    ApiToken(ApiToken),
    Files(CredentialFiles),
    AccessToken(AccessToken),
    Store(Arc<dyn CredentialStore>),
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            credential: None,
            profile: DEFAULT_PROFILE.to_owned(),
            base_url: DEFAULT_BASE_URL.to_owned(),
            is_host_of_environment: false,
            allow_plain_http: false,
            connect_timeout: CONNECT_TIMEOUT,
            attempt_timeout: ATTEMPT_TIMEOUT,
            total_timeout: TOTAL_TIMEOUT,
            user_agent: USER_AGENT.to_owned(),
            retry: RetryPolicy::default(),
            clock: Arc::new(SystemClock),
            configure: None,
        }
    }
}

impl Client {
    /// Starts to set up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Builds a client from the environment; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`BuildError`] naming the variable that is missing or can't be used.
    pub fn from_env() -> Result<Self, BuildError> {
        ClientBuilder::from_env()?.build()
    }
}

impl ClientBuilder {
    /// Takes the API token and the base URL from the environment.
    ///
    /// Reads `POLLINATION_API_KEY_ID`, `POLLINATION_API_KEY_SECRET` and, if it is set,
    /// `POLLINATION_HOST`. An empty variable is an error, not treated as unset. A host that is no
    /// base URL is found by [`build`](Self::build).
    ///
    /// `POLLINATION_API_KEY_ID_FILE` and `POLLINATION_API_KEY_SECRET_FILE` name files that hold the
    /// id and the secret instead, which are read as by [`api_token_files`](Self::api_token_files).
    ///
    /// # Errors
    ///
    /// [`BuildError::Credential`] naming the variable that is missing, empty or no text, or the two
    /// that are set at once;
    /// [`BuildError::Host`] when the host is no text.
    pub fn from_env() -> Result<Self, BuildError> {
        Self::from_environment(env::read(var_os)?)
    }

    fn from_environment(found: env::Environment) -> Result<Self, BuildError> {
        let builder = Self {
            credential: Some(match found.credential {
                env::Found::ApiToken(token) => Credential::ApiToken(token),
                env::Found::Files(files) => Credential::Files(files),
            }),
            ..Self::default()
        };
        Ok(match found.base_url {
            Some(base_url) => Self {
                is_host_of_environment: true,
                ..builder.base_url(base_url)
            },
            None => builder,
        })
    }

    /// Logs in with this API token, whenever an access token is needed.
    pub fn api_token(mut self, token: ApiToken) -> Self {
        self.credential = Some(Credential::ApiToken(token));
        self
    }

    /// Logs in with the id and the secret in these files, as Kubernetes, Docker and systemd mount
    /// them.
    ///
    /// They are read at each login, so that a replaced mount is picked up; when the service refuses
    /// the API token, they are read once more. Nothing is read when the client is built, and nothing
    /// is ever written: after a rotate or create it is up to you to replace them.
    ///
    /// Links are followed. On Unix a file has to belong to root or to this user, and must not be
    /// writable by its group or others; the group may read it. A file that everyone can read is
    /// accepted with one warning. One newline at the end is not part of the text, and a file longer
    /// than 16 KiB is refused. A call whose login finds an unusable file fails with
    /// [`Error::StoreFailed`](crate::Error::StoreFailed), whose source is a
    /// [`CredentialFileError`](crate::CredentialFileError).
    ///
    /// ```
    /// use pollination_auth::Client;
    ///
    /// let client = Client::builder()
    ///     .api_token_files("/run/secrets/pollination-id", "/run/secrets/pollination-secret")
    ///     .build()?;
    /// # Ok::<(), pollination_auth::BuildError>(())
    /// ```
    pub fn api_token_files(mut self, id: impl Into<PathBuf>, secret: impl Into<PathBuf>) -> Self {
        let (id, secret) = (Given::File(id.into()), Given::File(secret.into()));
        self.credential = Some(Credential::Files(CredentialFiles::new(id, secret)));
        self
    }

    /// Uses this access token until it ends; the client can't log in by itself then.
    pub fn access_token(mut self, token: AccessToken) -> Self {
        self.credential = Some(Credential::AccessToken(token));
        self
    }

    /// Logs in with the API token that the store has for this host and profile.
    ///
    /// It is read at each login, so that a rotation by another process is picked up; when the
    /// service refuses it, it is read once more. Nothing is read when the client is built.
    pub fn store(mut self, store: Arc<dyn CredentialStore>) -> Self {
        self.credential = Some(Credential::Store(store));
        self
    }

    /// Sets the profile in the store; the default is `default`.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = name.into();
        self
    }

    /// Sets where the service is; the default is `https://api.pollination.cloud`.
    ///
    /// A path is kept as a prefix of every operation's path.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self.is_host_of_environment = false;
        self
    }

    /// Allows a base URL with `http` for a host that is not this machine.
    ///
    /// Id, secret and access tokens then cross the network in the clear.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Sets the time to make a connection; the default is 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the time for one attempt, from connecting to the last byte; the default is 15 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the time for a whole call with all its attempts and waits; the default is 30 s.
    ///
    /// A call that needs a login first has this time for both.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// Sets the `User-Agent`; the default is this crate's name and version.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets how often a call is attempted; [`RetryPolicy::none`] switches retries off.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the clock; the default is the operating system's.
    ///
    /// A test sets the clock of its service, and moves both at once:
    ///
    /// ```
    /// use pollination_auth::{ApiToken, Client, Clock, Moment};
    /// use pollination_auth_fake::{FakeClock, FakeService};
    ///
    /// #[derive(Debug)]
    /// struct ServiceClock(FakeClock);
    ///
    /// impl Clock for ServiceClock {
    ///     fn now(&self) -> Moment {
    ///         Moment { wall: self.0.wall(), monotonic: self.0.monotonic() }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = FakeService::builder().id("an-id").secret("a-secret").start();
    /// let client = Client::builder()
    ///     .api_token(ApiToken::new("an-id", "a-secret")?)
    ///     .base_url(service.base_url())
    ///     .clock(ServiceClock(service.clock()))
    ///     .build()?;
    /// client.access_token().await?;
    /// service.advance(service.expires_in());
    /// client.access_token().await?; // it knows that the first one has ended
    /// assert_eq!(service.logins(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Configures the HTTP client: proxy, certificates, pool, extra headers.
    ///
    /// The function is given reqwest's own builder, several times: a rotate or create uses a client
    /// that never reuses a connection, and each further Tokio runtime that calls more than once gets
    /// a pool of its own. What keeps secrets safe is set afterwards and can't be undone:
    /// no redirects, no retries, verified certificates, no decompression, no logging of bytes, and
    /// the timeouts and user agent of this builder.
    ///
    /// By default a proxy of the environment is used, but never for a host that is this machine;
    /// `no_proxy` switches it off.
    ///
    /// ```
    /// use pollination_auth::{AccessToken, Client, reqwest};
    ///
    /// let proxy = reqwest::Proxy::all("http://proxy.example:3128")?;
    /// let client = Client::builder()
    ///     .access_token(AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?)
    ///     .configure_http(move |http| http.proxy(proxy.clone()).pool_max_idle_per_host(4))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A private CA is trusted beside those of the system with `tls_certs_merge`, and in their place
    /// with `tls_certs_only`. Without either the file that `SSL_CERT_FILE` names, or the directory
    /// `SSL_CERT_DIR`, takes the place of the system's root certificates, but not on Windows and
    /// macOS, where the system's store alone counts. The TLS backend is rustls, whatever other crates
    /// of the program turn on in reqwest; `tls_backend_preconfigured` takes its place.
    ///
    /// ```no_run
    /// use pollination_auth::{ClientBuilder, reqwest::Certificate};
    ///
    /// let ca = Certificate::from_pem(&std::fs::read("ca.pem")?)?;
    /// let client = ClientBuilder::from_env()?
    ///     .configure_http(move |http| http.tls_certs_merge([ca.clone()]))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn configure_http(
        mut self,
        configure: impl Fn(HttpBuilder) -> HttpBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(configure));
        self
    }

    /// Builds the client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when there is no credential, the base URL could leak a secret, a timeout is
    /// zero, the user agent is no header, no root certificate is found for an https service, or the
    /// HTTP client can't be set up.
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
        let base_url = BaseUrl::parse(&self.base_url, self.allow_plain_http).map_err(refused)?;
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
        match self.credential.ok_or(BuildError::NoCredential)? {
            Credential::ApiToken(token) => {
                let held = Held::own(token);
                let login = Login::new(calls.clone(), held.clone());
                Ok(Client::new(calls, cache(Box::new(login)), Some(held)))
            }
            Credential::Files(files) => {
                let held = Held::files(files);
                let login = Login::new(calls.clone(), held.clone());
                Ok(Client::new(calls, cache(Box::new(login)), Some(held)))
            }
            Credential::Store(store) => {
                let id = ProfileId::new(&calls.wire.base_url, self.profile);
                let held = Held::stored(Profile::of(store, id));
                let login = Login::new(calls.clone(), held.clone());
                Ok(Client::new(calls, cache(Box::new(login)), Some(held)))
            }
            Credential::AccessToken(token) => {
                let cache = cache(Box::new(NoLogin));
                cache.seed(token.clone(), given(&token, &*self.clock));
                Ok(Client::new(calls, cache, None))
            }
        }
    }
}

/// A given access token is used until the service refuses it; the expiry in it, where one is, only says how long it seems to last.
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

impl fmt::Debug for ClientBuilder {
    /// Leaves out the base URL too, which is unchecked and may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("has_credential", &self.credential.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::base_url::BaseUrlError;

    fn with_host(host: &str) -> ClientBuilder {
        ClientBuilder::from_environment(env::Environment {
            credential: env::Found::ApiToken(ApiToken::new("an-id", "a-secret").unwrap()),
            base_url: Some(host.to_owned()),
        })
        .unwrap()
    }

    #[test]
    fn a_host_of_the_environment_is_refused_by_the_name_of_its_variable() {
        for (host, problem) in [
            ("", BaseUrlError::NotAUrl),
            ("planted", BaseUrlError::NotAUrl),
            ("https://planted@h.example", BaseUrlError::UserInfo),
            ("http://h.example", BaseUrlError::PlainHttp),
        ] {
            let error = with_host(host).build().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the base URL (from POLLINATION_HOST) can't be used: {problem}")
            );
            assert!(matches!(error, BuildError::Host(found) if found == problem));
        }
    }

    #[test]
    fn a_base_url_that_takes_the_place_of_the_environments_is_not_blamed_on_it() {
        let error = with_host("").base_url("").build().unwrap_err();
        assert!(matches!(error, BuildError::BaseUrl(BaseUrlError::NotAUrl)));
        let builder = with_host("http://h.example").dangerously_allow_plain_http();
        assert!(builder.build().is_ok());
    }
}
