//! A worker thread: the camera that the desk names, its newest key frame, a picture, a count.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use qorgan_domain::{Clock, Count, CountSource, DeviceRef, UtcMs};
use qorgan_inference::{
    Counter, Effort, GeometryError, Hurry, Look, Point, Polygon, Reading, Scene, SceneSetup,
    quality::{PictureHealth, Quality},
    time_scaling,
};
use qorgan_ingest::camera::{Decoder, KeyFrame, KeyFrames};
use tokio::runtime::Handle;

use super::{
    Publish, TellPicture,
    closely::{Fresh, Pictures},
    cost::{Steps, spent},
    desk::{Desk, Turn},
};
use crate::error::chain;

/// This share of the workers' time may go into closer looks: smaller tiles, the density map. The rest is for looks in time.
const CLOSER_SHARE: f32 = 0.25;
/// With few cameras, a camera gets at most this.
const MOST_CLOSER_MS_PER_S: f32 = 60.0;

/// What all workers share.
pub(super) struct Workers {
    pub(super) frames: Arc<KeyFrames>,
    /// Of cameras that are watched closely.
    pub(super) pictures: Pictures,
    pub(super) desk: Desk,
    /// One set of decoders for all workers.
    pub(super) decoder: Decoder,
    pub(super) scenes: Scenes,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) publish: Publish,
    pub(super) tell_picture: TellPicture,
    pub(super) runtime: Handle,
    /// How many there are.
    pub(super) workers: usize,
}

/// What there is to look at.
enum Work {
    KeyFrame(KeyFrame),
    Picture(Fresh),
}

impl Work {
    fn received_at(&self) -> UtcMs {
        match self {
            Work::KeyFrame(frame) => frame.received_at,
            Work::Picture(fresh) => fresh.received_at,
        }
    }
}

/// What is remembered of each camera between two of its pictures; no pixels but coarse grids.
pub(super) struct Scenes {
    cameras: Mutex<HashMap<DeviceRef, Slot>>,
    /// Of a camera that has no setup of its own.
    usual: Scene,
}

struct Slot {
    /// As it is before the first picture.
    scene: Scene,
    /// Counts changes of the setup: a memory of an older one is not put back.
    version: u64,
    /// Absent while a worker has it, and before the first picture.
    memory: Option<Box<Memory>>,
}

pub(super) struct Memory {
    scene: Scene,
    quality: Quality,
    version: u64,
}

impl Scenes {
    /// Errors: as [`Scene::new`].
    pub(super) fn new(usual: SceneSetup) -> Result<Self, GeometryError> {
        Ok(Self { cameras: Mutex::default(), usual: Scene::new(usual)? })
    }

    /// Gives a camera another setup; what was remembered of it is of another scene.
    pub(super) fn set(&self, camera: &DeviceRef, setup: SceneSetup) -> Result<(), GeometryError> {
        let scene = Scene::new(setup)?;
        let mut cameras = self.lock();
        let version = cameras.get(camera).map_or(0, |slot| slot.version + 1);
        cameras.insert(camera.clone(), Slot { scene, version, memory: None });
        Ok(())
    }

    pub(super) fn forget(&self, camera: &DeviceRef) {
        self.lock().remove(camera);
    }

    /// Lets the picture's quality be judged against what it shows from now on.
    pub(super) fn accept_view(&self, camera: &DeviceRef) {
        if let Some(memory) = self.lock().get_mut(camera).and_then(|slot| slot.memory.as_mut()) {
            memory.quality.accept_view();
        }
    }

    fn take(&self, camera: &DeviceRef) -> Box<Memory> {
        let mut cameras = self.lock();
        let slot = cameras.entry(camera.clone()).or_insert_with(|| Slot { scene: self.usual.clone(), version: 0, memory: None });
        slot.memory.take().unwrap_or_else(|| {
            let masks = &slot.scene.setup().masks;
            Box::new(Memory { quality: Quality::new(|x, y| lies_under(masks, x, y)), scene: slot.scene.clone(), version: slot.version })
        })
    }

    fn put(&self, camera: &DeviceRef, memory: Box<Memory>) {
        if let Some(slot) = self.lock().get_mut(camera).filter(|slot| slot.version == memory.version) {
            slot.memory = Some(memory);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeviceRef, Slot>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workers {
    /// Works until the desk closes.
    pub(super) fn work(&self, mut counter: Counter) {
        while let Some(Turn { camera, hurry, cameras }) = self.desk.next() {
            counter.detector().set_hurry(hurry);
            let ms_per_s = if hurry > Hurry::None { 0.0 } else { closer_ms_per_s(self.workers, cameras) };
            counter.set_effort(Effort::Budget { ms_per_s });
            metrics::gauge!("qorgan_cameras_pressed").set(f64::from(hurry as u8));
            let started = Instant::now();
            let Some(work) = self.work_of(&camera) else {
                self.desk.looked(&camera, None);
                continue;
            };
            let received_at = work.received_at();
            // A picture that makes a parser panic costs that frame, its decoder and the camera's memory, not the thread.
            let counted = catch_unwind(AssertUnwindSafe(|| self.count(&camera, work, &mut counter)))
                .unwrap_or_else(|_| Err("panicked; its decoder was thrown away".to_owned()));
            let look = match counted {
                Ok(count) => {
                    metrics::histogram!("qorgan_frame_seconds").record(started.elapsed().as_secs_f64());
                    let age = self.clock.utc().ms_since(received_at).max(0);
                    metrics::histogram!("qorgan_count_age_seconds").record(age as f64 / 1000.0);
                    let look = Look { people: count.people, unchanged: count.unchanged };
                    self.runtime.spawn((self.publish)(count));
                    Some(look)
                }
                Err(error) => {
                    metrics::counter!("qorgan_frames_failed_total").increment(1);
                    tracing::warn!(%camera, error, "a key frame gave no count");
                    None
                }
            };
            self.desk.looked(&camera, look);
        }
    }

    /// The newer of the camera's key frame and, while it is watched closely, its newest picture; the other is of no use then.
    fn work_of(&self, camera: &DeviceRef) -> Option<Work> {
        match (self.frames.take(camera), self.pictures.take(camera)) {
            (Some(frame), Some(fresh)) if frame.received < fresh.received => Some(Work::Picture(fresh)),
            (Some(frame), _) => Some(Work::KeyFrame(frame)),
            (None, fresh) => fresh.map(Work::Picture),
        }
    }

    fn count(&self, camera: &DeviceRef, work: Work, counter: &mut Counter) -> Result<Count, String> {
        let mut steps = Steps::start();
        let (mut picture, received_at, received, key) = match work {
            Work::Picture(Fresh { picture, received_at, received }) => (picture, received_at, received, false),
            Work::KeyFrame(frame) => {
                let picture = self.decoder.decode(&frame).map_err(|error| chain(&error))?;
                spent("decode", steps.lap());
                (picture, frame.received_at, frame.received, true)
            }
        };
        let mut memory = self.scenes.take(camera);
        let scaling = time_scaling();
        let reading = counter.look(&mut memory.scene, &mut picture, received).map_err(|error| chain(&error));
        let scaling = time_scaling().saturating_sub(scaling);
        steps.lap();
        // After the masks were burned in: nothing else sees what lies under them.
        let health = if key { memory.quality.look(&picture, received) } else { None };
        spent("quality", steps.lap());
        self.scenes.put(camera, memory);
        if let Some(health) = health {
            self.tell(camera, health);
        }
        let reading = reading?;
        note_cost(&reading, scaling);
        Ok(Count {
            camera: camera.clone(),
            at: received_at,
            people: reading.people,
            low: reading.low,
            high: reading.high,
            source: CountSource::Model(reading.model),
            unchanged: reading.unchanged,
            zones: reading.zones,
            flows: reading.flows,
        })
    }

    fn tell(&self, camera: &DeviceRef, health: PictureHealth) {
        if let Some(fault) = health.fault {
            metrics::counter!("qorgan_picture_faults_total", "fault" => fault.as_str()).increment(1);
        }
        (self.tell_picture)(camera.clone(), health);
    }
}

/// CPU milliseconds per second of scene that a camera may cost beyond the usual look: an even part of a share of the workers' time.
fn closer_ms_per_s(workers: usize, cameras: usize) -> f32 {
    (CLOSER_SHARE * 1000.0 * workers as f32 / cameras.max(1) as f32).min(MOST_CLOSER_MS_PER_S)
}

fn lies_under(masks: &[Polygon], x: f32, y: f32) -> bool {
    masks.iter().any(|mask| mask.contains(Point { x, y }))
}

fn note_cost(reading: &Reading, scaling: Duration) {
    let models = reading.cost.detector + reading.cost.density;
    spent("gate", reading.cost.total.saturating_sub(models));
    if !reading.unchanged {
        metrics::counter!("qorgan_frames_analysed_total").increment(1);
        spent("scale", scaling);
        spent("inference", models.saturating_sub(scaling));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closer_looks_share_a_quarter_of_the_workers_time() {
        assert_eq!(closer_ms_per_s(1, 3), MOST_CLOSER_MS_PER_S);
        assert_eq!(closer_ms_per_s(2, 400), 1.25);
        assert_eq!(closer_ms_per_s(2, 0), MOST_CLOSER_MS_PER_S);
    }
}
