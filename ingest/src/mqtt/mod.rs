//! The MQTT door: alarms, counts, health and sensors come in, receipts and alerts go out.
//!
//! What belongs here: the embedded broker and the client of an external one, the one function that
//! judges a message ([`judge`]), and a button that presses over MQTT. What does not: what an alarm
//! means, where it is stored, who may log in. Those come in as [`Doors`].
//!
//! ```text
//! embedded (rmqtt hooks) ┐                    ┌ count, health, sensor -> Doors::event
//! external (rumqttc)     ├-> judge -> Judged -┤
//! the hub's own counts   ┘                    └ alarm -> Doors::commit_alarm -> receipt -> PUBACK
//! ```
//!
//! Try it against a running hub:
//! `mosquitto_pub -p 1883 -u school-17/gate -P ... -i school-17/gate -q 1 -t qorgan/v1/school-17/gate/alarm -m '{"v":1,"kind":"panic","seq":1}'`

mod backoff;
pub mod button;
mod client_ids;
mod doors;
pub mod edge;
pub mod embedded;
mod error;
pub mod external;
pub mod foreign;
mod hooks;
mod intake;
mod judge;
mod keep_alive;
mod refusals;
mod storage;
mod tls;

use bytes::Bytes;
use qorgan_domain::{Count, UtcMs, topic::Topic};

pub use doors::{Authenticate, CommitAlarm, DoorEvent, Doors, KnownDevice, NotStored, StoredAlarm, TakeEvent};
pub use error::Error;
pub use intake::{COMMIT_TIMEOUT, EDGE};
pub use judge::{Cause, Judged, Refusal, judge};

/// How often a message may arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// Once or not at all.
    AtMostOnce,
    /// At least once.
    AtLeastOnce,
}

/// Whether messages flow, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Messages flow.
    pub connected: bool,
    /// Since when this is so, by the hub's clock.
    pub since: UtcMs,
    /// Why not, if not.
    pub error: Option<String>,
}

/// The hub's MQTT side: its own broker, or a link to somebody else's.
pub enum Mqtt {
    /// The broker inside this process.
    Embedded(embedded::Broker),
    /// A link to another broker.
    External(external::Link),
}

impl Mqtt {
    /// Publishes on the hub's own word; nothing is judged. An empty payload with `retain` clears a retained message.
    pub async fn publish(&self, topic: &Topic, payload: impl Into<Bytes>, qos: Qos, retain: bool) -> Result<(), Error> {
        match self {
            Mqtt::Embedded(broker) => broker.publish(&topic.to_string(), payload.into(), qos, retain).await,
            Mqtt::External(link) => link.publish(&topic.to_string(), payload.into(), qos, retain),
        }
    }

    /// Publishes a count of the hub's own cameras: judged like a foreign one, handed to `Doors::event`,
    /// then sent to whoever subscribed. Fusion has it even when the external broker is away.
    pub async fn publish_count(&self, count: &Count) -> Result<(), Error> {
        match self {
            Mqtt::Embedded(broker) => broker.publish_count(count).await,
            Mqtt::External(link) => link.publish_count(count),
        }
    }

    /// Whether messages flow now.
    pub fn is_connected(&self) -> bool {
        self.state().connected
    }

    /// Whether messages flow, since when, and why not.
    pub fn state(&self) -> LinkState {
        match self {
            Mqtt::Embedded(broker) => broker.state(),
            Mqtt::External(link) => link.state(),
        }
    }

    /// Ends all connections. Messages that are being committed are waited for, at most [`COMMIT_TIMEOUT`].
    pub async fn stop(&self) {
        match self {
            Mqtt::Embedded(broker) => broker.stop().await,
            Mqtt::External(link) => link.stop().await,
        }
    }
}
