//! One task per camera, kept alive: connect, read, report a change of state, wait, try again.
//!
//! [`Cameras`] starts the tasks spread over a few seconds, because cameras that start together also send
//! their key frames together. A fault, and a panic too, stays in its camera.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use qorgan_domain::{CameraHealth, CameraState, Clock, DeviceRef};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Backoff, CameraError, CameraUrl, Codec, Credentials, KeyFrame, KeyFrames,
    file::{Reader, Unit},
    rtsp::RtspStream,
};

/// A camera to watch.
#[derive(Debug, Clone)]
pub struct CameraSpec {
    /// Its id.
    pub id: DeviceRef,
    /// Where it is.
    pub url: CameraUrl,
    /// What opens it.
    pub credentials: Option<Credentials>,
    /// Whether a file starts again at its end; without it, the camera goes offline as `ended`. Not for RTSP.
    pub loop_file: bool,
}

impl CameraSpec {
    /// A camera without credentials; a file is looped.
    pub fn new(id: DeviceRef, url: CameraUrl) -> Self {
        Self { id, url, credentials: None, loop_file: true }
    }
}

/// Patience of the supervisor.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For the answer to each of DESCRIBE, SETUP and PLAY, connecting included.
    pub answer_timeout: Duration,
    /// Longest time without any picture.
    pub picture_timeout: Duration,
    /// Longest time without a key frame; must exceed the camera's key frame interval.
    pub key_frame_timeout: Duration,
    /// Bound of the first wait after a failure.
    pub first_retry: Duration,
    /// Bound that it grows to.
    pub longest_retry: Duration,
    /// How long a camera must have been live for its failures to be forgotten.
    pub proven_after: Duration,
    /// The cameras start spread over this time.
    pub start_spread: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            answer_timeout: Duration::from_secs(10),
            picture_timeout: Duration::from_secs(10),
            key_frame_timeout: Duration::from_secs(15),
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(60),
            proven_after: Duration::from_secs(30),
            start_spread: Duration::from_secs(2),
        }
    }
}

/// All cameras. Dropping it stops them; [`Cameras::stop`] also waits for their end.
pub struct Cameras {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Cameras {
    /// Starts a task per camera. Must be called inside a tokio runtime.
    ///
    /// A change of a camera's state goes to `health`; when that is full, the camera waits, so nothing is lost.
    pub fn start(
        specs: Vec<CameraSpec>,
        frames: &Arc<KeyFrames>,
        health: &mpsc::Sender<CameraHealth>,
        clock: &Arc<dyn Clock>,
        settings: &Settings,
        stop: &CancellationToken,
    ) -> Self {
        let stop = stop.child_token();
        let count = u32::try_from(specs.len()).unwrap_or(u32::MAX).max(1);
        let mut tasks = JoinSet::new();
        for (index, spec) in (0..).zip(specs) {
            let link = Arc::new(Link {
                spec,
                settings: settings.clone(),
                frames: frames.clone(),
                clock: clock.clone(),
                health: health.clone(),
                told: Mutex::new(None),
                live_since: Mutex::new(None),
            });
            let (delay, stop) = (settings.start_spread / count * index, stop.clone());
            tasks.spawn(async move {
                let work = async {
                    sleep(delay).await;
                    run(&link).await;
                };
                stop.run_until_cancelled(work).await;
            });
        }
        Self { tasks, stop }
    }

    /// Stops every camera and waits until their tasks have ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// One camera and what it is connected to.
struct Link {
    spec: CameraSpec,
    settings: Settings,
    frames: Arc<KeyFrames>,
    clock: Arc<dyn Clock>,
    health: mpsc::Sender<CameraHealth>,
    told: Mutex<Option<CameraHealth>>,
    /// First key frame of the session.
    live_since: Mutex<Option<Instant>>,
}

/// Retries for ever; returns only when a file that is not looped came to its end.
async fn run(link: &Arc<Link>) {
    let mut backoff = Backoff::new(link.settings.first_retry, link.settings.longest_retry);
    link.tell(CameraState::Connecting, None, None).await;
    loop {
        let error = contained(run_once(link.clone())).await;
        link.failed(&error).await;
        let final_end = matches!(error, CameraError::Ended) && matches!(link.spec.url, CameraUrl::File(_)) && !link.spec.loop_file;
        if final_end {
            return;
        }
        let live_since = link.live_since.lock().unwrap_or_else(PoisonError::into_inner).take();
        if live_since.is_some_and(|since| since.elapsed() >= link.settings.proven_after) {
            backoff.reset();
        }
        sleep(backoff.after_failure(rand::random())).await;
    }
}

/// Runs in a task of its own, so that a panic ends there and becomes an error.
async fn contained(work: impl Future<Output = Result<Infallible, CameraError>> + Send + 'static) -> CameraError {
    match AbortOnDropHandle::new(tokio::spawn(work)).await {
        Ok(Err(error)) => error,
        Err(error) => CameraError::Panic(panic_text(error)),
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (_, Some(text)) => text.clone(),
            _ => "panic without a message".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}

/// One session with the camera: returns only when it is over.
async fn run_once(link: Arc<Link>) -> Result<Infallible, CameraError> {
    match &link.spec.url {
        CameraUrl::Rtsp(url) => run_rtsp(&link, url).await,
        CameraUrl::File(path) => run_file(&link, path.clone()).await,
    }
}

async fn run_rtsp(link: &Link, url: &url::Url) -> Result<Infallible, CameraError> {
    let Settings { answer_timeout, picture_timeout, key_frame_timeout, .. } = link.settings;
    let mut stream = RtspStream::open(url, link.spec.credentials.as_ref(), answer_timeout).await?;
    let (mut last_picture, mut last_key) = (Instant::now(), Instant::now());
    loop {
        let (picture_by, key_by) = (last_picture + picture_timeout, last_key + key_frame_timeout);
        let Some(unit) = stream.next(picture_by.min(key_by)).await? else {
            return Err(if picture_by <= key_by {
                CameraError::Stalled { what: "picture", after: picture_timeout }
            } else {
                CameraError::Stalled { what: "key frame", after: key_frame_timeout }
            });
        };
        last_picture = Instant::now();
        if let (true, Some(size_px)) = (unit.key, stream.size_px()) {
            last_key = last_picture;
            link.offer(stream.codec, size_px, unit.data, unit.media_time).await;
        } else if Instant::now() >= key_by {
            return Err(CameraError::Stalled { what: "key frame", after: key_frame_timeout });
        }
    }
}

enum FromFile {
    Key(Unit),
    /// End of the file, at this time stamp.
    End(Duration),
    Failed(CameraError),
}

/// Key frames at the pace of their time stamps; a looped file goes on in time where it ended.
async fn run_file(link: &Link, path: std::path::PathBuf) -> Result<Infallible, CameraError> {
    let mut base = Duration::ZERO;
    let start = Instant::now();
    loop {
        let mut units = read_in_thread(path.clone());
        loop {
            match units.recv().await {
                Some(FromFile::Key(unit)) => {
                    let media_time = base + unit.pts;
                    sleep_until(start + media_time).await;
                    link.offer(unit.codec, unit.size_px, unit.data, media_time).await;
                }
                Some(FromFile::End(_)) if !link.spec.loop_file => return Err(CameraError::Ended),
                Some(FromFile::End(at)) => {
                    // At least a second, or a one-frame file would be opened without pause.
                    base += at.max(Duration::from_secs(1));
                    break;
                }
                Some(FromFile::Failed(error)) => return Err(error),
                None => return Err(CameraError::Panic("the reading thread ended".into())),
            }
        }
        sleep_until(start + base).await;
    }
}

/// Reads a file once in a blocking thread, which ends when the receiver is dropped.
fn read_in_thread(path: std::path::PathBuf) -> mpsc::Receiver<FromFile> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let read = || -> Result<Duration, CameraError> {
            let mut reader = Reader::open(&path)?;
            let (mut end, mut keys) = (Duration::ZERO, 0);
            while let Some(unit) = reader.next_unit()? {
                end = end.max(unit.until);
                if unit.key {
                    keys += 1;
                    if sender.blocking_send(FromFile::Key(unit)).is_err() {
                        return Ok(end);
                    }
                } else if sender.is_closed() {
                    return Ok(end);
                }
            }
            if keys == 0 {
                return Err(CameraError::Stalled { what: "key frame in the file", after: end });
            }
            Ok(end)
        };
        let last = read().map_or_else(FromFile::Failed, FromFile::End);
        // Nobody listens any more when the camera was stopped.
        let _ = sender.blocking_send(last);
    });
    receiver
}

impl Link {
    async fn offer(&self, codec: Codec, size_px: (u32, u32), data: bytes::Bytes, media_time: Duration) {
        self.frames.offer(KeyFrame {
            camera: self.spec.id.clone(),
            codec,
            size_px,
            data,
            media_time,
            received_at: self.clock.utc(),
            received: self.clock.instant(),
        });
        self.live_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        self.tell(CameraState::Live, None, Some((codec, size_px))).await;
    }

    async fn failed(&self, error: &CameraError) {
        let (fault, detail) = (error.fault(), error.one_line());
        let camera = self.spec.id.to_string();
        metrics::counter!("qorgan_camera_faults_total", "camera" => camera, "fault" => fault.as_str()).increment(1);
        tracing::debug!(camera = %self.spec.id, fault = fault.as_str(), "{detail}");
        self.tell(CameraState::Offline, Some((fault, detail)), None).await;
    }

    /// Reports a state unless it is the one reported last. The detail may differ between tries of one fault.
    async fn tell(&self, state: CameraState, fault: Option<(qorgan_domain::CameraFault, String)>, shape: Option<(Codec, (u32, u32))>) {
        let health = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
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
        match &health.fault {
            Some((code, detail)) => tracing::warn!(camera = %health.camera, fault = code.as_str(), "camera offline: {detail}"),
            None => tracing::info!(camera = %health.camera, state = ?health.state, codec = health.codec, "camera changed state"),
        }
        // Closed only while the hub ends.
        let _ = self.health.send(health).await;
    }
}
