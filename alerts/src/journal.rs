//! The alarm journal: a press is on disk here before its receipt leaves.
//!
//! Its own SQLite file (WAL, synchronous FULL), its own connection, one task that commits many presses at once.
//! What does not belong here: what a press means. The store is fed from here, idempotently, by row number.
//!
//! The same press is (device, boot id, sequence number). Without a boot id the same number is a repeat only
//! within 120 s of the press it repeats. In doubt (another kind, signal, door, zone, time of the press by the device's clock,
//! test or not) it is a new press and shown twice.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use qorgan_domain::{Alarm, AlarmKind, Clock, DeviceRef, Door, Signal, SystemClock, UtcMs, alarm::REPEAT_WINDOW_MS};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error,
    store::db::{places, word},
};

/// Presses that wait for the disk at most; over that, `commit` waits for room.
const QUEUE: usize = 1_024;
/// Presses of one commit at most.
const BATCH: usize = 512;
/// Stored presses that the engine may be behind; those beyond it reads from the file.
const FEED: usize = 8_192;
/// Rows of one statement; 13 values each stay far below the 32,766 that SQLite takes.
const ROWS_PER_INSERT: usize = 128;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS press (
    row         INTEGER PRIMARY KEY AUTOINCREMENT,
    device      TEXT NOT NULL,
    boot        TEXT,
    seq         INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    test        INTEGER NOT NULL,
    pressed_at  INTEGER,
    received_at INTEGER NOT NULL,
    stored_at   INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS press_by_key ON press (device, seq);
CREATE TABLE IF NOT EXISTS journal (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL);
INSERT OR IGNORE INTO journal VALUES (1, lower(hex(randomblob(16))))";

/// Columns that came later, for a journal that an older version made.
const LATER: [(&str, &str); 4] = [
    ("signal", "ALTER TABLE press ADD COLUMN signal TEXT NOT NULL DEFAULT 'press'"),
    ("door", "ALTER TABLE press ADD COLUMN door TEXT NOT NULL DEFAULT 'mqtt'"),
    ("zone", "ALTER TABLE press ADD COLUMN zone TEXT"),
    ("heard_at", "ALTER TABLE press ADD COLUMN heard_at INTEGER"),
];

/// The word that a press is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its row in the journal.
    pub row: i64,
    /// When it was written.
    pub stored_at: UtcMs,
    /// The same press had been stored before; `row` is that one's.
    pub repeat: bool,
}

/// The journal; clones speak to the same task.
#[derive(Debug, Clone)]
pub struct Journal {
    id: Arc<str>,
    jobs: mpsc::Sender<Job>,
    feed: Feed,
}

type Feed = Arc<Mutex<Option<mpsc::Receiver<(i64, Alarm)>>>>;

#[derive(Debug)]
enum Job {
    Commit(Press),
    After { row: i64, limit: u32, answer: oneshot::Sender<Result<Vec<(i64, Alarm)>, Error>> },
    Newest { answer: oneshot::Sender<Result<i64, Error>> },
    Close { answer: oneshot::Sender<()> },
}

#[derive(Debug)]
struct Press {
    alarm: Alarm,
    since: Instant,
    answer: oneshot::Sender<Result<Stored, Error>>,
}

impl Journal {
    /// Opens the journal, or makes it.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Arc::new(SystemClock)).await
    }

    /// The same with another clock.
    pub async fn open_with(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let failed = |source: sqlx::Error| Error::JournalOpen { path: path.to_owned(), source: source.into() };
        let mut connection = connect(path).await.map_err(failed)?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await.map_err(failed)?;
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info('press')").fetch_all(&mut connection).await.map_err(failed)?;
        for (name, sql) in LATER {
            if !columns.iter().any(|column| column == name) {
                sqlx::raw_sql(sql).execute(&mut connection).await.map_err(failed)?;
            }
        }
        let id: String = sqlx::query_scalar("SELECT id FROM journal").fetch_one(&mut connection).await.map_err(failed)?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (follower, feed) = mpsc::channel(FEED);
        let newest = newest(&mut connection).await.map_err(failed)?;
        tokio::spawn(Writer { path: path.to_owned(), connection, clock, newest: Some(newest), follower, failed: false }.run(queue));
        Ok(Self { id: id.into(), jobs, feed: Arc::new(Mutex::new(Some(feed))) })
    }

    /// Writes a press. Returns only when it is on disk; then, and only then, its receipt may leave. A press that was
    /// asked for and then abandoned (a timeout) may be stored all the same: sent again, it is a repeat.
    pub async fn commit(&self, alarm: Alarm) -> Result<Stored, Error> {
        let (answer, stored) = oneshot::channel();
        let job = Job::Commit(Press { alarm, since: Instant::now(), answer });
        self.jobs.send(job).await.map_err(|_| STOPPED)?;
        stored.await.map_err(|_| STOPPED)?
    }

    /// Every press from now on, with its row and in the order of rows, as soon as it is on disk and before [`commit`](Self::commit)
    /// returns. For one reader; none for a second one. One that is too far behind misses some and finds them with [`after`](Self::after).
    pub fn follow(&self) -> Option<mpsc::Receiver<(i64, Alarm)>> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Presses after a row, in order, at most `limit` (1,000 at most).
    pub async fn after(&self, row: i64, limit: u32) -> Result<Vec<(i64, Alarm)>, Error> {
        let (answer, rows) = oneshot::channel();
        self.jobs.send(Job::After { row, limit: limit.min(1_000), answer }).await.map_err(|_| STOPPED)?;
        rows.await.map_err(|_| STOPPED)?
    }

    /// Which journal this is: another file has another id, and its row numbers say nothing about this one's.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The last row; 0 when there is none.
    pub async fn newest(&self) -> Result<i64, Error> {
        let (answer, row) = oneshot::channel();
        self.jobs.send(Job::Newest { answer }).await.map_err(|_| STOPPED)?;
        row.await.map_err(|_| STOPPED)?
    }

    /// Finishes what waits and closes the file.
    pub async fn close(self) {
        let (answer, closed) = oneshot::channel();
        if self.jobs.send(Job::Close { answer }).await.is_ok() {
            let _ = closed.await;
        }
    }
}

const STOPPED: Error = Error::Stopped("alarm journal");

struct Writer {
    path: PathBuf,
    connection: SqliteConnection,
    clock: Arc<dyn Clock>,
    /// The last row; none after a failure, until it is read again.
    newest: Option<i64>,
    follower: mpsc::Sender<(i64, Alarm)>,
    /// The last transaction failed: the connection is not trusted any more.
    failed: bool,
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(5))
        .connect()
        .await
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            let mut presses = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Commit(press) => presses.push(press),
                    Job::After { row, limit, answer } => {
                        let _ = answer.send(self.after(row, limit).await);
                    }
                    Job::Newest { answer } => {
                        let _ = answer.send(self.newest().await);
                    }
                    Job::Close { answer } => {
                        queue.close();
                        closing.push(answer);
                    }
                }
            }
            self.commit(presses).await;
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(path = %self.path.display(), error = &error as &dyn std::error::Error, "alarm journal did not close cleanly");
        }
        for answer in closing {
            let _ = answer.send(());
        }
    }

    async fn commit(&mut self, presses: Vec<Press>) {
        if presses.is_empty() {
            return;
        }
        if self.failed {
            // A full disk makes SQLite roll back by itself; the driver's own rollback then fails and it believes for ever to be in a
            // transaction. A new connection knows nothing of that.
            match connect(&self.path).await {
                Ok(fresh) => {
                    let old = std::mem::replace(&mut self.connection, fresh);
                    let _ = old.close_hard().await;
                    self.newest = None;
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the alarm journal cannot be opened anew");
                }
            }
        }
        let stored_at = self.clock.utc();
        let alarms: Vec<&Alarm> = presses.iter().map(|press| &press.alarm).collect();
        let written = write(&mut self.connection, self.newest.take(), &alarms, stored_at).await;
        self.failed = written.is_err();
        match written {
            Ok((rows, newest)) => {
                self.newest = Some(newest);
                let mut answers = Vec::with_capacity(rows.len());
                for (Press { since, answer, alarm }, stored) in presses.into_iter().zip(rows) {
                    if !stored.repeat {
                        // A full or missing follower reads the file.
                        let _ = self.follower.try_send((stored.row, alarm));
                    }
                    answers.push((since, answer, stored));
                }
                for (since, answer, stored) in answers {
                    metrics::histogram!("qorgan_journal_commit_seconds").record(since.elapsed().as_secs_f64());
                    let _ = answer.send(Ok(stored));
                }
            }
            Err(source) => {
                metrics::counter!("qorgan_journal_errors_total").increment(1);
                tracing::error!(path = %self.path.display(), presses = presses.len(), error = &source as &dyn std::error::Error, "alarm journal cannot be written");
                let error = Error::Journal { path: self.path.clone(), source: source.into() };
                for Press { answer, .. } in presses {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    async fn after(&mut self, row: i64, limit: u32) -> Result<Vec<(i64, Alarm)>, Error> {
        let sql = "SELECT * FROM press WHERE row > $1 ORDER BY row LIMIT $2";
        let failed = |source: sqlx::Error| Error::Journal { path: self.path.clone(), source: source.into() };
        let rows = sqlx::query(sql).bind(row).bind(limit).fetch_all(&mut self.connection).await.map_err(failed)?;
        Ok(rows.iter().filter_map(|row| readable(read(row, &self.path))).collect())
    }

    async fn newest(&mut self) -> Result<i64, Error> {
        newest(&mut self.connection).await.map_err(|source| Error::Journal { path: self.path.clone(), source: source.into() })
    }
}

/// The highest row that was ever given out.
async fn newest(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT MAX(COALESCE((SELECT MAX(row) FROM press), 0), COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'press'), 0))";
    sqlx::query_scalar(sql).fetch_one(&mut *connection).await
}

/// What tells presses with the same device and number apart.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    boot: Option<String>,
    kind: String,
    test: bool,
    signal: String,
    door: String,
    zone: Option<String>,
}

/// A stored press.
#[derive(Debug, Clone)]
struct Earlier {
    known: Known,
    row: i64,
    stored_at: UtcMs,
    received_at: UtcMs,
    pressed_at: Option<i64>,
}

/// One transaction for all, with few statements however many there are; the answers are good only because it has committed.
/// Also gives the last row.
async fn write(
    connection: &mut SqliteConnection,
    newest_row: Option<i64>,
    alarms: &[&Alarm],
    stored_at: UtcMs,
) -> Result<(Vec<Stored>, i64), sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut last = match newest_row {
        Some(row) => row,
        None => newest(&mut tx).await?,
    };
    let mut earlier = earlier(&mut tx, alarms).await?;
    let (mut answers, mut fresh) = (Vec::with_capacity(alarms.len()), Vec::new());
    for alarm in alarms {
        let same = earlier.entry((alarm.device.to_string(), alarm.seq.cast_signed())).or_default();
        if let Some(stored) = repeat(same, alarm) {
            answers.push(stored);
            continue;
        }
        last += 1;
        let pressed_at = alarm.pressed_at.map(|at| at.0);
        same.push(Earlier { known: Known::of(alarm), row: last, stored_at, received_at: alarm.received_at, pressed_at });
        fresh.push((last, *alarm));
        answers.push(Stored { row: last, stored_at, repeat: false });
    }
    for rows in fresh.chunks(ROWS_PER_INSERT) {
        insert(&mut tx, rows, stored_at).await?;
    }
    tx.commit().await?;
    Ok((answers, last))
}

/// Every stored press with the device and number of one of these, oldest first.
async fn earlier(connection: &mut SqliteConnection, alarms: &[&Alarm]) -> Result<HashMap<(String, i64), Vec<Earlier>>, sqlx::Error> {
    let mut found: HashMap<(String, i64), Vec<Earlier>> = HashMap::new();
    for some in alarms.chunks(ROWS_PER_INSERT) {
        // CROSS JOIN: the few that are wanted first, each by the index.
        let sql = format!(
            "WITH wanted (device, seq) AS (VALUES {}) SELECT DISTINCT press.* FROM wanted CROSS JOIN press \
             ON press.device = wanted.device AND press.seq = wanted.seq ORDER BY press.row",
            places(some.len(), 2, false)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(keep(some.len()));
        for alarm in some {
            query = query.bind(alarm.device.to_string()).bind(alarm.seq.cast_signed());
        }
        for row in query.fetch_all(&mut *connection).await? {
            let known = Known {
                boot: row.try_get("boot")?,
                kind: row.try_get("kind")?,
                test: row.try_get("test")?,
                signal: row.try_get("signal")?,
                door: row.try_get("door")?,
                zone: row.try_get("zone")?,
            };
            let (stored_at, received_at) = (UtcMs(row.try_get("stored_at")?), UtcMs(row.try_get("received_at")?));
            let earlier = Earlier { known, row: row.try_get("row")?, stored_at, received_at, pressed_at: row.try_get("pressed_at")? };
            found.entry((row.try_get("device")?, row.try_get("seq")?)).or_default().push(earlier);
        }
    }
    Ok(found)
}

impl Known {
    fn of(alarm: &Alarm) -> Self {
        Self {
            boot: alarm.boot.clone(),
            kind: alarm.kind.as_str().to_owned(),
            test: alarm.test,
            signal: alarm.signal.as_str().to_owned(),
            door: alarm.door.as_str().to_owned(),
            zone: alarm.zone.clone(),
        }
    }
}

/// The earlier row of the same press, if there is one.
fn repeat(earlier: &[Earlier], alarm: &Alarm) -> Option<Stored> {
    let known = Known::of(alarm);
    let last = earlier.iter().rev().find(|earlier| earlier.known == known)?;
    if alarm.boot.is_none() {
        // A device without a boot id that was rebooted counts from 1 again: its own clock, if it has one, tells the two presses apart.
        let told_apart = last.pressed_at.zip(alarm.pressed_at).is_some_and(|(before, now)| before != now.0);
        if told_apart || alarm.received_at.ms_since(last.received_at).abs() > REPEAT_WINDOW_MS {
            return None;
        }
    }
    Some(Stored { row: last.row, stored_at: last.stored_at, repeat: true })
}

async fn insert(connection: &mut SqliteConnection, rows: &[(i64, &Alarm)], stored_at: UtcMs) -> Result<(), sqlx::Error> {
    const COLUMNS: usize = 13;
    let sql = format!(
        "INSERT INTO press (row, device, boot, seq, kind, test, pressed_at, received_at, stored_at, signal, door, zone, heard_at) VALUES {}",
        places(rows.len(), COLUMNS, false)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(keep(rows.len()));
    for (row, alarm) in rows {
        query = query
            .bind(*row)
            .bind(alarm.device.to_string())
            .bind(&alarm.boot)
            .bind(alarm.seq.cast_signed())
            .bind(alarm.kind.as_str())
            .bind(alarm.test)
            .bind(alarm.pressed_at.map(|at| at.0))
            .bind(alarm.received_at.0)
            .bind(stored_at.0)
            .bind(alarm.signal.as_str())
            .bind(alarm.door.as_str())
            .bind(&alarm.zone)
            .bind(alarm.heard_at.map(|at| at.0));
    }
    query.execute(connection).await.map(drop)
}

/// One row and whole statements keep prepared; others are made for once.
fn keep(rows: usize) -> bool {
    rows == 1 || rows == ROWS_PER_INSERT
}

/// One row that a newer version wrote must not hide the presses after it.
fn readable(row: Result<(i64, Alarm), Error>) -> Option<(i64, Alarm)> {
    row.inspect_err(|error| {
        metrics::counter!("qorgan_journal_errors_total").increment(1);
        tracing::error!(error = error as &dyn std::error::Error, "a press in the alarm journal cannot be read");
    })
    .ok()
}

fn read(row: &SqliteRow, path: &Path) -> Result<(i64, Alarm), Error> {
    let get = || -> Result<_, sqlx::Error> {
        let device: String = row.try_get("device")?;
        let kind: String = row.try_get("kind")?;
        let seq: i64 = row.try_get("seq")?;
        let pressed_at: Option<i64> = row.try_get("pressed_at")?;
        let heard_at: Option<i64> = row.try_get("heard_at")?;
        let (signal, door): (String, String) = (row.try_get("signal")?, row.try_get("door")?);
        let times = (pressed_at, heard_at, row.try_get("received_at")?);
        Ok((
            row.try_get("row")?,
            device,
            (kind, signal, door, row.try_get("zone")?),
            seq,
            row.try_get("boot")?,
            times,
            row.try_get("test")?,
        ))
    };
    let failed = |source: sqlx::Error| Error::Journal { path: path.to_owned(), source: source.into() };
    let (number, device, (kind, signal, door, zone), seq, boot, (pressed_at, heard_at, received_at), test) = get().map_err(failed)?;
    let alarm = Alarm {
        device: word::<DeviceRef>("press", "device", &device)?,
        kind: word::<AlarmKind>("press", "kind", &kind)?,
        signal: word::<Signal>("press", "signal", &signal)?,
        door: word::<Door>("press", "door", &door)?,
        zone,
        seq: seq.cast_unsigned(),
        boot,
        pressed_at: pressed_at.map(UtcMs),
        heard_at: heard_at.map(UtcMs),
        received_at: UtcMs(received_at),
        test,
    };
    Ok((number, alarm))
}
