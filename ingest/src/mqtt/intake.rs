//! What happens to a message after it was judged, the same on every road: events are handed over,
//! alarms are committed and receipted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use qorgan_domain::{
    Alarm, DeviceRef, Sign, SignKind,
    sign::FLOOD,
    topic::{Channel, Principal, Topic},
    wire::ReceiptV1,
};
use tokio::sync::Semaphore;

use crate::{
    limit::{PerDevice, Rate},
    quiet::printable,
};

use super::{Cause, DoorEvent, Doors, Judged, NotStored, Refusal, StoredAlarm, judge, refusals::Refusals};

/// How long a sender is kept waiting for the alarm journal.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Name of a site's edge box as a device; no other device may have it.
pub const EDGE: &str = "edge";

/// Alarms that may wait for the journal at once.
const MAX_COMMITS: usize = 8192;

/// Sends a receipt: topic and payload.
pub(crate) type SendReceipt = Box<dyn FnOnce(String, Vec<u8>) -> BoxFuture<'static, ()> + Send>;

pub(crate) struct Intake {
    pub(crate) doors: Arc<Doors>,
    pub(crate) refusals: Refusals,
    commits: Arc<Semaphore>,
    devices: PerDevice,
    edges: PerDevice,
}

impl Intake {
    pub(crate) fn new(doors: Arc<Doors>) -> Arc<Self> {
        describe();
        Arc::new(Self {
            doors,
            refusals: Refusals::default(),
            commits: Arc::new(Semaphore::new(MAX_COMMITS)),
            devices: PerDevice::new(Rate::DEVICE),
            edges: PerDevice::new(Rate::EDGE),
        })
    }

    /// Judges a message and counts the refusal, if it is one. `client` names the sender in the log.
    pub(crate) fn judge(&self, client: &str, principal: &Principal, topic: &str, payload: &[u8]) -> Result<Judged, Refusal> {
        judge(topic, payload, principal, self.doors.clock.utc(), &self.doors).inspect_err(|refusal| {
            self.refusals.note(client, refusal);
            if let Cause::Foreign(camera, no_count) = &refusal.cause {
                self.take(DoorEvent::NotCounted { camera: camera.clone(), reason: printable(&no_count.to_string(), 160) });
            }
        })
    }

    /// Hands a message over; a full queue is counted, not waited for.
    pub(crate) fn take(&self, event: DoorEvent) {
        let channel = event.channel();
        metrics::counter!("qorgan_mqtt_messages_total", "channel" => channel).increment(1);
        if !(self.doors.event)(event) {
            metrics::counter!("qorgan_mqtt_dropped_total", "channel" => channel).increment(1);
        }
    }

    /// The sender is alive, or gone.
    pub(crate) fn sign(&self, sender: &Principal, kind: SignKind) {
        if let Some(device) = device_of(sender) {
            self.take(DoorEvent::Sign(Sign { device, at: self.doors.clock.utc(), kind }));
        }
    }

    /// Waits until it is the sender's turn. An edge box has a limit of its own: it brings the alarms of a whole site.
    async fn turn(&self, sender: &Principal, device: &DeviceRef) -> Result<(), NotStored> {
        let (limit, of) = match sender {
            Principal::Edge(_) => (&self.edges, device_of(sender).unwrap_or_else(|| device.clone())),
            _ => (&self.devices, device.clone()),
        };
        let turn = limit.turn(&of, Instant::now());
        if matches!(&turn, Ok(turn) if turn.flood) || matches!(&turn, Err((_, true))) {
            tracing::warn!(device = %of, "sends more alarms than one device may; it is held back");
            let kind = SignKind::Fault { ok: false, code: FLOOD.to_owned() };
            self.take(DoorEvent::Sign(Sign { device: of, at: self.doors.clock.utc(), kind }));
        }
        let turn = turn.map_err(|(flood, _)| flood)?;
        if !turn.wait.is_zero() {
            metrics::counter!("qorgan_mqtt_alarms_delayed_total").increment(1);
            tokio::time::sleep(turn.wait).await;
        }
        drop(turn.place);
        Ok(())
    }

    /// Commits an alarm when it is its sender's turn, then sends its receipt, then returns. The commit runs in a task of its own: a
    /// sender that is gone, or that waited [`COMMIT_TIMEOUT`] in vain, does not cut it short, and a late
    /// success still gets its receipt.
    pub(crate) async fn commit(
        &self,
        sender: &Principal,
        alarm: Alarm,
        unknown_fields: &[String],
        send: SendReceipt,
    ) -> Result<StoredAlarm, NotStored> {
        metrics::counter!("qorgan_mqtt_messages_total", "channel" => "alarm").increment(1);
        if !unknown_fields.is_empty() {
            metrics::counter!("qorgan_mqtt_alarm_unknown_fields_total").increment(unknown_fields.len() as u64);
        }
        let device = alarm.device.clone();
        let outcome = match (self.turn(sender, &device).await, self.commits.clone().try_acquire_owned()) {
            (Err(flood), _) => Err(flood),
            (Ok(()), Err(_)) => Err(NotStored::Busy),
            (Ok(()), Ok(permit)) => {
                let doors = self.doors.clone();
                let commit = tokio::spawn(async move {
                    let stored = commit_and_receipt(&doors, alarm, send).await;
                    drop(permit);
                    stored
                });
                match tokio::time::timeout(COMMIT_TIMEOUT, commit).await {
                    Ok(Ok(stored)) => stored,
                    Ok(Err(panicked)) => Err(NotStored::Journal(panicked.to_string())),
                    Err(_) => Err(NotStored::Timeout),
                }
            }
        };
        if let Err(reason) = &outcome {
            metrics::counter!("qorgan_mqtt_alarm_not_stored_total", "reason" => reason.code()).increment(1);
            // A flood was said already, once in a while.
            if !matches!(reason, NotStored::Flood(_)) {
                tracing::error!(%device, "alarm not stored, no receipt: {reason}");
            }
        }
        outcome
    }
}

/// The device that a sender is: itself, or the edge box of its site.
fn device_of(sender: &Principal) -> Option<DeviceRef> {
    match sender {
        Principal::Device(device) => Some(device.clone()),
        Principal::Edge(site) => EDGE.parse().ok().map(|edge| DeviceRef::new(site.clone(), edge)),
        Principal::Unit(_) | Principal::Hazard(_) | Principal::Source(_) | Principal::Foreign(_) | Principal::Desk(_) | Principal::Hub => {
            None
        }
    }
}

async fn commit_and_receipt(doors: &Doors, alarm: Alarm, send: SendReceipt) -> Result<StoredAlarm, NotStored> {
    let key = alarm.key();
    let stored = (doors.commit_alarm)(alarm).await?;
    let receipt =
        ReceiptV1 { v: 1, seq: key.seq, boot: key.boot, journal: stored.journal, stored_at: stored.stored_at, repeat: stored.repeat };
    match serde_json::to_vec(&receipt) {
        Ok(payload) => send(Topic::Device(key.device, Channel::Receipt).to_string(), payload).await,
        Err(error) => tracing::error!("a receipt does not serialise: {error}"),
    }
    metrics::counter!("qorgan_mqtt_receipts_total", "repeat" => if stored.repeat { "true" } else { "false" }).increment(1);
    Ok(stored)
}

fn describe() {
    metrics::describe_counter!("qorgan_mqtt_messages_total", "MQTT messages that were judged good, by channel");
    metrics::describe_counter!("qorgan_mqtt_refused_total", "MQTT messages, wills and subscriptions that were refused, by reason");
    metrics::describe_counter!("qorgan_mqtt_dropped_total", "Good MQTT messages for which the hub had no room, by channel");
    metrics::describe_counter!("qorgan_mqtt_logins_refused_total", "MQTT connections that were refused, by reason");
    metrics::describe_counter!("qorgan_mqtt_alarm_not_stored_total", "Alarms that were not made durable in time, by reason");
    metrics::describe_counter!("qorgan_mqtt_alarm_unknown_fields_total", "Fields of alarms that this hub does not know");
    metrics::describe_counter!("qorgan_mqtt_receipts_total", "Receipts sent");
    metrics::describe_counter!("qorgan_mqtt_alarms_delayed_total", "Alarms that waited because their device sends too many");
    metrics::describe_gauge!("qorgan_mqtt_connected", "1 while messages flow");
}
