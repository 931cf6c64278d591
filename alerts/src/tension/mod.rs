//! The tension index: 0 (calm) to 10 (strained) for every area and block of indicators, with what it rests on.
//!
//! ```text
//! catalogue.rs  TOML -> blocks and indicators, checked
//! method.rs     normalisation, weights, aggregation, floor, draws: stated, versioned, checked
//! panel.rs      values -> one cell for each area, indicator and period, with its sampling error
//! scale.rs      cell -> score 0 to 10, by four normalisations
//! combine.rs    scores -> one score, and what each contributed
//! draws.rs      the same a thousand times over: the band
//! index.rs      all of it together
//! rank.rs       places, only where bands do not overlap
//! trend.rs      direction through time
//! forecast.rs   what comes next, with an interval and the errors it made in the past
//! act.rs        a weight for a block that has none by rule
//! words.rs      what is said to people, in three languages
//! ```
//!
//! As in the OECD/JRC Handbook on Constructing Composite Indicators (2008) and the INFORM methodology. Everything here is
//! pure: values go in, an [`Index`] comes out, the same on every machine for the same seed.
//!
//! What does not belong here: counts, alerts, cameras, sites. This module names no type of theirs, and a test reads its
//! sources for it: nothing that the hub sees enters the index, and the index enters no alert.

pub mod act;
pub mod catalogue;
pub mod combine;
mod draws;
pub mod forecast;
mod index;
pub mod method;
mod panel;
pub mod rank;
pub mod scale;
pub mod trend;
pub mod words;

pub use act::{Act, ActRefusal, ActState};
pub use catalogue::CatalogueError;
pub use forecast::{Forecast, ForecastError, Model};
pub use index::{AreaIndex, Index, IndicatorScore, Inputs, PeriodIndex, Refused, TensionError, compute};
pub use method::{Aggregation, Method, MethodError, Normalisation, Perturb};
pub use trend::{Heading, Trend};

use serde::{Deserialize, Serialize};

/// The middle nine tenths of what the draws gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// One draw in twenty is below.
    pub p5: f64,
    /// Half of the draws are below.
    pub p50: f64,
    /// One draw in twenty is above.
    pub p95: f64,
}

/// Why a score is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No value at all.
    NoValues,
    /// Fewer values than the method's floor.
    CoverageBelowFloor,
}

/// A score that may be shown and coloured. It can only be made with the coverage that allows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shown {
    value: f64,
    band: Band,
    coverage: f64,
}

/// A score, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Standing {
    /// Enough is known.
    Shown(Shown),
    /// Too little is known for a colour.
    Hidden {
        /// Why.
        why: Why,
        /// Share of the weight that values are there for, 0 to 1.
        coverage: f64,
    },
}

impl Shown {
    /// A score from 0 to 10.
    pub fn value(self) -> f64 {
        self.value
    }
    /// Its uncertainty.
    pub fn band(self) -> Band {
        self.band
    }
    /// Share of the weight that values are there for, 0 to 1.
    pub fn coverage(self) -> f64 {
        self.coverage
    }
    /// Its colour: 1 for 0 to 2, and so on up to 5.
    pub fn class(self) -> u8 {
        class(self.value)
    }
}

/// The colour of a score: 1 for 0 up to 2, 2 up to 4, 3 up to 6, 4 up to 8, 5 up to 10.
pub fn class(score: f64) -> u8 {
    match score {
        s if s < 2.0 => 1,
        s if s < 4.0 => 2,
        s if s < 6.0 => 3,
        s if s < 8.0 => 4,
        _ => 5,
    }
}

impl Standing {
    /// Judges whether a score may be shown: the only way to a [`Shown`].
    pub fn judge(value: Option<(f64, Band)>, coverage: f64, floor: f64) -> Self {
        match value {
            Some((value, band)) if coverage > 0.0 && coverage + 1e-9 >= floor => Standing::Shown(Shown { value, band, coverage }),
            _ if coverage <= 0.0 => Standing::Hidden { why: Why::NoValues, coverage: 0.0 },
            _ => Standing::Hidden { why: Why::CoverageBelowFloor, coverage },
        }
    }

    /// The score, if it may be shown.
    pub fn shown(self) -> Option<Shown> {
        match self {
            Standing::Shown(shown) => Some(shown),
            Standing::Hidden { .. } => None,
        }
    }

    /// Share of the weight that values are there for, 0 to 1.
    pub fn coverage(self) -> f64 {
        match self {
            Standing::Shown(shown) => shown.coverage,
            Standing::Hidden { coverage, .. } => coverage,
        }
    }

    /// Why it is not shown.
    pub fn why(self) -> Option<Why> {
        match self {
            Standing::Shown(_) => None,
            Standing::Hidden { why, .. } => Some(why),
        }
    }
}
