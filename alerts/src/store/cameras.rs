//! Cameras that were added at run time, and the hours in which every camera worked.

use qorgan_domain::{DeviceRef, UserName, UtcMs};

use super::{
    Store, counted,
    db::{Row, args, word},
};
use crate::Error;

/// A camera that was added at run time. What the keys mean, and how the passwords are sealed, only `api` knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCamera {
    /// Which.
    pub camera: DeviceRef,
    /// Its keys, JSON.
    pub keys: String,
    /// Its passwords, sealed; none when it has none.
    pub sealed: Option<String>,
    /// When it was written last.
    pub updated_at: UtcMs,
    /// By whom.
    pub updated_by: UserName,
}

/// How long a camera worked within one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraHour {
    /// Which.
    pub camera: DeviceRef,
    /// When the hour begins.
    pub hour_at: UtcMs,
    /// Seconds in which pictures came.
    pub live_s: i64,
    /// Seconds in which the hub looked.
    pub known_s: i64,
}

const CAMERA: &str = "camera";
const HOUR: &str = "camera_hour";

impl Store {
    /// Every camera that was added at run time, by its id.
    pub async fn stored_cameras(&self) -> Result<Vec<StoredCamera>, Error> {
        let sql = "SELECT camera, keys, sealed, updated_at, updated_by FROM camera ORDER BY camera";
        let rows = self.db.rows(sql, vec![]).await.map_err(counted(CAMERA))?;
        let read = |row: &Row| -> Result<StoredCamera, Error> {
            let get = || -> Result<_, sqlx::Error> {
                let (camera, by) = (row.text("camera")?, row.text("updated_by")?);
                Ok((camera, row.text("keys")?, row.maybe_text("sealed")?, row.int("updated_at")?, by))
            };
            let (camera, keys, sealed, updated_at, by) = get().map_err(counted(CAMERA))?;
            let (camera, updated_by) = (word(CAMERA, "camera", &camera)?, word(CAMERA, "updated_by", &by)?);
            Ok(StoredCamera { camera, keys, sealed, updated_at: UtcMs(updated_at), updated_by })
        };
        rows.iter().map(read).collect()
    }

    /// Adds or replaces a camera.
    pub async fn put_camera(&self, camera: &StoredCamera) -> Result<(), Error> {
        let sql = "INSERT INTO camera (camera, keys, sealed, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (camera) DO UPDATE SET keys = excluded.keys, sealed = excluded.sealed, \
             updated_at = excluded.updated_at, updated_by = excluded.updated_by";
        let id = camera.camera.to_string();
        let values = args![id, camera.keys.as_str(), camera.sealed.clone(), camera.updated_at.0, camera.updated_by.as_str()];
        self.db.run(sql, values).await.map(drop).map_err(counted(CAMERA))
    }

    /// Removes a camera; false when there was none.
    pub async fn remove_camera(&self, camera: &DeviceRef) -> Result<bool, Error> {
        let sql = "DELETE FROM camera WHERE camera = $1";
        Ok(self.db.run(sql, args![camera.to_string()]).await.map_err(counted(CAMERA))? > 0)
    }

    /// Adds seconds to hours, all or none of them.
    pub async fn add_camera_hours(&self, hours: &[CameraHour]) -> Result<(), Error> {
        let sql = "INSERT INTO camera_hour (camera, hour_at, live_s, known_s) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (camera, hour_at) DO UPDATE SET live_s = camera_hour.live_s + excluded.live_s, \
             known_s = camera_hour.known_s + excluded.known_s";
        let work = async {
            let mut tx = self.db.begin().await?;
            for hour in hours {
                tx.run(sql, args![hour.camera.to_string(), hour.hour_at.0, hour.live_s, hour.known_s]).await?;
            }
            tx.commit().await
        };
        work.await.map_err(counted(HOUR))
    }

    /// Sums of every camera since a time: its id, seconds in which it worked, seconds in which the hub looked.
    pub async fn camera_uptime(&self, since: UtcMs) -> Result<Vec<(DeviceRef, i64, i64)>, Error> {
        // PostgreSQL gives the sum of BIGINT as NUMERIC.
        let sql = "SELECT camera, CAST(SUM(live_s) AS BIGINT) AS live_s, CAST(SUM(known_s) AS BIGINT) AS known_s FROM camera_hour \
             WHERE hour_at >= $1 GROUP BY camera ORDER BY camera";
        let rows = self.db.rows(sql, args![since.0]).await.map_err(counted(HOUR))?;
        let read = |row: &Row| -> Result<(DeviceRef, i64, i64), Error> {
            let get = || -> Result<_, sqlx::Error> { Ok((row.text("camera")?, row.int("live_s")?, row.int("known_s")?)) };
            let (camera, live_s, known_s) = get().map_err(counted(HOUR))?;
            Ok((word(HOUR, "camera", &camera)?, live_s, known_s))
        };
        rows.iter().map(read).collect()
    }

    /// Forgets hours before a time; how many.
    pub async fn forget_camera_hours(&self, before: UtcMs) -> Result<u64, Error> {
        self.db.run("DELETE FROM camera_hour WHERE hour_at < $1", args![before.0]).await.map_err(counted(HOUR))
    }
}
