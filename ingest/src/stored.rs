//! What the hub answers when a door hands it an alarm, whichever door it is.

use qorgan_domain::UtcMs;

use crate::limit::Flood;

/// An alarm that is safe on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredAlarm {
    /// Row of the alarm journal.
    pub journal: i64,
    /// When it was safe.
    pub stored_at: UtcMs,
    /// The same press had been stored before.
    pub repeat: bool,
}

/// Why an alarm is not known to be on disk. No receipt, PUBACK or ACK leaves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// The journal could not be written.
    #[error("the alarm journal cannot be written: {0}")]
    Journal(String),
    /// The journal took longer than the door waits. What is then stored late is answered late, or as a repeat.
    #[error("the alarm journal did not answer in time")]
    Timeout,
    /// More alarms wait for the journal than may.
    #[error("too many alarms wait for the journal")]
    Busy,
    /// The device sends more than one device may, and what waits for its turn is enough.
    #[error(transparent)]
    Flood(#[from] Flood),
}

impl NotStored {
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            NotStored::Journal(_) => "journal",
            NotStored::Timeout => "timeout",
            NotStored::Busy => "busy",
            NotStored::Flood(_) => "flood",
        }
    }
}
