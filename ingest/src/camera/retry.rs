//! How long to wait before the next try.

use std::time::Duration;

/// Exponential back-off with full jitter: a uniform share of a bound that doubles from `first` to `longest`.
///
/// Full jitter spreads the cameras of a switch that came back over the whole interval
/// (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// Counts a failure and says how long to wait; `share` is random, from 0 to 1.
    pub fn after_failure(&mut self, share: f64) -> Duration {
        let bound = self.first.saturating_mul(1 << self.failures.min(20)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(share.clamp(0.0, 1.0))
    }

    /// Forgets the failures: the camera has proved itself.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest_and_starts_again_after_a_reset() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<u64> = (0..8).map(|_| backoff.after_failure(1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        for _ in 0..100 {
            assert!(backoff.after_failure(1.0) <= Duration::from_secs(60));
        }
        backoff.reset();
        assert_eq!(backoff.after_failure(0.5), Duration::from_millis(500));
    }
}
