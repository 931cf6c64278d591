//! Cameras and counting: worker threads that turn the newest key frames into counts.
//!
//! Each worker has its own decoder and its own model session. The scheduler picks the camera; a scene that
//! has not changed reuses its count. A count leaves on its MQTT topic like any foreign one. Pixels die here.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use qorgan_domain::{CameraHealth, Clock, Count, CountSource, DeviceRef};
use qorgan_inference::{Catalogue, ChangeGate, Detector, Estimate, Limits, ModelDirs, Runtime, Scheduler, Verdict};
use qorgan_ingest::camera::{CameraSpec, CameraUrl, Cameras, Credentials, Decoder, KeyFrame, KeyFrames, Settings, Wait};
use qorgan_ingest::mqtt::Mqtt;
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{App, StartError};
use crate::{config::Config, error::chain};

/// A worker looks this often whether it should end.
const WAIT: Duration = Duration::from_millis(500);
/// Changes of health on their way.
pub(super) const HEALTH_QUEUE: usize = 1_024;

/// Opened models and checked cameras, before anything runs.
pub(super) struct Prepared {
    pub(super) detectors: Vec<Detector>,
    /// One more session, for stills.
    pub(super) still_detector: Arc<Mutex<Detector>>,
    pub(super) frames: Arc<KeyFrames>,
    specs: Vec<CameraSpec>,
}

/// The running edge.
pub(super) struct Edge {
    frames: Arc<KeyFrames>,
    cameras: Cameras,
    workers: Vec<std::thread::JoinHandle<()>>,
}

/// Where a finished count goes.
pub(super) type Publish = Arc<dyn Fn(Count) -> BoxFuture<'static, ()> + Send + Sync>;

/// Loads the library and the models and reads the cameras' secrets; whatever is wrong with them is an error here.
pub(super) fn prepare(config: &Config) -> Result<Prepared, StartError> {
    let specs = config.cameras().filter_map(|(_, camera)| camera.url.as_ref().map(|url| (camera, url)));
    let specs: Vec<CameraSpec> = specs
        .map(|(camera, url)| {
            let fail = |error: &dyn std::error::Error| StartError::Camera(camera.id.to_string(), chain(error));
            let url: CameraUrl = url.parse().map_err(|e| fail(&e))?;
            let credentials = match &camera.login {
                None => None,
                Some((user, source)) => Some(Credentials { user: user.clone(), password: source.read().map_err(|e| fail(&e))? }),
            };
            Ok(CameraSpec { credentials, ..CameraSpec::new(camera.id.clone(), url) })
        })
        .collect::<Result<_, StartError>>()?;
    let fail = |error: qorgan_inference::ModelError| StartError::Models(chain(&error));
    let runtime = Runtime::load(&config.models.runtime).map_err(fail)?;
    let dirs = ModelDirs { models: config.models.dir.clone(), made: config.models.fetched.clone() };
    let catalogue = Catalogue::read(&dirs).map_err(fail)?;
    let manifest = catalogue.get(&config.models.detector).map_err(fail)?;
    let open = || Detector::load(&runtime, manifest, &dirs, 1).map_err(fail);
    if let Some(density) = &config.models.density {
        let manifest = catalogue.get(density).map_err(fail)?;
        if manifest.enabled {
            qorgan_inference::verify(manifest, &dirs, &runtime).map_err(fail)?;
        }
    }
    let detectors = (0..config.models.workers).map(|_| open()).collect::<Result<_, _>>()?;
    Ok(Prepared { detectors, still_detector: Arc::new(Mutex::new(open()?)), frames: Arc::new(KeyFrames::new()), specs })
}

/// Starts cameras and workers inside a hub; also gives the task that passes health on to the screens.
pub(super) fn start(
    prepared: Prepared,
    app: &App,
    mqtt: &Arc<Mqtt>,
    cancel: &CancellationToken,
) -> Result<(Edge, JoinHandle<()>), StartError> {
    let mqtt = mqtt.clone();
    let publish: Publish = Arc::new(move |count| {
        let mqtt = mqtt.clone();
        Box::pin(async move {
            if let Err(error) = mqtt.publish_count(&count).await {
                tracing::warn!(camera = %count.camera, error = chain(&error), "a count could not be published");
            }
        })
    });
    let (sender, mut health) = mpsc::channel::<CameraHealth>(HEALTH_QUEUE);
    let edge = start_workers(prepared, &app.config, &app.clock, publish, &sender, cancel)?;
    let app = app.clone();
    let task = tokio::spawn(async move {
        while let Some(change) = health.recv().await {
            if let Some(view) = app.cameras.health(change, app.clock.utc()) {
                app.show_camera(view);
            }
        }
    });
    Ok((edge, task))
}

pub(super) fn start_workers(
    prepared: Prepared,
    config: &Config,
    clock: &Arc<dyn Clock>,
    publish: Publish,
    health: &mpsc::Sender<CameraHealth>,
    cancel: &CancellationToken,
) -> Result<Edge, StartError> {
    let Prepared { detectors, frames, specs, .. } = prepared;
    let stale_after = Duration::from_secs(u64::from(config.models.staleness_s));
    let limits = Limits { stale_after, min_interval: Duration::ZERO };
    let shared = Arc::new(Workers {
        frames: frames.clone(),
        scheduler: Mutex::new(Scheduler::new(limits)),
        memories: Mutex::default(),
        clock: clock.clone(),
        publish,
        runtime: Handle::current(),
        stale_after,
    });
    let workers = detectors
        .into_iter()
        .enumerate()
        .map(|(i, detector)| {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name(format!("count-{i}"))
                .spawn(move || {
                    super::machine::step_back();
                    shared.work(detector);
                })
                .map_err(|error| StartError::Models(format!("worker thread: {error}")))
        })
        .collect::<Result<_, _>>()?;
    let cameras = Cameras::start(specs, &frames, health, clock, &Settings::default(), cancel);
    Ok(Edge { frames, cameras, workers })
}

impl Edge {
    /// A handle of the cameras.
    pub(super) fn cameras(&self) -> Cameras {
        self.cameras.clone()
    }

    /// Stops cameras and workers. ONNX Runtime's sessions are gone before the process ends.
    pub(super) async fn stop(self) {
        self.cameras.stop().await;
        self.frames.close();
        let join = move || self.workers.into_iter().for_each(|worker| drop(worker.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

/// What is remembered of a camera between two of its frames; no pixels but the gate's coarse luma grid.
struct Memory {
    gate: ChangeGate,
    last: Option<Estimate>,
}

struct Workers {
    frames: Arc<KeyFrames>,
    scheduler: Mutex<Scheduler<DeviceRef>>,
    memories: Mutex<HashMap<DeviceRef, Memory>>,
    clock: Arc<dyn Clock>,
    publish: Publish,
    runtime: Handle,
    stale_after: Duration,
}

impl Workers {
    fn work(&self, mut detector: Detector) {
        let mut decoder = Decoder::new();
        loop {
            match self.frames.wait(WAIT) {
                Wait::Closed => return,
                Wait::TimedOut => continue,
                Wait::Ready => {}
            }
            let Some(frame) = self.pick() else { continue };
            let camera = frame.camera.clone();
            let started = Instant::now();
            // A picture that makes a parser panic costs that frame and the decoder, not the thread.
            let counted = catch_unwind(AssertUnwindSafe(|| self.count(&frame, &mut decoder, &mut detector))).unwrap_or_else(|_| {
                decoder = Decoder::new();
                Err("panicked; its decoder was replaced".to_owned())
            });
            match counted {
                Ok(count) => {
                    metrics::histogram!("qorgan_frame_seconds").record(started.elapsed().as_secs_f64());
                    let age = self.clock.utc().ms_since(frame.received_at).max(0);
                    metrics::histogram!("qorgan_count_age_seconds").record(age as f64 / 1000.0);
                    lock(&self.scheduler).counted(&camera, count.people);
                    self.runtime.spawn((self.publish)(count));
                }
                Err(error) => {
                    metrics::counter!("qorgan_frames_failed_total").increment(1);
                    tracing::warn!(%camera, error, "a key frame gave no count");
                }
            }
        }
    }

    fn pick(&self) -> Option<KeyFrame> {
        let now = Instant::now();
        // Picking and taking under one lock, so that two workers never go for the same camera.
        let mut scheduler = lock(&self.scheduler);
        let ready: Vec<(DeviceRef, Duration)> = self.frames.ready(now).into_iter().map(|r| (r.camera, r.waiting)).collect();
        let index = scheduler.pick(&ready, now)?;
        self.frames.take(&ready[index].0)
    }

    fn count(&self, frame: &KeyFrame, decoder: &mut Decoder, detector: &mut Detector) -> Result<Count, String> {
        let picture = decoder.decode(frame).map_err(|e| chain(&e))?;
        let now = Instant::now();
        let memory = lock(&self.memories).remove(&frame.camera);
        let mut memory = memory.unwrap_or_else(|| Memory { gate: ChangeGate::new(self.stale_after), last: None });
        let (estimate, unchanged) = match (memory.gate.judge(&picture, now), memory.last.take()) {
            (Verdict::Reuse, Some(last)) => (last, true),
            _ => {
                use qorgan_inference::CrowdModel;
                let estimate = detector.estimate(&picture).map_err(|e| chain(&e))?;
                memory.gate.analysed(now);
                metrics::counter!("qorgan_frames_analysed_total").increment(1);
                (Estimate { boxes: Vec::new(), ..estimate }, false)
            }
        };
        let count = Count {
            camera: frame.camera.clone(),
            at: frame.received_at,
            people: estimate.people,
            low: estimate.low,
            high: estimate.high,
            source: CountSource::Model(estimate.model.clone()),
            unchanged,
            zones: Vec::new(),
            flows: Vec::new(),
        };
        memory.last = Some(estimate);
        lock(&self.memories).insert(frame.camera.clone(), memory);
        Ok(count)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
