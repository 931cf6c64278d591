//! What a crowd alert was judged by: every number the formula looked at, and what it said.
//!
//! Numbers only, of places and people together. There is no field for an indicator, an assembly, a request or a name: what is not
//! here cannot change an alert.

use serde::{Deserialize, Serialize};

use crate::{
    DeviceId, DeviceRef, UtcMs,
    alert::{Level, Reason, ReasonCode},
};

/// Fewer people than this in public space are never a warning, whatever else holds and whatever is configured.
pub const WARNING_PEOPLE_PUBLIC: f32 = 20.0;

/// What kind of place the camera looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrowdPlace {
    /// A street, a square, a station.
    #[default]
    Public,
    /// A school or another institution, in its hours.
    Institution,
    /// The same outside its hours: nobody should be there.
    InstitutionClosed,
}

/// Why the baseline is silent for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// A bell of the timetable rings about now.
    Bell,
    /// An event of the calendar is on.
    Event,
}

/// The count against what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UsualSeen {
    /// Usual at this time of the week, in people.
    pub usual: f32,
    /// Expected now, with what the last hours carry on, in people.
    pub expected: f32,
    /// Above this the count is unusual, in people.
    pub bound: f32,
    /// How unusual the last minutes are; 1 is passed about once a month by chance.
    pub score: f32,
    /// Weeks that the usual number rests on.
    pub weeks: f32,
    /// People a minute by which it grows, by the last five minutes.
    pub growth_per_min: f32,
    /// Cumulative sum of the growth's residuals, in standard deviations.
    pub growth_cusum: f32,
    /// For how long the lower end of the count has been above the bound, in milliseconds; none when it is not.
    pub held_ms: Option<i64>,
}

/// A bound that a person configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LimitSeen {
    /// In people.
    pub limit: f32,
    /// For how long the lower end of the count has been above it, in milliseconds; none when it is not.
    pub held_ms: Option<i64>,
}

/// The densest zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DensitySeen {
    /// Which zone of the camera.
    pub zone: DeviceId,
    /// Lower end of the people in it.
    pub people_low: f32,
    /// Lower end of people per square metre.
    pub per_m2_low: f32,
    /// Safety limit, people per square metre.
    pub limit: f32,
    /// For how long the limit has been passed, in milliseconds; none when it is not.
    pub held_ms: Option<i64>,
}

/// The busiest line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowSeen {
    /// Which line of the camera.
    pub line: DeviceId,
    /// Lower end of people a minute and metre of width, both directions.
    pub per_m_min_low: f32,
    /// Safety limit in the same unit.
    pub limit: f32,
    /// For how long the limit has been passed, in milliseconds; none when it is not.
    pub held_ms: Option<i64>,
}

/// Neighbouring cameras that see the same gathering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanSeen {
    /// The cameras, this one first.
    pub cameras: Vec<DeviceRef>,
    /// People on all of them.
    pub observed: f32,
    /// Expected on all of them.
    pub expected: f32,
    /// Logarithm of the likelihood ratio of the Poisson scan statistic.
    pub llr: f32,
}

/// Everything the formula looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrowdInputs {
    /// Whose count.
    pub camera: DeviceRef,
    /// Of when.
    pub at: UtcMs,
    /// What kind of place.
    pub place: CrowdPlace,
    /// Best estimate, in people.
    pub people: f32,
    /// Lower end of its 90 % interval: what every bound is compared with.
    pub low: f32,
    /// Upper end.
    pub high: f32,
    /// How long a bound must be passed without a break, in milliseconds.
    pub open_after_ms: i64,
    /// The same of a safety limit.
    pub safety_after_ms: i64,
    /// The configured limit.
    pub limit: Option<LimitSeen>,
    /// The baseline; none while too little is known.
    pub usual: Option<UsualSeen>,
    /// Why the baseline is silent for now.
    pub expected: Option<Expected>,
    /// The densest zone with a known area.
    pub density: Option<DensitySeen>,
    /// The busiest line with a known width.
    pub flow: Option<FlowSeen>,
    /// For how long somebody has been where nobody should be, in milliseconds.
    pub closed_ms: Option<i64>,
    /// Neighbours.
    pub scan: Option<ScanSeen>,
    /// Rules that a shift lead demoted: a limit makes no more than a notice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demoted: Vec<ReasonCode>,
}

/// What the formula says of its inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrowdScore {
    /// Version of the formula.
    pub formula: String,
    /// 0 to 100.
    pub score: f32,
    /// None: nothing to tell.
    pub level: Option<Level>,
    /// What spoke for it, each with its own numbers.
    pub reasons: Vec<Reason>,
}

/// Inputs and what was said of them, kept together with the alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessed {
    /// What the formula looked at.
    pub inputs: CrowdInputs,
    /// What it said.
    pub said: CrowdScore,
}
