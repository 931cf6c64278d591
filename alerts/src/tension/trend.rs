//! Direction through time: Theil and Sen's slope, and Mann and Kendall's test whether there is one.

use qorgan_domain::period::PeriodKind;
use serde::Serialize;

/// Periods that a trend looks back.
pub const PERIODS: usize = 8;
/// Points that a direction needs.
const NEEDED: usize = 4;

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Heading {
    /// Strain grows.
    Rising,
    /// Strain wanes.
    Falling,
    /// No change that could be told from chance.
    Steady,
    /// Too few points.
    Unknown,
}

/// Dynamics of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Trend {
    /// Since the period before, if both are known.
    pub change: Option<f64>,
    /// Theil-Sen slope, points a year.
    pub slope_per_year: Option<f64>,
    /// Where it goes, at a significance of one in ten.
    pub direction: Heading,
    /// Points looked at.
    pub periods: usize,
}

/// The trend of a row of scores, oldest first, at its end.
pub fn trend(scores: &[Option<f64>], step: PeriodKind) -> Trend {
    let recent = &scores[scores.len().saturating_sub(PERIODS)..];
    let points: Vec<(f64, f64)> = recent.iter().enumerate().filter_map(|(at, score)| Some((at as f64, (*score)?))).collect();
    let change = match recent {
        [.., Some(before), Some(now)] => Some(now - before),
        _ => None,
    };
    let known_now = recent.last().is_some_and(Option::is_some);
    if points.len() < NEEDED || !known_now {
        return Trend { change, slope_per_year: None, direction: Heading::Unknown, periods: points.len() };
    }
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    let mut signs = 0_i64;
    for (at, &(x, y)) in points.iter().enumerate() {
        for &(before_x, before_y) in &points[..at] {
            let rise = y - before_y;
            slopes.push(rise / (x - before_x));
            // A thousandth of a point is a tie.
            signs += if rise > 1e-3 { 1 } else { -i64::from(rise < -1e-3) };
        }
    }
    slopes.sort_by(f64::total_cmp);
    let slope = super::scale::quantile(&slopes, 0.5) * step.a_year() as f64;
    let direction = match signs {
        s if !significant(s, points.len()) => Heading::Steady,
        s if s > 0 => Heading::Rising,
        _ => Heading::Falling,
    };
    Trend { change, slope_per_year: Some(slope), direction, periods: points.len() }
}

/// Whether Kendall's S of `n` points is that far from 0 in fewer than one of ten orders of them (two-sided, exact).
fn significant(s: i64, n: usize) -> bool {
    let s = s.unsigned_abs();
    if s == 0 {
        return false;
    }
    // Orders of n points by their number of inversions: those of n - 1 points, with the last one put in at each place.
    let mut orders = vec![1.0_f64];
    for k in 1..n {
        let mut next = vec![0.0; orders.len() + k];
        for (inversions, count) in orders.iter().enumerate() {
            next[inversions..=inversions + k].iter_mut().for_each(|sum| *sum += count);
        }
        orders = next;
    }
    // S = pairs - 2 inversions, so S at least s means at most (pairs - s) / 2 inversions.
    let pairs = (n * (n - 1) / 2) as u64;
    let most = (pairs.saturating_sub(s) / 2) as usize;
    let tail: f64 = orders[..=most].iter().sum::<f64>() / orders.iter().sum::<f64>();
    2.0 * tail < 0.1
}
