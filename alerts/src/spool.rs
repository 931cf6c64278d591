//! The spool of an edge box: which presses of its journal the centre has not confirmed, and which of them goes next.
//!
//! What belongs here: the order, the durable mark, what counts as confirmed. What does not: the connection.
//!
//! A press is sent alone and the next one follows its receipt, so the centre's journal gets them in the order of this one.
//! A press that the centre does not take (a device it does not know, say) holds up its own device only: the others go past it,
//! and it is tried again. The mark is a file of its own: when it is lost, presses are sent again and the centre finds the repeats.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use qorgan_domain::{Alarm, AlarmKey, DeviceRef};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{Error, Journal};

/// Presses that are read from the journal at once.
const BATCH: u32 = 256;
/// A press that failed again and again is tried this often.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Confirmed presses that are remembered, to know a second receipt of one of them.
const RECENT: usize = 64;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS mark (journal TEXT PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ahead (journal TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (journal, row))";

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this press.
    Send(Box<Parcel>),
    /// Nothing before then.
    Wait(Instant),
    /// Everything is confirmed.
    Idle,
}

/// A press as the centre shall have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Row of the box's journal.
    pub row: i64,
    /// The press: with a boot id, and with the time at which the box heard it.
    pub alarm: Alarm,
}

/// The spool. One task owns it.
#[derive(Debug)]
pub struct Spool {
    journal: Journal,
    connection: SqliteConnection,
    path: PathBuf,
    /// Every row up to here is confirmed.
    mark: i64,
    /// Confirmed rows above the mark: a row below them waits.
    ahead: BTreeSet<i64>,
    /// Rows up to here were read from the journal.
    read: i64,
    waiting: BTreeMap<i64, Waiting>,
    recent: VecDeque<(AlarmKey, i64)>,
}

#[derive(Debug)]
struct Waiting {
    alarm: Alarm,
    sent: bool,
    failures: u32,
    not_before: Option<Instant>,
}

impl Spool {
    /// Opens the mark, or makes it.
    pub async fn open(path: &Path, journal: Journal) -> Result<Self, Error> {
        let failed = |source: sqlx::Error| Error::JournalOpen { path: path.to_owned(), source: source.into() };
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .connect()
            .await
            .map_err(failed)?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await.map_err(failed)?;
        // A mark belongs to one journal: a new one begins at its first row, and one put back from a backup at its last.
        let mark: Option<i64> = sqlx::query_scalar("SELECT row FROM mark WHERE journal = $1")
            .bind(journal.id())
            .fetch_optional(&mut connection)
            .await
            .map_err(failed)?;
        let mark = mark.unwrap_or(0).min(journal.newest().await?);
        let ahead: Vec<i64> = sqlx::query_scalar("SELECT row FROM ahead WHERE journal = $1 AND row > $2 AND row <= $3")
            .bind(journal.id())
            .bind(mark)
            .bind(journal.newest().await?)
            .fetch_all(&mut connection)
            .await
            .map_err(failed)?;
        Ok(Self {
            journal,
            connection,
            path: path.to_owned(),
            mark,
            ahead: ahead.into_iter().collect(),
            read: mark,
            waiting: BTreeMap::new(),
            recent: VecDeque::new(),
        })
    }

    /// What is to be done now. The same press is named again until it is confirmed or failed.
    pub async fn next(&mut self, now: Instant) -> Result<Next, Error> {
        loop {
            let mut earliest: Option<Instant> = None;
            let mut seen = HashSet::new();
            for (row, waiting) in &mut self.waiting {
                // Only the oldest press of a device: a cancel never overtakes what it cancels.
                if !seen.insert(waiting.alarm.device.clone()) {
                    continue;
                }
                match waiting.not_before {
                    Some(at) if at > now => earliest = Some(earliest.map_or(at, |earliest| earliest.min(at))),
                    _ => {
                        waiting.sent = true;
                        return Ok(Next::Send(Box::new(Parcel { row: *row, alarm: waiting.alarm.clone() })));
                    }
                }
            }
            let rows = self.journal.after(self.read, BATCH).await?;
            if rows.is_empty() {
                return Ok(earliest.map_or(Next::Idle, Next::Wait));
            }
            for (row, alarm) in rows {
                self.read = row;
                if !self.ahead.contains(&row) {
                    let alarm = for_the_centre(self.journal.id(), row, alarm);
                    self.waiting.insert(row, Waiting { alarm, sent: false, failures: 0, not_before: None });
                }
            }
        }
    }

    /// A press that was sent has no receipt: the connection broke, or the time was over. The first time may be the
    /// connection's fault; a press that fails again lets those of other devices go first.
    pub fn failed(&mut self, row: i64, now: Instant) {
        if let Some(waiting) = self.waiting.get_mut(&row) {
            let pause = Duration::from_millis(500) * 2u32.pow(waiting.failures.min(10));
            waiting.not_before = (waiting.failures > 0).then(|| now + pause.min(LONGEST_PAUSE));
            waiting.failures += 1;
        }
    }

    /// Takes a receipt of the centre and keeps it; the row it was for, if it was one of ours. `centre` is its row in the
    /// centre's journal. Should the mark not be written, the press is sent again after the next start: the centre finds the repeat.
    pub async fn receipted(&mut self, device: &DeviceRef, boot: Option<&str>, seq: u64, centre: i64) -> Option<i64> {
        let key = AlarmKey { device: device.clone(), boot: boot.map(str::to_owned), seq };
        // A press and its cancel may bear one number: the second receipt of the one is none of the other.
        if self.recent.contains(&(key.clone(), centre)) {
            return None;
        }
        let row = *self.waiting.iter().find(|(_, waiting)| waiting.sent && waiting.alarm.key() == key)?.0;
        self.waiting.remove(&row);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((key, centre));
        self.ahead.insert(row);
        self.mark = self.waiting.keys().next().map_or(self.read, |oldest| oldest - 1);
        self.ahead.retain(|row| *row > self.mark);
        if let Err(source) = self.keep(row).await {
            metrics::counter!("qorgan_spool_errors_total").increment(1);
            tracing::error!(path = %self.path.display(), error = &source as &dyn std::error::Error, "the mark of the spool cannot be written");
        }
        Some(row)
    }

    async fn keep(&mut self, row: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let sql = "INSERT INTO mark (journal, row) VALUES ($1, $2) ON CONFLICT (journal) DO UPDATE SET row = excluded.row";
        sqlx::query(sql).bind(self.journal.id()).bind(self.mark).execute(&mut *tx).await?;
        let sql = "DELETE FROM ahead WHERE journal = $1 AND row <= $2";
        sqlx::query(sql).bind(self.journal.id()).bind(self.mark).execute(&mut *tx).await?;
        if row > self.mark {
            let sql = "INSERT INTO ahead (journal, row) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            sqlx::query(sql).bind(self.journal.id()).bind(row).execute(&mut *tx).await?;
        }
        tx.commit().await
    }

    /// How many presses are not confirmed.
    pub async fn waiting(&self) -> Result<i64, Error> {
        let unread = self.journal.newest().await?.saturating_sub(self.read);
        Ok(unread + i64::try_from(self.waiting.len()).unwrap_or(i64::MAX))
    }

    /// Closes the file.
    pub async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(path = %self.path.display(), error = &error as &dyn std::error::Error, "the spool did not close cleanly");
        }
    }
}

/// A press as the centre shall have it: always the same words for the same row, so that it may be sent any number of times.
///
/// A device without a boot id counts from 1 again after each start, and the centre takes the same number within 120 s for a
/// repeat. That rule is about when a press was made, and presses from a spool arrive when they arrive: two of different
/// days within one second, or one of them twice within an hour. Which messages are one press this box's journal has
/// already judged, when it heard them. So a press without a boot id gets one that names its row: the journal's id, the row
/// and the time (a journal put back from a backup uses rows again).
fn for_the_centre(journal: &str, row: i64, alarm: Alarm) -> Alarm {
    let named = || format!("edge-{}-{row}-{:x}", &journal[..journal.len().min(16)], alarm.received_at.0);
    Alarm { boot: Some(alarm.boot.clone().unwrap_or_else(named)), heard_at: Some(alarm.happened_at()), ..alarm }
}
