//! Pressed buttons. An alarm is shown at once, whatever else is known or broken.
//!
//! Which messages are one press is the journal's word (it is durable). Fusion only has to recognise a
//! press that the journal could not take and that the device therefore sends again.

use std::sync::Arc;

use qorgan_domain::{
    Alarm, AlarmKey, AlarmKind, AlertId, DeviceRef, Door, Signal, UtcMs,
    alarm::{MERGE_WINDOW_MS, REPEAT_WINDOW_MS},
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
    signal: Signal,
    test: bool,
    received_at: UtcMs,
    alert: AlertId,
}

impl Unstored {
    pub(super) fn resume(device: &DeviceRef, press: &AlarmEvidence, alert: AlertId) -> Self {
        let key = AlarmKey { device: device.clone(), boot: press.boot.clone(), seq: press.seq };
        Self { key, kind: press.alarm, signal: Signal::Press, test: press.test, received_at: press.received_at, alert }
    }

    fn is(&self, alarm: &Alarm) -> bool {
        let in_time = self.key.boot.is_some() || alarm.received_at.ms_since(self.received_at).abs() <= REPEAT_WINDOW_MS;
        in_time && self.key == alarm.key() && self.kind == alarm.kind && self.signal == alarm.signal && self.test == alarm.test
    }
}

impl Fusion {
    pub(super) fn press(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Vec<Transition> {
        if let Some(place) = self.unstored.iter().position(|u| u.is(alarm)) {
            return if stored { self.now_stored(place, now).into_iter().collect() } else { Vec::new() };
        }
        let made = match alarm.signal {
            Signal::Press => self.pressed(alarm, stored, now),
            signal => self.marked(alarm, signal, stored, now),
        };
        if !stored && let Some(first) = made.first() {
            if self.unstored.len() == MAX_UNSTORED {
                self.unstored.remove(0);
            }
            let (key, alert) = (alarm.key(), first.alert.id);
            let (kind, signal, test, received_at) = (alarm.kind, alarm.signal, alarm.test, alarm.received_at);
            self.unstored.push(Unstored { key, kind, signal, test, received_at, alert });
        }
        made
    }

    fn pressed(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Vec<Transition> {
        let button = (alarm.device.clone(), alarm.kind, alarm.test);
        let Some(open) = self.buttons.get(&button).and_then(|id| self.open.get(id)) else {
            return self.raise_alarm(alarm, stored, now);
        };
        let mut alert = Alert::clone(open);
        alert.stored &= stored;
        let Cause::Alarm(press) = &mut alert.cause else { return Vec::new() };
        let other_door = !press.doors.is_empty() && !press.doors.contains(&alarm.door);
        let record = if other_door && alarm.received_at.ms_since(press.received_at).abs() <= MERGE_WINDOW_MS {
            // The same press by a second road.
            press.doors.push(alarm.door);
            life::remark(&mut alert, "second_path", "alarm", Some(alarm.door.as_str().to_owned()), now)
        } else {
            press.presses = press.presses.saturating_add(1);
            press.pressed_again_at = Some(now);
            life::remark(&mut alert, "press_again", "alarm", None, now)
        };
        vec![self.put(alert, Some(record))]
    }

    /// A cancel, a duress code or a restore: marks what is open, closes nothing. A duress code with nothing to mark is an alarm.
    fn marked(&mut self, alarm: &Alarm, signal: Signal, stored: bool, now: UtcMs) -> Vec<Transition> {
        let same_test = |alert: &&Arc<Alert>| matches!(&alert.cause, Cause::Alarm(press) if press.test == alarm.test);
        let of_device = |alert: &&Arc<Alert>| alert.device.as_ref() == Some(&alarm.device);
        let mut targets: Vec<AlertId> = self.open.values().filter(same_test).filter(of_device).map(|alert| alert.id).collect();
        if targets.is_empty() && alarm.door == Door::Dc09 {
            // A panel's code names a user, not the zone whose alarm it is about.
            let by_panel = |alert: &&Arc<Alert>| matches!(&alert.cause, Cause::Alarm(press) if press.doors.contains(&Door::Dc09));
            let of_site = |alert: &&Arc<Alert>| alert.site.as_ref() == Some(&alarm.device.site);
            targets = self.open.values().filter(same_test).filter(of_site).filter(by_panel).map(|alert| alert.id).collect();
        }
        if targets.is_empty() && signal == Signal::Duress {
            return self.raise_alarm(alarm, stored, now);
        }
        let mut made = Vec::new();
        for id in targets {
            let Some(mut alert) = self.copy(id) else { continue };
            let Cause::Alarm(press) = &mut alert.cause else { continue };
            let mark = match signal {
                Signal::Cancel => &mut press.cancelled_at,
                Signal::Duress => &mut press.duress_at,
                Signal::Restore => &mut press.restored_at,
                Signal::Press => continue,
            };
            mark.get_or_insert(now);
            if signal == Signal::Duress && !press.test {
                alert.level = Level::Critical;
            }
            alert.stored &= stored;
            let record = life::remark(&mut alert, signal.as_str(), "alarm", None, now);
            made.push(self.put(alert, Some(record)));
        }
        made
    }

    fn raise_alarm(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Vec<Transition> {
        let duress = alarm.signal == Signal::Duress && !alarm.test;
        let level = match alarm.kind {
            _ if alarm.test => Level::Notice,
            _ if duress => Level::Critical,
            kind => life::level_of(kind),
        };
        let mut evidence = AlarmEvidence::of(alarm);
        evidence.duress_at = duress.then_some(now);
        evidence.drill = self.drills.iter().find(|drill| drill.site == alarm.device.site && drill.until > now).map(|drill| drill.drill);
        // A press read from the journal after a crash, or kept by an edge box, was raised when it was heard.
        let raised_at = alarm.happened_at().min(now);
        let alert = Alert { stored, raised_at, ..self.blank(Cause::Alarm(evidence), level, Some(&alarm.device), now) };
        self.buttons.insert((alarm.device.clone(), alarm.kind, alarm.test), alert.id);
        let record = life::raise(&alert, &Actor::System("alarm"), None);
        let mut made = vec![self.put(alert, Some(record))];
        if !self.attended {
            made.extend(self.unattended(made[0].alert.id, now));
        }
        made
    }

    fn now_stored(&mut self, place: usize, now: UtcMs) -> Option<Transition> {
        let id = self.unstored.remove(place).alert;
        let mut alert = self.copy(id)?;
        if self.unstored.iter().any(|u| u.alert == id) {
            return None;
        }
        alert.stored = true;
        let record = life::remark(&mut alert, "stored", "alarm", None, now);
        Some(self.put(alert, Some(record)))
    }
}
