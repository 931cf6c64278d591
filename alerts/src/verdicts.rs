//! How often the rules were right: from the verdicts that people gave at closing. Pure.
//!
//! A rule is a kind of evidence. Of several the one that weighs most is asked: density, flow, closed hours, limit, baseline, neighbours. A
//! resolved alert was true, a false alarm false; a drill and a duplicate say nothing of the rule. A miss is an incident that a person
//! opened by hand near a camera that had raised nothing. After 20 verdicts, a rule whose precision lies below its floor is proposed for
//! demotion; only a shift lead demotes. Safety limits and alarms are never proposed.

use std::collections::BTreeMap;

use qorgan_domain::{
    UtcMs,
    alert::{Alert, Cause, CloseReason, CrowdEvidence, ReasonCode},
};
use serde::Serialize;

/// Verdicts before anything is proposed.
pub const VERDICTS_NEEDED: u32 = 20;
/// Precision below which a rule is proposed for demotion where nothing else is configured.
pub const FLOOR: f64 = 0.3;
/// How near an incident must be to be a camera's miss, in metres, and how long before it an alert counts, in milliseconds.
const MISS_M: f64 = 300.0;
const MISS_MS: i64 = 30 * 60_000;

/// Rules, the weightiest first.
pub const RULES: [ReasonCode; 6] = [
    ReasonCode::Density,
    ReasonCode::Flow,
    ReasonCode::ClosedHours,
    ReasonCode::AboveLimit,
    ReasonCode::AboveBaseline,
    ReasonCode::Neighbours,
];

/// Whether a rule may ever be demoted.
pub fn may_demote(rule: ReasonCode) -> bool {
    matches!(rule, ReasonCode::AboveLimit | ReasonCode::AboveBaseline | ReasonCode::Neighbours)
}

/// The rule that an alert stands for.
pub fn rule_of(evidence: &CrowdEvidence) -> Option<ReasonCode> {
    RULES.into_iter().find(|rule| evidence.reasons.iter().any(|reason| reason.code == *rule))
}

/// Figures of one rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RuleFigures {
    /// Alerts that people found true.
    pub right: u32,
    /// And false.
    pub wrong: u32,
    /// Drills.
    pub drills: u32,
    /// Duplicates.
    pub duplicates: u32,
    /// Ended by themselves before anybody judged.
    pub unjudged: u32,
    /// Part of the judged that was true; none without a verdict.
    pub precision: Option<f64>,
    /// Incidents opened by hand near which this rule had said nothing (another one may have).
    pub missed: u32,
    /// Enough verdicts, below the floor, and no safety limit.
    pub proposed_for_demotion: bool,
}

/// Figures of all rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Verdicts {
    /// By the rule's name.
    pub rules: BTreeMap<&'static str, RuleFigures>,
    /// Incidents opened by hand near which no crowd alert had been raised.
    pub misses: u32,
    /// Incidents opened by hand near a camera.
    pub incidents: u32,
}

/// Figures of these alerts; `floor` is the precision below which a rule is proposed for demotion.
pub fn figures(alerts: &[Alert], floor: f64) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for alert in alerts {
        let Cause::Crowd(evidence) = &alert.cause else { continue };
        let Some(rule) = rule_of(evidence) else { continue };
        let figures = verdicts.rules.entry(rule.as_str()).or_default();
        match alert.close_reason {
            Some(CloseReason::Resolved) => figures.right += 1,
            Some(CloseReason::FalseAlarm) => figures.wrong += 1,
            Some(CloseReason::Drill) => figures.drills += 1,
            Some(CloseReason::Duplicate) => figures.duplicates += 1,
            Some(CloseReason::Subsided | CloseReason::Recovered) => figures.unjudged += 1,
            None => {}
        }
    }
    for rule in RULES {
        let Some(figures) = verdicts.rules.get_mut(rule.as_str()) else { continue };
        let judged = figures.right + figures.wrong;
        figures.precision = (judged > 0).then(|| f64::from(figures.right) / f64::from(judged));
        figures.proposed_for_demotion =
            may_demote(rule) && judged >= VERDICTS_NEEDED && figures.precision.is_some_and(|precision| precision < floor);
    }
    let near = |incident: &Alert, crowd: &Alert| {
        let apart = incident.position.zip(crowd.position).map(|(a, b)| a.distance_m(b));
        let since = incident.raised_at.ms_since(crowd.raised_at);
        let held = crowd.closed_at.is_none_or(|closed: UtcMs| closed >= incident.raised_at) || since <= MISS_MS;
        apart.is_some_and(|m| m <= MISS_M) && since >= 0 && held
    };
    for incident in alerts.iter().filter(|alert| matches!(alert.cause, Cause::Incident(_)) && alert.position.is_some()) {
        if matches!(incident.close_reason, Some(CloseReason::FalseAlarm | CloseReason::Drill | CloseReason::Duplicate)) {
            continue;
        }
        verdicts.incidents += 1;
        let seen = alerts.iter().any(|crowd| matches!(crowd.cause, Cause::Crowd(_)) && near(incident, crowd));
        verdicts.misses += u32::from(!seen);
        for rule in RULES {
            let told = alerts.iter().any(|crowd| names(crowd, rule) && near(incident, crowd));
            if let Some(figures) = verdicts.rules.get_mut(rule.as_str()) {
                figures.missed += u32::from(!told);
            }
        }
    }
    verdicts
}

fn names(alert: &Alert, rule: ReasonCode) -> bool {
    matches!(&alert.cause, Cause::Crowd(evidence) if evidence.reasons.iter().any(|reason| reason.code == rule))
}
