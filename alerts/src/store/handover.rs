//! Handovers of a shift, and the alarms of the last day for the response clock.

use qorgan_domain::{UserName, UtcMs, alert::Alert};

use super::{
    Store, counted,
    db::{Row, args, maybe_word, word},
    maybe_time,
};
use crate::Error;

/// A shift that was given to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Its number, from 1.
    pub id: i64,
    /// When.
    pub at: UtcMs,
    /// By whom.
    pub given_by: UserName,
    /// As which role.
    pub role: String,
    /// What the next shift must know.
    pub note: String,
    /// The alerts that were open, JSON as the API gives it.
    pub open_alerts: String,
    /// Who took it.
    pub taken_by: Option<UserName>,
    /// When.
    pub taken_at: Option<UtcMs>,
}

impl Store {
    /// Writes a handover down; its number.
    pub async fn add_handover(&self, handover: &Handover) -> Result<i64, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let newest = tx.row("SELECT MAX(id) AS newest FROM handover", vec![]).await?;
            let id = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
            let sql = "INSERT INTO handover (id, at, given_by, role, note, open_alerts) VALUES ($1, $2, $3, $4, $5, $6)";
            let values = args![
                id,
                handover.at.0,
                handover.given_by.as_str(),
                handover.role.as_str(),
                handover.note.as_str(),
                handover.open_alerts.as_str()
            ];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(id)
        };
        work.await.map_err(counted("handover"))
    }

    /// Takes a handover; false when there is none, or somebody has taken it.
    pub async fn take_handover(&self, id: i64, by: &UserName, at: UtcMs) -> Result<bool, Error> {
        let sql = "UPDATE handover SET taken_by = $2, taken_at = $3 WHERE id = $1 AND taken_by IS NULL";
        Ok(self.db.run(sql, args![id, by.as_str(), at.0]).await.map_err(counted("handover"))? > 0)
    }

    /// One handover.
    pub async fn handover(&self, id: i64) -> Result<Option<Handover>, Error> {
        let row = self.db.row("SELECT * FROM handover WHERE id = $1", args![id]).await.map_err(counted("handover"))?;
        row.as_ref().map(read).transpose()
    }

    /// The last handovers, newest first.
    pub async fn handovers(&self, limit: u32) -> Result<Vec<Handover>, Error> {
        let rows = self.db.rows("SELECT * FROM handover ORDER BY id DESC LIMIT $1", args![limit]).await;
        rows.map_err(counted("handovers"))?.iter().map(read).collect()
    }

    /// Alarms, tests left out, that were raised since a moment or are still open.
    pub async fn alarms_since(&self, since: UtcMs) -> Result<Vec<Alert>, Error> {
        let sql = "SELECT * FROM alert WHERE kind = 'alarm' AND test = 0 AND (raised_at >= $1 OR state <> 'closed') ORDER BY id";
        let rows = self.db.rows(sql, args![since.0]).await.map_err(counted("alarms since"))?;
        rows.iter().map(super::alerts::read).collect()
    }
}

fn read(row: &Row) -> Result<Handover, Error> {
    const TABLE: &str = "handover";
    let get = || -> Result<_, sqlx::Error> {
        Ok((row.int("id")?, row.int("at")?, row.text("given_by")?, row.text("role")?, row.text("note")?, row.text("open_alerts")?))
    };
    let (id, at, given_by, role, note, open_alerts) = get().map_err(counted(TABLE))?;
    Ok(Handover {
        id,
        at: UtcMs(at),
        given_by: word(TABLE, "given_by", &given_by)?,
        role,
        note,
        open_alerts,
        taken_by: maybe_word(TABLE, "taken_by", row.maybe_text("taken_by").map_err(counted(TABLE))?)?,
        taken_at: maybe_time(row.maybe_int("taken_at").map_err(counted(TABLE))?),
    })
}
