//! How long one call takes with each peer, and one reading of a good access token.
//!
//! `cargo bench -p pollination-auth-bench`. The table of `cargo xtask bench` has what does not depend
//! on what else the machine does.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that can't be set up has nothing to say"
)]

use std::path::Path;
use std::sync::LazyLock;

use divan::{AllocProfiler, Bencher, black_box};
use pollination_auth_bench::lab::Lab;
use pollination_auth_bench::peers::by_hand::ByHand;
use pollination_auth_bench::peers::hyper_util::HyperUtil;
use pollination_auth_bench::peers::socket::Socket;
use pollination_auth_bench::peers::ureq::Ureq;
use pollination_auth_bench::peers::{BlockingCalls, Calls, generated, ours};
use pollination_auth_bench::server::access_token;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// The service, for as long as this process runs.
static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let server = Path::new(env!("CARGO_BIN_EXE_bench-server"));
    Lab::open(server.parent().expect("a folder"))
});

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

fn call(bencher: Bencher<'_, '_>, peer: &impl Calls) {
    let runtime = runtime();
    // The connection is there, and the login is done, before the clock runs.
    runtime.block_on(peer.get_api_token());
    bencher.bench_local(|| runtime.block_on(peer.get_api_token()));
}

#[divan::bench]
fn call_ours(bencher: Bencher<'_, '_>) {
    call(bencher, &ours::client(LAB.base_url()));
}

#[divan::bench]
fn call_by_hand(bencher: Bencher<'_, '_>) {
    call(bencher, &ByHand::new(LAB.base_url(), access_token(1)));
}

#[divan::bench]
fn call_generated(bencher: Bencher<'_, '_>) {
    call(
        bencher,
        &generated::client(LAB.base_url(), &access_token(1)),
    );
}

#[divan::bench]
fn call_hyper_util(bencher: Bencher<'_, '_>) {
    call(bencher, &HyperUtil::new(LAB.base_url(), &access_token(1)));
}

#[divan::bench]
fn call_ureq(bencher: Bencher<'_, '_>) {
    let mut peer = Ureq::new(LAB.base_url(), &access_token(1));
    bencher.bench_local(|| peer.get_api_token());
}

#[divan::bench]
fn call_socket(bencher: Bencher<'_, '_>) {
    let mut peer = Socket::new(LAB.base_url(), &access_token(1));
    bencher.bench_local(|| peer.get_api_token());
}

/// One thread, and as many as there are cores: the threads share nothing that they wait for.
#[divan::bench(threads = [1, 0])]
fn good_access_token(bencher: Bencher<'_, '_>) {
    let client = ours::client(LAB.base_url());
    let runtime = runtime();
    runtime.block_on(client.login()).expect("an access token");
    let runtime = runtime.handle();
    bencher.bench(|| {
        let mut read = std::pin::pin!(client.access_token());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _inside = runtime.enter();
        black_box(read.as_mut().poll(&mut context).is_ready())
    });
}
