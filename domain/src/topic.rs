//! MQTT topics of the hub and who may use them.

use std::fmt;

use crate::{AlertId, AreaCode, DeviceId, DeviceRef, SiteId, UnitId, UserName, id::IdError};

/// First levels of every topic.
pub const PREFIX: &str = "qorgan/v1/";
/// Longest topic or filter that is looked at, in bytes.
pub const MAX_BYTES: usize = 1024;
/// Most levels of a topic or filter that is looked at. Deeper ones overflow the broker's stack.
pub const MAX_LEVELS: usize = 32;

/// What a device says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// People seen.
    Count,
    /// A press.
    Alarm,
    /// A measurement.
    Sensor,
    /// Online or offline; retained, with a last will.
    Health,
    /// A body-worn camera has finished a segment of its recording.
    Segment,
    /// The hub's word that an alarm is stored; only the hub writes it.
    Receipt,
}

impl Channel {
    fn suffix(self) -> &'static str {
        match self {
            Channel::Count => "count",
            Channel::Alarm => "alarm",
            Channel::Sensor => "sensor",
            Channel::Health => "health",
            Channel::Segment => "segment",
            Channel::Receipt => "alarm/receipt",
        }
    }
}

/// What is said about a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitChannel {
    /// Where it is; the unit writes it.
    Position,
    /// What it is to do; the hub writes it, retained while the order stands.
    Order,
    /// The unit's word that it has, has seen or accepts the order.
    Receipt,
}

impl UnitChannel {
    fn suffix(self) -> &'static str {
        match self {
            UnitChannel::Position => "position",
            UnitChannel::Order => "order",
            UnitChannel::Receipt => "order/receipt",
        }
    }
}

/// A topic of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `qorgan/v1/{site}/{device}/{channel}`
    Device(DeviceRef, Channel),
    /// `qorgan/v1/alert/{alert}`
    Alert(AlertId),
    /// `qorgan/v1/unit/{unit}/{channel}`
    Unit(UnitId, UnitChannel),
    /// `qorgan/v1/hazard/{source}`
    Hazard(DeviceId),
    /// `qorgan/v1/area/{kato}/indicator`
    Indicator(AreaCode),
}

/// Why a text is no topic of the hub.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Does not begin with `qorgan/v1/`.
    #[error("topic does not begin with {PREFIX}")]
    ForeignPrefix,
    /// Too long, too deep, empty, or with a NUL or wildcard in a name.
    #[error("topic is empty, over {MAX_BYTES} bytes or {MAX_LEVELS} levels, or holds NUL, + or #")]
    Malformed,
    /// The site or device is no id.
    #[error("topic names no device")]
    BadId(#[source] IdError),
    /// The last levels name no channel.
    #[error("topic ends in no known channel (count, alarm, sensor, health, segment)")]
    UnknownChannel,
}

/// Whether a topic name or filter is safe to look at; the first thing that is checked.
pub fn is_sane(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= MAX_BYTES && !topic.contains('\0') && topic.bytes().filter(|b| *b == b'/').count() < MAX_LEVELS
}

impl Topic {
    /// Reads a topic name (no wildcards).
    pub fn parse(topic: &str) -> Result<Self, TopicError> {
        if !is_sane(topic) || topic.contains(['+', '#']) {
            return Err(TopicError::Malformed);
        }
        let rest = topic.strip_prefix(PREFIX).ok_or(TopicError::ForeignPrefix)?;
        let mut levels = rest.splitn(3, '/');
        let (first, second, tail) = (levels.next().unwrap_or(""), levels.next().unwrap_or(""), levels.next());
        let Some(tail) = tail else {
            if first == "hazard" {
                return second.parse().map(Topic::Hazard).map_err(TopicError::BadId);
            }
            if first == "alert" {
                // One topic for one alert: neither `02` nor `+2` is alert 2.
                let number = second.parse().ok().filter(|id: &i64| id.to_string() == second);
                return number.map(|id| Topic::Alert(AlertId(id))).ok_or(TopicError::UnknownChannel);
            }
            return Err(TopicError::UnknownChannel);
        };
        if first == "unit" {
            let unit = second.parse().map_err(TopicError::BadId)?;
            let channels = [UnitChannel::Position, UnitChannel::Order, UnitChannel::Receipt];
            let channel = channels.into_iter().find(|c| c.suffix() == tail).ok_or(TopicError::UnknownChannel)?;
            return Ok(Topic::Unit(unit, channel));
        }
        if first == "area" {
            let area = second.parse().map_err(TopicError::BadId)?;
            return if tail == "indicator" { Ok(Topic::Indicator(area)) } else { Err(TopicError::UnknownChannel) };
        }
        if matches!(first, "alert" | "hazard") {
            return Err(TopicError::UnknownChannel);
        }
        let device = DeviceRef::new(first.parse().map_err(TopicError::BadId)?, second.parse().map_err(TopicError::BadId)?);
        let channel = [Channel::Count, Channel::Alarm, Channel::Sensor, Channel::Health, Channel::Segment, Channel::Receipt]
            .into_iter()
            .find(|c| c.suffix() == tail)
            .ok_or(TopicError::UnknownChannel)?;
        Ok(Topic::Device(device, channel))
    }
}
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Device(device, channel) => write!(f, "{PREFIX}{device}/{}", channel.suffix()),
            Topic::Alert(id) => write!(f, "{PREFIX}alert/{id}"),
            Topic::Unit(unit, channel) => write!(f, "{PREFIX}unit/{unit}/{}", channel.suffix()),
            Topic::Hazard(source) => write!(f, "{PREFIX}hazard/{source}"),
            Topic::Indicator(area) => write!(f, "{PREFIX}area/{area}/indicator"),
        }
    }
}

/// Who is at the other end of an MQTT connection, after log-in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// One device; MQTT user name `{site}/{device}`.
    Device(DeviceRef),
    /// An edge box that speaks for every device of its site; user name `edge/{site}`.
    Edge(SiteId),
    /// A unit's own device; user name `unit/{unit}`. Writes its position and receipts, reads its orders.
    Unit(UnitId),
    /// An outside system that reports dangers; user name `hazard/{source}`. Writes one topic, reads none.
    Hazard(DeviceId),
    /// A program that brings values of indicators; user name `source/{name}`. Writes the topics of areas, reads none.
    Source(DeviceId),
    /// Another system that counts and speaks in its own words; user name `foreign/{name}`. Writes the topics that the configuration gives
    /// it, which are none of the hub's, and reads none.
    Foreign(DeviceId),
    /// A desk program; user name `desk/{name}`. Reads, never writes.
    Desk(UserName),
    /// The hub itself, at an external broker.
    Hub,
}

impl Principal {
    /// Reads an MQTT user name. The password is somebody else's matter.
    pub fn parse(user: &str) -> Option<Self> {
        match user.split_once('/') {
            Some(("edge", site)) => site.parse().ok().map(Principal::Edge),
            Some(("unit", unit)) => unit.parse().ok().map(Principal::Unit),
            Some(("hazard", source)) => source.parse().ok().map(Principal::Hazard),
            Some(("source", name)) => name.parse().ok().map(Principal::Source),
            Some(("foreign", name)) => name.parse().ok().map(Principal::Foreign),
            Some(("desk", name)) => name.parse().ok().map(Principal::Desk),
            Some(_) => user.parse().ok().map(Principal::Device),
            None => (user == "hub").then_some(Principal::Hub),
        }
    }

    /// Whether it may write this topic: a device under its own name, an edge box under its site's.
    pub fn may_publish(&self, topic: &Topic) -> bool {
        match (self, topic) {
            (Principal::Hub, _) => true,
            (_, Topic::Device(_, Channel::Receipt) | Topic::Alert(_)) | (Principal::Desk(_), _) => false,
            (Principal::Device(own), Topic::Device(device, _)) => own == device,
            (Principal::Edge(site), Topic::Device(device, _)) => *site == device.site,
            (Principal::Unit(own), Topic::Unit(unit, UnitChannel::Position | UnitChannel::Receipt)) => own == unit,
            (Principal::Hazard(own), Topic::Hazard(source)) => own == source,
            (Principal::Source(_), Topic::Indicator(_)) => true,
            (
                Principal::Device(_)
                | Principal::Edge(_)
                | Principal::Unit(_)
                | Principal::Hazard(_)
                | Principal::Source(_)
                | Principal::Foreign(_),
                _,
            ) => false,
        }
    }

    /// Whether it may read this filter. Devices get no wildcards; an edge box one, for its own devices' receipts.
    pub fn may_subscribe(&self, filter: &str) -> bool {
        if !is_sane(filter) || filter.starts_with('$') {
            return false;
        }
        match self {
            Principal::Hub => true,
            Principal::Device(own) => filter == Topic::Device(own.clone(), Channel::Receipt).to_string(),
            Principal::Edge(site) => {
                filter == format!("{PREFIX}{site}/+/alarm/receipt")
                    || matches!(Topic::parse(filter), Ok(Topic::Device(d, Channel::Receipt)) if d.site == *site)
            }
            Principal::Unit(own) => filter == Topic::Unit(own.clone(), UnitChannel::Order).to_string(),
            Principal::Hazard(_) | Principal::Source(_) | Principal::Foreign(_) => false,
            Principal::Desk(_) => {
                filter == format!("{PREFIX}alert/+")
                    || filter == format!("{PREFIX}+/+/count")
                    || filter == format!("{PREFIX}+/+/health")
                    || matches!(Topic::parse(filter), Ok(Topic::Alert(_) | Topic::Device(_, Channel::Count | Channel::Health)))
            }
        }
    }
}
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::Device(device) => device.fmt(f),
            Principal::Edge(site) => write!(f, "edge/{site}"),
            Principal::Desk(name) => write!(f, "desk/{name}"),
            Principal::Unit(unit) => write!(f, "unit/{unit}"),
            Principal::Hazard(source) => write!(f, "hazard/{source}"),
            Principal::Source(name) => write!(f, "source/{name}"),
            Principal::Foreign(name) => write!(f, "foreign/{name}"),
            Principal::Hub => f.write_str("hub"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(text: &str) -> Principal {
        Principal::Device(text.parse().unwrap())
    }
    fn topic(text: &str) -> Topic {
        Topic::parse(text).unwrap()
    }

    #[test]
    fn topics_round_trip() {
        for text in [
            "qorgan/v1/school-17/yard/count",
            "qorgan/v1/school-17/gate/alarm",
            "qorgan/v1/s/d/alarm/receipt",
            "qorgan/v1/alert/12",
            "qorgan/v1/unit/patrol-2/position",
            "qorgan/v1/unit/patrol-2/order",
            "qorgan/v1/unit/patrol-2/order/receipt",
            "qorgan/v1/hazard/road",
            "qorgan/v1/area/311000000/indicator",
        ] {
            assert_eq!(topic(text).to_string(), text);
        }
    }

    #[test]
    fn deep_long_and_wild_topics_are_malformed() {
        for bad in ["", "qorgan/v1/s/d/count\0", "qorgan/v1/+/d/count", "qorgan/v1/#", &"a/".repeat(8000), &"a".repeat(1025)] {
            assert_eq!(Topic::parse(bad), Err(TopicError::Malformed));
        }
    }

    #[test]
    fn an_alert_has_one_topic_and_a_number_with_zeros_or_a_sign_is_none() {
        assert_eq!(topic("qorgan/v1/alert/2"), Topic::Alert(AlertId(2)));
        for other in ["02", "+2", "0000", " 2", "2 ", ""] {
            assert!(Topic::parse(&format!("qorgan/v1/alert/{other}")).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_device_writes_only_under_its_own_name() {
        let button = device("school-17/gate");
        assert!(button.may_publish(&topic("qorgan/v1/school-17/gate/alarm")));
        for other in [
            "qorgan/v1/school-17/yard/alarm",
            "qorgan/v1/school-18/gate/alarm",
            "qorgan/v1/school-17/gate/alarm/receipt",
            "qorgan/v1/alert/1",
        ] {
            assert!(!button.may_publish(&topic(other)), "{other}");
        }
    }

    #[test]
    fn a_device_reads_only_its_own_receipts_and_gets_no_wildcard() {
        let button = device("school-17/gate");
        assert!(button.may_subscribe("qorgan/v1/school-17/gate/alarm/receipt"));
        for other in [
            "qorgan/v1/school-17/+/alarm/receipt",
            "qorgan/v1/school-18/gate/alarm/receipt",
            "#",
            "$SYS/#",
            "qorgan/v1/alert/+",
            "qorgan/v1/+/+/count",
        ] {
            assert!(!button.may_subscribe(other), "{other}");
        }
    }

    #[test]
    fn an_edge_box_covers_one_site() {
        let edge = Principal::parse("edge/school-17").unwrap();
        assert!(edge.may_publish(&topic("qorgan/v1/school-17/yard/count")));
        assert!(!edge.may_publish(&topic("qorgan/v1/school-18/yard/count")));
        assert!(edge.may_subscribe("qorgan/v1/school-17/+/alarm/receipt"));
        assert!(!edge.may_subscribe("qorgan/v1/+/+/alarm/receipt"));
    }

    #[test]
    fn a_unit_writes_its_own_position_and_reads_its_own_orders() {
        let unit = Principal::parse("unit/patrol-2").unwrap();
        assert!(unit.may_publish(&topic("qorgan/v1/unit/patrol-2/position")));
        assert!(unit.may_publish(&topic("qorgan/v1/unit/patrol-2/order/receipt")));
        assert!(unit.may_subscribe("qorgan/v1/unit/patrol-2/order"));
        for other in
            ["qorgan/v1/unit/patrol-2/order", "qorgan/v1/unit/patrol-5/position", "qorgan/v1/school-17/gate/alarm", "qorgan/v1/hazard/road"]
        {
            assert!(!unit.may_publish(&topic(other)), "{other}");
        }
        for other in ["qorgan/v1/unit/patrol-5/order", "qorgan/v1/unit/+/order", "qorgan/v1/alert/+", "#"] {
            assert!(!unit.may_subscribe(other), "{other}");
        }
        let road = Principal::parse("hazard/road").unwrap();
        assert!(road.may_publish(&topic("qorgan/v1/hazard/road")));
        assert!(!road.may_publish(&topic("qorgan/v1/hazard/rail")));
        assert!(!road.may_subscribe("qorgan/v1/hazard/road"));
        assert!(!device("unit-1/position").may_publish(&topic("qorgan/v1/unit/patrol-2/position")));
    }

    #[test]
    fn a_source_of_indicators_writes_areas_and_nothing_else_and_nobody_else_does() {
        let source = Principal::parse("source/statistics").unwrap();
        assert!(source.may_publish(&topic("qorgan/v1/area/311000000/indicator")));
        for other in
            ["qorgan/v1/hazard/statistics", "qorgan/v1/school-17/gate/alarm", "qorgan/v1/school-17/gate/count", "qorgan/v1/alert/1"]
        {
            assert!(!source.may_publish(&topic(other)), "{other}");
        }
        for filter in ["qorgan/v1/area/311000000/indicator", "qorgan/v1/area/+/indicator", "#"] {
            assert!(!source.may_subscribe(filter), "{filter}");
        }
        for user in ["school-17/gate", "edge/school-17", "unit/patrol-2", "hazard/road", "desk/aigerim", "foreign/nvr"] {
            assert!(!Principal::parse(user).unwrap().may_publish(&topic("qorgan/v1/area/311000000/indicator")), "{user}");
        }
        for bad in
            ["qorgan/v1/area/31100000/indicator", "qorgan/v1/area/311000000/count", "qorgan/v1/area/311000000", "qorgan/v1/area//indicator"]
        {
            assert!(Topic::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_desks_read_alerts_and_desks_write_nothing() {
        let desk = Principal::parse("desk/aigerim").unwrap();
        assert!(desk.may_subscribe("qorgan/v1/alert/+"));
        assert!(desk.may_subscribe("qorgan/v1/+/+/health"));
        assert!(!desk.may_subscribe("qorgan/v1/+/+/alarm"));
        assert!(!desk.may_subscribe("#"));
        assert!(!desk.may_publish(&topic("qorgan/v1/school-17/gate/alarm")));
        assert!(!desk.may_publish(&topic("qorgan/v1/alert/1")));
    }
}
