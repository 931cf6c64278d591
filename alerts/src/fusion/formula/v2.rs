//! `crowd-v2`. Each piece of evidence has a strength between 0 and 1; every bound is compared with the lower end of the count.
//!
//! | evidence | strength | counts when |
//! | --- | --- | --- |
//! | exceedance | score / 2 (1 is once a month) | the low end is above the bound for `open_after` |
//! | limit | 1 | the low end is above the configured limit for `open_after` |
//! | growth | cumulative sum / 10 | with exceedance or limit, and it grows by 2 people a minute or more |
//! | persistence | minutes / 15 | with exceedance or limit |
//! | neighbours | log-likelihood ratio / 20 | at least 10, two cameras or more (Poisson scan statistic, Kulldorff 1997) |
//! | closed hours | 1 | somebody is inside an institution out of its hours for `open_after` |
//! | density | people per m2 / 5.5 | the low end is above the safety limit for `safety_after` |
//! | flow | people a minute and metre / 109 | likewise |
//!
//! `unusual = 1 - (1 - 0.5 exceedance) (1 - 0.6 limit) (1 - 0.3 growth) (1 - 0.2 persistence) (1 - 0.4 neighbours) (1 - 0.6 closed)`
//!
//! `score = 100 (1 - (1 - unusual) (1 - density) (1 - flow))`, to one decimal.
//!
//! Levels:
//! - `notice`: exceedance or neighbours;
//! - `watch`: the limit, closed hours, or a notice whose `unusual` part is 0.6 or more;
//! - `warning`: density or flow, with the low end of the count at 20 people or more in public space, 10 in an institution;
//! - `critical`: density at 5.5 people per m2 or more, likewise.
//!
//! A limit that a shift lead demoted makes a notice; neighbours that were demoted count for nothing.
//!
//! So exceedance, growth, persistence and neighbours never make more than a `watch`, and no configuration makes fewer than 20 people
//! in public space a `warning`. Sources: 4.7 people per m2 and 82 a minute and metre are the most the Guide to Safety at Sports Grounds
//! (Green Guide, 6th edition, 2018) allows standing and on level ways; 5.5 is Fruin's (1993) bound of pushes that go through a crowd. A
//! configured density limit may lie between 3.6 and 5.5, where Fruin's contact level begins and ends.

use qorgan_domain::{
    alert::{Level, Reason, ReasonCode},
    crowd::{CrowdInputs, CrowdPlace, CrowdScore, WARNING_PEOPLE_PUBLIC},
};

use super::seconds;

pub(super) const NAME: &str = "crowd-v2";

/// Safety limit of density where none is configured, people per m2.
pub const SAFE_PER_M2: f32 = 4.7;
/// From here life is in danger, people per m2.
pub const CRITICAL_PER_M2: f32 = 5.5;
/// Safety limit of flow where none is configured, people a minute and metre of width.
pub const SAFE_FLOW_PER_M_MIN: f32 = 82.0;
/// Flow at which its strength is 1, in the same unit (Fruin's highest observed).
const FULL_FLOW_PER_M_MIN: f32 = 109.0;
/// Logarithm of the likelihood ratio from which neighbours count.
pub const SCAN_LLR: f32 = 10.0;
/// People below which an institution has no safety limit.
const WARNING_PEOPLE_INSTITUTION: f32 = 10.0;
/// Part of `unusual` from which a notice is a watch.
const WATCH_FROM: f32 = 0.6;
/// Growth below this is none, in people a minute.
const GROWS_FROM: f32 = 2.0;

pub(super) fn assess(inputs: &CrowdInputs) -> CrowdScore {
    let mut reasons = Vec::new();
    let mut tell = |code, observed, bound, ms: i64| reasons.push(Reason { code, observed, bound, for_s: seconds(ms) });
    let opened = |held_ms: Option<i64>| held_ms.filter(|ms| *ms >= inputs.open_after_ms);
    let safety = |held_ms: Option<i64>| held_ms.filter(|ms| *ms >= inputs.safety_after_ms);

    let demoted = |rule| inputs.demoted.contains(&rule);
    let (mut exceedance, mut growth, mut persistence, mut limit, mut neighbours, mut closed) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let exceeded = inputs.usual.filter(|_| inputs.expected.is_none()).and_then(|usual| Some((usual, opened(usual.held_ms)?)));
    if let Some((usual, ms)) = exceeded {
        exceedance = unit(usual.score / 2.0);
        tell(ReasonCode::AboveBaseline, inputs.low, usual.bound, ms);
    }
    let limited = inputs.limit.and_then(|limit| Some((limit, opened(limit.held_ms)?)));
    if let Some((known, ms)) = limited {
        limit = if demoted(ReasonCode::AboveLimit) { 0.0 } else { 1.0 };
        tell(ReasonCode::AboveLimit, inputs.low, known.limit, ms);
    }
    let longest = exceeded.map(|(usual, ms)| (ms, usual.bound));
    let longest = [longest, limited.map(|(known, ms)| (ms, known.limit))].into_iter().flatten().max_by_key(|e| e.0);
    if let Some((ms, bound)) = longest {
        persistence = unit(ms as f32 / 900_000.0);
        if let Some(usual) = inputs.usual.filter(|usual| usual.growth_per_min >= GROWS_FROM) {
            growth = unit(usual.growth_cusum / 10.0);
            tell(ReasonCode::Growth, usual.growth_per_min, GROWS_FROM, ms);
        }
        tell(ReasonCode::Persistent, inputs.low, bound, ms);
    }
    if let Some(scan) = inputs.scan.as_ref().filter(|scan| scan.llr >= SCAN_LLR && scan.cameras.len() > 1 && inputs.expected.is_none())
        && !demoted(ReasonCode::Neighbours)
    {
        neighbours = unit(scan.llr / 20.0);
        tell(ReasonCode::Neighbours, scan.observed, scan.expected, 0);
    }
    if let Some(ms) = opened(inputs.closed_ms).filter(|_| inputs.place == CrowdPlace::InstitutionClosed) {
        closed = 1.0;
        tell(ReasonCode::ClosedHours, inputs.low, 1.0, ms);
    }
    let unusual = 1.0
        - (1.0 - 0.5 * exceedance)
            * (1.0 - 0.6 * limit)
            * (1.0 - 0.3 * growth)
            * (1.0 - 0.2 * persistence)
            * (1.0 - 0.4 * neighbours)
            * (1.0 - 0.6 * closed);

    let mut level = (exceeded.is_some() || neighbours > 0.0).then_some(Level::Notice);
    if limited.is_some() {
        level = level.max(Some(Level::Notice));
    }
    if limit > 0.0 || closed > 0.0 || (level.is_some() && unusual >= WATCH_FROM) {
        level = Some(Level::Watch);
    }
    let (mut dense, mut flowing) = (0.0, 0.0);
    let enough = match inputs.place {
        CrowdPlace::Public => WARNING_PEOPLE_PUBLIC,
        CrowdPlace::Institution | CrowdPlace::InstitutionClosed => WARNING_PEOPLE_INSTITUTION,
    };
    if inputs.low >= enough {
        if let Some((density, ms)) = inputs.density.as_ref().and_then(|d| Some((d, safety(d.held_ms)?))) {
            dense = unit(density.per_m2_low / CRITICAL_PER_M2);
            tell(ReasonCode::Density, density.per_m2_low, density.limit, ms);
            level = Some(if density.per_m2_low >= CRITICAL_PER_M2 { Level::Critical } else { Level::Warning });
        }
        if let Some((flow, ms)) = inputs.flow.as_ref().and_then(|f| Some((f, safety(f.held_ms)?))) {
            flowing = unit(flow.per_m_min_low / FULL_FLOW_PER_M_MIN);
            tell(ReasonCode::Flow, flow.per_m_min_low, flow.limit, ms);
            level = level.max(Some(Level::Warning));
        }
    }
    let score = 100.0 * (1.0 - (1.0 - unusual) * (1.0 - dense) * (1.0 - flowing));
    CrowdScore { formula: NAME.to_owned(), score: (score * 10.0).round() / 10.0, level, reasons }
}

fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}
