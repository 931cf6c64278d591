//! From hours to minutes, and what is added.
//!
//! The intensity goes in straight lines between the middles of the hours, scaled so that each hour keeps its sum; it is multiplied by
//! a log-normal disturbance of standard deviation 0.15 that is forgotten in about three minutes (an autoregression of minutes: people come in
//! waves, by traffic lights, buses and trains); a minute is then a negative binomial number of that mean with dispersion 1.5 (they come in
//! groups). What changes more slowly than in minutes is in the real hours already. An hour without a count is an hour of silence.

use rand::{Rng, rngs::StdRng};
use rand_distr::{Distribution, Gamma, Normal, Poisson};

/// Standard deviation of the waves, in logarithms, and how much of one is left after a minute.
const WAVE: f64 = 0.15;
const KEPT: f64 = 0.717;
/// Variance of a minute by its mean.
const DISPERSION: f64 = 1.5;

/// Minutes of one sensor.
#[derive(Debug)]
pub struct Minutes(Vec<f32>);

impl Minutes {
    /// Spreads hourly counts (NaN: missing).
    pub fn new(hours: &[f32], random: &mut StdRng) -> Self {
        let mut wave = 0.0_f64;
        let mut out = Vec::with_capacity(hours.len() * 60);
        for hour in 0..hours.len() {
            let known = |at: Option<usize>| at.and_then(|at| hours.get(at)).copied().filter(|c| !c.is_nan()).map(f64::from);
            let Some(here) = known(Some(hour)) else {
                out.extend([f32::NAN; 60]);
                continue;
            };
            let before = known(hour.checked_sub(1)).unwrap_or(here);
            let after = known(Some(hour + 1)).unwrap_or(here);
            let shape = |minute: usize| {
                let offset = (minute as f64 + 0.5) / 60.0 - 0.5;
                if offset < 0.0 { here + (before - here) * -offset } else { here + (after - here) * offset }
            };
            let sum: f64 = (0..60).map(shape).sum();
            for minute in 0..60 {
                let fresh: f64 = normal(random);
                wave = KEPT * wave + WAVE * (1.0 - KEPT * KEPT).sqrt() * fresh;
                let mean = if sum > 0.0 { shape(minute) / sum * here } else { 0.0 };
                out.push(group_count(mean * (wave - WAVE * WAVE / 2.0).exp(), random));
            }
        }
        Self(out)
    }

    /// People counted in a minute; none in silence and after the end.
    pub fn at(&self, minute: usize) -> Option<f32> {
        self.0.get(minute).copied().filter(|people| !people.is_nan())
    }
}

fn normal(random: &mut StdRng) -> f64 {
    Normal::new(0.0, 1.0).map_or(0.0, |n| n.sample(random))
}

/// A negative binomial number: a Poisson one whose mean is gamma.
fn group_count(mean: f64, random: &mut StdRng) -> f32 {
    let scale = DISPERSION - 1.0;
    let mean = Gamma::new(mean / scale, scale).map_or(0.0, |g| g.sample(random));
    poisson(mean, random)
}

fn poisson(mean: f64, random: &mut StdRng) -> f32 {
    Poisson::new(mean).map_or(0.0, |p| p.sample(random)) as f32
}

/// People a minute that are usual in each hour: the median of the same hour of the four weeks before and after, without the week itself.
/// For choosing places and sizes only; no method sees it. None with fewer than four such weeks, or where nothing was counted.
pub fn usual(hours: &[f32]) -> Vec<Option<f32>> {
    let one = |hour: usize| {
        if hours[hour].is_nan() {
            return None;
        }
        let weeks = (1..=4).flat_map(|week| [hour.checked_sub(week * 168), Some(hour + week * 168)]);
        let mut counts: Vec<f32> = weeks.flatten().filter_map(|at| hours.get(at)).copied().filter(|c| !c.is_nan()).collect();
        counts.sort_by(f32::total_cmp);
        (counts.len() >= 4).then(|| counts[counts.len() / 2] / 60.0)
    };
    (0..hours.len()).map(one).collect()
}

/// A gathering: people beyond the usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gathering {
    /// How many times the usual count there are with it: 1.5, 2 or 3.
    pub times: f32,
    /// Minutes until all are there, in a straight line: 5, 15 or 30.
    pub rise_min: usize,
}

/// Minutes for which all of them stay.
pub const STAY_MIN: usize = 45;

impl Gathering {
    /// Half of them of twice the usual count.
    pub fn any(random: &mut StdRng) -> Self {
        let times = [1.5, 2.0, 2.0, 3.0][random.random_range(0..4)];
        Self { times, rise_min: [5, 15, 30][random.random_range(0..3)] }
    }

    /// People who are added in a minute after its beginning.
    pub fn people(&self, passed: usize, usual: f32, random: &mut StdRng) -> f32 {
        let part = ((passed + 1) as f32 / self.rise_min as f32).min(1.0);
        poisson(f64::from((self.times - 1.0) * usual * part), random)
    }

    /// Minutes from its beginning in which it can be noticed in time.
    pub fn window(&self) -> usize {
        self.rise_min + STAY_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn hours_keep_their_sums_silence_stays_silent_and_the_same_seed_gives_the_same() {
        let mut hours = vec![600.0_f32; 400];
        hours[7] = f32::NAN;
        hours[9] = 0.0;
        let make = |seed| Minutes::new(&hours, &mut StdRng::seed_from_u64(seed));
        let minutes = make(1);
        assert!((0..60).all(|m| minutes.at(7 * 60 + m).is_none() && minutes.at(9 * 60 + m) == Some(0.0)));
        let total: f32 = (20 * 60..400 * 60).filter_map(|m| minutes.at(m)).sum();
        assert!((total / (380.0 * 600.0) - 1.0).abs() < 0.02, "{total}");
        assert_eq!(format!("{:?}", make(1)), format!("{minutes:?}"));
        assert_ne!(format!("{:?}", make(2)), format!("{minutes:?}"));
    }

    #[test]
    fn usual_does_not_see_the_week_itself() {
        let mut hours = vec![1200.0_f32; 168 * 12];
        hours[168 * 6 + 5] = 90_000.0;
        let usual = usual(&hours);
        assert_eq!(usual[168 * 6 + 5], Some(20.0));
        assert_eq!(usual[168 * 5 + 5], Some(20.0));
    }
}
