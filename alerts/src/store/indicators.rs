//! Values of indicators: imports, the history of every value, and which value stands. The history only grows.

use std::collections::BTreeSet;

use qorgan_domain::{
    AreaCode, IndicatorId, UtcMs,
    indicator::{Basis, Observation},
    period::Period,
};
use serde::{Deserialize, Serialize};

use super::{
    Store, counted,
    db::{Row, Tx, args, word},
    maybe_time,
};
use crate::{
    Error,
    intake::plan::{Compared, Planned, Standing},
};

/// Rows that are written in one transaction: an alarm waits for one such batch at most.
const BATCH: usize = 4_000;
const TABLE: &str = "indicator_value";

/// How values came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// A file that somebody applied.
    File,
    /// A machine, over HTTP.
    Http,
    /// A machine, over MQTT.
    Mqtt,
    /// A survey.
    Survey,
    /// Totals of feeds.
    Feed,
    /// Totals of a register.
    Register,
    /// The demonstration's file.
    Demo,
}

impl ImportKind {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            ImportKind::File => "file",
            ImportKind::Http => "http",
            ImportKind::Mqtt => "mqtt",
            ImportKind::Survey => "survey",
            ImportKind::Feed => "feed",
            ImportKind::Register => "register",
            ImportKind::Demo => "demo",
        }
    }
}

/// Something that brings values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// When.
    pub at: UtcMs,
    /// Account name, or `source/{name}`.
    pub who: String,
    /// How.
    pub kind: ImportKind,
    /// Who gave the values whose row does not say.
    pub source: String,
    /// Name of the file.
    pub filename: Option<String>,
    /// SHA-256 of the file, in hex.
    pub sha256: Option<String>,
    /// Counts that were left out.
    pub suppressed: usize,
}

/// An import as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImport {
    /// Number.
    pub id: i64,
    /// What it was.
    pub import: NewImport,
    /// Values that it brought.
    pub values: u64,
    /// When it was undone, by whom and why.
    pub undone: Option<(UtcMs, String, String)>,
}

/// A value that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredObservation {
    /// The value.
    pub observation: Observation,
    /// When it came in.
    pub recorded_at: UtcMs,
    /// Who brought it.
    pub by: String,
    /// Who gave it.
    pub source: String,
    /// Its import.
    pub import: i64,
    /// How it came in.
    pub kind: ImportKind,
}

/// Which part of the history.
#[derive(Debug, Clone, Default)]
pub struct HistoryFilter {
    /// Of an area.
    pub area: Option<AreaCode>,
    /// Of an indicator.
    pub indicator: Option<IndicatorId>,
    /// Of a period.
    pub period: Option<Period>,
    /// Older than this entry.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// An entry of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// Number; a later entry has a higher one.
    pub seq: i64,
    /// The value with who, when and whence.
    pub stored: StoredObservation,
    /// What stood before it: value, basis, import.
    pub before: Option<(f64, Basis, i64)>,
    /// Whether it stands.
    pub standing: bool,
    /// When and by whom its import was undone.
    pub undone: Option<(UtcMs, String)>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// Its number; none when every value stood already.
    pub import: Option<i64>,
    /// What changed.
    pub compared: Compared,
}

/// What an undo did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// Values in whose place an earlier one stands again.
    pub restored: u64,
    /// Values in whose place nothing stands.
    pub removed: u64,
    /// Values that a later import has replaced, which stays.
    pub overwritten: u64,
    /// The first hundred of them: area, indicator, period, the later import.
    pub overwritten_by: Vec<(AreaCode, IndicatorId, Period, i64)>,
}

/// Why nothing was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotUndone {
    /// There is no such import.
    NotFound,
    /// It was undone before.
    Already,
}

impl Store {
    /// Takes values, all or none; those that stand already are left out. `progress` hears how many are written. Values are seen by
    /// nobody before the last step, which is one transaction with the import itself; what a crash leaves is removed by the next import.
    pub async fn add_values(&self, import: &NewImport, values: &[Planned], progress: impl Fn(usize) + Send) -> Result<Added, Error> {
        let _one = self.values.lock().await;
        let periods: BTreeSet<Period> = values.iter().map(|v| v.observation.period).collect();
        let standing = self.standing_of(&periods).await?;
        let mut compared = Compared::default();
        let is_new = |planned: &&Planned| {
            let o = &planned.observation;
            match standing.get(&(o.area.clone(), o.indicator.clone(), o.period)) {
                None => compared.added += 1,
                Some((value, basis)) if *value == o.value && *basis == o.basis => {
                    compared.unchanged += 1;
                    return false;
                }
                Some(_) => compared.changed += 1,
            }
            true
        };
        let new: Vec<&Planned> = values.iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(Added { import: None, compared });
        }
        let id = self.write_values(import, &new, &progress).await.map_err(counted(TABLE))?;
        Ok(Added { import: Some(id), compared })
    }

    async fn write_values(&self, import: &NewImport, new: &[&Planned], progress: &(impl Fn(usize) + Send)) -> Result<i64, sqlx::Error> {
        let newest = self.db.row("SELECT MAX(id) AS newest FROM intake_import", vec![]).await?;
        let newest = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0);
        // What an import left that did not come to its end.
        self.db.run("DELETE FROM indicator_value WHERE import > $1", args![newest]).await?;
        let id = newest + 1;
        let last = self.db.row("SELECT MAX(seq) AS last FROM indicator_value", vec![]).await?;
        let mut seq = last.map(|row| row.maybe_int("last")).transpose()?.flatten().unwrap_or(0);
        let head = "INSERT INTO indicator_value (seq, area, indicator, period, value, cases, denominator, source, import) VALUES ";
        let mut written = 0;
        for batch in new.chunks(BATCH) {
            let rows = batch.iter().map(|planned| {
                let o = &planned.observation;
                let (cases, denominator) = match o.basis {
                    Basis::Cases(cases) => (Some(i64::try_from(cases).unwrap_or(i64::MAX)), None),
                    Basis::Denominator(whole) => (None, Some(whole)),
                };
                seq += 1;
                let source = planned.source.clone();
                args![seq, o.area.as_str(), o.indicator.as_str(), o.period.to_string(), o.value, cases, denominator, source, id]
            });
            let mut tx = self.db.begin().await?;
            tx.insert(head, "", rows.collect()).await?;
            tx.commit().await?;
            written += batch.len();
            progress(written);
        }
        let mut tx = self.db.begin().await?;
        let sql = "INSERT INTO intake_import (id, at, who, kind, source, filename, sha256, taken, suppressed, demo) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let values = args![
            id,
            import.at.0,
            import.who.as_str(),
            import.kind.as_str(),
            import.source.as_str(),
            import.filename.clone(),
            import.sha256.clone(),
            count(new.len()),
            count(import.suppressed),
            import.kind == ImportKind::Demo,
        ];
        tx.run(sql, values).await?;
        let sql = "INSERT INTO indicator_standing (area, indicator, period, seq) \
                   SELECT area, indicator, period, seq FROM indicator_value WHERE import = $1 \
                   ON CONFLICT (area, indicator, period) DO UPDATE SET seq = excluded.seq";
        tx.run(sql, args![id]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The values of some periods that stand.
    pub async fn standing_of(&self, periods: &BTreeSet<Period>) -> Result<Standing, Error> {
        let sql = "SELECT s.area, s.indicator, s.period, v.value, v.cases, v.denominator \
                   FROM indicator_standing s JOIN indicator_value v ON v.seq = s.seq WHERE s.period = $1";
        let mut standing = Standing::new();
        for period in periods {
            for row in self.db.rows(sql, args![period.to_string()]).await.map_err(counted(TABLE))? {
                let o = observation(&row)?;
                standing.insert((o.area, o.indicator, o.period), (o.value, o.basis));
            }
        }
        Ok(standing)
    }

    /// The value of each area, indicator and period that stands, or stood at a moment.
    pub async fn indicator_values(&self, as_of: Option<UtcMs>) -> Result<Vec<StoredObservation>, Error> {
        let columns = "v.area, v.indicator, v.period, v.value, v.cases, v.denominator, COALESCE(v.source, i.source) AS source, \
                       i.id AS import_id, i.at AS import_at, i.who AS import_who, i.kind AS import_kind";
        let (sql, values) = match as_of {
            None => (
                format!(
                    "SELECT {columns} FROM indicator_standing s JOIN indicator_value v ON v.seq = s.seq JOIN intake_import i ON i.id = v.import \
                     ORDER BY v.area, v.indicator, v.period"
                ),
                vec![],
            ),
            Some(at) => (
                format!(
                    "SELECT {columns} FROM (SELECT MAX(w.seq) AS seq FROM indicator_value w JOIN intake_import j ON j.id = w.import \
                     WHERE j.at <= $1 AND (j.undone_at IS NULL OR j.undone_at > $2) GROUP BY w.area, w.indicator, w.period) s \
                     JOIN indicator_value v ON v.seq = s.seq JOIN intake_import i ON i.id = v.import ORDER BY v.area, v.indicator, v.period"
                ),
                args![at.0, at.0],
            ),
        };
        // Only names of columns are written into the text.
        let rows = self.db.rows(sqlx::AssertSqlSafe(sql), values).await.map_err(counted(TABLE))?;
        rows.iter().map(stored).collect()
    }

    /// The history, newest first.
    pub async fn indicator_history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryEntry>, Error> {
        let sql = "SELECT v.seq, v.area, v.indicator, v.period, v.value, v.cases, v.denominator, COALESCE(v.source, i.source) AS source, \
                   i.id AS import_id, i.at AS import_at, i.who AS import_who, i.kind AS import_kind, i.undone_at, i.undone_by, \
                   CASE WHEN s.seq = v.seq THEN 1 ELSE 0 END AS stands, \
                   p.value AS p_value, p.cases AS p_cases, p.denominator AS p_denominator, p.import AS p_import \
                   FROM indicator_value v JOIN intake_import i ON i.id = v.import \
                   LEFT JOIN indicator_standing s ON s.area = v.area AND s.indicator = v.indicator AND s.period = v.period \
                   LEFT JOIN indicator_value p ON p.seq = (SELECT MAX(q.seq) FROM indicator_value q JOIN intake_import j ON j.id = q.import \
                     WHERE q.area = v.area AND q.indicator = v.indicator AND q.period = v.period AND q.seq < v.seq \
                     AND (j.undone_at IS NULL OR j.undone_at > i.at)) \
                   WHERE ($1 = '' OR v.area = $2) AND ($3 = '' OR v.indicator = $4) AND ($5 = '' OR v.period = $6) AND v.seq < $7 \
                   ORDER BY v.seq DESC LIMIT $8";
        let text = |text: Option<String>| text.unwrap_or_default();
        let area = text(filter.area.as_ref().map(ToString::to_string));
        let indicator = text(filter.indicator.as_ref().map(ToString::to_string));
        let period = text(filter.period.map(|p| p.to_string()));
        let before = filter.before.unwrap_or(i64::MAX);
        let values = args![area.clone(), area, indicator.clone(), indicator, period.clone(), period, before, filter.limit.clamp(1, 1_000)];
        let rows = self.db.rows(sql, values).await.map_err(counted(TABLE))?;
        rows.iter().map(history).collect()
    }

    /// Imports, newest first.
    pub async fn imports(&self, before: Option<i64>, limit: u32) -> Result<Vec<StoredImport>, Error> {
        let sql = "SELECT * FROM intake_import WHERE id < $1 ORDER BY id DESC LIMIT $2";
        let rows = self.db.rows(sql, args![before.unwrap_or(i64::MAX), limit.clamp(1, 500)]).await.map_err(counted(TABLE))?;
        rows.iter().map(import).collect()
    }

    /// Takes an import back: what stood before its values stands again. Where a later import has replaced them, that one stays, and
    /// what stood before this one is what will stand should that one be undone too.
    pub async fn undo_import(&self, id: i64, who: &str, reason: &str, now: UtcMs) -> Result<Result<Undone, NotUndone>, Error> {
        let _one = self.values.lock().await;
        let known = self.db.row("SELECT undone_at FROM intake_import WHERE id = $1", args![id]).await.map_err(counted(TABLE))?;
        let Some(known) = known else { return Ok(Err(NotUndone::NotFound)) };
        if known.maybe_int("undone_at").map_err(counted(TABLE))?.is_some() {
            return Ok(Err(NotUndone::Already));
        }
        let sql = "SELECT v.area, v.indicator, v.period, w.import AS later FROM indicator_value v \
                   JOIN indicator_standing s ON s.area = v.area AND s.indicator = v.indicator AND s.period = v.period AND s.seq > v.seq \
                   JOIN indicator_value w ON w.seq = s.seq WHERE v.import = $1 ORDER BY v.seq";
        let rows = self.db.rows(sql, args![id]).await.map_err(counted(TABLE))?;
        let overwritten = rows.len() as u64;
        let overwritten_by: Result<Vec<_>, Error> =
            rows.iter().take(100).map(|row| Ok((key(row)?, row.int("later").map_err(counted(TABLE))?))).collect();
        let overwritten_by =
            overwritten_by?.into_iter().map(|((area, indicator, period), later)| (area, indicator, period, later)).collect();
        let (restored, removed) = self.take_back(id, who, reason, now).await.map_err(counted(TABLE))?;
        Ok(Ok(Undone { restored, removed, overwritten, overwritten_by }))
    }

    async fn take_back(&self, id: i64, who: &str, reason: &str, now: UtcMs) -> Result<(u64, u64), sqlx::Error> {
        let mut tx: Tx = self.db.begin().await?;
        let sql = "UPDATE intake_import SET undone_at = $2, undone_by = $3, undo_reason = $4 WHERE id = $1";
        tx.run(sql, args![id, now.0, who, reason]).await?;
        let sql = "DELETE FROM indicator_standing WHERE seq IN (SELECT seq FROM indicator_value WHERE import = $1)";
        let stood = tx.run(sql, args![id]).await?;
        let sql = "INSERT INTO indicator_standing (area, indicator, period, seq) \
                   SELECT w.area, w.indicator, w.period, MAX(w.seq) FROM indicator_value o \
                   JOIN indicator_value w ON w.area = o.area AND w.indicator = o.indicator AND w.period = o.period \
                   JOIN intake_import j ON j.id = w.import WHERE o.import = $1 AND j.undone_at IS NULL \
                   GROUP BY w.area, w.indicator, w.period ON CONFLICT (area, indicator, period) DO NOTHING";
        let restored = tx.run(sql, args![id]).await?;
        tx.commit().await?;
        Ok((restored, stood.saturating_sub(restored)))
    }
}

fn key(row: &Row) -> Result<(AreaCode, IndicatorId, Period), Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    Ok((word(TABLE, "area", &text("area")?)?, word(TABLE, "indicator", &text("indicator")?)?, word(TABLE, "period", &text("period")?)?))
}

fn basis(cases: Option<i64>, denominator: Option<f64>) -> Basis {
    match (cases, denominator) {
        (_, Some(whole)) => Basis::Denominator(whole),
        (cases, None) => Basis::Cases(cases.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)),
    }
}

fn observation(row: &Row) -> Result<Observation, Error> {
    let (area, indicator, period) = key(row)?;
    let get = || Ok((row.real("value")?, basis(row.maybe_int("cases")?, row.maybe_real("denominator")?)));
    let (value, basis) = get().map_err(counted(TABLE))?;
    Ok(Observation { area, indicator, period, value, basis })
}

fn stored(row: &Row) -> Result<StoredObservation, Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let int = |column: &'static str| row.int(column).map_err(counted(TABLE));
    Ok(StoredObservation {
        observation: observation(row)?,
        recorded_at: UtcMs(int("import_at")?),
        by: text("import_who")?,
        source: text("source")?,
        import: int("import_id")?,
        kind: word("intake_import", "kind", &text("import_kind")?)?,
    })
}

fn history(row: &Row) -> Result<HistoryEntry, Error> {
    let rest = || {
        let before = match row.maybe_real("p_value")? {
            None => None,
            Some(value) => Some((value, basis(row.maybe_int("p_cases")?, row.maybe_real("p_denominator")?), row.int("p_import")?)),
        };
        let undone = maybe_time(row.maybe_int("undone_at")?).zip(row.maybe_text("undone_by")?);
        Ok((row.int("seq")?, before, row.flag("stands")?, undone))
    };
    let (seq, before, standing, undone) = rest().map_err(counted(TABLE))?;
    Ok(HistoryEntry { seq, stored: stored(row)?, before, standing, undone })
}

fn import(row: &Row) -> Result<StoredImport, Error> {
    let read = || {
        let undone = maybe_time(row.maybe_int("undone_at")?).zip(row.maybe_text("undone_by")?);
        let reason = row.maybe_text("undo_reason")?.unwrap_or_default();
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        let suppressed = usize::try_from(row.int("suppressed")?).unwrap_or(0);
        let texts = (row.text("who")?, row.text("kind")?, row.text("source")?);
        let file = (row.maybe_text("filename")?, row.maybe_text("sha256")?);
        Ok((
            row.int("id")?,
            UtcMs(row.int("at")?),
            texts,
            file,
            count(row.int("taken")?),
            suppressed,
            undone.map(|(at, by)| (at, by, reason)),
        ))
    };
    let (id, at, (who, kind, source), (filename, sha256), values, suppressed, undone) = read().map_err(counted(TABLE))?;
    let kind = word("intake_import", "kind", &kind)?;
    Ok(StoredImport { id, import: NewImport { at, who, kind, source, filename, sha256, suppressed }, values, undone })
}
