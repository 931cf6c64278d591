//! Outlines: read, repaired, refused, looked up.

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
