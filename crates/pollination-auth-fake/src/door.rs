//! The door: what makes the server take connections, refuse them or end, and why it would.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A way in which a service is down, for
/// [`FakeService::start_outage`](crate::FakeService::start_outage).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Connections are refused, and those that were open are closed.
    Refused,
    /// Every request is answered with 503, whatever it is for, and nothing is done.
    Unavailable,
}

/// What the server is told.
pub(crate) enum Order {
    /// Ends every connection and refuses new ones, for this real time or until [`Order::Open`].
    Close(Option<Duration>, Done),
    Open(Done),
    End,
}

/// Is sent what came of an order.
pub(crate) type Done = mpsc::Sender<io::Result<()>>;

/// Where the server gets its orders.
pub(crate) type Orders = UnboundedReceiver<Order>;

/// Sends orders to the server.
pub(crate) struct Door(UnboundedSender<Order>);

impl Door {
    pub(crate) fn new() -> (Self, Orders) {
        let (sender, orders) = unbounded_channel();
        (Self(sender), orders)
    }

    /// Ends every connection and refuses new ones; returns when it is so.
    pub(crate) fn close(&self) -> io::Result<()> {
        self.wait_for(|done| Order::Close(None, done))
    }

    /// Takes connections again; returns when it is so.
    pub(crate) fn open(&self) -> io::Result<()> {
        self.wait_for(Order::Open)
    }

    /// Refuses connections for some real time, beginning after the reply that is being made.
    pub(crate) fn close_for(&self, time: Duration) {
        let (unheard, _) = mpsc::channel();
        self.give(Order::Close(Some(time), unheard));
    }

    /// Ends the server.
    pub(crate) fn end(&self) {
        self.give(Order::End);
    }

    fn wait_for(&self, order: impl FnOnce(Done) -> Order) -> io::Result<()> {
        let (done, came) = mpsc::channel();
        self.give(order(done));
        // A server that has ended takes no connections, and can't be asked to.
        came.recv()
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::NotConnected)))
    }

    fn give(&self, order: Order) {
        // Nobody is left to carry it out: the server has ended.
        let _unheard = self.0.send(order);
    }
}
