//! The program: reads its arguments, prints where it listens, and runs until it is stopped.

use std::future::Future;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, value_parser};
use pollination_auth_fake::{DEFAULT_EXPIRES_IN, FakeService};

/// Where people who don't write Rust find the rest.
const CONTROL: &str = "\
Tests in any language script faults, inspect the service and reset it through a control endpoint on the \
same port, which describes itself: curl http://127.0.0.1:PORT/__control";

/// Runs the Pollination authentication service in memory, on the loopback address.
///
/// It prints one line, `listening on http://127.0.0.1:PORT`, and runs until it is stopped. It keeps
/// nothing on disk. Its credentials are valid only for itself.
#[derive(Parser)]
#[command(version, after_help = CONTROL)]
struct Arguments {
    /// Port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Address and port to listen on, for containers: 0.0.0.0:8000. Whoever reaches it can read
    /// its secret and its requests
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "port", value_parser = address)]
    listen: Option<SocketAddr>,

    /// Host name under which the control endpoint can be called from other machines
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    allow_host: Vec<String>,

    /// Id of the API token
    #[arg(long, default_value = "fake-id", value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// Secret of the API token; never use a real one: other processes can read it here
    #[arg(long, default_value = "fake-secret", value_parser = NonEmptyStringValueParser::new())]
    secret: String,

    /// Lifetime of access tokens in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_EXPIRES_IN.as_secs(), value_parser = seconds)]
    expires_in: u64,

    /// Let a creation replace the existing API token instead of refusing it with 409
    #[arg(long)]
    create_replaces: bool,

    /// Status of a login with a wrong id or secret: 401 or 403, for example
    #[arg(long, value_name = "STATUS", default_value_t = 401, value_parser = value_parser!(u16).range(200..=999))]
    wrong_secret_status: u16,

    /// Delay of every reply, for example 250ms or 2s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    latency: Duration,

    /// Log each request to stderr: method, path and status; secrets are never logged
    #[arg(long)]
    log: bool,
}

/// The newest requests that can be looked at: more than a test sends.
///
/// The program may run for days.
const KEPT_REQUESTS: usize = 512;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // A closed stderr is no reason to panic.
            let _unheard = writeln!(io::stderr(), "pollination-auth-fake: {message}");
            ExitCode::FAILURE
        }
    }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "write it as 250ms, 2s or 1m30s")
}

fn seconds(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "write a whole number of seconds, such as 60")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as 0.0.0.0:8000")
}

/// Returns the error of an address that can't be listened on, with what to do.
fn taken(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; stop what listens there, or choose another port (0: a free one)"
        }
        io::ErrorKind::AddrNotAvailable => "; it is no address of this machine",
        io::ErrorKind::PermissionDenied => "; choose a port from 1024 on",
        _ => "",
    };
    format!("cannot listen on {address}: {error}{advice}")
}

fn run(arguments: Arguments) -> Result<(), String> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let address = arguments.listen.unwrap_or(loopback);
    let mut builder = FakeService::builder()
        .id(arguments.id)
        .secret(arguments.secret)
        .expires_in(Duration::from_secs(arguments.expires_in))
        .wrong_secret_status(arguments.wrong_secret_status)
        .latency(arguments.latency)
        .keep_requests(KEPT_REQUESTS);
    if arguments.create_replaces {
        builder = builder.create_replaces();
    }
    if arguments.log {
        builder = builder.log_requests();
    }
    for name in arguments.allow_host {
        builder = builder.allow_host(name);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        // The handlers are installed before the line that announces the program.
        let ended = ended().map_err(|error| format!("cannot wait for signals: {error}"))?;
        let service = builder
            .start_on(address)
            .map_err(|error| taken(address, &error))?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "listening on {}", service.base_url())
            .and_then(|()| stdout.flush())
            .map_err(|error| format!("cannot say where it listens: {error}"))?;
        drop(stdout);
        ended.await;
        Ok(())
    })
}

/// Ends with SIGINT or SIGTERM.
#[cfg(unix)]
fn ended() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn ended() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ended = tokio::signal::ctrl_c().await;
    })
}
