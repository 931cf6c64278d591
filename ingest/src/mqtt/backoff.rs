//! Waiting longer after each failure, never twice the same, so that a fleet does not come back in step.

use std::time::Duration;

use rand::Rng;

pub(crate) struct Backoff {
    next: Duration,
    first: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { next: first, first, max }
    }

    /// How long to wait now: half to all of a step that doubles up to the maximum.
    pub(crate) fn step(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.max);
        step.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// It worked: begin again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_to_the_maximum_and_start_again() {
        let (first, max) = (Duration::from_millis(100), Duration::from_secs(1));
        let mut backoff = Backoff::new(first, max);
        for expected_ms in [100, 200, 400, 800, 1000, 1000] {
            let step = backoff.step().as_millis();
            assert!((expected_ms / 2..=expected_ms).contains(&step), "{step} of {expected_ms}");
        }
        backoff.reset();
        assert!(backoff.step() <= first);
    }
}
