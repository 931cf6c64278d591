//! What an import took, mended, left out, and found doubtful.

use geo::{BooleanOps, BoundingRect, Intersects};
use rstar::AABB;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Area, Areas, kato,
    repair::{Repair, km2},
};

/// An overlap is told from this share of the smaller area on, in per cent: neighbours drawn apart differ by slivers.
const TOLD_PERCENT: f64 = 0.1;
/// And from this on, km2.
const TOLD_KM2: f64 = 0.1;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Report {
    /// Areas taken.
    pub imported: usize,
    /// Features left out.
    pub skipped: Vec<Skipped>,
    /// Outlines that were repaired.
    pub repaired: Vec<Repaired>,
    /// Areas that share ground, though none is part of the other.
    pub overlaps: Vec<Overlap>,
    /// Doubtful codes.
    pub kato: Vec<KatoProblem>,
}

/// A feature that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Skipped {
    /// Position in the file, from 0.
    pub index: usize,
    /// What stands where its code should.
    pub code: Option<String>,
    /// Any name.
    pub name: Option<String>,
    /// Why.
    pub reason: String,
}

/// An outline that was repaired.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Repaired {
    /// Position in the file, from 0.
    pub index: usize,
    /// KATO code.
    pub code: String,
    /// Name.
    pub name: String,
    /// What was wrong.
    pub problem: String,
    /// Area enclosed before.
    pub area_before_km2: f64,
    /// Area now.
    pub area_after_km2: f64,
    /// Change in per cent.
    pub change_percent: f64,
}

impl Repaired {
    pub(super) fn new(index: usize, area: &Area, repair: &Repair) -> Self {
        Self {
            index,
            code: area.code.to_string(),
            name: area.name.en.clone(),
            problem: repair.problem.clone(),
            area_before_km2: repair.before_km2,
            area_after_km2: repair.after_km2,
            change_percent: repair.change_percent(),
        }
    }
}

/// Two areas that share ground.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Overlap {
    /// Code of the one.
    pub a: String,
    /// Its name.
    pub a_name: String,
    /// Code of the other.
    pub b: String,
    /// Its name.
    pub b_name: String,
    /// Ground they share.
    pub km2: f64,
    /// Share of the smaller one, in per cent.
    pub percent_of_smaller: f64,
}

/// A doubtful code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KatoProblem {
    /// The code.
    pub code: String,
    /// What about it.
    pub problem: String,
}

impl Areas {
    /// Areas that share ground, the largest share first. Takes some seconds for a country: not for a thread that serves others.
    pub fn overlaps(&self) -> Vec<Overlap> {
        let mut found = Vec::new();
        for (at, area) in self.areas.iter().enumerate() {
            let Some(bounds) = area.outline.bounding_rect() else { continue };
            let bounds = AABB::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]);
            let near = self.boxes.locate_in_envelope_intersecting(&bounds).map(|boxed| boxed.data).filter(|other| *other > at);
            found.extend(near.filter_map(|other| overlap(area, &self.areas[other])));
        }
        found.sort_by(|a, b| b.percent_of_smaller.total_cmp(&a.percent_of_smaller).then_with(|| a.a.cmp(&b.a)));
        found
    }
}

fn overlap(a: &Area, b: &Area) -> Option<Overlap> {
    let part_of = |inner: &Area, outer: &Area| kato::ancestors(&inner.code).any(|code| code == outer.code);
    if part_of(a, b) || part_of(b, a) || !a.outline.intersects(&b.outline) {
        return None;
    }
    let shared = km2(&a.outline.intersection(&b.outline));
    let percent_of_smaller = 100.0 * shared / km2(&a.outline).min(km2(&b.outline));
    (shared >= TOLD_KM2 && percent_of_smaller >= TOLD_PERCENT).then(|| Overlap {
        a: a.code.to_string(),
        a_name: a.name.en.clone(),
        b: b.code.to_string(),
        b_name: b.name.en.clone(),
        km2: shared,
        percent_of_smaller,
    })
}
