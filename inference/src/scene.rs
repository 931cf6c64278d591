//! What is remembered of one camera between two of its pictures. No pixels but the change gate's coarse luma grid.

use std::time::Duration;

use crate::{Calibration, ChangeGate, GeometryError, GroundPlane, Line, Polygon, Reading, Zone, flow::Flow};

/// What a camera's configuration says of its picture.
#[derive(Debug, Clone)]
pub struct SceneSetup {
    /// Parts of the picture that are counted by themselves; may overlap.
    pub zones: Vec<Zone>,
    /// Lines whose crossings are counted.
    pub lines: Vec<Line>,
    /// Parts of the picture that nobody may see: burned in before anything else.
    pub masks: Vec<Polygon>,
    /// Ties the picture to the ground, for people per m2.
    pub calibration: Option<Calibration>,
    /// A picture that has not changed is analysed again when the last count is this old.
    pub stale_after: Duration,
}

impl Default for SceneSetup {
    /// The whole picture, no zones, no masks, 7 s.
    fn default() -> Self {
        Self { zones: Vec::new(), lines: Vec::new(), masks: Vec::new(), calibration: None, stale_after: Duration::from_secs(7) }
    }
}

/// The memory of one camera. Made when the camera is added or its setup changes; given to [`crate::Counter::look`] with every
/// picture of that camera, whichever thread's counter it is.
#[derive(Debug, Clone)]
pub struct Scene {
    pub(crate) setup: SceneSetup,
    pub(crate) gate: ChangeGate,
    pub(crate) flow: Flow,
    pub(crate) last: Option<Reading>,
    /// The size in pixels that `areas_m2` is of.
    pub(crate) size_px: Option<(usize, usize)>,
    /// Per zone, with a calibration.
    pub(crate) areas_m2: Vec<Option<f32>>,
}

impl Scene {
    /// A scene of which nothing is known yet. Errors: the calibration cannot be used.
    pub fn new(setup: SceneSetup) -> Result<Self, GeometryError> {
        if let Some(calibration) = &setup.calibration {
            calibration.check(16.0 / 9.0)?;
        }
        Ok(Self {
            gate: ChangeGate::new(setup.stale_after),
            flow: Flow::new(setup.lines.clone()),
            last: None,
            size_px: None,
            areas_m2: vec![None; setup.zones.len()],
            setup,
        })
    }

    /// Its setup.
    pub fn setup(&self) -> &SceneSetup {
        &self.setup
    }

    /// Learns the size of the pictures, and with it the zones' areas.
    pub(crate) fn sized(&mut self, size_px: (usize, usize)) {
        if self.size_px == Some(size_px) {
            return;
        }
        self.size_px = Some(size_px);
        let aspect = size_px.0 as f32 / size_px.1.max(1) as f32;
        let plane = self.setup.calibration.as_ref().and_then(|calibration| GroundPlane::new(calibration, aspect).ok());
        self.areas_m2 = self.setup.zones.iter().map(|zone| plane.as_ref().and_then(|plane| plane.area_m2(&zone.shape))).collect();
    }
}
