//! Counts that other systems publish in their own words, on their own topics: ONVIF over MQTT, Frigate, any JSON with a number in it.
//!
//! What belongs here: which topic is whose, and how a payload becomes a number of people. What does not: who may log in (`hooks`), and
//! what a count means. Only a number is taken out of a payload; everything else in it (tracks, boxes, names) is dropped unread.
//!
//! | format | topic | payload |
//! | --- | --- | --- |
//! | `onvif` | `{prefix}/onvif-ej/RuleEngine/CountAggregation/Counter/&{source}/{rule}` (also `OccupancyCounter`) | `{"UtcTime":"2026-11-21T10:00:00Z","Source":{"VideoSource":"1","Rule":"Yard"},"Data":{"Count":"5"}}`, or the same with `SimpleItem` lists |
//! | `frigate` | `frigate/{camera}/person` (also `.../person/active`, or a zone for the camera) | `5` |
//! | `json-pointer` | any | any JSON; RFC 6901 pointer to a number, or to a text that is one |
//!
//! ONVIF: the rule must count who *is* there (occupancy), not who has passed since midnight; which it is, the camera's own set-up says.
//! Such systems publish when the number changes, so a count holds until the next one, at most [`Source::holds_s`].
//!
//! `mosquitto_pub -u foreign/school-17-yard -P ... -t 'cam1/onvif-ej/RuleEngine/CountAggregation/Counter/&1/Yard' -m '{"Data":{"Count":"5"}}'`

use std::{fmt, str::FromStr};

use qorgan_domain::{
    Count, CountSource, DeviceId, DeviceRef, UtcMs,
    count::MAX_PEOPLE,
    topic::{self, PREFIX},
};
use serde_json::Value;

/// Largest payload that is looked at, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A topic of another system, and the camera that it counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Which topic.
    pub topic: TopicFilter,
    /// What the payload looks like.
    pub format: Format,
    /// For which camera.
    pub device: DeviceRef,
    /// Who may write it at the embedded broker: MQTT user `foreign/{user}`.
    pub user: DeviceId,
    /// How long a count holds without a new one, in seconds.
    pub holds_s: u32,
}

/// What a payload looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// ONVIF event as JSON: `Data.Count`.
    Onvif,
    /// Frigate: the number, nothing else.
    Frigate,
    /// JSON, with an RFC 6901 pointer to the number.
    Pointer(String),
}

/// A topic name in which `+` stands for one level of any text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopicFilter(String);

/// Why a text is no topic of another system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicFilterError {
    /// Empty, too long or too deep, or with a NUL.
    #[error("is empty, over 1024 bytes or 32 levels, or holds NUL")]
    Malformed,
    /// `#`, or `+` within a level.
    #[error("holds # or a + that is not a level of its own")]
    Wildcard,
    /// The hub's own topics, or the broker's.
    #[error("is a topic of the hub or of the broker itself")]
    Taken,
}

/// Why a payload is no count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCount {
    /// Too many bytes.
    #[error("{0} bytes are more than {MAX_BYTES}")]
    TooLarge(usize),
    /// Not JSON, or for Frigate not a number.
    #[error("the payload is not {0}")]
    NotA(&'static str),
    /// No number where it should stand.
    #[error("there is no number at {0}")]
    Missing(String),
    /// A number that no camera sees.
    #[error("{0} is not 0 to {MAX_PEOPLE} people")]
    Range(String),
}

impl NoCount {
    /// Label in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            NoCount::TooLarge(_) => "too_large",
            NoCount::NotA(_) => "not_json",
            NoCount::Missing(_) => "bad_shape",
            NoCount::Range(_) => "out_of_range",
        }
    }
}

impl FromStr for TopicFilter {
    type Err = TopicFilterError;
    fn from_str(text: &str) -> Result<Self, TopicFilterError> {
        if !topic::is_sane(text) {
            return Err(TopicFilterError::Malformed);
        }
        if text.contains('#') || text.split('/').any(|level| level.contains('+') && level != "+") {
            return Err(TopicFilterError::Wildcard);
        }
        // A + in front could stand for the hub's own first level.
        let own = PREFIX.split('/').next().unwrap_or_default();
        if text.starts_with('$') || matches!(text.split('/').next(), Some(first) if first == own || first == "+") {
            return Err(TopicFilterError::Taken);
        }
        Ok(Self(text.to_owned()))
    }
}
impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TopicFilter {
    /// Whether a topic name is meant. Looks at no topic that is not sane.
    pub fn matches(&self, topic: &str) -> bool {
        topic::is_sane(topic)
            && self.0.split('/').count() == topic.split('/').count()
            && self.0.split('/').zip(topic.split('/')).all(|(want, is)| want == "+" || want == is)
    }
}

impl Source {
    /// Reads a payload. The count is of the moment it was heard: the other system's clock is its own.
    pub fn read(&self, payload: &[u8], now: UtcMs) -> Result<Count, NoCount> {
        let people = people(&self.format, payload)?;
        Ok(Count {
            camera: self.device.clone(),
            at: now,
            people,
            low: people,
            high: people,
            source: CountSource::Foreign,
            unchanged: false,
            zones: Vec::new(),
            flows: Vec::new(),
        })
    }
}

fn people(format: &Format, payload: &[u8]) -> Result<f32, NoCount> {
    if payload.len() > MAX_BYTES {
        return Err(NoCount::TooLarge(payload.len()));
    }
    let text = std::str::from_utf8(payload).map_err(|_| NoCount::NotA("text"))?.trim();
    match format {
        Format::Frigate => text.parse().map_err(|_| NoCount::NotA("a number")).and_then(believed),
        Format::Onvif => {
            let event: Value = serde_json::from_str(text).map_err(|_| NoCount::NotA("JSON"))?;
            let found = onvif(&event).ok_or_else(|| NoCount::Missing("Data.Count".to_owned()))?;
            believed(number(found).ok_or_else(|| NoCount::Missing("Data.Count".to_owned()))?)
        }
        Format::Pointer(pointer) => {
            let body: Value = serde_json::from_str(text).map_err(|_| NoCount::NotA("JSON"))?;
            let found = body.pointer(pointer).and_then(number).ok_or_else(|| NoCount::Missing(pointer.clone()))?;
            believed(found)
        }
    }
}

/// `Data.Count`, in the short form or as a list of `SimpleItem`. Cameras also call it `ObjectCount`.
fn onvif(event: &Value) -> Option<&Value> {
    const NAMES: [&str; 2] = ["Count", "ObjectCount"];
    let data = event.get("Data")?;
    if let Some(found) = NAMES.iter().find_map(|name| data.get(name)) {
        return Some(found);
    }
    let items = match data.get("SimpleItem")? {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named = |item: &&Value| item.get("Name").and_then(Value::as_str).is_some_and(|name| NAMES.contains(&name));
    items.iter().find(named)?.get("Value")
}

/// ONVIF writes its numbers as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn believed(people: f64) -> Result<f32, NoCount> {
    if (0.0..=f64::from(MAX_PEOPLE)).contains(&people) { Ok(people as f32) } else { Err(NoCount::Range(people.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(format: Format) -> Source {
        let (device, user) = ("school-17/yard".parse().unwrap(), "nvr".parse().unwrap());
        Source { topic: "frigate/yard/person".parse().unwrap(), format, device, user, holds_s: 300 }
    }
    fn read(format: Format, payload: &str) -> Result<f32, &'static str> {
        source(format).read(payload.as_bytes(), UtcMs(7)).map(|count| count.people).map_err(|e| e.code())
    }

    #[test]
    fn onvif_events_as_cameras_write_them() {
        // The short form (Bosch, Axis) and the one that is XML in disguise (Hanwha); numbers as text and as numbers.
        for payload in [
            r#"{"UtcTime":"2021-02-04T10:11:12.345Z","Source":{"VideoSource":"1","Rule":"Yard"},"Data":{"Count":"5"}}"#,
            r#"{"UtcTime":"2021-02-04T10:11:12Z","PropertyOperation":"Changed","Source":{"VideoSourceToken":"1"},"Data":{"Count":5}}"#,
            r#"{"Source":{"SimpleItem":[{"Name":"Rule","Value":"Yard"}]},"Data":{"SimpleItem":[{"Name":"Count","Value":"5"}]}}"#,
            r#"{"Data":{"SimpleItem":{"Name":"ObjectCount","Value":"5"}}}"#,
        ] {
            assert_eq!(read(Format::Onvif, payload), Ok(5.0), "{payload}");
        }
        for (payload, code) in [
            ("", "not_json"),
            ("5", "bad_shape"),
            (r#"{"Data":{"State":"true"}}"#, "bad_shape"),
            (r#"{"Data":{"Count":"many"}}"#, "bad_shape"),
            (r#"{"Data":{"Count":"-1"}}"#, "out_of_range"),
            (r#"{"Data":{"Count":"NaN"}}"#, "out_of_range"),
            (r#"{"Data":{"Count":1e9}}"#, "out_of_range"),
        ] {
            assert_eq!(read(Format::Onvif, payload), Err(code), "{payload}");
        }
    }

    #[test]
    fn frigate_says_a_number_and_nothing_else() {
        assert_eq!((read(Format::Frigate, "3"), read(Format::Frigate, " 0\n")), (Ok(3.0), Ok(0.0)));
        assert_eq!((read(Format::Frigate, "online"), read(Format::Frigate, "")), (Err("not_json"), Err("not_json")));
        assert_eq!(read(Format::Frigate, "-1"), Err("out_of_range"));
    }

    #[test]
    fn a_pointer_finds_a_number_wherever_it_stands() {
        let at = |pointer: &str| Format::Pointer(pointer.to_owned());
        let body = r#"{"zones":[{"people":4},{"people":"7"}],"name":"Aigerim"}"#;
        assert_eq!((read(at("/zones/0/people"), body), read(at("/zones/1/people"), body)), (Ok(4.0), Ok(7.0)));
        assert_eq!(read(at("/zones/2/people"), body), Err("bad_shape"));
        assert_eq!(read(at("/name"), body), Err("bad_shape"));
    }

    #[test]
    fn nobody_can_take_the_hubs_own_topics_or_everything() {
        let parse = |text: &str| text.parse::<TopicFilter>();
        for (text, why) in [
            ("qorgan/v1/school-17/gate/alarm", TopicFilterError::Taken),
            ("+/v1/school-17/gate/alarm", TopicFilterError::Taken),
            ("$SYS/x", TopicFilterError::Taken),
            ("frigate/#", TopicFilterError::Wildcard),
            ("frigate/a+/person", TopicFilterError::Wildcard),
            ("", TopicFilterError::Malformed),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
        let filter = parse("cam1/onvif-ej/RuleEngine/CountAggregation/Counter/&1/+").unwrap();
        assert!(filter.matches("cam1/onvif-ej/RuleEngine/CountAggregation/Counter/&1/People in the yard"));
        assert!(!filter.matches("cam1/onvif-ej/RuleEngine/CountAggregation/Counter/&1"));
        assert!(!filter.matches("cam2/onvif-ej/RuleEngine/CountAggregation/Counter/&1/x"));
    }

    proptest! {
        #[test]
        fn no_payload_panics_and_none_becomes_a_count_that_nobody_believes(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            for format in [Format::Onvif, Format::Frigate, Format::Pointer("/a".into())] {
                if let Ok(count) = source(format).read(&bytes, UtcMs(0)) {
                    prop_assert!((0.0..=MAX_PEOPLE).contains(&count.people));
                }
            }
        }
    }
}
