//! One camera: from counts to the inputs of a [`super::formula`], and when what it says begins, changes and ends.
//!
//! An alert ends when the count stays below `close_below` of the lowest bound that was exceeded (`crowd-v2`: of the lowest bound that
//! holds now, and no safety limit is passed), for `close_after_ms`: two different bounds and two times, so that a count that wavers
//! opens one alert. Durations are measured with the times of the pictures, silence with the hub's clock.

use qorgan_domain::{
    AlertId, Count, UtcMs,
    alert::{Alert, CloseReason, CrowdEvidence, Level, ReasonCode},
    crowd::{Assessed, CrowdInputs, CrowdPlace, CrowdScore, LimitSeen, UsualSeen},
};

use super::{
    baseline::{Baseline, Usual},
    formula::Formula,
    odd::{Odd, Tally, is_wide},
    rules::{CameraRule, CrowdRules, Rules},
    week::Week,
};

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
    /// Lowest bound that was exceeded since it was quiet last, in people.
    exceeded: Option<f32>,
    /// Lower end of the count when a safety limit of density, and of flow, was passed last: what to fall below when the zone or the line
    /// is not there any more.
    crushed: [Option<f32>; 2],
    peak: f32,
    /// A person closed an alert of this level while the evidence was still there: not raised again until it was quiet.
    judged: Option<Level>,
    baseline: Baseline,
    /// What only `crowd-v2` remembers.
    pub(super) week: Option<Box<Week>>,
}

/// What one count says.
#[derive(Debug)]
pub(super) struct Seen {
    /// What persisted long enough; never above `watch`.
    pub(super) level: Option<Level>,
    /// Low for long enough to end.
    pub(super) quiet: bool,
    /// What was looked at.
    pub(super) inputs: CrowdInputs,
    /// What the formula says of it.
    pub(super) said: CrowdScore,
    usual: Option<Usual>,
}

impl Watch {
    /// Goes on with an alert that was open when the hub stopped.
    pub(super) fn resume(alert: AlertId, evidence: &CrowdEvidence) -> Self {
        // Bounds of density, flow and growth are not in people.
        let exceeded = evidence.reasons.iter().filter(|r| in_people(r.code)).map(|r| r.bound).reduce(f32::min);
        let crushed = SAFETY.map(|code| evidence.reasons.iter().any(|r| r.code == code).then_some(evidence.low));
        Self { alert: Some(alert), exceeded, crushed, peak: evidence.peak, ..Self::default() }
    }

    /// A past minute, in order.
    pub(super) fn teach(&mut self, minute: UtcMs, people_max: f32, rules: &CrowdRules) {
        self.baseline.add(minute.0.div_euclid(60_000), people_max, rules.baseline_minutes, rules.baseline_needs_minutes);
    }

    /// Looks at a count; none when it is late, old or a repetition and therefore judges nothing.
    pub(super) fn see(&mut self, count: &Count, rule: &CameraRule, all: &Rules, now: UtcMs, odd: &mut Tally) -> Option<Seen> {
        let rules = &all.crowd;
        let at = count.at.min(now);
        if now.ms_since(at) > rules.stale_ms {
            odd.note(Odd::Late);
            return None;
        }
        if count.at > now {
            odd.note(Odd::Ahead);
        }
        if self.last_at.is_some_and(|last| last.ms_since(now) > CLOCK_SET_BACK_MS) {
            odd.note(Odd::ClockSetBack);
            (self.last_at, self.over_limit_since, self.over_usual_since, self.low_since) = (None, None, None, None);
            if let Some(week) = &mut self.week {
                week.clock_set_back();
            }
        }
        if let Some(last) = self.last_at.filter(|last| at <= *last) {
            odd.note(if at == last { Odd::Doubled } else { Odd::OutOfOrder });
            return None;
        }
        let broken = self.last_at.is_some_and(|last| at.ms_since(last) > rules.max_gap_ms);
        if broken {
            odd.note(Odd::AfterGap);
        }
        if is_wide(count) {
            odd.note(Odd::Wide);
        }
        self.last_at = Some(at);
        self.heard_at = Some(now);

        let rolling = self.baseline.usual();
        let inputs = match all.gathering.formula {
            Formula::V1 => self.inputs_v1(count, at, broken, rule, rules, rolling),
            Formula::V2 => {
                let week = self.week.get_or_insert_default();
                week.see(count, at, broken, rule, all, rolling, self.alert.is_some())
            }
        };
        let said = all.gathering.formula.assess(&inputs);
        let quiet = self.quiet(&inputs, &said, all, broken, at);
        self.peak = self.peak.max(count.people);
        self.baseline.learn(at, count.people, self.alert.is_some(), rules.baseline_minutes, rules.baseline_needs_minutes);
        let usual = inputs.usual.map(|usual| Usual { median: usual.usual, bound: usual.bound });
        Some(Seen { level: said.level, quiet, inputs, said, usual })
    }

    fn inputs_v1(
        &mut self,
        count: &Count,
        at: UtcMs,
        broken: bool,
        rule: &CameraRule,
        rules: &CrowdRules,
        usual: Option<Usual>,
    ) -> CrowdInputs {
        let at_least = if rule.public_space { rules.min_people_public } else { rules.min_people };
        let unusual = usual.map(|usual| usual.bound.max(at_least));
        let limit_ms = lasted(&mut self.over_limit_since, rule.limit.is_some_and(|limit| count.low > limit), broken, at);
        let usual_ms = lasted(&mut self.over_usual_since, unusual.is_some_and(|bound| count.low > bound), broken, at);
        let usual = usual.zip(unusual).map(|(usual, bound)| UsualSeen {
            usual: usual.median,
            expected: usual.median,
            bound,
            score: 0.0,
            weeks: 0.0,
            growth_per_min: 0.0,
            growth_cusum: 0.0,
            held_ms: usual_ms,
        });
        CrowdInputs {
            camera: count.camera.clone(),
            at,
            place: if rule.public_space { CrowdPlace::Public } else { CrowdPlace::Institution },
            people: count.people,
            low: count.low,
            high: count.high,
            open_after_ms: rules.open_after_ms,
            safety_after_ms: 0,
            limit: rule.limit.map(|limit| LimitSeen { limit, held_ms: limit_ms }),
            usual,
            expected: None,
            density: None,
            flow: None,
            closed_ms: None,
            scan: None,
            demoted: Vec::new(),
        }
    }

    /// Whether it has been low for long enough to end.
    fn quiet(&mut self, inputs: &CrowdInputs, said: &CrowdScore, all: &Rules, broken: bool, at: UtcMs) -> bool {
        for reason in said.reasons.iter().filter(|reason| in_people(reason.code)) {
            self.exceeded = Some(self.exceeded.map_or(reason.bound, |least| least.min(reason.bound)));
        }
        for (low, code) in self.crushed.iter_mut().zip(SAFETY) {
            if said.reasons.iter().any(|reason| reason.code == code) {
                *low = Some(inputs.low);
            }
        }
        let bound = match all.gathering.formula {
            Formula::V1 => self.exceeded,
            Formula::V2 => {
                let closed = (inputs.place == CrowdPlace::InstitutionClosed).then_some(1.0);
                let bounds = [
                    inputs.limit.map(|l| l.limit),
                    inputs.usual.map(|u| u.bound),
                    closed,
                    inputs.usual.is_none().then_some(self.exceeded).flatten(),
                    // A zone that was deleted says nothing of the people who stood in it.
                    self.crushed[0].filter(|_| inputs.density.is_none()),
                    self.crushed[1].filter(|_| inputs.flow.is_none()),
                ];
                bounds.into_iter().flatten().reduce(f32::min)
            }
        };
        let safe = inputs.density.as_ref().is_none_or(|d| d.per_m2_low < d.limit * all.crowd.close_below)
            && inputs.flow.as_ref().is_none_or(|f| f.per_m_min_low < f.limit * all.crowd.close_below);
        let low = safe && bound.is_none_or(|bound| inputs.people < bound * all.crowd.close_below);
        let quiet = lasted(&mut self.low_since, low, broken, at).is_some_and(|ms| ms >= all.crowd.close_after_ms);
        if quiet {
            self.judged = None;
            self.crushed = [None; 2];
            if self.alert.is_none() {
                self.exceeded = None;
            }
        }
        quiet
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
        self.peak = seen.inputs.people;
        self.judged = None;
        CrowdEvidence {
            people: seen.inputs.people,
            low: seen.inputs.low,
            high: seen.inputs.high,
            peak: seen.inputs.people,
            limit: seen.inputs.limit.map(|limit| limit.limit),
            baseline: seen.usual.map(|u| u.median),
            baseline_bound: seen.usual.map(|u| u.bound),
            formula: seen.said.formula.clone(),
            reasons: seen.said.reasons.clone(),
            assessed: Some(Box::new(seen.assessed())),
            neighbours: Vec::new(),
        }
    }

    /// The gathering that this camera sees has an alert already, of a neighbour.
    pub(super) fn join(&mut self, id: AlertId, now: UtcMs) {
        self.alert = Some(id);
        self.told_at = Some(now);
        self.judged = None;
    }

    /// The evidence as it is now. A reason once given stays, with the numbers it had when it held last.
    pub(super) fn evidence(&self, seen: &Seen, shown: &CrowdEvidence) -> CrowdEvidence {
        let mut reasons = shown.reasons.clone();
        for fresh in &seen.said.reasons {
            match reasons.iter_mut().find(|r| r.code == fresh.code) {
                Some(old) => *old = fresh.clone(),
                None => reasons.push(fresh.clone()),
            }
        }
        CrowdEvidence {
            people: seen.inputs.people,
            low: seen.inputs.low,
            high: seen.inputs.high,
            peak: self.peak.max(shown.peak),
            limit: seen.inputs.limit.map(|limit| limit.limit),
            baseline: seen.usual.map(|u| u.median),
            baseline_bound: seen.usual.map(|u| u.bound),
            formula: shown.formula.clone(),
            reasons,
            assessed: shown.assessed.clone(),
            neighbours: shown.neighbours.clone(),
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
            self.crushed = [None; 2];
        } else {
            self.judged = Some(alert.level);
        }
    }
}

impl Seen {
    /// To be kept with the alert.
    pub(super) fn assessed(&self) -> Assessed {
        Assessed { inputs: self.inputs.clone(), said: self.said.clone() }
    }
}

/// Evidence of a safety limit, in the order of [`Watch::crushed`].
const SAFETY: [ReasonCode; 2] = [ReasonCode::Density, ReasonCode::Flow];

/// Evidence whose bound is a number of people.
fn in_people(code: ReasonCode) -> bool {
    matches!(code, ReasonCode::AboveLimit | ReasonCode::AboveBaseline | ReasonCode::ClosedHours)
}

/// For how long something has held without a break, in milliseconds; none when it does not hold.
pub(super) fn lasted(since: &mut Option<UtcMs>, holds: bool, broken: bool, at: UtcMs) -> Option<i64> {
    if !holds {
        *since = None;
    } else if broken || since.is_none() {
        *since = Some(at);
    }
    since.map(|since| at.ms_since(since))
}
