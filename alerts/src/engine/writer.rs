//! Transitions on their way to the store: in order, retried until they are written, never lost silently.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use qorgan_domain::AlertId;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{Error, Store, Transition};

/// Over this many waiting lines no count and no action makes new ones; alarms still do.
pub(super) const MAX_BACKLOG: usize = 20_000;
/// Lines of one transaction.
const CHUNK: usize = 500;
/// How long a transaction may take.
const SAVE_LIMIT: Duration = Duration::from_secs(10);
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

#[derive(Debug, Clone)]
pub(super) struct Backlog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    bell: Notify,
    /// Number of the last push that is written.
    written: watch::Sender<u64>,
    /// The store did not answer; nobody waits for it until it does.
    away: AtomicBool,
    /// The store holds rows after the mark, to be cleared when the mark has passed them.
    ahead: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    pushes: u64,
    /// Lines of history, in order.
    lines: VecDeque<Line>,
    /// Evidence without a line: only the newest of each alert matters.
    evidence: BTreeMap<AlertId, Transition>,
    /// Journal row that is applied once all of this is written.
    journal_row: Option<i64>,
}

/// What a journal row has made: nothing, or one or more lines in a row. All of them are written at once, with the row:
/// a hub that is killed between two transactions must neither count a press again nor lose it.
#[derive(Debug)]
struct Line {
    transition: Option<Transition>,
    row: Option<i64>,
}

impl Backlog {
    /// Empty; `ahead` when the store holds rows after the mark.
    pub(super) fn new(ahead: bool) -> Self {
        let (waiting, bell, away) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
        Self(Arc::new(Shared { waiting, bell, written: watch::channel(0).0, away, ahead: AtomicBool::new(ahead) }))
    }

    /// How many lines wait.
    pub(super) fn len(&self) -> usize {
        self.lock().lines.len()
    }

    /// Adds transitions; the number under which [`written`](Self::written) knows them. `rows` are journal rows in order, each
    /// with the transitions that it made.
    pub(super) fn add(&self, transitions: &[Transition], rows: &[(Range<usize>, i64)], journal_row: Option<i64>) -> u64 {
        let ticket = {
            let mut waiting = self.lock();
            let mut next = 0;
            for (made, row) in rows {
                waiting.push(&transitions[next..made.start], None);
                if !waiting.push(&transitions[made.clone()], Some(*row)) {
                    waiting.lines.push_back(Line { transition: None, row: Some(*row) });
                }
                next = made.end;
            }
            waiting.push(&transitions[next..], None);
            waiting.journal_row = journal_row.or(waiting.journal_row);
            waiting.pushes += 1;
            waiting.pushes
        };
        self.0.bell.notify_one();
        ticket
    }

    /// Waits until a number is written; false when the store took longer than that. Nobody waits for a store that is away.
    pub(super) async fn written(&self, ticket: u64, limit: Duration) -> bool {
        if self.0.away.load(Ordering::Relaxed) {
            return true;
        }
        let mut written = self.0.written.subscribe();
        let done = written.wait_for(|number| *number >= ticket || self.0.away.load(Ordering::Relaxed));
        timeout(limit, done).await.is_ok()
    }

    /// The store does not answer in time: nobody waits for it until it does.
    pub(super) fn gone(&self) {
        self.0.away.store(true, Ordering::Relaxed);
    }

    /// Writes until `finish`, and then what still waits.
    pub(super) async fn run(self, store: Store, finish: CancellationToken) {
        let mut pause = RETRY.0;
        loop {
            let Some(chunk) = self.next() else {
                if finish.is_cancelled() {
                    return;
                }
                tokio::select! {
                    () = self.0.bell.notified() => {}
                    () = finish.cancelled() => {}
                }
                continue;
            };
            let clear = chunk.journal_row.is_some() && self.0.ahead.load(Ordering::Relaxed);
            let saving = store.save_rows(&chunk.transitions, &chunk.rows, chunk.journal_row, clear);
            let saved = timeout(SAVE_LIMIT, saving).await;
            let limit_ms = u64::try_from(SAVE_LIMIT.as_millis()).unwrap_or(u64::MAX);
            match saved.unwrap_or(Err(Error::Timeout { what: "save", limit_ms })) {
                Ok(()) => {
                    let ahead = !chunk.rows.is_empty() || (self.0.ahead.load(Ordering::Relaxed) && !clear);
                    self.0.ahead.store(ahead, Ordering::Relaxed);
                    self.saved(&chunk);
                    pause = RETRY.0;
                }
                Err(error) => {
                    self.refused(&error);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY.1);
                }
            }
            metrics::gauge!("qorgan_store_backlog").set(self.len() as f64);
        }
    }

    fn next(&self) -> Option<Chunk> {
        let waiting = self.lock();
        let of_one_row = |at: usize| waiting.lines[at].row.is_some() && waiting.lines[at].row == waiting.lines[at - 1].row;
        let mut lines = waiting.lines.len().min(CHUNK);
        while (1..waiting.lines.len()).contains(&lines) && of_one_row(lines) {
            lines += 1;
        }
        let all = lines == waiting.lines.len();
        let journal_row = waiting.journal_row.filter(|_| all);
        let mut transitions: Vec<Transition> = waiting.lines.iter().take(lines).filter_map(|line| line.transition.clone()).collect();
        let from_lines = transitions.len();
        if all {
            transitions.extend(waiting.evidence.values().cloned());
        }
        // Rows that the mark does not cover yet.
        let mut rows: Vec<i64> = waiting.lines.iter().take(lines).filter_map(|line| line.row).collect();
        rows.dedup();
        rows.retain(|row| journal_row.is_none_or(|mark| *row > mark));
        let ticket = all.then_some(waiting.pushes);
        let chunk = Chunk { lines, from_lines, transitions, rows, journal_row, ticket };
        (chunk.lines > 0 || !chunk.transitions.is_empty() || chunk.journal_row.is_some()).then_some(chunk)
    }

    fn saved(&self, chunk: &Chunk) {
        if self.0.away.swap(false, Ordering::Relaxed) {
            tracing::info!("the store takes alerts again");
        }
        let mut waiting = self.lock();
        waiting.lines.drain(..chunk.lines);
        for transition in chunk.transitions.iter().skip(chunk.from_lines) {
            let (id, version) = (transition.alert.id, transition.alert.version);
            if waiting.evidence.get(&id).is_some_and(|newest| newest.alert.version == version) {
                waiting.evidence.remove(&id);
            }
        }
        if waiting.journal_row == chunk.journal_row {
            waiting.journal_row = None;
        }
        drop(waiting);
        if let Some(ticket) = chunk.ticket {
            self.0.written.send_replace(ticket);
        }
    }

    fn refused(&self, error: &Error) {
        let first = !self.0.away.swap(true, Ordering::Relaxed);
        if first {
            let error = error as &dyn std::error::Error;
            tracing::error!(waiting = self.len(), error, "the store takes no alerts; they are shown and wait to be written");
        }
        // Wakes whoever waits: they look at `away`.
        self.0.written.send_modify(|_| {});
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Adds transitions, all of one journal row or of none; whether there was a line among them.
    fn push(&mut self, transitions: &[Transition], row: Option<i64>) -> bool {
        let before = self.lines.len();
        for transition in transitions {
            if transition.record.is_some() {
                self.lines.push_back(Line { transition: Some(transition.clone()), row });
            } else {
                self.evidence.insert(transition.alert.id, transition.clone());
            }
        }
        self.lines.len() > before
    }
}

struct Chunk {
    /// Lines of the backlog, and the transitions in them; those after are evidence.
    lines: usize,
    from_lines: usize,
    transitions: Vec<Transition>,
    /// Journal rows of these lines that the mark does not cover.
    rows: Vec<i64>,
    journal_row: Option<i64>,
    /// The push that is complete with this chunk.
    ticket: Option<u64>,
}
