//! The port of a server: it takes connections or refuses them, and stays the server's meanwhile.

use std::collections::BTreeSet;
use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener as Socket};
use std::sync::{Mutex, PoisonError};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How many free ports are asked for until one is new to this process.
///
/// After ten thousand services every third offer is an old port, and 64 in a row never happen.
const OFFERS: usize = 64;

/// The connections that wait to be accepted: as many as the standard library lets wait.
const BACKLOG: u32 = 128;

/// A port of this machine.
pub(crate) struct Port {
    address: SocketAddr,
    listener: Option<TcpListener>,
    /// Bound and not listening: the system refuses connections, and gives the port to nobody.
    held: Option<TcpSocket>,
}

impl Port {
    pub(crate) fn open(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            address: socket.local_addr()?,
            listener: Some(TcpListener::from_std(socket)?),
            held: None,
        })
    }

    pub(crate) fn refuse(&mut self) -> io::Result<()> {
        if self.held.is_none() {
            // The socket that listens has to be closed before another is bound.
            self.listener = None;
            self.held = Some(self.bound()?);
        }
        Ok(())
    }

    pub(crate) fn listen(&mut self) -> io::Result<()> {
        if self.listener.is_none() {
            let socket = self.held.take().map_or_else(|| self.bound(), Ok)?;
            self.listener = Some(socket.listen(BACKLOG)?);
        }
        Ok(())
    }

    /// Waits for a connection; while the port refuses them, there is none.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        match &self.listener {
            Some(listener) => listener.accept().await.map(|(stream, _)| stream),
            None => pending().await,
        }
    }

    fn bound(&self) -> io::Result<TcpSocket> {
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // As the standard library does it: connections that have ended keep the port for minutes
        // otherwise. On Windows they don't, and this would share the port with other programs.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        Ok(socket)
    }
}

/// Binds an address. If the system chooses the port, it is one that this process has never had.
///
/// So a client that still knows an earlier service can't reach a later one.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Socket> {
    static USED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    // Held until one is found, so that the system offers others.
    let mut offered = Vec::new();
    loop {
        let socket = Socket::bind(address)?;
        let port = socket.local_addr()?.port();
        let is_new = USED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(port);
        if is_new || address.port() != 0 || offered.len() == OFFERS {
            return Ok(socket);
        }
        offered.push(socket);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn row_84_no_service_of_a_process_gets_the_port_of_an_earlier_one() {
        // Of 28 000 ports some dozen come twice among so many by chance.
        const SERVICES: usize = 1500;
        let ports: BTreeSet<_> = (0..SERVICES)
            .map(|_| {
                bind((Ipv4Addr::LOCALHOST, 0).into())
                    .unwrap()
                    .local_addr()
                    .unwrap()
                    .port()
            })
            .collect();
        assert_eq!(ports.len(), SERVICES);
    }
}
