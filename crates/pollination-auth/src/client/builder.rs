//! The settings of a client, before it is built.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::held::Held;
use crate::call::retry::RetryPolicy;
use crate::client::Client;
use crate::client::build_error::BuildError;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::ApiToken;
use crate::credential::credential_provider::CredentialProvider;
use crate::credential::profile_id::ProfileId;
use crate::foundation::clock::{Clock, SystemClock};
use crate::store::credential_files::{CredentialFiles, Given};
use crate::store::{CredentialStore, Profile};
use crate::wire::transport::{Configure, HttpBuilder};

/// The timeout for connecting: 5 s. A reachable host answers in a fraction of that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout for one attempt: 15 s, what the generated client of this API allows by default.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// The timeout for a whole call: 30 s, two attempts of the longest kind.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The settings of a [`Client`]. The methods name the defaults.
///
/// ```
/// use std::time::Duration;
///
/// use pollination_auth::{ApiToken, Client, RetryPolicy, Secret};
/// use pollination_auth_fake::FakeService;
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     // The service in memory; leave out `base_url` to call the real one.
///     let service = FakeService::builder().id("an-id").secret("a-secret").start();
///     let client = Client::builder()
///         .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
///         .base_url(service.base_url())
///         .total_timeout(Duration::from_secs(10))
///         .retry(RetryPolicy::default().max_attempts(2))
///         .user_agent("daylight-study/1.0")
///         .build()?;
///     client.login().await?;
///     Ok(())
/// }
/// ```
#[must_use]
pub struct ClientBuilder {
    pub(super) credential: Option<Credential>,
    pub(super) share_access_token: bool,
    pub(super) base_url: Option<String>,
    pub(super) is_host_of_environment: bool,
    pub(super) allow_plain_http: bool,
    pub(super) connect_timeout: Duration,
    pub(super) attempt_timeout: Duration,
    pub(super) total_timeout: Duration,
    pub(super) user_agent: String,
    pub(super) retry: RetryPolicy,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) configure: Option<Configure>,
}

pub(super) enum Credential {
    ApiToken(ApiToken),
    Files(CredentialFiles),
    Provider(CredentialProvider),
    /// Wherever this finds it for a profile; with the profile's name, if one is set.
    ///
    /// It is a pointer so that a program has the stores in it only if it uses them.
    Chain(fn(ProfileId) -> Result<Held, BuildError>, Option<String>),
    AccessToken(AccessToken),
    Store(Arc<dyn CredentialStore>),
    Profile(Profile),
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            credential: None,
            share_access_token: false,
            base_url: None,
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
    /// Returns a builder with the default settings and no credential.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl ClientBuilder {
    /// Logs in with this API token, whenever an access token is needed.
    pub fn api_token(mut self, token: ApiToken) -> Self {
        self.credential = Some(Credential::ApiToken(token));
        self
    }

    /// Logs in with the id and the secret in these files, as Kubernetes, Docker and systemd mount
    /// them.
    ///
    /// They are read at each login, so that a replaced mount is picked up. If the service refuses
    /// the API token, they are read once more. Building the client reads nothing, and nothing is
    /// ever written: after a rotate or create it is up to you to replace them.
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

    /// Logs in with the API token that this function provides, for credentials that are kept where
    /// only the program can read them.
    ///
    /// It is called at each login. If the service refuses the API token, it is called once more, and
    /// another one is tried. Nothing is ever written: after a rotate it is up to you to keep the
    /// new secret. A call whose login gets no API token fails with
    /// [`Error::StoreFailed`](crate::Error::StoreFailed), whose source is the function's error: put
    /// no secret into it.
    ///
    /// ```
    /// use pollination_auth::{ApiToken, Client, CredentialError, Secret};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// async fn from_secrets_manager() -> Result<ApiToken, CredentialError> {
    ///     // Ask yours here.
    ///     ApiToken::new("an-id", Secret::from("a-secret"))
    /// }
    ///
    /// let client = Client::builder()
    ///     .credential_provider(from_secrets_manager)
    /// #   .base_url(service.base_url())
    ///     .build()?;
    /// client.access_token().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn credential_provider<F, E>(
        mut self,
        provide: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<ApiToken, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let provider = CredentialProvider::new(provide);
        self.credential = Some(Credential::Provider(provider));
        self
    }

    /// Uses this access token until it expires. Such a client can't log in.
    ///
    /// ```
    /// use pollination_auth::{AccessToken, Client};
    ///
    /// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
    /// let client = Client::builder().access_token(token).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn access_token(mut self, token: AccessToken) -> Self {
        self.credential = Some(Credential::AccessToken(token));
        self
    }

    /// Logs in with the API token that the store has for this host, in the profile `default`.
    ///
    /// It is read at each login, so that a rotation by another process is picked up. If the service
    /// refuses it, it is read once more. Building the client reads nothing.
    /// [`Client::profile`] returns the profile, to save an API token in it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use pollination_auth::{ApiToken, Client, MemoryStore, Secret};
    ///
    /// let client = Client::builder().store(MemoryStore::new()).build()?;
    /// let profile = client.profile().ok_or("the client has a store")?;
    /// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(mut self, store: impl CredentialStore) -> Self {
        self.credential = Some(Credential::Store(Arc::new(store)));
        self
    }

    /// Logs in with the API token of a profile, at the profile's host.
    ///
    /// Otherwise as [`store`](Self::store). The base URL need not be set; another one is an error.
    ///
    /// ```
    /// use pollination_auth::{Client, MemoryStore, Profile};
    ///
    /// let profile = Profile::new(MemoryStore::new(), "https://api.pollination.cloud", "work")?;
    /// let client = Client::builder().profile(profile).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn profile(mut self, profile: Profile) -> Self {
        self.credential = Some(Credential::Profile(profile));
        self
    }

    /// Shares the access token with other processes that log in with the same stored credential.
    ///
    /// The command `pollination-auth access-token` is one of them. A login first looks for a token
    /// that another process has kept; if there is none, one process logs in for all who wait. The
    /// token is kept in a directory `access-tokens` beside the stored credential, as protected as
    /// that. [`login`](Client::login) takes a token that another process has kept since this client
    /// had its last one.
    ///
    /// It needs a credential in a [`FileStore`](crate::FileStore), or in a store that has
    /// [`access_tokens`](crate::CredentialStore::access_tokens). Every other client logs in on its
    /// own, as without this setting.
    ///
    /// ```no_run
    /// use pollination_auth::ClientBuilder;
    ///
    /// let client = ClientBuilder::from_default_chain()?.share_access_token().build()?;
    /// # Ok::<(), pollination_auth::BuildError>(())
    /// ```
    pub fn share_access_token(mut self) -> Self {
        self.share_access_token = true;
        self
    }

    /// Sets the base URL of the service; the default is `https://api.pollination.cloud`.
    ///
    /// A path is kept as a prefix of every operation's path.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self.is_host_of_environment = false;
        self
    }

    /// Allows a base URL with `http` for a host that is not this machine.
    ///
    /// Id, secret and access tokens then cross the network unencrypted.
    pub fn dangerously_allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Sets the timeout for connecting; the default is 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the timeout for one attempt, from connecting to the last byte; the default is 15 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the timeout for a whole call with all its attempts and waits; the default is 30 s.
    ///
    /// If a call has to log in first, that counts too.
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
    /// use pollination_auth::{ApiToken, Client, Secret};
    /// use pollination_auth_fake::FakeService;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = FakeService::start();
    /// let (id, secret) = service.api_token();
    /// let client = Client::builder()
    ///     .api_token(ApiToken::new(id, Secret::from(secret))?)
    ///     .base_url(service.base_url())
    ///     .clock(service.clock())
    ///     .build()?;
    /// client.access_token().await?;
    /// service.advance(service.expires_in());
    /// client.access_token().await?; // it knows that the first one has expired
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
    /// The function gets reqwest's own builder. Building this client calls it once; it is called
    /// again at the first rotate or create, whose HTTP client never reuses a connection, and for
    /// each further Tokio runtime that calls more than once, which gets its own pool. The settings
    /// that keep secrets safe are applied last and can't be undone: no redirects, no retries, verified
    /// certificates, no decompression, no logging of bytes, and the timeouts and user agent of this
    /// builder.
    ///
    /// By default the proxy of the environment is used, except for this machine; `no_proxy`
    /// switches it off.
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
    /// `tls_certs_merge` trusts a private CA in addition to those of the system, `tls_certs_only`
    /// instead of them. Without either, the file `SSL_CERT_FILE` or the directory `SSL_CERT_DIR`
    /// replaces the system's root certificates, except on Windows and macOS, where only the
    /// system's store is used. The TLS backend is rustls, whatever other crates of the program
    /// enable in reqwest, or the native one if this crate is built with `native-tls` alone;
    /// `tls_backend_native`, `tls_backend_rustls` and `tls_backend_preconfigured` replace it.
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
    ///
    /// A program for machines without root certificates brings those of Mozilla, from the crate
    /// `webpki-root-certs`:
    ///
    /// ```
    /// use pollination_auth::{AccessToken, Client, reqwest::Certificate};
    ///
    /// let roots: Vec<_> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
    ///     .iter()
    ///     .map(|der| Certificate::from_der(der))
    ///     .collect::<Result<_, _>>()?;
    /// let client = Client::builder()
    ///     .access_token(AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?)
    ///     .configure_http(move |http| http.tls_certs_only(roots.clone()))
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
}

impl fmt::Debug for ClientBuilder {
    /// Leaves out the base URL too: it is unchecked and may contain a password.
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
