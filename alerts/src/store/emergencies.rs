//! The emergency journal. An entry is its versions: a correction adds one with its reason, and none is ever changed or removed.

use qorgan_domain::{AreaCode, UtcMs};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Row, Tx, args, word},
};
use crate::Error;

const TABLE: &str = "emergency_version";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyKind {
    /// Fire.
    Fire,
    /// Accident on a road, at work, in a house.
    Accident,
    /// Heating, water, gas, electricity.
    Utility,
    /// Storm, frost, snow.
    Weather,
    /// Flood or mudflow.
    Flood,
    /// Earthquake.
    Earthquake,
    /// Illness of many.
    Epidemic,
    /// Something at a public event that needed help.
    PublicEvent,
    /// Anything else.
    Other,
}

impl EmergencyKind {
    /// Every kind.
    pub const ALL: [EmergencyKind; 9] = [
        EmergencyKind::Fire,
        EmergencyKind::Accident,
        EmergencyKind::Utility,
        EmergencyKind::Weather,
        EmergencyKind::Flood,
        EmergencyKind::Earthquake,
        EmergencyKind::Epidemic,
        EmergencyKind::PublicEvent,
        EmergencyKind::Other,
    ];

    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            EmergencyKind::Fire => "fire",
            EmergencyKind::Accident => "accident",
            EmergencyKind::Utility => "utility",
            EmergencyKind::Weather => "weather",
            EmergencyKind::Flood => "flood",
            EmergencyKind::Earthquake => "earthquake",
            EmergencyKind::Epidemic => "epidemic",
            EmergencyKind::PublicEvent => "public_event",
            EmergencyKind::Other => "other",
        }
    }
}

/// One version of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyVersion {
    /// From 1.
    pub n: i64,
    /// When it happened.
    pub at: UtcMs,
    /// What kind.
    pub kind: EmergencyKind,
    /// District.
    pub area: AreaCode,
    /// Where, in words.
    pub place: Option<String>,
    /// What happened; no names.
    pub what: String,
    /// What was done.
    pub measures: String,
    /// People who died.
    pub dead: i64,
    /// People who were hurt.
    pub injured: i64,
    /// People who were brought away.
    pub evacuated: i64,
    /// Children among the dead and hurt.
    pub children: i64,
    /// Not over.
    pub ongoing: bool,
    /// When this version was written.
    pub written_at: UtcMs,
    /// By whom.
    pub written_by: String,
    /// Why it corrects the one before.
    pub reason: Option<String>,
    /// Made up for a demonstration.
    pub demo: bool,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyEntry {
    /// Number.
    pub id: i64,
    /// Versions, oldest first; at least one. In lists the newest alone.
    pub versions: Vec<EmergencyVersion>,
}

impl EmergencyEntry {
    /// The version that holds.
    pub fn newest(&self) -> Option<&EmergencyVersion> {
        self.versions.last()
    }
}

impl Store {
    /// Enters a new entry (none) or corrects one; its number, or none when there is no such entry. The version's number is given here.
    pub async fn write_emergency(&self, entry: Option<i64>, version: &EmergencyVersion) -> Result<Option<i64>, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            if matches!(tx, Tx::Postgres(_)) {
                tx.run("LOCK TABLE emergency_version IN SHARE ROW EXCLUSIVE MODE", vec![]).await?;
            }
            let max = |row: Option<Row>| row.map(|row| row.maybe_int("newest")).transpose().map(|n| n.flatten().unwrap_or(0));
            let (id, n) = match entry {
                None => (max(tx.row("SELECT MAX(entry) AS newest FROM emergency_version", vec![]).await?)? + 1, 1),
                Some(id) => {
                    let newest = max(tx.row("SELECT MAX(n) AS newest FROM emergency_version WHERE entry = $1", args![id]).await?)?;
                    if newest == 0 {
                        return Ok(None);
                    }
                    (id, newest + 1)
                }
            };
            let sql = "INSERT INTO emergency_version (entry, n, at, kind, area, place, what, measures, dead, injured, evacuated, children, ongoing, \
                 written_at, written_by, reason, demo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
            let values = args![
                id,
                n,
                version.at.0,
                version.kind.as_str(),
                version.area.as_str(),
                version.place.clone(),
                version.what.as_str(),
                version.measures.as_str(),
                version.dead,
                version.injured,
                version.evacuated,
                version.children,
                version.ongoing,
                version.written_at.0,
                version.written_by.as_str(),
                version.reason.clone(),
                version.demo,
            ];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(Some(id))
        };
        work.await.map_err(counted(TABLE))
    }

    /// An entry with all its versions.
    pub async fn emergency(&self, id: i64) -> Result<Option<EmergencyEntry>, Error> {
        let rows = self.db.rows("SELECT * FROM emergency_version WHERE entry = $1 ORDER BY n", args![id]).await.map_err(counted(TABLE))?;
        let versions = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok((!versions.is_empty()).then_some(EmergencyEntry { id, versions }))
    }

    /// Entries that happened from a time on and before another, latest first, each in the version that holds; after a place in that order.
    pub async fn emergencies(
        &self,
        from: UtcMs,
        to: UtcMs,
        kind: Option<EmergencyKind>,
        area: Option<&AreaCode>,
        after: Option<(UtcMs, i64)>,
        limit: u32,
    ) -> Result<Vec<EmergencyEntry>, Error> {
        let (at, id) = after.map_or((i64::MAX, i64::MAX), |(at, id)| (at.0, id));
        let sql = "SELECT v.* FROM emergency_version v WHERE v.at >= $1 AND v.at < $2 AND ($3 = '' OR v.kind = $3) AND ($4 = '' OR v.area = $4) \
             AND (v.at < $5 OR (v.at = $5 AND v.entry < $6)) AND v.n = (SELECT MAX(w.n) FROM emergency_version w WHERE w.entry = v.entry) \
             ORDER BY v.at DESC, v.entry DESC LIMIT $7";
        let values = args![from.0, to.0, kind.map_or("", EmergencyKind::as_str), area.map_or("", AreaCode::as_str), at, id, limit];
        let rows = self.db.rows(sql, values).await.map_err(counted(TABLE))?;
        let entry = |row: &Row| Ok(EmergencyEntry { id: row.int("entry").map_err(counted(TABLE))?, versions: vec![read(row)?] });
        rows.iter().map(entry).collect()
    }

    /// How many entries of a time were corrected after it.
    pub async fn emergencies_corrected_after(&self, from: UtcMs, to: UtcMs) -> Result<i64, Error> {
        let sql = "SELECT COUNT(DISTINCT entry) AS n FROM emergency_version WHERE n > 1 AND written_at >= $2 AND entry IN \
             (SELECT entry FROM emergency_version WHERE at >= $1 AND at < $2)";
        let row = self.db.row(sql, args![from.0, to.0]).await.map_err(counted(TABLE))?;
        Ok(row.map(|row| row.int("n")).transpose().map_err(counted(TABLE))?.unwrap_or(0))
    }
}

fn read(row: &Row) -> Result<EmergencyVersion, Error> {
    let int = |column: &'static str| row.int(column).map_err(counted(TABLE));
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    Ok(EmergencyVersion {
        n: int("n")?,
        at: UtcMs(int("at")?),
        kind: word(TABLE, "kind", &text("kind")?)?,
        area: word(TABLE, "area", &text("area")?)?,
        place: maybe("place")?,
        what: text("what")?,
        measures: text("measures")?,
        dead: int("dead")?,
        injured: int("injured")?,
        evacuated: int("evacuated")?,
        children: int("children")?,
        ongoing: row.flag("ongoing").map_err(counted(TABLE))?,
        written_at: UtcMs(int("written_at")?),
        written_by: text("written_by")?,
        reason: maybe("reason")?,
        demo: row.flag("demo").map_err(counted(TABLE))?,
    })
}
