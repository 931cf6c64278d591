//! What enters fusion.

use crate::{Alarm, Count};

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
    /// Time passes; lets silence and persistence have their effect.
    Tick,
}
