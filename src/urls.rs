//! The URLs of one service, each parsed once and not for every request.

use std::sync::{Arc, OnceLock};

use reqwest::{Method, RequestBuilder, Url};

use crate::Client;

/// How many URLs are kept: one for each path without parameters that the contract has, and room for
/// as many again. What is beyond is parsed each time.
const PATHS: usize = 4;

/// The URLs of one service, to be shared by the exchanges with it.
///
/// Clones share what they hold. Reading takes no lock.
#[derive(Clone, Debug)]
pub struct Urls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: String,
    parsed: [OnceLock<(&'static str, Url)>; PATHS],
}

impl Urls {
    /// Begins without a URL, for the service at a base URL as the generated client takes it.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            base: base.into(),
            parsed: Default::default(),
        }))
    }

    /// Gives the base URL.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Gives the URL of a path, parsed before or now; none when it is no URL.
    fn get(&self, path: &'static str) -> Option<Url> {
        for place in &self.0.parsed {
            // Of two at once one fills the place, and both look at what is in it.
            let (known, url) = match place.get() {
                Some(kept) => kept,
                None => {
                    let url = self.parse(path)?;
                    place.get_or_init(|| (path, url))
                }
            };
            if *known == path {
                return Some(url.clone());
            }
        }
        self.parse(path)
    }

    fn parse(&self, path: &str) -> Option<Url> {
        Url::parse(&format!("{}{path}", self.0.base)).ok()
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
        let kept = urls.0.parsed.iter().filter_map(OnceLock::get);
        assert_eq!(kept.count(), 2);
    }

    #[test]
    fn more_paths_than_there_are_places_are_right_all_the_same() {
        let urls = Urls::new("http://h.example");
        for _ in 0..2 {
            for path in ["/a", "/b", "/c", "/d", "/e", "/f"] {
                let url = urls.get(path).unwrap();
                assert_eq!(url.as_str(), format!("http://h.example{path}"));
            }
        }
    }

    #[test]
    fn what_is_no_url_is_told_by_the_request() {
        assert_eq!(Urls::new("nowhere").get("/a"), None);
    }
}
