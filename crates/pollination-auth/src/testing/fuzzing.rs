//! The entry points for fuzzing: each takes arbitrary bytes and checks invariants.
//!
//! Built only for cargo-fuzz and for the tests below; not part of the public interface.

use std::time::{Duration, SystemTime};

use url::Url;

use super::replies;
use crate::call::retry::RetryPolicy;
use crate::error::classify::Class;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::operation::Operation;
use crate::wire::retry_after;

/// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const NOW: Duration = Duration::from_secs(784_111_777);

/// The longest wait of a server that the policy of this target waits for.
const LONGEST: Duration = Duration::from_secs(20);

/// Decodes a reply; returns `true` for a value.
///
/// # Panics
///
/// If an invariant is broken.
#[must_use]
pub fn reply(input: &[u8]) -> bool {
    replies::decode(input).unwrap_or(false)
}

/// Reads `Retry-After` headers, one a line; returns `true` if they ask for a wait.
///
/// # Panics
///
/// If an invariant is broken.
#[must_use]
pub fn retry_after(input: &[u8]) -> bool {
    let now = SystemTime::UNIX_EPOCH + NOW;
    let values = || input.split(|byte| *byte == b'\n');
    let wait = retry_after::wait(values(), now);
    let single = values().map(|value| retry_after::wait(std::iter::once(value), now));
    assert_eq!(wait, single.max().flatten(), "the longest one holds");
    let policy = RetryPolicy::default().longest_retry_after(LONGEST);
    let waited = policy.next(Operation::Login, Class::Status(429), 1, wait, 0.0);
    let asked = wait.unwrap_or_default();
    let expected = (asked <= LONGEST).then_some(asked);
    assert_eq!(waited, expected, "no wait is longer, and no repeat earlier");
    wait.is_some()
}

/// Parses a base URL; returns `true` if it is valid.
///
/// # Panics
///
/// If an invariant is broken.
#[must_use]
pub fn base_url(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let strict = BaseUrl::parse(text, false);
    let Ok(base_url) = BaseUrl::parse(text, true) else {
        assert!(strict.is_err(), "an allowance refuses nothing");
        return false;
    };
    let prefix = base_url.prefix();
    let url = Url::parse(prefix).expect("a prefix is a URL");
    let encrypted = url.scheme() == "https";
    assert_eq!(strict.is_ok(), encrypted || base_url.is_loopback());
    assert_eq!((url.username(), url.password()), ("", None));
    assert_eq!((url.query(), url.fragment()), (None, None));
    assert!(
        !prefix.ends_with('/'),
        "a path follows that begins with one"
    );
    assert_eq!(
        BaseUrl::parse(prefix, true).as_ref(),
        Ok(&base_url),
        "a prefix is what it is"
    );
    let whole = Url::parse(&format!("{prefix}/auth/login")).expect("a URL, with a path behind it");
    assert_eq!(whole.origin(), url.origin(), "a path moves no origin");
    assert!(whole.path().ends_with("/auth/login"), "{}", whole.path());
    let _ = base_url.origin_of(text);
    strict.is_ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    /// A corpus smaller than this has lost files.
    const LEAST: usize = 10;

    /// Runs a target over its corpus; a file's name shows if it is valid.
    fn replay(name: &str, target: fn(&[u8]) -> bool) {
        let corpus = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus"));
        let mut files = 0;
        for entry in corpus.join(name).read_dir().unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap();
            let expected = match file.split_once('_') {
                Some(("good", _)) => true,
                Some(("bad", _)) => false,
                _ => panic!("{file} says neither good nor bad"),
            };
            assert_eq!(target(&std::fs::read(&path).unwrap()), expected, "{file}");
            files += 1;
        }
        assert!(files >= LEAST, "{files} files");
    }

    #[test]
    fn the_corpus_of_replies_matches_its_names() {
        replay("reply", super::reply);
    }

    #[test]
    fn the_corpus_of_retry_after_matches_its_names() {
        replay("retry_after", super::retry_after);
    }

    #[test]
    fn the_corpus_of_base_urls_matches_its_names() {
        replay("base_url", super::base_url);
    }
}
