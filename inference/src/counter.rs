//! One look at one camera: masks, change gate, detector, density map, zones, lines, one count with its interval.
//!
//! ```text
//! burn_masks -> ChangeGate -> Detector -> (DensityMap, when it is worth its time) -> one count -> zones, flows
//! ```

use std::time::{Duration, Instant};

use qorgan_domain::{I420, LineFlow, ZoneCount};

use crate::{
    Catalogue, CrowdModel, DensityMap, Detection, Detector, Estimate, ModelError, Point, Runtime, Scene, Verdict, burn_masks, cpu,
};

/// Which models a counter opens.
#[derive(Debug, Clone)]
pub struct CounterSetup {
    /// Manifest name of the detector.
    pub detector: String,
    /// Manifest name of the density map; none for the detector alone.
    pub density: Option<String>,
    /// Threads of one run; a counter per core with one thread each is the fastest use of a machine.
    pub threads: usize,
}

/// The models of one worker thread.
pub struct Counter {
    detector: Detector,
    density: Option<DensityMap>,
}

/// What a look at a picture says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Best estimate, in people.
    pub people: f32,
    /// Lower end of the 90 % interval, in people.
    pub low: f32,
    /// Upper end of the 90 % interval, in people.
    pub high: f32,
    /// Manifest names of the models behind the count, joined by `+`.
    pub model: String,
    /// Per zone of the setup, in its order.
    pub zones: Vec<ZoneCount>,
    /// Per line of the setup, in its order; empty when the looks are too far apart, or the crowd too close, to know.
    pub flows: Vec<LineFlow>,
    /// The picture had not changed: the count before was used again.
    pub unchanged: bool,
    /// CPU time of this look, by model.
    pub cost: Cost,
}

/// CPU time of the calling thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Scaling and running the detector.
    pub detector: Duration,
    /// Scaling and running the density map; zero when it did not run.
    pub density: Duration,
    /// Everything, masks and gate included.
    pub total: Duration,
}

impl Counter {
    /// Opens the models. A density map whose manifest says `enabled = false` is left out. Errors: as [`Detector::load`].
    pub fn open(runtime: &Runtime, catalogue: &Catalogue, setup: &CounterSetup) -> Result<Self, ModelError> {
        let dirs = catalogue.dirs();
        let detector = Detector::load(runtime, catalogue.get(&setup.detector)?, dirs, setup.threads)?;
        let density = match &setup.density {
            None => None,
            Some(name) => {
                let manifest = catalogue.get(name)?;
                manifest.enabled.then(|| DensityMap::load(runtime, manifest, dirs, setup.threads)).transpose()?
            }
        };
        Ok(Self { detector, density })
    }

    /// The detector, for what else needs boxes (the masking of stills).
    pub fn detector(&mut self) -> &mut Detector {
        &mut self.detector
    }

    /// Whether there is a density map.
    pub fn has_density(&self) -> bool {
        self.density.is_some()
    }

    /// Counts the people of a picture of the scene's camera. The scene's masks are burned into the picture, and stay in it.
    /// `now` is the monotonic time of the picture. Errors: the picture is not whole, or the runtime failed; the scene is then as
    /// before.
    pub fn look(&mut self, scene: &mut Scene, picture: &mut I420, now: Instant) -> Result<Reading, ModelError> {
        let started = cpu::now();
        burn_masks(picture, &scene.setup.masks)?;
        scene.sized((picture.width, picture.height));
        if let (Verdict::Reuse, Some(last)) = (scene.gate.judge(picture, now), &scene.last) {
            let flows = scene.flow.unchanged(now);
            let cost = Cost { total: cpu::since(started), ..Cost::default() };
            return Ok(Reading { flows, unchanged: true, cost, ..last.clone() });
        }
        let estimate = self.detector.estimate(picture)?;
        let detector = cpu::since(started);
        scene.gate.analysed(now);
        let size = (picture.width, picture.height);
        let reading = Reading {
            zones: zones(scene, &estimate, size),
            flows: scene.flow.step(&estimate.boxes, size, now),
            people: estimate.people,
            low: estimate.low,
            high: estimate.high,
            model: estimate.model,
            unchanged: false,
            cost: Cost { detector, density: Duration::ZERO, total: cpu::since(started) },
        };
        scene.last = Some(reading.clone());
        Ok(reading)
    }
}

/// People whose feet are inside each zone.
fn zones(scene: &Scene, estimate: &Estimate, size_px: (usize, usize)) -> Vec<ZoneCount> {
    let share = |part: f32| if estimate.people > 0.0 { part / estimate.people } else { 0.0 };
    let count = |(zone, area_m2): (&crate::Zone, &Option<f32>)| {
        let people = estimate.boxes.iter().filter(|found| zone.shape.contains(foot(found, size_px))).count() as f32;
        let (low, high) = if people > 0.0 {
            (estimate.low * share(people), estimate.high * share(people))
        } else {
            (0.0, estimate.high - estimate.people)
        };
        ZoneCount { zone: zone.id.clone(), people, low: low.min(people), high: high.max(people), area_m2: *area_m2 }
    };
    scene.setup.zones.iter().zip(&scene.areas_m2).map(count).collect()
}

/// Where a person stands, in fractions of the picture: the middle of the box's lower edge, just inside the picture.
pub(crate) fn foot(found: &Detection, size_px: (usize, usize)) -> Point {
    let part = |at: f32, length: usize| (at / length.max(1) as f32).clamp(0.0, 0.9999);
    Point { x: part((found.x0 + found.x1) / 2.0, size_px.0), y: part(found.y1, size_px.1) }
}
