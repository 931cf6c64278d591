//! What enters fusion.

use std::collections::BTreeMap;

use crate::{Alarm, Count, DeviceId, DeviceRef, GeoPoint, SiteId, UtcMs, hazard::Hazard, sign::Trouble};

/// An input of fusion. Indicators are deliberately absent: they have no path into alerts.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// People seen by a camera.
    Count(Count),
    /// A pressed button. `stored` is false when the alarm journal could not be written:
    /// desks see the alarm all the same, marked "not stored", and no receipt leaves.
    Alarm {
        /// The press.
        alarm: Alarm,
        /// Whether it is safe on disk.
        stored: bool,
    },
    /// A device that does not work begins, changes or ends to be one.
    Trouble(Trouble),
    /// An outside system reports a danger.
    Hazard(Hazard),
    /// Whether somebody who hears sits at a desk of the centre; false: alarms go to the police desk at once.
    Attended(bool),
    /// The drills that are on now.
    Drills(Vec<DrillWindow>),
    /// A camera was added or changed while the hub runs.
    CameraPlaced(CameraPlace),
    /// A camera was removed: its counts raise nothing any more.
    CameraRemoved(DeviceRef),
    /// A named person put a camera's notices and watches aside until a time; none: they count again. Warnings are never put aside.
    Shelved(DeviceRef, Option<UtcMs>),
    /// Time passes; lets silence and persistence have their effect.
    Tick,
}

/// What is judged of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraPlace {
    /// Which.
    pub camera: DeviceRef,
    /// Where it is.
    pub position: GeoPoint,
    /// People above which it is a `watch`.
    pub limit: Option<f32>,
    /// It looks at public space.
    pub public_space: bool,
    /// Safety limit of density of each zone that has one of its own, people per m2.
    pub zone_limits_per_m2: BTreeMap<DeviceId, f32>,
    /// Width of each line that is known, in metres.
    pub line_widths_m: BTreeMap<DeviceId, f32>,
}

/// A drill that is on at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillWindow {
    /// Its number.
    pub drill: i64,
    /// Where.
    pub site: SiteId,
    /// Until when presses belong to it.
    pub until: UtcMs,
}
