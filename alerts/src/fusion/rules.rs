//! What fusion is told: limits, times and places. Made from the configuration by `api`.
//!
//! Nothing here can make fewer than 20 people in public space a warning ([`super::formula`]).

use std::collections::BTreeMap;

use qorgan_domain::{DeviceId, DeviceRef, GeoPoint, SiteId, alert::ReasonCode};

use super::formula::Formula;
use crate::usual::calendar::Calendar;

/// Limits of one camera.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameraRule {
    /// More people than this, for some time, is a `watch`; none: only the baseline judges.
    pub limit: Option<f32>,
    /// The camera looks at public space: unusual is only what is at least `min_people_public`.
    pub public_space: bool,
}

/// Times and bounds of crowd alerts.
#[derive(Debug, Clone, PartialEq)]
pub struct CrowdRules {
    /// A bound must be exceeded without a break for this long, in milliseconds.
    pub open_after_ms: i64,
    /// The count must stay low for this long before the alert ends, in milliseconds.
    pub close_after_ms: i64,
    /// Low is below this part of the lowest bound that was exceeded, 0 to 1.
    pub close_below: f32,
    /// No count for this long ends an alert, in milliseconds.
    pub silence_ms: i64,
    /// A pause between two counts that breaks "without a break", in milliseconds.
    pub max_gap_ms: i64,
    /// A count older than this judges nothing, in milliseconds.
    pub stale_ms: i64,
    /// New evidence is told at most this often, in milliseconds.
    pub update_every_ms: i64,
    /// Length of the memory of what is usual, in minutes.
    pub baseline_minutes: u32,
    /// Minutes that must be known before anything is called unusual.
    pub baseline_needs_minutes: u32,
    /// Fewer people than this are never unusual.
    pub min_people: f32,
    /// The same in public space.
    pub min_people_public: f32,
}

impl Default for CrowdRules {
    fn default() -> Self {
        Self {
            open_after_ms: 20_000,
            close_after_ms: 60_000,
            close_below: 0.8,
            silence_ms: 300_000,
            max_gap_ms: 150_000,
            stale_ms: 120_000,
            update_every_ms: 1_000,
            baseline_minutes: 360,
            baseline_needs_minutes: 60,
            min_people: 5.0,
            min_people_public: 10.0,
        }
    }
}

/// When unclaimed alarms call louder. Source: EN 50518, 80 % answered within 30 s, 98.5 % within 60 s.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseRules {
    /// A reminder at both desks after this, in milliseconds.
    pub remind_after_ms: i64,
    /// The shift lead after this, in milliseconds.
    pub lead_after_ms: i64,
}

impl Default for ResponseRules {
    fn default() -> Self {
        Self { remind_after_ms: 30_000, lead_after_ms: 60_000 }
    }
}

/// What `crowd-v2` is told of one camera beside [`CameraRule`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlaceRule {
    /// Safety limit of density of each zone, people per m2; a zone without one has 4.7. Taken between 3.6 and 5.5.
    pub zone_limits_per_m2: BTreeMap<DeviceId, f32>,
    /// Width of each line, in metres; the flow over a line without one is not judged.
    pub line_widths_m: BTreeMap<DeviceId, f32>,
}

/// Which formula judges, and how a gathering is told from another.
#[derive(Debug, Clone, PartialEq)]
pub struct GatheringRules {
    /// The version for new alerts.
    pub formula: Formula,
    /// Score from which a count is unusual; 1 is passed about once a month by each of three statistics.
    pub unusual_score: f32,
    /// A safety limit must be passed for this long, in milliseconds.
    pub safety_after_ms: i64,
    /// Cameras within this distance may see the same gathering, in metres.
    pub merge_m: f64,
    /// And within this time of its last evidence, in milliseconds.
    pub merge_ms: i64,
    /// Rules that a shift lead demoted after too many false alerts. Safety limits are not among them, whatever stands here.
    pub demoted: Vec<ReasonCode>,
}

impl Default for GatheringRules {
    fn default() -> Self {
        Self { formula: Formula::V1, unusual_score: 1.25, safety_after_ms: 10_000, merge_m: 150.0, merge_ms: 600_000, demoted: Vec::new() }
    }
}

/// Everything fusion is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// Cameras that are judged. Counts of others raise nothing.
    pub cameras: BTreeMap<DeviceRef, CameraRule>,
    /// Where cameras and buttons stand. A press of a button that stands nowhere counts all the same.
    pub positions: BTreeMap<DeviceRef, GeoPoint>,
    /// Where sites are.
    pub sites: BTreeMap<SiteId, GeoPoint>,
    /// Times and bounds.
    pub crowd: CrowdRules,
    /// Areas, widths and limits of what cameras see.
    pub places: BTreeMap<DeviceRef, PlaceRule>,
    /// Formula and gatherings.
    pub gathering: GatheringRules,
    /// Local time, holidays, bells, hours and events.
    pub calendar: Calendar,
    /// When unclaimed alarms call louder.
    pub response: ResponseRules,
}
