//! Pressed buttons. An alarm is shown at once, whatever else is known or broken.
//!
//! Which messages are one press is the journal's word (it is durable). Fusion only has to recognise a
//! press that the journal could not take and that the device therefore sends again.

use qorgan_domain::{
    Alarm, AlarmKey, AlarmKind, AlertId, DeviceRef, UtcMs,
    alarm::REPEAT_WINDOW_MS,
    alert::{Actor, AlarmEvidence, Alert, Cause, Level},
};

use super::{Fusion, Transition};
use crate::life;

/// Presses remembered while the journal is down. Over that the oldest may be shown twice.
const MAX_UNSTORED: usize = 4_096;

/// A press that is shown but not in the journal.
#[derive(Debug)]
pub(super) struct Unstored {
    key: AlarmKey,
    kind: AlarmKind,
    test: bool,
    received_at: UtcMs,
    alert: AlertId,
}

impl Unstored {
    pub(super) fn resume(device: &DeviceRef, press: &AlarmEvidence, alert: AlertId) -> Self {
        let key = AlarmKey { device: device.clone(), boot: press.boot.clone(), seq: press.seq };
        Self { key, kind: press.alarm, test: press.test, received_at: press.received_at, alert }
    }

    fn is(&self, alarm: &Alarm) -> bool {
        let in_time = self.key.boot.is_some() || alarm.received_at.ms_since(self.received_at).abs() <= REPEAT_WINDOW_MS;
        in_time && self.key == alarm.key() && self.kind == alarm.kind && self.test == alarm.test
    }
}

impl Fusion {
    pub(super) fn press(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Option<Transition> {
        if let Some(place) = self.unstored.iter().position(|u| u.is(alarm)) {
            return if stored { self.now_stored(place, now) } else { None };
        }
        let button = (alarm.device.clone(), alarm.kind, alarm.test);
        let transition = match self.buttons.get(&button).and_then(|id| self.open.get(id)) {
            Some(open) => {
                let mut alert = open.clone();
                if let Cause::Alarm(press) = &mut alert.cause {
                    press.presses = press.presses.saturating_add(1);
                }
                alert.stored &= stored;
                let record = life::remark(&mut alert, "press_again", "alarm", None, now);
                self.put(alert, Some(record))
            }
            None => {
                let alert = self.raise_alarm(alarm, stored, now);
                self.buttons.insert(button, alert.id);
                let record = life::raise(&alert, &Actor::System("alarm"), None);
                self.put(alert, Some(record))
            }
        };
        if !stored {
            if self.unstored.len() == MAX_UNSTORED {
                self.unstored.remove(0);
            }
            let (key, alert) = (alarm.key(), transition.alert.id);
            self.unstored.push(Unstored { key, kind: alarm.kind, test: alarm.test, received_at: alarm.received_at, alert });
        }
        Some(transition)
    }

    fn raise_alarm(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Alert {
        let level = match alarm.kind {
            _ if alarm.test => Level::Notice,
            AlarmKind::Panic | AlarmKind::HoldUp | AlarmKind::Fire => Level::Critical,
            AlarmKind::Medical => Level::Warning,
        };
        let evidence = AlarmEvidence {
            alarm: alarm.kind,
            seq: alarm.seq,
            boot: alarm.boot.clone(),
            pressed_at: alarm.pressed_at,
            received_at: alarm.received_at,
            test: alarm.test,
            clock_suspect: alarm.clock_suspect(),
            presses: 1,
        };
        // A press read from the journal after a crash was raised when it came in, not when the hub came back.
        let raised_at = alarm.received_at.min(now);
        Alert { stored, raised_at, ..self.blank(Cause::Alarm(evidence), level, Some(&alarm.device), now) }
    }

    fn now_stored(&mut self, place: usize, now: UtcMs) -> Option<Transition> {
        let id = self.unstored.remove(place).alert;
        let mut alert = self.open.get(&id)?.clone();
        if self.unstored.iter().any(|u| u.alert == id) {
            return None;
        }
        alert.stored = true;
        let record = life::remark(&mut alert, "stored", "alarm", None, now);
        Some(self.put(alert, Some(record)))
    }
}
