//! The payload of a body-worn camera's segment.

use serde::{Deserialize, Serialize};

use super::{Reject, json, moment, version};
use crate::{
    DeviceRef, UtcMs,
    badge::{Digest, Segment},
};

/// Payload of `.../segment`: the badge says which piece of its recording it has finished. The piece itself stays with whoever records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentV1 {
    /// Version, 1.
    pub v: u32,
    /// Number of the segment, one more than the one before, over restarts too.
    pub seq: u64,
    /// SHA-256 of the segment's bytes, 64 hex digits.
    pub sha256: String,
    /// `sha256` of the segment before; absent for the very first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When it ended.
    pub at: UtcMs,
}

impl SegmentV1 {
    /// Reads and judges a payload; `now` is the hub's time.
    pub fn read(badge: DeviceRef, payload: &[u8], now: UtcMs) -> Result<Segment, Reject> {
        let wire: SegmentV1 = json(payload)?;
        version(wire.v)?;
        moment(wire.at, now)?;
        let digest = |text: &str, field| text.parse::<Digest>().map_err(|_| Reject::NoDigest(field));
        let previous = wire.previous.as_deref().map(|text| digest(text, "previous")).transpose()?;
        Ok(Segment { badge, seq: wire.seq, sha256: digest(&wire.sha256, "sha256")?, previous, at: wire.at, received_at: now })
    }

    /// The payload of a segment.
    pub fn write(segment: &Segment) -> Self {
        let Segment { seq, sha256, previous, at, .. } = segment;
        Self { v: 1, seq: *seq, sha256: sha256.to_string(), previous: previous.map(|digest| digest.to_string()), at: *at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_round_trip_and_bad_ones_are_refused_each_with_its_reason() {
        let (badge, now): (DeviceRef, UtcMs) = ("unit-2/badge".parse().unwrap(), "2026-11-21T10:00:00Z".parse().unwrap());
        let read = |body: &str| SegmentV1::read(badge.clone(), body.as_bytes(), now);
        let (a, b) = ("a1".repeat(32), "b2".repeat(32));
        let good = read(&format!(r#"{{"v":1,"seq":7,"sha256":"{a}","previous":"{b}","at":"2026-11-21T09:59:59Z"}}"#)).unwrap();
        let again = serde_json::to_string(&SegmentV1::write(&good)).unwrap();
        assert_eq!(read(&again).unwrap(), good);
        for (body, code) in [
            (format!(r#"{{"v":1,"seq":7,"sha256":"{}","at":"2026-11-21T09:59:59Z"}}"#, "a1".repeat(31)), "bad_digest"),
            (format!(r#"{{"v":1,"seq":7,"sha256":"{a}","previous":"x","at":"2026-11-21T09:59:59Z"}}"#), "bad_digest"),
            (format!(r#"{{"v":1,"seq":-1,"sha256":"{a}","at":"2026-11-21T09:59:59Z"}}"#), "bad_shape"),
            (format!(r#"{{"v":1,"seq":7,"sha256":"{a}","at":"2026-11-21T11:00:00Z"}}"#), "future"),
            (format!(r#"{{"v":1,"seq":7,"sha256":"{a}","at":"2026-11-21T10:00:00Z","officer":"x"}}"#), "bad_shape"),
        ] {
            assert_eq!(read(&body).unwrap_err().code(), code, "{body}");
        }
    }
}
