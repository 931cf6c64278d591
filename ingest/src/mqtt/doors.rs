//! What the MQTT side needs from the rest of the hub, injected as functions, and what it hands over.
//!
//! Ingest imports neither alerts nor the configuration: whoever wires the hub fills in [`Doors`].

use std::sync::Arc;

use futures::future::BoxFuture;
use qorgan_domain::{
    Alarm, Clock, Count, DeviceRef, GeoPoint, Sign, UnitId, UtcMs,
    badge::Segment,
    hazard::Hazard,
    topic::Principal,
    wire::{HealthV1, IndicatorWord, OrderReceiptV1, SensorV1},
};

use super::foreign::Source;

pub use crate::stored::{NotStored, StoredAlarm};

/// See [`Doors::authenticate`].
pub type Authenticate = Box<dyn Fn(&str, &[u8]) -> Option<Principal> + Send + Sync>;
/// See [`Doors::known_device`].
pub type KnownDevice = Box<dyn Fn(&DeviceRef) -> bool + Send + Sync>;
/// See [`Doors::commit_alarm`].
pub type CommitAlarm = Box<dyn Fn(Alarm) -> BoxFuture<'static, Result<StoredAlarm, NotStored>> + Send + Sync>;
/// See [`Doors::event`].
pub type TakeEvent = Box<dyn Fn(DoorEvent) -> bool + Send + Sync>;

/// The functions behind the MQTT door.
pub struct Doors {
    /// Who logs in with this user name and password, if anybody. Called for every connection, thousands
    /// of them after a power cut: it must be quick (microseconds, no argon2) and must not block.
    pub authenticate: Authenticate,
    /// Whether the device is configured. Messages of others are refused. Must not block.
    pub known_device: KnownDevice,
    /// Makes an alarm durable and shows it to the desks, also when it could not be stored. Runs to its
    /// end even when the door has stopped waiting. The same press may come again, from the device or from an
    /// external broker: the answer is then `repeat`, or another try when the first one failed.
    pub commit_alarm: CommitAlarm,
    /// Takes a count, health or sensor message. Must not block; `false` when there is no room (the loss is counted here).
    pub event: TakeEvent,
    /// Counts of other systems, by their own topics.
    pub foreign: Vec<Source>,
    /// The hub's clock.
    pub clock: Arc<dyn Clock>,
}

/// A message that needs no receipt.
#[derive(Debug, Clone, PartialEq)]
pub enum DoorEvent {
    /// People seen, by the hub's own camera or a foreign source.
    Count(Count),
    /// A device came or went.
    Health {
        /// Which.
        device: DeviceRef,
        /// What it said.
        health: HealthV1,
        /// When the hub heard it.
        received_at: UtcMs,
        /// An external broker kept it from before: it says how the device was, and is no proof of life.
        retained: bool,
    },
    /// A measurement.
    Sensor {
        /// Which device.
        device: DeviceRef,
        /// What it measured.
        sensor: SensorV1,
    },
    /// A unit says where it is.
    Position {
        /// Which unit.
        unit: UnitId,
        /// Where.
        position: GeoPoint,
        /// When it was there.
        at: UtcMs,
    },
    /// A unit's word about an order.
    OrderReceipt {
        /// Which unit.
        unit: UnitId,
        /// How far the order has come.
        receipt: OrderReceiptV1,
    },
    /// An outside system reports a danger.
    Hazard(Hazard),
    /// A program brings a value of an indicator.
    Indicator(IndicatorWord),
    /// A body-worn camera has finished a segment.
    Segment(Segment),
    /// Another system's message was no count.
    NotCounted {
        /// For which camera it was meant.
        camera: DeviceRef,
        /// Why not.
        reason: String,
    },
    /// A sign of life that is no message: a connection, a keep-alive, a broken connection.
    Sign(Sign),
}

impl DoorEvent {
    /// Label in metrics.
    pub fn channel(&self) -> &'static str {
        match self {
            DoorEvent::Count(_) => "count",
            DoorEvent::Health { .. } => "health",
            DoorEvent::Sensor { .. } => "sensor",
            DoorEvent::Position { .. } => "position",
            DoorEvent::OrderReceipt { .. } => "order_receipt",
            DoorEvent::Hazard(_) => "hazard",
            DoorEvent::Indicator(_) => "indicator",
            DoorEvent::Segment(_) => "segment",
            DoorEvent::NotCounted { .. } => "not_counted",
            DoorEvent::Sign(_) => "sign",
        }
    }
}
