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
    let (areas, report) = Areas::parse(&collection(&[square("311000000", 71.0, ""), square("313600000", 72.0, "")])).unwrap();
    assert!(report.skipped.is_empty());
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
    let (areas, report) = Areas::parse(&collection(&[square("311000000", 71.0, ""), tie.into(), swapped.into()])).unwrap();
    assert_eq!(areas.iter().count(), 1);
    assert_eq!(report.skipped.iter().map(|s| s.index).collect::<Vec<_>>(), [1, 2]);
    assert!(report.skipped[0].reason.contains("invalid outline"), "{:?}", report.skipped);
}

fn ring(kato: &str, coordinates: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"kato":"{kato}","name":"{kato}"}},"geometry":{{"type":"Polygon","coordinates":[[{coordinates}]]}}}}"#
    )
}

#[test]
fn an_outline_that_crosses_itself_a_little_is_repaired_and_the_report_says_by_how_much() {
    // A square of one degree with a loop of a thousandth at one corner.
    let looped = ring("311000000", "[71,43],[72,43],[72,44],[71.999,44.001],[72,44.001],[71.999,44],[71,44],[71,43]");
    let (areas, report) = Areas::parse(&collection(&[looped, square("313600000", 72.0, "")])).unwrap();
    assert_eq!((report.imported, report.skipped.len(), report.repaired.len()), (2, 0, 1));
    let repaired = &report.repaired[0];
    assert!(repaired.code == "311000000" && repaired.index == 0 && repaired.change_percent.abs() < 0.1, "{repaired:?}");
    assert!((8_000.0..10_000.0).contains(&repaired.area_after_km2), "{repaired:?}");
    assert_eq!(areas.at(GeoPoint::new(43.5, 71.5).unwrap()).unwrap().code.as_str(), "311000000");
    // What is served and stored is the repaired outline: reading it again finds nothing to repair.
    let (_, again) = Areas::parse(&areas.geojson()).unwrap();
    assert!(again.repaired.is_empty() && again.skipped.is_empty());
}

#[test]
fn overlapping_areas_are_told_with_the_ground_they_share_and_part_and_whole_are_no_overlap() {
    let (areas, _) = Areas::parse(&collection(&[
        square("311000000", 71.0, ""),
        square("313600000", 71.5, ""),
        square("314000000", 72.5, ""),
        // The oblast itself, and a rural okrug of the first district.
        ring("310000000", "[70,42],[75,42],[75,45],[70,45],[70,42]"),
        ring("311030000", "[71.1,43.1],[71.2,43.1],[71.2,43.2],[71.1,43.2],[71.1,43.1]"),
    ]))
    .unwrap();
    let overlaps = areas.overlaps();
    assert_eq!(overlaps.len(), 1, "{overlaps:?}");
    assert_eq!((overlaps[0].a.as_str(), overlaps[0].b.as_str()), ("311000000", "313600000"));
    assert!((overlaps[0].percent_of_smaller - 50.0).abs() < 0.1, "{overlaps:?}");
    // The smallest unit is the answer, those above it come after.
    let codes = |lat: f64, lon: f64| areas.all_at(GeoPoint::new(lat, lon).unwrap()).iter().map(|a| a.code.to_string()).collect::<Vec<_>>();
    assert_eq!(codes(43.15, 71.15), ["311030000", "311000000", "310000000"]);
    assert_eq!(codes(43.5, 71.75), ["311000000", "313600000", "310000000"]);
    assert!(codes(50.0, 71.5).is_empty());
}

#[test]
fn a_border_belongs_to_an_area_and_doubtful_codes_are_told() {
    let (areas, report) =
        Areas::parse(&collection(&[square("311000000", 71.0, ""), square("993600000", 72.0, ""), square("310012000", 80.0, "")])).unwrap();
    assert_eq!(areas.at(GeoPoint::new(43.5, 72.0).unwrap()).unwrap().code.as_str(), "311000000");
    let told: Vec<(&str, &str)> = report.kato.iter().map(|k| (k.code.as_str(), k.problem.as_str())).collect();
    assert_eq!(
        told,
        [
            ("993600000", "no oblast or city of the republic has the code 99"),
            ("310012000", "the digits of the district are 00, but those after them are not"),
        ]
    );
    for (code, reason) in
        [("31100000", "nine digits"), ("3110000000", "nine digits"), ("31100000x", "nine digits"), ("000000001", "is not a KATO code")]
    {
        let (_, report) = Areas::parse(&collection(&[square(code, 71.0, ""), square("311000000", 71.0, "")])).unwrap();
        assert!(report.skipped[0].reason.contains(reason), "{code}: {:?}", report.skipped);
        assert_eq!(report.skipped[0].code.as_deref(), Some(code));
    }
}

#[test]
fn hostile_and_broken_files_are_refused_with_a_reason() {
    let deep = format!(r#"{{"type":"FeatureCollection","features":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    for bad in ["", "{}", "[]", "null", r#"{"type":"FeatureCollection","features":[]}"#, r#"{"type":"Point","coordinates":[71,43]}"#, &deep]
    {
        assert!(Areas::parse(bad).is_err(), "{}", &bad[..bad.len().min(60)]);
    }
    for (feature, reason) in [
        (ring("311000000", "[71,43],[1e308,43],[72,44],[71,43]"), "corner"),
        (ring("311000000", "[71,43],[71,43],[71,43],[71,43]"), "invalid outline"),
        (ring("311000000", "[71,43],[72,44],[71,43]"), "invalid outline"),
        (ring("311000000", ""), "empty outline"),
        (r#"{"type":"Feature","properties":{"kato":"311000000","name":"x"},"geometry":null}"#.into(), "no geometry"),
        (r#"{"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":[]}}"#.into(), "no property"),
        (r#"{"type":"Feature","properties":{"kato":"311000000"},"geometry":{"type":"Polygon","coordinates":[]}}"#.into(), "no name"),
        (r#"{"type":"Feature","properties":{"kato":"311000000","name":"x"},"geometry":{"type":"LineString","coordinates":[[71,43],[72,44]]}}"#.into(), "neither a Polygon"),
    ] {
        match Areas::parse(&collection(&[feature.clone(), square("313600000", 72.0, "")])) {
            Ok((areas, report)) => {
                assert_eq!(areas.iter().count(), 1, "{feature}");
                assert!(report.skipped[0].reason.contains(reason), "{feature}: {:?}", report.skipped);
            }
            // GeoJSON itself may refuse it.
            Err(error) => assert!(matches!(error, AreasError::Shape(_)), "{error}"),
        }
    }
}

/// The districts of the country (CC BY 4.0), where the file is: one outline of it is invalid.
#[test]
fn the_districts_of_the_country_are_taken_all_of_them_and_ulytau_is_repaired() {
    let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/kaz_adm2_2024.geojson");
    let Ok(text) = std::fs::read_to_string(&shared) else { return eprintln!("not there: {}", shared.display()) };
    let (areas, report) = Areas::parse(&text).unwrap();
    assert_eq!((report.imported, report.skipped.len()), (224, 0), "{:?}", report.skipped);
    let repaired: Vec<(&str, &str)> = report.repaired.iter().map(|r| (r.code.as_str(), r.name.as_str())).collect();
    assert_eq!(repaired, [("623800000", "Ulytau")], "{:?}", report.repaired);
    assert!(report.repaired[0].change_percent.abs() < 0.1, "{:?}", report.repaired);
    let ulytau = areas.get(&"623800000".parse().unwrap()).unwrap();
    assert!(geo::algorithm::Validation::is_valid(&ulytau.outline));
    let taraz = areas.at(GeoPoint::new(42.9, 71.37).unwrap()).unwrap();
    assert_eq!((taraz.code.as_str(), taraz.name.ru.as_str()), ("311000000", "Тараз"));
    // Every centre lies in its own district, and looking up is quick enough for every request (unoptimised build, shared machine).
    let began = std::time::Instant::now();
    for area in areas.iter() {
        assert!(areas.all_at(area.centre.unwrap()).iter().any(|a| a.code == area.code), "{}", area.code);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    eprintln!("224 look-ups {:?}; kato: {:?}", began.elapsed(), report.kato);
}

/// Rings of random corners cross themselves in every way; on a coarse grid they also touch, repeat and lie on one line.
#[test]
fn whatever_the_corners_nothing_panics_and_what_is_taken_is_valid() {
    use geo::algorithm::Validation;
    use rand::{Rng, SeedableRng, rngs::StdRng};
    let mut rng = StdRng::seed_from_u64(5);
    let (mut taken, mut repaired) = (0, 0);
    for n in 0..1_500 {
        let grid = [4.0, 40.0, 1e9][n % 3];
        let corner = |rng: &mut StdRng| {
            format!("[{},{}]", 70.0 + (rng.random::<f64>() * grid).floor() / grid, 43.0 + (rng.random::<f64>() * grid).floor() / grid)
        };
        let mut corners: Vec<String> = (0..rng.random_range(1..9)).map(|_| corner(&mut rng)).collect();
        corners.push(corners[0].clone());
        let Ok((areas, report)) = Areas::parse(&collection(&[ring("311000000", &corners.join(",")), square("313600000", 90.0, "")])) else {
            continue;
        };
        taken += usize::from(areas.iter().count() == 2);
        repaired += report.repaired.len();
        for area in areas.iter() {
            assert!(area.outline.check_validation().is_ok(), "{corners:?}");
        }
        areas.overlaps();
        areas.all_at(GeoPoint::new(43.5, 70.5).unwrap());
    }
    assert!(taken > 100 && repaired > 0, "{taken} taken, {repaired} repaired");
}
