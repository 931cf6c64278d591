//! What fusion keeps: what is usual, zones and flows, assemblies, special places, planned events, changed rules.

use qorgan_domain::{
    Count, DeviceRef, GeoPoint, SiteId, UserName, UtcMs,
    alert::Alert,
    assembly::{Assembly, SpecialPlace},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    CountPoint, Store, counted,
    db::{Row, Tx, args, word},
};
use crate::{Error, usual::Usual};

/// An entry of a register: who wrote it last, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub body: T,
    /// When it was written last.
    pub updated_at: UtcMs,
    /// By whom.
    pub updated_by: UserName,
}

/// A planned event.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Where.
    pub site: SiteId,
    /// Its name.
    pub name: String,
    /// From when people come.
    pub from: UtcMs,
    /// Until when they have gone.
    pub until: UtcMs,
    /// People expected in one picture.
    pub people: Option<f64>,
}

/// A changed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// Its number.
    pub id: i64,
    /// Which rule.
    pub name: String,
    /// Its new value, JSON.
    pub body: String,
    /// When.
    pub at: UtcMs,
    /// By whom.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// What was usual at a camera, and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptUsual {
    /// Which.
    pub camera: DeviceRef,
    /// Where it stood; none where that was not kept.
    pub place: Option<GeoPoint>,
    /// What was usual.
    pub usual: Usual,
}

/// People in a zone in one minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZonePoint {
    /// Beginning of the minute.
    pub at: UtcMs,
    /// Mean of the best estimates.
    pub people: f64,
    /// Mean of the lower ends.
    pub low: f64,
    /// Mean of the upper ends.
    pub high: f64,
    /// Largest count.
    pub peak: f64,
    /// Area of the zone, if known.
    pub area_m2: Option<f64>,
}

const ASSEMBLY: &str = "assembly";
const PLACE: &str = "special_place";
const EVENT: &str = "planned_event";
const USUAL: &str = "usual";

impl Store {
    /// Keeps what is usual at some cameras, as [`Usual::to_bytes`] writes it, with where each stands.
    pub async fn keep_usual(&self, kept: Vec<(DeviceRef, Option<GeoPoint>, Vec<u8>)>, at: UtcMs) -> Result<(), Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let row = |(camera, place, body): (DeviceRef, Option<GeoPoint>, Vec<u8>)| {
                args![camera.to_string(), at.0, body, place.map(GeoPoint::lat), place.map(GeoPoint::lon)]
            };
            let tail = " ON CONFLICT (camera) DO UPDATE SET at = excluded.at, body = excluded.body, lat = excluded.lat, lon = excluded.lon";
            tx.insert("INSERT INTO usual (camera, at, body, lat, lon) VALUES ", tail, kept.into_iter().map(row).collect()).await?;
            tx.commit().await
        };
        work.await.map_err(counted(USUAL))
    }

    /// What was usual at every camera. What does not read any more is passed over: it is learned again.
    pub async fn usuals(&self) -> Result<Vec<KeptUsual>, Error> {
        let rows = self.db.rows("SELECT camera, body, lat, lon FROM usual", vec![]).await.map_err(counted(USUAL))?;
        let read = |row: &Row| {
            let (lat, lon) = (row.maybe_real("lat").ok()?, row.maybe_real("lon").ok()?);
            let place = lat.zip(lon).and_then(|(lat, lon)| GeoPoint::new(lat, lon).ok());
            let usual = Usual::from_bytes(&row.bytes("body").ok()?)?;
            Some(KeptUsual { camera: row.text("camera").ok()?.parse().ok()?, place, usual })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Hourly means of a camera since a moment, in order.
    pub async fn hours_since(&self, camera: &DeviceRef, since: UtcMs) -> Result<Vec<(UtcMs, f64)>, Error> {
        let sql = "SELECT at, people FROM count_hour WHERE camera = $1 AND at >= $2 ORDER BY at";
        let rows = self.db.rows(sql, args![camera.to_string(), since.0]).await.map_err(counted("hours"))?;
        let read = |row: &Row| Ok((UtcMs(row.int("at")?), row.real("people")?));
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(counted("hours"))
    }

    /// Assemblies that end after a moment.
    pub async fn assemblies(&self, since: UtcMs) -> Result<Vec<Entry<Assembly>>, Error> {
        let sql = "SELECT id, body, updated_at, updated_by FROM assembly WHERE until_at >= $1 ORDER BY from_at, id";
        entries(ASSEMBLY, self.db.rows(sql, args![since.0]).await)
    }

    /// Adds an assembly, or replaces the one of that number; its number. It has been checked.
    pub async fn put_assembly(&self, id: Option<i64>, body: &Assembly, who: &UserName, now: UtcMs) -> Result<Option<i64>, Error> {
        let text = json(body)?;
        let work = async {
            let mut tx = self.db.begin().await?;
            let Some(id) =
                number(&mut tx, "SELECT COALESCE(MAX(id), 0) + 1 AS n FROM assembly", "SELECT id AS n FROM assembly WHERE id = $1", id)
                    .await?
            else {
                return Ok(None);
            };
            let sql = "INSERT INTO assembly (id, body, from_at, until_at, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (id) DO UPDATE SET body = excluded.body, from_at = excluded.from_at, until_at = excluded.until_at, \
                 updated_at = excluded.updated_at, updated_by = excluded.updated_by";
            tx.run(sql, args![id, text, body.from.0, body.until.0, now.0, who.to_string()]).await?;
            tx.commit().await?;
            Ok(Some(id))
        };
        work.await.map_err(counted(ASSEMBLY))
    }

    /// Special places and routes.
    pub async fn special_places(&self) -> Result<Vec<Entry<SpecialPlace>>, Error> {
        let sql = "SELECT id, body, updated_at, updated_by FROM special_place ORDER BY id";
        entries(PLACE, self.db.rows(sql, vec![]).await)
    }

    /// Adds a special place, or replaces the one of that number.
    pub async fn put_special_place(&self, id: Option<i64>, body: &SpecialPlace, who: &UserName, now: UtcMs) -> Result<Option<i64>, Error> {
        let text = json(body)?;
        let work = async {
            let mut tx = self.db.begin().await?;
            let (next, known) =
                ("SELECT COALESCE(MAX(id), 0) + 1 AS n FROM special_place", "SELECT id AS n FROM special_place WHERE id = $1");
            let Some(id) = number(&mut tx, next, known, id).await? else { return Ok(None) };
            let sql = "INSERT INTO special_place (id, body, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at, updated_by = excluded.updated_by";
            tx.run(sql, args![id, text, now.0, who.to_string()]).await?;
            tx.commit().await?;
            Ok(Some(id))
        };
        work.await.map_err(counted(PLACE))
    }

    /// Planned events that end after a moment, in order of time.
    pub async fn planned_events(&self, since: UtcMs) -> Result<Vec<Entry<StoredEvent>>, Error> {
        let sql = "SELECT id, site, name, from_at, until_at, people, updated_at, updated_by FROM planned_event WHERE until_at >= $1 \
             ORDER BY from_at, id";
        let rows = self.db.rows(sql, args![since.0]).await.map_err(counted(EVENT))?;
        let read = |row: &Row| -> Result<Entry<StoredEvent>, Error> {
            let get = || Ok((row.text("site")?, row.text("updated_by")?, row.text("name")?, row.maybe_real("people")?));
            let (site, by, name, people) = get().map_err(counted(EVENT))?;
            let times = || Ok((row.int("id")?, row.int("from_at")?, row.int("until_at")?, row.int("updated_at")?));
            let (id, from, until, updated_at) = times().map_err(counted(EVENT))?;
            let site = word(EVENT, "site", &site)?;
            let body = StoredEvent { site, name, from: UtcMs(from), until: UtcMs(until), people };
            Ok(Entry { id, body, updated_at: UtcMs(updated_at), updated_by: word(EVENT, "updated_by", &by)? })
        };
        rows.iter().map(read).collect()
    }

    /// Adds a planned event; its number.
    pub async fn add_planned_event(&self, body: &StoredEvent, who: &UserName, now: UtcMs) -> Result<i64, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let row = tx.row("SELECT COALESCE(MAX(id), 0) + 1 AS n FROM planned_event", vec![]).await?;
            let id = row.map(|row| row.int("n")).transpose()?.unwrap_or(1);
            let sql = "INSERT INTO planned_event (id, site, name, from_at, until_at, people, updated_at, updated_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            let values =
                args![id, body.site.to_string(), body.name.clone(), body.from.0, body.until.0, body.people, now.0, who.to_string()];
            tx.run(sql, values).await?;
            tx.commit().await?;
            Ok(id)
        };
        work.await.map_err(counted(EVENT))
    }

    /// Takes a planned event out; false when there is none of that number.
    pub async fn remove_planned_event(&self, id: i64) -> Result<bool, Error> {
        let rows = self.db.run("DELETE FROM planned_event WHERE id = $1", args![id]).await.map_err(counted(EVENT))?;
        Ok(rows > 0)
    }

    /// Writes down that a rule was changed.
    pub async fn add_rule_change(&self, name: &str, body: &str, who: &UserName, reason: &str, now: UtcMs) -> Result<i64, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let row = tx.row("SELECT COALESCE(MAX(id), 0) + 1 AS n FROM rule_change", vec![]).await?;
            let id = row.map(|row| row.int("n")).transpose()?.unwrap_or(1);
            let sql = "INSERT INTO rule_change (id, name, body, at, who, reason) VALUES ($1, $2, $3, $4, $5, $6)";
            tx.run(sql, args![id, name, body, now.0, who.to_string(), reason]).await?;
            tx.commit().await?;
            Ok(id)
        };
        work.await.map_err(counted("rule change"))
    }

    /// Every change of rules, oldest first.
    pub async fn rule_changes(&self) -> Result<Vec<RuleChange>, Error> {
        let rows = self.db.rows("SELECT id, name, body, at, who, reason FROM rule_change ORDER BY id", vec![]).await;
        let read = |row: &Row| {
            let (id, at) = (row.int("id")?, UtcMs(row.int("at")?));
            Ok(RuleChange { id, name: row.text("name")?, body: row.text("body")?, at, who: row.text("who")?, reason: row.text("reason")? })
        };
        rows.and_then(|rows| rows.iter().map(read).collect::<Result<_, sqlx::Error>>()).map_err(counted("rule changes"))
    }

    /// Minutes of a camera, in order.
    pub async fn minutes(&self, camera: &DeviceRef, from: UtcMs, to: UtcMs) -> Result<Vec<CountPoint>, Error> {
        let sql = "SELECT at, people, low, high FROM count_minute WHERE camera = $1 AND at >= $2 AND at < $3 ORDER BY at";
        let rows = self.db.rows(sql, args![camera.to_string(), from.0, to.0]).await.map_err(counted("minutes"))?;
        let read = |row: &Row| {
            let (people, low, high) = (row.real("people")?, row.real("low")?, row.real("high")?);
            Ok(CountPoint { at: UtcMs(row.int("at")?), people, low, high })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(counted("minutes"))
    }

    /// Alerts of every kind that were raised since a moment, oldest first.
    pub async fn alerts_since(&self, from: UtcMs) -> Result<Vec<Alert>, Error> {
        let rows = self.db.rows("SELECT * FROM alert WHERE raised_at >= $1 ORDER BY id", args![from.0]).await;
        rows.map_err(counted("alerts"))?.iter().map(super::alerts::read).collect()
    }

    /// People of a zone per minute.
    pub async fn zone_minutes(&self, camera: &DeviceRef, zone: &str, from: UtcMs, to: UtcMs) -> Result<Vec<ZonePoint>, Error> {
        let sql = "SELECT at, people, low, high, peak, area_m2 FROM zone_minute WHERE camera = $1 AND zone = $2 AND at >= $3 AND at < $4 ORDER BY at";
        let rows = self.db.rows(sql, args![camera.to_string(), zone, from.0, to.0]).await.map_err(counted("zones"))?;
        let read = |row: &Row| {
            let (people, low, high, peak) = (row.real("people")?, row.real("low")?, row.real("high")?, row.real("peak")?);
            Ok(ZonePoint { at: UtcMs(row.int("at")?), people, low, high, peak, area_m2: row.maybe_real("area_m2")? })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(counted("zones"))
    }
}

/// Writes zones and crossings of counts, in the transaction of the counts themselves.
pub(super) async fn add_parts(tx: &mut Tx, counts: &[Count]) -> Result<(), sqlx::Error> {
    let (mut zones, mut flows) = (Vec::new(), Vec::new());
    for count in counts {
        let camera = count.camera.to_string();
        for zone in &count.zones {
            let area = zone.area_m2.map(f64::from);
            zones.push(args![camera.clone(), zone.zone.to_string(), count.at.0, zone.people, zone.low, zone.high, area]);
        }
        for flow in &count.flows {
            flows.push(args![camera.clone(), flow.line.to_string(), count.at.0, flow.forward, flow.backward, flow.over_ms]);
        }
    }
    let keep = " ON CONFLICT DO NOTHING";
    tx.insert("INSERT INTO zone_raw (camera, zone, at, people, low, high, area_m2) VALUES ", keep, zones).await?;
    tx.insert("INSERT INTO flow_raw (camera, line, at, forward, backward, over_ms) VALUES ", keep, flows).await
}

/// Minutes of zones and flows, from raw ones; done twice it changes nothing.
pub(super) const ROLL_PARTS: [&str; 2] = [
    "INSERT INTO zone_minute (camera, zone, at, samples, people, low, high, peak, area_m2) \
     SELECT camera, zone, at / 60000 * 60000, COUNT(*), AVG(people), AVG(low), AVG(high), MAX(people), MAX(area_m2) FROM zone_raw \
     WHERE at >= $1 AND at < $2 GROUP BY camera, zone, at / 60000 * 60000 \
     ON CONFLICT (camera, zone, at) DO UPDATE SET samples = excluded.samples, people = excluded.people, low = excluded.low, \
     high = excluded.high, peak = excluded.peak, area_m2 = excluded.area_m2",
    "INSERT INTO flow_minute (camera, line, at, forward, backward, over_ms) \
     SELECT camera, line, at / 60000 * 60000, CAST(SUM(forward) AS BIGINT), CAST(SUM(backward) AS BIGINT), CAST(SUM(over_ms) AS BIGINT) \
     FROM flow_raw WHERE at >= $1 AND at < $2 GROUP BY camera, line, at / 60000 * 60000 \
     ON CONFLICT (camera, line, at) DO UPDATE SET forward = excluded.forward, backward = excluded.backward, over_ms = excluded.over_ms",
];

/// What expires: statement, and whether it is raw.
pub(super) const EXPIRE_PARTS: [(&str, bool); 4] = [
    ("DELETE FROM zone_raw WHERE at < $1", true),
    ("DELETE FROM flow_raw WHERE at < $1", true),
    ("DELETE FROM zone_minute WHERE at < $1", false),
    ("DELETE FROM flow_minute WHERE at < $1", false),
];

/// The next number, or the given one if it is known.
async fn number(tx: &mut Tx, next: &'static str, known: &'static str, id: Option<i64>) -> Result<Option<i64>, sqlx::Error> {
    let row = match id {
        None => tx.row(next, vec![]).await?,
        Some(id) => tx.row(known, args![id]).await?,
    };
    row.map(|row| row.int("n")).transpose()
}

fn json<T: Serialize>(body: &T) -> Result<String, Error> {
    serde_json::to_string(body).map_err(|e| counted("register")(sqlx::Error::Encode(e.into())))
}

fn entries<T: DeserializeOwned>(table: &'static str, rows: Result<Vec<Row>, sqlx::Error>) -> Result<Vec<Entry<T>>, Error> {
    let read = |row: &Row| -> Result<Entry<T>, Error> {
        let get = || Ok((row.int("id")?, row.text("body")?, row.int("updated_at")?, row.text("updated_by")?));
        let (id, text, updated_at, by) = get().map_err(counted(table))?;
        let corrupt = |_| Error::Corrupt { table, column: "body", value: text.chars().take(80).collect() };
        let body = serde_json::from_str(&text).map_err(corrupt)?;
        Ok(Entry { id, body, updated_at: UtcMs(updated_at), updated_by: word(table, "updated_by", &by)? })
    };
    rows.map_err(counted(table))?.iter().map(read).collect()
}
