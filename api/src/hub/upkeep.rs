//! What the hub does by the clock: ticks for fusion, retention, the hourly head of the audit log, and the
//! retained alert topics.

use std::{sync::Arc, time::Duration};

use qorgan_alerts::store::Retention;
use qorgan_domain::{Event, topic::Topic};
use qorgan_ingest::mqtt::{Mqtt, Qos};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{App, Change};
use crate::{error::chain, view::AlertView};

/// Lets silence and persistence have their effect.
const TICK: Duration = Duration::from_secs(1);
/// Roll-ups of counts, ended sessions.
const MAINTAIN: Duration = Duration::from_secs(60);
/// The head of the audit log is written to the log of the process, which goes elsewhere than the database.
const AUDIT_HEAD: Duration = Duration::from_secs(3600);

/// Messages that receivers took are kept this long.
const OUTBOX_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Runs until cancelled.
pub(super) async fn upkeep(app: App, cancel: CancellationToken) {
    let every = |period| {
        let mut interval = tokio::time::interval(period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval
    };
    let (mut tick, mut maintain, mut head) = (every(TICK), every(MAINTAIN), every(AUDIT_HEAD));
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {
                app.engine.event(Event::Tick);
            }
            _ = maintain.tick() => {
                let done = async {
                    app.sessions.purge().await;
                    app.metrics.run_upkeep();
                    app.store.expire_contacts(app.clock.utc()).await?;
                    app.store.purge_outbox(app.clock.utc() - OUTBOX_KEPT).await?;
                    app.store.maintain(app.clock.utc(), &Retention::default()).await
                };
                if let Err(error) = done.await {
                    tracing::warn!(error = chain(&error), "upkeep of the store failed; it is tried again in a minute");
                }
            }
            _ = head.tick() => match app.store.audit(None, 1).await {
                Ok(lines) => {
                    if let Some(head) = lines.first() {
                        tracing::info!(entries = head.seq, hash = head.hash, "audit log head");
                    }
                }
                Err(error) => tracing::warn!(error = chain(&error), "the audit log did not answer"),
            }
        }
    }
}

/// Keeps `qorgan/v1/alert/{id}` retained while an alert is open, and clears it when it is closed.
pub(super) async fn alert_topics(app: App, mqtt: Arc<Mqtt>, cancel: CancellationToken) {
    let mut cursor = app.ring.cursor();
    for alert in &app.engine.open_alerts() {
        publish(&mqtt, alert).await;
    }
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = app.ring.changed(&cursor) => {}
        }
        match app.ring.since(&cursor, 256) {
            Ok((changes, next)) => {
                cursor = next;
                for change in &changes {
                    if let Change::Alert(alert) = change {
                        publish(&mqtt, alert).await;
                    }
                }
            }
            Err(_) => {
                cursor = app.ring.cursor();
                for alert in &app.engine.open_alerts() {
                    publish(&mqtt, alert).await;
                }
            }
        }
    }
}

async fn publish(mqtt: &Mqtt, alert: &qorgan_domain::alert::Alert) {
    let payload = match alert.is_open() {
        true => serde_json::to_vec(&AlertView::without_actions(alert)).unwrap_or_default(),
        false => Vec::new(),
    };
    if let Err(error) = mqtt.publish(&Topic::Alert(alert.id), payload, Qos::AtLeastOnce, true).await {
        tracing::warn!(alert = %alert.id, error = chain(&error), "the alert topic could not be published");
    }
}
