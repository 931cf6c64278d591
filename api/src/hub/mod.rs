//! The running hub: what every part shares, and how the parts are put together.
//!
//! ```text
//! start.rs    opens everything in order and ends it in reverse
//! dc09.rs     the door of alarm panels
//! doors.rs    what MQTT brings: alarms to the journal, counts to fusion, screens and store
//! field.rs    what comes from the road: positions and answers of units, dangers that outside systems report
//! orders.rs   the order that stands for each unit, on its MQTT topic
//! edge.rs     the edge box: alarms to its own journal and on to the centre   (feature `edge`)
//! analyse.rs  worker threads: newest key frame -> picture -> count -> MQTT   (feature `edge`)
//! stills.rs   one picture on request, masked                                (feature `edge`)
//! record.rs   the last seconds of cameras on disk, and clips of them       (feature `edge`)
//! recordings.rs  what cameras and recorders have kept themselves            (feature `edge`)
//! play.rs     clips and recordings, shown at the pace they were taken       (feature `edge`)
//! watch.rs    live video, passed on as it comes                             (feature `edge`)
//! supervise.rs  who was heard last when; what silence means
//! upkeep.rs   ticks, retention, audit head, retained alert topics
//! listen.rs   HTTP listeners
//! ```

#[cfg(feature = "edge")]
mod analyse;
mod dc09;
mod demo;
mod doors;
#[cfg(feature = "edge")]
mod edge;
mod field;
mod listen;
mod machine;
mod options;
mod orders;
#[cfg(feature = "edge")]
mod play;
#[cfg(feature = "edge")]
mod record;
#[cfg(feature = "edge")]
mod recordings;
mod shift;
mod start;
#[cfg(feature = "edge")]
mod stills;
mod supervise;
#[cfg(feature = "edge")]
mod trial;
mod upkeep;
#[cfg(feature = "edge")]
mod watch;

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use futures::future::BoxFuture;
use qorgan_alerts::{
    Engine, Journal, Ring, Store,
    response::{self, ResponseClock, ResponseFigures},
    store::AuditEntry,
};
use qorgan_domain::{Clock, DeviceRef, UtcMs, alert::Alert};
use qorgan_ingest::mqtt::Mqtt;
use tokio::sync::Notify;

use crate::{
    areas::Areas,
    auth::{LoginLimiter, Passwords, Right, Session, Sessions},
    camera_admin::{Control, meter::Meter},
    cameras::LiveCameras,
    config::Config,
    phones::Phones,
    routes::Desks,
    secrets::DevicePasswords,
    seeing::{ClipDoor, ClipPlan, LiveSource, RecordingDoor, Viewings, Wall},
    shown::{ShownAlert, ShownAlerts, ShownCamera},
    sitefile::Seal,
    units::LiveUnits,
    view::{CameraView, UnitLiveView},
};

#[cfg(feature = "edge")]
pub use analyse::{Pipeline, PipelineError};
pub(crate) use dc09::key as panel_key;
pub(crate) use doors::commit;
pub(crate) use field::moved;
pub use listen::Secure;
pub use options::{Addresses, Mode, Overrides};
pub(crate) use orders::{is_drill, note_of, place_name};
#[cfg(feature = "edge")]
pub(crate) use recordings::{log_in, trust};
pub use start::{Running, StartError, run, start};

/// What a screen may have to draw again.
#[derive(Debug, Clone)]
pub enum Change {
    /// An alert was raised or changed.
    Alert(Arc<ShownAlert>),
    /// A camera counted, or its health changed.
    Camera(Arc<ShownCamera>),
    /// A camera was removed.
    CameraGone(DeviceRef),
    /// A unit moved, was ordered, or is free again.
    Unit(Arc<UnitLiveView>),
    /// The outlines were replaced.
    Areas,
    /// The tension index was computed anew.
    Tension,
    /// A drill was planned, began, came further or ended.
    Drills,
    /// Somebody came to a desk, left it, tested its sound, or gave or took the shift.
    Desks,
    /// The response clock moved.
    Shift(Arc<crate::view::ShiftView>),
    /// A device was lost, came back, or something else about it changed.
    Devices,
}

impl From<Arc<Alert>> for Change {
    fn from(alert: Arc<Alert>) -> Self {
        Change::Alert(Arc::new(ShownAlert::new(alert)))
    }
}

/// Why there is no still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StillError {
    /// The camera has given no key frame yet.
    NoFrame,
    /// People in it could not be masked, so it stays here.
    Withheld(String),
    /// It does not decode.
    Failed(String),
}

/// How a picture is shown. Privacy masks of the camera are burned in whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is: the caller has checked that it may be.
    Open,
    /// People and faces pixelated.
    Masked,
    /// The same, and small.
    Wall,
}

/// Asks for a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Whose newest picture.
    pub camera: DeviceRef,
    /// How.
    pub look: Look,
    /// Only one that was received after this.
    pub after: Option<UtcMs>,
    /// Parts of the picture that nobody may see: polygons in fractions of the picture, x to the right and y down.
    pub privacy: Vec<Vec<(f32, f32)>>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// JPEG.
    pub jpeg: Vec<u8>,
    /// When the hub received it from the camera.
    pub at: UtcMs,
}

/// Makes a JPEG of a camera's newest picture; none when there is nothing newer than was asked for.
pub type StillSource = Box<dyn Fn(Ask) -> BoxFuture<'static, Result<Option<Still>, StillError>> + Send + Sync>;

/// What every part of the hub shares; clones are cheap.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// Behind [`App`].
pub struct Shared {
    /// The configuration.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Alerts, counts, accounts, audit log.
    pub store: Store,
    /// The task that owns fusion.
    pub engine: Engine,
    /// Changes for the screens.
    pub ring: Ring<Change>,
    /// Open alerts as snapshots show them.
    pub shown: ShownAlerts,
    /// Latest counts and health.
    pub cameras: LiveCameras,
    /// Where units are.
    pub units: LiveUnits,
    /// Who is logged in.
    pub sessions: Sessions,
    /// Password hashing.
    pub passwords: Passwords,
    /// The alarm journal.
    pub journal: Journal,
    /// Enrolled phones of school contacts.
    pub phones: Phones,
    /// Who sits at a desk.
    pub desks: Desks,
    /// One picture on request; none in a build without cameras.
    pub stills: Option<StillSource>,
    /// Live video on request; none in a build without cameras.
    pub live: Option<LiveSource>,
    /// Clips on disk; none in a build without cameras.
    pub clips: Option<ClipDoor>,
    /// Recordings on devices; none in a build without cameras.
    pub recordings: Option<RecordingDoor>,
    /// What sensors said last.
    pub(crate) sensors: crate::sensors::LiveSensors,
    /// Who looks at what.
    pub(crate) viewings: Viewings,
    /// The masked wall.
    pub(crate) wall: Wall,
    /// Renders the metrics.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    /// Opens `/metrics` to a program.
    pub metrics_token: String,
    /// Opens the CAP feed to a program.
    pub feed_token: String,
    /// Rings when something was put into the outbox.
    pub outbox_bell: tokio::sync::Notify,
    /// Rung when a drill was added or ended by hand.
    pub drills: Notify,
    /// Requests of residents.
    pub requests: crate::requests::Requests,
    /// Values of indicators on their way in.
    pub intake: crate::intake::Desk,
    /// Seals the contacts of site files.
    pub seal: Seal,
    /// The streams of cameras; none in a hub that takes no pictures itself.
    pub control: std::sync::OnceLock<Control>,
    /// How well every camera works.
    pub meter: Meter,
    /// MQTT passwords of devices.
    pub device_passwords: DevicePasswords,
    /// The tension index.
    pub tension: crate::tension::Tension,
    badges: Mutex<qorgan_alerts::badge::Badges>,
    /// Cameras and counting, once they run; never in a centre without cameras.
    #[cfg(feature = "edge")]
    pub pipeline: std::sync::OnceLock<Pipeline>,
    /// Broker or link, once it is there.
    pub mqtt: std::sync::OnceLock<Arc<Mqtt>>,
    supervision: Mutex<qorgan_alerts::Supervision>,
    areas: RwLock<Arc<Areas>>,
    response: Mutex<ResponseClock>,
    limiter: Mutex<LoginLimiter>,
}

impl Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// The token by which a program uses a right without log-in.
    pub fn program_token(&self, right: Right) -> &str {
        match right {
            Right::ConnectorsRead => &self.feed_token,
            _ => &self.metrics_token,
        }
    }

    /// How fast alarms were claimed.
    pub fn response(&self) -> MutexGuard<'_, ResponseClock> {
        self.response.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The figures of the shift that is on.
    pub fn shift_figures(&self) -> ResponseFigures {
        let now = self.clock.utc();
        let (began, _) = response::shift_window(&self.config.shift.starts_min, self.config.shift.utc_offset_min, now);
        self.response().figures(began, now, self.desks.attended_duty_desks())
    }

    /// The parts of a camera's picture that nobody may see.
    pub fn privacy_of(&self, camera: &DeviceRef) -> Vec<Vec<(f32, f32)>> {
        let masks = self.cameras.setup(camera).map(|setup| setup.scene.masks.clone()).unwrap_or_default();
        masks.into_iter().map(|polygon| polygon.0.into_iter().map(|point| (point.x, point.y)).collect()).collect()
    }

    /// The cameras whose last seconds are kept, as they are set up now.
    pub fn clip_plans(&self) -> Vec<ClipPlan> {
        let seconds = |s: u32| Duration::from_secs(u64::from(s));
        let plan = |camera: Arc<crate::config::Camera>| {
            let clip = camera.clip?;
            let (before, after) = (seconds(clip.before_s), seconds(clip.after_s));
            Some(ClipPlan { camera: camera.id.clone(), before, after, keep: seconds(clip.keep_days) * 86_400 })
        };
        self.cameras.setups().into_iter().filter_map(plan).collect()
    }

    /// Shows a camera; whatever was to be shown of it before is worthless now.
    pub fn show_camera(&self, view: CameraView) {
        let camera = view.id.clone();
        self.ring.put(&camera, Change::Camera(Arc::new(ShownCamera::new(view))));
    }

    /// Takes a removed camera off the pages that show it.
    pub fn hide_camera(&self, camera: DeviceRef) {
        self.ring.put(&camera.to_string(), Change::CameraGone(camera.clone()));
    }

    /// Failures of log-ins.
    pub fn limiter(&self) -> MutexGuard<'_, LoginLimiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outlines of the districts.
    pub fn areas(&self) -> Arc<Areas> {
        self.areas.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the outlines.
    pub fn set_areas(&self, areas: Areas) {
        *self.areas.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(areas);
    }

    /// Writes a line to the audit log, for a session.
    pub async fn audit_by(
        &self,
        session: &Session,
        action: &str,
        subject: &str,
        purpose: Option<&str>,
    ) -> Result<(), qorgan_alerts::Error> {
        self.audit(session.user.as_str(), session.role.as_str(), action, subject, purpose).await
    }

    /// Writes a line to the audit log. What is asked for happens only when this has succeeded.
    pub async fn audit(
        &self,
        who: &str,
        role: &str,
        action: &str,
        subject: &str,
        purpose: Option<&str>,
    ) -> Result<(), qorgan_alerts::Error> {
        let entry = AuditEntry {
            at: self.clock.utc(),
            who: who.into(),
            role: role.into(),
            action: action.into(),
            subject: subject.into(),
            purpose: purpose.map(str::to_owned),
        };
        self.store.append_audit(entry).await.map(drop)
    }

    /// Store and MQTT are there.
    pub async fn is_ready(&self) -> bool {
        self.mqtt.get().is_some_and(|m| m.is_connected()) && self.store.ping().await.is_ok()
    }
}
