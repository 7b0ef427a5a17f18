//! Reading a valid access token allocates nothing.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use pollination_auth::{AccessToken, Client};

const READS: usize = 1_000;

fn read(client: &Client) {
    let mut read = pin!(client.access_token());
    let polled = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(_))));
}

#[test]
fn a_cached_access_token_is_read_without_an_allocation() {
    let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln").unwrap();
    let client = Client::builder().access_token(token).build().unwrap();
    // The first read of a thread registers it with the token's cell.
    read(&client);
    let counted = measure(|| (0..READS).for_each(|_| read(&client)));
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0));

    let control = measure(|| drop(std::hint::black_box(vec![0_u8; 16])));
    assert_eq!(control.count_total, 1);
}
