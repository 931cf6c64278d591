//! A pressed button. Every door (MQTT, DC-09, phone) makes the same `Alarm`.

use serde::{Deserialize, Serialize};

use crate::{DeviceRef, UtcMs};

/// What the person who pressed asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Panic button.
    Panic,
    /// Hold-up (silent).
    HoldUp,
    /// Fire.
    Fire,
    /// Medical help.
    Medical,
}

impl AlarmKind {
    /// Name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            AlarmKind::Panic => "panic",
            AlarmKind::HoldUp => "hold_up",
            AlarmKind::Fire => "fire",
            AlarmKind::Medical => "medical",
        }
    }
}

/// One press, as a door understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The button.
    pub device: DeviceRef,
    /// What was pressed.
    pub kind: AlarmKind,
    /// The device's own running number of this press.
    pub seq: u64,
    /// Changes each time the device starts, so that a rebooted device may count from 1 again.
    pub boot: Option<String>,
    /// When it was pressed, by the device's clock, if it has one.
    pub pressed_at: Option<UtcMs>,
    /// When a door of the hub received it.
    pub received_at: UtcMs,
    /// A test press: shown as a test, never as an alarm.
    pub test: bool,
}

/// A device clock further off than this is suspect, in milliseconds.
pub const CLOCK_SUSPECT_MS: i64 = 60_000;

/// Without a boot id the same sequence number is a repeat only within this time, in milliseconds.
pub const REPEAT_WINDOW_MS: i64 = 120_000;

/// What makes two messages the same press.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AlarmKey {
    /// The button.
    pub device: DeviceRef,
    /// Its start, when it tells.
    pub boot: Option<String>,
    /// Its number.
    pub seq: u64,
}

impl Alarm {
    /// Identity of this press.
    pub fn key(&self) -> AlarmKey {
        AlarmKey { device: self.device.clone(), boot: self.boot.clone(), seq: self.seq }
    }
    /// Whether the device's clock is more than a minute off. Such an alarm counts all the same.
    pub fn clock_suspect(&self) -> bool {
        self.pressed_at.is_some_and(|at| at.ms_since(self.received_at).unsigned_abs() > CLOCK_SUSPECT_MS.unsigned_abs())
    }
}
