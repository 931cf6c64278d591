//! Cameras whose notices and watches a named person put aside, with the time at which they come back. Kept, so that a restart neither
//! forgets nor prolongs it.

use qorgan_domain::{DeviceRef, UserName, UtcMs};

use super::{
    Store, counted,
    db::{Row, args, word},
};
use crate::Error;

const ASIDE: &str = "aside";

/// A camera that is put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Which.
    pub camera: DeviceRef,
    /// Until when.
    pub until: UtcMs,
    /// Since when.
    pub at: UtcMs,
    /// By whom.
    pub who: UserName,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Puts a camera aside, or gives it another time; what has run out is forgotten.
    pub async fn put_aside(&self, aside: &Aside) -> Result<(), Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            tx.run("DELETE FROM aside WHERE until_at <= $1", args![aside.at.0]).await?;
            let sql = "INSERT INTO aside (camera, until_at, at, who, reason) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (camera) DO UPDATE SET until_at = excluded.until_at, at = excluded.at, who = excluded.who, reason = excluded.reason";
            let values = args![aside.camera.to_string(), aside.until.0, aside.at.0, aside.who.to_string(), aside.reason.as_str()];
            tx.run(sql, values).await?;
            tx.commit().await
        };
        work.await.map_err(counted(ASIDE))
    }

    /// Takes a camera up again before its time.
    pub async fn take_up(&self, camera: &DeviceRef) -> Result<(), Error> {
        self.db.run("DELETE FROM aside WHERE camera = $1", args![camera.to_string()]).await.map(drop).map_err(counted(ASIDE))
    }

    /// Cameras that are aside at a moment, the next to come back first.
    pub async fn asides(&self, now: UtcMs) -> Result<Vec<Aside>, Error> {
        let sql = "SELECT camera, until_at, at, who, reason FROM aside WHERE until_at > $1 ORDER BY until_at, camera";
        let rows = self.db.rows(sql, args![now.0]).await.map_err(counted(ASIDE))?;
        let read = |row: &Row| -> Result<Aside, Error> {
            let get = || Ok((row.text("camera")?, row.text("who")?, row.text("reason")?, row.int("until_at")?, row.int("at")?));
            let (camera, who, reason, until, at) = get().map_err(counted(ASIDE))?;
            let camera = word(ASIDE, "camera", &camera)?;
            Ok(Aside { camera, until: UtcMs(until), at: UtcMs(at), who: word(ASIDE, "who", &who)?, reason })
        };
        rows.iter().map(read).collect()
    }
}
