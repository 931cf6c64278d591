//! Outlines of the districts: read from GeoJSON, checked, served to the map.
//!
//! Outlines are either schematic (drawn from the district centres; good enough for a demonstration) or
//! official ones that an administrator imports. With schematic ones a place is only required to lie
//! inside the region as a whole, because their inner borders are not surveyed.

use std::path::Path;

use geo::{Contains, Intersects};
use geojson::{Feature, FeatureCollection, GeoJson};
use qorgan_domain::{AreaCode, GeoPoint, Trilingual};

/// Largest GeoJSON that is read, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// One area.
#[derive(Debug, Clone)]
pub struct Area {
    /// KATO code.
    pub code: AreaCode,
    /// Name in three languages.
    pub name: Trilingual,
    /// Drawn, not surveyed.
    pub schematic: bool,
    outline: geo::MultiPolygon<f64>,
}

impl Area {
    /// Some place inside it; none for an outline without any.
    pub fn inside(&self) -> Option<GeoPoint> {
        use geo::InteriorPoint;
        self.outline.interior_point().and_then(|p| GeoPoint::new(p.y(), p.x()).ok())
    }

    /// Its south-west and north-east corners, `[lat, lon]`.
    pub fn corners(&self) -> Option<([f64; 2], [f64; 2])> {
        use geo::BoundingRect;
        let rect = self.outline.bounding_rect()?;
        Some(([rect.min().y, rect.min().x], [rect.max().y, rect.max().x]))
    }
}

/// All areas of the hub.
#[derive(Debug, Clone)]
pub struct Areas {
    areas: Vec<Area>,
    geojson: FeatureCollection,
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
    /// No GeoJSON FeatureCollection.
    #[error("is no GeoJSON FeatureCollection: {0}")]
    Shape(String),
    /// Nothing usable in it.
    #[error("holds no usable area; first reason: {0}")]
    Empty(String),
}

/// A feature that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Skipped {
    /// Position in the file, from 0.
    pub index: usize,
    /// Why.
    pub reason: String,
}

impl Areas {
    /// Reads a file; every feature must be usable.
    pub fn read(path: &Path) -> Result<Self, AreasError> {
        let (areas, skipped) = Self::parse(&std::fs::read_to_string(path)?)?;
        match skipped.first() {
            None => Ok(areas),
            Some(first) => Err(AreasError::Shape(format!("feature {}: {}", first.index, first.reason))),
        }
    }

    /// Reads a text; features that cannot be used are left out and named.
    pub fn parse(text: &str) -> Result<(Self, Vec<Skipped>), AreasError> {
        if text.len() > MAX_BYTES {
            return Err(AreasError::TooLarge(text.len()));
        }
        let json: GeoJson = text.parse().map_err(|e: geojson::Error| AreasError::Shape(e.to_string()))?;
        let collection = FeatureCollection::try_from(json).map_err(|e| AreasError::Shape(e.to_string()))?;
        let (mut areas, mut features, mut skipped) = (Vec::<Area>::new(), Vec::new(), Vec::new());
        for (index, feature) in collection.features.into_iter().enumerate() {
            match area_of(&feature) {
                Ok(area) if areas.iter().any(|a| a.code == area.code) => {
                    skipped.push(Skipped { index, reason: format!("KATO code {} stands twice", area.code) });
                }
                Ok(area) => {
                    features.push(clean(feature, &area));
                    areas.push(area);
                }
                Err(reason) => skipped.push(Skipped { index, reason }),
            }
        }
        if areas.is_empty() {
            return Err(AreasError::Empty(skipped.first().map_or_else(|| "no features".into(), |s| s.reason.clone())));
        }
        let geojson = FeatureCollection { bbox: None, features, foreign_members: None };
        Ok((Self { areas, geojson }, skipped))
    }

    /// The outlines as GeoJSON text.
    pub fn geojson(&self) -> String {
        self.geojson.to_string()
    }

    /// The areas.
    pub fn iter(&self) -> impl Iterator<Item = &Area> {
        self.areas.iter()
    }

    /// Whether this code is known.
    pub fn contains_code(&self, code: &AreaCode) -> bool {
        self.areas.iter().any(|a| a.code == *code)
    }

    /// The area that a place lies in; by schematic outlines it is a guess.
    pub fn at(&self, point: GeoPoint) -> Option<&Area> {
        let at = geo::Point::new(point.lon(), point.lat());
        self.areas.iter().find(|area| area.outline.contains(&at) || area.outline.intersects(&at))
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
        let Some(area) = self.areas.iter().find(|a| a.code == *code) else { return Ok(()) };
        let inside = |a: &Area| a.outline.contains(&at) || a.outline.intersects(&at);
        if inside(area) || (area.schematic && self.areas.iter().any(inside)) {
            return Ok(());
        }
        let there = self.areas.iter().find(|a| inside(a)).map_or_else(|| "outside every area".into(), |a| format!("in {}", a.name.en));
        Err(format!("[{}, {}] lies {there}, not in {} ({code})", point.lat(), point.lon(), area.name.en))
    }
}

fn text(feature: &Feature, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match feature.property(key)? {
        serde_json::Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn area_of(feature: &Feature) -> Result<Area, String> {
    let code = text(feature, &["kato", "KATO", "kato_code", "code"]).ok_or("has no property \"kato\"")?;
    let code: AreaCode = code.parse().map_err(|e: qorgan_domain::id::IdError| e.to_string())?;
    let nested = feature.property("name").and_then(|v| v.as_object());
    let name = |language: &str, flat: &[&str]| {
        nested.and_then(|n| n.get(language)).and_then(|v| v.as_str()).map(str::to_owned).or_else(|| text(feature, flat))
    };
    let (kk, ru, en) = (name("kk", &["name_kk", "name_kz"]), name("ru", &["name_ru"]), name("en", &["name_en", "name"]));
    let any = kk.clone().or_else(|| ru.clone()).or_else(|| en.clone()).ok_or("has no name")?;
    let name = Trilingual { kk: kk.unwrap_or_else(|| any.clone()), ru: ru.unwrap_or_else(|| any.clone()), en: en.unwrap_or(any) };
    let geometry = feature.geometry.as_ref().ok_or("has no geometry")?;
    let outline: geo::MultiPolygon<f64> = match geo::Geometry::<f64>::try_from(geometry.clone()).map_err(|e| e.to_string())? {
        geo::Geometry::Polygon(polygon) => polygon.into(),
        geo::Geometry::MultiPolygon(polygons) => polygons,
        _ => return Err("is neither a Polygon nor a MultiPolygon".into()),
    };
    check_outline(&outline)?;
    let schematic = feature.property("schematic").and_then(serde_json::Value::as_bool).unwrap_or(false);
    Ok(Area { code, name, schematic, outline })
}

fn check_outline(outline: &geo::MultiPolygon<f64>) -> Result<(), String> {
    use geo::CoordsIter;
    use geo::algorithm::Validation;
    if outline.coords_count() == 0 {
        return Err("has an empty outline".into());
    }
    if let Some(bad) = outline.coords_iter().find(|c| GeoPoint::new(c.y, c.x).is_err()) {
        return Err(format!("has a corner at [{}, {}] (longitude, latitude in degrees are expected)", bad.x, bad.y));
    }
    outline.check_validation().map_err(|error| format!("has an invalid outline: {error}"))
}

/// Keeps geometry and the properties the map needs; whatever else a file carried stays behind.
fn clean(feature: Feature, area: &Area) -> Feature {
    use geo::Centroid;
    let centre = area.outline.centroid().map(|p| serde_json::json!([p.y(), p.x()]));
    let centre = feature.property("centre").filter(|c| c.is_array()).cloned().or(centre);
    let mut properties = serde_json::Map::new();
    properties.insert("kato".into(), area.code.as_str().into());
    properties.insert("name".into(), serde_json::json!(area.name));
    properties.insert("schematic".into(), area.schematic.into());
    properties.insert("centre".into(), centre.unwrap_or(serde_json::Value::Null));
    Feature { bbox: None, geometry: feature.geometry, id: None, properties: Some(properties), foreign_members: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(kato: &str, west: f64, extra: &str) -> String {
        let east = west + 1.0;
        format!(
            r#"{{"type":"Feature","properties":{{"kato":"{kato}","name":{{"kk":"А","ru":"Б","en":"C"}}{extra}}},"geometry":{{"type":"Polygon","coordinates":[[[{west},43],[{east},43],[{east},44],[{west},44],[{west},43]]]}}}}"#
        )
    }
    fn collection(features: &[String]) -> String {
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
    }

    #[test]
    fn a_place_outside_its_surveyed_area_is_named_with_the_area_it_is_in() {
        let (areas, skipped) = Areas::parse(&collection(&[square("311000000", 71.0, ""), square("313600000", 72.0, "")])).unwrap();
        assert!(skipped.is_empty());
        let point = GeoPoint::new(43.5, 72.5).unwrap();
        assert!(areas.check_inside(point, &"313600000".parse().unwrap()).is_ok());
        let reason = areas.check_inside(point, &"311000000".parse().unwrap()).unwrap_err();
        assert!(reason.contains("lies in C"), "{reason}");
    }

    #[test]
    fn schematic_areas_only_bound_the_region() {
        let schematic = r#","schematic":true"#;
        let (areas, _) = Areas::parse(&collection(&[square("311000000", 71.0, schematic), square("313600000", 72.0, schematic)])).unwrap();
        let code = "311000000".parse().unwrap();
        assert!(areas.check_inside(GeoPoint::new(43.5, 72.5).unwrap(), &code).is_ok());
        assert!(areas.check_inside(GeoPoint::new(50.0, 72.5).unwrap(), &code).is_err());
    }

    #[test]
    fn a_bow_tie_and_swapped_degrees_are_left_out_with_a_reason() {
        let tie = r#"{"type":"Feature","properties":{"kato":"314000000","name":"x"},"geometry":{"type":"Polygon","coordinates":[[[71,43],[72,44],[72,43],[71,44],[71,43]]]}}"#;
        let swapped = r#"{"type":"Feature","properties":{"kato":"314200000","name":"y"},"geometry":{"type":"Polygon","coordinates":[[[43,171],[44,171],[44,172],[43,171]]]}}"#;
        let (areas, skipped) = Areas::parse(&collection(&[square("311000000", 71.0, ""), tie.into(), swapped.into()])).unwrap();
        assert_eq!(areas.iter().count(), 1);
        assert_eq!(skipped.iter().map(|s| s.index).collect::<Vec<_>>(), [1, 2]);
        assert!(skipped[0].reason.contains("invalid outline"), "{}", skipped[0].reason);
    }
}
