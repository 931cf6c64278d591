//! The mailbox between cameras and the workers that decode: one slot per camera, newest key frame wins.
//!
//! Nothing here knows GStreamer or a network. A slow worker never makes a camera wait: what it did not
//! take in time is overwritten and counted, so that a count always comes from the newest picture.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use qorgan_domain::{DeviceRef, UtcMs};
use serde::{Deserialize, Serialize};

/// Video codecs that the hub decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
    /// MPEG-4 part 2; from files only.
    Mpeg4,
    /// Microsoft's MPEG-4 version 3 (DivX 3); from files only.
    Msmpeg4,
    /// Motion JPEG; from files only.
    Mjpeg,
}

impl Codec {
    /// Name in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Codec::H264 => "h264",
            Codec::H265 => "h265",
            Codec::Mpeg4 => "mpeg4",
            Codec::Msmpeg4 => "msmpeg4",
            Codec::Mjpeg => "mjpeg",
        }
    }
}
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An encoded key frame: one access unit that decodes without any other.
#[derive(Clone)]
pub struct KeyFrame {
    /// The camera it came from.
    pub camera: DeviceRef,
    /// How it is encoded.
    pub codec: Codec,
    /// Width and height in pixels that the stream announced.
    pub size_px: (u32, u32),
    /// The access unit; H.264 and H.265 in Annex B with their parameter sets in front.
    pub data: Bytes,
    /// Time stamp in the stream's own time, from an arbitrary zero.
    pub media_time: Duration,
    /// Wall time at which the hub had all of it.
    pub received_at: UtcMs,
    /// Monotonic time at which the hub had all of it.
    pub received: Instant,
}
impl fmt::Debug for KeyFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.size_px;
        write!(f, "{} {}x{} key frame of {}, {} bytes", self.codec, width, height, self.camera, self.data.len())
    }
}

/// A camera whose slot holds a key frame that nobody has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The camera.
    pub camera: DeviceRef,
    /// Since when the oldest key frame that nobody looked at has waited: overwriting does not reset it.
    pub waiting: Duration,
    /// When the frame in the slot was received.
    pub received: Instant,
    /// Codec and size, so that a worker can prefer a decoder it has warm.
    pub codec: Codec,
    /// Width and height in pixels.
    pub size_px: (u32, u32),
}

/// How a wait for work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// At least one key frame waits.
    Ready,
    /// None came in time.
    TimedOut,
    /// The mailbox was closed: the worker ends.
    Closed,
}

#[derive(Default)]
struct Slot {
    fresh: Option<KeyFrame>,
    waiting_since: Option<Instant>,
    newest: Option<KeyFrame>,
    overwritten: u64,
    offered: u64,
}

#[derive(Default)]
struct Inner {
    slots: BTreeMap<DeviceRef, Slot>,
    waiting: usize,
    closed: bool,
}

/// One slot per camera. Shared by all camera tasks and all workers; every call is short and never blocks
/// on anything but its own lock, except [`KeyFrames::wait`].
#[derive(Default)]
pub struct KeyFrames {
    inner: Mutex<Inner>,
    arrived: Condvar,
    bell: OnceLock<Bell>,
}

/// Told of every key frame: its camera, and when it was received.
type Bell = Box<dyn Fn(&DeviceRef, Instant) + Send + Sync>;

impl KeyFrames {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls this after each key frame that is offered, in the thread that offers it, with nothing locked: it must be short.
    /// Only the first bell stays.
    pub fn on_arrival(&self, bell: impl Fn(&DeviceRef, Instant) + Send + Sync + 'static) {
        let _ = self.bell.set(Box::new(bell));
    }

    /// Puts a key frame into its camera's slot. Returns whether it overwrote one that nobody had taken.
    pub fn offer(&self, frame: KeyFrame) -> bool {
        let (camera, received) = (frame.camera.clone(), frame.received);
        let overwrote = {
            let mut inner = self.lock();
            let slot = inner.slots.entry(frame.camera.clone()).or_default();
            slot.offered += 1;
            slot.newest = Some(frame.clone());
            slot.waiting_since.get_or_insert(frame.received);
            let overwrote = slot.fresh.replace(frame).is_some();
            slot.overwritten += u64::from(overwrote);
            inner.waiting += usize::from(!overwrote);
            overwrote
        };
        if let Some(bell) = self.bell.get() {
            bell(&camera, received);
        }
        metrics::counter!("qorgan_camera_key_frames_total", "camera" => camera.to_string()).increment(1);
        if overwrote {
            metrics::counter!("qorgan_camera_frames_overwritten_total", "camera" => camera.to_string()).increment(1);
        } else {
            self.arrived.notify_one();
        }
        overwrote
    }

    /// Takes the key frame that waits in a camera's slot, if another worker has not.
    pub fn take(&self, camera: &DeviceRef) -> Option<KeyFrame> {
        let mut inner = self.lock();
        let slot = inner.slots.get_mut(camera)?;
        let frame = slot.fresh.take()?;
        slot.waiting_since = None;
        inner.waiting -= 1;
        Some(frame)
    }

    /// The newest key frame of a camera, taken or not: for stills.
    pub fn newest(&self, camera: &DeviceRef) -> Option<KeyFrame> {
        self.lock().slots.get(camera)?.newest.clone()
    }

    /// Every camera whose slot holds something to take, in the order of their names.
    pub fn ready(&self, now: Instant) -> Vec<Ready> {
        let inner = self.lock();
        let ready = inner.slots.values().filter_map(|slot| {
            let frame = slot.fresh.as_ref()?;
            Some(Ready {
                camera: frame.camera.clone(),
                waiting: now.saturating_duration_since(slot.waiting_since.unwrap_or(frame.received)),
                received: frame.received,
                codec: frame.codec,
                size_px: frame.size_px,
            })
        });
        ready.collect()
    }

    /// Blocks a worker thread until something can be taken, the time is over or the mailbox is closed.
    /// Another worker may be quicker: `take` still decides.
    pub fn wait(&self, timeout: Duration) -> Wait {
        let inner = self.lock();
        let (inner, _) = self
            .arrived
            .wait_timeout_while(inner, timeout, |inner| inner.waiting == 0 && !inner.closed)
            .unwrap_or_else(PoisonError::into_inner);
        match (inner.closed, inner.waiting) {
            (true, _) => Wait::Closed,
            (false, 0) => Wait::TimedOut,
            (false, _) => Wait::Ready,
        }
    }

    /// Drops everything of a camera, its newest picture too.
    pub fn forget(&self, camera: &DeviceRef) {
        let mut inner = self.lock();
        if inner.slots.remove(camera).is_some_and(|slot| slot.fresh.is_some()) {
            inner.waiting -= 1;
        }
    }

    /// Ends every wait, now and later: the workers stop.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Key frames of a camera that were overwritten before anybody took them.
    pub fn overwritten(&self, camera: &DeviceRef) -> u64 {
        self.lock().slots.get(camera).map_or(0, |slot| slot.overwritten)
    }

    /// Key frames that a camera has offered.
    pub fn offered(&self, camera: &DeviceRef) -> u64 {
        self.lock().slots.get(camera).map_or(0, |slot| slot.offered)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn frame(camera: &str, data: &'static [u8], received: Instant) -> KeyFrame {
        KeyFrame {
            camera: camera.parse().unwrap(),
            codec: Codec::H264,
            size_px: (640, 360),
            data: Bytes::from_static(data),
            media_time: Duration::ZERO,
            received_at: UtcMs(0),
            received,
        }
    }

    #[test]
    fn a_frame_that_nobody_took_is_overwritten_and_counted() {
        let (frames, now) = (KeyFrames::new(), Instant::now());
        let yard = "school-17/yard".parse().unwrap();
        assert!(!frames.offer(frame("school-17/yard", b"old", now)));
        assert!(frames.offer(frame("school-17/yard", b"new", now)));
        assert_eq!(frames.take(&yard).unwrap().data, "new");
        assert!(frames.take(&yard).is_none(), "a frame is taken once");
        assert_eq!((frames.offered(&yard), frames.overwritten(&yard)), (2, 1));
        assert!(!frames.offer(frame("school-17/yard", b"later", now)), "a taken frame is not overwritten");
    }

    #[test]
    fn the_newest_frame_stays_for_stills_after_it_was_taken() {
        let frames = KeyFrames::new();
        let yard = "school-17/yard".parse().unwrap();
        assert!(frames.newest(&yard).is_none());
        frames.offer(frame("school-17/yard", b"a", Instant::now()));
        frames.take(&yard);
        assert_eq!(frames.newest(&yard).unwrap().data, "a");
        frames.forget(&yard);
        assert!(frames.newest(&yard).is_none());
        assert_eq!(frames.wait(Duration::ZERO), Wait::TimedOut);
    }

    #[test]
    fn overwriting_does_not_hide_how_long_a_camera_has_waited() {
        let (frames, start) = (KeyFrames::new(), Instant::now());
        frames.offer(frame("school-17/yard", b"a", start));
        frames.offer(frame("school-17/gate", b"a", start + Duration::from_secs(1)));
        frames.offer(frame("school-17/yard", b"b", start + Duration::from_secs(2)));
        let ready = frames.ready(start + Duration::from_secs(3));
        let ages: Vec<_> = ready.iter().map(|r| (r.camera.to_string(), r.waiting.as_secs())).collect();
        assert_eq!(ages, [("school-17/gate".to_owned(), 2), ("school-17/yard".to_owned(), 3)]);
        frames.take(&"school-17/yard".parse().unwrap());
        assert_eq!(frames.ready(start).len(), 1);
    }

    #[test]
    fn the_bell_rings_for_every_key_frame_when_it_can_be_taken() {
        let frames = Arc::new(KeyFrames::new());
        let (heard, taken) = (Arc::new(Mutex::new(0)), frames.clone());
        let count = heard.clone();
        frames.on_arrival(move |camera, _| *count.lock().unwrap() += usize::from(taken.take(camera).is_some()));
        for data in [b"a", b"b"] {
            frames.offer(frame("school-17/yard", data, Instant::now()));
        }
        assert_eq!(*heard.lock().unwrap(), 2);
    }

    #[test]
    fn a_waiting_worker_wakes_for_a_frame_and_for_the_end() {
        let frames = Arc::new(KeyFrames::new());
        assert_eq!(frames.wait(Duration::from_millis(1)), Wait::TimedOut);
        let worker = std::thread::spawn({
            let frames = frames.clone();
            move || frames.wait(Duration::from_secs(20))
        });
        frames.offer(frame("school-17/yard", b"a", Instant::now()));
        assert_eq!(worker.join().unwrap(), Wait::Ready);
        frames.take(&"school-17/yard".parse().unwrap());
        let worker = std::thread::spawn({
            let frames = frames.clone();
            move || frames.wait(Duration::from_secs(20))
        });
        frames.close();
        assert_eq!(worker.join().unwrap(), Wait::Closed);
    }
}
