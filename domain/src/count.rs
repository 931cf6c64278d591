//! How many people a camera sees: a number with an interval, nothing about who they are.

use crate::{DeviceRef, LineFlow, UtcMs, ZoneCount};

/// The largest count that is believed, in people. A stadium holds fewer.
pub const MAX_PEOPLE: f32 = 100_000.0;

/// Where a count was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountSource {
    /// By a model; its manifest name if the sender gave it.
    Model(String),
    /// By a device or system that does not say how.
    Foreign,
}

/// People seen at one moment by one camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    /// The camera.
    pub camera: DeviceRef,
    /// When the picture was taken.
    pub at: UtcMs,
    /// Best estimate, in people; may be fractional.
    pub people: f32,
    /// Lower end of the 90 % interval, in people.
    pub low: f32,
    /// Upper end of the 90 % interval, in people.
    pub high: f32,
    /// What made the count.
    pub source: CountSource,
    /// The scene had not changed, so the previous count was used again.
    pub unchanged: bool,
    /// People in each of the camera's zones; empty when it has none.
    pub zones: Vec<ZoneCount>,
    /// Crossings of each of its lines since the count before; empty when it has none.
    pub flows: Vec<LineFlow>,
}
