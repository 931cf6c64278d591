//! What is usual at a camera: a rolling memory of the largest count of each minute.
//!
//! Bound = median + 3 s, with s = max(1.4826 MAD, sqrt(median)). The first is the Hampel identifier
//! (Hampel 1974; Leys et al., J. Exp. Soc. Psychol. 49, 2013): half of the minutes may be odd without
//! moving it. The second keeps the spread from falling below a Poisson one, as Farrington flexible does with
//! its dispersion of at least 1 (Noufaily et al., Stat. Med. 32, 2013).

use std::collections::VecDeque;

use qorgan_domain::UtcMs;

/// Usual count and the bound above which a count is unusual, in people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usual {
    pub(crate) median: f32,
    pub(crate) bound: f32,
}

/// Minutes of one camera, at most as many as the window holds.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    minutes: VecDeque<(i64, f32)>,
    /// The minute under way: its number, its largest count, and whether an alert was open in it.
    current: Option<(i64, f32, bool)>,
    usual: Option<Usual>,
}

impl Baseline {
    /// Learns from one count. Minutes in which an alert was open teach nothing.
    pub(crate) fn learn(&mut self, at: UtcMs, people: f32, alert_open: bool, window: u32, needed: u32) {
        let minute = at.0.div_euclid(60_000);
        match &mut self.current {
            Some((current, max, tainted)) if *current == minute => {
                *max = max.max(people);
                *tainted |= alert_open;
            }
            current => {
                let done = current.replace((minute, people, alert_open));
                if let Some((minute, max, false)) = done {
                    self.add(minute, max, window, needed);
                }
            }
        }
    }

    /// Adds a finished minute.
    pub(crate) fn add(&mut self, minute: i64, max: f32, window: u32, needed: u32) {
        self.minutes.push_back((minute, max));
        let first = minute - i64::from(window);
        while self.minutes.front().is_some_and(|(m, _)| *m <= first) || self.minutes.len() > window as usize {
            self.minutes.pop_front();
        }
        let enough = self.minutes.len() >= needed.max(1) as usize;
        self.usual = if enough { Some(self.compute()) } else { None };
    }

    /// None until enough minutes are known.
    pub(crate) fn usual(&self) -> Option<Usual> {
        self.usual
    }

    fn compute(&self) -> Usual {
        let mut values: Vec<f32> = self.minutes.iter().map(|(_, max)| *max).collect();
        let middle = median(&mut values);
        let mut deviations: Vec<f32> = values.iter().map(|v| (v - middle).abs()).collect();
        let spread = (1.4826 * median(&mut deviations)).max(middle.sqrt());
        Usual { median: middle, bound: middle + 3.0 * spread }
    }
}

/// Lower median: a value that was really seen.
fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> UtcMs {
        UtcMs(n * 60_000)
    }

    #[test]
    fn nothing_is_unusual_before_enough_is_known_and_memory_is_bounded() {
        let mut baseline = Baseline::default();
        for n in 0..10 {
            assert_eq!(baseline.usual(), None);
            baseline.learn(minute(n), 4.0, false, 20, 10);
        }
        baseline.learn(minute(10), 4.0, false, 20, 10);
        assert_eq!(baseline.usual(), Some(Usual { median: 4.0, bound: 10.0 }));
        for n in 11..1000 {
            baseline.learn(minute(n), 4.0, false, 20, 10);
        }
        assert_eq!(baseline.minutes.len(), 20);
    }

    #[test]
    fn a_few_odd_minutes_do_not_move_it_and_alert_minutes_teach_nothing() {
        let mut baseline = Baseline::default();
        for n in 0..60 {
            baseline.learn(minute(n), if n % 5 == 0 { 90.0 } else { 4.0 }, false, 360, 30);
        }
        assert_eq!(baseline.usual().unwrap().median, 4.0);
        for n in 60..360 {
            baseline.learn(minute(n), 80.0, true, 360, 30);
        }
        assert_eq!(baseline.usual().unwrap().median, 4.0);
    }

    #[test]
    fn after_a_long_pause_old_minutes_count_no_more() {
        let mut baseline = Baseline::default();
        for n in 0..60 {
            baseline.learn(minute(n), 4.0, false, 360, 30);
        }
        baseline.learn(minute(10_000), 4.0, false, 360, 30);
        baseline.learn(minute(10_001), 4.0, false, 360, 30);
        assert_eq!(baseline.usual(), None);
    }
}
