//! Cumulative sum of residuals: small steady rises that no single value shows.

/// One-sided cumulative sum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cusum {
    sum: f64,
}

impl Cusum {
    /// Adds a standardised residual less the allowance `k` (half of the smallest rise that matters, in standard deviations), and gives
    /// the sum; it never falls below 0 and never passes `cap`, so that one enormous value is forgotten in time. A missing value
    /// (NaN) changes nothing.
    pub fn add(&mut self, residual: f64, k: f64, cap: f64) -> f64 {
        if !residual.is_nan() {
            self.sum = (self.sum + residual - k).clamp(0.0, cap);
        }
        self.sum
    }

    /// The sum as it stands.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.sum = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_stays_low_and_a_steady_rise_adds_up() {
        let mut cusum = Cusum::default();
        for n in 0..1000 {
            assert!(cusum.add(if n % 2 == 0 { 1.0 } else { -1.0 }, 0.5, 20.0) < 1.0);
        }
        for _ in 0..10 {
            cusum.add(1.5, 0.5, 20.0);
        }
        assert!((cusum.sum() - 10.0).abs() < 1e-9);
        cusum.add(f64::NAN, 0.5, 20.0);
        cusum.add(1e9, 0.5, 20.0);
        assert_eq!(cusum.sum(), 20.0);
        cusum.reset();
        assert_eq!(cusum.sum(), 0.0);
    }
}
