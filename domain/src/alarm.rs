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

/// By which door a press came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// An MQTT device, directly or through an edge box.
    Mqtt,
    /// An alarm panel over SIA DC-09.
    Dc09,
    /// A school contact's phone page.
    Phone,
}

impl Door {
    /// Name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Door::Mqtt => "mqtt",
            Door::Dc09 => "dc09",
            Door::Phone => "phone",
        }
    }
}

/// What the message says about the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Somebody asks for help.
    #[default]
    Press,
    /// Somebody gave the cancel code. It marks the alarm; it never removes or closes it.
    Cancel,
    /// Somebody gave the duress code: on the spot it looks like cancelling, at the desk it is the opposite.
    Duress,
    /// The button or zone went back to rest.
    Restore,
}

impl Signal {
    /// Name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Press => "press",
            Signal::Cancel => "cancel",
            Signal::Duress => "duress",
            Signal::Restore => "restore",
        }
    }
    /// Whether it is the plain press, which the wire leaves out.
    pub fn is_press(&self) -> bool {
        *self == Signal::Press
    }
}

/// One press, as a door understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The button.
    pub device: DeviceRef,
    /// What was pressed.
    pub kind: AlarmKind,
    /// Press, cancel, duress or restore.
    pub signal: Signal,
    /// By which door it came.
    pub door: Door,
    /// Zone of an alarm panel, as it sent it.
    pub zone: Option<String>,
    /// The device's own running number of this press.
    pub seq: u64,
    /// Changes each time the device starts, so that a rebooted device may count from 1 again.
    pub boot: Option<String>,
    /// When it was pressed, by the device's clock, if it has one.
    pub pressed_at: Option<UtcMs>,
    /// When an edge box heard it, by that box's clock, if one stood between and kept it.
    pub heard_at: Option<UtcMs>,
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

/// Everything by which the journal knows a press again, kept with an alert for as long as the journal could not take the press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PressId {
    /// The button.
    pub device: DeviceRef,
    /// Its start, when it tells.
    pub boot: Option<String>,
    /// Its number.
    pub seq: u64,
    /// What was pressed.
    pub kind: AlarmKind,
    /// Press, cancel, duress or restore.
    pub signal: Signal,
    /// By which door it came.
    pub door: Door,
    /// Zone of an alarm panel.
    pub zone: Option<String>,
    /// A test press.
    pub test: bool,
    /// By the button's clock.
    pub pressed_at: Option<UtcMs>,
    /// By the hub's clock.
    pub received_at: UtcMs,
}

impl PressId {
    /// The identity of a press.
    pub fn of(alarm: &Alarm) -> Self {
        Self {
            device: alarm.device.clone(),
            boot: alarm.boot.clone(),
            seq: alarm.seq,
            kind: alarm.kind,
            signal: alarm.signal,
            door: alarm.door,
            zone: alarm.zone.clone(),
            test: alarm.test,
            pressed_at: alarm.pressed_at,
            received_at: alarm.received_at,
        }
    }

    /// Whether the message is this press again, by the journal's rule: without a boot id only within 120 s, and not when the
    /// button's own clock tells the two apart.
    pub fn is(&self, alarm: &Alarm) -> bool {
        let again = (self.seq, self.kind, self.signal, self.door, self.test)
            == (alarm.seq, alarm.kind, alarm.signal, alarm.door, alarm.test)
            && (&self.device, &self.boot, &self.zone) == (&alarm.device, &alarm.boot, &alarm.zone);
        let told_apart = self.pressed_at.zip(alarm.pressed_at).is_some_and(|(before, now)| before != now);
        let in_time = alarm.received_at.ms_since(self.received_at).abs() <= REPEAT_WINDOW_MS;
        again && (self.boot.is_some() || (in_time && !told_apart))
    }
}

/// Two doors that bring the same button within this time bring one press, in milliseconds.
pub const MERGE_WINDOW_MS: i64 = 10_000;

/// What an edge box says to have kept for longer than this, it heard by a wrong clock, in milliseconds.
pub const MAX_KEPT_MS: i64 = 30 * 24 * 3_600_000;

impl Alarm {
    /// A plain press over MQTT; further fields are set by whoever knows them.
    pub fn new(device: DeviceRef, kind: AlarmKind, seq: u64, received_at: UtcMs) -> Self {
        Self {
            device,
            kind,
            signal: Signal::Press,
            door: Door::Mqtt,
            zone: None,
            seq,
            boot: None,
            pressed_at: None,
            heard_at: None,
            received_at,
            test: false,
        }
    }
    /// When it was pressed, as far as the hub can trust it: when an edge box heard it, else when the hub did. A box whose
    /// clock is ahead, or at 1970, moves no alarm out of sight.
    pub fn happened_at(&self) -> UtcMs {
        self.heard_at.filter(|at| (0..=MAX_KEPT_MS).contains(&self.received_at.ms_since(*at))).unwrap_or(self.received_at)
    }
    /// Identity of this press.
    pub fn key(&self) -> AlarmKey {
        AlarmKey { device: self.device.clone(), boot: self.boot.clone(), seq: self.seq }
    }
    /// Whether the device's clock is more than a minute off. Such an alarm counts all the same.
    pub fn clock_suspect(&self) -> bool {
        self.pressed_at.is_some_and(|at| at.ms_since(self.happened_at()).unsigned_abs() > CLOCK_SUSPECT_MS.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_box_counts_unless_its_clock_is_wrong() {
        let arrived = UtcMs(1_795_255_200_000);
        let heard = |ms: i64| {
            let device = "school-17/gate".parse().unwrap();
            Alarm { heard_at: Some(UtcMs(arrived.0 - ms)), ..Alarm::new(device, AlarmKind::Panic, 1, arrived) }.happened_at()
        };
        assert_eq!(heard(3 * 24 * 3_600_000), UtcMs(arrived.0 - 3 * 24 * 3_600_000), "kept over a long weekend");
        assert_eq!((heard(-5_000), heard(arrived.0)), (arrived, arrived), "ahead, and at 1970");
    }
}
