//! An estimate of how many people a picture shows, with its 90 % interval, and the models of error behind the interval.

use qorgan_domain::I420;
use serde::Deserialize;

use crate::{Detection, ModelError};

/// Something that estimates how many people a picture shows.
pub trait CrowdModel: Send {
    /// Looks at one picture. Errors: the picture is not whole, or the runtime failed.
    fn estimate(&mut self, picture: &I420) -> Result<Estimate, ModelError>;

    /// Name in the manifest.
    fn name(&self) -> &str;
}

/// How many people a picture shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Best estimate, in people.
    pub people: f32,
    /// Lower end of the 90 % interval; never above `people`.
    pub low: f32,
    /// Upper end of the 90 % interval; never below `people`.
    pub high: f32,
    /// Boxes in picture pixels; empty for a density map.
    pub boxes: Vec<Detection>,
    /// Name of the model in its manifest.
    pub model: String,
}

/// Ends of a 90 % interval, in people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// 5 % of the probability is below.
    pub low: f32,
    /// 5 % of the probability is above.
    pub high: f32,
}

/// How wrong a model's counts are. The figures are in its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum ErrorModel {
    /// A detector: people that it misses and boxes that hold nobody (or somebody already counted) are rare and
    /// independent, so both are Poisson with a rate per person seen. The truth is the count plus misses minus false boxes:
    /// a Skellam distribution around the count. The two rates follow by moments from the residuals on labelled frames:
    /// `miss - false = -mean(residual) / mean(count)`, `miss + false = var(residual) / mean(count)`.
    MissFalse {
        /// People missed per person counted.
        miss_rate: f32,
        /// Boxes too many per person counted.
        false_rate: f32,
    },
    /// A density map: normal, with a part that does not depend on the count and a part in proportion.
    Normal {
        /// Standard deviation at a count of zero, in people.
        floor_sd: f32,
        /// Standard deviation per person counted.
        relative_sd: f32,
    },
}

/// The 95 % quantile of the standard normal distribution.
const Z95: f32 = 1.645;

/// Above this many people the Skellam distribution is taken as normal: the sums would only cost time.
const NORMAL_FROM: f32 = 400.0;

impl ErrorModel {
    /// The 90 % interval around a count.
    pub fn interval(&self, people: f32) -> Interval {
        let (low, high) = match *self {
            Self::MissFalse { miss_rate, false_rate } => {
                // Half a person more than was seen, so that an empty picture too has an upper end.
                let exposure = f64::from(people + 0.5);
                skellam_interval(exposure * f64::from(miss_rate), exposure * f64::from(false_rate), people)
            }
            Self::Normal { floor_sd, relative_sd } => {
                let half = Z95 * floor_sd.hypot(relative_sd * people);
                (people - half, people + half)
            }
        };
        Interval { low: low.clamp(0.0, people), high: high.max(people) }
    }
}

/// 5 % and 95 % quantiles of `people + Poisson(missed) - Poisson(extra)`.
fn skellam_interval(missed: f64, extra: f64, people: f32) -> (f32, f32) {
    if people >= NORMAL_FROM {
        let half = Z95 * ((missed + extra) as f32).sqrt();
        let centre = people + (missed - extra) as f32;
        return (centre - half, centre + half);
    }
    let (missed, extra) = (poisson(missed), poisson(extra));
    // Index i of the sum stands for i - (extra.len() - 1).
    let mut sum = vec![0.0; missed.len() + extra.len() - 1];
    for (m, pm) in missed.iter().enumerate() {
        for (e, pe) in extra.iter().enumerate() {
            sum[m + extra.len() - 1 - e] += pm * pe;
        }
    }
    let quantile = |q: f64| {
        let mut total = 0.0;
        let at = sum.iter().position(|p| {
            total += p;
            total >= q
        });
        people + at.unwrap_or(sum.len() - 1) as f32 - (extra.len() - 1) as f32
    };
    (quantile(0.05), quantile(0.95))
}

/// Poisson probabilities from 0 on, until what is left does not matter for a 5 % quantile.
fn poisson(mean: f64) -> Vec<f64> {
    let mut p = (-mean).exp();
    let (mut all, mut total, mut k) = (vec![p], p, 0.0);
    while total < 0.9999 && all.len() < 2_000 {
        k += 1.0;
        p *= mean / k;
        all.push(p);
        total += p;
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RARE: ErrorModel = ErrorModel::MissFalse { miss_rate: 0.1, false_rate: 0.05 };

    #[test]
    fn an_empty_picture_may_hide_somebody_when_misses_are_common() {
        let often = ErrorModel::MissFalse { miss_rate: 0.5, false_rate: 0.0 };
        assert_eq!(often.interval(0.0), Interval { low: 0.0, high: 1.0 });
        assert_eq!(RARE.interval(0.0), Interval { low: 0.0, high: 0.0 });
    }

    #[test]
    fn the_quantiles_are_those_of_the_skellam_distribution() {
        // Poisson(1) - Poisson(0.5): P(S <= -2) = 0.0364, P(S <= -1) = 0.1552; P(S <= 2) = 0.9425, P(S <= 3) = 0.9847
        // (direct sums).
        let at_ten = skellam_interval(1.0, 0.5, 10.0);
        assert_eq!(at_ten, (9.0, 13.0));
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_count(people in 0.0f32..5_000.0, miss in 0.0f32..0.6, extra in 0.0f32..0.6) {
            for model in [
                ErrorModel::MissFalse { miss_rate: miss, false_rate: extra },
                ErrorModel::Normal { floor_sd: miss * 10.0, relative_sd: extra },
            ] {
                let Interval { low, high } = model.interval(people);
                prop_assert!(0.0 <= low && low <= people && people <= high && high.is_finite());
            }
        }
    }
}
