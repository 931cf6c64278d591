//! Outlines of the districts: read from GeoJSON, checked, repaired where that changes nothing that matters, served to the map.
//!
//! Outlines are either schematic (drawn from the district centres; good enough for a demonstration) or
//! official ones that an administrator imports. With schematic ones a place is only required to lie
//! inside the region as a whole, because their inner borders are not surveyed.
//!
//! ```text
//! read.rs    a feature -> an area, or why not
//! repair.rs  an invalid outline -> a valid one, or why not
//! report.rs  what an import took, left and found doubtful: overlaps, KATO codes
//! ```

mod kato;
mod read;
mod repair;
mod report;

use std::{collections::HashMap, path::Path};

use geo::{BoundingRect, Contains, Intersects};
use geojson::{FeatureCollection, GeoJson};
use qorgan_domain::{AreaCode, GeoPoint, Trilingual};
use rstar::{AABB, RTree, primitives::GeomWithData, primitives::Rectangle};

pub use report::{KatoProblem, Overlap, Repaired, Report, Skipped};

/// Largest GeoJSON that is read, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Areas that are taken at most: the country has some 2,500 rural okrugs.
const MAX_AREAS: usize = 10_000;

/// One area.
#[derive(Debug, Clone)]
pub struct Area {
    /// KATO code.
    pub code: AreaCode,
    /// Name in three languages.
    pub name: Trilingual,
    /// Drawn, not surveyed.
    pub schematic: bool,
    /// Where its name stands on the map.
    pub centre: Option<GeoPoint>,
    outline: geo::MultiPolygon<f64>,
}

impl Area {
    /// Its south-west and north-east corners, `[lat, lon]`.
    pub fn corners(&self) -> Option<([f64; 2], [f64; 2])> {
        let rect = self.outline.bounding_rect()?;
        Some(([rect.min().y, rect.min().x], [rect.max().y, rect.max().x]))
    }
}

/// A bounding box and the area it belongs to.
type Boxed = GeomWithData<Rectangle<[f64; 2]>, usize>;

/// All areas of the hub.
#[derive(Debug, Clone)]
pub struct Areas {
    areas: Vec<Area>,
    geojson: FeatureCollection,
    by_code: HashMap<AreaCode, usize>,
    boxes: RTree<Boxed>,
}

/// Why a file gives no areas.
#[derive(Debug, thiserror::Error)]
pub enum AreasError {
    /// Cannot be opened.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Over [`MAX_BYTES`].
    #[error("{0} bytes are more than {MAX_BYTES}")]
    TooLarge(usize),
    /// More than [`MAX_AREAS`].
    #[error("{0} features are more than {MAX_AREAS}")]
    TooMany(usize),
    /// No GeoJSON FeatureCollection.
    #[error("is no GeoJSON FeatureCollection: {0}")]
    Shape(String),
    /// Nothing usable in it.
    #[error("holds no usable area; first reason: {0}")]
    Empty(String),
}

impl Areas {
    /// Reads a file; every feature must be usable, if need be after a repair.
    pub fn read(path: &Path) -> Result<Self, AreasError> {
        let (areas, report) = Self::parse(&std::fs::read_to_string(path)?)?;
        match report.skipped.first() {
            None => Ok(areas),
            Some(first) => Err(AreasError::Shape(format!("feature {}: {}", first.index, first.reason))),
        }
    }

    /// Reads a text; invalid outlines are repaired, features that cannot be used are left out, and the report names both.
    /// Overlaps are looked for by [`Areas::overlaps`], which takes its time.
    pub fn parse(text: &str) -> Result<(Self, Report), AreasError> {
        if text.len() > MAX_BYTES {
            return Err(AreasError::TooLarge(text.len()));
        }
        // A byte order mark is what a text editor leaves behind, and no mistake of the outlines.
        let json: GeoJson = text.trim_start_matches('\u{feff}').parse().map_err(|e: geojson::Error| AreasError::Shape(e.to_string()))?;
        let collection = FeatureCollection::try_from(json).map_err(|e| AreasError::Shape(e.to_string()))?;
        if collection.features.len() > MAX_AREAS {
            return Err(AreasError::TooMany(collection.features.len()));
        }
        let (mut areas, mut features, mut report) = (Vec::<Area>::new(), Vec::new(), Report::default());
        let mut by_code = HashMap::new();
        for (index, feature) in collection.features.into_iter().enumerate() {
            let (code, name) = (read::code_text(&feature), read::any_name(&feature));
            let skipped = |reason| Skipped { index, code: code.clone(), name: name.clone(), reason };
            match read::area(&feature) {
                Ok((area, _)) if by_code.contains_key(&area.code) => {
                    report.skipped.push(skipped(format!("KATO code {} stands twice", area.code)));
                }
                Ok((area, repair)) => {
                    report.repaired.extend(repair.map(|found| Repaired::new(index, &area, &found)));
                    by_code.insert(area.code.clone(), areas.len());
                    features.push(read::clean(&feature, &area));
                    areas.push(area);
                }
                Err(reason) => report.skipped.push(skipped(reason)),
            }
        }
        if areas.is_empty() {
            return Err(AreasError::Empty(report.skipped.first().map_or_else(|| "no features".into(), |s| s.reason.clone())));
        }
        report.imported = areas.len();
        report.kato = kato::problems(&areas);
        let boxes = areas.iter().enumerate().filter_map(|(at, area)| {
            let found = area.outline.bounding_rect()?;
            Some(Boxed::new(Rectangle::from_corners([found.min().x, found.min().y], [found.max().x, found.max().y]), at))
        });
        let boxes = RTree::bulk_load(boxes.collect());
        let geojson = FeatureCollection { bbox: None, features, foreign_members: None };
        Ok((Self { areas, geojson, by_code, boxes }, report))
    }

    /// The outlines as GeoJSON text.
    pub fn geojson(&self) -> String {
        self.geojson.to_string()
    }

    /// The areas.
    pub fn iter(&self) -> impl Iterator<Item = &Area> {
        self.areas.iter()
    }

    /// An area by its code.
    pub fn get(&self, code: &AreaCode) -> Option<&Area> {
        self.by_code.get(code).map(|at| &self.areas[*at])
    }

    /// Whether this code is known.
    pub fn contains_code(&self, code: &AreaCode) -> bool {
        self.by_code.contains_key(code)
    }

    /// The area that a place lies in: of several the smallest unit, and then the first of the file. By schematic outlines it is a guess.
    pub fn at(&self, point: GeoPoint) -> Option<&Area> {
        self.all_at(point).into_iter().next()
    }

    /// Every area that a place lies in, borders included; the smallest units first.
    pub fn all_at(&self, point: GeoPoint) -> Vec<&Area> {
        let at = geo::Point::new(point.lon(), point.lat());
        let near = self.boxes.locate_in_envelope_intersecting(&AABB::from_point([point.lon(), point.lat()]));
        let mut found: Vec<usize> = near.map(|boxed| boxed.data).filter(|at_area| inside(&self.areas[*at_area], &at)).collect();
        found.sort_by_key(|at| (std::cmp::Reverse(kato::level(&self.areas[*at].code)), *at));
        found.into_iter().map(|at| &self.areas[at]).collect()
    }

    /// The area nearest to a place, and how far its outline is, in metres.
    pub fn nearest(&self, point: GeoPoint) -> Option<(&Area, f64)> {
        use geo::{Distance, Euclidean, MapCoords};
        // Metres around the place: within a few hundred kilometres the earth is flat enough to say which outline is nearest.
        let (degree_m, squeeze) = (111_195.08, point.lat().to_radians().cos().max(1e-6));
        let metres = |c: geo::Coord<f64>| geo::coord! { x: (c.x - point.lon()) * squeeze * degree_m, y: (c.y - point.lat()) * degree_m };
        let far = |area: &Area| Euclidean.distance(&geo::Point::new(0.0, 0.0), &area.outline.map_coords(metres));
        let all = self.areas.iter().map(|area| (area, far(area)));
        all.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Whether a place lies in its area, or says why not.
    pub fn check_inside(&self, point: GeoPoint, code: &AreaCode) -> Result<(), String> {
        let at = geo::Point::new(point.lon(), point.lat());
        let Some(area) = self.get(code) else { return Ok(()) };
        if inside(area, &at) {
            return Ok(());
        }
        let there = self.at(point);
        if area.schematic && there.is_some() {
            return Ok(());
        }
        let there = there.map_or_else(|| "outside every area".into(), |a| format!("in {}", a.name.en));
        Err(format!("[{}, {}] lies {there}, not in {} ({code})", point.lat(), point.lon(), area.name.en))
    }
}

fn inside(area: &Area, at: &geo::Point<f64>) -> bool {
    area.outline.contains(at) || area.outline.intersects(at)
}

#[cfg(test)]
mod tests;
