//! One look at one camera: masks, change gate, detector, density map, zones, lines, one count with its interval.
//!
//! ```text
//! burn_masks -> ChangeGate -> Detector -> sparse? -> its own count
//!                                  \-> crowd -> DensityMap, when its budget allows -> Ratio -> one count -> zones, flows
//! ```
//!
//! The rule, in one paragraph: a scene with few, large, separate people is counted by the detector. Any other is looked at more
//! closely (more, smaller tiles), and detector and density map are joined by [`crate::Ratio`]: the map runs at once when the scene is
//! new, when the crowd has grown or shrunk by half, and else as often as the camera's budget of CPU time allows.
//! In a sparse scene the map is a look-out for crowds too far away for the detector, every [`LOOK_OUT_S`].

use std::time::{Duration, Instant};

use qorgan_domain::{I420, LineFlow, ZoneCount};

use crate::{
    Catalogue, CrowdGrid, DensityMap, Detection, Detector, Fused, Mapped, ModelError, Runtime, Scene, Verdict, Why, burn_masks, cpu,
    parts::{Spread, by_score, one},
    sparse::{self, Seen},
    tiles::Tiling,
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

/// How much CPU time a scene may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effort {
    /// A camera: at most about this many milliseconds of CPU per second and camera, beyond one look of the detector at a time.
    Budget {
        /// Milliseconds of CPU time per second of scene.
        ms_per_s: f32,
    },
    /// A single picture: small tiles, and the density map unless the scene is sparse.
    Thorough,
}

/// The models of one worker thread.
pub struct Counter {
    detector: Detector,
    density: Option<DensityMap>,
    effort: Effort,
    /// What a run costs here, in milliseconds: the usual look, the fine one, the map; per megapixel for the map.
    fine_ms: f32,
    map_ms_per_mpx: f32,
    /// Until when the map of a scene that is new has to wait, when there is no time.
    map_rests_until: Option<Instant>,
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

/// The budget until somebody sets another: a second of density map every half minute.
const USUAL_BUDGET: Effort = Effort::Budget { ms_per_s: 15.0 };

/// In a sparse scene the density map is asked this often, in seconds, whether there is a crowd far away.
pub const LOOK_OUT_S: u64 = 600;

/// In a scene with few people, seen doubtfully, the map is asked this often, in seconds, whether the detector is blind.
const DOUBT_S: u64 = 120;

/// A scene in which nobody small is seen is searched for small people this often.
const SEARCH: Duration = Duration::from_secs(600);

/// A scene is turned, or lit otherwise, when this part of the gate's cells changes at once.
const TURNED_CELLS: usize = 3_072 * 6 / 10;

/// With more pictures than time, the map of new scenes takes one part in so many of a worker's time.
const MAP_RESTS: u32 = 10;
const NO_TIME: Effort = Effort::Budget { ms_per_s: 0.0 };

/// First guesses of what runs cost, in milliseconds, until they are measured.
const FINE_MS: f32 = 60.0;
const MAP_MS_PER_MPX: f32 = 950.0;

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
        Ok(Self { detector, density, effort: USUAL_BUDGET, fine_ms: FINE_MS, map_ms_per_mpx: MAP_MS_PER_MPX, map_rests_until: None })
    }

    /// The detector, for what else needs boxes (the masking of stills).
    pub fn detector(&mut self) -> &mut Detector {
        &mut self.detector
    }

    /// Whether there is a density map.
    pub fn has_density(&self) -> bool {
        self.density.is_some()
    }

    /// What a scene may cost from now on. With many cameras on a machine: its cores x 1000 ms x the part that counting may take,
    /// by the number of cameras.
    pub fn set_effort(&mut self, effort: Effort) {
        self.effort = effort;
    }

    /// Counts the people of a picture of the scene's camera. The scene's masks are burned into the picture, and stay in it.
    /// `now` is the monotonic time of the picture. Errors: the picture is not whole, or the runtime failed; the scene then keeps
    /// its last count.
    pub fn look(&mut self, scene: &mut Scene, picture: &mut I420, now: Instant) -> Result<Reading, ModelError> {
        let started = cpu::now();
        burn_masks(picture, &scene.setup.masks)?;
        let size = (picture.width, picture.height);
        scene.sized(size);
        match (scene.gate.judge(picture, now), &scene.last) {
            (Verdict::Reuse, Some(last)) => {
                let flows = scene.flow.unchanged(now);
                let cost = Cost { total: cpu::since(started), ..Cost::default() };
                return Ok(Reading { flows, unchanged: true, cost, ..last.clone() });
            }
            (Verdict::Analyse(Why::Changed { cells }), _) if cells >= TURNED_CELLS => scene.renew(),
            _ => {}
        }
        let seconds = self.earn(scene, now);
        let mut cost = Cost::default();
        let (candidates, seen) = self.detect(scene, picture, now, &mut cost)?;
        let map = self.map_if_worth_it(scene, picture, &seen, now, &mut cost)?;
        scene.gate.analysed(now);
        scene.analysed = Some(now);

        let crowd = (seen.crowd.is_some() && !seen.few(scene.ratio.taught())) || scene.far_crowd;
        let (fused, model) = if crowd {
            let mapped = map.as_ref().map(|map| Mapped { people: map.sum(), dense_part: map.dense_part });
            let fused = scene.ratio.look(seconds, seen.soft, mapped);
            (fused, self.names(scene.ratio.taught()))
        } else {
            let people = seen.sure.len() as f32;
            let interval = self.detector.manifest().errors.interval(people);
            // Who is seen doubtfully is in the interval, not in the count.
            let high = interval.high.max(people + seen.doubtful());
            (Fused { people, low: interval.low, high }, self.names(false))
        };
        let zones = zones(scene, if crowd { &candidates } else { &seen.sure }, crowd, map.as_ref(), fused, size);
        let flows = scene.flow.step(&seen.sure, size, now);
        cost.total = cpu::since(started);
        scene.credit_ms -= ms(cost.total);
        let Fused { people, low, high } = fused;
        let reading = Reading { people, low, high, model, zones, flows, unchanged: false, cost };
        scene.last = Some(reading.clone());
        Ok(reading)
    }

    /// Adds what the time since the last look is worth to the scene's credit. Seconds since then.
    fn earn(&self, scene: &mut Scene, now: Instant) -> f32 {
        let Some(last) = scene.analysed else { return 0.0 };
        let seconds = now.saturating_duration_since(last).as_secs_f32();
        scene.interval_s = 0.7 * scene.interval_s + 0.3 * seconds.min(60.0);
        if let Effort::Budget { ms_per_s } = self.effort {
            let most = self.map_ms(scene.size_px.unwrap_or_default()) + ms_per_s * scene.interval_s;
            scene.credit_ms = (scene.credit_ms + ms_per_s * seconds).min(most);
        }
        seconds
    }

    /// Candidates, looked for as closely as the scene needs and the budget allows, and what they say.
    fn detect(&mut self, scene: &mut Scene, picture: &I420, now: Instant, cost: &mut Cost) -> Result<(Vec<Detection>, Seen), ModelError> {
        let affordable = match self.effort {
            Effort::Thorough => true,
            Effort::Budget { ms_per_s } => self.fine_ms <= ms_per_s * scene.interval_s,
        };
        let search = affordable && scene.searched.is_some_and(|then| now.saturating_duration_since(then) >= SEARCH);
        if self.effort == Effort::Thorough || search {
            scene.look_by(Tiling::Fine);
        } else if !affordable {
            scene.look_by(Tiling::Usual);
        }
        let expected = self.effort == Effort::Thorough || scene.ratio.taught();
        let mut found = self.candidates(picture, scene.tiling, expected, cost)?;
        if scene.tiling == Tiling::Usual && found.1.crowd.is_some() && affordable {
            scene.look_by(Tiling::Fine);
            found = self.candidates(picture, scene.tiling, expected, cost)?;
        }
        if scene.tiling == Tiling::Fine || scene.searched.is_none() {
            scene.searched = Some(now);
        }
        // Sparse even so: the next look need not be as close.
        if scene.tiling == Tiling::Fine && found.1.crowd.is_none() && self.effort != Effort::Thorough {
            scene.look_by(Tiling::Usual);
        }
        Ok(found)
    }

    fn candidates(
        &mut self,
        picture: &I420,
        tiling: Tiling,
        crowd_expected: bool,
        cost: &mut Cost,
    ) -> Result<(Vec<Detection>, Seen), ModelError> {
        let started = cpu::now();
        let candidates = self.detector.candidates(picture, sparse::CANDIDATE, tiling)?;
        let spent = cpu::since(started);
        cost.detector += spent;
        if tiling == Tiling::Fine {
            self.fine_ms += 0.2 * (ms(spent) - self.fine_ms);
        }
        let scale = self.detector.input_scale((picture.width, picture.height), tiling);
        let seen = sparse::judge(&candidates, self.detector.score_threshold(), scale, crowd_expected);
        Ok((candidates, seen))
    }

    /// Runs the density map when it is worth its time.
    fn map_if_worth_it(
        &mut self,
        scene: &mut Scene,
        picture: &I420,
        seen: &Seen,
        now: Instant,
        cost: &mut Cost,
    ) -> Result<Option<CrowdGrid>, ModelError> {
        let map_ms = self.map_ms((picture.width, picture.height));
        let Some(density) = &mut self.density else { return Ok(None) };
        let crowd = seen.crowd.is_some() || scene.far_crowd;
        let left_ms = scene.credit_ms - ms(cost.detector);
        // A hundred new scenes must not make every other camera late.
        let rested = self.effort != NO_TIME || self.map_rests_until.is_none_or(|until| now >= until);
        let worth = match self.effort {
            Effort::Thorough => crowd,
            // Once at once: the detector may be blind. Then now and then.
            Effort::Budget { .. } if crowd && seen.few(scene.ratio.taught()) && !scene.far_crowd => {
                scene.mapped.is_none_or(|then| now.saturating_duration_since(then).as_secs() >= DOUBT_S && left_ms >= map_ms)
            }
            Effort::Budget { .. } if crowd => {
                (!scene.ratio.taught() && rested) || left_ms >= map_ms || (scene.ratio.outgrown(seen.soft) && left_ms >= map_ms / 2.0)
            }
            // The first look-out waits until the scene has been seen for a while, so that a hundred cameras do not start with it.
            Effort::Budget { .. } => {
                let since = scene.mapped.or(scene.searched);
                since.is_some_and(|then| now.saturating_duration_since(then).as_secs() >= LOOK_OUT_S) && left_ms >= 0.0
            }
        };
        if !worth {
            return Ok(None);
        }
        let started = cpu::now();
        let map = density.map(picture)?.without(&scene.setup.masks);
        cost.density = cpu::since(started);
        if let Effort::Budget { .. } = self.effort {
            let megapixels = (picture.width * picture.height) as f32 / 1e6;
            self.map_ms_per_mpx += 0.3 * (ms(cost.density) / megapixels.max(1e-3) - self.map_ms_per_mpx);
        }
        self.map_rests_until = now.checked_add(cost.density * MAP_RESTS);
        scene.mapped = Some(now);
        let judged = seen.crowd.is_none() || seen.few(scene.ratio.taught());
        let far = judged && seen.misses_crowd(map.sum());
        if far != scene.far_crowd && judged {
            scene.renew();
            scene.far_crowd = far;
        }
        Ok(Some(map))
    }

    fn map_ms(&self, size_px: (usize, usize)) -> f32 {
        self.map_ms_per_mpx * (size_px.0 * size_px.1) as f32 / 1e6
    }

    fn names(&self, with_map: bool) -> String {
        use crate::CrowdModel;
        match &self.density {
            Some(density) if with_map => format!("{}+{}", self.detector.name(), density.name()),
            _ => self.detector.name().to_owned(),
        }
    }
}

fn ms(time: Duration) -> f32 {
    time.as_secs_f32() * 1e3
}

/// The zones' parts of the count. In a crowd the map says where people are, and the boxes what changed since.
fn zones(
    scene: &mut Scene,
    boxes: &[Detection],
    crowd: bool,
    map: Option<&CrowdGrid>,
    fused: Fused,
    size_px: (usize, usize),
) -> Vec<ZoneCount> {
    let zones = &scene.setup.zones;
    if zones.is_empty() {
        return Vec::new();
    }
    let now = Spread::of_boxes(zones, boxes, size_px, if crowd { by_score } else { one });
    if let Some(map) = map.filter(|_| crowd) {
        scene.spread = Some((Spread::of_map(zones, map), now.clone()));
    }
    let spread = match &scene.spread {
        Some((map, then)) if crowd => map.moved(then, &now, scene.ratio.ratio()),
        _ => now,
    };
    spread.counts(zones, &scene.areas_m2, fused)
}
