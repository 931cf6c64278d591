//! How far a statistic goes by itself: the value that one camera passes about once a month, learned from its own past.
//!
//! Peaks over a threshold: the 99 % quantile of the hourly maxima is followed by stochastic approximation, and what lies above
//! it by its mean excess (an exponential tail); the monthly value is extrapolated from both. Source: Siffer et al., Anomaly Detection in
//! Streams with Extreme Value Theory (KDD 2017), with a tail index of 0. Before there is a past, `prior` holds.

/// Part of the hours under the threshold.
const QUANTILE: f32 = 0.99;
/// ln of how much rarer once a month (730 hours) is than the threshold is passed.
const RARER: f32 = 1.988;
/// Hours that the assumed values weigh.
const PRIOR_HOURS: f32 = 500.0;
/// Longest memory, in hours.
const MEMORY_HOURS: f32 = 4_380.0;

/// Tail of one statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// 99 % quantile of hourly maxima.
    pub threshold: f32,
    /// Mean of what lies above it.
    pub excess: f32,
    /// Hours known.
    pub hours: f32,
    /// Largest value of the hour under way.
    pub hour_max: f32,
}

impl Tail {
    /// Nothing known yet.
    pub fn assumed(threshold: f32, excess: f32) -> Self {
        Self { threshold, excess, hours: 0.0, hour_max: f32::NEG_INFINITY }
    }

    /// Notes a value of the hour under way.
    pub fn see(&mut self, value: f32) {
        self.hour_max = self.hour_max.max(value);
    }

    /// Ends an hour.
    pub fn end_hour(&mut self) {
        let value = std::mem::replace(&mut self.hour_max, f32::NEG_INFINITY);
        if !value.is_finite() {
            return;
        }
        self.hours = (self.hours + 1.0).min(MEMORY_HOURS);
        let gain = 1.0 / (self.hours + PRIOR_HOURS);
        let above = value > self.threshold;
        // The step has the size of the tail: a quantile is followed at its own scale.
        let scale = 25.0 * self.excess.max(0.05);
        self.threshold += gain * scale * (if above { QUANTILE } else { QUANTILE - 1.0 });
        if above {
            // A single event cannot stretch the tail without end.
            let excess = (value - self.threshold).clamp(0.0, 6.0 * self.excess.max(0.05));
            let part = 25.0 * gain;
            self.excess += part.min(0.2) * (excess - self.excess);
        }
        self.threshold = self.threshold.clamp(0.5, 50.0);
        self.excess = self.excess.clamp(0.02, 20.0);
    }

    /// The value that is passed about once a month.
    pub fn monthly(&self) -> f32 {
        self.threshold + RARER * self.excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monthly_value_of_an_exponential_tail_is_found() {
        let mut tail = Tail::assumed(2.6, 0.6);
        let mut state = 7_u64;
        let (mut passed, months) = (0, 24);
        for hour in 0..730 * (12 + months) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let uniform = ((state >> 33) as f32 + 0.5) / (1_u64 << 31) as f32;
            let value = -uniform.ln();
            passed += usize::from(hour > 730 * 12 && value > tail.monthly());
            tail.see(value);
            tail.end_hour();
        }
        assert!((months / 3..months * 3).contains(&passed), "{passed} in {months} months: {tail:?}");
    }

    #[test]
    fn an_hour_without_a_value_changes_nothing() {
        let mut tail = Tail::assumed(2.6, 0.6);
        let before = tail;
        tail.end_hour();
        assert_eq!(tail, before);
    }
}
