//! The URLs of one service, each parsed once and not for every request.

use std::sync::{Arc, PoisonError, RwLock};

use reqwest::{Method, RequestBuilder, Url};

use crate::Client;

/// The URLs of one service, to be shared by the exchanges with it.
///
/// Clones share what they hold. It holds one URL for each path without parameters that the contract
/// has, and no more.
#[derive(Clone, Debug)]
pub struct Urls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: String,
    parsed: RwLock<Vec<(&'static str, Url)>>,
}

impl Urls {
    /// Begins without a URL, for the service at a base URL as the generated client takes it.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            base: base.into(),
            parsed: RwLock::default(),
        }))
    }

    /// Gives the base URL.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Gives the URL of a path, parsed before or now; none when it is no URL.
    fn get(&self, path: &'static str) -> Option<Url> {
        // A panic elsewhere leaves the list whole, so a poisoned lock is still good.
        let parsed = self.0.parsed.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, url)) = parsed.iter().find(|(known, _)| *known == path) {
            return Some(url.clone());
        }
        drop(parsed);
        let url = Url::parse(&format!("{}{path}", self.0.base)).ok()?;
        let mut parsed = self
            .0
            .parsed
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Two at once may both have parsed it.
        if parsed.iter().all(|(known, _)| *known != path) {
            parsed.push((path, url.clone()));
        }
        Some(url)
    }
}

/// Begins a request to a path of the contract; the generated operations are made with it.
///
/// It is no method, since an operation could have the same name.
pub(crate) fn request(client: &Client, method: Method, path: &'static str) -> RequestBuilder {
    let urls = client
        .inner
        .known_urls()
        .filter(|urls| urls.base() == client.baseurl);
    match urls.and_then(|urls| urls.get(path)) {
        Some(url) => client.client.request(method, url),
        None => client
            .client
            .request(method, format!("{}{path}", client.baseurl)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_parsed_once() {
        let urls = Urls::new("http://h.example/v1");
        for _ in 0..3 {
            for path in ["/a", "/b"] {
                let url = urls.get(path).unwrap();
                assert_eq!(url.as_str(), format!("http://h.example/v1{path}"));
            }
        }
        assert_eq!(urls.0.parsed.read().unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_url_is_told_by_the_request() {
        assert_eq!(Urls::new("nowhere").get("/a"), None);
    }
}
