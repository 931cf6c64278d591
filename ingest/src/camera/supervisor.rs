//! One task per camera, kept alive: connect, read, report a change of state, wait, try again.
//!
//! [`Cameras`] starts the tasks spread over a few seconds, because cameras that start together also send
//! their key frames together. A fault, and a panic too, stays in its camera. Cameras come, change and go at run time
//! without touching any other.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use qorgan_domain::{CameraFault, CameraHealth, CameraState, Clock, DeviceRef};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Backoff, CameraError, CameraSpec, CameraUrl, KeyFrames, Settings, StreamStats, Tap,
    choose::Which,
    link::{Common, Link, lock},
    session::Session,
};

/// All cameras. Clones are handles of the same cameras; when the last is dropped they stop; [`Cameras::stop`] also waits for their end.
#[derive(Clone)]
pub struct Cameras {
    inner: Arc<Inner>,
}

struct Inner {
    common: Common,
    running: Mutex<BTreeMap<DeviceRef, Running>>,
}

struct Running {
    link: Arc<Link>,
    task: JoinHandle<()>,
}

/// A camera of this id is watched already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the camera {0} is watched already")]
pub struct Exists(pub DeviceRef);

impl Cameras {
    /// Starts a task per camera. Must be called inside a tokio runtime. Of two with the same id the later one counts.
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
        let count = u32::try_from(specs.len()).unwrap_or(u32::MAX).max(1);
        let spread = settings.start_spread / count;
        let (frames, clock, health, settings, stop) = (frames.clone(), clock.clone(), health.clone(), settings.clone(), stop.child_token());
        let common = Common { frames, clock, health, settings, stop };
        let cameras = Self { inner: Arc::new(Inner { common, running: Mutex::default() }) };
        for (index, spec) in (0..).zip(specs) {
            let link = Arc::new(Link::new(spec, &cameras.inner.common, None));
            let id = link.spec.id.clone();
            if let Some(old) = lock(&cameras.inner.running).insert(id, spawn(link, spread * index)) {
                old.link.close();
            }
        }
        cameras
    }

    /// Begins to watch one more camera.
    ///
    /// # Errors
    /// When one of this id is watched already.
    pub fn add(&self, spec: CameraSpec) -> Result<(), Exists> {
        let mut running = lock(&self.inner.running);
        if running.contains_key(&spec.id) {
            return Err(Exists(spec.id));
        }
        let link = Arc::new(Link::new(spec, &self.inner.common, None));
        running.insert(link.spec.id.clone(), spawn(link, Duration::ZERO));
        Ok(())
    }

    /// Watches a camera by another specification; its taps stay, its history too. Returns whether it is watched at all.
    /// A specification that is the same changes nothing.
    pub async fn change(&self, spec: CameraSpec) -> bool {
        let id = spec.id.clone();
        let lasting = {
            let mut running = lock(&self.inner.running);
            let Some(known) = running.get_mut(&id) else { return false };
            if known.link.spec == spec {
                return true;
            }
            known.link.close();
            let lasting = known.link.lasting.clone();
            let link = Arc::new(Link::new(spec, &self.inner.common, Some(lasting.clone())));
            // Not before the old one has ended, or its last key frame would be taken for the new one's.
            let before = std::mem::replace(&mut known.task, tokio::spawn(async {}));
            let (after, frames) = (link.clone(), self.inner.common.frames.clone());
            known.link = link;
            known.task = tokio::spawn(async move {
                let _ = before.await;
                frames.forget(&after.spec.id);
                feed_taps(&after);
                let running = spawn(after, Duration::ZERO);
                let _ = AbortOnDropHandle::new(running.task).await;
            });
            lasting
        };
        lasting.main.down(CameraFault::Ended);
        lasting.analysed.down(CameraFault::Ended);
        tracing::info!(camera = %id, "camera changed");
        true
    }

    /// Stops watching a camera; its taps end, its newest picture is forgotten. Returns whether it was watched.
    pub async fn remove(&self, id: &DeviceRef) -> bool {
        let Some(Running { link, task }) = lock(&self.inner.running).remove(id) else { return false };
        link.close();
        let _ = task.await;
        link.lasting.main.close();
        link.lasting.analysed.close();
        // Somebody may have added it again meanwhile.
        if !lock(&self.inner.running).contains_key(id) {
            self.inner.common.frames.forget(id);
        }
        true
    }

    /// Ids of all cameras, in their order.
    pub fn ids(&self) -> Vec<DeviceRef> {
        lock(&self.inner.running).keys().cloned().collect()
    }

    /// What a camera is watched by.
    pub fn spec(&self, id: &DeviceRef) -> Option<CameraSpec> {
        self.link(id).map(|link| link.spec.clone())
    }

    /// Every access unit of a camera's main stream. Opened on demand where a sub stream is analysed, shared by all taps, closed with
    /// the last; begins with the current group of pictures where that is known, so that a viewer starts at once.
    pub fn tap(&self, id: &DeviceRef) -> Option<Tap> {
        let link = self.link(id)?;
        let tap = link.lasting.main.tap();
        feed_taps(&link);
        Some(tap)
    }

    /// Every access unit of the stream that is analysed, for analysis at full rate while an incident is open. From a key frame on, in
    /// the order of decoding, for a decoder of its own; drop it to go back to key frames. The mailbox goes on as before.
    pub fn full_rate(&self, id: &DeviceRef) -> Option<Tap> {
        Some(self.link(id)?.lasting.analysed.tap())
    }

    /// What a camera's stream is like now.
    pub fn stream_stats(&self, id: &DeviceRef) -> Option<StreamStats> {
        let link = self.link(id)?;
        let stats = lock(&link.lasting.meter).stats(Instant::now());
        Some(stats)
    }

    /// Stops every camera and waits until their tasks have ended.
    pub async fn stop(&self) {
        self.inner.common.stop.cancel();
        let running = std::mem::take(&mut *lock(&self.inner.running));
        for Running { link, task } in running.into_values() {
            link.close();
            let _ = task.await;
            link.lasting.main.close();
            link.lasting.analysed.close();
        }
    }

    fn link(&self, id: &DeviceRef) -> Option<Arc<Link>> {
        lock(&self.inner.running).get(id).map(|running| running.link.clone())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.common.stop.cancel();
    }
}

fn spawn(link: Arc<Link>, delay: Duration) -> Running {
    let (stop, own) = (link.stop.clone(), link.clone());
    let task = tokio::spawn(async move {
        let work = async {
            sleep(delay).await;
            run(&own).await;
        };
        stop.run_until_cancelled(work).await;
    });
    Running { link, task }
}

/// Sees to it that somebody reads the main stream for its taps, where analysis may not.
fn feed_taps(link: &Arc<Link>) {
    // Locked as in `pump`, which ends only when it sees no reader: a tap is seen there, or a new task is begun here.
    let mut pumping = lock(&link.pumping);
    if link.spec.sub.is_some() && !*pumping && *link.lasting.main.readers().borrow() > 0 {
        *pumping = true;
        let (link, stop) = (link.clone(), link.stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(pump(link)).await });
    }
}

/// Retries for ever; returns only when a file that is not looped came to its end.
async fn run(link: &Arc<Link>) {
    let mut backoff = Backoff::new(link.settings.first_retry, link.settings.longest_retry);
    link.tell(CameraState::Connecting, None, None).await;
    loop {
        let which = link.choose();
        let over = contained(run_once(link.clone(), which)).await;
        let lived = link.session_over();
        if lived.is_some_and(|lived| lived >= link.settings.proven_after) {
            backoff.reset();
        }
        let Err(error) = over else {
            link.switched();
            continue;
        };
        link.failed(&error, which).await;
        if matches!(error, CameraError::Ended) && matches!(link.spec.url, CameraUrl::File(_)) && !link.spec.loop_file {
            return;
        }
        // Who pushes must find the door open: the hub does not wait longer and longer there.
        if matches!(link.url(which), CameraUrl::Srt(_)) {
            backoff.reset();
        }
        sleep(backoff.after_failure(rand::random())).await;
    }
}

/// Runs in a task of its own, so that a panic ends there and becomes an error.
async fn contained<T: Send + 'static>(work: impl Future<Output = Result<T, CameraError>> + Send + 'static) -> Result<T, CameraError> {
    match AbortOnDropHandle::new(tokio::spawn(work)).await {
        Ok(result) => result,
        Err(error) => Err(CameraError::Panic(panic_text(error))),
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

/// One session with the camera: ends well only when the other stream is to be opened.
async fn run_once(link: Arc<Link>, which: Which) -> Result<(), CameraError> {
    let mut session = Session::open(&link.spec, link.url(which), &link.settings).await?;
    link.opened(session.transport(), which);
    loop {
        match session.next().await? {
            Some(given) => {
                if link.take(&session, given, which).await {
                    return Ok(());
                }
            }
            None => {
                let words = "nobody has connected to send pictures".to_owned();
                link.tell(CameraState::Offline, Some((CameraFault::Timeout, words)), None).await;
            }
        }
    }
}

/// Reads the main stream for its taps while analysis reads the sub stream; ends with the last reader.
async fn pump(link: Arc<Link>) {
    let (mut readers, mut intended) = (link.lasting.main.readers(), link.intended.subscribe());
    let mut backoff = Backoff::new(link.settings.first_retry, link.settings.longest_retry);
    loop {
        {
            let mut pumping = lock(&link.pumping);
            if *readers.borrow_and_update() == 0 {
                *pumping = false;
                return;
            }
        }
        if *intended.borrow_and_update() == Which::Main {
            // Analysis reads the main stream itself and feeds the taps.
            tokio::select! {
                _ = intended.changed() => {}
                _ = readers.wait_for(|readers| *readers == 0) => {}
            }
            continue;
        }
        let over = tokio::select! {
            error = contained(read_main(link.clone())) => Some(error),
            _ = intended.wait_for(|which| *which == Which::Main) => None,
            _ = readers.wait_for(|readers| *readers == 0) => None,
        };
        let Some(Err(error)) = over else {
            link.lasting.main.restart();
            continue;
        };
        tracing::debug!(camera = %link.spec.id, fault = error.fault().as_str(), "main stream for taps: {}", error.one_line());
        link.lasting.main.down(error.fault());
        tokio::select! {
            () = sleep(backoff.after_failure(rand::random())) => {}
            _ = readers.wait_for(|readers| *readers == 0) => {}
        }
    }
}

async fn read_main(link: Arc<Link>) -> Result<(), CameraError> {
    let mut session = Session::open(&link.spec, &link.spec.url, &link.settings).await?;
    link.lasting.main.restart();
    loop {
        if let Some(given) = session.next().await? {
            link.pass_on(given);
        }
    }
}
