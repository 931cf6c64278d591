//! The models of a worker until `qorgan_inference::Counter` takes over: the detector alone, with the same names.

use std::time::{Duration, Instant};

use qorgan_domain::{I420, LineFlow, ZoneCount};
use qorgan_inference::{ChangeGate, CrowdModel, Detector, Estimate, ModelError, Verdict};

pub(super) struct Counter(pub(super) Detector);

#[derive(Clone)]
pub(crate) struct SceneSetup {
    pub(crate) stale_after: Duration,
}

pub(super) struct Scene {
    gate: ChangeGate,
    last: Option<Estimate>,
}

pub(super) struct Cost {
    pub(super) detector: Duration,
    pub(super) density: Duration,
    pub(super) total: Duration,
}

pub(super) struct Reading {
    pub(super) people: f32,
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) model: String,
    pub(super) zones: Vec<ZoneCount>,
    pub(super) flows: Vec<LineFlow>,
    pub(super) unchanged: bool,
    pub(super) cost: Cost,
}

impl Scene {
    pub(super) fn new(setup: SceneSetup) -> Self {
        Self { gate: ChangeGate::new(setup.stale_after), last: None }
    }
}

impl Counter {
    pub(super) fn look(&mut self, scene: &mut Scene, picture: &mut I420, now: Instant) -> Result<Reading, ModelError> {
        let mut steps = super::cost::Steps::start();
        let verdict = scene.gate.judge(picture, now);
        let gate = steps.lap();
        let (estimate, unchanged) = match (verdict, scene.last.take()) {
            (Verdict::Reuse, Some(last)) => (last, true),
            _ => {
                let estimate = self.0.estimate(picture)?;
                scene.gate.analysed(now);
                (Estimate { boxes: Vec::new(), ..estimate }, false)
            }
        };
        let detector = steps.lap();
        scene.last = Some(estimate.clone());
        let Estimate { people, low, high, model, .. } = estimate;
        let cost = Cost { detector, density: Duration::ZERO, total: gate + detector };
        Ok(Reading { people, low, high, model, zones: Vec::new(), flows: Vec::new(), unchanged, cost })
    }
}
