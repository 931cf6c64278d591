//! What is remembered of one camera between two of its pictures. No pixels but the change gate's coarse luma grid.

use std::time::{Duration, Instant};

use crate::{
    Calibration, ChangeGate, GeometryError, GroundPlane, Line, Polygon, Ratio, Reading, Zone, flow::Flow, parts::Spread, tiles::Tiling,
};

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
    /// What the density map has taught of this camera.
    pub(crate) ratio: Ratio,
    /// How closely the detector looks.
    pub(crate) tiling: Tiling,
    /// CPU time that may be spent on this camera now, in milliseconds; negative after a run on credit.
    pub(crate) credit_ms: f32,
    /// When it was last analysed, and the usual time between two looks, in seconds.
    pub(crate) analysed: Option<Instant>,
    pub(crate) interval_s: f32,
    /// When the density map ran last, and when small people were looked for.
    pub(crate) mapped: Option<Instant>,
    pub(crate) searched: Option<Instant>,
    /// The map's and the boxes' people per zone when the map ran last.
    pub(crate) spread: Option<(Spread, Spread)>,
    /// The last look-out saw a crowd that the detector does not see.
    pub(crate) far_crowd: bool,
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
            ratio: Ratio::new(),
            tiling: Tiling::Usual,
            credit_ms: 0.0,
            analysed: None,
            interval_s: 5.0,
            mapped: None,
            searched: None,
            spread: None,
            far_crowd: false,
            setup,
        })
    }

    /// Its setup.
    pub fn setup(&self) -> &SceneSetup {
        &self.setup
    }

    /// People per person detected, as the density map has taught it; none before it has.
    pub fn ratio(&self) -> Option<f32> {
        self.ratio.taught().then(|| self.ratio.ratio())
    }

    /// Forgets what the density map has taught: another picture, another ratio.
    pub(crate) fn renew(&mut self) {
        self.ratio.renew();
        self.spread = None;
        self.far_crowd = false;
    }

    /// Looks as closely as this from now on; the ratio of one way of looking is not that of the other.
    pub(crate) fn look_by(&mut self, tiling: Tiling) {
        if self.tiling != tiling {
            self.tiling = tiling;
            self.renew();
        }
    }

    /// Learns the size of the pictures, and with it the zones' areas.
    pub(crate) fn sized(&mut self, size_px: (usize, usize)) {
        if self.size_px == Some(size_px) {
            return;
        }
        if self.size_px.replace(size_px).is_some() {
            self.renew();
        }
        let aspect = size_px.0 as f32 / size_px.1.max(1) as f32;
        let plane = self.setup.calibration.as_ref().and_then(|calibration| GroundPlane::new(calibration, aspect).ok());
        self.areas_m2 = self.setup.zones.iter().map(|zone| plane.as_ref().and_then(|plane| plane.area_m2(&zone.shape))).collect();
    }
}
