//! The payload of a count, as cameras, edge boxes and other systems send it.

use serde::{Deserialize, Serialize};

use super::{Reject, json, moment, version};
use crate::{Count, CountSource, DeviceId, DeviceRef, LineFlow, UtcMs, ZoneCount, count::MAX_PEOPLE, zone::MAX_PARTS};

/// Payload of `.../count`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountV1 {
    /// Version, 1.
    pub v: u32,
    /// When the picture was taken.
    pub at: UtcMs,
    /// People.
    pub people: f32,
    /// Lower end of the 90 % interval; the count itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f32>,
    /// Upper end of the 90 % interval; the count itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f32>,
    /// Manifest name of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The scene had not changed since the last analysed frame.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchanged: bool,
    /// People in parts of the picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneCountV1>,
    /// People who crossed a line since the count before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<LineFlowV1>,
}

/// People in one zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneCountV1 {
    /// Id of the zone.
    pub zone: DeviceId,
    /// People.
    pub people: f32,
    /// Lower end of the 90 % interval; the count itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f32>,
    /// Upper end of the 90 % interval; the count itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f32>,
    /// Area of the zone on the ground, in m2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_m2: Option<f32>,
}

/// Crossings of one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFlowV1 {
    /// Id of the line.
    pub line: DeviceId,
    /// From its left to its right.
    pub forward: u32,
    /// From its right to its left.
    pub backward: u32,
    /// Length of time, in milliseconds.
    pub over_ms: u32,
}

impl CountV1 {
    /// Reads and judges a payload; `now` is the hub's time.
    pub fn read(camera: DeviceRef, payload: &[u8], now: UtcMs) -> Result<Count, Reject> {
        let wire: CountV1 = json(payload)?;
        version(wire.v)?;
        let (people, low, high) = (wire.people, wire.low.unwrap_or(wire.people), wire.high.unwrap_or(wire.people));
        range(people, low, high)?;
        let parts = wire.zones.len().max(wire.flows.len());
        if parts > MAX_PARTS {
            return Err(Reject::TooMany(parts));
        }
        let zones = wire.zones.into_iter().map(ZoneCountV1::judge).collect::<Result<_, _>>()?;
        let flows = wire.flows.into_iter().map(LineFlowV1::into_flow).collect();
        moment(wire.at, now)?;
        let source = match wire.model {
            Some(model) if model.len() > 64 => return Err(Reject::TooLong { field: "model", max: 64 }),
            Some(model) => CountSource::Model(model),
            None => CountSource::Foreign,
        };
        Ok(Count { camera, at: wire.at, people, low, high, source, unchanged: wire.unchanged, zones, flows })
    }

    /// The payload of a count.
    pub fn write(count: &Count) -> Self {
        Self {
            v: 1,
            at: count.at,
            people: count.people,
            low: Some(count.low),
            high: Some(count.high),
            model: match &count.source {
                CountSource::Model(name) => Some(name.clone()),
                CountSource::Foreign => None,
            },
            unchanged: count.unchanged,
            zones: count.zones.iter().map(ZoneCountV1::write).collect(),
            flows: count.flows.iter().map(LineFlowV1::write).collect(),
        }
    }
}

impl ZoneCountV1 {
    fn judge(self) -> Result<ZoneCount, Reject> {
        let (people, low, high) = (self.people, self.low.unwrap_or(self.people), self.high.unwrap_or(self.people));
        range(people, low, high)?;
        match self.area_m2 {
            Some(area) if !(area.is_finite() && area > 0.0) => Err(Reject::Area(area)),
            area_m2 => Ok(ZoneCount { zone: self.zone, people, low, high, area_m2 }),
        }
    }

    fn write(zone: &ZoneCount) -> Self {
        let ZoneCount { zone, people, low, high, area_m2 } = zone.clone();
        Self { zone, people, low: Some(low), high: Some(high), area_m2 }
    }
}

impl LineFlowV1 {
    fn into_flow(self) -> LineFlow {
        let Self { line, forward, backward, over_ms } = self;
        LineFlow { line, forward, backward, over_ms }
    }

    fn write(flow: &LineFlow) -> Self {
        let LineFlow { line, forward, backward, over_ms } = flow.clone();
        Self { line, forward, backward, over_ms }
    }
}

fn range(people: f32, low: f32, high: f32) -> Result<(), Reject> {
    if 0.0 <= low && low <= people && people <= high && high <= MAX_PEOPLE { Ok(()) } else { Err(Reject::Range { people, low, high }) }
}
