//! A feature becomes an area, or says why not.

use geo::{BoundingRect, Centroid, Contains, CoordsIter, InteriorPoint};
use geojson::{Feature, GeometryValue};
use qorgan_domain::{AreaCode, GeoPoint, Trilingual};

use super::{
    Area,
    repair::{self, Repair},
};

/// Names of the property that holds the code.
const CODE: [&str; 4] = ["kato", "KATO", "kato_code", "code"];

fn text(feature: &Feature, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match feature.property(key)? {
        serde_json::Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// What stands where the code should, for the report.
pub(super) fn code_text(feature: &Feature) -> Option<String> {
    text(feature, &CODE).map(|code| code.chars().take(40).collect())
}

/// Any name, for the report.
pub(super) fn any_name(feature: &Feature) -> Option<String> {
    let name = names(feature)?;
    Some(name.en.chars().take(80).collect())
}

fn names(feature: &Feature) -> Option<Trilingual> {
    let nested = feature.property("name").and_then(|v| v.as_object());
    let name = |language: &str, flat: &[&str]| {
        let nested = nested.and_then(|n| n.get(language)).and_then(|v| v.as_str()).map(str::trim).filter(|n| !n.is_empty());
        nested.map(str::to_owned).or_else(|| text(feature, flat))
    };
    let (kk, ru) = (name("kk", &["name_kk", "name_kz", "ADM2_KK", "ADM1_KK"]), name("ru", &["name_ru", "ADM2_RU", "ADM1_RU"]));
    let en = name("en", &["name_en", "name", "ADM2_EN", "ADM1_EN"]);
    let any = kk.clone().or_else(|| ru.clone()).or_else(|| en.clone())?;
    Some(Trilingual { kk: kk.unwrap_or_else(|| any.clone()), ru: ru.unwrap_or_else(|| any.clone()), en: en.unwrap_or(any) })
}

/// Reads a feature; with what was repaired about its outline.
pub(super) fn area(feature: &Feature) -> Result<(Area, Option<Repair>), String> {
    let code = text(feature, &CODE).ok_or("has no property \"kato\"")?;
    let code: AreaCode = code.parse().map_err(|e: qorgan_domain::id::IdError| e.to_string())?;
    if code.as_str().starts_with("00") {
        return Err(format!("\"{code}\" is not a KATO code: the first two digits name an oblast or a city"));
    }
    let name = names(feature).ok_or("has no name")?;
    let geometry = feature.geometry.as_ref().ok_or("has no geometry")?;
    let outline: geo::MultiPolygon<f64> = match geo::Geometry::<f64>::try_from(geometry.clone()).map_err(|e| e.to_string())? {
        geo::Geometry::Polygon(polygon) => polygon.into(),
        geo::Geometry::MultiPolygon(polygons) => polygons,
        _ => return Err("is neither a Polygon nor a MultiPolygon".into()),
    };
    if outline.coords_count() == 0 {
        return Err("has an empty outline".into());
    }
    if let Some(bad) = outline.coords_iter().find(|c| GeoPoint::new(c.y, c.x).is_err()) {
        return Err(format!("has a corner at [{}, {}] (longitude, latitude in degrees are expected)", bad.x, bad.y));
    }
    let repaired = repair::repair(&outline)?;
    let outline = repaired.as_ref().map_or(outline, |found| found.outline.clone());
    let schematic = feature.property("schematic").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let centre = centre(feature, &outline);
    Ok((Area { code, name, schematic, centre, outline }, repaired))
}

/// The point that the file names, if it lies in the outline's box; else the centroid, if it lies inside; else a point that does.
fn centre(feature: &Feature, outline: &geo::MultiPolygon<f64>) -> Option<GeoPoint> {
    let named = feature.property("centre").cloned().and_then(|v| serde_json::from_value::<GeoPoint>(v).ok());
    let named = named.filter(|p| outline.bounding_rect().is_some_and(|b| b.contains(&geo::Point::new(p.lon(), p.lat()))));
    let centroid = outline.centroid().filter(|p| outline.contains(p));
    let point = |p: geo::Point<f64>| GeoPoint::new(p.y(), p.x()).ok();
    named.or_else(|| centroid.and_then(point)).or_else(|| outline.interior_point().and_then(point))
}

/// Keeps the (repaired) geometry and the properties the map needs; whatever else a file carried stays behind.
pub(super) fn clean(feature: &Feature, area: &Area) -> Feature {
    let mut properties = serde_json::Map::new();
    properties.insert("kato".into(), area.code.as_str().into());
    properties.insert("name".into(), serde_json::json!(area.name));
    properties.insert("schematic".into(), area.schematic.into());
    properties.insert("centre".into(), serde_json::json!(area.centre));
    let polygon = matches!(feature.geometry.as_ref().map(|g| &g.value), Some(GeometryValue::Polygon { .. }));
    // One polygon stays one: the map and a later export have what the file had.
    let value = match area.outline.0.as_slice() {
        [only] if polygon => GeometryValue::from(only),
        _ => GeometryValue::from(&area.outline),
    };
    Feature { bbox: None, geometry: Some(geojson::Geometry::new(value)), id: None, properties: Some(properties), foreign_members: None }
}
