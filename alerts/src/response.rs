//! The response clock: how fast alarms were claimed in a shift. Pure; receives alerts as they change, and `now`.
//!
//! EN 50518 asks that 80 % of alarms are answered within 30 s and 98.5 % within 60 s; a flood is more than 10 alarms in 10 minutes at one
//! desk (IEC 62682). The clock of an alarm runs from its arrival at the hub, not from when an edge box heard it. Tests and drills do not count.

use std::collections::BTreeMap;

use qorgan_domain::{
    AlertId, UtcMs,
    alert::{Alert, AlertState, Cause},
};

/// Claimed within this, in milliseconds, and the share of alarms that should be, in per cent.
pub const GOALS: [(i64, f64); 2] = [(30_000, 80.0), (60_000, 98.5)];
/// More alarms than this in [`FLOOD_WINDOW_MS`] at one desk are a flood.
pub const FLOOD_ALARMS: usize = 10;
/// Window of a flood, in milliseconds.
pub const FLOOD_WINDOW_MS: i64 = 600_000;
/// Alarms older than this are forgotten, in milliseconds: two shifts of twelve hours.
const MEMORY_MS: i64 = 24 * 3_600_000;

/// When an alarm came in and when it was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    received_at: UtcMs,
    claimed_at: Option<UtcMs>,
    waiting: bool,
}

/// The alarms of the last day.
#[derive(Debug, Clone, Default)]
pub struct ResponseClock {
    alarms: BTreeMap<AlertId, Answer>,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ResponseFigures {
    /// Alarms since the shift began.
    pub alarms: usize,
    /// Share claimed within 30 s, in per cent, of those claimed or older than that; none without one.
    pub within_30s_percent: Option<f64>,
    /// The same for 60 s.
    pub within_60s_percent: Option<f64>,
    /// Half of the alarms were claimed within this, in milliseconds; one that still waits counts with its age.
    pub p50_ms: Option<i64>,
    /// 80 % were.
    pub p80_ms: Option<i64>,
    /// 98.5 % were.
    pub p98_5_ms: Option<i64>,
    /// Alarms that nobody has claimed now.
    pub unclaimed: usize,
    /// Alarms of the last ten minutes.
    pub last_10min: usize,
    /// More of them than `desks` attended desks can answer.
    pub flood: bool,
}

impl ResponseClock {
    /// Takes an alert as it is now; what is no real alarm is passed over.
    pub fn see(&mut self, alert: &Alert) {
        let Cause::Alarm(press) = &alert.cause else { return };
        if press.test {
            return;
        }
        let waiting = alert.state == AlertState::Raised && alert.claimed_by.is_none();
        let answer = Answer { received_at: press.received_at, claimed_at: alert.progress.claimed_at, waiting };
        self.alarms.insert(alert.id, answer);
    }

    /// Forgets what is older than a day.
    pub fn forget(&mut self, now: UtcMs) {
        self.alarms.retain(|_, answer| answer.waiting || now.ms_since(answer.received_at) <= MEMORY_MS);
    }

    /// The figures of the alarms that came in since a moment. `desks` is how many desks are attended.
    pub fn figures(&self, since: UtcMs, now: UtcMs, desks: usize) -> ResponseFigures {
        let of_shift: Vec<&Answer> = self.alarms.values().filter(|answer| answer.received_at >= since).collect();
        let mut waits: Vec<i64> =
            of_shift.iter().map(|answer| answer.claimed_at.unwrap_or(now).ms_since(answer.received_at).max(0)).collect();
        waits.sort_unstable();
        let within = |limit_ms: i64| {
            let judged: Vec<bool> = of_shift
                .iter()
                .filter_map(|answer| match answer.claimed_at {
                    Some(at) => Some(at.ms_since(answer.received_at) <= limit_ms),
                    None => (now.ms_since(answer.received_at) > limit_ms).then_some(false),
                })
                .collect();
            let good = judged.iter().filter(|good| **good).count();
            // Counts of alarms, far below 2^53.
            (!judged.is_empty()).then(|| 100.0 * good as f64 / judged.len() as f64)
        };
        let last_10min = self.alarms.values().filter(|answer| now.ms_since(answer.received_at) <= FLOOD_WINDOW_MS).count();
        ResponseFigures {
            alarms: of_shift.len(),
            within_30s_percent: within(GOALS[0].0),
            within_60s_percent: within(GOALS[1].0),
            p50_ms: percentile(&waits, 50.0),
            p80_ms: percentile(&waits, 80.0),
            p98_5_ms: percentile(&waits, 98.5),
            unclaimed: self.alarms.values().filter(|answer| answer.waiting).count(),
            last_10min,
            flood: last_10min > FLOOD_ALARMS * desks.max(1),
        }
    }
}

/// Nearest rank: the smallest value that at least `percent` of the sorted values do not exceed.
fn percentile(sorted: &[i64], percent: f64) -> Option<i64> {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// The shift that is on: when it began and when it ends. `starts_min` are minutes after local midnight, sorted, at least one.
pub fn shift_window(starts_min: &[u32], utc_offset_min: i32, now: UtcMs) -> (UtcMs, UtcMs) {
    const DAY_MS: i64 = 86_400_000;
    let offset_ms = i64::from(utc_offset_min) * 60_000;
    let local = now.0 + offset_ms;
    let midnight = local.div_euclid(DAY_MS) * DAY_MS;
    let starts = |day: i64| starts_min.iter().map(move |min| midnight + day * DAY_MS + i64::from(*min) * 60_000);
    let all: Vec<i64> = (-1..=1).flat_map(starts).collect();
    let began = all.iter().copied().filter(|at| *at <= local).max().unwrap_or(midnight);
    let ends = all.iter().copied().filter(|at| *at > local).min().unwrap_or(midnight + DAY_MS);
    (UtcMs(began - offset_ms), UtcMs(ends - offset_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(answers: &[(i64, Option<i64>)]) -> ResponseClock {
        let answer = |(received, claimed): &(i64, Option<i64>)| Answer {
            received_at: UtcMs(received * 1_000),
            claimed_at: claimed.map(|at| UtcMs(at * 1_000)),
            waiting: claimed.is_none(),
        };
        ResponseClock { alarms: (1..).map(AlertId).zip(answers.iter().map(answer)).collect() }
    }

    #[test]
    fn an_alarm_that_still_waits_is_judged_only_when_its_time_is_over() {
        let clock = clock(&[(0, Some(10)), (0, Some(45)), (100, None)]);
        let at = |s: i64| clock.figures(UtcMs(0), UtcMs(s * 1_000), 1);
        assert_eq!((at(110).within_30s_percent, at(110).within_60s_percent), (Some(50.0), Some(100.0)));
        let later = at(140);
        assert_eq!((later.within_30s_percent.unwrap() * 3.0).round(), 100.0);
        assert_eq!(later.within_60s_percent, Some(100.0), "it still has twenty seconds");
        assert_eq!((later.p50_ms, later.p98_5_ms, later.unclaimed), (Some(40_000), Some(45_000), 1));
    }

    #[test]
    fn a_shift_counts_its_own_alarms_and_an_empty_one_has_no_percent() {
        let clock = clock(&[(0, Some(10)), (7_200, Some(7_210))]);
        assert_eq!(clock.figures(UtcMs(3_600_000), UtcMs(7_300_000), 1).alarms, 1);
        let empty = ResponseClock::default().figures(UtcMs(0), UtcMs(1), 1);
        assert_eq!((empty.within_30s_percent, empty.p50_ms, empty.flood), (None, None, false));
    }

    #[test]
    fn eleven_alarms_in_ten_minutes_are_a_flood_for_one_desk_and_not_for_two() {
        let clock = clock(&(0..11).map(|i| (i, None)).collect::<Vec<_>>());
        assert!(clock.figures(UtcMs(0), UtcMs(60_000), 1).flood);
        assert!(!clock.figures(UtcMs(0), UtcMs(60_000), 2).flood);
        assert!(!clock.figures(UtcMs(0), UtcMs(700_000), 1).flood, "it is over after ten minutes");
    }

    #[test]
    fn shifts_follow_local_time_over_midnight() {
        let window = |now: &str| {
            let (began, ends) = shift_window(&[8 * 60, 20 * 60], 300, now.parse().unwrap());
            (began.to_string(), ends.to_string())
        };
        let of = |a: &str, b: &str| (format!("{a}:00:00.000Z"), format!("{b}:00:00.000Z"));
        assert_eq!(window("2026-11-22T03:00:00Z"), of("2026-11-22T03", "2026-11-22T15"), "08:00 in Taraz");
        assert_eq!(window("2026-11-22T02:59:59Z"), of("2026-11-21T15", "2026-11-22T03"));
        assert_eq!(window("2026-11-22T20:00:00Z"), of("2026-11-22T15", "2026-11-23T03"));
        let (began, ends) = shift_window(&[0], 300, "2026-11-22T03:00:00Z".parse().unwrap());
        assert_eq!(ends.ms_since(began), 86_400_000);
    }
}
