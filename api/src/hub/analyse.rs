//! Cameras and counting: worker threads that turn the newest key frames into counts.
//!
//! ```text
//! cameras' thread: RTSP -> key frame -> KeyFrames (a slot per camera) -> bell
//!   worker threads: Desk (whose turn is it) -> decoder -> masks, change gate, models -> count -> MQTT
//!                                                      \-> Quality -> picture health
//! ```
//!
//! All cameras are received by one thread of their own, so that they never hold up an alarm and their cost can be read. Each
//! worker has its own model sessions; decoders are shared. Threads do not grow with cameras. A count leaves on its MQTT topic
//! like any foreign one. Pixels die here.

mod closely;
mod cost;
mod desk;
mod worker;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use qorgan_domain::{CameraHealth, Clock, Count, DeviceRef};
use qorgan_inference::{
    Catalogue, Counter, CounterSetup, Detector, GeometryError, Limits, ModelDirs, Runtime, SceneSetup, quality::PictureHealth,
};
use qorgan_ingest::camera::{CameraSpec, Cameras, Decoder, KeyFrames, Settings};
use qorgan_ingest::mqtt::Mqtt;
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use self::{
    closely::{Closely, Pictures, is_incident},
    desk::Desk,
    worker::{Scenes, Workers},
};

use super::{App, StartError, stills::Eyes};
use crate::{
    camera_admin,
    config::{Config, Origin},
    error::chain,
};

/// Name of the thread that receives from all cameras; benches look for it.
const CAMERAS_THREAD: &str = "cameras";
/// A camera is not looked at more often than this, whatever happens there.
const MIN_INTERVAL: Duration = Duration::from_millis(150);
/// How soon an incident makes its site's cameras be watched closely.
const INCIDENTS_EVERY: Duration = Duration::from_millis(500);
/// Changes of health on their way.
pub(super) const HEALTH_QUEUE: usize = 1_024;

/// Opened models and checked cameras, before anything runs.
pub(super) struct Prepared {
    pub(super) counters: Vec<Counter>,
    /// Sessions of their own, for pictures that people look at.
    pub(super) eyes: Arc<Eyes>,
    pub(super) frames: Arc<KeyFrames>,
    specs: Vec<CameraSpec>,
    /// Of each of them, in the same order.
    scenes: Vec<SceneSetup>,
}

/// The running edge.
pub(super) struct Edge {
    pipeline: Pipeline,
    workers: Vec<std::thread::JoinHandle<()>>,
    receiving: Receiving,
}

/// The cameras' own runtime: one thread receives from all of them.
struct Receiving(Option<tokio::runtime::Runtime>);

impl Drop for Receiving {
    /// A start that fails later drops it among asynchronous code, where waiting for its thread would be a panic.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Cameras and what is remembered of them, to be changed while everything runs; clones are handles of the same.
#[derive(Clone)]
pub struct Pipeline {
    cameras: Cameras,
    shared: Arc<Workers>,
    receiving: Handle,
}

impl Pipeline {
    /// The cameras: their streams, statistics and taps.
    pub fn cameras(&self) -> &Cameras {
        &self.cameras
    }

    /// Begins to watch a camera, with its scene.
    ///
    /// # Errors
    /// One of this id is watched already, or the scene cannot be used; nothing has changed then.
    pub fn add(&self, spec: CameraSpec, scene: SceneSetup) -> Result<(), PipelineError> {
        if self.cameras.spec(&spec.id).is_some() {
            return Err(PipelineError::Exists(spec.id));
        }
        self.set_scene(&spec.id, scene)?;
        let _inside = self.receiving.enter();
        self.cameras.add(spec).map_err(|exists| PipelineError::Exists(exists.0))
    }

    /// Watches a camera by another specification. Returns whether it is watched at all.
    pub async fn change(&self, spec: CameraSpec) -> bool {
        let cameras = self.cameras.clone();
        self.receiving.spawn(async move { cameras.change(spec).await }).await.unwrap_or(false)
    }

    /// Stops watching a camera and forgets everything about it. Returns whether it was watched.
    pub async fn remove(&self, camera: &DeviceRef) -> bool {
        let watched = self.cameras.remove(camera).await;
        self.shared.desk.forget(camera);
        self.shared.scenes.forget(camera);
        watched
    }

    /// Gives a camera zones, lines, masks, calibration and a staleness limit, from its next picture on.
    ///
    /// # Errors
    /// The setup cannot be used; the one before stays.
    pub fn set_scene(&self, camera: &DeviceRef, scene: SceneSetup) -> Result<(), GeometryError> {
        let limits = Limits { stale_after: scene.stale_after, min_interval: MIN_INTERVAL };
        self.shared.scenes.set(camera, scene)?;
        self.shared.desk.limit(camera, limits);
        Ok(())
    }

    /// Leaves a camera alone, or looks at it again; its stream goes on.
    pub fn pause(&self, camera: &DeviceRef, paused: bool) {
        self.shared.desk.pause(camera, paused);
    }

    /// The camera says that something moves before it: it is looked at sooner.
    pub fn stir(&self, camera: &DeviceRef) {
        self.shared.desk.stir(camera);
    }

    /// The camera was turned on purpose: its view is right from now on.
    pub fn accept_view(&self, camera: &DeviceRef) {
        self.shared.scenes.accept_view(camera);
    }
}

/// Why a camera is not watched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PipelineError {
    /// There is one of this id.
    #[error("the camera {0} is watched already")]
    Exists(DeviceRef),
    /// Its zones, lines, masks or calibration.
    #[error(transparent)]
    Scene(#[from] GeometryError),
}

/// Where a finished count goes.
pub(super) type Publish = Arc<dyn Fn(Count) -> BoxFuture<'static, ()> + Send + Sync>;

/// Who is told when the quality of a camera's picture changes. Called by a worker thread: must be short.
pub(super) type TellPicture = Arc<dyn Fn(DeviceRef, PictureHealth) + Send + Sync>;

/// Loads the library and the models and reads the cameras' secrets; whatever is wrong with them is an error here.
pub(super) fn prepare(config: &Config) -> Result<Prepared, StartError> {
    let usual = Duration::from_secs(u64::from(config.models.staleness_s));
    let cameras = config.cameras().map(|(_, camera)| camera).filter(|camera| camera.is_counted_here());
    let (mut specs, mut scenes) = (Vec::new(), Vec::new());
    for camera in cameras {
        match camera_admin::edge::spec(camera).and_then(|spec| Ok((spec, camera_admin::edge::scene(camera, usual)?))) {
            Ok((spec, scene)) => {
                specs.push(spec);
                scenes.push(scene);
            }
            // Nobody can correct it on the page of a hub that does not start.
            Err(reason) if camera.origin == Origin::RunTime => tracing::error!(camera = %camera.id, reason, "the camera is left out"),
            Err(reason) => return Err(StartError::Camera(camera.id.to_string(), reason)),
        }
    }
    let fail = |error: qorgan_inference::ModelError| StartError::Models(chain(&error));
    let runtime = Runtime::load(&config.models.runtime).map_err(fail)?;
    let provider = config.models.provider.parse().map_err(|error| StartError::Models(format!("models.provider {error}")))?;
    let runtime = runtime.with_provider(provider).map_err(fail)?;
    let dirs = ModelDirs { models: config.models.dir.clone(), made: config.models.fetched.clone() };
    let catalogue = Catalogue::read(&dirs).map_err(fail)?;
    let manifest = catalogue.get(&config.models.detector).map_err(fail)?;
    let counters = (0..config.models.workers).map(|worker| {
        // The slow accurate model in one worker only: while it runs, the others go on, and its weights are in memory once. Every
        // camera comes to that worker now and then, as workers take turns.
        let density = config.models.density.clone().filter(|_| worker == 0);
        Counter::open(&runtime, &catalogue, &CounterSetup { detector: config.models.detector.clone(), density, threads: 1 }).map_err(fail)
    });
    let counters = counters.collect::<Result<_, _>>()?;
    let (people, frames) = (Detector::load(&runtime, manifest, &dirs, 1).map_err(fail)?, Arc::new(KeyFrames::new()));
    Ok(Prepared { counters, eyes: Eyes::new(&frames, people, config), frames, specs, scenes })
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
    let (pictures, masked) = (camera_admin::edge::Pictures::default(), super::trial::masked(&prepared));
    let (log, told) = (log_picture(), pictures.clone());
    let tell: TellPicture = Arc::new(move |camera, health| {
        log(camera.clone(), health);
        told.tell(camera, health);
    });
    let edge = start_workers(prepared, &app.config, &app.clock, publish, tell, &sender, cancel)?;
    let usual = Duration::from_secs(u64::from(app.config.models.staleness_s));
    let _ = app.control.set(camera_admin::edge::control(edge.pipeline(), pictures, masked, usual));
    let closely = Closely::new(edge.pipeline.shared.clone(), edge.cameras());
    let mut closely = closely.map_err(|error| StartError::Models(format!("the thread that decodes whole streams: {error}")))?;
    let _ = app.pipeline.set(edge.pipeline());
    let (app, cancel) = (app.clone(), cancel.clone());
    let task = tokio::spawn(async move {
        let mut incidents = tokio::time::interval(INCIDENTS_EVERY);
        loop {
            tokio::select! {
                change = health.recv() => match change.map(|change| app.cameras.health(change, app.clock.utc())) {
                    Some(Some(view)) => app.show_camera(view),
                    Some(None) => {}
                    None => break,
                },
                _ = incidents.tick() => {
                    let open = app.engine.open_alerts();
                    closely.sites(&open.iter().filter(|alert| is_incident(alert)).filter_map(|alert| alert.site.clone()).collect());
                }
                () = cancel.cancelled() => break,
            }
        }
        closely.stop().await;
    });
    Ok((edge, task))
}

/// Writes changes of a picture's quality to the log.
pub(super) fn log_picture() -> TellPicture {
    Arc::new(|camera, health| {
        let (sharpness, dark, bright) = (health.sharpness, health.dark_share, health.bright_share);
        match health.fault {
            Some(fault) => tracing::warn!(%camera, fault = fault.as_str(), sharpness, dark, bright, "the camera's picture is bad"),
            None => tracing::debug!(%camera, sharpness, dark, bright, "the camera's picture"),
        }
    })
}

pub(super) fn start_workers(
    prepared: Prepared,
    config: &Config,
    clock: &Arc<dyn Clock>,
    publish: Publish,
    tell_picture: TellPicture,
    health: &mpsc::Sender<CameraHealth>,
    cancel: &CancellationToken,
) -> Result<Edge, StartError> {
    let Prepared { counters, frames, specs, scenes: setups, .. } = prepared;
    let stale_after = Duration::from_secs(u64::from(config.models.staleness_s));
    let scenes = Scenes::new(SceneSetup { stale_after, ..SceneSetup::default() });
    let scenes = scenes.map_err(|error| StartError::Models(error.to_string()))?;
    let shared = Arc::new(Workers {
        frames: frames.clone(),
        pictures: Pictures::default(),
        desk: Desk::new(Limits { stale_after, min_interval: MIN_INTERVAL }),
        decoder: Decoder::new(),
        scenes,
        clock: clock.clone(),
        publish,
        tell_picture,
        runtime: Handle::current(),
        workers: counters.len(),
    });
    for (spec, setup) in specs.iter().zip(setups) {
        shared.desk.limit(&spec.id, Limits { stale_after: setup.stale_after, min_interval: MIN_INTERVAL });
        shared.scenes.set(&spec.id, setup).map_err(|error| StartError::Camera(spec.id.to_string(), chain(&error)))?;
    }
    let desk = Arc::downgrade(&shared);
    frames.on_arrival(move |camera, received| {
        if let Some(shared) = desk.upgrade() {
            shared.desk.arrived(camera, received);
        }
    });
    let workers = counters
        .into_iter()
        .enumerate()
        .map(|(i, counter)| {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name(format!("count-{i}"))
                .spawn(move || {
                    super::machine::step_back();
                    shared.work(counter);
                })
                .map_err(|error| StartError::Models(format!("worker thread: {error}")))
        })
        .collect::<Result<_, _>>()?;
    let receiving = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name(CAMERAS_THREAD).enable_all().build();
    let receiving = receiving.map_err(|error| StartError::Models(format!("the cameras' thread: {error}")))?;
    let cameras = {
        let _inside = receiving.enter();
        Cameras::start(specs, &frames, health, clock, &Settings::default(), cancel)
    };
    let pipeline = Pipeline { cameras, shared, receiving: receiving.handle().clone() };
    Ok(Edge { pipeline, workers, receiving: Receiving(Some(receiving)) })
}

impl Edge {
    /// The cameras, to tap them.
    pub(super) fn cameras(&self) -> Cameras {
        self.pipeline.cameras.clone()
    }

    /// What the rest of the hub changes cameras by.
    pub(super) fn pipeline(&self) -> Pipeline {
        self.pipeline.clone()
    }

    /// Stops cameras and workers. ONNX Runtime's sessions are gone before the process ends.
    pub(super) async fn stop(self) {
        self.pipeline.cameras.stop().await;
        self.pipeline.shared.desk.close();
        let join = move || self.workers.into_iter().for_each(|worker| drop(worker.join()));
        let _ = tokio::task::spawn_blocking(join).await;
        drop(self.receiving);
    }
}
