//! Surveys, signals, registers and totals of feeds. None of them names a person, an account, a link or a publication.

use qorgan_domain::{AreaCode, GeoPoint, Trilingual, UtcMs};

use super::{
    Store, counted,
    db::{Arg, Row, args, maybe_word, word},
    maybe_time,
};
use crate::{
    Error,
    intake::services::{SignalKind, SignalStatus},
};

/// A survey; its questions are a JSON text that the door made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSurvey {
    /// Number.
    pub id: i64,
    /// Area it speaks of.
    pub area: AreaCode,
    /// Its last day.
    pub ended: String,
    /// JSON of everything else.
    pub body: String,
    /// When it was entered.
    pub entered_at: UtcMs,
    /// By whom.
    pub entered_by: String,
    /// The import of its values.
    pub import: Option<i64>,
}

/// A signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Number.
    pub id: i64,
    /// What it is about.
    pub kind: SignalKind,
    /// District.
    pub area: AreaCode,
    /// Street or landmark.
    pub place: String,
    /// On the map.
    pub position: Option<GeoPoint>,
    /// What is wrong, in the operator's own words.
    pub text: String,
    /// Responsible service.
    pub service: String,
    /// How far it is.
    pub status: SignalStatus,
    /// When it was entered.
    pub entered_at: UtcMs,
    /// By whom.
    pub entered_by: String,
    /// When the service must have answered.
    pub due_at: UtcMs,
    /// What was done, oldest first.
    pub steps: Vec<SignalStep>,
}

/// A step of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalStep {
    /// When.
    pub at: UtcMs,
    /// By whom.
    pub who: String,
    /// What it became.
    pub status: SignalStatus,
    /// Words about it.
    pub note: Option<String>,
}

/// Which signals.
#[derive(Debug, Clone, Default)]
pub struct SignalFilter {
    /// In this state.
    pub status: Option<SignalStatus>,
    /// Of this kind.
    pub kind: Option<SignalKind>,
    /// Of this district.
    pub area: Option<AreaCode>,
    /// With this service.
    pub service: Option<String>,
    /// Older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// An appeal on a leader's blog: that there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appeal {
    /// Number.
    pub id: i64,
    /// Day it came.
    pub received: String,
    /// District.
    pub area: AreaCode,
    /// Topic of the lexicon.
    pub topic: String,
    /// Whose blog: an office, no name.
    pub leader: String,
    /// Day until which it is to be answered.
    pub due: String,
    /// Day it was answered.
    pub answered: Option<String>,
    /// Who entered it.
    pub entered_by: String,
}

/// Appeals of a month, a district and a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppealCell {
    /// District.
    pub area: AreaCode,
    /// Month, `YYYY-MM`.
    pub month: String,
    /// Topic.
    pub topic: String,
    /// How many came.
    pub came: u64,
    /// How many of them were answered late, or are late.
    pub late: u64,
}

/// A duty of an official website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Number.
    pub id: i64,
    /// Host of the website.
    pub site: String,
    /// Area of its authority.
    pub area: Option<AreaCode>,
    /// What must be on it.
    pub duty: Trilingual,
    /// Act and article.
    pub basis: String,
    /// Whether it is.
    pub done: bool,
    /// Day of the last look.
    pub checked_at: Option<String>,
    /// Who looked.
    pub checked_by: Option<String>,
}

/// How a feed stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedState {
    /// What was published up to here is counted.
    pub mark: Option<UtcMs>,
    /// What the server called its last answer.
    pub etag: Option<String>,
    /// When the server changed it last, in its words.
    pub last_modified: Option<String>,
    /// When it was read last.
    pub last_ok_at: Option<UtcMs>,
    /// When it was asked last.
    pub last_try_at: Option<UtcMs>,
    /// When it will be asked next.
    pub next_try_at: Option<UtcMs>,
    /// Failures since it was read last.
    pub failures: u32,
    /// Why it was not read.
    pub error: Option<String>,
    /// Publications of its last answer whose date could not be used.
    pub undated: u32,
}

/// Publications to be added: day, district, topic, how many.
pub type FeedCounts = Vec<(String, AreaCode, String, u64)>;

/// Publications of a day, a district and a topic, over all feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedTotal {
    /// Day.
    pub day: String,
    /// District.
    pub area: AreaCode,
    /// Topic.
    pub topic: String,
    /// How many.
    pub items: u64,
}

const SURVEY: &str = "survey";
const SIGNAL: &str = "signal";
const APPEAL: &str = "blog_appeal";
const DUTY: &str = "website_duty";
const FEED: &str = "feed";

impl Store {
    /// The number of a new row of a table. The caller holds the one turn of this file.
    async fn next_id(&self, newest: &'static str) -> Result<i64, sqlx::Error> {
        let row = self.db.row(newest, vec![]).await?;
        Ok(row.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1)
    }

    /// Adds a survey; its number.
    pub async fn add_survey(&self, survey: &StoredSurvey) -> Result<i64, Error> {
        let _one = self.values.lock().await;
        let id = self.next_id("SELECT MAX(id) AS newest FROM survey").await.map_err(counted(SURVEY))?;
        let sql = "INSERT INTO survey (id, area, ended, body, entered_at, entered_by, import) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let by = survey.entered_by.as_str();
        let values = args![id, survey.area.as_str(), survey.ended.as_str(), survey.body.as_str(), survey.entered_at.0, by, survey.import];
        self.db.run(sql, values).await.map_err(counted(SURVEY))?;
        Ok(id)
    }

    /// Says which import holds the values of a survey.
    pub async fn set_survey_import(&self, id: i64, import: Option<i64>) -> Result<(), Error> {
        self.db.run("UPDATE survey SET import = $2 WHERE id = $1", args![id, import]).await.map(drop).map_err(counted(SURVEY))
    }

    /// Surveys that are not withdrawn, newest first.
    pub async fn surveys(&self) -> Result<Vec<StoredSurvey>, Error> {
        let rows = self.db.rows("SELECT * FROM survey WHERE withdrawn_at IS NULL ORDER BY id DESC LIMIT 500", vec![]).await;
        rows.map_err(counted(SURVEY))?.iter().map(survey).collect()
    }

    /// Withdraws a survey; its import, when it was there and has one.
    pub async fn withdraw_survey(&self, id: i64, who: &str, now: UtcMs) -> Result<Option<Option<i64>>, Error> {
        let row =
            self.db.row("SELECT import FROM survey WHERE id = $1 AND withdrawn_at IS NULL", args![id]).await.map_err(counted(SURVEY))?;
        let Some(row) = row else { return Ok(None) };
        let sql = "UPDATE survey SET withdrawn_at = $2, withdrawn_by = $3 WHERE id = $1";
        self.db.run(sql, args![id, now.0, who]).await.map_err(counted(SURVEY))?;
        row.maybe_int("import").map(Some).map_err(counted(SURVEY))
    }

    /// Adds a signal with its first step; its number.
    pub async fn add_signal(&self, signal: &Signal) -> Result<i64, Error> {
        let _one = self.values.lock().await;
        self.try_add_signal(signal).await.map_err(counted(SIGNAL))
    }

    async fn try_add_signal(&self, signal: &Signal) -> Result<i64, sqlx::Error> {
        let id = self.next_id("SELECT MAX(id) AS newest FROM signal").await?;
        let mut tx = self.db.begin().await?;
        let sql = "INSERT INTO signal (id, kind, area, place, lat, lon, body, service, status, entered_at, entered_by, due_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = args![
            id,
            signal.kind.as_str(),
            signal.area.as_str(),
            signal.place.as_str(),
            signal.position.map(GeoPoint::lat),
            signal.position.map(GeoPoint::lon),
            signal.text.as_str(),
            signal.service.as_str(),
            signal.status.as_str(),
            signal.entered_at.0,
            signal.entered_by.as_str(),
            signal.due_at.0,
        ];
        tx.run(sql, values).await?;
        for (n, step) in (1_i64..).zip(&signal.steps) {
            tx.run(STEP, step_values(id, n, step)).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// Writes a step down when the signal still stands as the caller saw it; false when it does not.
    pub async fn step_signal(&self, seen: &Signal, step: &SignalStep) -> Result<bool, Error> {
        self.try_step(seen, step).await.map_err(counted(SIGNAL))
    }

    async fn try_step(&self, seen: &Signal, step: &SignalStep) -> Result<bool, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE signal SET status = $2 WHERE id = $1 AND status = $3";
        if tx.run(sql, args![seen.id, step.status.as_str(), seen.status.as_str()]).await? == 0 {
            return Ok(false);
        }
        let newest = tx.row("SELECT MAX(n) AS newest FROM signal_step WHERE signal = $1", args![seen.id]).await?;
        let n = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
        tx.run(STEP, step_values(seen.id, n, step)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Signals, newest first.
    pub async fn signals(&self, filter: &SignalFilter) -> Result<Vec<Signal>, Error> {
        let sql = "SELECT * FROM signal WHERE ($1 = '' OR status = $2) AND ($3 = '' OR kind = $4) AND ($5 = '' OR area = $6) \
                   AND ($7 = '' OR service = $8) AND id < $9 ORDER BY id DESC LIMIT $10";
        let status = filter.status.map(SignalStatus::as_str).unwrap_or_default();
        let kind = filter.kind.map(SignalKind::as_str).unwrap_or_default();
        let area = filter.area.as_ref().map(AreaCode::as_str).unwrap_or_default();
        let service = filter.service.as_deref().unwrap_or_default();
        let before = filter.before.unwrap_or(i64::MAX);
        let values = args![status, status, kind, kind, area, area, service, service, before, filter.limit.clamp(1, 500)];
        let rows = self.db.rows(sql, values).await.map_err(counted(SIGNAL))?;
        self.with_steps(rows).await
    }

    /// One signal.
    pub async fn signal(&self, id: i64) -> Result<Option<Signal>, Error> {
        let rows = self.db.rows("SELECT * FROM signal WHERE id = $1", args![id]).await.map_err(counted(SIGNAL))?;
        Ok(self.with_steps(rows).await?.pop())
    }

    async fn with_steps(&self, rows: Vec<Row>) -> Result<Vec<Signal>, Error> {
        let mut signals: Vec<Signal> = rows.iter().map(signal).collect::<Result<_, _>>()?;
        let (Some(first), Some(last)) = (signals.iter().map(|s| s.id).min(), signals.iter().map(|s| s.id).max()) else {
            return Ok(signals);
        };
        let sql = "SELECT * FROM signal_step WHERE signal >= $1 AND signal <= $2 ORDER BY signal, n";
        for row in self.db.rows(sql, args![first, last]).await.map_err(counted(SIGNAL))? {
            let (of, step) = signal_step(&row)?;
            if let Some(signal) = signals.iter_mut().find(|signal| signal.id == of) {
                signal.steps.push(step);
            }
        }
        Ok(signals)
    }

    /// Adds an appeal; its number.
    pub async fn add_appeal(&self, appeal: &Appeal, now: UtcMs) -> Result<i64, Error> {
        let _one = self.values.lock().await;
        let id = self.next_id("SELECT MAX(id) AS newest FROM blog_appeal").await.map_err(counted(APPEAL))?;
        let sql = "INSERT INTO blog_appeal (id, received, area, topic, leader, due, answered, entered_at, entered_by) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = args![
            id,
            appeal.received.as_str(),
            appeal.area.as_str(),
            appeal.topic.as_str(),
            appeal.leader.as_str(),
            appeal.due.as_str(),
            appeal.answered.clone(),
            now.0,
            appeal.entered_by.as_str(),
        ];
        self.db.run(sql, values).await.map_err(counted(APPEAL))?;
        Ok(id)
    }

    /// Says when an appeal was answered; false when there is none, or it was answered before.
    pub async fn answer_appeal(&self, id: i64, day: &str) -> Result<bool, Error> {
        let sql = "UPDATE blog_appeal SET answered = $2 WHERE id = $1 AND answered IS NULL";
        self.db.run(sql, args![id, day]).await.map(|rows| rows > 0).map_err(counted(APPEAL))
    }

    /// One appeal.
    pub async fn appeal(&self, id: i64) -> Result<Option<Appeal>, Error> {
        let row = self.db.row("SELECT * FROM blog_appeal WHERE id = $1", args![id]).await.map_err(counted(APPEAL))?;
        row.as_ref().map(appeal).transpose()
    }

    /// Appeals of a district (or all) and a month (or all), newest first.
    pub async fn appeals(&self, area: &str, month: &str, before: Option<i64>, limit: u32) -> Result<Vec<Appeal>, Error> {
        let sql = "SELECT * FROM blog_appeal WHERE ($1 = '' OR area = $2) AND ($3 = '' OR SUBSTR(received, 1, 7) = $4) AND id < $5 \
                   ORDER BY id DESC LIMIT $6";
        let values = args![area, area, month, month, before.unwrap_or(i64::MAX), limit.clamp(1, 500)];
        self.db.rows(sql, values).await.map_err(counted(APPEAL))?.iter().map(appeal).collect()
    }

    /// Appeals by month, district and topic; late is what was answered after its day, or is not answered and its day is before `today`.
    pub async fn appeal_cells(&self, today: &str) -> Result<Vec<AppealCell>, Error> {
        let sql = "SELECT area, SUBSTR(received, 1, 7) AS month, topic, COUNT(*) AS came, \
                   CAST(SUM(CASE WHEN (answered IS NOT NULL AND answered > due) OR (answered IS NULL AND due < $1) THEN 1 ELSE 0 END) AS BIGINT) AS late \
                   FROM blog_appeal GROUP BY area, SUBSTR(received, 1, 7), topic";
        let read = |row: &Row| {
            let get = || Ok((row.text("area")?, row.text("month")?, row.text("topic")?, row.int("came")?, row.int("late")?));
            let (area, month, topic, came, late) = get().map_err(counted(APPEAL))?;
            let count = |n: i64| u64::try_from(n).unwrap_or(0);
            Ok(AppealCell { area: word(APPEAL, "area", &area)?, month, topic, came: count(came), late: count(late) })
        };
        self.db.rows(sql, args![today]).await.map_err(counted(APPEAL))?.iter().map(read).collect()
    }

    /// Adds a duty of a website; its number.
    pub async fn add_duty(&self, duty: &Duty) -> Result<i64, Error> {
        let _one = self.values.lock().await;
        let id = self.next_id("SELECT MAX(id) AS newest FROM website_duty").await.map_err(counted(DUTY))?;
        let sql = "INSERT INTO website_duty (id, site, area, duty_kk, duty_ru, duty_en, basis, done, checked_at, checked_by) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let values = args![
            id,
            duty.site.as_str(),
            duty.area.as_ref().map(ToString::to_string),
            duty.duty.kk.as_str(),
            duty.duty.ru.as_str(),
            duty.duty.en.as_str(),
            duty.basis.as_str(),
            duty.done,
            duty.checked_at.clone(),
            duty.checked_by.clone(),
        ];
        self.db.run(sql, values).await.map_err(counted(DUTY))?;
        Ok(id)
    }

    /// Says what a look at a website found; false when there is no such duty.
    pub async fn check_duty(&self, id: i64, done: bool, day: &str, who: &str) -> Result<bool, Error> {
        let sql = "UPDATE website_duty SET done = $2, checked_at = $3, checked_by = $4 WHERE id = $1";
        self.db.run(sql, args![id, done, day, who]).await.map(|rows| rows > 0).map_err(counted(DUTY))
    }

    /// Every duty, by website.
    pub async fn duties(&self) -> Result<Vec<Duty>, Error> {
        let rows = self.db.rows("SELECT * FROM website_duty ORDER BY site, id", vec![]).await.map_err(counted(DUTY))?;
        rows.iter().map(duty).collect()
    }

    /// How a feed stands.
    pub async fn feed_state(&self, feed: &str) -> Result<FeedState, Error> {
        let row = self.db.row("SELECT * FROM feed_state WHERE feed = $1", args![feed]).await.map_err(counted(FEED))?;
        row.as_ref().map(feed_state).transpose().map(Option::unwrap_or_default)
    }

    /// Adds totals and says how the feed stands, both or neither.
    pub async fn add_feed_counts(&self, feed: &str, counts: &FeedCounts, state: &FeedState) -> Result<(), Error> {
        self.try_add_feed(feed, counts, state).await.map_err(counted(FEED))
    }

    async fn try_add_feed(&self, feed: &str, counts: &FeedCounts, state: &FeedState) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        for (day, area, topic, items) in counts {
            let sql = "INSERT INTO feed_total (feed, day, area, topic, items) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (feed, day, area, topic) DO UPDATE SET items = feed_total.items + excluded.items";
            tx.run(sql, args![feed, day.as_str(), area.as_str(), topic.as_str(), i64::try_from(*items).unwrap_or(i64::MAX)]).await?;
        }
        let sql = "INSERT INTO feed_state (feed, mark, etag, last_modified, last_ok_at, last_try_at, next_try_at, failures, error, undated) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (feed) DO UPDATE SET mark = excluded.mark, etag = excluded.etag, \
                   last_modified = excluded.last_modified, last_ok_at = excluded.last_ok_at, last_try_at = excluded.last_try_at, \
                   next_try_at = excluded.next_try_at, failures = excluded.failures, error = excluded.error, undated = excluded.undated";
        let values = args![
            feed,
            state.mark.map(|at| at.0),
            state.etag.clone(),
            state.last_modified.clone(),
            state.last_ok_at.map(|at| at.0),
            state.last_try_at.map(|at| at.0),
            state.next_try_at.map(|at| at.0),
            state.failures,
            state.error.clone(),
            state.undated,
        ];
        tx.run(sql, values).await?;
        tx.commit().await
    }

    /// Publications by day, district and topic over all feeds, from one day to another.
    pub async fn feed_totals(&self, from: &str, to: &str) -> Result<Vec<FeedTotal>, Error> {
        let sql = "SELECT day, area, topic, CAST(SUM(items) AS BIGINT) AS items FROM feed_total WHERE day >= $1 AND day <= $2 \
                   GROUP BY day, area, topic ORDER BY day, area, topic";
        let read = |row: &Row| {
            let get = || Ok((row.text("day")?, row.text("area")?, row.text("topic")?, row.int("items")?));
            let (day, area, topic, items) = get().map_err(counted(FEED))?;
            Ok(FeedTotal { day, area: word(FEED, "area", &area)?, topic, items: u64::try_from(items).unwrap_or(0) })
        };
        self.db.rows(sql, args![from, to]).await.map_err(counted(FEED))?.iter().map(read).collect()
    }

    /// Publications of a feed on a day, over all districts and topics. Of one that names two districts, two.
    pub async fn feed_items_of(&self, feed: &str, day: &str) -> Result<u64, Error> {
        let sql = "SELECT CAST(COALESCE(SUM(items), 0) AS BIGINT) AS items FROM feed_total WHERE feed = $1 AND day = $2";
        let row = self.db.row(sql, args![feed, day]).await.map_err(counted(FEED))?;
        let items = row.map(|row| row.int("items")).transpose().map_err(counted(FEED))?.unwrap_or(0);
        Ok(u64::try_from(items).unwrap_or(0))
    }
}

const STEP: &str = "INSERT INTO signal_step (signal, n, at, who, status, note) VALUES ($1, $2, $3, $4, $5, $6)";

fn step_values(signal: i64, n: i64, step: &SignalStep) -> Vec<Arg> {
    args![signal, n, step.at.0, step.who.as_str(), step.status.as_str(), step.note.clone()]
}

fn survey(row: &Row) -> Result<StoredSurvey, Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(SURVEY));
    Ok(StoredSurvey {
        id: row.int("id").map_err(counted(SURVEY))?,
        area: word(SURVEY, "area", &text("area")?)?,
        ended: text("ended")?,
        body: text("body")?,
        entered_at: UtcMs(row.int("entered_at").map_err(counted(SURVEY))?),
        entered_by: text("entered_by")?,
        import: row.maybe_int("import").map_err(counted(SURVEY))?,
    })
}

fn signal(row: &Row) -> Result<Signal, Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(SIGNAL));
    let int = |column: &'static str| row.int(column).map_err(counted(SIGNAL));
    let real = |column: &'static str| row.maybe_real(column).map_err(counted(SIGNAL));
    Ok(Signal {
        id: int("id")?,
        kind: word(SIGNAL, "kind", &text("kind")?)?,
        area: word(SIGNAL, "area", &text("area")?)?,
        place: text("place")?,
        position: real("lat")?.zip(real("lon")?).and_then(|(lat, lon)| GeoPoint::new(lat, lon).ok()),
        text: text("body")?,
        service: text("service")?,
        status: word(SIGNAL, "status", &text("status")?)?,
        entered_at: UtcMs(int("entered_at")?),
        entered_by: text("entered_by")?,
        due_at: UtcMs(int("due_at")?),
        steps: Vec::new(),
    })
}

fn signal_step(row: &Row) -> Result<(i64, SignalStep), Error> {
    let get = || Ok((row.int("signal")?, row.int("at")?, row.text("who")?, row.text("status")?, row.maybe_text("note")?));
    let (of, at, who, status, note) = get().map_err(counted(SIGNAL))?;
    Ok((of, SignalStep { at: UtcMs(at), who, status: word(SIGNAL, "status", &status)?, note }))
}

fn appeal(row: &Row) -> Result<Appeal, Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(APPEAL));
    Ok(Appeal {
        id: row.int("id").map_err(counted(APPEAL))?,
        received: text("received")?,
        area: word(APPEAL, "area", &text("area")?)?,
        topic: text("topic")?,
        leader: text("leader")?,
        due: text("due")?,
        answered: row.maybe_text("answered").map_err(counted(APPEAL))?,
        entered_by: text("entered_by")?,
    })
}

fn duty(row: &Row) -> Result<Duty, Error> {
    let text = |column: &'static str| row.text(column).map_err(counted(DUTY));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(DUTY));
    Ok(Duty {
        id: row.int("id").map_err(counted(DUTY))?,
        site: text("site")?,
        area: maybe_word(DUTY, "area", maybe("area")?)?,
        duty: Trilingual { kk: text("duty_kk")?, ru: text("duty_ru")?, en: text("duty_en")? },
        basis: text("basis")?,
        done: row.flag("done").map_err(counted(DUTY))?,
        checked_at: maybe("checked_at")?,
        checked_by: maybe("checked_by")?,
    })
}

fn feed_state(row: &Row) -> Result<FeedState, Error> {
    let read = || {
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(FeedState {
            mark: maybe_time(row.maybe_int("mark")?),
            etag: row.maybe_text("etag")?,
            last_modified: row.maybe_text("last_modified")?,
            last_ok_at: maybe_time(row.maybe_int("last_ok_at")?),
            last_try_at: maybe_time(row.maybe_int("last_try_at")?),
            next_try_at: maybe_time(row.maybe_int("next_try_at")?),
            failures: count(row.int("failures")?),
            error: row.maybe_text("error")?,
            undated: count(row.int("undated")?),
        })
    };
    read().map_err(counted(FEED))
}
