//! What may come next, with an interval, and the errors that the same way of forecasting made in the past.
//!
//! Three ways are tried from many points of the past (rolling origin), each knowing only what was known then: the last value,
//! exponential smoothing (`augurs`, AutoETS with additive errors) and the same after the season is taken out (MSTL). The one with
//! the smallest mean absolute error is used; its errors are told with it, and those of the last value beside them.

use augurs::{
    ets::{AutoETS, trend::AutoETSTrendModel},
    mstl::MSTLModel,
    prelude::{Fit, Predict},
};
use serde::{Deserialize, Serialize};

/// Points that a forecast needs.
pub const NEEDED: usize = 8;
/// Share of the future that the interval is to hold.
pub const INTERVAL: f64 = 0.9;
/// Two-sided standard normal quantile of [`INTERVAL`].
const REACH: f64 = 1.645;
/// Fewest points that smoothing is fitted on.
const FEWEST: usize = 7;
/// Origins tried, at most: each costs a fit of every way.
const ORIGINS: usize = 12;
/// Longest forecast.
pub const HORIZON: usize = 12;

/// A way of forecasting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// It stays as it is; the interval grows as a random walk's.
    LastValue,
    /// Exponential smoothing.
    Ets,
    /// Season taken out by MSTL, exponential smoothing of the rest.
    Mstl,
}

/// One step ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Expected.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Past errors, so many steps ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PastError {
    /// Steps ahead.
    pub steps: usize,
    /// Mean absolute error.
    pub mae: f64,
    /// That of the last value, over the same forecasts.
    pub mae_last_value: f64,
    /// Share of intervals that held what came.
    pub coverage: f64,
    /// Forecasts that could be compared with what came.
    pub n: usize,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// How it was made.
    pub model: Model,
    /// Ahead, one period each.
    pub steps: Vec<Step>,
    /// Points of the past that it was tried from.
    pub origins: usize,
    /// Errors made there.
    pub errors: Vec<PastError>,
}

impl Forecast {
    /// Whether it was nearer than the last value over all steps together.
    pub fn better_than_last_value(&self) -> bool {
        let sum = |of: fn(&PastError) -> f64| self.errors.iter().map(|e| of(e) * e.n as f64).sum::<f64>();
        sum(|e| e.mae) < sum(|e| e.mae_last_value)
    }
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// Not enough points.
    #[error("{points} points are too few for a forecast: {NEEDED} are needed")]
    TooShort {
        /// What is there.
        points: usize,
    },
    /// NaN or infinite.
    #[error("a value is not a number")]
    NotANumber,
    /// More than a quarter is missing in between.
    #[error("too many periods are missing in between: {missing} of {points}")]
    Gaps {
        /// Missing.
        missing: usize,
        /// All.
        points: usize,
    },
}

/// Forecasts a series (oldest first, none where nothing is known) so many steps ahead. `season` is the number of periods in a
/// year; steps stay within `range`. The same series gives the same forecast.
pub fn forecast(series: &[Option<f64>], season: usize, horizon: usize, range: (f64, f64)) -> Result<Forecast, ForecastError> {
    let series = whole(series)?;
    let horizon = horizon.clamp(1, HORIZON);
    let first = FEWEST.max(series.len().saturating_sub(ORIGINS));
    let origins: Vec<usize> = (first..series.len()).collect();
    // A season can be told after three of them.
    let ways: &[Model] =
        if season > 1 && first >= 3 * season { &[Model::LastValue, Model::Ets, Model::Mstl] } else { &[Model::LastValue, Model::Ets] };
    let past = |model: Model| -> Option<Vec<Vec<Step>>> {
        origins.iter().map(|at| ahead(model, &series[..*at], season, horizon.min(series.len() - at), range)).collect()
    };
    let error = |tried: &[Vec<Step>]| {
        let errors =
            origins.iter().zip(tried).flat_map(|(at, steps)| steps.iter().zip(&series[*at..]).map(|(s, came)| (s.value - came).abs()));
        errors.sum::<f64>()
    };
    let last = past(Model::LastValue).unwrap_or_default();
    let mut best = (Model::LastValue, last.clone(), error(&last), ahead(Model::LastValue, &series, season, horizon, range));
    for model in ways.iter().copied().filter(|m| *m != Model::LastValue) {
        let (Some(tried), Some(steps)) = (past(model), ahead(model, &series, season, horizon, range)) else { continue };
        let sum = error(&tried);
        if sum < best.2 {
            best = (model, tried, sum, Some(steps));
        }
    }
    let errors = (1..=horizon).filter_map(|steps| past_error(steps, &origins, &best.1, &last, &series)).collect();
    Ok(Forecast { model: best.0, steps: best.3.unwrap_or_default(), origins: origins.len(), errors })
}

/// The known part of a series without holes: a missing value in between lies on the line between its neighbours.
fn whole(series: &[Option<f64>]) -> Result<Vec<f64>, ForecastError> {
    let from = series.iter().position(Option::is_some).unwrap_or(series.len());
    let to = series.iter().rposition(Option::is_some).map_or(from, |at| at + 1);
    let series = &series[from..to];
    if series.iter().flatten().any(|v| !v.is_finite() || v.abs() > 1e12) {
        return Err(ForecastError::NotANumber);
    }
    let missing = series.iter().filter(|v| v.is_none()).count();
    if series.len() < NEEDED {
        return Err(ForecastError::TooShort { points: series.len() });
    }
    if missing * 4 > series.len() {
        return Err(ForecastError::Gaps { missing, points: series.len() });
    }
    let mut filled: Vec<f64> = Vec::with_capacity(series.len());
    for (at, value) in series.iter().enumerate() {
        filled.push(match (value, filled.last()) {
            (Some(value), _) => *value,
            (None, Some(before)) => {
                let next = series[at..].iter().enumerate().find_map(|(n, v)| v.map(|v| (n as f64 + 1.0, v)));
                next.map_or(*before, |(n, after)| before + (after - before) / n)
            }
            (None, None) => 0.0,
        });
    }
    Ok(filled)
}

fn ahead(model: Model, series: &[f64], season: usize, horizon: usize, range: (f64, f64)) -> Option<Vec<Step>> {
    let step = |value: f64, low: f64, high: f64| {
        let inside = |v: f64| v.clamp(range.0, range.1);
        [value, low, high].iter().all(|v| v.is_finite()).then(|| Step {
            value: inside(value),
            low: inside(low.min(value)),
            high: inside(high.max(value)),
        })
    };
    if model == Model::LastValue {
        let last = *series.last()?;
        let moves: Vec<f64> = series.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let deviation = (moves.iter().map(|m| m * m).sum::<f64>() / moves.len().max(1) as f64).sqrt();
        let reach = |n: usize| REACH * deviation * (n as f64).sqrt();
        return (1..=horizon).map(|n| step(last, last - reach(n), last + reach(n))).collect();
    }
    // Additive errors only: their intervals are a formula, those of multiplicative ones would be drawn anew each time.
    let ets = AutoETS::new(1, "AZN").ok()?;
    let forecast = if model == Model::Ets {
        ets.fit(series).ok()?.predict(horizon, INTERVAL).ok()?
    } else {
        MSTLModel::new(vec![season], AutoETSTrendModel::from(ets)).fit(series).ok()?.predict(horizon, INTERVAL).ok()?
    };
    let intervals = forecast.intervals?;
    let steps = forecast.point.iter().zip(&intervals.lower).zip(&intervals.upper);
    steps.map(|((value, low), high)| step(*value, *low, *high)).collect()
}

fn past_error(steps: usize, origins: &[usize], tried: &[Vec<Step>], last: &[Vec<Step>], series: &[f64]) -> Option<PastError> {
    let came = |at: &usize| series.get(at + steps - 1).copied();
    let pairs = origins
        .iter()
        .zip(tried.iter().zip(last))
        .filter_map(|(at, (step, last))| Some((came(at)?, step.get(steps - 1)?, last.get(steps - 1)?)));
    let (mut n, mut mae, mut naive, mut held) = (0_usize, 0.0, 0.0, 0_usize);
    for (came, step, last) in pairs {
        n += 1;
        mae += (step.value - came).abs();
        naive += (last.value - came).abs();
        held += usize::from((step.low..=step.high).contains(&came));
    }
    let of = |sum: f64| sum / n as f64;
    (n > 0).then(|| PastError { steps, mae: of(mae), mae_last_value: of(naive), coverage: of(held as f64), n })
}
