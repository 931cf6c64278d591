//! Counts: raw, then means per minute, then per hour, each for its time.

use std::{sync::PoisonError, time::Duration};

use qorgan_domain::{Count, DeviceRef, UtcMs};
use sqlx::AssertSqlSafe;

use super::{
    SET_META, Store, counted,
    db::{Arg, Row, args, word},
    fusion::{EXPIRE_PARTS, ROLL_PARTS, add_parts},
};
use crate::Error;

/// Counts that are written or deleted in one go: what an alarm may have to wait for.
const ROWS_AT_ONCE: usize = 1_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Cameras that are asked for in one query.
const CAMERAS_AT_ONCE: usize = 100;
const ROLLED_UNTIL: &str = "counts_rolled_until";

/// How long counts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Raw counts.
    pub raw: Duration,
    /// Means per minute.
    pub minute: Duration,
    /// Means per hour.
    pub hour: Duration,
}

impl Default for Retention {
    /// 24 hours, 30 days, 3 years.
    fn default() -> Self {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        Self { raw: days(1), minute: days(30), hour: days(3 * 365) }
    }
}

/// A count, or the mean of a minute or hour that begins at `at`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountPoint {
    /// When.
    pub at: UtcMs,
    /// People.
    pub people: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The largest count of a minute, to teach the baseline after a start.
#[derive(Debug, Clone, PartialEq)]
pub struct MinutePeak {
    /// The camera.
    pub camera: DeviceRef,
    /// Beginning of the minute.
    pub at: UtcMs,
    /// People.
    pub people: f64,
}

/// What [`Store::maintain`] did, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Minutes written.
    pub minutes: u64,
    /// Hours written.
    pub hours: u64,
    /// Counts, minutes, hours, sessions and sound tests that expired.
    pub expired: u64,
}

impl Store {
    /// Writes counts in batches, in one transaction. A count that is there already is left as it is.
    pub async fn add_counts(&self, counts: &[Count]) -> Result<(), Error> {
        let Some(oldest) = counts.iter().map(|c| c.at.0).min() else { return Ok(()) };
        self.try_add_counts(counts).await.map_err(counted("counts"))?;
        let mut mark = self.oldest_new_count.lock().unwrap_or_else(PoisonError::into_inner);
        *mark = Some(mark.map_or(oldest, |mark| mark.min(oldest)));
        Ok(())
    }

    async fn try_add_counts(&self, counts: &[Count]) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        let rows = counts.iter().map(|count| args![count.camera.to_string(), count.at.0, count.people, count.low, count.high]).collect();
        tx.insert("INSERT INTO count_raw (camera, at, people, low, high) VALUES ", " ON CONFLICT (camera, at) DO NOTHING", rows).await?;
        add_parts(&mut tx, counts).await?;
        tx.commit().await
    }

    /// Counts of a camera from `from` up to `to`: raw for up to two hours, per minute for up to three days, else per
    /// hour; coarser where the finer ones have expired.
    pub async fn counts(&self, camera: &DeviceRef, from: UtcMs, to: UtcMs) -> Result<Vec<CountPoint>, Error> {
        const RAW: &str = "SELECT at, people, low, high FROM count_raw WHERE camera = $1 AND at >= $2 AND at < $3 ORDER BY at";
        // Minutes that are not rolled up yet are made from the raw counts on the way.
        const MINUTE: &str = "SELECT at, people, low, high FROM count_minute WHERE camera = $1 AND at >= $2 AND at < $3 UNION ALL \
             SELECT at / 60000 * 60000 AS bucket, AVG(people), AVG(low), AVG(high) FROM count_raw WHERE camera = $1 AND at >= $2 AND at < $3 \
             AND at >= (SELECT COALESCE(MAX(at) + 60000, 0) FROM count_minute WHERE camera = $1) GROUP BY bucket ORDER BY 1";
        const HOUR: &str = "SELECT at, people, low, high FROM count_hour WHERE camera = $1 AND at >= $2 AND at < $3 ORDER BY at";
        let span = to.ms_since(from);
        let finest = if span <= 2 * HOUR_MS { 0 } else { usize::from(span > 72 * HOUR_MS) + 1 };
        for sql in [RAW, MINUTE, HOUR].into_iter().skip(finest) {
            let rows = self.db.rows(sql, args![camera.to_string(), from.0, to.0]).await.map_err(counted("counts"))?;
            if !rows.is_empty() {
                return rows.iter().map(point).collect::<Result<_, _>>().map_err(counted("counts"));
            }
        }
        Ok(Vec::new())
    }

    /// The largest count of every minute since a moment, of some cameras, each in order of time.
    pub async fn minute_peaks(&self, cameras: &[DeviceRef], since: UtcMs) -> Result<Vec<MinutePeak>, Error> {
        let mut all = Vec::new();
        for some in cameras.chunks(CAMERAS_AT_ONCE) {
            let places: Vec<String> = (0..some.len()).map(|n| format!("${}", n + 2)).collect();
            let sql = format!(
                "SELECT camera, at, peak FROM count_minute WHERE camera IN ({}) AND at >= $1 ORDER BY camera, at",
                places.join(", ")
            );
            let mut values = args![since.0];
            values.extend(some.iter().map(|camera| Arg::from(camera.to_string())));
            let rows = self.db.rows(AssertSqlSafe(sql), values).await.map_err(counted("minutes"))?;
            for row in &rows {
                all.push(read_peak(row)?);
            }
        }
        Ok(all)
    }

    /// Rolls up what is complete and deletes what has expired; to be called about once a minute.
    pub async fn maintain(&self, now: UtcMs, retention: &Retention) -> Result<Maintained, Error> {
        let new_since = self.oldest_new_count.lock().unwrap_or_else(PoisonError::into_inner).take();
        let done = self.try_maintain(now, retention, new_since).await;
        if done.is_err() {
            let mut mark = self.oldest_new_count.lock().unwrap_or_else(PoisonError::into_inner);
            *mark = match (*mark, new_since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        done
    }

    async fn try_maintain(&self, now: UtcMs, retention: &Retention, new_since: Option<i64>) -> Result<Maintained, Error> {
        let rolled = self.meta(ROLLED_UNTIL).await?.and_then(|text| text.parse::<i64>().ok());
        let work = async {
            let mut done = Maintained::default();
            let until = floor(now.0, MINUTE_MS);
            // After a start nothing is known of counts that came late: one hour is looked at again.
            let from = new_since.or(rolled.map(|at| at - HOUR_MS)).unwrap_or(0).min(rolled.unwrap_or(0));
            // A minute whose raw counts have partly expired would come out wrong: it stays as it was written.
            let kept_since = floor((now - retention.raw).0, MINUTE_MS) + MINUTE_MS;
            let from = floor(from, MINUTE_MS).max(if rolled.is_some() { kept_since } else { 0 });
            if from < until {
                done.minutes = self.roll(MINUTES, "count_minute", from, until).await?;
                for sql in ROLL_PARTS {
                    self.db.run(sql, args![from, until]).await?;
                }
                done.hours = self.roll(HOURS, "count_hour", floor(from, HOUR_MS), floor(until, HOUR_MS) + HOUR_MS).await?;
            }
            self.db.run(SET_META, args![ROLLED_UNTIL, until.to_string()]).await?;
            done.expired = self.expire(now, retention).await?;
            Ok(done)
        };
        work.await.map_err(counted("maintenance"))
    }

    /// Reads first, which holds up nobody, then writes a few rows at a time: an alarm never waits for a minute of counts. Done
    /// twice it changes nothing, so that it need not be one transaction.
    async fn roll(&self, sql: &'static str, table: &str, from: i64, until: i64) -> Result<u64, sqlx::Error> {
        let rows = self.db.rows(sql, args![from, until]).await?;
        let head = format!("INSERT INTO {table} (camera, at, samples, people, low, high, peak) VALUES ");
        for some in rows.chunks(ROWS_AT_ONCE) {
            let values = some.iter().map(|row| {
                let (people, low, high) = (row.real("people")?, row.real("low")?, row.real("high")?);
                Ok(args![row.text("camera")?, row.int("bucket")?, row.int("samples")?, people, low, high, row.real("peak")?])
            });
            let mut tx = self.db.begin().await?;
            tx.insert(&head, OR_REPLACE, values.collect::<Result<_, sqlx::Error>>()?).await?;
            tx.commit().await?;
        }
        Ok(rows.len() as u64)
    }

    async fn expire(&self, now: UtcMs, retention: &Retention) -> Result<u64, sqlx::Error> {
        let mut rows = 0;
        let raw_until = (now - retention.raw).0;
        loop {
            // The raw counts of a minute may be hundreds of thousands.
            let sql = "SELECT at FROM count_raw WHERE at < $1 ORDER BY at LIMIT 1 OFFSET $2";
            let some = self.db.row(sql, args![raw_until, ROWS_AT_ONCE as i64]).await?.map(|row| row.int("at")).transpose()?;
            // At least that one moment, however many counts it has.
            let until = some.map_or(raw_until, |at| at + 1);
            rows += self.db.run("DELETE FROM count_raw WHERE at < $1", args![until]).await?;
            if some.is_none() {
                break;
            }
        }
        for (sql, raw) in EXPIRE_PARTS {
            let until = if raw { raw_until } else { (now - retention.minute).0 };
            rows += self.db.run(sql, args![until]).await?;
        }
        rows += self.db.run("DELETE FROM count_minute WHERE at < $1", args![(now - retention.minute).0]).await?;
        rows += self.db.run("DELETE FROM count_hour WHERE at < $1", args![(now - retention.hour).0]).await?;
        rows += self.db.run("DELETE FROM session WHERE expires_at < $1", args![now.0]).await?;
        rows += self.db.run("DELETE FROM sound_test WHERE at < $1", args![(now - retention.minute).0]).await?;
        Ok(rows)
    }
}

const MINUTES: &str = "SELECT camera, at / 60000 * 60000 AS bucket, COUNT(*) AS samples, AVG(people) AS people, AVG(low) AS low, \
     AVG(high) AS high, MAX(people) AS peak FROM count_raw WHERE at >= $1 AND at < $2 GROUP BY camera, bucket";

const HOURS: &str = "SELECT camera, at / 3600000 * 3600000 AS bucket, CAST(SUM(samples) AS BIGINT) AS samples, \
     SUM(people * samples) / SUM(samples) AS people, SUM(low * samples) / SUM(samples) AS low, SUM(high * samples) / SUM(samples) AS high, \
     MAX(peak) AS peak FROM count_minute WHERE at >= $1 AND at < $2 GROUP BY camera, bucket";

const OR_REPLACE: &str = " ON CONFLICT (camera, at) DO UPDATE SET samples = excluded.samples, people = excluded.people, \
     low = excluded.low, high = excluded.high, peak = excluded.peak";

fn floor(at: i64, step: i64) -> i64 {
    at.div_euclid(step) * step
}

fn point(row: &Row) -> Result<CountPoint, sqlx::Error> {
    Ok(CountPoint { at: UtcMs(row.int("at")?), people: row.real("people")?, low: row.real("low")?, high: row.real("high")? })
}

fn read_peak(row: &Row) -> Result<MinutePeak, Error> {
    let get = || Ok((row.text("camera")?, row.int("at")?, row.real("peak")?));
    let (camera, at, people) = get().map_err(counted("minutes"))?;
    Ok(MinutePeak { camera: word("count_minute", "camera", &camera)?, at: UtcMs(at), people })
}
