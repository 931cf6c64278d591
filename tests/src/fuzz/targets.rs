//! What is fuzzed: every reader of bytes that strangers can send. Shared by the harness beside it and by `fuzz/` (cargo-fuzz).
//!
//! Each takes any bytes, must not panic, must be quick, and says in a word how it judged: inputs that are judged in a new way are
//! worth going on from. What holds for every input that is read is asserted.

use qorgan::{
    connect::cap::{self, CapError},
    intake::reader::{self, FeedError},
};
use qorgan_domain::{
    DeviceRef, UtcMs,
    topic::{Principal, Topic},
    wire::{AlarmV1, CountV1, HazardV1, HealthV1, OrderReceiptV1, PositionV1, ReceiptV1, Reject, SensorV1},
};
use qorgan_ingest::dc09::{
    Frame, Key, event,
    frame::{Body, Content, Id, crc16},
    stream::{Cut, Splitter},
};

/// 2026-11-21T10:00:00Z: a fixed "now", so that an input is judged the same every time.
const NOW: UtcMs = UtcMs(1_795_255_200_000);

fn device() -> Option<DeviceRef> {
    "school-17/gate".parse().ok()
}

fn word<T>(read: Result<T, Reject>) -> &'static str {
    match read {
        Ok(_) => "ok",
        Err(reject) => reject.code(),
    }
}

/// MQTT payloads: the first byte chooses which.
pub fn mqtt_payload(data: &[u8]) -> &'static str {
    let (Some((which, payload)), Some(device)) = (data.split_first(), device()) else { return "empty" };
    match which % 8 {
        0 => match CountV1::read(device.clone(), payload, NOW) {
            Ok(count) => {
                assert!(0.0 <= count.low && count.low <= count.people && count.people <= count.high, "{count:?}");
                let written = serde_json::to_vec(&CountV1::write(&count)).unwrap_or_default();
                assert_eq!(CountV1::read(device, &written, NOW).ok(), Some(count), "a count survives being written");
                "count"
            }
            Err(reject) => reject.code(),
        },
        1 | 2 => match AlarmV1::read_from(device.clone(), payload, NOW, which % 8 == 2) {
            Ok((alarm, _)) => {
                let written = serde_json::to_vec(&AlarmV1::write(&alarm)).unwrap_or_default();
                let again = AlarmV1::read_from(device, &written, NOW, which % 8 == 2);
                assert_eq!(again.ok().map(|(again, _)| again), Some(alarm), "a press survives an edge box");
                "alarm"
            }
            Err(reject) => reject.code(),
        },
        3 => word(HealthV1::read(payload)),
        4 => word(SensorV1::read(payload, NOW)),
        5 => word(PositionV1::read(payload, NOW)),
        6 => word(OrderReceiptV1::read(payload)),
        _ => match HazardV1::read("road", payload, NOW) {
            Ok(hazard) => {
                assert!(hazard.text.chars().count() <= qorgan_domain::hazard::MAX_TEXT, "a description is bounded");
                "hazard"
            }
            Err(reject) => match serde_json::from_slice::<ReceiptV1>(payload) {
                Ok(_) => "receipt",
                Err(_) => reject.code(),
            },
        },
    }
}

/// Topics and filters, for every kind of user; a user name, a newline, a topic.
pub fn topic(data: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(data);
    let (user, topic) = text.split_once('\n').unwrap_or(("school-17/gate", &text));
    let parsed = Topic::parse(topic);
    if let Ok(parsed) = &parsed {
        assert_eq!(parsed.to_string(), topic, "a topic is written as it was read");
    }
    let Some(principal) = Principal::parse(user) else { return "no user" };
    let reads = principal.may_subscribe(topic);
    assert!(!reads || !topic.contains('#') || principal == Principal::Hub, "{principal} reads {topic:?}");
    match (&parsed, reads) {
        (Ok(parsed), _) if principal.may_publish(parsed) => "writes",
        (_, true) => "reads",
        (Ok(_), _) => "no right",
        (Err(_), _) => "no topic",
    }
}

/// Messages of the Common Alerting Protocol.
pub fn cap(data: &[u8]) -> &'static str {
    match cap::read(data) {
        Ok(_) => "message",
        Err(CapError::TooLarge(_)) => "too large",
        Err(CapError::DocumentType) => "document type",
        Err(CapError::TooDeep) => "too deep",
        Err(CapError::Encoding(_)) => "encoding",
        Err(CapError::Xml(_)) => "no xml",
        Err(CapError::Cap(_)) => "no message",
        Err(CapError::Write(_)) => "not written",
    }
}

/// Bytes of an alarm panel, over TCP and as datagrams. The first byte chooses: as they are and in pieces; as the body of a frame
/// whose CRC and length are right; as the inside of an encrypted frame.
pub fn dc09(data: &[u8]) -> &'static str {
    let Some((how, body)) = data.split_first() else { return "empty" };
    match how % 3 {
        0 => {
            let mut splitter = Splitter::default();
            let mut word = "no frame";
            for piece in body.chunks(usize::from(how / 3) + 1) {
                splitter.push(piece);
                while let Some(cut) = splitter.cut() {
                    match cut {
                        Cut::Frame(bytes) => word = frame(&bytes),
                        Cut::TooLong => return "too long for a stream",
                    }
                }
            }
            let datagram = frame(body);
            if word == "no frame" { datagram } else { word }
        }
        1 => {
            let mut bytes = format!("\n{:04X}{:04X}", crc16(body), body.len()).into_bytes();
            bytes.extend(body);
            bytes.push(b'\r');
            frame(&bytes)
        }
        _ => {
            let key = Key::Aes128(*b"AAAAAAAAAAAAAAAA");
            match key.open(body) {
                Ok(content) => events(&Id::SiaDcs, &content),
                Err(_) => "does not open",
            }
        }
    }
}

fn frame(bytes: &[u8]) -> &'static str {
    let frame = match Frame::read(bytes) {
        Ok(frame) => frame,
        Err(error) => return error.code(),
    };
    assert!(Frame::read(&frame.write()).is_ok(), "what was read can be written and read: {frame:?}");
    match &frame.body {
        Body::Clear(content) => events(&frame.id, content),
        Body::Cipher(bytes) => match Key::Aes256([7; 32]).open(bytes) {
            Ok(_) => "opened",
            Err(_) => "encrypted",
        },
    }
}

fn events(id: &Id, content: &Content) -> &'static str {
    let (_, data) = content.split();
    let _ = content.occurred_at();
    let report = if *id == Id::AdmCid { event::contact_id(data) } else { event::sia(data) };
    match report {
        Ok(report) => {
            assert!(!report.events.is_empty(), "a report has an event");
            "events"
        }
        Err(_) if data.is_empty() => "no data",
        Err(_) => "no events",
    }
}

/// Access units, multipart answers, pictures, time stamps and redirects of cameras. The first byte chooses the reader.
pub fn access_unit(data: &[u8]) -> &'static str {
    qorgan_ingest::camera::fuzz::access_unit(data)
}

/// A file of values or of the register: CSV or a workbook.
pub fn table(data: &[u8]) -> &'static str {
    match qorgan::table::read(data) {
        Ok(sheets) => {
            assert!(sheets.iter().flat_map(|s| &s.rows).all(|row| row.number > 0 && !row.cells.is_empty()), "a row holds something");
            "table"
        }
        Err(error) => error.code(),
    }
}

/// A feed of a mass medium.
pub fn feed(data: &[u8]) -> &'static str {
    static LEXICON: std::sync::LazyLock<Option<qorgan_alerts::intake::lexicon::Reader>> = std::sync::LazyLock::new(|| {
        let lexicon = toml::from_str(include_str!("../../../configs/lexicon.toml")).ok()?;
        qorgan_alerts::intake::lexicon::Reader::new(lexicon).ok()
    });
    let Some(lexicon) = LEXICON.as_ref() else { return "no lexicon" };
    match reader::read(data, lexicon, 7) {
        Ok(items) if items.iter().any(|item| item.found.is_some()) => "found",
        Ok(_) => "feed",
        Err(FeedError::TooLarge) => "too large",
        Err(FeedError::DocumentType) => "document type",
        Err(FeedError::Depth) => "too deep",
        Err(FeedError::Encoding) => "encoding",
        Err(FeedError::Shape(_)) => "no feed",
    }
}
