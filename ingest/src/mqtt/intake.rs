//! What happens to a message after it was judged, the same on every road: events are handed over,
//! alarms are committed and receipted.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use qorgan_domain::{
    Alarm,
    topic::{Channel, Principal, Topic},
    wire::ReceiptV1,
};
use tokio::sync::Semaphore;

use super::{DoorEvent, Doors, Judged, NotStored, Refusal, StoredAlarm, judge, refusals::Refusals};

/// How long a sender is kept waiting for the alarm journal.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Alarms that may wait for the journal at once.
const MAX_COMMITS: usize = 8192;

/// Sends a receipt: topic and payload.
pub(crate) type SendReceipt = Box<dyn FnOnce(String, Vec<u8>) -> BoxFuture<'static, ()> + Send>;

pub(crate) struct Intake {
    pub(crate) doors: Arc<Doors>,
    pub(crate) refusals: Refusals,
    commits: Arc<Semaphore>,
}

impl Intake {
    pub(crate) fn new(doors: Arc<Doors>) -> Arc<Self> {
        describe();
        Arc::new(Self { doors, refusals: Refusals::default(), commits: Arc::new(Semaphore::new(MAX_COMMITS)) })
    }

    /// Judges a message and counts the refusal, if it is one. `client` names the sender in the log.
    pub(crate) fn judge(&self, client: &str, principal: &Principal, topic: &str, payload: &[u8]) -> Result<Judged, Refusal> {
        judge(topic, payload, principal, self.doors.clock.utc(), &self.doors).inspect_err(|refusal| self.refusals.note(client, refusal))
    }

    /// Hands a message over; a full queue is counted, not waited for.
    pub(crate) fn take(&self, event: DoorEvent) {
        let channel = event.channel();
        metrics::counter!("qorgan_mqtt_messages_total", "channel" => channel).increment(1);
        if !(self.doors.event)(event) {
            metrics::counter!("qorgan_mqtt_dropped_total", "channel" => channel).increment(1);
        }
    }

    /// Commits an alarm, then sends its receipt, then returns. The commit runs in a task of its own: a
    /// sender that is gone, or that waited [`COMMIT_TIMEOUT`] in vain, does not cut it short, and a late
    /// success still gets its receipt.
    pub(crate) async fn commit(&self, alarm: Alarm, unknown_fields: &[String], send: SendReceipt) -> Result<StoredAlarm, NotStored> {
        metrics::counter!("qorgan_mqtt_messages_total", "channel" => "alarm").increment(1);
        if !unknown_fields.is_empty() {
            metrics::counter!("qorgan_mqtt_alarm_unknown_fields_total").increment(unknown_fields.len() as u64);
        }
        let device = alarm.device.clone();
        let outcome = match self.commits.clone().try_acquire_owned() {
            Err(_) => Err(NotStored::Busy),
            Ok(permit) => {
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
            tracing::error!(%device, "alarm not stored, no receipt: {reason}");
        }
        outcome
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
    metrics::describe_gauge!("qorgan_mqtt_connected", "1 while messages flow");
}
