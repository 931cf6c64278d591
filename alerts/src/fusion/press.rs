//! Pressed buttons. An alarm is shown at once, whatever else is known or broken.
//!
//! Which messages are one press is the journal's word (it is durable). Fusion only has to recognise a
//! press that the journal could not take and that the device therefore sends again.

use std::sync::Arc;

use qorgan_domain::{
    Alarm, AlertId, Door, PressId, Signal, UtcMs,
    alarm::MERGE_WINDOW_MS,
    alert::{Actor, AlarmEvidence, Alert, Cause, Level},
};

use super::{Fusion, Transition};
use crate::life;

/// Presses remembered while the journal is down. Over that the oldest may be shown twice.
const MAX_UNSTORED: usize = 4_096;
/// Of these, what one alert keeps over a restart.
const MAX_KEPT: usize = 64;
/// Stored presses remembered, in case their door comes once more without their row.
const MAX_HEARD: usize = 4_096;

/// A press that is shown but not in the journal.
#[derive(Debug)]
pub(super) struct Unstored {
    press: PressId,
    alert: AlertId,
}

impl Unstored {
    /// What an alert kept over a restart.
    pub(super) fn resume(alert: &Alert, press: &AlarmEvidence) -> Vec<Self> {
        press.unstored.iter().map(|press| Self { press: press.clone(), alert: alert.id }).collect()
    }
}

impl Fusion {
    pub(super) fn press(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Vec<Transition> {
        if stored {
            self.hear(alarm);
        } else if self.heard.iter().any(|press| press.is(alarm)) {
            // It is in the journal and was applied from there: its door waited in vain, or could not look it up again.
            return Vec::new();
        }
        if self.unstored.iter().any(|unstored| unstored.press.is(alarm)) {
            return if stored { self.now_stored(alarm, now) } else { Vec::new() };
        }
        let made = match alarm.signal {
            Signal::Press => self.pressed(alarm, stored, now),
            signal => self.marked(alarm, signal, stored, now),
        };
        if !stored {
            for transition in &made {
                if self.unstored.len() == MAX_UNSTORED {
                    self.unstored.remove(0);
                }
                self.unstored.push(Unstored { press: PressId::of(alarm), alert: transition.alert.id });
            }
        }
        made
    }

    /// Remembers a press that is in the journal. To be called with those before a start, in order, before the first event.
    pub fn hear(&mut self, alarm: &Alarm) {
        if self.heard.len() == MAX_HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(PressId::of(alarm));
    }

    fn pressed(&mut self, alarm: &Alarm, stored: bool, now: UtcMs) -> Vec<Transition> {
        let button = (alarm.device.clone(), alarm.kind, alarm.test);
        let Some(open) = self.buttons.get(&button).and_then(|id| self.open.get(id)) else {
            return self.raise_alarm(alarm, stored, now);
        };
        let mut alert = Alert::clone(open);
        note(&mut alert, alarm, stored);
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
            note(&mut alert, alarm, stored);
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
        if duress {
            evidence.duress_at = Some(now);
            // Nobody pressed: what the code alone raised is not shown on the spot, see `life::visible`.
            evidence.presses = 0;
        }
        evidence.drill = self.drills.iter().find(|drill| drill.site == alarm.device.site && drill.until > now).map(|drill| drill.drill);
        // A press read from the journal after a crash, or kept by an edge box, was raised when it was heard.
        let raised_at = alarm.happened_at().min(now);
        let mut alert = Alert { raised_at, ..self.blank(Cause::Alarm(evidence), level, Some(&alarm.device), now) };
        note(&mut alert, alarm, stored);
        self.buttons.insert((alarm.device.clone(), alarm.kind, alarm.test), alert.id);
        let record = life::raise(&alert, &Actor::System("alarm"), None);
        let mut made = vec![self.put(alert, Some(record))];
        if !self.attended {
            made.extend(self.unattended(made[0].alert.id, now));
        }
        made
    }

    /// What was shown as not stored is in the journal now.
    fn now_stored(&mut self, alarm: &Alarm, now: UtcMs) -> Vec<Transition> {
        let (done, rest) = std::mem::take(&mut self.unstored).into_iter().partition(|unstored| unstored.press.is(alarm));
        self.unstored = rest;
        let done: Vec<Unstored> = done;
        done.into_iter()
            .filter_map(|unstored| {
                let mut alert = self.copy(unstored.alert)?;
                let Cause::Alarm(press) = &mut alert.cause else { return None };
                press.unstored.retain(|press| !press.is(alarm));
                if self.unstored.iter().any(|other| other.alert == alert.id) {
                    // Something else of it is still not.
                    alert.version += 1;
                    alert.updated_at = now;
                    return Some(self.put(alert, None));
                }
                alert.stored = true;
                let record = life::remark(&mut alert, "stored", "alarm", None, now);
                Some(self.put(alert, Some(record)))
            })
            .collect()
    }
}

/// Marks an alert with a message that the journal could not take.
fn note(alert: &mut Alert, alarm: &Alarm, stored: bool) {
    alert.stored &= stored;
    if let Cause::Alarm(press) = &mut alert.cause
        && !stored
        && press.unstored.len() < MAX_KEPT
    {
        press.unstored.push(PressId::of(alarm));
    }
}
