//! Sites with an open incident are watched closely: their cameras are decoded whole, not key frames only, and looked at twice a
//! second, as long as no other camera has to wait past its limit for it.
//!
//! One thread decodes all of them, the newest picture of each waits in a slot for the workers. How many are watched closely at
//! once is bounded; of the others every key frame is looked at.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use qorgan_domain::{
    DeviceRef, I420, SiteId, UtcMs,
    alert::{Alert, Cause, Level},
};
use qorgan_ingest::camera::{AccessUnit, Cameras, StreamDecoder, Tap, TapItem};
use tokio_util::task::AbortOnDropHandle;

use super::worker::Workers;
use crate::error::chain;

/// Cameras decoded whole at once: eight of 1920x1080 take two thirds of a core, and never time that another camera needs.
const MOST: usize = 8;
/// How often a worker looks at each, at most.
const EVERY: Duration = Duration::from_millis(500);
/// Units on their way to the decoding thread, of all cameras: two seconds of eight.
const QUEUE: usize = 400;

/// Whether an incident at a site makes its cameras worth the time: an alarm that is no test, a crossed safety limit, an incident
/// that a person opened.
pub(super) fn is_incident(alert: &Alert) -> bool {
    alert.is_open()
        && match &alert.cause {
            Cause::Alarm(alarm) => !alarm.test,
            Cause::Crowd(_) => alert.level >= Level::Warning,
            Cause::Incident(_) => true,
            Cause::Trouble(_) | Cause::Hazard(_) => false,
        }
}

/// A picture that was decoded from the running stream.
pub(super) struct Fresh {
    pub(super) picture: I420,
    pub(super) received_at: UtcMs,
    pub(super) received: Instant,
}

/// The newest picture of each camera that is watched closely; one that nobody took is replaced.
#[derive(Default)]
pub(super) struct Pictures(Mutex<HashMap<DeviceRef, Fresh>>);

impl Pictures {
    pub(super) fn take(&self, camera: &DeviceRef) -> Option<Fresh> {
        self.lock().remove(camera)
    }

    fn put(&self, camera: &DeviceRef, fresh: Fresh) {
        self.lock().insert(camera.clone(), fresh);
    }

    fn waits(&self, camera: &DeviceRef) -> bool {
        self.lock().contains_key(camera)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeviceRef, Fresh>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What goes to the decoding thread.
enum Work {
    Unit(DeviceRef, AccessUnit),
    /// Frames of the camera were lost.
    Missed(DeviceRef),
    /// It is not watched any more.
    Gone(DeviceRef),
}

/// Watches cameras closely. Dropping it ends that; the thread ends with the last sender.
pub(super) struct Closely {
    shared: Arc<Workers>,
    cameras: Cameras,
    taps: BTreeMap<DeviceRef, AbortOnDropHandle<()>>,
    /// Not watched any more; the decoding thread has not been told yet.
    gone: Vec<DeviceRef>,
    work: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Closely {
    pub(super) fn new(shared: Arc<Workers>, cameras: Cameras) -> std::io::Result<Self> {
        let (work, units) = sync_channel(QUEUE);
        let workers = shared.clone();
        let thread = std::thread::Builder::new().name("follow".into()).spawn(move || {
            crate::hub::machine::step_back();
            decode(&workers, &units);
        })?;
        Ok(Self { shared, cameras, taps: BTreeMap::new(), gone: Vec::new(), work: Some(work), thread: Some(thread) })
    }

    /// The sites with an open incident, now: their cameras are watched closely, no others. Must be called inside a runtime.
    pub(super) fn sites(&mut self, sites: &BTreeSet<SiteId>) {
        let wanted = self.shared.desk.watch_sites(sites, EVERY);
        let close: BTreeSet<DeviceRef> = wanted.into_iter().take(MOST).collect();
        let Some(work) = &self.work else { return };
        let (kept, gone) = std::mem::take(&mut self.taps).into_iter().partition(|(camera, _)| close.contains(camera));
        self.taps = kept;
        let gone: BTreeMap<DeviceRef, AbortOnDropHandle<()>> = gone;
        self.gone.extend(gone.into_keys());
        self.gone.retain(|camera| matches!(work.try_send(Work::Gone(camera.clone())), Err(TrySendError::Full(_))));
        for camera in close {
            if !self.taps.contains_key(&camera)
                && let Some(tap) = self.cameras.full_rate(&camera)
            {
                let feeding = tokio::spawn(feed(camera.clone(), tap, work.clone()));
                self.taps.insert(camera, AbortOnDropHandle::new(feeding));
            }
        }
        metrics::gauge!("qorgan_cameras_watched_closely").set(self.taps.len() as f64);
    }

    /// Ends the thread and waits for it.
    pub(super) async fn stop(&mut self) {
        self.taps.clear();
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// From a tap to the decoding thread; what it has no time for is lost and counted, and decoding goes on at the next key frame.
async fn feed(camera: DeviceRef, mut tap: Tap, work: SyncSender<Work>) {
    let mut lost = false;
    while let Some(item) = tap.next().await {
        let next = match item {
            TapItem::Unit(unit) if lost && !unit.key => continue,
            TapItem::Unit(unit) => Work::Unit(camera.clone(), unit),
            TapItem::Missed(_) | TapItem::Down(_) => Work::Missed(camera.clone()),
        };
        lost = matches!(work.try_send(next), Err(TrySendError::Full(_)));
        if lost {
            metrics::counter!("qorgan_units_lost_total", "camera" => camera.to_string()).increment(1);
        }
    }
}

/// The decoding thread: a decoder per camera, a picture in its slot whenever a worker will want one.
fn decode(shared: &Workers, units: &Receiver<Work>) {
    let mut decoders: HashMap<DeviceRef, Following> = HashMap::new();
    while let Ok(work) = units.recv() {
        match work {
            Work::Gone(camera) => drop((decoders.remove(&camera), shared.pictures.take(&camera))),
            Work::Missed(camera) => {
                if let Some(following) = decoders.get_mut(&camera) {
                    following.decoder.missed();
                }
            }
            Work::Unit(camera, unit) => {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(shared, &mut decoders, &camera, unit)));
                if !matches!(result, Ok(Ok(()))) {
                    // A new one begins with the next key frame.
                    decoders.remove(&camera);
                    let error = match result {
                        Ok(Err(error)) => error,
                        _ => "panicked".to_owned(),
                    };
                    tracing::warn!(%camera, error, "a camera that is watched closely does not decode");
                }
            }
        }
    }
}

/// A stream that is decoded whole.
struct Following {
    decoder: StreamDecoder,
    /// When a worker was last given a picture.
    given: Option<Instant>,
}

fn step(shared: &Workers, decoders: &mut HashMap<DeviceRef, Following>, camera: &DeviceRef, unit: AccessUnit) -> Result<(), String> {
    let mut steps = super::cost::Steps::start();
    let fits = decoders.get(camera).is_some_and(|following| following.decoder.fits(unit.codec, unit.size_px));
    if !fits {
        let decoder = StreamDecoder::new(unit.codec, unit.size_px).map_err(|error| chain(&error))?;
        decoders.insert(camera.clone(), Following { decoder, given: None });
    }
    let Some(following) = decoders.get_mut(camera) else { return Ok(()) };
    following.decoder.push(unit.data, unit.key).map_err(|error| chain(&error))?;
    // Every picture is decoded, as the next builds on it; only those that a worker will look at are copied out.
    let due = following.given.is_none_or(|given| unit.received.saturating_duration_since(given) >= EVERY) && !shared.pictures.waits(camera);
    if due && let Some(picture) = following.decoder.newest() {
        let picture = picture.map_err(|error| chain(&error))?;
        following.given = Some(unit.received);
        shared.pictures.put(camera, Fresh { picture, received_at: unit.received_at, received: unit.received });
        shared.desk.arrived(camera, Instant::now());
    }
    super::cost::spent("decode_closely", steps.lap());
    Ok(())
}
