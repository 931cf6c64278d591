//! How much a desk has to hear: alarm figures after IEC 62682 (ISA-18.2). Pure: made from what was raised, and when.
//!
//! - **rate**: alerts in each ten minutes; 1 is what one person deals with well, 2 the most for long;
//! - **flood**: more than 10 in ten minutes, until a ten-minute span has fewer than 5;
//! - **chattering**: the same source three times within a minute; a camera's crowd alerts within ten minutes;
//! - **stale**: open for more than 24 hours;
//! - **shelved**: put aside by a named person until a time; it comes back by itself;
//! - **top ten**: the sources that spoke most.

use std::collections::BTreeMap;

use qorgan_domain::UtcMs;
use serde::Serialize;

/// Length of the span that is counted, in milliseconds.
pub const SPAN_MS: i64 = 600_000;
/// More alerts than this in one span begin a flood.
pub const FLOOD_ABOVE: u32 = 10;
/// Fewer than this in one span end it.
pub const FLOOD_BELOW: u32 = 5;
/// Open for longer than this is stale, in milliseconds.
pub const STALE_MS: i64 = 24 * 3_600_000;

/// What a desk heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: UtcMs,
    /// Until when it was open; none: it still is.
    pub until: Option<UtcMs>,
    /// Who made it: a device, or `by hand`.
    pub source: String,
    /// Kind of alert.
    pub kind: &'static str,
}

/// A flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Flood {
    /// From.
    pub from: UtcMs,
    /// Until; none: it is on.
    pub until: Option<UtcMs>,
    /// Alerts within it.
    pub alerts: u32,
}

/// A source and how often it spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Which.
    pub source: String,
    /// How often.
    pub alerts: u32,
}

/// Load of one desk in a span of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Alerts in all.
    pub alerts: u32,
    /// Mean per ten minutes.
    pub per_span: f64,
    /// Most in any ten minutes that begin with an alert.
    pub most_in_span: u32,
    /// In the last ten minutes.
    pub now: u32,
    /// In each ten minutes from the beginning on, oldest first; the last of them may not be over.
    pub spans: Vec<u32>,
    /// Part of the time in a flood, in per cent.
    pub flood_percent: f64,
    /// Floods, oldest first.
    pub floods: Vec<Flood>,
    /// Sources that chatter.
    pub chattering: Vec<Source>,
    /// Alerts that have been open too long.
    pub stale: u32,
    /// The ten sources that spoke most.
    pub top: Vec<Source>,
}

/// Load from `from` until `to`, in whatever order it comes; what was raised before is only looked at for what is stale.
pub fn load(heard: &[Heard], from: UtcMs, to: UtcMs) -> Load {
    let still_open = |h: &&Heard| h.at < to && h.until.is_none_or(|until| until > from);
    let stale = heard.iter().filter(still_open).filter(|h| h.until.unwrap_or(to).min(to).ms_since(h.at) > STALE_MS).count();
    let mut heard: Vec<&Heard> = heard.iter().filter(|h| h.at >= from && h.at < to).collect();
    heard.sort_by_key(|h| h.at);
    let times: Vec<i64> = heard.iter().map(|h| h.at.0).collect();
    let within = |begin: i64| number(times.iter().filter(|at| (begin..begin + SPAN_MS).contains(*at)).count());
    let floods = floods(&times, to);
    let flooded_ms: i64 = floods.iter().map(|flood| flood.until.unwrap_or(to).ms_since(flood.from)).sum();
    let span_ms = to.ms_since(from).max(1);
    Load {
        alerts: number(heard.len()),
        per_span: heard.len() as f64 * SPAN_MS as f64 / span_ms as f64,
        most_in_span: times.iter().map(|at| within(*at)).max().unwrap_or(0),
        now: within(to.0 - SPAN_MS),
        spans: spans(&times, from, to),
        flood_percent: 100.0 * flooded_ms as f64 / span_ms as f64,
        floods,
        chattering: chattering(&heard),
        stale: number(stale),
        top: top(heard.iter().map(|h| h.source.as_str()), 10),
    }
}

/// Longest time that is told span by span, in spans: a week.
const MOST_SPANS: usize = 1_008;

fn spans(times: &[i64], from: UtcMs, to: UtcMs) -> Vec<u32> {
    let begun = (to.ms_since(from).max(0) + SPAN_MS - 1) / SPAN_MS;
    let mut spans = vec![0; usize::try_from(begun).unwrap_or(0).min(MOST_SPANS)];
    for at in times {
        if let Some(span) = usize::try_from((at - from.0) / SPAN_MS).ok().and_then(|n| spans.get_mut(n)) {
            *span += 1;
        }
    }
    spans
}

/// A flood begins with the alert that is one too many of a span, and ends with the first span that has few.
fn floods(times: &[i64], to: UtcMs) -> Vec<Flood> {
    let mut floods: Vec<Flood> = Vec::new();
    let mut open: Option<(i64, u32)> = None;
    for (n, at) in times.iter().enumerate() {
        let span = |end: i64| number(times[..=n].iter().filter(|t| (end - SPAN_MS..=end).contains(*t)).count());
        if let Some((from, alerts)) = open {
            // The span that ended before this alert came: had it become quiet in between?
            let quiet_at = times[..n].iter().rev().nth(FLOOD_BELOW as usize - 1).map_or(*at, |t| t + SPAN_MS);
            if quiet_at < *at {
                floods.push(Flood { from: UtcMs(from), until: Some(UtcMs(quiet_at)), alerts });
                open = None;
            } else {
                open = Some((from, alerts + 1));
            }
        }
        if open.is_none() && span(*at) > FLOOD_ABOVE {
            open = Some((*at, 1));
        }
    }
    if let Some((from, alerts)) = open {
        let quiet_at = times.iter().rev().nth(FLOOD_BELOW as usize - 1).map_or(to.0, |t| t + SPAN_MS);
        floods.push(Flood { from: UtcMs(from), until: (quiet_at < to.0).then_some(UtcMs(quiet_at)), alerts });
    }
    floods
}

fn chattering(heard: &[&Heard]) -> Vec<Source> {
    let mut by_source: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for h in heard {
        by_source.entry((h.source.as_str(), h.kind)).or_default().push(h.at.0);
    }
    let chatters = by_source.into_iter().filter(|((_, kind), times)| {
        let within = if *kind == "crowd" { SPAN_MS } else { 60_000 };
        times.windows(3).any(|three| three[2] - three[0] <= within)
    });
    let mut all: Vec<Source> =
        chatters.map(|((source, _), times)| Source { source: source.to_owned(), alerts: number(times.len()) }).collect();
    all.sort_by(|a, b| b.alerts.cmp(&a.alerts).then(a.source.cmp(&b.source)));
    all
}

fn top<'a>(sources: impl Iterator<Item = &'a str>, most: usize) -> Vec<Source> {
    let mut by_source: BTreeMap<&str, u32> = BTreeMap::new();
    sources.for_each(|source| *by_source.entry(source).or_default() += 1);
    let mut all: Vec<Source> = by_source.into_iter().map(|(source, alerts)| Source { source: source.to_owned(), alerts }).collect();
    all.sort_by(|a, b| b.alerts.cmp(&a.alerts).then(a.source.cmp(&b.source)));
    all.truncate(most);
    all
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(minute: f64, source: &str) -> Heard {
        let at = UtcMs((minute * 60_000.0) as i64);
        Heard { at, until: Some(UtcMs(at.0 + 60_000)), source: source.into(), kind: "alarm" }
    }

    #[test]
    fn a_quiet_shift_has_no_flood_and_its_mean() {
        let all: Vec<Heard> = (0..12).map(|n| heard(f64::from(n) * 60.0, &format!("s/{n}"))).collect();
        let load = load(&all, UtcMs(0), UtcMs(12 * 3_600_000));
        assert_eq!((load.alerts, load.most_in_span, load.floods.len(), load.chattering.len()), (12, 1, 0, 0));
        assert!((load.per_span - 12.0 / 72.0).abs() < 1e-9);
        assert_eq!(load.top.len(), 10);
    }

    #[test]
    fn eleven_in_ten_minutes_are_a_flood_until_few_come() {
        let mut all: Vec<Heard> = (0..15).map(|n| heard(f64::from(n) * 0.5, "s/a")).collect();
        all.push(heard(60.0, "s/a"));
        let load = load(&all, UtcMs(0), UtcMs(2 * 3_600_000));
        assert_eq!(load.floods.len(), 1, "{:?}", load.floods);
        let flood = load.floods[0];
        assert_eq!(flood.from, UtcMs(300_000), "the eleventh");
        // The fifth last of the fifteen came at minute 5: from minute 15 on fewer than five lie within ten minutes.
        assert_eq!(flood.until, Some(UtcMs(15 * 60_000)));
        assert_eq!(load.chattering, [Source { source: "s/a".into(), alerts: 16 }]);
    }

    #[test]
    fn ten_are_none_and_what_lies_outside_is_left_out() {
        let mut all: Vec<Heard> = (0..10).map(|n| heard(f64::from(n), &format!("s/{n}"))).collect();
        all.push(heard(-1.0, "early"));
        all.push(heard(500.0, "late"));
        let load = load(&all, UtcMs(0), UtcMs(3_600_000));
        assert_eq!((load.alerts, load.floods.len()), (10, 0));
        assert_eq!(self::load(&[], UtcMs(0), UtcMs(0)).alerts, 0, "an empty span divides by nothing");
    }

    #[test]
    fn every_alert_lies_in_one_span_and_the_last_span_is_the_one_that_runs() {
        let all: Vec<Heard> = [0.0, 9.9, 10.0, 34.0].iter().map(|minute| heard(*minute, "s/a")).collect();
        assert_eq!(load(&all, UtcMs(0), UtcMs(35 * 60_000)).spans, [2, 1, 0, 1]);
        assert_eq!(load(&all, UtcMs(60_000), UtcMs(20 * 60_000)).spans, [2, 0], "counted from the shift's own beginning");
        assert!(load(&all, UtcMs(0), UtcMs(0)).spans.is_empty());
        assert_eq!(load(&[], UtcMs(0), UtcMs(i64::MAX / 2)).spans.len(), MOST_SPANS, "and bounded");
    }

    #[test]
    fn what_is_open_for_more_than_a_day_is_stale() {
        let open = Heard { until: None, ..heard(0.0, "s/a") };
        let day = UtcMs(25 * 3_600_000);
        assert_eq!((load(std::slice::from_ref(&open), UtcMs(0), day).stale, load(&[heard(0.0, "s/a")], UtcMs(0), day).stale), (1, 0));
        // It was raised long before the shift began: an alert of this shift alone can never be a day old.
        let shift = UtcMs(24 * 3_600_000);
        let told = load(&[open], shift, day);
        assert_eq!((told.stale, told.alerts), (1, 0));
    }
}
