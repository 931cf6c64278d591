//! Drills: a test from the button to the patrol, at a known time, with a certificate.
//!
//! What belongs here: which press counts for a drill, which steps it reached, how a drill ends ([`note`], [`judge`]; pure),
//! the task that follows alerts ([`keep`]) and the certificate ([`certificate`]). What does not: anything about how an
//! alarm is treated. A press without the test flag is a real alarm in every way, drill or not.

pub mod certificate;
pub mod keep;

use std::collections::HashMap;

use qorgan_alerts::store::{Connection, Drill, DrillPress, DrillResult, DrillSteps, Institution};
use qorgan_domain::{
    SiteId, UtcMs,
    alert::{AlarmEvidence, Alert, Cause, CloseReason},
    event::DrillWindow,
};

/// Presses of one drill that are kept; a site has a handful of buttons.
const MAX_PRESSES: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// Where a drill is in its life: `planned`, `running`, or its result.
pub fn state(drill: &Drill, now: UtcMs) -> &'static str {
    match drill.result {
        Some(result) => result.as_str(),
        None if drill.started_at.is_none() && drill.scheduled_at > now => "planned",
        None => "running",
    }
}

/// The drill that an alert carries.
pub fn drill_of(alert: &Alert) -> Option<i64> {
    match &alert.cause {
        Cause::Alarm(press) => press.drill,
        _ => None,
    }
}

/// Takes down how far a press of this drill has come; true when that is news.
pub fn note(drill: &mut Drill, alert: &Alert) -> bool {
    let (Cause::Alarm(evidence), Some(device)) = (&alert.cause, &alert.device) else { return false };
    if evidence.drill != Some(drill.id) {
        return false;
    }
    let place = drill.presses.iter().position(|p| p.alert == alert.id);
    let before = place.map(|place| drill.presses[place].clone());
    let press = DrillPress {
        alert: alert.id,
        device: device.clone(),
        counts: evidence.test || alert.close_reason == Some(CloseReason::Drill),
        steps: steps(alert, evidence, before.as_ref().map(|b| b.steps)),
    };
    if before.as_ref() == Some(&press) {
        return false;
    }
    match place {
        Some(place) => drill.presses[place] = press,
        None if drill.presses.len() < MAX_PRESSES => drill.presses.push(press),
        None => return false,
    }
    drill.alert = best(drill).map(|p| p.alert);
    true
}

/// The steps an alert has reached; what was seen before stays.
fn steps(alert: &Alert, evidence: &AlarmEvidence, before: Option<DrillSteps>) -> DrillSteps {
    let before = before.unwrap_or_default();
    // A new alert is made right after the journal's sync; later versions no longer tell when that was.
    let stored_at = if alert.version == 1 { alert.updated_at } else { evidence.received_at.max(alert.raised_at) };
    // A press that came unstored: this is the first version that says otherwise.
    let seen_unstored = before.pressed_at.is_some() && before.stored_at.is_none();
    let stored_at = if seen_unstored { alert.updated_at } else { stored_at };
    DrillSteps {
        pressed_at: before.pressed_at.or(Some(alert.raised_at.min(evidence.received_at))),
        stored_at: before.stored_at.or(alert.stored.then_some(stored_at)),
        shown_at: before.shown_at.or(alert.progress.shown_at),
        claimed_at: before.claimed_at.or(alert.progress.claimed_at),
        accepted_at: before.accepted_at.or(alert.progress.accepted_at),
    }
}

/// The press that stands for the drill: of those that count the one that came farthest, the first of them.
pub fn best(drill: &Drill) -> Option<&DrillPress> {
    let reached = |press: &DrillPress| in_order(&press.steps).into_iter().flatten().count();
    drill.presses.iter().filter(|p| p.counts).max_by_key(|p| (reached(p), std::cmp::Reverse(p.alert)))
}

/// The five steps in order.
pub fn in_order(steps: &DrillSteps) -> [Option<UtcMs>; 5] {
    [steps.pressed_at, steps.stored_at, steps.shown_at, steps.claimed_at, steps.accepted_at]
}

/// How the drill ends if it ends at `end`: every step within its window passes.
pub fn judge(drill: &Drill, end: UtcMs) -> DrillResult {
    let end = end.min(drill.until_at);
    let whole = |press: &DrillPress| press.counts && in_order(&press.steps).into_iter().all(|at| at.is_some_and(|at| at <= end));
    match drill.presses.as_slice() {
        [] => DrillResult::Missed,
        presses if presses.iter().any(whole) => DrillResult::Passed,
        _ => DrillResult::Failed,
    }
}

/// The windows that fusion is to know.
pub fn windows(open: &[Drill], now: UtcMs) -> Vec<DrillWindow> {
    let running = open.iter().filter(|d| d.result.is_none() && d.scheduled_at <= now && d.until_at > now);
    running.map(|d| DrillWindow { drill: d.id, site: d.site.clone(), until: d.until_at }).collect()
}

/// An institution whose drill is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due<'a> {
    /// Which.
    pub institution: &'a Institution,
    /// When it passed one last.
    pub last_passed_at: Option<UtcMs>,
    /// Since when the next one is due.
    pub due_at: UtcMs,
}

/// Connected institutions without a passed drill in the last so many days, the longest due first. One that never
/// passed any is due since it stands in the register as it does.
pub fn overdue<'a>(
    institutions: impl Iterator<Item = &'a Institution>,
    passed: &HashMap<SiteId, UtcMs>,
    every_days: u32,
    now: UtcMs,
) -> Vec<Due<'a>> {
    let connected = institutions.filter(|i| i.status == Connection::Connected);
    let due = connected.map(|institution| {
        let last_passed_at = passed.get(&institution.id).copied();
        let due_at = last_passed_at.map_or(institution.updated_at, |at| UtcMs(at.0 + i64::from(every_days) * DAY_MS));
        Due { institution, last_passed_at, due_at }
    });
    let mut due: Vec<Due<'a>> = due.filter(|d| d.due_at <= now).collect();
    due.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.institution.id.cmp(&b.institution.id)));
    due
}

#[cfg(test)]
mod tests;
