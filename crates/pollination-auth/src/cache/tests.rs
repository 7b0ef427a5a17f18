//! Proofs about the cache, on a clock and a source that the tests own; no network, no waiting.

mod cancellation;
mod edges;
mod explore;
mod herds;
mod kept;
mod lifecycle;
mod model;
mod moves;
mod support;
mod world;
