//! How many requests are open around a place, by category. Numbers only: no row, text or place of one leaves here.

use std::collections::BTreeMap;

use qorgan_domain::GeoPoint;
use sqlx::AssertSqlSafe;

use crate::{
    Error,
    requests::place,
    store::{
        Store, counted,
        db::{Arg, Row},
    },
};

impl Store {
    /// Requests with a running deadline within so many metres (5 km at most), by category. Exact: what of it may be told,
    /// [`crate::context::RequestsNear::told`] decides.
    pub async fn open_requests_near(&self, at: GeoPoint, radius_m: f64) -> Result<BTreeMap<String, u64>, Error> {
        let cells: Vec<Arg> = place::within(at, radius_m).iter().map(|(row, column)| Arg::from(format!("{row}:{column}"))).collect();
        let places: Vec<String> = (1..=cells.len()).map(|n| format!("${n}")).collect();
        let sql = format!("SELECT category, lat, lon FROM request WHERE cell IN ({}) AND due_at IS NOT NULL", places.join(", "));
        let rows = self.db.rows(AssertSqlSafe(sql), cells).await.map_err(counted("requests near"))?;
        let mut open = BTreeMap::new();
        for row in &rows {
            let read = |row: &Row| Ok((row.text("category")?, row.real("lat")?, row.real("lon")?));
            let (category, lat, lon) = read(row).map_err(counted("requests near"))?;
            if GeoPoint::new(lat, lon).is_ok_and(|place| place.distance_m(at) <= radius_m) {
                *open.entry(category).or_default() += 1;
            }
        }
        Ok(open)
    }
}
