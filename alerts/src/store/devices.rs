//! Last proofs of life of supervised devices.

use qorgan_domain::UtcMs;

use super::{
    Store, counted,
    db::{args, word},
};
use crate::{Error, supervision::Life};

impl Store {
    /// Keeps last proofs of life, all or none of them.
    pub async fn keep_lives(&self, lives: &[Life]) -> Result<(), Error> {
        let sql = "INSERT INTO device_life (device, seen_at, state) VALUES ($1, $2, $3) \
             ON CONFLICT (device) DO UPDATE SET seen_at = excluded.seen_at, state = excluded.state";
        let work = async {
            let mut tx = self.db.begin().await?;
            for life in lives {
                tx.run(sql, args![life.device.to_string(), life.seen_at.0, life.state.as_str()]).await?;
            }
            tx.commit().await
        };
        work.await.map_err(counted("keep lives"))
    }

    /// Every last proof of life.
    pub async fn lives(&self) -> Result<Vec<Life>, Error> {
        const TABLE: &str = "device_life";
        let rows = self.db.rows("SELECT device, seen_at, state FROM device_life ORDER BY device", vec![]).await.map_err(counted(TABLE))?;
        let read = |row: &super::db::Row| -> Result<Life, Error> {
            let get = || Ok((row.text("device")?, row.int("seen_at")?, row.text("state")?));
            let (device, seen_at, state) = get().map_err(counted(TABLE))?;
            Ok(Life { device: word(TABLE, "device", &device)?, seen_at: UtcMs(seen_at), state })
        };
        rows.iter().map(read).collect()
    }
}
