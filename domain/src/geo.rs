//! Places.

use serde::{Deserialize, Serialize};

/// A point on the ground, WGS 84 degrees; on the wire `[lat, lon]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct GeoPoint {
    lat: f64,
    lon: f64,
}

/// A latitude or longitude that does not exist.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("[{lat}, {lon}] is not a place: latitude is -90 to 90, longitude -180 to 180")]
pub struct GeoError {
    lat: f64,
    lon: f64,
}

impl GeoPoint {
    /// A point from degrees north and degrees east.
    pub fn new(lat: f64, lon: f64) -> Result<Self, GeoError> {
        if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) { Ok(Self { lat, lon }) } else { Err(GeoError { lat, lon }) }
    }
    /// Degrees north.
    pub fn lat(self) -> f64 {
        self.lat
    }
    /// Degrees east.
    pub fn lon(self) -> f64 {
        self.lon
    }
    /// Great-circle distance in metres (haversine, mean Earth radius 6,371,008.8 m).
    pub fn distance_m(self, other: GeoPoint) -> f64 {
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = (lat2 - lat1) / 2.0;
        let half_lon = (other.lon - self.lon).to_radians() / 2.0;
        let h = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lon.sin().powi(2);
        2.0 * 6_371_008.8 * h.sqrt().min(1.0).asin()
    }
}
impl TryFrom<[f64; 2]> for GeoPoint {
    type Error = GeoError;
    fn try_from([lat, lon]: [f64; 2]) -> Result<Self, GeoError> {
        Self::new(lat, lon)
    }
}
impl From<GeoPoint> for [f64; 2] {
    fn from(point: GeoPoint) -> [f64; 2] {
        [point.lat, point.lon]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_of_one_degree_of_latitude_is_about_111_km() {
        let a = GeoPoint::new(42.0, 71.0).unwrap();
        let b = GeoPoint::new(43.0, 71.0).unwrap();
        assert!((a.distance_m(b) - 111_195.0).abs() < 10.0);
    }

    #[test]
    fn swapped_or_missing_degrees_are_refused() {
        assert!(GeoPoint::new(171.4, 42.9).is_err());
        assert!(GeoPoint::new(f64::NAN, 0.0).is_err());
    }
}
