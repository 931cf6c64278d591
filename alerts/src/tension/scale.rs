//! From a value to a score: 0 is calm, 10 is full strain (Handbook, step 5; INFORM, scaling).
//!
//! Each normalisation is fitted on the values of all areas and periods, so that scores can be compared through time.

use qorgan_domain::{Direction, Indicator};

use super::method::Normalisation;

/// A normalisation, fitted on an indicator's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    map: Map,
    turned: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Map {
    /// `10 (v - zero) / width`
    Linear { zero: f64, width: f64 },
    /// Share of the sorted values below, equal ones counted half.
    Percentile(Vec<f64>),
    /// All values are the same: they say nothing, and the score is the middle.
    Flat,
}

impl Scale {
    /// Fits a normalisation on the values of an indicator. `trim` is the share cut off at each end before min and max are taken.
    pub fn fit(how: Normalisation, indicator: &Indicator, values: &[f64], trim: f64) -> Self {
        let turned = indicator.direction == Direction::MoreIsBetter && how != Normalisation::Target;
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let map = match how {
            Normalisation::Target => Map::linear(indicator.calm, indicator.strained - indicator.calm),
            _ if sorted.first() == sorted.last() => Map::Flat,
            Normalisation::MinMax => {
                let (low, high) = (quantile(&sorted, trim), quantile(&sorted, 1.0 - trim));
                // Nearly all values are the same: the few others decide.
                let (low, high) = if low < high { (low, high) } else { (quantile(&sorted, 0.0), quantile(&sorted, 1.0)) };
                Map::linear(low, high - low)
            }
            Normalisation::ZScore => {
                let (mean, deviation) = moments(&sorted);
                Map::linear(mean - 3.0 * deviation, 6.0 * deviation)
            }
            Normalisation::Percentile => Map::Percentile(sorted),
        };
        Self { map, turned }
    }

    /// Score of a value, 0 to 10.
    pub fn score(&self, value: f64) -> f64 {
        let score = match &self.map {
            Map::Linear { zero, width } => (10.0 * (value - zero) / width).clamp(0.0, 10.0),
            Map::Percentile(sorted) => 10.0 * share_below(sorted, value),
            Map::Flat => 5.0,
        };
        if self.turned { 10.0 - score } else { score }
    }

    /// How far the score moves when the value moves by its standard error.
    pub fn spread(&self, value: f64, error: f64) -> f64 {
        match &self.map {
            Map::Linear { width, .. } => (10.0 * error / width).abs(),
            Map::Percentile(sorted) => 5.0 * (share_below(sorted, value + error) - share_below(sorted, value - error)),
            Map::Flat => 0.0,
        }
    }
}

impl Map {
    fn linear(zero: f64, width: f64) -> Self {
        if width == 0.0 || !width.is_finite() { Map::Flat } else { Map::Linear { zero, width } }
    }
}

fn share_below(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|v| *v < value);
    let equal = sorted[below..].partition_point(|v| *v <= value);
    (below as f64 + equal as f64 / 2.0) / sorted.len() as f64
}

/// Quantile of sorted values, with linear interpolation (type 7 of Hyndman and Fan); 0 of none.
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let (below, rest) = (at.floor() as usize, at.fract());
    sorted[below] + rest * (sorted[(below + 1).min(last)] - sorted[below])
}

/// Mean and standard deviation (of the population); zeros of none.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}
