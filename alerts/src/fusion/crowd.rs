//! One camera: is there more than the limit, or more than usual, and for how long?
//!
//! Formula `crowd-v1`. The lower end of the count's 90 % interval is compared with
//! - the configured limit: above it without a break for `open_after_ms` is a `watch`;
//! - the bound of the [`super::baseline`]: likewise, and at least `min_people`, is a `notice`.
//!
//! It ends when the count stays below `close_below` of the lowest bound that was exceeded, for
//! `close_after_ms`: two different bounds and two times, so that a count that wavers opens one alert.
//! There is no way from here to `warning`: that needs a density, and this version knows none.
//! Durations are measured with the times of the pictures, silence with the hub's clock.

use qorgan_domain::{
    AlertId, Count, UtcMs,
    alert::{Alert, CloseReason, CrowdEvidence, Level, Reason, ReasonCode},
};

use super::{
    baseline::{Baseline, Usual},
    rules::{CameraRule, CrowdRules},
};

/// Version of the formula in this file. A change of its numbers is a new version beside this one.
pub const FORMULA: &str = "crowd-v1";

/// A camera clock this far ahead of the hub is the hub's clock having been set back, in milliseconds.
const CLOCK_SET_BACK_MS: i64 = 60_000;

/// What is remembered of one camera; bounded.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The open alert.
    pub(super) alert: Option<AlertId>,
    /// When a count came last, by the hub's clock.
    pub(super) heard_at: Option<UtcMs>,
    /// When evidence was told last, by the hub's clock.
    pub(super) told_at: Option<UtcMs>,
    /// Time of the newest picture.
    last_at: Option<UtcMs>,
    over_limit_since: Option<UtcMs>,
    over_usual_since: Option<UtcMs>,
    low_since: Option<UtcMs>,
    /// Lowest bound that was exceeded since it was quiet last.
    exceeded: Option<f32>,
    peak: f32,
    /// A person closed an alert of this level while the evidence was still there: not raised again until it was quiet.
    judged: Option<Level>,
    baseline: Baseline,
}

/// What one count says.
#[derive(Debug)]
pub(super) struct Seen {
    /// What persisted long enough; never above `watch`.
    pub(super) level: Option<Level>,
    /// Low for long enough to end.
    pub(super) quiet: bool,
    people: f32,
    low: f32,
    high: f32,
    limit: Option<f32>,
    usual: Option<Usual>,
    reasons: Vec<Reason>,
}

impl Watch {
    /// Goes on with an alert that was open when the hub stopped.
    pub(super) fn resume(alert: AlertId, evidence: &CrowdEvidence) -> Self {
        let exceeded = evidence.reasons.iter().map(|r| r.bound).reduce(f32::min);
        Self { alert: Some(alert), exceeded, peak: evidence.peak, ..Self::default() }
    }

    /// A past minute, in order.
    pub(super) fn teach(&mut self, minute: UtcMs, people_max: f32, rules: &CrowdRules) {
        self.baseline.add(minute.0.div_euclid(60_000), people_max, rules.baseline_minutes, rules.baseline_needs_minutes);
    }

    /// Looks at a count; none when it is late, old or a repetition and therefore judges nothing.
    pub(super) fn see(&mut self, count: &Count, rule: &CameraRule, rules: &CrowdRules, now: UtcMs) -> Option<Seen> {
        let at = count.at.min(now);
        if now.ms_since(at) > rules.stale_ms {
            return None;
        }
        if self.last_at.is_some_and(|last| last.ms_since(now) > CLOCK_SET_BACK_MS) {
            (self.last_at, self.over_limit_since, self.over_usual_since, self.low_since) = (None, None, None, None);
        }
        if self.last_at.is_some_and(|last| at <= last) {
            return None;
        }
        let broken = self.last_at.is_some_and(|last| at.ms_since(last) > rules.max_gap_ms);
        self.last_at = Some(at);
        self.heard_at = Some(now);

        let usual = self.baseline.usual();
        let at_least = if rule.public_space { rules.min_people_public } else { rules.min_people };
        let unusual = usual.map(|usual| usual.bound.max(at_least));
        let limit_ms = lasted(&mut self.over_limit_since, rule.limit.is_some_and(|limit| count.low > limit), broken, at);
        let usual_ms = lasted(&mut self.over_usual_since, unusual.is_some_and(|bound| count.low > bound), broken, at);

        let mut reasons = Vec::new();
        let (mut level, mut longest) = (None, None);
        let evidence =
            [(ReasonCode::AboveBaseline, Level::Notice, unusual, usual_ms), (ReasonCode::AboveLimit, Level::Watch, rule.limit, limit_ms)];
        for (code, weight, bound, ms) in evidence {
            let (Some(bound), Some(ms)) = (bound, ms) else { continue };
            if ms < rules.open_after_ms {
                continue;
            }
            let reason = Reason { code, observed: count.low, bound, for_s: seconds(ms) };
            level = Some(weight);
            self.exceeded = Some(self.exceeded.map_or(bound, |least| least.min(bound)));
            if longest.as_ref().is_none_or(|l: &Reason| l.for_s < reason.for_s) {
                longest = Some(Reason { code: ReasonCode::Persistent, ..reason.clone() });
            }
            reasons.push(reason);
        }
        reasons.extend(longest);

        let low = self.exceeded.is_none_or(|bound| count.people < bound * rules.close_below);
        let quiet = lasted(&mut self.low_since, low, broken, at).is_some_and(|ms| ms >= rules.close_after_ms);
        if quiet {
            self.judged = None;
            if self.alert.is_none() {
                self.exceeded = None;
            }
        }
        self.peak = self.peak.max(count.people);
        self.baseline.learn(at, count.people, self.alert.is_some(), rules.baseline_minutes, rules.baseline_needs_minutes);
        let usual = usual.zip(unusual).map(|(usual, bound)| Usual { median: usual.median, bound });
        Some(Seen { level, quiet, people: count.people, low: count.low, high: count.high, limit: rule.limit, usual, reasons })
    }

    /// The level of a new alert, if there should be one. What a person has judged is not raised again
    /// unless it became more.
    pub(super) fn wants_to_open(&self, seen: &Seen) -> Option<Level> {
        seen.level.filter(|level| self.judged.is_none_or(|judged| *level > judged))
    }

    /// Remembers the new alert and gives its evidence.
    pub(super) fn open(&mut self, seen: &Seen, id: AlertId, now: UtcMs) -> CrowdEvidence {
        self.alert = Some(id);
        self.told_at = Some(now);
        self.peak = seen.people;
        self.judged = None;
        CrowdEvidence {
            people: seen.people,
            low: seen.low,
            high: seen.high,
            peak: seen.people,
            limit: seen.limit,
            baseline: seen.usual.map(|u| u.median),
            baseline_bound: seen.usual.map(|u| u.bound),
            formula: FORMULA.to_owned(),
            reasons: seen.reasons.clone(),
        }
    }

    /// The evidence as it is now. A reason once given stays, with the numbers it had when it held last.
    pub(super) fn evidence(&self, seen: &Seen, shown: &CrowdEvidence) -> CrowdEvidence {
        let mut reasons = shown.reasons.clone();
        for fresh in &seen.reasons {
            match reasons.iter_mut().find(|r| r.code == fresh.code) {
                Some(old) => *old = fresh.clone(),
                None => reasons.push(fresh.clone()),
            }
        }
        CrowdEvidence {
            people: seen.people,
            low: seen.low,
            high: seen.high,
            peak: self.peak.max(shown.peak),
            limit: seen.limit,
            baseline: seen.usual.map(|u| u.median),
            baseline_bound: seen.usual.map(|u| u.bound),
            formula: shown.formula.clone(),
            reasons,
        }
    }

    /// Whether screens should hear of it: a tenth more or less (at least one person), a new reason or
    /// peak, and not too often.
    pub(super) fn worth_telling(&self, shown: &CrowdEvidence, fresh: &CrowdEvidence, rules: &CrowdRules, now: UtcMs) -> bool {
        let moved = |a: f32, b: f32| (a - b).abs() >= (a * 0.1).max(1.0);
        let different = moved(shown.people, fresh.people) || moved(shown.peak, fresh.peak) || shown.reasons.len() != fresh.reasons.len();
        different && self.told_at.is_none_or(|told| !(0..rules.update_every_ms).contains(&now.ms_since(told)))
    }

    /// The alert of this camera was closed.
    pub(super) fn closed(&mut self, alert: &Alert) {
        self.alert = None;
        if alert.close_reason == Some(CloseReason::Subsided) {
            (self.over_limit_since, self.over_usual_since, self.exceeded) = (None, None, None);
        } else {
            self.judged = Some(alert.level);
        }
    }
}

/// For how long something has held without a break, in milliseconds; none when it does not hold.
fn lasted(since: &mut Option<UtcMs>, holds: bool, broken: bool, at: UtcMs) -> Option<i64> {
    if !holds {
        *since = None;
    } else if broken || since.is_none() {
        *since = Some(at);
    }
    since.map(|since| at.ms_since(since))
}

fn seconds(ms: i64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}
