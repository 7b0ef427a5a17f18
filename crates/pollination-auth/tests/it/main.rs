//! What users see of the client, over real sockets on the loopback address.

#[cfg(test)]
mod layers;
