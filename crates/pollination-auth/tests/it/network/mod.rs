//! Faults of the network, TLS and runtimes, row by row; behaviour over good replies is elsewhere.

mod bodies;
mod connections;
mod fault_server;
mod heads;
mod reply;
mod request;
mod rotating;
mod runtime;
mod runtimes;
mod schemes;
mod support;
mod timeouts;
mod tls;
