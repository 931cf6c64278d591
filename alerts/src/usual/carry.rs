//! How much of a lively day carries on, and where it is going: a regression on two numbers that is learned as it goes.
//!
//! `ln(people / usual)` of now is explained by the same of some time ago and by how it differed before that. The sums of squares and
//! products fade by half in 24 days of minutes, so that a camera whose street changes is followed; at first it is as if the day carried
//! on by nine tenths. Source: recursive least squares with forgetting (Ljung, System Identification, 1999).

/// What is left of the sums after a minute.
const KEPT: f32 = 0.999_98;
/// Minutes that the assumption weighs, times the square of a common change.
const PRIOR: f32 = 40.0;
/// Furthest a logarithm may pull, and furthest an expectation may go.
const PULL: f32 = 2.0;
const FAR: f32 = 5.0;

/// Sums of one regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carry {
    /// Squares of both numbers, their product, and the products with what followed.
    pub sums: [f32; 5],
}

impl Default for Carry {
    fn default() -> Self {
        Self { sums: [PRIOR, PRIOR, 0.0, 0.9 * PRIOR, 0.0] }
    }
}

impl Carry {
    /// Notes what followed.
    pub fn learn(&mut self, past: [f32; 2], followed: f32) {
        let [x, z] = past.map(|v| v.clamp(-PULL, PULL));
        let y = followed.clamp(-PULL, PULL);
        for (sum, new) in self.sums.iter_mut().zip([x * x, z * z, x * z, x * y, z * y]) {
            *sum = *sum * KEPT + new;
        }
    }

    /// Weights of both numbers. Days carry on or fade, they do not turn round: other weights are what a few odd weeks make.
    pub fn weights(&self) -> [f32; 2] {
        let [xx, zz, xz, xy, zy] = self.sums;
        // A little is added to the squares, so that there always is an answer.
        let (xx, zz) = (xx + 1.0, zz + 1.0);
        let by = xx * zz - xz * xz;
        if by <= 0.0 {
            return [0.9, 0.0];
        }
        [((xy * zz - zy * xz) / by).clamp(0.0, 1.2), ((zy * xx - xy * xz) / by).clamp(-0.5, 0.8)]
    }

    /// What is expected to follow, as a logarithm.
    pub fn predict(&self, past: [f32; 2]) -> f32 {
        let [a, b] = self.weights();
        let [x, z] = past.map(|v| v.clamp(-PULL, PULL));
        (a * x + b * z).clamp(-FAR, FAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_that_made_the_numbers_are_found_and_followed_when_they_change() {
        let mut carry = Carry::default();
        let mut state = 7_u64;
        let mut any = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f32) / (1_u64 << 31) as f32 - 0.5
        };
        let mut teach = |carry: &mut Carry, minutes: usize, a: f32, b: f32| {
            for _ in 0..minutes {
                let (x, z) = (any(), any());
                carry.learn([x, z], a * x + b * z + 0.2 * any());
            }
        };
        teach(&mut carry, 60_000, 0.8, 0.3);
        let [a, b] = carry.weights();
        assert!((a - 0.8).abs() < 0.03 && (b - 0.3).abs() < 0.03, "{a} {b}");
        teach(&mut carry, 150_000, 0.2, -0.2);
        let [a, b] = carry.weights();
        assert!((a - 0.2).abs() < 0.08 && (b + 0.2).abs() < 0.08, "{a} {b}");
    }

    #[test]
    fn nothing_known_nothing_moving_and_nonsense_have_an_answer() {
        assert!((Carry::default().predict([1.0, 0.0]) - 0.9).abs() < 0.05);
        let mut still = Carry::default();
        (0..500_000).for_each(|_| still.learn([0.0, 0.0], 0.0));
        assert!(still.predict([1.0, 1.0]).is_finite());
        let mut alike = Carry::default();
        (0..100_000).for_each(|_| alike.learn([1.0, -1.0], 50.0));
        let [a, b] = alike.weights();
        assert!((0.0..=1.2).contains(&a) && (-0.5..=0.8).contains(&b), "{a} {b}");
        assert!(alike.predict([f32::MAX, f32::MAX]) <= FAR);
    }
}
