//! MQTT payloads, version 1: JSON twins of the domain types and the one place that converts them.
//!
//! A payload is judged once, here. Counts, sensors and health are refused when anything about them is
//! off; an alarm is refused only when it cannot be understood: an unknown field or a wrong clock
//! never costs a press.

mod count;
mod indicator;
mod segment;

use serde::{Deserialize, Serialize};

use crate::{
    Alarm, AlarmKind, AlertId, DeviceRef, Door, GeoPoint, Signal, UtcMs, alarm,
    count::MAX_PEOPLE,
    hazard::{self, Hazard, HazardKind},
};

pub use count::{CountV1, LineFlowV1, ZoneCountV1};
pub use indicator::{IndicatorV1, IndicatorWord};
pub use segment::SegmentV1;

/// Largest payload that is looked at, in bytes.
pub const MAX_PAYLOAD: usize = 16 * 1024;
/// How far ahead of the hub's clock a count may be, in milliseconds.
pub const MAX_AHEAD_MS: i64 = 30_000;
/// How old a count may be, in milliseconds.
pub const MAX_AGE_MS: i64 = 24 * 3_600_000;

/// Why a payload was refused.
#[derive(Debug, thiserror::Error)]
pub enum Reject {
    /// Over [`MAX_PAYLOAD`].
    #[error("payload of {0} bytes is over {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// Not JSON, or not of the shape.
    #[error("payload does not read as version 1")]
    Shape(#[source] serde_json::Error),
    /// Another version.
    #[error("payload is of version {0}, this hub reads 1")]
    Version(u32),
    /// A count outside 0 to 100,000, or outside its own interval.
    #[error("count {people} in [{low}, {high}] is not 0 <= low <= people <= high <= {MAX_PEOPLE}")]
    Range {
        /// The estimate.
        people: f32,
        /// Lower end.
        low: f32,
        /// Upper end.
        high: f32,
    },
    /// Ahead of the hub's clock.
    #[error("time {at} is {ahead_ms} ms ahead of the hub")]
    Future {
        /// The time in the payload.
        at: UtcMs,
        /// By how much, in milliseconds.
        ahead_ms: i64,
    },
    /// Too old to mean anything.
    #[error("time {at} is older than a day")]
    Stale {
        /// The time in the payload.
        at: UtcMs,
    },
    /// A place outside -90 to 90 and -180 to 180 degrees.
    #[error("{lat}, {lon} is no place on Earth")]
    Place {
        /// Latitude.
        lat: f64,
        /// Longitude.
        lon: f64,
    },
    /// An area that is none.
    #[error("an area of {0} m2 is none")]
    Area(f32),
    /// More zones or lines than one camera has.
    #[error("{0} zones or lines are more than {max} of one camera", max = crate::zone::MAX_PARTS)]
    TooMany(usize),
    /// No SHA-256 in hex.
    #[error("{0} is not 64 hex digits")]
    NoDigest(&'static str),
    /// A value of an indicator without cases or a denominator.
    #[error("a value without cases or a denominator is not taken")]
    NoBasis,
    /// A value whose source is not said, or is another one than logged in.
    #[error("the source is not said, or is not the one that logged in")]
    Source,
    /// A text too long for its field.
    #[error("{field} is longer than {max} characters")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its limit.
        max: usize,
    },
}

impl Reject {
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Reject::TooLarge(_) => "too_large",
            Reject::Shape(error) if error.is_data() => "bad_shape",
            Reject::Shape(_) => "not_json",
            Reject::Version(_) => "bad_version",
            Reject::NoBasis => "no_basis",
            Reject::Source => "bad_source",
            Reject::Range { .. } => "out_of_range",
            Reject::Future { .. } => "future",
            Reject::Stale { .. } => "stale",
            Reject::Place { .. } => "bad_place",
            Reject::Area(_) => "bad_area",
            Reject::TooMany(_) => "too_many",
            Reject::NoDigest(_) => "bad_digest",
            Reject::TooLong { .. } => "too_long",
        }
    }
}

/// Payload of `.../alarm`. Unknown fields are tolerated: a newer button must not go unheard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmV1 {
    /// Version, 1.
    pub v: u32,
    /// What was pressed.
    pub kind: AlarmKind,
    /// The device's running number of the press.
    pub seq: u64,
    /// The device's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// When, by the device's clock. A text that is no time counts as absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// A test press.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// `press` when absent.
    #[serde(default, skip_serializing_if = "Signal::is_press")]
    pub signal: Signal,
    /// Zone of an alarm panel behind an edge box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// By which door an edge box heard it; believed only from an edge box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<Door>,
    /// When an edge box heard it; believed only from an edge box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<UtcMs>,
    /// Whatever else the device said.
    #[serde(flatten, skip_serializing)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

impl AlarmV1 {
    /// Reads a payload; `now` is the hub's time. Also returns the names of fields the hub does not know.
    pub fn read(device: DeviceRef, payload: &[u8], now: UtcMs) -> Result<(Alarm, Vec<String>), Reject> {
        Self::read_from(device, payload, now, false)
    }

    /// The same; an edge box (`edge`) also tells by which door and when it heard the press.
    pub fn read_from(device: DeviceRef, payload: &[u8], now: UtcMs, edge: bool) -> Result<(Alarm, Vec<String>), Reject> {
        let wire: AlarmV1 = json(payload)?;
        version(wire.v)?;
        if wire.boot.as_ref().is_some_and(|b| b.len() > 64) {
            return Err(Reject::TooLong { field: "boot", max: 64 });
        }
        // The store keeps 63 bits; a device that counts beyond that does not exist.
        let seq = wire.seq & (i64::MAX as u64);
        let alarm = Alarm {
            device,
            kind: wire.kind,
            seq,
            boot: wire.boot,
            pressed_at: wire.at.and_then(|at| at.parse().ok()),
            received_at: now,
            test: wire.test,
            signal: wire.signal,
            zone: wire.zone.map(|zone| zone.chars().take(16).collect()),
            door: wire.door.filter(|_| edge).unwrap_or(Door::Mqtt),
            heard_at: wire.heard_at.filter(|_| edge),
        };
        Ok((alarm, wire.unknown.into_iter().map(|(name, _)| name).collect()))
    }

    /// The payload of a press.
    pub fn write(alarm: &Alarm) -> Self {
        Self {
            v: 1,
            kind: alarm.kind,
            seq: alarm.seq,
            boot: alarm.boot.clone(),
            at: alarm.pressed_at.map(|at| at.to_string()),
            test: alarm.test,
            signal: alarm.signal,
            zone: alarm.zone.clone(),
            door: (alarm.door != Door::Mqtt).then_some(alarm.door),
            heard_at: alarm.heard_at,
            unknown: serde_json::Map::new(),
        }
    }
}

/// Payload of `.../alarm/receipt`: the alarm is safe on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptV1 {
    /// Version, 1.
    pub v: u32,
    /// The device's number of the press.
    pub seq: u64,
    /// The device's start, as it sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// Row of the alarm journal.
    pub journal: i64,
    /// When it was safe.
    pub stored_at: UtcMs,
    /// The same press had been stored before.
    pub repeat: bool,
}

impl ReceiptV1 {
    /// Whether this is the receipt of that press.
    pub fn is_for(&self, key: &alarm::AlarmKey) -> bool {
        self.seq == key.seq && self.boot == key.boot
    }
}

/// Payload of `.../health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthV1 {
    /// Version, 1.
    pub v: u32,
    /// Whether the device is there.
    pub state: Presence,
    /// When it said so; a last will has no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMs>,
    /// Charge of the battery, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<u8>,
    /// Whether the case is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tamper: Option<bool>,
    /// Whether mains power is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mains: Option<bool>,
}

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Connected.
    Online,
    /// Gone, by its own word or its last will.
    Offline,
}

impl HealthV1 {
    /// Reads and judges a payload.
    pub fn read(payload: &[u8]) -> Result<Self, Reject> {
        let wire: HealthV1 = json(payload)?;
        version(wire.v)?;
        Ok(wire)
    }
}

/// Payload of `.../sensor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorV1 {
    /// Version, 1.
    pub v: u32,
    /// When it was measured.
    pub at: UtcMs,
    /// What was measured, e.g. `temperature`.
    pub kind: String,
    /// The value, in `unit`.
    pub value: f64,
    /// UCUM-like unit, e.g. `degC`.
    pub unit: String,
}

impl SensorV1 {
    /// Reads and judges a payload; `now` is the hub's time.
    pub fn read(payload: &[u8], now: UtcMs) -> Result<Self, Reject> {
        let wire: SensorV1 = json(payload)?;
        version(wire.v)?;
        moment(wire.at, now)?;
        Ok(wire)
    }
}

/// Payload of `qorgan/v1/unit/{unit}/position`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionV1 {
    /// Version, 1.
    pub v: u32,
    /// When it was measured.
    pub at: UtcMs,
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
    /// Radius of the 68 % circle, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f64>,
}

impl PositionV1 {
    /// Reads and judges a payload: where, and when. `now` is the hub's time.
    pub fn read(payload: &[u8], now: UtcMs) -> Result<(GeoPoint, UtcMs), Reject> {
        let wire: PositionV1 = json(payload)?;
        version(wire.v)?;
        moment(wire.at, now)?;
        Ok((point(wire.lat, wire.lon)?, wire.at))
    }
}

/// Payload of `qorgan/v1/unit/{unit}/order`; an empty retained payload means that no order stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderV1 {
    /// Version, 1.
    pub v: u32,
    /// The alert; also the number of the order in receipts.
    pub alert: AlertId,
    /// When it was ordered.
    pub at: UtcMs,
    /// An exercise.
    pub drill: bool,
    /// `alarm`, `crowd`, `incident`, `hazard`.
    pub kind: String,
    /// Where to, degrees.
    pub position: Option<[f64; 2]>,
    /// Name of the place in the hub's language.
    pub place: String,
    /// Street address, if the site file has one.
    pub address: Option<String>,
    /// What the desk adds.
    pub note: Option<String>,
}

/// Payload of `qorgan/v1/unit/{unit}/order/receipt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderReceiptV1 {
    /// Version, 1.
    pub v: u32,
    /// The order.
    pub alert: AlertId,
    /// How far it has come.
    pub status: OrderStatus,
    /// Why, for `declined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The device has it.
    Delivered,
    /// It was on the screen.
    Seen,
    /// The unit goes.
    Accepted,
    /// The unit cannot go.
    Declined,
    /// On the way.
    EnRoute,
    /// There.
    OnScene,
    /// Finished there; the desk closes.
    Done,
}

impl OrderReceiptV1 {
    /// Reads and judges a payload.
    pub fn read(payload: &[u8]) -> Result<Self, Reject> {
        let wire: OrderReceiptV1 = json(payload)?;
        version(wire.v)?;
        Ok(wire)
    }
}

/// Payload of `qorgan/v1/hazard/{source}`. Fields the hub does not know are dropped unread: a plate is never kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HazardV1 {
    /// Version, 1.
    pub v: u32,
    /// The source's own id of the event.
    pub id: String,
    /// When it was seen.
    pub at: UtcMs,
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
    /// What kind.
    pub kind: HazardKind,
    /// Description.
    #[serde(default)]
    pub text: String,
}

impl HazardV1 {
    /// Reads and judges a payload; `now` is the hub's time.
    pub fn read(source: &str, payload: &[u8], now: UtcMs) -> Result<Hazard, Reject> {
        let wire: HazardV1 = json(payload)?;
        version(wire.v)?;
        moment(wire.at, now)?;
        if wire.id.is_empty() || wire.id.chars().count() > 64 {
            return Err(Reject::TooLong { field: "id", max: 64 });
        }
        Ok(Hazard {
            source: source.to_owned(),
            event: wire.id,
            kind: wire.kind,
            position: point(wire.lat, wire.lon)?,
            text: hazard::without_plates(&wire.text),
            at: wire.at,
            received_at: now,
        })
    }
}

fn point(lat: f64, lon: f64) -> Result<GeoPoint, Reject> {
    GeoPoint::new(lat, lon).map_err(|_| Reject::Place { lat, lon })
}

fn json<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Reject> {
    if payload.len() > MAX_PAYLOAD {
        return Err(Reject::TooLarge(payload.len()));
    }
    serde_json::from_slice(payload).map_err(Reject::Shape)
}

fn version(v: u32) -> Result<(), Reject> {
    if v == 1 { Ok(()) } else { Err(Reject::Version(v)) }
}

fn moment(at: UtcMs, now: UtcMs) -> Result<(), Reject> {
    let ahead_ms = at.ms_since(now);
    if ahead_ms > MAX_AHEAD_MS {
        return Err(Reject::Future { at, ahead_ms });
    }
    if ahead_ms < -MAX_AGE_MS {
        return Err(Reject::Stale { at });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Count, CountSource};
    use proptest::prelude::*;

    const NOW: &str = "2026-11-21T10:00:00.000Z";

    fn count(body: &str) -> Result<Count, Reject> {
        CountV1::read("school-17/yard".parse().unwrap(), body.as_bytes(), NOW.parse().unwrap())
    }
    fn alarm(body: &str) -> Result<(Alarm, Vec<String>), Reject> {
        AlarmV1::read("school-17/gate".parse().unwrap(), body.as_bytes(), NOW.parse().unwrap())
    }

    #[test]
    fn a_plain_count_reads_and_its_interval_defaults_to_itself() {
        let count = count(r#"{"v":1,"at":"2026-11-21T09:59:59Z","people":5}"#).unwrap();
        assert_eq!((count.low, count.people, count.high), (5.0, 5.0, 5.0));
        assert_eq!(count.source, CountSource::Foreign);
    }

    #[test]
    fn bad_counts_are_refused_each_with_its_reason() {
        for (body, code) in [
            ("hello", "not_json"),
            ("", "not_json"),
            (r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"faces":[]}"#, "bad_shape"),
            (r#"{"v":2,"at":"2026-11-21T10:00:00Z","people":5}"#, "bad_version"),
            (r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":-1}"#, "out_of_range"),
            (r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":1e9}"#, "out_of_range"),
            (r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"low":6}"#, "out_of_range"),
            (r#"{"v":1,"at":"2026-11-21T10:01:00Z","people":5}"#, "future"),
            (r#"{"v":1,"at":"2026-11-20T09:00:00Z","people":5}"#, "stale"),
            (r#"{"v":1,"at":"yesterday","people":5}"#, "bad_shape"),
            (r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"zones":[{"zone":"a","people":1,"low":2}]}"#, "out_of_range"),
            (r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"zones":[{"zone":"a","people":1,"area_m2":0}]}"#, "bad_area"),
        ] {
            assert_eq!(count(body).unwrap_err().code(), code, "{body}");
        }
    }

    #[test]
    fn an_alarm_with_unknown_fields_and_a_wrong_clock_still_counts() {
        let (alarm, unknown) = alarm(r#"{"v":1,"kind":"panic","seq":3,"at":"1970-01-01T00:00:00Z","firmware":"9"}"#).unwrap();
        assert_eq!(unknown, ["firmware"]);
        assert!(alarm.clock_suspect());
        let (alarm, _) = super::tests::alarm(r#"{"v":1,"kind":"panic","seq":3,"at":"no time"}"#).unwrap();
        assert_eq!(alarm.pressed_at, None);
    }

    #[test]
    fn counts_and_alarms_round_trip() {
        let sent = count(r#"{"v":1,"at":"2026-11-21T10:00:00Z","people":5,"low":4,"high":7,"model":"m","unchanged":true,
            "zones":[{"zone":"stairs","people":3,"low":2,"high":4,"area_m2":12.5}],"flows":[{"line":"gate","forward":4,"backward":1,"over_ms":5000}]}"#)
        .unwrap();
        assert_eq!((sent.zones[0].area_m2, sent.flows[0].forward), (Some(12.5), 4));
        let body = serde_json::to_string(&CountV1::write(&sent)).unwrap();
        assert_eq!(count(&body).unwrap(), sent);
        let (sent, _) = alarm(r#"{"v":1,"kind":"hold_up","seq":3,"boot":"b","at":"2026-11-21T10:00:00Z","test":true}"#).unwrap();
        let body = serde_json::to_string(&AlarmV1::write(&sent)).unwrap();
        assert_eq!(alarm(&body).unwrap().0, sent);
    }

    #[test]
    fn only_an_edge_box_says_when_and_by_which_door_it_heard_a_press() {
        let body = br#"{"v":1,"kind":"panic","seq":3,"door":"dc09","heard_at":"2026-11-21T09:00:00Z","zone":"005"}"#;
        let read = |edge| AlarmV1::read_from("school-17/gate".parse().unwrap(), body, NOW.parse().unwrap(), edge).unwrap().0;
        assert_eq!((read(false).door, read(false).heard_at), (Door::Mqtt, None));
        assert_eq!((read(true).door, read(true).heard_at), (Door::Dc09, Some("2026-11-21T09:00:00Z".parse().unwrap())));
        assert_eq!(read(true).zone.as_deref(), Some("005"));
    }

    #[test]
    fn a_hazard_keeps_no_plate_and_no_field_that_could_hold_one() {
        let body = br#"{"v":1,"id":"e1","at":"2026-11-21T10:00:00Z","lat":42.9,"lon":71.3,"kind":"dangerous_driving","text":"123ABC02 north","plate":"123ABC02"}"#;
        let hazard = HazardV1::read("road", body, NOW.parse().unwrap()).unwrap();
        assert_eq!(hazard.text, "[—] north");
        assert!(!format!("{hazard:?}").contains("123ABC02"));
        let nowhere = br#"{"v":1,"id":"e1","at":"2026-11-21T10:00:00Z","lat":142.9,"lon":71.3,"kind":"accident"}"#;
        assert_eq!(HazardV1::read("road", nowhere, NOW.parse().unwrap()).unwrap_err().code(), "bad_place");
    }

    proptest! {
        #[test]
        fn no_payload_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let (device, now): (DeviceRef, UtcMs) = ("s/d".parse().unwrap(), UtcMs(0));
            let _ = CountV1::read(device.clone(), &bytes, now);
            let _ = AlarmV1::read(device, &bytes, now);
            let _ = HealthV1::read(&bytes);
            let _ = PositionV1::read(&bytes, now);
            let _ = OrderReceiptV1::read(&bytes);
            let _ = HazardV1::read("road", &bytes, now);
            let _ = SensorV1::read(&bytes, now);
        }

        #[test]
        fn every_accepted_count_is_inside_its_interval(people in -10.0f32..200_000.0, low in -10.0f32..200_000.0, high in -10.0f32..200_000.0) {
            let body = format!(r#"{{"v":1,"at":"{NOW}","people":{people},"low":{low},"high":{high}}}"#);
            if let Ok(count) = count(&body) {
                prop_assert!(0.0 <= count.low && count.low <= count.people && count.people <= count.high && count.high <= MAX_PEOPLE);
            }
        }
    }
}
