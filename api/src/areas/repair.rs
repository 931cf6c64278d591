//! An outline that crosses itself becomes a valid one, when that does not change the area; else it is refused.
//!
//! By constrained Delaunay triangulation (Ledoux, Arroyo Ohori and Meijers 2014), as in `geo::MakeValid`.

use geo::{ChamberlainDuquetteArea, MakeValid, algorithm::Validation};

/// A repair may change the area by this share: an outline that says less about where it lies is the giver's to mend.
const MOST_CHANGE: f64 = 0.01;

/// What was repaired.
#[derive(Debug, Clone)]
pub(super) struct Repair {
    /// The valid outline.
    pub(super) outline: geo::MultiPolygon<f64>,
    /// What was wrong.
    pub(super) problem: String,
    /// Area enclosed before, by its rings.
    pub(super) before_km2: f64,
    /// Area now.
    pub(super) after_km2: f64,
}

impl Repair {
    /// Change of the area, in per cent of what it was.
    pub(super) fn change_percent(&self) -> f64 {
        100.0 * (self.after_km2 - self.before_km2) / self.before_km2
    }
}

pub(super) fn km2(outline: &geo::MultiPolygon<f64>) -> f64 {
    outline.chamberlain_duquette_unsigned_area() / 1e6
}

/// Nothing for a valid outline; a repaired one; or why there is none.
pub(super) fn repair(outline: &geo::MultiPolygon<f64>) -> Result<Option<Repair>, String> {
    let Err(problem) = outline.check_validation() else { return Ok(None) };
    let problem = problem.to_string();
    let outline_before = outline;
    let fixed =
        outline_before.make_valid().map_err(|error| format!("has an invalid outline: {problem}; it cannot be repaired: {error}"))?;
    let (before_km2, after_km2) = (km2(outline_before), km2(&fixed));
    if fixed.0.is_empty() || after_km2 <= 0.0 || fixed.check_validation().is_err() {
        return Err(format!("has an invalid outline: {problem}; nothing of it can be repaired"));
    }
    let repair = Repair { outline: fixed, problem, before_km2, after_km2 };
    if (after_km2 - before_km2).abs() > MOST_CHANGE * before_km2 {
        return Err(format!(
            "has an invalid outline: {}; repaired, its area would be {after_km2:.1} km2 instead of {before_km2:.1} km2",
            repair.problem
        ));
    }
    Ok(Some(repair))
}
