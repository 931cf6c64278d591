//! What can go wrong with MQTT as a whole; a single bad message is a [`Refusal`](super::Refusal).

use std::{net::SocketAddr, path::PathBuf};

use super::Refusal;

/// Why the broker or a client could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("MQTT cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A listener without TLS on an address that others reach.
    #[error("MQTT without TLS listens on loopback only, not on {0}: configure a certificate")]
    PlainNotLoopback(SocketAddr),
    /// Neither a plain nor a TLS listener.
    #[error("the MQTT broker has no listener: configure a plain or a TLS address")]
    NoListener,
    /// A certificate, key or CA file that does not read.
    #[error("TLS file {path}: {reason}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Not `mqtt://host[:port]` or `mqtts://host[:port]`.
    #[error("\"{0}\" is no MQTT address such as mqtt://127.0.0.1:1883 or mqtts://broker.example:8883")]
    Url(String),
    /// The hub's own message was judged and refused: a bug or a wrong configuration of the hub.
    #[error("the hub's own message was refused")]
    Refused(#[source] Box<Refusal>),
    /// The broker is not reachable now.
    #[error("not connected to the MQTT broker")]
    NotConnected,
    /// More waits to be sent than the queue holds.
    #[error("the queue to the MQTT broker is full")]
    QueueFull,
    /// The other side said no.
    #[error("the MQTT broker refuses: {0}")]
    Rejected(String),
    /// The embedded broker could not route a message.
    #[error("the MQTT broker could not route a message")]
    Route(#[source] Box<dyn std::error::Error + Send + Sync>),
}
