//! The one judgement of an incoming message, the same for the embedded broker, an external one and
//! the hub's own counts. Pure: time and knowledge come in.

use std::fmt;

use qorgan_domain::{
    Alarm, DeviceRef, UtcMs,
    topic::{Channel, Principal, Topic, TopicError, UnitChannel},
    wire::{AlarmV1, CountV1, HazardV1, HealthV1, IndicatorV1, OrderReceiptV1, PositionV1, Reject, SegmentV1, SensorV1},
};

use super::{DoorEvent, Doors, foreign::NoCount};
use crate::quiet::printable;

/// A message that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// A press; to be committed before anybody hears that it arrived.
    Alarm {
        /// The press.
        alarm: Alarm,
        /// Fields of the payload that this hub does not know.
        unknown_fields: Vec<String>,
    },
    /// Anything that needs no receipt.
    Event(DoorEvent),
}

/// Why a message was refused, and on which topic.
#[derive(Debug, thiserror::Error)]
pub struct Refusal {
    /// The topic as it may be shown: no control characters, at most 120 characters.
    pub topic: String,
    /// Whether it was meant to be an alarm. Such a refusal is never acknowledged as if it had been heard.
    pub alarm: bool,
    /// Why.
    #[source]
    pub cause: Cause,
}
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MQTT message on \"{}\" refused", self.topic)
    }
}

/// Why a message was refused.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The topic is none of the hub's.
    #[error("no topic of the hub")]
    Topic(#[from] TopicError),
    /// The sender may not write there.
    #[error("{0} has no right to it")]
    NoRight(Principal),
    /// Only the hub speaks on this topic.
    #[error("only the hub writes it")]
    HubOnly,
    /// The device is not configured.
    #[error("device {0} is not configured")]
    UnknownDevice(DeviceRef),
    /// The payload.
    #[error("bad payload")]
    Payload(#[from] Reject),
    /// The payload of another system that counts.
    #[error("no count for camera {0}")]
    Foreign(DeviceRef, #[source] NoCount),
    /// A last will that is no health message.
    #[error("a last will must be the device's own health message")]
    WillNotHealth,
    /// A message kept by an external broker from before; only health is read that way.
    #[error("a retained message is old news")]
    Retained,
    /// A filter that the sender may not read.
    #[error("{0} may not read it")]
    Filter(Principal),
}

impl Cause {
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Cause::Topic(_) => "bad_topic",
            Cause::NoRight(_) => "no_right",
            Cause::HubOnly => "hub_only",
            Cause::UnknownDevice(_) => "unknown_device",
            Cause::Payload(reject) => reject.code(),
            Cause::Foreign(_, no_count) => no_count.code(),
            Cause::WillNotHealth => "will_not_health",
            Cause::Retained => "retained",
            Cause::Filter(_) => "no_right_to_read",
        }
    }
}

impl Refusal {
    /// A refusal that names its topic so that it can be logged.
    pub fn new(topic: &str, cause: Cause) -> Self {
        Self { topic: printable(topic, 120), alarm: topic.ends_with("/alarm"), cause }
    }
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        self.cause.code()
    }
}

/// Reads a message from `principal`. `now` is the hub's time; of `doors` only `known_device` is asked.
pub fn judge(topic: &str, payload: &[u8], principal: &Principal, now: UtcMs, doors: &Doors) -> Result<Judged, Refusal> {
    read(topic, payload, principal, now, doors).map_err(|cause| Refusal::new(topic, cause))
}

fn read(topic: &str, payload: &[u8], principal: &Principal, now: UtcMs, doors: &Doors) -> Result<Judged, Cause> {
    // Another system's topics are none of the hub's; an external broker has checked who writes them.
    if let Some(source) = doors.foreign.iter().find(|source| source.topic.matches(topic)) {
        let may = match principal {
            Principal::Hub => true,
            Principal::Foreign(user) => *user == source.user,
            _ => false,
        };
        return match may {
            true => {
                let count = source.read(payload, now).map_err(|no_count| Cause::Foreign(source.device.clone(), no_count))?;
                Ok(Judged::Event(DoorEvent::Count(count)))
            }
            false => Err(Cause::NoRight(principal.clone())),
        };
    }
    if let Principal::Foreign(_) = principal {
        return Err(Cause::NoRight(principal.clone()));
    }
    let topic = Topic::parse(topic)?;
    if !principal.may_publish(&topic) {
        return Err(Cause::NoRight(principal.clone()));
    }
    let (device, channel) = match topic {
        Topic::Device(device, channel) => (device, channel),
        Topic::Unit(unit, UnitChannel::Position) => {
            let (position, at) = PositionV1::read(payload, now)?;
            return Ok(Judged::Event(DoorEvent::Position { unit, position, at }));
        }
        Topic::Unit(unit, UnitChannel::Receipt) => {
            return Ok(Judged::Event(DoorEvent::OrderReceipt { unit, receipt: OrderReceiptV1::read(payload)? }));
        }
        Topic::Hazard(source) => return Ok(Judged::Event(DoorEvent::Hazard(HazardV1::read(source.as_str(), payload, now)?))),
        Topic::Indicator(area) => {
            let from = match principal {
                Principal::Source(name) => Some(name),
                _ => None,
            };
            return Ok(Judged::Event(DoorEvent::Indicator(IndicatorV1::read(area, payload, from, now)?)));
        }
        Topic::Alert(_) | Topic::Unit(_, UnitChannel::Order) => return Err(Cause::HubOnly),
    };
    if !(doors.known_device)(&device) {
        return Err(Cause::UnknownDevice(device));
    }
    Ok(match channel {
        Channel::Alarm => {
            // At an external broker its own rules have checked who an edge box is.
            let edge = matches!(principal, Principal::Edge(_) | Principal::Hub);
            let (alarm, unknown_fields) = AlarmV1::read_from(device, payload, now, edge)?;
            Judged::Alarm { alarm, unknown_fields }
        }
        Channel::Count => Judged::Event(DoorEvent::Count(CountV1::read(device, payload, now)?)),
        Channel::Health => Judged::Event(DoorEvent::Health { device, health: HealthV1::read(payload)?, received_at: now, retained: false }),
        Channel::Sensor => Judged::Event(DoorEvent::Sensor { device, sensor: SensorV1::read(payload, now)? }),
        Channel::Segment => Judged::Event(DoorEvent::Segment(SegmentV1::read(device, payload, now)?)),
        Channel::Receipt => return Err(Cause::HubOnly),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mqtt::foreign::{Format, Source};
    use qorgan_domain::SystemClock;

    const NOW: &str = "2026-11-21T10:00:00.000Z";

    fn doors() -> Doors {
        Doors {
            authenticate: Box::new(|_, _| None),
            known_device: Box::new(|device| device.device.as_str() != "stranger"),
            commit_alarm: Box::new(|_| unreachable!("judging commits nothing")),
            event: Box::new(|_| unreachable!("judging hands nothing over")),
            foreign: vec![Source {
                topic: "frigate/yard/person".parse().unwrap(),
                format: Format::Frigate,
                device: "school-17/yard".parse().unwrap(),
                user: "nvr".parse().unwrap(),
                holds_s: 300,
            }],
            clock: Arc::new(SystemClock),
        }
    }
    fn code(user: &str, topic: &str, payload: &str) -> &'static str {
        match judge(topic, payload.as_bytes(), &Principal::parse(user).unwrap(), NOW.parse().unwrap(), &doors()) {
            Ok(_) => "ok",
            Err(refusal) => refusal.code(),
        }
    }

    #[test]
    fn every_refusal_has_its_own_code() {
        let count = "qorgan/v1/school-17/yard/count";
        let good = r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5}"#;
        for (user, topic, payload, expected) in [
            ("school-17/yard", count, good, "ok"),
            ("edge/school-17", count, good, "ok"),
            ("hub", count, good, "ok"),
            ("school-17/yard", "other/topic", good, "bad_topic"),
            ("school-17/yard", "qorgan/v1/school-17/yard/colour", good, "bad_topic"),
            ("school-18/yard", count, good, "no_right"),
            ("edge/school-18", count, good, "no_right"),
            ("desk/aigerim", count, good, "no_right"),
            ("school-17/yard", "qorgan/v1/school-17/yard/alarm/receipt", good, "no_right"),
            ("hub", "qorgan/v1/school-17/yard/alarm/receipt", good, "hub_only"),
            ("hub", "qorgan/v1/alert/12", good, "hub_only"),
            ("edge/school-17", "qorgan/v1/school-17/stranger/count", good, "unknown_device"),
            ("school-17/yard", count, "hello", "not_json"),
            ("school-17/yard", count, r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"plate":"A1"}"#, "bad_shape"),
            ("school-17/yard", count, r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":-1}"#, "out_of_range"),
            ("school-17/yard", count, r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":1e9}"#, "out_of_range"),
            ("school-17/yard", count, r#"{"v":1,"at":"2026-11-21T11:00:00Z","people":1}"#, "future"),
        ] {
            assert_eq!(code(user, topic, payload), expected, "{user} {topic} {payload}");
        }
        assert_eq!(code("school-17/yard", &"a/".repeat(8000), good), "bad_topic");
        assert_eq!(code("school-17/yard", count, &format!("\"{}\"", "x".repeat(20_000))), "too_large");
    }

    #[test]
    fn another_system_writes_the_topics_it_was_given_and_no_others() {
        for (user, topic, payload, expected) in [
            ("foreign/nvr", "frigate/yard/person", "3", "ok"),
            ("hub", "frigate/yard/person", "3", "ok"),
            ("foreign/nvr", "frigate/yard/person", "three", "not_json"),
            ("foreign/nvr", "frigate/gate/person", "3", "no_right"),
            ("foreign/other", "frigate/yard/person", "3", "no_right"),
            ("school-17/yard", "frigate/yard/person", "3", "no_right"),
            ("foreign/nvr", "qorgan/v1/school-17/yard/count", r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5}"#, "no_right"),
            ("foreign/nvr", "qorgan/v1/school-17/yard/alarm", "{}", "no_right"),
        ] {
            assert_eq!(code(user, topic, payload), expected, "{user} {topic} {payload}");
        }
        assert!(!Principal::parse("foreign/nvr").unwrap().may_subscribe("frigate/yard/person"));
    }

    #[test]
    fn a_value_of_an_indicator_comes_from_its_source_only() {
        let topic = "qorgan/v1/area/311000000/indicator";
        let good = r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5,"cases":120}"#;
        let named = r#"{"v":1,"indicator":"roads","period":"2026-10","value":12.5,"cases":120,"source":"stat"}"#;
        for (user, payload, expected) in [
            ("source/stat", good, "ok"),
            ("hub", named, "ok"),
            ("hub", good, "bad_source"),
            ("source/other", named, "bad_source"),
            ("school-17/yard", good, "no_right"),
            ("edge/school-17", good, "no_right"),
        ] {
            assert_eq!(code(user, topic, payload), expected, "{user} {payload}");
        }
    }

    #[test]
    fn a_refusal_shows_no_control_characters_and_no_long_topic() {
        let refusal = Refusal::new(&format!("a\nb{}", "x".repeat(1000)), Cause::HubOnly);
        assert!(refusal.topic.starts_with("a\\nb") && refusal.topic.chars().count() < 130);
    }

    #[test]
    fn an_alarm_refusal_is_marked_as_one() {
        assert!(Refusal::new("qorgan/v1/s/d/alarm", Cause::HubOnly).alarm);
        assert!(!Refusal::new("qorgan/v1/s/d/count", Cause::HubOnly).alarm);
    }
}
