//! The loop: take what has come, apply it, write it, show it, answer.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, PoisonError},
    time::Duration,
};

use qorgan_domain::{
    Alarm, Clock, DeviceRef, Event,
    alert::{Action, Alert},
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    ActError, Answer, Applied, Command, Open, Parts, Press,
    writer::{Backlog, MAX_BACKLOG},
};
use crate::{Error, Fusion, Journal, Ring, Store, Transition, usual::Usual};

/// Presses, actions and counts of one round at most.
const ROUND: (usize, usize, usize) = (512, 64, 2_048);
/// Rows read from the journal at once.
const PAGE: u32 = 500;
/// The journal is looked at for presses that no door brought every so many ticks (seconds).
const SWEEP_TICKS: u32 = 5;
/// How long a journalled press waits for the store before it is shown: it is on disk already, and a sync of a busy disk may take long.
const SHOW_SOON: Duration = Duration::from_millis(8);
/// How long the screens wait for the store otherwise.
const SHOW_LIMIT: Duration = Duration::from_millis(750);
/// A disk that hangs must not keep alarms from the desks: rows that are not read in this time are read later.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(1);
/// How long what is left may take to be written at the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// What is usual at cameras is kept every so many ticks (seconds), so many cameras a tick: no press waits for it.
const KEEP_TICKS: u32 = 120;
const KEPT_AT_ONCE: usize = 100;

pub(super) struct Queues {
    pub(super) alarms: mpsc::Receiver<Press>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Receiver<Event>,
}

pub(super) struct Task<C> {
    fusion: Fusion,
    journal: Option<Journal>,
    clock: Arc<dyn Clock>,
    ring: Ring<C>,
    store: Store,
    show: Open,
    backlog: Backlog,
    /// Every journal row up to this one is applied.
    applied: i64,
    /// Rows above it that were applied while the journal could not be read.
    ahead: BTreeSet<i64>,
    /// Cameras whose usual numbers are still to be kept in this turn.
    keeping: Vec<DeviceRef>,
    round: Round,
}

/// What one round has made.
#[derive(Default)]
struct Round {
    transitions: Vec<Transition>,
    answers: Vec<(Answer, Arc<Alert>)>,
    /// Journal rows, each with the transitions that it made.
    rows: Vec<(Range<usize>, i64)>,
    journal_row: Option<i64>,
}

impl<C: From<Arc<Alert>> + Clone + Send + 'static> Task<C> {
    pub(super) fn new(parts: Parts<C>, show: Open) -> Self {
        let Parts { fusion, applied_row, store, journal, clock, ring } = parts;
        let (backlog, round) = (Backlog::new(!applied_row.ahead.is_empty()), Round::default());
        let Applied { up_to: applied, ahead } = applied_row;
        Self { fusion, journal, clock, ring, store, show, backlog, applied, ahead, keeping: Vec::new(), round }
    }

    pub(super) async fn run(mut self, mut queues: Queues, cancel: CancellationToken) {
        let finish = CancellationToken::new();
        // Ends the writer however this task ends.
        let _guard = finish.clone().drop_guard();
        let mut writer = tokio::spawn(self.backlog.clone().run(self.store.clone(), finish.clone()));
        self.sweep().await;
        self.settle().await;
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        // Presses from the journal itself come in the order of its rows; what a door brings of the same is a repeat then.
        let (mut fed, mut feed) = (Vec::new(), self.journal.as_ref().and_then(Journal::follow));
        let (mut presses, mut commands, mut events) = (Vec::new(), Vec::new(), Vec::new());
        while !cancel.is_cancelled() {
            // The queues live as long as some handle does; a closed one ends the task.
            let more = tokio::select! {
                biased;
                () = cancel.cancelled() => true,
                () = follow(&mut feed, &mut fed) => true,
                n = queues.alarms.recv_many(&mut presses, ROUND.0) => n > 0,
                n = queues.commands.recv_many(&mut commands, ROUND.1) => n > 0,
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    self.apply(&Event::Tick);
                    if ticks.is_multiple_of(SWEEP_TICKS) {
                        self.sweep().await;
                    }
                    self.keep_usual(ticks);
                    for (odd, n) in self.fusion.odd() {
                        metrics::counter!("qorgan_counts_odd_total", "what" => odd.as_str()).absolute(n);
                    }
                    true
                }
                n = queues.events.recv_many(&mut events, ROUND.2) => n > 0,
            };
            if !more {
                break;
            }
            // Whatever woke the task, nothing waits behind a busy queue.
            take(&mut queues.alarms, &mut presses, ROUND.0);
            take(&mut queues.commands, &mut commands, ROUND.1);
            take(&mut queues.events, &mut events, ROUND.2);
            // The journal speaks before the doors do: after this nothing that a door brought is missing before it.
            if let Some(feed) = &mut feed {
                take(feed, &mut fed, usize::MAX);
            }
            presses.splice(0..0, fed.drain(..).map(|(row, alarm)| Press { alarm, row: Some(row) }));
            self.work(&mut presses, &mut commands, &mut events).await;
        }
        take(&mut queues.alarms, &mut presses, usize::MAX);
        take(&mut queues.commands, &mut commands, usize::MAX);
        self.work(&mut presses, &mut commands, &mut Vec::new()).await;
        let positions = &self.fusion.rules().positions;
        let kept = |(camera, usual): (&DeviceRef, &Usual)| (camera.clone(), positions.get(camera).copied(), usual.to_bytes());
        let last: Vec<_> = self.fusion.usual().map(kept).collect();
        if !last.is_empty() && !matches!(timeout(FAREWELL, self.store.keep_usual(last, self.clock.utc())).await, Ok(Ok(()))) {
            tracing::warn!("stopped without keeping what was usual in the last minutes");
        }
        finish.cancel();
        if timeout(FAREWELL, &mut writer).await.is_err() {
            writer.abort();
            tracing::error!(lines = self.backlog.len(), "stopped with history that the store did not take");
        }
    }

    /// Keeps what is usual, a part of the cameras a tick, on a task of its own.
    fn keep_usual(&mut self, ticks: u32) {
        if ticks.is_multiple_of(KEEP_TICKS) && self.keeping.is_empty() {
            self.keeping = self.fusion.usual().map(|(camera, _)| camera.clone()).collect();
        }
        let from = self.keeping.len().saturating_sub(KEPT_AT_ONCE);
        let body = |camera: DeviceRef| {
            let bytes = self.fusion.usual_at(&camera)?.to_bytes();
            let place = self.fusion.rules().positions.get(&camera).copied();
            Some((camera, place, bytes))
        };
        let some: Vec<_> = self.keeping.drain(from..).filter_map(body).collect();
        if some.is_empty() {
            return;
        }
        let (store, now) = (self.store.clone(), self.clock.utc());
        tokio::spawn(async move {
            if let Err(error) = store.keep_usual(some, now).await {
                tracing::warn!(%error, "what is usual was not kept; the next turn tries again");
            }
        });
    }

    async fn work(&mut self, presses: &mut Vec<Press>, commands: &mut Vec<Command>, events: &mut Vec<Event>) {
        for Press { alarm, row } in presses.drain(..) {
            self.press(alarm, row).await;
        }
        for command in commands.drain(..) {
            self.command(command);
        }
        if self.backlog.len() > MAX_BACKLOG {
            let lost = events.drain(..).len();
            metrics::counter!("qorgan_events_dropped_total", "reason" => "store_away").increment(lost as u64);
        }
        for event in events.drain(..) {
            self.apply(&event);
        }
        self.settle().await;
    }

    async fn press(&mut self, alarm: Alarm, row: Option<i64>) {
        let Some(row) = row else {
            return self.apply(&Event::Alarm { alarm, stored: false });
        };
        if row > self.applied + 1 {
            // Rows before it are committed too; their doors are just slower.
            self.sweep().await;
        }
        if row <= self.applied || self.ahead.contains(&row) {
            return;
        }
        self.apply_row(alarm, row);
        self.ahead.insert(row);
        self.advance();
    }

    /// Applies presses of the journal that no door has brought.
    async fn sweep(&mut self) {
        let Some(journal) = self.journal.clone() else { return };
        loop {
            let rows = match timeout(JOURNAL_PATIENCE, journal.after(self.applied, PAGE)).await {
                Ok(Ok(rows)) => rows,
                Ok(Err(error)) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the alarm journal cannot be read");
                    return;
                }
                Err(_) => {
                    tracing::error!("the alarm journal does not answer; desks go on without it");
                    return;
                }
            };
            let Some((last, _)) = rows.last() else { return };
            let last = *last;
            for (row, alarm) in rows {
                if !self.ahead.remove(&row) {
                    self.apply_row(alarm, row);
                }
                self.applied = row;
            }
            self.applied = last;
            self.round.journal_row = Some(last);
        }
    }

    /// Moves the mark over rows that are applied without a hole.
    fn advance(&mut self) {
        while self.ahead.remove(&(self.applied + 1)) {
            self.applied += 1;
            self.round.journal_row = Some(self.applied);
        }
    }

    fn apply_row(&mut self, alarm: Alarm, row: i64) {
        let before = self.round.transitions.len();
        self.apply(&Event::Alarm { alarm, stored: true });
        self.round.rows.push((before..self.round.transitions.len(), row));
    }

    fn apply(&mut self, event: &Event) {
        let now = self.clock.utc();
        self.round.transitions.extend(self.fusion.apply(event, now));
    }

    fn command(&mut self, command: Command) {
        let now = self.clock.utc();
        let waiting = self.backlog.len();
        let (answer, result) = match command {
            Command::Rules(rules) => return self.fusion.set_rules(*rules),
            Command::ChangeRules(change) => {
                let mut rules = self.fusion.rules().clone();
                (change.0)(&mut rules);
                return self.fusion.set_rules(rules);
            }
            Command::AskRules(answer) => return drop(answer.send(self.fusion.rules().clone())),
            // A receipt may be missing where nothing is written; the next desk to show it says so again.
            Command::Shown { .. } if waiting > MAX_BACKLOG => return,
            Command::Shown { ids, actor } => {
                let fusion = &mut self.fusion;
                let noted = ids.into_iter().filter_map(|id| fusion.act(id, &Action::Shown, &actor, now)?.ok());
                return self.round.transitions.extend(noted);
            }
            Command::Act { answer, .. } | Command::Incident { answer, .. } if waiting > MAX_BACKLOG => {
                (answer, Err(ActError::Store(Error::Backlog(waiting))))
            }
            Command::Act { id, action, actor, answer } => {
                let result = match self.fusion.act(id, &action, &actor, now) {
                    None => Err(ActError::NotFound),
                    Some(Ok(transition)) => Ok(transition),
                    Some(Err(refusal)) => Err(ActError::Refused(refusal, self.fusion.alert(id).cloned().map(Box::new))),
                };
                (answer, result)
            }
            Command::Incident { site, position, text, actor, answer } => {
                let result = self.fusion.open_incident(site, position, &text, &actor, now);
                (answer, result.map_err(|refusal| ActError::Refused(refusal, None)))
            }
        };
        match result {
            Ok(transition) => {
                self.round.answers.push((answer, transition.alert.clone()));
                self.round.transitions.push(transition);
            }
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    /// One transaction, then the ring, then the answers.
    async fn settle(&mut self) {
        let Round { transitions, answers, rows, journal_row } = std::mem::take(&mut self.round);
        let mut ticket = None;
        if !transitions.is_empty() || !rows.is_empty() || journal_row.is_some() {
            let number = self.backlog.add(&transitions, &rows, journal_row);
            let stored = !rows.is_empty();
            if !self.backlog.written(number, if stored { SHOW_SOON } else { SHOW_LIMIT }).await {
                if stored {
                    ticket = Some(number);
                } else {
                    self.backlog.gone();
                }
            }
        }
        if !transitions.is_empty() {
            for (kind, n) in self.fusion.open_by_kind() {
                metrics::gauge!("qorgan_alerts_open", "kind" => kind).set(n as f64);
            }
            let mut open = self.show.0.write().unwrap_or_else(PoisonError::into_inner);
            for alert in transitions.iter().map(|transition| &transition.alert) {
                if alert.is_open() {
                    open.insert(alert.id, alert.clone());
                } else {
                    open.remove(&alert.id);
                }
            }
            drop(open);
            self.ring.push(transitions.into_iter().map(|transition| C::from(transition.alert)));
        }
        if answers.is_empty() {
            return;
        }
        let backlog = self.backlog.clone();
        let answer = async move {
            if let Some(number) = ticket
                && !backlog.written(number, SHOW_LIMIT).await
            {
                backlog.gone();
            }
            for (answer, alert) in answers {
                let _ = answer.send(Ok(Arc::unwrap_or_clone(alert)));
            }
        };
        if ticket.is_some() {
            // The next press does not wait for this one's line.
            tokio::spawn(answer);
        } else {
            answer.await;
        }
    }
}

/// Waits for presses that the journal has stored; for ever where there is none.
async fn follow(feed: &mut Option<mpsc::Receiver<(i64, Alarm)>>, into: &mut Vec<(i64, Alarm)>) {
    if let Some(open) = feed
        && open.recv_many(into, ROUND.0).await > 0
    {
        return;
    }
    *feed = None;
    std::future::pending::<()>().await;
}

fn take<T>(queue: &mut mpsc::Receiver<T>, into: &mut Vec<T>, limit: usize) {
    while into.len() < limit {
        let Ok(item) = queue.try_recv() else { return };
        into.push(item);
    }
}
