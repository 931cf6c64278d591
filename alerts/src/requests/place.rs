//! Cells that stand for an exact place wherever a request is published.
//!
//! A cell is 300 m high and about 300 m wide: rows of equal height from the equator, each cut into columns whose width is that of the
//! row's own latitude. What is published is the middle of a cell, so that every place in it looks the same.

use qorgan_domain::GeoPoint;

/// Side of a cell, in metres.
pub const CELL_M: f64 = 300.0;
/// Metres of a degree of latitude (mean Earth radius, as in [`GeoPoint::distance_m`]).
const DEGREE_M: f64 = 111_195.08;

/// Row and column of the cell that a place lies in.
pub fn cell_of(place: GeoPoint) -> (i64, i64) {
    let row = (place.lat() * DEGREE_M / CELL_M).floor();
    // Degrees times metres over metres: far below 2^53.
    (row as i64, (place.lon() / column_deg(row)).floor() as i64)
}

/// The middle of the cell that a place lies in.
pub fn snapped(place: GeoPoint) -> GeoPoint {
    let (row, column) = cell_of(place);
    let lat = (row as f64 + 0.5) * CELL_M / DEGREE_M;
    let lon = (column as f64 + 0.5) * column_deg(row as f64);
    // Five decimals are a metre: no more is said than is meant.
    let round = |degrees: f64| (degrees * 1e5).round() / 1e5;
    GeoPoint::new(round(lat).clamp(-90.0, 90.0), round(lon).clamp(-180.0, 180.0)).unwrap_or(place)
}

/// The cell and its eight neighbours, as rows and columns.
pub fn around(place: GeoPoint) -> Vec<(i64, i64)> {
    rings(place, 1)
}

/// Cells that hold every place within so many metres, as rows and columns; at most 5 km.
pub fn within(place: GeoPoint, radius_m: f64) -> Vec<(i64, i64)> {
    // A cell of another row is up to a tenth narrower than it should be.
    rings(place, (radius_m.clamp(0.0, 5_000.0) * 1.1 / CELL_M).ceil() as i64)
}

fn rings(place: GeoPoint, reach: i64) -> Vec<(i64, i64)> {
    let (row, _) = cell_of(place);
    let mut cells = Vec::new();
    for near in row - reach..=row + reach {
        // Columns of another row are a little wider or narrower.
        let column = (place.lon() / column_deg(near as f64)).floor() as i64;
        cells.extend((column - reach..=column + reach).map(|column| (near, column)));
    }
    cells
}

/// Width of a row's cells in degrees of longitude. At the poles, where it would be the whole circle, it is.
fn column_deg(row: f64) -> f64 {
    let middle = ((row + 0.5) * CELL_M / DEGREE_M).to_radians();
    (CELL_M / (DEGREE_M * middle.cos().abs().max(1e-6))).min(360.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_place_of_a_cell_is_published_as_the_same_one(lat in -80.0..80.0_f64, lon in -179.0..179.0_f64) {
            let place = GeoPoint::new(lat, lon).unwrap();
            let shown = snapped(place);
            prop_assert_eq!(cell_of(shown), cell_of(place));
            prop_assert_eq!(snapped(shown), shown);
            prop_assert!(place.distance_m(shown) < 215.0, "{}", place.distance_m(shown));
        }

        #[test]
        fn what_is_near_lies_in_a_cell_around(lat in -70.0..70.0_f64, lon in -170.0..170.0_f64, north in -280.0..280.0_f64, east in -280.0..280.0_f64) {
            let here = GeoPoint::new(lat, lon).unwrap();
            let there = GeoPoint::new(lat + north / DEGREE_M, lon + east / (DEGREE_M * lat.to_radians().cos())).unwrap();
            prop_assert!(around(here).contains(&cell_of(there)));
        }

        #[test]
        fn what_lies_within_a_radius_lies_in_one_of_its_cells(
            lat in -70.0..70.0_f64, lon in -170.0..170.0_f64, radius_m in 50.0..2_000.0_f64, angle in 0.0..6.3_f64, part in 0.0..1.0_f64,
        ) {
            let here = GeoPoint::new(lat, lon).unwrap();
            let (north, east) = (radius_m * part * angle.sin(), radius_m * part * angle.cos());
            let there = GeoPoint::new(lat + north / DEGREE_M, lon + east / (DEGREE_M * lat.to_radians().cos())).unwrap();
            prop_assert!(within(here, radius_m).contains(&cell_of(there)));
        }
    }

    #[test]
    fn poles_and_edges_give_places() {
        for (lat, lon) in [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (0.0, 0.0)] {
            let shown = snapped(GeoPoint::new(lat, lon).unwrap());
            assert!(shown.lat().is_finite() && shown.lon().is_finite());
        }
    }
}
