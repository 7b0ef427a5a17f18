//! Access tokens on single reqwest requests, for generated clients and others that take no middleware.

use reqwest::header::AUTHORIZATION;
use reqwest::{Request, Response};

use super::replay::{Replay, replayed};
use super::selection::{passes, put_on};
use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Puts a valid access token on a request to the service, logging in first if none is cached.
    ///
    /// A request gets one if it goes to the scheme, host and port of the client's base URL. Every
    /// other request stays as it is, and so does one that has an `Authorization` header or a user
    /// name in its URL; an event at the level `debug` says why. The header is marked sensitive.
    ///
    /// This is the hook for a client that progenitor generates for another part of the service.
    /// Name it in `generate_api!`, or pass it to `with_pre_hook_async` in a build script:
    ///
    /// ```
    /// mod jobs {
    ///     progenitor::generate_api!(
    ///         inner_type = pollination_auth::Client,
    ///         pre_hook_async = pollination_auth::Client::authorize,
    /// #       spec = "../pollination-auth-examples/examples/another_part.json" /*
    ///         spec = "jobs.json",
    /// #       */
    ///     );
    /// }
    ///
    /// # fn jobs(client: pollination_auth::Client) {
    /// let host = client.base_url().to_owned();
    /// let jobs = jobs::Client::new_with_client(&host, reqwest::Client::new(), client);
    /// # }
    /// # fn main() {}
    /// ```
    ///
    /// To repeat a request after a 401 as well, let [`execute`](Self::execute) send it.
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token).
    pub async fn authorize(&self, request: &mut Request) -> Result<(), Error> {
        let url = request.url();
        match passes(self, url.scheme(), url.authority(), request.headers()) {
            Some(passes) => {
                let host = url.host_str().unwrap_or_default();
                passes.log(url.scheme(), host, url.port_or_known_default());
            }
            None => put_on(request.headers_mut(), &self.access_token().await?),
        }
        Ok(())
    }

    /// Sends a request that [`authorize`](Self::authorize) put an access token on.
    ///
    /// A 401 drops the token, and the request is sent once more with the next one. It is not sent
    /// again if its body is a stream, if the 401 came after a redirect, or if no other token is
    /// available. Then, and after a second 401, the caller gets the 401.
    ///
    /// ```
    /// # use pollination_auth::{ApiToken, Client, Secret, reqwest};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
    /// # let client = Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
    /// let http = reqwest::Client::new();
    /// let mut request = http.get(format!("{}/auth/api-token", client.base_url())).build()?;
    /// client.authorize(&mut request).await?;
    /// # service.expire_all_tokens();
    /// assert_eq!(client.execute(&http, request).await?.status(), 200);
    /// # assert_eq!(service.logins(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// In a client that progenitor generates it replaces the sending:
    ///
    /// ```
    /// # mod jobs {
    /// #     progenitor::generate_api!(
    /// #         spec = "../pollination-auth-examples/examples/another_part.json",
    /// #         inner_type = pollination_auth::Client,
    /// #         pre_hook_async = pollination_auth::Client::authorize,
    /// #     );
    /// # }
    /// use progenitor::progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
    /// use reqwest::{Request, Response};
    ///
    /// impl ClientHooks<pollination_auth::Client> for jobs::Client {
    ///     async fn exec(&self, request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
    ///         self.inner().execute(self.client(), request).await
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`reqwest::Client::execute`].
    pub async fn execute(
        &self,
        http: &reqwest::Client,
        request: Request,
    ) -> reqwest::Result<Response> {
        // A credential of the caller's own is not replaced.
        let token = self.cached_access_token().filter(|token| {
            let header = request.headers().get(AUTHORIZATION);
            header == Some(token.bearer().header())
        });
        let Some(token) = token else {
            return http.execute(request).await;
        };
        let replay = Replay::prepare(&request);
        let response = http.execute(request).await?;
        let Some(mut replay) = replay.after(self, &token, &response) else {
            return Ok(response);
        };
        let Ok(token) = self.access_token().await else {
            return Ok(response);
        };
        drop(response);
        put_on(replay.headers_mut(), &token);
        let response = http.execute(replay).await?;
        replayed(self, &response);
        Ok(response)
    }
}
