//! Alerts, their history, and the figures of the public page.

use std::collections::{BTreeMap, BTreeSet};

use qorgan_domain::{
    AlertId, GeoPoint, UtcMs,
    alert::{Alert, Cause, Record},
};

use super::{
    SET_META, Store, counted,
    db::{Arg, Row, args, maybe_word, word},
    maybe_time,
};
use crate::{Error, Transition};

const JOURNAL_ROW: &str = "journal_row";

const INSERT_ALERT: &str = "INSERT INTO alert (id, version, kind, test, level, state, site, device, lat, lon, raised_at, updated_at, \
     closed_at, claimed_by, unit, close_reason, stored, subsided_at, cause, progress) VALUES ";
const OR_UPDATE_ALERT: &str = " ON CONFLICT (id) DO UPDATE SET version = excluded.version, level = excluded.level, state = excluded.state, \
     updated_at = excluded.updated_at, closed_at = excluded.closed_at, claimed_by = excluded.claimed_by, unit = excluded.unit, \
     close_reason = excluded.close_reason, stored = excluded.stored, subsided_at = excluded.subsided_at, cause = excluded.cause, \
     test = excluded.test, progress = excluded.progress, lat = excluded.lat, lon = excluded.lon \
     WHERE excluded.version > alert.version";

const INSERT_RECORD: &str = "INSERT INTO transition (alert, version, action, from_state, to_state, who, role, at, reason, unit) VALUES ";
const OR_KEEP_RECORD: &str = " ON CONFLICT (alert, version) DO NOTHING";

/// What the public page says about a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Alarms, tests left out.
    pub alarm: i64,
    /// Crowd alerts.
    pub crowd: i64,
    /// Incidents opened by hand.
    pub incident: i64,
    /// Part of the judged alerts (resolved or false) that were false, in per cent; none when none was judged.
    pub false_percent: Option<f64>,
    /// How often a picture was opened.
    pub stills_opened: i64,
}

impl Store {
    /// Writes transitions in one transaction, in order, and remembers the journal row that is applied with
    /// them. Writing the same again changes nothing.
    pub async fn save(&self, transitions: &[Transition], journal_row: Option<i64>) -> Result<(), Error> {
        self.save_rows(transitions, &[], journal_row, false).await
    }

    /// The same, with journal rows that these transitions apply while rows before them are not written yet. `clear` forgets
    /// such rows as far as `journal_row` covers them now.
    pub async fn save_rows(&self, transitions: &[Transition], rows: &[i64], journal_row: Option<i64>, clear: bool) -> Result<(), Error> {
        self.try_save(transitions, rows, journal_row, clear).await.map_err(counted("save"))
    }

    async fn try_save(&self, transitions: &[Transition], rows: &[i64], journal_row: Option<i64>, clear: bool) -> Result<(), sqlx::Error> {
        if transitions.is_empty() && rows.is_empty() && journal_row.is_none() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        // Of several changes of one alert the last: one statement cannot write a row twice.
        let newest: BTreeMap<AlertId, &Alert> = transitions.iter().fold(BTreeMap::new(), |mut newest, transition| {
            let alert = &*transition.alert;
            let kept = newest.entry(alert.id).or_insert(alert);
            if alert.version > kept.version {
                *kept = alert;
            }
            newest
        });
        let alerts = newest.into_values().map(alert_values).collect::<Result<Vec<_>, _>>()?;
        tx.insert(INSERT_ALERT, OR_UPDATE_ALERT, alerts).await?;
        let records = transitions.iter().filter_map(|t| t.record.as_ref().map(|record| record_values(&t.alert, record))).collect();
        tx.insert(INSERT_RECORD, OR_KEEP_RECORD, records).await?;
        let rows = rows.iter().map(|row| args![*row]).collect();
        tx.insert("INSERT INTO applied_row (row_number) VALUES ", " ON CONFLICT (row_number) DO NOTHING", rows).await?;
        if let Some(row) = journal_row {
            tx.run(SET_META, args![JOURNAL_ROW, row.to_string()]).await?;
            if clear {
                tx.run("DELETE FROM applied_row WHERE row_number <= $1", args![row]).await?;
            }
        }
        tx.commit().await
    }

    /// Rows of the journal that are applied although a row before them is not.
    pub async fn applied_rows_after(&self, row: i64) -> Result<BTreeSet<i64>, Error> {
        let rows = self.db.rows("SELECT row_number FROM applied_row WHERE row_number > $1", args![row]).await;
        let rows = rows.map_err(counted("applied rows"))?;
        rows.iter().map(|row| row.int("row_number").map_err(counted("applied rows"))).collect()
    }

    /// Forgets such rows after this one: the journal will give their numbers out again.
    pub async fn forget_applied_rows(&self, after: i64) -> Result<(), Error> {
        let done = self.db.run("DELETE FROM applied_row WHERE row_number > $1", args![after]).await;
        done.map(drop).map_err(counted("applied rows"))
    }

    /// Every alert that is not closed, oldest first.
    pub async fn open_alerts(&self) -> Result<Vec<Alert>, Error> {
        let rows = self.db.rows("SELECT * FROM alert WHERE state <> 'closed' ORDER BY id", vec![]).await.map_err(counted("open alerts"))?;
        rows.iter().map(read).collect()
    }

    /// The number of the next alert.
    pub async fn next_alert_id(&self) -> Result<AlertId, Error> {
        let row = self.db.row("SELECT MAX(id) AS newest FROM alert", vec![]).await.map_err(counted("next alert"))?;
        let newest = row.map(|row| row.maybe_int("newest")).transpose().map_err(counted("next alert"))?.flatten();
        Ok(AlertId(newest.unwrap_or(0) + 1))
    }

    /// An alert and its history, lines numbered from 1.
    pub async fn alert(&self, id: AlertId) -> Result<Option<(Alert, Vec<Record>)>, Error> {
        let Some(row) = self.db.row("SELECT * FROM alert WHERE id = $1", args![id.0]).await.map_err(counted("alert"))? else {
            return Ok(None);
        };
        let alert = read(&row)?;
        let lines = self.db.rows("SELECT * FROM transition WHERE alert = $1 ORDER BY version", args![id.0]).await;
        let lines = lines.map_err(counted("history"))?;
        let records = (1..).zip(&lines).map(|(seq, row)| read_record(id, seq, row)).collect::<Result<_, _>>()?;
        Ok(Some((alert, records)))
    }

    /// Alerts, newest first: open ones, closed ones or both; below the number `before`; at most `limit`.
    pub async fn list(&self, open: Option<bool>, before: Option<AlertId>, limit: u32) -> Result<Vec<Alert>, Error> {
        let sql = match open {
            None => "SELECT * FROM alert WHERE id < $1 ORDER BY id DESC LIMIT $2",
            Some(true) => "SELECT * FROM alert WHERE id < $1 AND state <> 'closed' ORDER BY id DESC LIMIT $2",
            Some(false) => "SELECT * FROM alert WHERE id < $1 AND state = 'closed' ORDER BY id DESC LIMIT $2",
        };
        let rows = self.db.rows(sql, args![before.map_or(i64::MAX, |id| id.0), limit]).await.map_err(counted("list"))?;
        rows.iter().map(read).collect()
    }

    /// The last row of the alarm journal that is applied here; 0 when none is.
    pub async fn applied_journal_row(&self) -> Result<i64, Error> {
        let Some(text) = self.meta(JOURNAL_ROW).await? else { return Ok(0) };
        text.parse().map_err(|_| Error::Corrupt { table: "meta", column: JOURNAL_ROW, value: text })
    }

    /// What happened since a moment.
    pub async fn figures(&self, since: UtcMs) -> Result<Figures, Error> {
        self.try_figures(since).await.map_err(counted("figures"))
    }

    async fn try_figures(&self, since: UtcMs) -> Result<Figures, sqlx::Error> {
        let mut figures = Figures::default();
        let kinds = "SELECT kind, COUNT(*) AS n FROM alert WHERE raised_at >= $1 AND test = 0 GROUP BY kind";
        for row in self.db.rows(kinds, args![since.0]).await? {
            let n = row.int("n")?;
            match row.text("kind")?.as_str() {
                "alarm" => figures.alarm = n,
                "crowd" => figures.crowd = n,
                "incident" => figures.incident = n,
                _ => {}
            }
        }
        let verdicts = "SELECT COUNT(*) AS judged, COUNT(CASE WHEN close_reason = 'false_alarm' THEN 1 END) AS wrong FROM alert \
             WHERE raised_at >= $1 AND test = 0 AND close_reason IN ('resolved', 'false_alarm')";
        if let Some(row) = self.db.row(verdicts, args![since.0]).await? {
            let (judged, wrong) = (row.int("judged")?, row.int("wrong")?);
            // Both are counts of alerts, far below 2^53.
            figures.false_percent = (judged > 0).then(|| 100.0 * wrong as f64 / judged as f64);
        }
        let stills = "SELECT COUNT(*) AS n FROM audit WHERE action IN ('still.open', 'live.open', 'clip.open') AND at >= $1";
        if let Some(row) = self.db.row(stills, args![since.0]).await? {
            figures.stills_opened = row.int("n")?;
        }
        Ok(figures)
    }
}

fn alert_values(alert: &Alert) -> Result<Vec<Arg>, sqlx::Error> {
    let cause = serde_json::to_string(&alert.cause).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let test = matches!(&alert.cause, Cause::Alarm(press) if press.test);
    Ok(args![
        alert.id.0,
        alert.version,
        alert.cause.kind(),
        test,
        alert.level.as_str(),
        alert.state.as_str(),
        alert.site.as_ref().map(ToString::to_string),
        alert.device.as_ref().map(ToString::to_string),
        alert.position.map(GeoPoint::lat),
        alert.position.map(GeoPoint::lon),
        alert.raised_at.0,
        alert.updated_at.0,
        alert.closed_at.map(|at| at.0),
        alert.claimed_by.as_ref().map(ToString::to_string),
        alert.unit.as_ref().map(ToString::to_string),
        alert.close_reason.map(|reason| reason.as_str().to_owned()),
        alert.stored,
        alert.subsided_at.map(|at| at.0),
        cause,
        serde_json::to_string(&alert.progress).map_err(|error| sqlx::Error::Encode(error.into()))?,
    ])
}

fn record_values(alert: &Alert, record: &Record) -> Vec<Arg> {
    args![
        alert.id.0,
        alert.version,
        record.action.as_str(),
        record.from.map(|state| state.as_str().to_owned()),
        record.to.as_str(),
        record.who.as_str(),
        record.role.as_str(),
        record.at.0,
        record.reason.clone(),
        record.unit.as_ref().map(ToString::to_string),
    ]
}

pub(super) fn read(row: &Row) -> Result<Alert, Error> {
    const TABLE: &str = "alert";
    let get = || -> Result<_, sqlx::Error> {
        Ok((
            row.int("id")?,
            row.int("version")?,
            row.text("level")?,
            row.text("state")?,
            row.text("cause")?,
            row.text("progress")?,
            row.int("raised_at")?,
        ))
    };
    let (id, version, level, state, cause, progress, raised_at) = get().map_err(counted(TABLE))?;
    let text = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    let time = |column: &'static str| row.maybe_int(column).map(maybe_time).map_err(counted(TABLE));
    let real = |column: &'static str| row.maybe_real(column).map_err(counted(TABLE));
    Ok(Alert {
        id: AlertId(id),
        cause: serde_json::from_str(&cause).map_err(|_| Error::Corrupt { table: TABLE, column: "cause", value: cause })?,
        level: word(TABLE, "level", &level)?,
        state: word(TABLE, "state", &state)?,
        site: maybe_word(TABLE, "site", text("site")?)?,
        device: maybe_word(TABLE, "device", text("device")?)?,
        position: real("lat")?.zip(real("lon")?).and_then(|(lat, lon)| GeoPoint::new(lat, lon).ok()),
        raised_at: UtcMs(raised_at),
        updated_at: UtcMs(row.int("updated_at").map_err(counted(TABLE))?),
        closed_at: time("closed_at")?,
        claimed_by: maybe_word(TABLE, "claimed_by", text("claimed_by")?)?,
        unit: maybe_word(TABLE, "unit", text("unit")?)?,
        close_reason: maybe_word(TABLE, "close_reason", text("close_reason")?)?,
        stored: row.flag("stored").map_err(counted(TABLE))?,
        subsided_at: time("subsided_at")?,
        progress: serde_json::from_str(&progress).map_err(|_| Error::Corrupt { table: TABLE, column: "progress", value: progress })?,
        version: u32::try_from(version).unwrap_or(u32::MAX),
    })
}

fn read_record(alert: AlertId, seq: u32, row: &Row) -> Result<Record, Error> {
    const TABLE: &str = "transition";
    let text = |column: &'static str| row.text(column).map_err(counted(TABLE));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(TABLE));
    Ok(Record {
        alert,
        seq,
        action: text("action")?,
        from: maybe_word(TABLE, "from_state", maybe("from_state")?)?,
        to: word(TABLE, "to_state", &text("to_state")?)?,
        who: text("who")?,
        role: text("role")?,
        at: UtcMs(row.int("at").map_err(counted(TABLE))?),
        reason: maybe("reason")?,
        unit: maybe_word(TABLE, "unit", maybe("unit")?)?,
    })
}
