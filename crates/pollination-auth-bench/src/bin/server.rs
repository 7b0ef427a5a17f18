//! The service of the benchmarks as a process: says where it listens, and ends with its input.

#![expect(clippy::print_stdout, reason = "the address is its answer")]

use std::io::{self, Read as _};

use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    // Who started it holds the other end, so that it never outlives a measurement.
    std::thread::spawn(|| {
        let ended = io::stdin().read(&mut [0]);
        std::process::exit(i32::from(ended.is_err()));
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    pollination_auth_bench::server::serve(listener).await
}
