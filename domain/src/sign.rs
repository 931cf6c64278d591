//! Signs of life of buttons, panels and edge boxes, and what their absence means.

use serde::{Deserialize, Serialize};

use crate::{DeviceRef, SiteId, UtcMs};

/// Something a device let the hub know about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    /// The device.
    pub device: DeviceRef,
    /// When the hub heard it.
    pub at: UtcMs,
    /// What it says.
    pub kind: SignKind,
}

/// What a sign says. Every one but `Gone` is a proof of life.
#[derive(Debug, Clone, PartialEq)]
pub enum SignKind {
    /// A message, a poll, a keep-alive.
    Alive,
    /// It said goodbye, or its connection broke.
    Gone,
    /// State of its battery: charge in per cent if it tells, and whether that is low.
    Battery {
        /// Charge, 0 to 100.
        percent: Option<u8>,
        /// Too low.
        low: bool,
    },
    /// Mains power.
    Mains {
        /// Whether it is there.
        ok: bool,
    },
    /// Its case.
    Tamper {
        /// Whether it was opened.
        open: bool,
    },
    /// Its clock, against the hub's: positive when it is ahead.
    Clock {
        /// By how much, in milliseconds.
        offset_ms: i64,
    },
    /// Another fault of an alarm panel, by its own code.
    Fault {
        /// Whether it is over.
        ok: bool,
        /// As the panel named it.
        code: String,
    },
    /// A test report.
    Test,
}

/// Code of a [`SignKind::Fault`] that a door gives by itself: the device sends more alarms than one device may. It becomes
/// [`TroubleKind::Flood`]; nobody needs to say that it is over.
pub const FLOOD: &str = "flood";

/// What can be wrong with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// No proof of life for longer than its supervision interval.
    Lost,
    /// Battery low.
    Battery,
    /// Mains power is gone.
    Mains,
    /// Case opened.
    Tamper,
    /// Clock off by more than a minute.
    Clock,
    /// Another fault.
    Fault,
    /// More messages than one device may send.
    Flood,
    /// A body-worn camera does not record as it must: a segment is missing, its chain is broken, it is off, or nobody knows where it is.
    Badge,
}

impl TroubleKind {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            TroubleKind::Lost => "lost",
            TroubleKind::Battery => "battery",
            TroubleKind::Mains => "mains",
            TroubleKind::Tamper => "tamper",
            TroubleKind::Clock => "clock",
            TroubleKind::Fault => "fault",
            TroubleKind::Flood => "flood",
            TroubleKind::Badge => "badge",
        }
    }
}

/// How far a trouble reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum Scope {
    /// One device.
    Device(DeviceRef),
    /// A whole site.
    Site(SiteId),
    /// Everything of one network or alarm provider, by its name in the configuration.
    Provider(String),
}

impl Scope {
    /// The site, where there is one.
    pub fn site(&self) -> Option<&SiteId> {
        match self {
            Scope::Device(device) => Some(&device.site),
            Scope::Site(site) => Some(site),
            Scope::Provider(_) => None,
        }
    }
}

/// A trouble that begins, changes or ends. (`scope`, `kind`) names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// How far it reaches.
    pub scope: Scope,
    /// What is wrong.
    pub kind: TroubleKind,
    /// Devices concerned; empty when it is over.
    pub devices: Vec<DeviceRef>,
    /// Since when.
    pub since: UtcMs,
    /// A number or a code that explains it.
    pub detail: Option<String>,
    /// False when it is over.
    pub active: bool,
    /// Why it is over, e.g. that it is now part of a wider one.
    pub reason: Option<String>,
}
