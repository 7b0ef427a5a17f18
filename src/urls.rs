//! The URLs of one service, each parsed only once.

use std::sync::{Mutex, PoisonError};

use reqwest::Url;

use crate::Client;

/// URLs that were parsed for earlier requests, one for each path of the contract.
pub(crate) type Urls = Mutex<Vec<Url>>;

/// Returns the URL of a path; the generated operations call it.
///
/// It is not a method, because an operation could have its name.
pub(crate) fn url(client: &Client, path: &str) -> reqwest::Result<Url> {
    let is_wanted = |url: &&Url| url.as_str().strip_prefix(&*client.baseurl) == Some(path);
    // A panic elsewhere leaves the list whole.
    let urls = client.inner.urls.lock();
    let mut urls = urls.unwrap_or_else(PoisonError::into_inner);
    if let Some(url) = urls.iter().find(is_wanted) {
        return Ok(url.clone());
    }
    let text = format!("{}{path}", client.baseurl);
    let url = client.client.get(text).build()?.url().clone();
    // A base URL that the parser writes differently is never found again.
    urls.extend(Some(&url).filter(is_wanted).cloned());
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exchange;

    #[test]
    fn exchanges_made_of_one_parse_each_path_once() {
        let exchange = Exchange::new();
        for base in ["http://h.example/v1", "http://other.example"] {
            for path in ["/a", "/b", "/a", "/b"] {
                let client = Client::new(base, exchange.clone());
                assert_eq!(url(&client, path).unwrap().as_str(), base.to_owned() + path);
            }
        }
        assert_eq!(exchange.urls.lock().unwrap().len(), 4);
    }

    #[test]
    fn a_base_url_that_is_parsed_differently_is_not_kept() {
        let client = Client::new("HTTP://H.example", Exchange::new());
        for _ in 0..2 {
            assert_eq!(url(&client, "/a").unwrap().as_str(), "http://h.example/a");
        }
        assert_eq!(client.inner.urls.lock().unwrap().len(), 0);
    }

    #[test]
    fn an_invalid_url_is_an_error_of_the_request() {
        let client = Client::new("nowhere", Exchange::new());
        assert!(url(&client, "/a").unwrap_err().is_builder());
    }
}
