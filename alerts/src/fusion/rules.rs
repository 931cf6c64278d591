//! What fusion is told: limits, times and places. Made from the configuration by `api`.
//!
//! Nothing here can make a crowd alert a warning: no density is known to this version.

use std::collections::BTreeMap;

use qorgan_domain::{DeviceRef, GeoPoint, SiteId};

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
    /// When unclaimed alarms call louder.
    pub response: ResponseRules,
}
