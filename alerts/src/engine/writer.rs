//! Transitions on their way to the store: in order, retried until they are written, never lost silently.

use std::{
    collections::{BTreeMap, VecDeque},
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
}

#[derive(Debug, Default)]
struct Waiting {
    pushes: u64,
    /// Lines of history, in order.
    lines: VecDeque<Transition>,
    /// Evidence without a line: only the newest of each alert matters.
    evidence: BTreeMap<AlertId, Transition>,
    /// Journal row that is applied once all of this is written.
    journal_row: Option<i64>,
}

impl Backlog {
    pub(super) fn new() -> Self {
        let (waiting, bell, away) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
        Self(Arc::new(Shared { waiting, bell, written: watch::channel(0).0, away }))
    }

    /// How many lines wait.
    pub(super) fn len(&self) -> usize {
        self.lock().lines.len()
    }

    /// Adds transitions; the number under which [`written`](Self::written) knows them.
    pub(super) fn add(&self, transitions: &[Transition], journal_row: Option<i64>) -> u64 {
        let ticket = {
            let mut waiting = self.lock();
            for transition in transitions {
                if transition.record.is_some() {
                    waiting.lines.push_back(transition.clone());
                } else {
                    waiting.evidence.insert(transition.alert.id, transition.clone());
                }
            }
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
            let saved = timeout(SAVE_LIMIT, store.save(&chunk.transitions, chunk.journal_row)).await;
            let limit_ms = u64::try_from(SAVE_LIMIT.as_millis()).unwrap_or(u64::MAX);
            match saved.unwrap_or(Err(Error::Timeout { what: "save", limit_ms })) {
                Ok(()) => {
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
        let lines = waiting.lines.len().min(CHUNK);
        let mut transitions: Vec<Transition> = waiting.lines.iter().take(lines).cloned().collect();
        let all = lines == waiting.lines.len();
        if all {
            transitions.extend(waiting.evidence.values().cloned());
        }
        let journal_row = waiting.journal_row.filter(|_| all);
        let chunk = Chunk { lines, transitions, journal_row, ticket: all.then_some(waiting.pushes) };
        (!chunk.transitions.is_empty() || chunk.journal_row.is_some()).then_some(chunk)
    }

    fn saved(&self, chunk: &Chunk) {
        if self.0.away.swap(false, Ordering::Relaxed) {
            tracing::info!("the store takes alerts again");
        }
        let mut waiting = self.lock();
        waiting.lines.drain(..chunk.lines);
        for transition in chunk.transitions.iter().skip(chunk.lines) {
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

struct Chunk {
    lines: usize,
    transitions: Vec<Transition>,
    journal_row: Option<i64>,
    /// The push that is complete with this chunk.
    ticket: Option<u64>,
}
