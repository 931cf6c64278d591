//! What is not a press and not a crowd: unclaimed alarms that call louder, devices that do not work, dangers from outside.

use qorgan_domain::{
    AlertId, UtcMs,
    alert::{Action, Actor, Alert, AlertState, Cause, CloseReason, Escalation, HazardEvidence, Level, TroubleEvidence},
    hazard::Hazard,
    sign::{Scope, Trouble, TroubleKind},
};

use super::{Fusion, Transition};
use crate::life;

/// Devices of one trouble that are named; the number tells how many there are.
const MAX_NAMED: usize = 1_000;
/// Closed events of outside systems that are remembered, so that the same one sent again raises nothing.
const MAX_EVENTS: usize = 4_096;

impl Fusion {
    /// Unclaimed alarms: a reminder, then the shift lead (EN 50518 asks for 80 % within 30 s and 98.5 % within 60 s).
    pub(super) fn escalate(&mut self, now: UtcMs) -> Vec<Transition> {
        let (remind_ms, lead_ms) = (self.rules.response.remind_after_ms, self.rules.response.lead_after_ms);
        let mut due: Vec<(AlertId, Escalation)> = Vec::new();
        for alert in self.open.values() {
            let Cause::Alarm(press) = &alert.cause else { continue };
            if press.test || alert.state != AlertState::Raised {
                continue;
            }
            let waited_ms = now.ms_since(press.received_at);
            let step = match waited_ms {
                ms if ms >= lead_ms => Escalation::ShiftLead,
                ms if ms >= remind_ms => Escalation::Reminded,
                _ => continue,
            };
            if alert.progress.escalation < Some(step) {
                due.push((alert.id, step));
            }
        }
        due.into_iter()
            .filter_map(|(id, step)| {
                let mut alert = self.copy(id)?;
                alert.progress.escalation = Some(step);
                let record = life::remark(&mut alert, step.as_str(), "response", None, now);
                Some(self.put(alert, Some(record)))
            })
            .collect()
    }

    /// Somebody who hears has come to a duty desk, or the last one has left.
    pub(super) fn set_attended(&mut self, attended: bool, now: UtcMs) -> Vec<Transition> {
        self.attended = attended;
        if attended {
            return Vec::new();
        }
        let waiting: Vec<AlertId> =
            self.open.values().filter(|a| a.is_real_alarm() && a.state == AlertState::Raised).map(|a| a.id).collect();
        waiting.into_iter().filter_map(|id| self.unattended(id, now)).collect()
    }

    /// No desk of the centre is attended: the alarm is the police desk's at once.
    pub(super) fn unattended(&mut self, id: AlertId, now: UtcMs) -> Option<Transition> {
        let mut alert = self.copy(id).filter(|a| a.is_real_alarm() && a.progress.unattended_at.is_none())?;
        alert.progress.unattended_at = Some(now);
        let record = life::remark(&mut alert, "unattended", "response", None, now);
        Some(self.put(alert, Some(record)))
    }

    pub(super) fn trouble(&mut self, trouble: &Trouble, now: UtcMs) -> Option<Transition> {
        let key = (trouble.scope.clone(), trouble.kind);
        let open = self.troubles.get(&key).and_then(|id| self.copy(*id));
        if !trouble.active {
            let reason = trouble.reason.clone().unwrap_or_else(|| "it works again".to_owned());
            return self.recovered(open?, reason, now);
        }
        let count = u32::try_from(trouble.devices.len()).unwrap_or(u32::MAX);
        let evidence = TroubleEvidence {
            trouble: trouble.kind,
            scope: trouble.scope.clone(),
            devices: trouble.devices.iter().take(MAX_NAMED).cloned().collect(),
            count,
            since: trouble.since,
            detail: trouble.detail.clone(),
        };
        let Some(mut alert) = open else {
            // A dark camera leaves people less safe than a dark button does.
            let cameras = !trouble.devices.is_empty() && trouble.devices.iter().all(|device| self.rules.cameras.contains_key(device));
            let level = match trouble.kind {
                TroubleKind::Lost if cameras => Level::Notice,
                TroubleKind::Lost | TroubleKind::Tamper | TroubleKind::Flood | TroubleKind::Badge => Level::Watch,
                TroubleKind::Battery | TroubleKind::Mains | TroubleKind::Clock | TroubleKind::Fault => Level::Notice,
            };
            let device = match &trouble.scope {
                Scope::Device(device) => Some(device),
                Scope::Site(_) | Scope::Provider(_) => None,
            };
            let mut alert = self.blank(Cause::Trouble(evidence), level, device, now);
            alert.site = trouble.scope.site().cloned();
            alert.position = alert.position.or_else(|| alert.site.as_ref().and_then(|site| self.rules.sites.get(site)).copied());
            self.troubles.insert(key, alert.id);
            let record = life::raise(&alert, &Actor::System("supervision"), None);
            return Some(self.put(alert, Some(record)));
        };
        let fresh = Cause::Trouble(evidence);
        let back = alert.subsided_at.take().is_some();
        if alert.cause == fresh && !back {
            return None;
        }
        alert.cause = fresh;
        if back {
            let record = life::remark(&mut alert, "update", "supervision", Some("the trouble is back".to_owned()), now);
            return Some(self.put(alert, Some(record)));
        }
        alert.version += 1;
        alert.updated_at = now;
        Some(self.put(alert, None))
    }

    /// Closes a trouble that nobody holds; marks one that somebody holds.
    fn recovered(&mut self, mut alert: Alert, reason: String, now: UtcMs) -> Option<Transition> {
        let action = Action::Close { verdict: CloseReason::Recovered, reason: reason.clone() };
        match life::step(&alert, &action, &Actor::System("supervision"), now) {
            Ok((closed, record)) => Some(self.put(closed, Some(record))),
            Err(_) if alert.subsided_at.is_none() => {
                alert.subsided_at = Some(now);
                let record = life::remark(&mut alert, "subside", "supervision", Some(reason), now);
                Some(self.put(alert, Some(record)))
            }
            Err(_) => None,
        }
    }

    pub(super) fn hazard(&mut self, hazard: &Hazard, now: UtcMs) -> Option<Transition> {
        let key = (hazard.source.clone(), hazard.event.clone());
        let evidence = HazardEvidence {
            source: hazard.source.clone(),
            event: hazard.event.clone(),
            hazard: hazard.kind,
            text: hazard.text.clone(),
            reported_at: hazard.at,
        };
        if let Some((_, id)) = self.hazards.iter().find(|(known, _)| *known == key) {
            let mut alert = self.copy(*id)?;
            let fresh = Cause::Hazard(evidence);
            if alert.cause == fresh && alert.position == Some(hazard.position) {
                return None;
            }
            (alert.cause, alert.position) = (fresh, Some(hazard.position));
            let record = life::remark(&mut alert, "update", "hazard", Some(hazard.text.clone()).filter(|t| !t.is_empty()), now);
            return Some(self.put(alert, Some(record)));
        }
        let alert = Alert { position: Some(hazard.position), ..self.blank(Cause::Hazard(evidence), Level::Warning, None, now) };
        if self.hazards.len() == MAX_EVENTS {
            self.hazards.pop_front();
        }
        self.hazards.push_back((key, alert.id));
        let record = life::raise(&alert, &Actor::System("hazard"), Some(hazard.source.clone()));
        Some(self.put(alert, Some(record)))
    }
}
