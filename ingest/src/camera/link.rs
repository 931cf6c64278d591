//! What one camera's task remembers and tells, whichever of its streams is open.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use qorgan_domain::{CameraFault, CameraHealth, CameraState, Clock};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    CameraError, CameraSpec, CameraUrl, Codec, KeyFrame, KeyFrames, Settings,
    choose::{Choice, Which},
    session::{Given, Session},
    stats::{Meter, Seen},
    tap::{AccessUnit, Fanout},
};

/// Every picture of Motion JPEG is a key frame; analysis is offered one this often.
const JPEG_EVERY: Duration = Duration::from_millis(400);

/// What outlives a change of the camera's address: its readers and its history.
#[derive(Clone)]
pub(super) struct Lasting {
    /// Readers of the main stream.
    pub main: Arc<Fanout>,
    /// Readers of whichever stream is analysed.
    pub analysed: Arc<Fanout>,
    pub meter: Arc<Mutex<Meter>>,
}

/// One camera and what it is connected to.
pub(super) struct Link {
    pub spec: CameraSpec,
    pub settings: Settings,
    pub lasting: Lasting,
    /// Which stream analysis reads, or tries to.
    pub intended: watch::Sender<Which>,
    /// Whether a task reads the main stream for its taps alone.
    pub pumping: Mutex<bool>,
    pub stop: CancellationToken,
    frames: Arc<KeyFrames>,
    clock: Arc<dyn Clock>,
    health: mpsc::Sender<CameraHealth>,
    told: Mutex<Option<CameraHealth>>,
    /// First key frame of the session.
    live_since: Mutex<Option<Instant>>,
    last_jpeg: Mutex<Option<Instant>>,
    choice: Mutex<Choice>,
    /// Removed or changed: a unit on its way goes nowhere.
    closed: AtomicBool,
}

/// What all cameras share.
#[derive(Clone)]
pub(super) struct Common {
    pub frames: Arc<KeyFrames>,
    pub clock: Arc<dyn Clock>,
    pub health: mpsc::Sender<CameraHealth>,
    pub settings: Settings,
    pub stop: CancellationToken,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(spec: CameraSpec, common: &Common, lasting: Option<Lasting>) -> Self {
        let Common { frames, clock, health, settings, stop } = common.clone();
        let lasting = lasting.unwrap_or_else(|| Lasting {
            main: Arc::new(Fanout::new(settings.look_back_bytes)),
            analysed: Arc::new(Fanout::new(0)),
            meter: Arc::new(Mutex::new(Meter::new(clock.utc(), Instant::now()))),
        });
        let choice = Choice::new(spec.sub.is_some(), spec.wanted_px);
        Self {
            intended: watch::Sender::new(choice.stream()),
            stop: stop.child_token(),
            choice: Mutex::new(choice),
            pumping: Mutex::new(false),
            told: Mutex::new(None),
            live_since: Mutex::new(None),
            last_jpeg: Mutex::new(None),
            closed: AtomicBool::new(false),
            spec,
            settings,
            lasting,
            frames,
            clock,
            health,
        }
    }

    /// Address of a stream; the main one where there is no other.
    pub(super) fn url(&self, which: Which) -> &CameraUrl {
        match which {
            Which::Main => &self.spec.url,
            Which::Sub => self.spec.sub.as_ref().unwrap_or(&self.spec.url),
        }
    }

    /// What analysis opens next; told to whoever reads the main stream for taps.
    pub(super) fn choose(&self) -> Which {
        let which = lock(&self.choice).stream();
        self.intended.send_if_modified(|known| std::mem::replace(known, which) != which);
        which
    }

    pub(super) fn opened(&self, transport: &'static str, which: Which) {
        lock(&self.lasting.meter).opened(transport, which);
        self.lasting.analysed.restart();
        if which == Which::Main {
            self.lasting.main.restart();
        }
    }

    /// A unit of the analysed stream. The answer says whether the other stream must be opened instead.
    pub(super) async fn take(&self, session: &Session, given: Given, which: Which) -> bool {
        let (at, now) = (self.clock.utc(), Instant::now());
        self.measure(session, &given, at, now);
        let (key, codec, media_time) = (given.unit.key, given.unit.codec, given.media_time);
        let Some(unit) = self.unit(given, at) else { return false };
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        let (size_px, data) = (unit.size_px, unit.data.clone());
        if which == Which::Main {
            self.lasting.main.publish(&unit);
        }
        self.lasting.analysed.publish(&unit);
        if !key || !self.jpeg_is_due(codec, now) {
            return false;
        }
        let (camera, received) = (self.spec.id.clone(), unit.received);
        self.frames.offer(KeyFrame { camera, codec, size_px, data, media_time, received_at: at, received });
        lock(&self.live_since).get_or_insert(now);
        let defect = session.clock.defect(now).map(|words| (CameraFault::BadTime, words));
        self.tell(CameraState::Live, defect, Some((codec, size_px))).await;
        lock(&self.choice).saw(size_px, now)
    }

    /// A unit as readers get it; `None` before the picture's size is known.
    pub(super) fn unit(&self, given: Given, at: qorgan_domain::UtcMs) -> Option<AccessUnit> {
        let Given { unit, size_px, media_time, .. } = given;
        Some(AccessUnit {
            codec: unit.codec,
            size_px: size_px?,
            data: unit.data,
            key: unit.key,
            media_time,
            received_at: at,
            received: self.clock.instant(),
        })
    }

    /// A unit of the main stream that only taps read.
    pub(super) fn pass_on(&self, given: Given) {
        if let Some(unit) = self.unit(given, self.clock.utc()).filter(|_| !self.closed.load(Ordering::Relaxed)) {
            self.lasting.main.publish(&unit);
        }
    }

    fn measure(&self, session: &Session, given: &Given, at: qorgan_domain::UtcMs, now: Instant) {
        let unit = &given.unit;
        let seen = Seen {
            bytes: unit.data.len(),
            key: unit.key,
            size_px: given.size_px,
            codec: unit.codec,
            media_time: given.media_time,
            steady_stamp_s: given.steady.then_some(unit.stamp_s),
            lost: unit.lost,
            broken: unit.broken,
            time_jumps: session.clock.jumps(),
            at,
        };
        lock(&self.lasting.meter).unit(seen, now);
    }

    fn jpeg_is_due(&self, codec: Codec, now: Instant) -> bool {
        let mut last = lock(&self.last_jpeg);
        let due = codec != Codec::Mjpeg || last.is_none_or(|last| now.saturating_duration_since(last) >= JPEG_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }

    /// How long the session that just ended has given key frames.
    pub(super) fn session_over(&self) -> Option<Duration> {
        lock(&self.lasting.meter).closed();
        lock(&self.live_since).take().map(|since| since.elapsed())
    }

    /// The session ended without a fault, to open the other stream.
    pub(super) fn switched(&self) {
        tracing::info!(camera = %self.spec.id, to = ?lock(&self.choice).stream(), "the other stream is analysed");
    }

    pub(super) async fn failed(&self, error: &CameraError, which: Which) {
        let (fault, detail) = (error.fault(), error.one_line());
        let camera = self.spec.id.to_string();
        metrics::counter!("qorgan_camera_faults_total", "camera" => camera, "fault" => fault.as_str()).increment(1);
        tracing::debug!(camera = %self.spec.id, fault = fault.as_str(), stream = ?which, "{detail}");
        lock(&self.choice).failed(Instant::now());
        self.lasting.analysed.down(fault);
        if which == Which::Main {
            self.lasting.main.down(fault);
        }
        self.tell(CameraState::Offline, Some((fault, detail)), None).await;
    }

    /// The camera is no more, or is another one: nothing of it goes out after this.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    /// Reports a state unless it is the one reported last. The detail may differ between tries of one fault.
    pub(super) async fn tell(&self, state: CameraState, fault: Option<(CameraFault, String)>, shape: Option<(Codec, (u32, u32))>) {
        let health = {
            let mut told = lock(&self.told);
            let known = told.as_ref();
            // What is known of the picture stays known while the camera is away.
            let codec = shape.map(|(codec, _)| codec.to_string()).or_else(|| known?.codec.clone());
            let size_px = shape.map(|(_, size_px)| size_px).or_else(|| known?.size_px);
            let same = known.is_some_and(|known| {
                known.state == state
                    && known.fault.as_ref().map(|(code, _)| *code) == fault.as_ref().map(|(code, _)| *code)
                    && known.codec == codec
                    && known.size_px == size_px
            });
            if same {
                return;
            }
            let health = CameraHealth { camera: self.spec.id.clone(), at: self.clock.utc(), state, fault, codec, size_px };
            *told = Some(health.clone());
            health
        };
        if let (CameraState::Live, Some((code, _))) = (state, &health.fault) {
            metrics::counter!("qorgan_camera_faults_total", "camera" => self.spec.id.to_string(), "fault" => code.as_str()).increment(1);
        }
        match &health.fault {
            Some((code, detail)) => tracing::warn!(camera = %health.camera, state = ?state, fault = code.as_str(), "camera: {detail}"),
            None => tracing::info!(camera = %health.camera, state = ?health.state, codec = health.codec, "camera changed state"),
        }
        // Closed only while the hub ends.
        let _ = self.health.send(health).await;
    }
}
