//! Drills: planned, running, ended, each with the presses that carried its number. What makes one pass is `api`'s matter.

use std::collections::HashMap;

use qorgan_domain::{AlertId, DeviceRef, SiteId, UtcMs};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Row, args, maybe_word, word},
    maybe_time,
};
use crate::Error;

/// How a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillResult {
    /// Pressed, stored, on screen, claimed and accepted in time.
    Passed,
    /// Pressed, and something is missing.
    Failed,
    /// Called off.
    Cancelled,
    /// Nobody pressed.
    Missed,
}

impl DrillResult {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
        }
    }
}

/// When each step of a drill was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DrillSteps {
    /// The button was pressed.
    pub pressed_at: Option<UtcMs>,
    /// The press was safe on disk.
    pub stored_at: Option<UtcMs>,
    /// It was on the screen of an attended desk.
    pub shown_at: Option<UtcMs>,
    /// Somebody claimed it.
    pub claimed_at: Option<UtcMs>,
    /// The patrol accepted.
    pub accepted_at: Option<UtcMs>,
}

/// A press that carried a drill's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillPress {
    /// Its alert.
    pub alert: AlertId,
    /// What was pressed.
    pub device: DeviceRef,
    /// Whether it counts for the drill: a test press, or one that the desk closed as a drill.
    pub counts: bool,
    /// How far it came.
    pub steps: DrillSteps,
}

/// A drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// Its number.
    pub id: i64,
    /// Where.
    pub site: SiteId,
    /// When it begins.
    pub scheduled_at: UtcMs,
    /// When it ends by itself.
    pub until_at: UtcMs,
    /// Who ordered it.
    pub created_by: String,
    /// When it began.
    pub started_at: Option<UtcMs>,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
    /// The alert that stands for it.
    pub alert: Option<AlertId>,
    /// How it ended.
    pub result: Option<DrillResult>,
    /// Presses that carried its number, oldest first.
    pub presses: Vec<DrillPress>,
    /// Words of who ended it.
    pub note: Option<String>,
}

const TABLE: &str = "drill";

impl Store {
    /// Writes a new drill down and gives it a number; none when another of that site overlaps it.
    pub async fn add_drill(&self, drill: Drill) -> Result<Option<Drill>, Error> {
        self.try_add_drill(drill).await.map_err(counted(TABLE))
    }

    async fn try_add_drill(&self, mut drill: Drill) -> Result<Option<Drill>, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        if matches!(tx, super::db::Tx::Postgres(_)) {
            tx.run("LOCK TABLE drill IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
        }
        let overlap = "SELECT id FROM drill WHERE site = $1 AND ended_at IS NULL AND scheduled_at < $2 AND until_at > $3 LIMIT 1";
        if tx.row(overlap, args![drill.site.as_str(), drill.until_at.0, drill.scheduled_at.0]).await?.is_some() {
            return Ok(None);
        }
        let newest = tx.row("SELECT MAX(id) AS newest FROM drill", vec![]).await?;
        drill.id = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
        let sql = "INSERT INTO drill (id, site, scheduled_at, until_at, created_by, started_at, ended_at, alert, result, steps, note) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let steps = serde_json::to_string(&drill.presses).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let values = args![
            drill.id,
            drill.site.as_str(),
            drill.scheduled_at.0,
            drill.until_at.0,
            drill.created_by.as_str(),
            drill.started_at.map(|at| at.0),
            drill.ended_at.map(|at| at.0),
            drill.alert.map(|id| id.0),
            drill.result.map(|r| r.as_str().to_owned()),
            steps,
            drill.note.clone(),
        ];
        tx.run(sql, values).await?;
        tx.commit().await?;
        Ok(Some(drill))
    }

    /// Writes down how a drill stands now; false when it has ended meanwhile, and nothing was written.
    pub async fn save_drill(&self, drill: &Drill) -> Result<bool, Error> {
        self.write_drill(drill, false).await
    }

    /// Writes down how a drill that has ended is to be judged after all.
    pub async fn revise_drill(&self, drill: &Drill) -> Result<(), Error> {
        self.write_drill(drill, true).await.map(drop)
    }

    async fn write_drill(&self, drill: &Drill, ended: bool) -> Result<bool, Error> {
        let steps = serde_json::to_string(&drill.presses).map_err(|e| counted(TABLE)(sqlx::Error::Encode(e.into())))?;
        let sql = "UPDATE drill SET started_at = $2, ended_at = $3, alert = $4, result = $5, steps = $6, note = $7 \
             WHERE id = $1 AND ($8 = 1 OR ended_at IS NULL)";
        let values = args![
            drill.id,
            drill.started_at.map(|at| at.0),
            drill.ended_at.map(|at| at.0),
            drill.alert.map(|id| id.0),
            drill.result.map(|r| r.as_str().to_owned()),
            steps,
            drill.note.clone(),
            ended,
        ];
        Ok(self.db.run(sql, values).await.map_err(counted(TABLE))? > 0)
    }

    /// One drill.
    pub async fn drill(&self, id: i64) -> Result<Option<Drill>, Error> {
        let row = self.db.row("SELECT * FROM drill WHERE id = $1", args![id]).await.map_err(counted(TABLE))?;
        row.as_ref().map(read).transpose()
    }

    /// Drills that have not ended, by their beginning.
    pub async fn open_drills(&self) -> Result<Vec<Drill>, Error> {
        let rows = self.db.rows("SELECT * FROM drill WHERE ended_at IS NULL ORDER BY scheduled_at, id", vec![]).await;
        rows.map_err(counted(TABLE))?.iter().map(read).collect()
    }

    /// The newest drills, latest beginning first.
    pub async fn drills(&self, limit: u32) -> Result<Vec<Drill>, Error> {
        let rows = self.db.rows("SELECT * FROM drill ORDER BY scheduled_at DESC, id DESC LIMIT $1", args![limit]).await;
        rows.map_err(counted(TABLE))?.iter().map(read).collect()
    }

    /// When each site passed a drill last.
    pub async fn last_passed_drills(&self) -> Result<HashMap<SiteId, UtcMs>, Error> {
        let sql = "SELECT site, MAX(ended_at) AS last FROM drill WHERE result = 'passed' AND ended_at IS NOT NULL GROUP BY site";
        let rows = self.db.rows(sql, vec![]).await.map_err(counted(TABLE))?;
        let read = |row: &Row| -> Result<(SiteId, UtcMs), Error> {
            let get = || Ok((row.text("site")?, row.int("last")?));
            let (site, last) = get().map_err(counted(TABLE))?;
            Ok((word(TABLE, "site", &site)?, UtcMs(last)))
        };
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Drill, Error> {
    let int = |column: &'static str| row.int(column).map(UtcMs).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_int(column).map(maybe_time).map_err(counted(TABLE));
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let steps = text("steps")?;
    // The table's own default is an empty object.
    let presses = if steps == "{}" { Ok(Vec::new()) } else { serde_json::from_str(&steps) };
    Ok(Drill {
        id: int("id")?.0,
        site: word(TABLE, "site", &text("site")?)?,
        scheduled_at: int("scheduled_at")?,
        until_at: int("until_at")?,
        created_by: text("created_by")?,
        started_at: maybe("started_at")?,
        ended_at: maybe("ended_at")?,
        alert: maybe("alert")?.map(|id| AlertId(id.0)),
        result: maybe_word(TABLE, "result", row.maybe_text("result").map_err(counted(TABLE))?)?,
        presses: presses.map_err(|_| Error::Corrupt { table: TABLE, column: "steps", value: steps })?,
        note: row.maybe_text("note").map_err(counted(TABLE))?,
    })
}
