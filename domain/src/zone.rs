//! Parts of a camera's picture: people in a zone, people per square metre, people who cross a line.
//!
//! Totals only. Whoever counts crossings may follow a shape from one picture to the next inside the process; what leaves it is
//! how many crossed in which direction, never which.

use serde::{Deserialize, Serialize};

use crate::DeviceId;

/// Most zones, and most lines, of one camera.
pub const MAX_PARTS: usize = 32;

/// People inside one zone at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneCount {
    /// The zone's id, unique within its camera.
    pub zone: DeviceId,
    /// Best estimate, in people; may be fractional.
    pub people: f32,
    /// Lower end of the 90 % interval, in people.
    pub low: f32,
    /// Upper end of the 90 % interval, in people.
    pub high: f32,
    /// The zone's area on the ground, in m2; none without a ground-plane calibration.
    pub area_m2: Option<f32>,
}

impl ZoneCount {
    /// People per m2; none without a calibration.
    pub fn people_per_m2(&self) -> Option<f32> {
        self.area_m2.map(|area| self.people / area)
    }

    /// Lower end of the density's 90 % interval, in people per m2; the only one a safety limit may be judged by.
    pub fn low_people_per_m2(&self) -> Option<f32> {
        self.area_m2.map(|area| self.low / area)
    }

    /// Level of service of the best estimate.
    pub fn level(&self) -> Option<LevelOfService> {
        self.people_per_m2().map(LevelOfService::of)
    }
}

/// How freely people can move, by people per m2.
///
/// Source: J. J. Fruin, Pedestrian Planning and Design (1971), and The Causes and Prevention of Crowd Disasters (1993), for the two
/// highest bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelOfService {
    /// Under 0.43 per m2: everybody walks as they like.
    Free,
    /// Under 2: steps and ways are adapted to others.
    Adapted,
    /// Under 3.6: walking is slow, passing hardly possible.
    Slowed,
    /// Under 5.5: people touch without wanting to.
    Contact,
    /// Under 7.1: pushes go through the crowd.
    Dangerous,
    /// From 7.1: nobody moves of their own will any more.
    Critical,
}

impl LevelOfService {
    /// The level of a density in people per m2.
    pub fn of(people_per_m2: f32) -> Self {
        match people_per_m2 {
            d if d >= 7.1 => Self::Critical,
            d if d >= 5.5 => Self::Dangerous,
            d if d >= 3.6 => Self::Contact,
            d if d >= 2.0 => Self::Slowed,
            d if d >= 0.43 => Self::Adapted,
            _ => Self::Free,
        }
    }

    /// Name in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Adapted => "adapted",
            Self::Slowed => "slowed",
            Self::Contact => "contact",
            Self::Dangerous => "dangerous",
            Self::Critical => "critical",
        }
    }
}

/// People who crossed a line since the count before.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFlow {
    /// The line's id, unique within its camera.
    pub line: DeviceId,
    /// From the left to the right of the line, seen from its first point to its second.
    pub forward: u32,
    /// The other way.
    pub backward: u32,
    /// Length of time the two numbers stand for, in milliseconds.
    pub over_ms: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_change_at_fruins_bounds() {
        let at = |d: f32| LevelOfService::of(d).as_str();
        assert_eq!([0.0, 0.429, 0.43, 1.99, 2.0].map(at), ["free", "free", "adapted", "adapted", "slowed"]);
        assert_eq!([3.59, 3.6, 5.5, 7.09, 7.1, 20.0].map(at), ["slowed", "contact", "dangerous", "dangerous", "critical", "critical"]);
    }

    #[test]
    fn without_a_calibration_there_is_no_density() {
        let mut zone = ZoneCount { zone: "stairs".parse().unwrap(), people: 30.0, low: 20.0, high: 40.0, area_m2: None };
        assert_eq!((zone.people_per_m2(), zone.level()), (None, None));
        zone.area_m2 = Some(10.0);
        assert_eq!((zone.people_per_m2(), zone.low_people_per_m2(), zone.level()), (Some(3.0), Some(2.0), Some(LevelOfService::Slowed)));
    }
}
