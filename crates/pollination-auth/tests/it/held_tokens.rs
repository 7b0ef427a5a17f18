//! Access tokens that are kept: many of them, on other threads, and longer than their client.

use std::cell::RefCell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;
use std::thread;

use pollination_auth::{AccessToken, Client};

use crate::support::{ACCESS_TOKEN, bearing};

/// More than a thread can borrow from the token's cell.
const MANY: usize = 100;

/// Returns access tokens that a client read from its cell, and drops the client.
fn read(many: usize) -> Vec<AccessToken> {
    let client: Client = bearing("http://127.0.0.1:1").build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let mut tokens = Vec::new();
        for _ in 0..many {
            tokens.push(client.access_token().await.unwrap());
        }
        tokens
    })
}

fn assert_whole(tokens: &[AccessToken]) {
    assert!(tokens.iter().all(|it| it.expose_secret() == ACCESS_TOKEN));
}

#[test]
fn they_are_sent_and_shared_among_threads_and_kept_over_a_panic() {
    fn holds<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
    holds::<AccessToken>();
}

#[test]
fn many_outlive_their_client_and_the_thread_that_read_them() {
    let tokens = thread::spawn(|| read(MANY)).join().unwrap();
    assert_whole(&tokens);
    let clones = tokens.clone();
    thread::spawn(move || drop(tokens)).join().unwrap();
    assert_whole(&clones);
    assert_whole(&read(MANY));
}

#[test]
fn one_is_used_and_let_go_as_its_thread_ends() {
    struct Last(Vec<AccessToken>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.extend(read(MANY));
            assert_whole(&self.0);
        }
    }
    thread_local!(static KEPT: RefCell<Option<Last>> = const { RefCell::new(None) });
    let thread = thread::spawn(|| KEPT.set(Some(Last(read(MANY)))));
    thread.join().unwrap();
}

#[test]
fn one_stands_in_a_static() {
    static TOKEN: OnceLock<AccessToken> = OnceLock::new();
    let token = thread::spawn(|| TOKEN.get_or_init(|| read(1).remove(0)));
    assert_whole(std::slice::from_ref(token.join().unwrap()));
}
