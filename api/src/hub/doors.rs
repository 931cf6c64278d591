//! What the doors (MQTT, DC-09) hand over, and where it goes.
//!
//! An alarm goes to the journal first; only then does its receipt leave. If the journal cannot be written
//! the desks see the alarm all the same, marked "not stored", and no receipt leaves.
//! A count goes to the live picture, to fusion and, in batches, to the store.

use std::{collections::HashSet, sync::Arc, time::Duration};

use qorgan_alerts::Store;
use qorgan_domain::{Alarm, Count, CountSource, DeviceRef, Event, topic::Principal};
use qorgan_ingest::mqtt::{DoorEvent, Doors, NotStored, StoredAlarm};
use tokio::{sync::mpsc, task::JoinHandle, time::MissedTickBehavior};

use super::{
    App,
    field::{self, Field},
};
use crate::{error::chain, secrets::DevicePasswords, units::Fix};

/// Counts that may wait for the store; over that they are dropped and counted.
const COUNT_QUEUE: usize = 20_000;
/// At most this much of the counts may be lost in a crash.
const COUNT_FLUSH: Duration = Duration::from_millis(500);
/// When the journal takes longer than this, desks see the alarm before it is stored, marked so.
const DESKS_FIRST: Duration = Duration::from_millis(1_000);
/// Rows of one insert.
const COUNT_BATCH: usize = 500;

/// The functions behind the MQTT door.
pub(super) fn doors(app: &App, passwords: DevicePasswords, counts: mpsc::Sender<Count>, field: Field) -> Doors {
    let boxes = app.config.sites.iter().map(|site| qorgan_ingest::mqtt::edge::own_device(&site.id));
    let devices: Arc<HashSet<DeviceRef>> = Arc::new(app.config.devices().cloned().chain(boxes).collect());
    let (for_alarms, for_events, for_devices) = (app.clone(), app.clone(), app.clone());
    Doors {
        authenticate: Box::new(move |user, password| {
            let principal = Principal::parse(user)?;
            passwords.matches(user, password).then_some(principal)
        }),
        known_device: Box::new(move |device| devices.contains(device) || for_devices.cameras.contains(device)),
        commit_alarm: Box::new(move |alarm| {
            let app = for_alarms.clone();
            Box::pin(async move { commit(&app, alarm).await })
        }),
        event: Box::new(move |event| take(&for_events, &counts, &field, event)),
        foreign: app.config.foreign.clone(),
        clock: app.clock.clone(),
    }
}

/// Every door's way in: journal, then desks; the receipt may leave when this has returned `Ok`.
pub(crate) async fn commit(app: &App, alarm: Alarm) -> Result<StoredAlarm, NotStored> {
    // An edge box may bring it later: then it lived when the box heard it.
    app.alive(&alarm.device, alarm.heard_at.unwrap_or(alarm.received_at));
    let device = alarm.device.clone();
    let mut commit = std::pin::pin!(app.journal.commit(alarm.clone()));
    let stored = match tokio::time::timeout(DESKS_FIRST, &mut commit).await {
        Ok(stored) => stored,
        Err(_) => {
            tracing::error!(%device, "the alarm journal does not answer; desks see the alarm, its receipt waits");
            let _ = app.engine.alarm(alarm.clone(), None, false).await;
            commit.await
        }
    };
    match stored {
        Ok(stored) => {
            // Should the engine have ended, it reads the row from the journal at the next start.
            let _ = app.engine.alarm(alarm, Some(stored.row), stored.repeat).await;
            Ok(StoredAlarm { journal: stored.row, stored_at: stored.stored_at, repeat: stored.repeat })
        }
        Err(error) => {
            tracing::error!(%device, error = chain(&error), "an alarm could not be stored; desks see it, no receipt leaves");
            let _ = app.engine.alarm(alarm, None, false).await;
            Err(NotStored::Journal(chain(&error)))
        }
    }
}

/// Takes a message that needs no receipt; `false` when there is no room.
fn take(app: &App, counts: &mpsc::Sender<Count>, field: &Field, event: DoorEvent) -> bool {
    match event {
        DoorEvent::Count(count) => {
            app.alive(&count.camera, app.clock.utc());
            let own = matches!(count.source, CountSource::Model(_));
            if own && app.cameras.counts_itself(&count.camera, app.clock.utc()) {
                metrics::counter!("qorgan_own_counts_left_out_total").increment(1);
                return true;
            }
            if let Some(view) = app.cameras.counted(&count, app.clock.utc()) {
                app.show_camera(view);
            }
            if counts.try_send(count.clone()).is_err() {
                metrics::counter!("qorgan_counts_not_stored_total").increment(1);
            }
            app.engine.event(Event::Count(count))
        }
        DoorEvent::Health { device, health, received_at, retained } => {
            app.health(&device, &health, received_at, retained);
            tracing::debug!(%device, state = ?health.state, battery = ?health.battery_percent, "device health");
            true
        }
        DoorEvent::Position { unit, position, at } => {
            field::moved(app, &unit, Fix { position, at });
            true
        }
        DoorEvent::OrderReceipt { unit, receipt } => field.receipt(unit, receipt),
        DoorEvent::Hazard(hazard) => field.hazard(hazard),
        DoorEvent::Indicator(word) => app.intake.heard(word),
        DoorEvent::Sign(sign) => {
            app.sign(&sign);
            true
        }
        DoorEvent::Segment(segment) => {
            app.segment(&segment);
            true
        }
        DoorEvent::NotCounted { camera, reason } => {
            app.cameras.not_counted(&camera, reason, app.clock.utc());
            true
        }
        DoorEvent::Sensor { device, sensor } => {
            app.alive(&device, app.clock.utc());
            tracing::debug!(%device, kind = sensor.kind, value = sensor.value, unit = sensor.unit, "sensor");
            app.sensors.heard(&device, sensor);
            true
        }
    }
}

/// Writes counts in batches until the channel closes.
pub(super) fn count_writer(store: Store) -> (mpsc::Sender<Count>, JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::channel::<Count>(COUNT_QUEUE);
    let task = tokio::spawn(async move {
        let mut tick = tokio::time::interval(COUNT_FLUSH);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(COUNT_BATCH);
        loop {
            tick.tick().await;
            loop {
                let room = COUNT_BATCH - batch.len();
                while batch.len() < COUNT_BATCH
                    && let Ok(count) = receiver.try_recv()
                {
                    batch.push(count);
                }
                if batch.is_empty() {
                    break;
                }
                let full = batch.len() == COUNT_BATCH && room > 0;
                if let Err(error) = store.add_counts(&batch).await {
                    tracing::warn!(error = chain(&error), rows = batch.len(), "counts could not be stored");
                    metrics::counter!("qorgan_counts_not_stored_total").increment(batch.len() as u64);
                }
                batch.clear();
                if !full {
                    break;
                }
            }
            if receiver.is_closed() && receiver.is_empty() {
                return;
            }
        }
    });
    (sender, task)
}
