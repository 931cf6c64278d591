//! Counts of requests, kept by day while they come in, and problem signals.

use std::collections::BTreeMap;

use qorgan_domain::{AreaCode, UtcMs};
use serde::{Deserialize, Serialize};

use super::NewRequest;
use crate::{
    Error,
    requests::{Standing, State},
    store::{
        Store, counted,
        db::{Row, Tx, args, word},
        maybe_time,
    },
};

const TALLY: &str = "request_tally";
const SIGNAL: &str = "request_signal";

/// Counts of one month (or one day), district, category and service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyRow {
    /// Month of receipt, as 202611.
    pub month: i64,
    /// District.
    pub area: AreaCode,
    /// Category.
    pub category: String,
    /// Service.
    pub service: String,
    /// Came in.
    pub received: u64,
    /// Were answered for the first time.
    pub answered: u64,
    /// And that in time.
    pub answered_in_time: u64,
    /// Hours until the first answers, together, in ms.
    pub answer_ms: u64,
    /// Times that something was done.
    pub done: u64,
    /// And that in time.
    pub done_in_time: u64,
    /// Times that it was not fixed.
    pub reopened: u64,
}

/// What a service has before it now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// A deadline runs.
    pub open: u64,
    /// It has passed.
    pub overdue: u64,
}

/// Requests of one day, district and category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// Local day, as 20261122.
    pub day: i64,
    /// District.
    pub area: AreaCode,
    /// Category.
    pub category: String,
    /// Service that has most of them.
    pub service: String,
    /// How many.
    pub count: u64,
}

/// Where a problem signal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalState {
    /// Nobody has taken it.
    Open,
    /// The service has.
    Accepted,
    /// Dealt with.
    Closed,
}

impl SignalState {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            SignalState::Open => "open",
            SignalState::Accepted => "accepted",
            SignalState::Closed => "closed",
        }
    }
}

/// More requests than usual, told to the service.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSignal {
    /// Number; 0 before it is stored.
    pub id: i64,
    /// Category.
    pub category: String,
    /// District.
    pub area: AreaCode,
    /// Service that is told.
    pub service: String,
    /// Local day, as 20261122.
    pub day: i64,
    /// Requests of that day when it was raised.
    pub count: u64,
    /// What is usual.
    pub expected: f64,
    /// The bound that was passed.
    pub threshold: f64,
    /// Formula and version.
    pub formula: String,
    /// When it was raised.
    pub raised_at: UtcMs,
    /// Where it stands.
    pub state: SignalState,
    /// Words of the service.
    pub words: Option<String>,
    /// Who changed it last.
    pub who: Option<String>,
    /// When.
    pub changed_at: Option<UtcMs>,
    /// Made up for a demonstration.
    pub demo: bool,
}

impl Store {
    /// Counts of the days from one to before another (as 20261122), by month, district, category and service.
    pub async fn request_tally(&self, from_day: i64, to_day: i64, area: Option<&AreaCode>) -> Result<Vec<TallyRow>, Error> {
        let sql = "SELECT day / 100 AS month, area, category, service, CAST(SUM(received) AS BIGINT) AS received, \
             CAST(SUM(answered) AS BIGINT) AS answered, CAST(SUM(answered_in_time) AS BIGINT) AS answered_in_time, \
             CAST(SUM(answer_ms) AS BIGINT) AS answer_ms, CAST(SUM(done) AS BIGINT) AS done, \
             CAST(SUM(done_in_time) AS BIGINT) AS done_in_time, CAST(SUM(reopened) AS BIGINT) AS reopened FROM request_tally \
             WHERE day >= $1 AND day < $2 AND ($3 = '' OR area = $3) GROUP BY day / 100, area, category, service ORDER BY 1, 2, 3, 4";
        let values = args![from_day, to_day, area.map_or("", AreaCode::as_str)];
        let rows = self.db.rows(sql, values).await.map_err(counted(TALLY))?;
        rows.iter().map(tally_row).collect()
    }

    /// Requests of each day, district and category from a day on (as 20261122).
    pub async fn request_days(&self, from_day: i64) -> Result<Vec<DayCount>, Error> {
        let sql = "SELECT day, area, category, MAX(service) AS service, CAST(SUM(received) AS BIGINT) AS received FROM request_tally \
             WHERE day >= $1 GROUP BY day, area, category ORDER BY area, category, day";
        let rows = self.db.rows(sql, args![from_day]).await.map_err(counted(TALLY))?;
        let read = |row: &Row| -> Result<DayCount, Error> {
            let get = || Ok((row.int("day")?, row.text("area")?, row.text("category")?, row.text("service")?, row.int("received")?));
            let (day, area, category, service, received) = get().map_err(counted(TALLY))?;
            Ok(DayCount { day, area: word(TALLY, "area", &area)?, category, service, count: unsigned(received) })
        };
        rows.iter().map(read).collect()
    }

    /// What each service has before it now, in one district or in all.
    pub async fn request_load(&self, area: Option<&AreaCode>, now: UtcMs) -> Result<BTreeMap<String, Load>, Error> {
        let sql = "SELECT service, COUNT(*) AS open, CAST(SUM(CASE WHEN due_at < $1 THEN 1 ELSE 0 END) AS BIGINT) AS overdue FROM request \
             WHERE due_at IS NOT NULL AND ($2 = '' OR area = $2) GROUP BY service";
        let rows = self.db.rows(sql, args![now.0, area.map_or("", AreaCode::as_str)]).await.map_err(counted("request load"))?;
        let read = |row: &Row| {
            let load = Load { open: unsigned(row.int("open")?), overdue: unsigned(row.int("overdue")?) };
            Ok((row.text("service")?, load))
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(counted("request load"))
    }

    /// Writes a problem signal down; false when that day, district and category have one.
    pub async fn add_request_signal(&self, signal: &RequestSignal) -> Result<bool, Error> {
        let work = async {
            let mut tx = self.db.begin().await?;
            let newest = tx.row("SELECT MAX(id) AS newest FROM request_signal", vec![]).await?;
            let id = newest.map(|row| row.maybe_int("newest")).transpose()?.flatten().unwrap_or(0) + 1;
            let sql = "INSERT INTO request_signal (id, category, area, service, day, count, expected, threshold, formula, raised_at, state, demo) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (day, area, category) DO NOTHING";
            let values = args![
                id,
                signal.category.as_str(),
                signal.area.as_str(),
                signal.service.as_str(),
                signal.day,
                i64::try_from(signal.count).unwrap_or(i64::MAX),
                signal.expected,
                signal.threshold,
                signal.formula.as_str(),
                signal.raised_at.0,
                signal.state.as_str(),
                signal.demo,
            ];
            let added = tx.run(sql, values).await? > 0;
            tx.commit().await?;
            Ok(added)
        };
        work.await.map_err(counted(SIGNAL))
    }

    /// Problem signals, newest first.
    pub async fn request_signals(&self, state: Option<SignalState>, limit: u32) -> Result<Vec<RequestSignal>, Error> {
        let sql = "SELECT * FROM request_signal WHERE ($1 = '' OR state = $1) ORDER BY id DESC LIMIT $2";
        let rows = self.db.rows(sql, args![state.map_or("", SignalState::as_str), limit]).await.map_err(counted(SIGNAL))?;
        rows.iter().map(signal_row).collect()
    }

    /// One problem signal.
    pub async fn request_signal(&self, id: i64) -> Result<Option<RequestSignal>, Error> {
        let row = self.db.row("SELECT * FROM request_signal WHERE id = $1", args![id]).await.map_err(counted(SIGNAL))?;
        row.as_ref().map(signal_row).transpose()
    }

    /// Moves a problem signal on from a state; false when it is not in that state any more.
    pub async fn move_request_signal(&self, signal: &RequestSignal, from: SignalState) -> Result<bool, Error> {
        let sql = "UPDATE request_signal SET state = $2, words = $3, who = $4, changed_at = $5 WHERE id = $1 AND state = $6";
        let values = args![
            signal.id,
            signal.state.as_str(),
            signal.words.clone(),
            signal.who.clone(),
            signal.changed_at.map(|at| at.0),
            from.as_str(),
        ];
        Ok(self.db.run(sql, values).await.map_err(counted(SIGNAL))? > 0)
    }
}

/// What is added to the counts of each day, district, category and service.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<(i64, AreaCode, String, String), Delta>);

#[derive(Default, Clone, Copy, PartialEq)]
struct Delta {
    received: i64,
    answered: i64,
    answered_in_time: i64,
    answer_ms: i64,
    done: i64,
    done_in_time: i64,
    reopened: i64,
}

impl Tally {
    /// A request came in.
    pub(super) fn receive(&mut self, new: &NewRequest) {
        self.of(new.day, &new.area, &new.standing).received += 1;
    }

    /// Something was done about a request that came in on a day.
    pub(super) fn act(&mut self, day: i64, area: &AreaCode, received_at: UtcMs, (before, then): (&Standing, &Standing), now: UtcMs) {
        if (&before.category, &before.service) != (&then.category, &then.service) {
            self.of(day, area, before).received -= 1;
            self.of(day, area, then).received += 1;
        }
        let delta = self.of(day, area, then);
        // The first answer to a request is what the category's time is about; what follows a "not fixed" is another story.
        if before.answered_at.is_none() && then.answered_at.is_some() && before.reopened == 0 {
            delta.answered += 1;
            delta.answered_in_time += i64::from(now <= before.answer_by);
            delta.answer_ms += now.ms_since(received_at).max(0);
        }
        if then.state == State::Done && before.state != State::Done {
            delta.done += 1;
            delta.done_in_time += i64::from(before.promised_at.is_none_or(|promised| now <= promised));
        }
        delta.reopened += i64::from(then.reopened > before.reopened);
    }

    fn of(&mut self, day: i64, area: &AreaCode, standing: &Standing) -> &mut Delta {
        self.0.entry((day, area.clone(), standing.category.clone(), standing.service.clone())).or_default()
    }

    /// Adds everything to what is stored.
    pub(super) async fn store(self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        const HEAD: &str = "INSERT INTO request_tally (day, area, category, service, received, answered, answered_in_time, answer_ms, done, \
             done_in_time, reopened) VALUES ";
        const TAIL: &str = " ON CONFLICT (day, area, category, service) DO UPDATE SET \
             received = request_tally.received + excluded.received, answered = request_tally.answered + excluded.answered, \
             answered_in_time = request_tally.answered_in_time + excluded.answered_in_time, answer_ms = request_tally.answer_ms + excluded.answer_ms, \
             done = request_tally.done + excluded.done, done_in_time = request_tally.done_in_time + excluded.done_in_time, \
             reopened = request_tally.reopened + excluded.reopened";
        let row = |((day, area, category, service), delta): ((i64, AreaCode, String, String), Delta)| {
            args![
                day,
                area.as_str(),
                category,
                service,
                delta.received,
                delta.answered,
                delta.answered_in_time,
                delta.answer_ms,
                delta.done,
                delta.done_in_time,
                delta.reopened,
            ]
        };
        let rows = self.0.into_iter().filter(|(_, delta)| *delta != Delta::default()).map(row).collect();
        tx.insert(HEAD, TAIL, rows).await
    }
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn tally_row(row: &Row) -> Result<TallyRow, Error> {
    let count = |column: &'static str| row.int(column).map(unsigned).map_err(counted(TALLY));
    let text = |column: &'static str| row.text(column).map_err(counted(TALLY));
    Ok(TallyRow {
        month: row.int("month").map_err(counted(TALLY))?,
        area: word(TALLY, "area", &text("area")?)?,
        category: text("category")?,
        service: text("service")?,
        received: count("received")?,
        answered: count("answered")?,
        answered_in_time: count("answered_in_time")?,
        answer_ms: count("answer_ms")?,
        done: count("done")?,
        done_in_time: count("done_in_time")?,
        reopened: count("reopened")?,
    })
}

fn signal_row(row: &Row) -> Result<RequestSignal, Error> {
    let int = |column: &'static str| row.int(column).map_err(counted(SIGNAL));
    let text = |column: &'static str| row.text(column).map_err(counted(SIGNAL));
    let maybe = |column: &'static str| row.maybe_text(column).map_err(counted(SIGNAL));
    let real = |column: &'static str| row.real(column).map_err(counted(SIGNAL));
    Ok(RequestSignal {
        id: int("id")?,
        category: text("category")?,
        area: word(SIGNAL, "area", &text("area")?)?,
        service: text("service")?,
        day: int("day")?,
        count: unsigned(int("count")?),
        expected: real("expected")?,
        threshold: real("threshold")?,
        formula: text("formula")?,
        raised_at: UtcMs(int("raised_at")?),
        state: word(SIGNAL, "state", &text("state")?)?,
        words: maybe("words")?,
        who: maybe("who")?,
        changed_at: maybe_time(row.maybe_int("changed_at").map_err(counted(SIGNAL))?),
        demo: row.flag("demo").map_err(counted(SIGNAL))?,
    })
}
