//! The one task that owns [`Fusion`]: apply, one store transaction, then the ring that feeds the screens.
//!
//! What belongs here: queues, order, and what happens while the store or the journal is away. What does not:
//! any judgement about alerts.
//!
//! - Alarms have their own queue and are never dropped; counts have a bounded one, and a loss is counted.
//! - Presses are applied in the order of the journal's rows. A row that no door brings (the door was cancelled
//!   after the commit, or the hub was killed) is read from the journal, so that a press with a receipt is always there, once.
//! - While the store is away, alerts reach the screens all the same and wait in order to be written.

mod task;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
};

use qorgan_domain::{
    Alarm, AlertId, Clock, DeviceRef, Event, GeoPoint, SiteId, UtcMs,
    alert::{Action, Actor, Alert},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Fusion, Journal, Refusal, Ring, Rules, Store,
    fusion::Formula,
    usual::{Usual, slots::Slots},
};

/// Presses on their way; over that, [`Engine::alarm`] waits.
const ALARMS: usize = 4_096;
/// Actions on their way; over that, [`Engine::act`] waits.
const COMMANDS: usize = 256;
/// Counts on their way; over that they are dropped and counted.
const EVENTS: usize = 8_192;

/// What the engine works with.
pub struct Parts<C> {
    /// As [`recover`] gives it.
    pub fusion: Fusion,
    /// The journal rows that the store has seen, as [`recover`] gives them.
    pub applied_row: Applied,
    /// Where alerts are written.
    pub store: Store,
    /// Where presses are safe first; none where alarms come without one.
    pub journal: Option<Journal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where changed alerts are shown.
    pub ring: Ring<C>,
}

/// Which rows of the journal the store has seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Every row up to this one.
    pub up_to: i64,
    /// Rows after it, where the hub was stopped in the middle of writing.
    pub ahead: BTreeSet<i64>,
}

/// The engine; clones speak to the same task.
#[derive(Debug, Clone)]
pub struct Engine {
    alarms: mpsc::Sender<Press>,
    commands: mpsc::Sender<Command>,
    events: mpsc::Sender<Event>,
    open: Open,
    store: Store,
}

/// Why an action did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The rules say no; the alert as it stands.
    #[error("{0}")]
    Refused(Refusal, Option<Box<Alert>>),
    /// There is no such alert.
    #[error("there is no such alert")]
    NotFound,
    /// The engine or the store cannot take it.
    #[error("the action cannot be taken now")]
    Store(#[source] Error),
}

#[derive(Debug)]
struct Press {
    alarm: Alarm,
    row: Option<i64>,
}

/// Open alerts as everybody may read them. Changed in place: thousands of open ones must not make a press dear.
#[derive(Debug, Clone, Default)]
struct Open(Arc<RwLock<BTreeMap<AlertId, Arc<Alert>>>>);

type Answer = oneshot::Sender<Result<Alert, ActError>>;

#[derive(Debug)]
enum Command {
    Act { id: AlertId, action: Action, actor: Actor, answer: Answer },
    Incident { site: Option<SiteId>, position: Option<GeoPoint>, text: String, actor: Actor, answer: Answer },
    Shown { ids: Vec<AlertId>, actor: Actor },
    Rules(Box<Rules>),
    ChangeRules(ChangeRules),
    AskRules(oneshot::Sender<Rules>),
}

/// A change of some rules, made where they live.
struct ChangeRules(Box<dyn FnOnce(&mut Rules) + Send>);

impl std::fmt::Debug for ChangeRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangeRules")
    }
}

/// Reads from the store what fusion goes on with after a start: open alerts, the next number, the applied journal
/// row, and what was usual at each camera.
pub async fn recover(store: &Store, journal: Option<&Journal>, rules: Rules, now: UtcMs) -> Result<(Fusion, Applied), Error> {
    let mut fusion = Fusion::new(rules, store.next_alert_id().await?, store.open_alerts().await?);
    let moved = restore_usual(store, &mut fusion, now).await?;
    teach(store, &mut fusion, &moved, now).await?;
    for aside in store.asides(now).await? {
        fusion.apply(&Event::Shelved(aside.camera, Some(aside.until)), now);
    }
    let Some(journal) = journal else { return Ok((fusion, Applied::default())) };
    let mut applied = store.applied_journal_row().await?;
    let newest = journal.newest().await?;
    if store.meta(JOURNAL_ID).await?.as_deref() != Some(journal.id()) {
        // Another file: the numbers of the old one say nothing about it.
        applied = 0;
        store.forget_applied_rows(0).await?;
        store.save(&[], Some(0)).await?;
        store.set_meta(JOURNAL_ID, journal.id()).await?;
    }
    // A journal that was put back from a backup gives its later numbers out again.
    store.forget_applied_rows(newest).await?;
    let up_to = applied.min(newest);
    let ahead = store.applied_rows_after(up_to).await?;
    let mut row = up_to.saturating_sub(HEARD);
    while row < up_to {
        let page = journal.after(row, 1_000).await?;
        let Some((last, _)) = page.last() else { break };
        row = *last;
        page.iter().filter(|(row, _)| *row <= up_to).for_each(|(_, alarm)| fusion.hear(alarm));
    }
    Ok((fusion, Applied { up_to, ahead }))
}

/// The last hours, for every camera whose week does not say what is usual now: the others are not judged by them.
async fn teach(store: &Store, fusion: &mut Fusion, moved: &BTreeSet<DeviceRef>, now: UtcMs) -> Result<(), Error> {
    let rules = fusion.rules();
    let since = UtcMs(now.0 - i64::from(rules.crowd.baseline_minutes) * 60_000);
    let local = |half: i64| rules.calendar.local(UtcMs(now.0 + half * 30 * 60_000));
    let ahead: Vec<usize> = (0..=HALVES_AHEAD).map(local).map(|at| Slots::index(at.day, at.minute)).collect();
    let known = |camera: &DeviceRef| rules.gathering.formula != Formula::V1 && fusion.knows(camera, &ahead);
    let cameras: Vec<DeviceRef> = rules.cameras.keys().filter(|camera| !moved.contains(*camera) && !known(camera)).cloned().collect();
    for minute in store.minute_peaks(&cameras, since).await? {
        // Counts are at most 100,000: nothing that matters is lost.
        fusion.teach(&minute.camera, minute.at, minute.people as f32);
    }
    Ok(())
}

/// What was usual at every camera; one that has nothing kept learns from its hours of the last eight weeks. Gives the cameras that stand
/// elsewhere now and begin anew.
async fn restore_usual(store: &Store, fusion: &mut Fusion, now: UtcMs) -> Result<BTreeSet<DeviceRef>, Error> {
    let mut moved = BTreeSet::new();
    if fusion.rules().gathering.formula == Formula::V1 {
        return Ok(moved);
    }
    for kept in store.usuals().await? {
        if !fusion.restore_usual_of(&kept.camera, kept.usual, kept.place) {
            moved.insert(kept.camera);
        }
    }
    let without: Vec<DeviceRef> = fusion.rules().cameras.keys().filter(|camera| fusion.usual_at(camera).is_none()).cloned().collect();
    for camera in without {
        let mut usual = Usual::default();
        let hours = store.hours_since(&camera, UtcMs(now.0 - LEARN_FROM_MS)).await?;
        for (at, people) in &hours {
            usual.learn_hour(fusion.rules().calendar.local(*at), *people as f32);
        }
        if !hours.is_empty() {
            fusion.restore_usual(&camera, usual);
        }
    }
    Ok(moved)
}

/// Half hours after a start for which the week must be known, so that the last hours need not be read: as long as they are remembered.
const HALVES_AHEAD: i64 = 12;

/// Eight weeks: as long as the week of a camera remembers.
const LEARN_FROM_MS: i64 = 8 * 7 * 86_400_000;

/// Presses before a start that fusion is told of.
const HEARD: i64 = 2_000;

const JOURNAL_ID: &str = "journal_id";

impl Engine {
    /// Starts the task. It ends after `cancel`, when what it holds is written or five seconds have passed.
    pub fn start<C>(parts: Parts<C>, cancel: CancellationToken) -> (Self, JoinHandle<()>)
    where
        C: From<Arc<Alert>> + Clone + Send + 'static,
    {
        let (alarms, alarm_queue) = mpsc::channel(ALARMS);
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        let (events, event_queue) = mpsc::channel(EVENTS);
        let open = Open::default();
        open.0.write().unwrap_or_else(PoisonError::into_inner).extend(parts.fusion.open_alerts().map(|alert| (alert.id, alert.clone())));
        let show = open.clone();
        let engine = Self { alarms, commands, events, open, store: parts.store.clone() };
        let queues = task::Queues { alarms: alarm_queue, commands: command_queue, events: event_queue };
        let task = tokio::spawn(task::Task::new(parts, show).run(queues, cancel));
        (engine, task)
    }

    /// Hands in a count or a tick without waiting; false when it was dropped (and counted). A press that comes this
    /// way goes to the alarms' queue.
    pub fn event(&self, event: Event) -> bool {
        let taken = match event {
            // Without a row: shown as it is, and found again in the journal by its row if it is stored there.
            Event::Alarm { alarm, .. } => self.alarms.try_send(Press { alarm, row: None }).is_ok(),
            event => self.events.try_send(event).is_ok(),
        };
        if !taken {
            metrics::counter!("qorgan_events_dropped_total", "reason" => "queue_full").increment(1);
        }
        taken
    }

    /// Hands in what must not be dropped (a trouble, a hazard, who attends, which drills are on); waits for room.
    pub async fn tell(&self, event: Event) -> Result<(), Error> {
        self.events.send(event).await.map_err(|_| STOPPED)
    }

    /// Hands in a press: `row` is its journal row, none when the journal could not be written (it is then shown
    /// as not stored). A repeat changes nothing. Waits for room, never drops.
    pub async fn alarm(&self, alarm: Alarm, row: Option<i64>, repeat: bool) -> Result<(), Error> {
        if repeat {
            metrics::counter!("qorgan_alarm_repeats_total").increment(1);
        }
        self.alarms.send(Press { alarm, row }).await.map_err(|_| STOPPED)
    }

    /// Takes a person's action; the alert as it is afterwards.
    pub async fn act(&self, id: AlertId, action: Action, actor: Actor) -> Result<Alert, ActError> {
        let (answer, result) = oneshot::channel();
        match self.ask(Command::Act { id, action, actor, answer }, result).await {
            // Closed alerts are not in memory any more.
            Err(ActError::NotFound) => match self.store.alert(id).await.map_err(ActError::Store)? {
                Some((alert, _)) => Err(ActError::Refused(Refusal::Closed, Some(Box::new(alert)))),
                None => Err(ActError::NotFound),
            },
            result => result,
        }
    }

    /// Opens an incident by hand.
    pub async fn open_incident(
        &self,
        site: Option<SiteId>,
        position: Option<GeoPoint>,
        text: String,
        actor: Actor,
    ) -> Result<Alert, ActError> {
        let (answer, result) = oneshot::channel();
        self.ask(Command::Incident { site, position, text, actor, answer }, result).await
    }

    /// Notes that these alerts are on a desk's screen, all in one round. Those that refuse (noted already, closed) are passed over.
    pub async fn shown(&self, ids: Vec<AlertId>, actor: Actor) -> Result<(), Error> {
        self.commands.send(Command::Shown { ids, actor }).await.map_err(|_| STOPPED)
    }

    /// New limits and times.
    pub async fn set_rules(&self, rules: Rules) -> Result<(), Error> {
        self.commands.send(Command::Rules(Box::new(rules))).await.map_err(|_| STOPPED)
    }

    /// Changes some rules and leaves the others as they are; cameras that were added while the hub runs stay.
    pub async fn change_rules(&self, change: impl FnOnce(&mut Rules) + Send + 'static) -> Result<(), Error> {
        self.commands.send(Command::ChangeRules(ChangeRules(Box::new(change)))).await.map_err(|_| STOPPED)
    }

    /// The rules as they are.
    pub async fn rules(&self) -> Result<Rules, Error> {
        let (answer, rules) = oneshot::channel();
        self.commands.send(Command::AskRules(answer)).await.map_err(|_| STOPPED)?;
        rules.await.map_err(|_| STOPPED)
    }

    /// Open alerts, oldest first. Take the ring's cursor before this, and nothing is missed in between.
    pub fn open_alerts(&self) -> Vec<Arc<Alert>> {
        self.open.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// One open alert.
    pub fn open_alert(&self, id: AlertId) -> Option<Arc<Alert>> {
        self.open.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    async fn ask(&self, command: Command, result: oneshot::Receiver<Result<Alert, ActError>>) -> Result<Alert, ActError> {
        self.commands.send(command).await.map_err(|_| ActError::Store(STOPPED))?;
        result.await.map_err(|_| ActError::Store(STOPPED))?
    }
}

const STOPPED: Error = Error::Stopped("alert engine");
