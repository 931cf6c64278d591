//! The door of alarm panels: SIA DC-09 over TCP and UDP (ANSI/SIA DC-09, with SIA-DCS and ADM-CID data).
//!
//! What belongs here: frames, encryption, what an event code means, the receiver, and a panel for tests.
//! What does not: which panels there are, where an alarm is stored, what a missing sign of life means. Those come in as [`Doors`].
//!
//! ```text
//! TCP, UDP -> Splitter -> Frame::read -> judge -+-> alarm -> Doors::commit_alarm -> ACK
//!                                               +-> sign of life, state, test -> Doors::sign -> ACK
//!                                               +-> NAK (broken, wrong time) or DUH (understood, nothing to be done with it)
//! ```
//!
//! | what came                                                        | answer                                   |
//! |------------------------------------------------------------------|------------------------------------------|
//! | event, poll or test of a known panel                             | ACK, after its alarms are in the journal |
//! | the same number again                                            | ACK, no second alarm                     |
//! | a code that the hub does not act on                              | ACK, counted: the panel need not repeat  |
//! | CRC, length, sequence number or shape wrong                      | NAK with the time                        |
//! | encrypted, without a time or outside -40 s to +20 s              | NAK with the time: the panel sets its clock |
//! | unknown account, other format, no or another key, not encrypted although it must be, speaks for another account, events that do not read | DUH |
//! | ACK, NAK, DUH; bytes that are no frame                           | nothing                                  |
//! | the journal does not take the alarm                              | nothing: the panel repeats until it does |
//!
//! The ACK to an encrypted frame is encrypted; NAK and DUH are in clear. Try it against a running hub:
//! `qorgan panel --site school-17 --device panel --event PA --zone 005`

pub mod crypt;
pub mod event;
pub mod frame;
mod judge;
pub mod panel;
mod rate;
mod receiver;
pub mod stream;

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use futures::future::BoxFuture;
use qorgan_domain::{Alarm, Clock, DeviceRef, Sign};

pub use crate::stored::{NotStored, StoredAlarm};
pub use crypt::Key;
pub use frame::Frame;
pub use judge::{Kind, Refusal};
pub use receiver::{COMMIT_TIMEOUT, Config, Limits, Receiver};

/// See [`Doors::panel`].
pub type FindPanel = Box<dyn Fn(&Address) -> Option<Arc<Panel>> + Send + Sync>;
/// See [`Doors::commit_alarm`].
pub type CommitAlarm = Box<dyn Fn(Alarm) -> BoxFuture<'static, Result<StoredAlarm, NotStored>> + Send + Sync>;
/// See [`Doors::sign`].
pub type TakeSign = Box<dyn Fn(Sign) -> bool + Send + Sync>;

/// The functions behind the door.
pub struct Doors {
    /// The panel with this account, if it is configured. Must not block.
    pub panel: FindPanel,
    /// Makes an alarm durable and shows it to the desks. Runs to its end even when the door has stopped waiting.
    pub commit_alarm: CommitAlarm,
    /// Takes a sign of life, a state or a test report. Must not block; `false` when there is no room.
    pub sign: TakeSign,
    /// The hub's clock.
    pub clock: Arc<dyn Clock>,
}

/// By what a panel names itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Account, in capitals.
    pub account: String,
    /// Receiver number as sent.
    pub receiver: Option<String>,
    /// Line number as sent.
    pub line: Option<String>,
}

/// A configured panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Site and device.
    pub device: DeviceRef,
    /// With a key only encrypted frames are heard.
    pub key: Option<Key>,
    /// Which zone is which button; the zones as [`zone_key`] gives them.
    pub zones: HashMap<String, DeviceRef>,
}

/// A zone or number without leading zeros: `005`, `05` and `5` are the same.
pub fn zone_key(zone: &str) -> String {
    let short = zone.trim_start_matches('0');
    if short.is_empty() { "0".into() } else { short.to_ascii_uppercase() }
}

/// Why the receiver does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("DC-09 cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address that others reach, without encryption.
    #[error("DC-09 without encryption listens on loopback only, not on {0}: set require_encryption and give every panel a key")]
    ClearNotLoopback(SocketAddr),
}
