//! What a read of a good access token costs: time, and allocations, of which there are none.
//!
//! `cargo bench -p pollination-auth --bench cached_read`

#![expect(
    clippy::expect_used,
    reason = "a benchmark that can't be set up has nothing to say"
)]

use divan::{AllocProfiler, Bencher, black_box};
use pollination_auth::{AccessToken, Client};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn client() -> Client {
    let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln").expect("a valid bearer token");
    Client::builder()
        .access_token(token)
        .build()
        .expect("a valid client")
}

/// One thread, and as many as there are cores: the threads share nothing that they wait for.
#[divan::bench(threads = [1, 0])]
fn access_token(bencher: Bencher<'_, '_>) {
    let client = client();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let runtime = runtime.handle();
    bencher.bench(|| {
        let mut read = std::pin::pin!(client.access_token());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _inside = runtime.enter();
        black_box(read.as_mut().poll(&mut context).is_ready())
    });
}
