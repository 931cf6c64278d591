//! What comes from the road: positions and answers of units, dangers that outside systems report.
//!
//! The MQTT door must not wait, so answers and dangers pass through bounded queues to one task. What is refused is
//! counted: a unit that answers an order that is not its own any more has done nothing wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use qorgan_alerts::engine::ActError;
use qorgan_domain::{
    Event, Role, UnitId,
    alert::{Action, Actor},
    hazard::Hazard,
    wire::{OrderReceiptV1, OrderStatus},
};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{App, Change};
use crate::{
    error::chain,
    units::{Fix, Moved, live_view},
};

/// Answers of units on their way.
const RECEIPTS: usize = 1_024;
/// Dangers on their way.
const HAZARDS: usize = 256;
/// A source may report this many dangers at once, and as many more every second.
const HAZARDS_PER_SECOND: f64 = 10.0;
/// Longest reason of a unit that is kept, in characters.
const MAX_REASON: usize = 500;

/// The way in. Clones share everything.
#[derive(Clone)]
pub(super) struct Field {
    receipts: mpsc::Sender<(UnitId, OrderReceiptV1)>,
    hazards: mpsc::Sender<Hazard>,
    sources: Arc<Mutex<BTreeMap<String, Bucket>>>,
}

/// Starts the task. It ends after `cancel`, when what it holds is done.
pub(super) fn start(app: &App, cancel: &CancellationToken) -> (Field, JoinHandle<()>) {
    let (receipts, mut receipt_queue) = mpsc::channel(RECEIPTS);
    let (hazards, mut hazard_queue) = mpsc::channel(HAZARDS);
    let now = Instant::now();
    let sources = app.config.hazard_sources.iter().map(|source| (source.id.to_string(), Bucket::full(now))).collect();
    let field = Field { receipts, hazards, sources: Arc::new(Mutex::new(sources)) };
    let (app, cancel) = (app.clone(), cancel.clone());
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                biased;
                Some((unit, receipt)) = receipt_queue.recv() => answer(&app, &unit, receipt).await,
                Some(hazard) = hazard_queue.recv() => {
                    // The engine has ended only when the hub does.
                    let _ = app.engine.tell(Event::Hazard(hazard)).await;
                }
                () = cancel.cancelled() => return,
            }
        }
    });
    (field, task)
}

impl Field {
    /// A unit's word about its order.
    pub(super) fn receipt(&self, unit: UnitId, receipt: OrderReceiptV1) -> bool {
        self.receipts.try_send((unit, receipt)).is_ok()
    }

    /// A danger that an outside system reports. Sources that are not configured, or that report too much, are not heard.
    pub(super) fn hazard(&self, hazard: Hazard) -> bool {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match sources.get_mut(&hazard.source) {
            None => Some("unknown_source"),
            Some(bucket) => (!bucket.take(Instant::now())).then_some("too_many"),
        };
        drop(sources);
        if let Some(reason) = refused {
            tracing::warn!(source = hazard.source, reason, "a reported danger was not taken");
            metrics::counter!("qorgan_hazards_refused_total", "reason" => reason).increment(1);
            return true;
        }
        self.hazards.try_send(hazard).is_ok()
    }
}

/// Takes a position from any door and tells the screens.
pub(crate) fn moved(app: &App, unit: &UnitId, fix: Fix) -> Moved {
    let at = fix.at;
    let moved = app.units.moved(unit, fix, app.clock.utc());
    if matches!(moved, Moved::Taken { .. }) {
        app.badge_positions(unit, at);
    }
    let refused = match moved {
        Moved::Taken { show: true } => {
            show(app, unit);
            return moved;
        }
        Moved::Taken { show: false } => return moved,
        Moved::Late => "late",
        Moved::Unknown => "unknown_unit",
    };
    metrics::counter!("qorgan_positions_refused_total", "reason" => refused).increment(1);
    moved
}

/// Tells the screens how a unit stands.
pub(super) fn show(app: &App, unit: &UnitId) {
    if let Some(configured) = app.config.units.iter().find(|u| u.id == *unit) {
        let view = live_view(configured, app.units.fix(unit), &app.engine.open_alerts(), app.clock.utc());
        app.ring.put(&format!("unit/{unit}"), Change::Unit(Arc::new(view)));
    }
}

async fn answer(app: &App, unit: &UnitId, receipt: OrderReceiptV1) {
    let reason = receipt.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()).unwrap_or("no reason given");
    let reason: String = reason.chars().take(MAX_REASON).collect();
    let action = match receipt.status {
        OrderStatus::Delivered => Action::Delivered,
        OrderStatus::Seen => Action::Seen,
        OrderStatus::Accepted => Action::Accept,
        OrderStatus::Declined => Action::Decline { reason: reason.clone() },
        OrderStatus::EnRoute => Action::EnRoute,
        OrderStatus::OnScene => Action::OnScene,
        OrderStatus::Done => Action::Done,
    };
    let (name, purpose) = (action.name(), matches!(action, Action::Decline { .. }).then_some(reason));
    // Ids of units and accounts have one alphabet.
    let Ok(user) = unit.as_str().parse() else { return };
    let actor = Actor::Person { user, role: Role::Patrol, unit: Some(unit.clone()) };
    let result = match app.engine.act(receipt.alert, action, actor).await {
        Ok(_) => {
            let (who, subject) = (format!("unit/{unit}"), format!("alert/{}", receipt.alert));
            if let Err(error) = app.audit(&who, Role::Patrol.as_str(), &format!("alert.{name}"), &subject, purpose.as_deref()).await {
                tracing::error!(%unit, error = chain(&error), "a unit's answer is taken but not in the audit log");
            }
            "taken"
        }
        Err(ActError::Refused(refusal, _)) => refusal.code(),
        Err(ActError::NotFound) => "not_found",
        Err(ActError::Store(error)) => {
            tracing::error!(%unit, error = chain(&error), "a unit's answer could not be taken");
            "store"
        }
    };
    metrics::counter!("qorgan_order_receipts_total", "result" => result).increment(1);
}

/// What a source may still report now.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { left: HAZARDS_PER_SECOND, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let since: Duration = now.saturating_duration_since(self.at);
        self.left = (self.left + since.as_secs_f64() * HAZARDS_PER_SECOND).min(HAZARDS_PER_SECOND);
        self.at = now;
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_floods_is_heard_ten_times_at_once_and_ten_times_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        assert_eq!((0..100).filter(|_| bucket.take(start)).count(), 10);
        let later = (0..1_000).filter(|ms| bucket.take(start + Duration::from_millis(*ms))).count();
        assert!((9..=10).contains(&later), "{later} within a second");
        assert!(bucket.take(start + Duration::from_secs(60)));
    }
}
