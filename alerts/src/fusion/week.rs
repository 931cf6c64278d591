//! What `crowd-v2` remembers of one camera beside [`super::crowd::Watch`]: its week, and the safety limits' time.
//!
//! Counts of one minute are put together to its mean, because the week is known by minutes; bounds are compared with every
//! single count. Minutes with an open alert, under a bell or an event, or whose interval is wider than the count itself teach nothing.

use std::collections::{BTreeMap, VecDeque};

use qorgan_domain::{
    Count, DeviceId, UtcMs,
    alert::ReasonCode,
    crowd::{CrowdInputs, CrowdPlace, DensitySeen, Expected, FlowSeen, LimitSeen, ScanSeen, UsualSeen},
};

use super::{
    crowd::lasted,
    formula::{CRITICAL_PER_M2, SAFE_FLOW_PER_M_MIN, SAFE_PER_M2},
    odd::is_wide,
    rules::{CameraRule, PlaceRule, Rules},
};
use crate::{
    surveillance::{count_quantile, cusum::Cusum},
    usual::{Judged, Usual, calendar::Moment},
};

/// Crossings are added up over so long, in milliseconds.
const FLOW_WINDOW_MS: i64 = 60_000;
/// Most counts whose crossings are kept of one line.
const FLOW_COUNTS: usize = 240;
/// Where a configured density limit may lie, people per m2: Fruin's contact level begins and ends.
const DENSITY_LIMITS: (f32, f32) = (3.6, 5.5);
/// Below so many people the bound is also a negative binomial quantile of this order.
const SLOW_PEOPLE: f32 = 30.0;
const SLOW_ALPHA: f64 = 0.001;

/// A demoted baseline needs so many times the score.
const DEMOTED: f32 = 1.5;

/// The minute under way.
#[derive(Debug, Clone, Copy)]
struct Minute {
    number: i64,
    sum: f32,
    n: u32,
    teach: bool,
    moment: Moment,
}

/// State of one camera.
#[derive(Debug, Default)]
pub(super) struct Week {
    usual: Usual,
    minute: Option<Minute>,
    /// What the last full minutes said, and the number of the last.
    judged: Option<(i64, Judged)>,
    growth: Cusum,
    /// Neighbours that see the same, until the next look.
    pub(super) scan: Option<ScanSeen>,
    over_usual_since: Option<UtcMs>,
    over_limit_since: Option<UtcMs>,
    inside_since: Option<UtcMs>,
    dense_since: Option<UtcMs>,
    flowing_since: Option<UtcMs>,
    crossings: BTreeMap<DeviceId, VecDeque<(UtcMs, u32, u32)>>,
}

impl Week {
    /// Goes on with what was usual before the hub stopped.
    pub(super) fn kept(usual: Usual) -> Self {
        Self { usual, ..Self::default() }
    }

    /// What is usual, to be kept.
    pub(super) fn usual(&self) -> &Usual {
        &self.usual
    }

    /// What the last minutes said, if they are not long past.
    pub(super) fn judged(&self, now: UtcMs) -> Option<&Judged> {
        self.judged.as_ref().filter(|(number, _)| now.0.div_euclid(60_000) - number <= 5).map(|(_, judged)| judged)
    }

    /// The hub's clock was set back: what was measured in the future holds no more.
    pub(super) fn clock_set_back(&mut self) {
        (self.over_usual_since, self.over_limit_since, self.inside_since) = (None, None, None);
        (self.dense_since, self.flowing_since, self.minute) = (None, None, None);
        self.crossings.clear();
    }

    /// Everything the formula looks at, with this count; `fallback` is the bound of the rolling median, for a camera whose week is not
    /// known yet.
    #[expect(clippy::too_many_arguments, reason = "what one look at one count needs")]
    pub(super) fn see(
        &mut self,
        count: &Count,
        at: UtcMs,
        broken: bool,
        rule: &CameraRule,
        rules: &Rules,
        fallback: Option<super::baseline::Usual>,
        alert_open: bool,
    ) -> CrowdInputs {
        let none = PlaceRule::default();
        let place_rule = rules.places.get(&count.camera).unwrap_or(&none);
        let moment = self.minute(count, at, rules, alert_open);
        let place = match (rule.public_space, moment.open) {
            (true, _) => CrowdPlace::Public,
            (false, true) => CrowdPlace::Institution,
            (false, false) => CrowdPlace::InstitutionClosed,
        };
        let at_least = if rule.public_space { rules.crowd.min_people_public } else { rules.crowd.min_people };
        let usual = self.usual_seen(count, at, broken, &moment, at_least, rules, fallback);
        let limit = rule.limit.map(|limit| LimitSeen { limit, held_ms: lasted(&mut self.over_limit_since, count.low > limit, broken, at) });
        // One whole person at the lower end, so that half a shadow is nobody.
        let inside = place == CrowdPlace::InstitutionClosed && count.low >= 1.0;
        CrowdInputs {
            camera: count.camera.clone(),
            at,
            place,
            people: count.people,
            low: count.low,
            high: count.high,
            open_after_ms: rules.crowd.open_after_ms,
            safety_after_ms: rules.gathering.safety_after_ms,
            limit,
            usual,
            expected: moment.expected.filter(|_| moment.event_people.is_none_or(|people| count.low <= people)),
            density: self.density(count, at, broken, place_rule),
            flow: self.flow(count, at, broken, place_rule),
            closed_ms: lasted(&mut self.inside_since, inside, broken, at),
            scan: self.scan.clone(),
            demoted: rules.gathering.demoted.clone(),
        }
    }

    /// Puts the count to its minute; ends the minute before.
    fn minute(&mut self, count: &Count, at: UtcMs, rules: &Rules, alert_open: bool) -> Moment {
        let number = at.0.div_euclid(60_000);
        let wide = is_wide(count);
        if let Some(minute) = &mut self.minute
            && minute.number == number
        {
            (minute.sum, minute.n) = (minute.sum + count.people, minute.n + 1);
            minute.teach &= !alert_open && !wide;
            return minute.moment;
        }
        let moment = rules.calendar.moment(at, &count.camera.site);
        let teach = !alert_open && !wide && moment.expected.is_none();
        let fresh = Minute { number, sum: count.people, n: 1, teach, moment };
        if let Some(done) = self.minute.replace(fresh) {
            let mean = done.sum / done.n.max(1) as f32;
            if let Some(judged) = self.usual.minute(done.number, done.moment.local, mean, done.teach) {
                let rate = judged.people.max(1.0).sqrt() / 2.0;
                self.growth.add(f64::from(judged.growth_per_min / rate), 0.5, 20.0);
                self.judged = Some((done.number, judged));
            }
        }
        moment
    }

    #[expect(clippy::too_many_arguments, reason = "what one look at one count needs")]
    fn usual_seen(
        &mut self,
        count: &Count,
        at: UtcMs,
        broken: bool,
        moment: &Moment,
        at_least: f32,
        rules: &Rules,
        fallback: Option<super::baseline::Usual>,
    ) -> Option<UsualSeen> {
        let demoted = rules.gathering.demoted.contains(&ReasonCode::AboveBaseline);
        let wanted = rules.gathering.unusual_score * if demoted { DEMOTED } else { 1.0 };
        let known = self.judged(at).copied().and_then(|judged| {
            let usual = judged.usual?;
            Some((judged, usual, judged.expected.unwrap_or(usual), judged.bound(wanted)?))
        });
        let (usual, expected, bound, score, weeks) = match (known, fallback) {
            (Some((judged, usual, expected, bound)), _) => {
                (usual, expected, bound.max(slow_bound(expected, judged.spread)), judged.score, judged.weeks)
            }
            (None, Some(rolling)) => (rolling.median, rolling.median, rolling.bound, wanted, 0.0),
            (None, None) => {
                self.over_usual_since = None;
                return None;
            }
        };
        let bound = bound.max(at_least);
        let over = count.low > bound && score >= wanted && moment.expected.is_none_or(|why| why == Expected::Event);
        let held_ms = lasted(&mut self.over_usual_since, over, broken, at);
        let growth_per_min = self.judged(at).map_or(0.0, |judged| judged.growth_per_min);
        Some(UsualSeen { usual, expected, bound, score, weeks, growth_per_min, growth_cusum: self.growth.sum() as f32, held_ms })
    }

    fn density(&mut self, count: &Count, at: UtcMs, broken: bool, rule: &PlaceRule) -> Option<DensitySeen> {
        let limit_of = |zone| rule.zone_limits_per_m2.get(zone).copied().unwrap_or(SAFE_PER_M2).clamp(DENSITY_LIMITS.0, DENSITY_LIMITS.1);
        let zones = count.zones.iter().filter_map(|zone| {
            let per_m2_low = zone.low_people_per_m2().filter(|d| d.is_finite())?;
            Some((zone, per_m2_low, limit_of(&zone.zone)))
        });
        // Where life is in danger comes before where a zone's own limit is passed by more.
        let worst = zones.max_by(|a, b| {
            let danger = |per_m2: f32| per_m2 >= CRITICAL_PER_M2;
            danger(a.1).cmp(&danger(b.1)).then((a.1 / a.2).total_cmp(&(b.1 / b.2)))
        });
        let Some((zone, per_m2_low, limit)) = worst else {
            self.dense_since = None;
            return None;
        };
        let held_ms = lasted(&mut self.dense_since, per_m2_low >= limit, broken, at);
        Some(DensitySeen { zone: zone.zone.clone(), people_low: zone.low, per_m2_low, limit, held_ms })
    }

    /// A number of crossings is a chance number: its lower end is taken.
    fn flow(&mut self, count: &Count, at: UtcMs, broken: bool, rule: &PlaceRule) -> Option<FlowSeen> {
        if broken {
            self.crossings.clear();
        }
        let mut busiest: Option<(DeviceId, f32)> = None;
        for flow in &count.flows {
            let Some(width_m) = rule.line_widths_m.get(&flow.line).filter(|w| **w >= 0.5) else { continue };
            let counts = self.crossings.entry(flow.line.clone()).or_default();
            counts.push_back((at, flow.over_ms, flow.forward.saturating_add(flow.backward)));
            while counts.front().is_some_and(|(then, ..)| at.ms_since(*then) >= FLOW_WINDOW_MS) || counts.len() > FLOW_COUNTS {
                counts.pop_front();
            }
            let (ms, people) = counts.iter().fold((0_u64, 0_u64), |sum, (_, ms, n)| (sum.0 + u64::from(*ms), sum.1 + u64::from(*n)));
            if ms < FLOW_WINDOW_MS as u64 / 4 {
                continue;
            }
            let low = (people as f32 - 1.645 * (people as f32).sqrt()).max(0.0);
            let rate = low / (ms as f32 / 60_000.0) / width_m;
            if busiest.as_ref().is_none_or(|(_, known)| rate > *known) {
                busiest = Some((flow.line.clone(), rate));
            }
        }
        let Some((line, per_m_min_low)) = busiest else {
            self.flowing_since = None;
            return None;
        };
        let limit = SAFE_FLOW_PER_M_MIN;
        let held_ms = lasted(&mut self.flowing_since, per_m_min_low >= limit, broken, at);
        Some(FlowSeen { line, per_m_min_low, limit, held_ms })
    }
}

/// Few people vary by whole ones: there the negative binomial quantile is the better bound.
fn slow_bound(expected: f32, spread: f32) -> f32 {
    if expected >= SLOW_PEOPLE {
        return 0.0;
    }
    let mean = f64::from(expected.max(0.1));
    let dispersion = 1.0 + mean * f64::from(spread * spread);
    count_quantile(1.0 - SLOW_ALPHA, mean, dispersion).unwrap_or(0.0) as f32
}
