//! Taps: every access unit of a camera's main stream, for viewers and recorders, shared between them.
//!
//! The camera never waits for a reader. Each reader has a bounded queue of its own; one that falls behind loses what is in it,
//! is told how much, and goes on at the next key frame, because a picture that builds on a lost one is of no use.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;
use qorgan_domain::{CameraFault, UtcMs};
use tokio::sync::{Notify, watch};

use super::Codec;

/// Units that wait for one reader; at 25 frames a second 20 s.
const QUEUE_UNITS: usize = 512;
/// Bytes that wait for one reader.
const QUEUE_BYTES: usize = 16 << 20;
/// Most units of the look-back while a stream is tapped.
const TAPPED_LOOK_BACK_BYTES: usize = 16 << 20;

/// One encoded picture.
#[derive(Clone)]
pub struct AccessUnit {
    /// How it is encoded.
    pub codec: Codec,
    /// Width and height in pixels that the stream announced.
    pub size_px: (u32, u32),
    /// H.264 and H.265 in Annex B, a key frame with its parameter sets in front; JPEG as it is.
    pub data: Bytes,
    /// Decodes by itself.
    pub key: bool,
    /// When it is shown, in the stream's own time from an arbitrary zero. Goes on when the camera's time stamps jump; steps back only
    /// between frames that are shown in another order than they are sent.
    pub media_time: Duration,
    /// Wall time at which the hub had all of it.
    pub received_at: UtcMs,
    /// Monotonic time at which the hub had all of it.
    pub received: Instant,
}
impl fmt::Debug for AccessUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.size_px;
        let kind = if self.key { "key" } else { "delta" };
        write!(f, "{} {width}x{height} {kind} unit of {} bytes at {:?}", self.codec, self.data.len(), self.media_time)
    }
}

/// What a tap gives.
#[derive(Debug, Clone)]
pub enum TapItem {
    /// The next picture. The first one, and the one after `Missed` and `Down`, is a key frame.
    Unit(AccessUnit),
    /// The reader was too slow: so many units were dropped.
    Missed(u64),
    /// The camera is away; its units come again when it is back, perhaps in another codec or size.
    Down(CameraFault),
}

/// A reader of a camera's main stream. The stream is closed with its last reader when nothing else needs it.
pub struct Tap {
    queue: Arc<Queue>,
    stream: Arc<Fanout>,
}

impl Tap {
    /// The next item; `None` when the camera was removed. Can be dropped and called again without loss.
    pub async fn next(&mut self) -> Option<TapItem> {
        loop {
            let arrived = self.queue.arrived.notified();
            match self.queue.lock().pop() {
                Popped::Item(item) => return Some(item),
                Popped::Closed => return None,
                Popped::Nothing => {}
            }
            arrived.await;
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stream.left(&self.queue);
    }
}

#[derive(Default)]
struct Queue {
    inner: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Units and downs, in their order.
    items: VecDeque<TapItem>,
    bytes: usize,
    /// Lost before the first of `items`.
    missed: u64,
    /// Has been given a key frame, and everything since.
    following: bool,
    /// Has been given anything.
    begun: bool,
    closed: bool,
}

enum Popped {
    Item(TapItem),
    Nothing,
    Closed,
}

impl Waiting {
    fn push(&mut self, unit: &AccessUnit) {
        if !self.following && !unit.key {
            // Before the first key frame nothing is missed: the reader never asked for it.
            self.missed += u64::from(self.begun);
            return;
        }
        if self.items.len() >= QUEUE_UNITS || self.bytes + unit.data.len() > QUEUE_BYTES {
            self.missed += self.items.drain(..).filter(|item| matches!(item, TapItem::Unit(_))).count() as u64;
            self.bytes = 0;
            if !unit.key {
                self.missed += 1;
                self.following = false;
                return;
            }
        }
        (self.following, self.begun) = (true, true);
        self.bytes += unit.data.len();
        self.items.push_back(TapItem::Unit(unit.clone()));
    }

    fn down(&mut self, fault: CameraFault) {
        (self.following, self.begun) = (false, false);
        // A camera that is away for long is told once.
        if !matches!(self.items.back(), Some(TapItem::Down(_))) {
            self.items.push_back(TapItem::Down(fault));
        }
    }

    fn pop(&mut self) -> Popped {
        if self.missed > 0 {
            return Popped::Item(TapItem::Missed(std::mem::take(&mut self.missed)));
        }
        match self.items.pop_front() {
            Some(item) => {
                if let TapItem::Unit(unit) = &item {
                    self.bytes -= unit.data.len();
                }
                Popped::Item(item)
            }
            None if self.closed => Popped::Closed,
            None => Popped::Nothing,
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stream and all who read it.
pub(super) struct Fanout {
    inner: Mutex<Shared>,
    readers: watch::Sender<usize>,
    /// Look-back while nobody reads.
    idle_bytes: usize,
}

#[derive(Default)]
struct Shared {
    queues: Vec<Weak<Queue>>,
    /// From the newest key frame on; empty when that is too much to keep.
    look_back: Vec<AccessUnit>,
    look_back_bytes: usize,
}

impl Fanout {
    pub(super) fn new(idle_bytes: usize) -> Self {
        Self { inner: Mutex::default(), readers: watch::Sender::new(0), idle_bytes }
    }

    /// One more reader; gets the look-back at once.
    pub(super) fn tap(self: &Arc<Self>) -> Tap {
        let queue = Arc::new(Queue::default());
        let mut shared = self.lock();
        {
            let mut waiting = queue.lock();
            shared.look_back.iter().for_each(|unit| waiting.push(unit));
        }
        shared.queues.push(Arc::downgrade(&queue));
        drop(shared);
        self.readers.send_modify(|readers| *readers += 1);
        Tap { queue, stream: self.clone() }
    }

    fn left(&self, queue: &Arc<Queue>) {
        self.lock().queues.retain(|known| known.upgrade().is_some_and(|known| !Arc::ptr_eq(&known, queue)));
        self.readers.send_modify(|readers| *readers = readers.saturating_sub(1));
    }

    /// How many read, and when that changes.
    pub(super) fn readers(&self) -> watch::Receiver<usize> {
        self.readers.subscribe()
    }

    /// Hands a unit to every reader.
    pub(super) fn publish(&self, unit: &AccessUnit) {
        let mut shared = self.lock();
        let limit = if shared.queues.is_empty() { self.idle_bytes } else { TAPPED_LOOK_BACK_BYTES };
        shared.keep(unit, limit);
        shared.each(|waiting| waiting.push(unit));
    }

    /// The stream is away: what is left of it must not be mixed with what comes.
    pub(super) fn down(&self, fault: CameraFault) {
        let mut shared = self.lock();
        shared.forget();
        shared.each(|waiting| waiting.down(fault));
    }

    /// The stream begins anew without a fault to tell.
    pub(super) fn restart(&self) {
        let mut shared = self.lock();
        shared.forget();
        shared.each(|waiting| (waiting.following, waiting.begun) = (false, false));
    }

    /// The camera is gone for good.
    pub(super) fn close(&self) {
        let mut shared = self.lock();
        shared.forget();
        shared.each(|waiting| waiting.closed = true);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn keep(&mut self, unit: &AccessUnit, limit: usize) {
        if unit.key {
            self.forget();
        } else if self.look_back.is_empty() {
            return;
        }
        self.look_back_bytes += unit.data.len();
        self.look_back.push(unit.clone());
        if self.look_back_bytes > limit || self.look_back.len() > QUEUE_UNITS {
            self.forget();
        }
    }

    fn forget(&mut self) {
        // The memory goes back too: a camera that is tapped once does not keep room for ever.
        self.look_back = Vec::new();
        self.look_back_bytes = 0;
    }

    fn each(&self, mut tell: impl FnMut(&mut Waiting)) {
        for queue in self.queues.iter().filter_map(Weak::upgrade) {
            tell(&mut queue.lock());
            queue.arrived.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(n: u64, key: bool, bytes: usize) -> AccessUnit {
        AccessUnit {
            codec: Codec::H264,
            size_px: (640, 360),
            data: vec![0; bytes].into(),
            key,
            media_time: Duration::from_millis(40 * n),
            received_at: UtcMs(0),
            received: Instant::now(),
        }
    }

    /// Everything that waits, in a few letters: K and d for units, mN for missed, D for down.
    fn drain(tap: &mut Tap) -> String {
        let mut seen = String::new();
        loop {
            match tap.queue.lock().pop() {
                Popped::Item(TapItem::Unit(unit)) => seen.push(if unit.key { 'K' } else { 'd' }),
                Popped::Item(TapItem::Missed(n)) => seen.push_str(&format!("m{n}")),
                Popped::Item(TapItem::Down(_)) => seen.push('D'),
                Popped::Nothing => return seen,
                Popped::Closed => return seen + ".",
            }
        }
    }

    #[test]
    fn a_reader_begins_with_the_current_group_of_pictures() {
        let stream = Arc::new(Fanout::new(1_000));
        for (n, key) in (0..).zip([true, false, false, true, false]) {
            stream.publish(&unit(n, key, 100));
        }
        let mut tap = stream.tap();
        assert_eq!(drain(&mut tap), "Kd");
        stream.publish(&unit(5, false, 100));
        assert_eq!(drain(&mut tap), "d");
    }

    #[test]
    fn without_a_look_back_a_reader_begins_at_the_next_key_frame_and_has_missed_nothing() {
        let stream = Arc::new(Fanout::new(150));
        stream.publish(&unit(0, true, 100));
        stream.publish(&unit(1, false, 100));
        let mut tap = stream.tap();
        stream.publish(&unit(2, false, 100));
        stream.publish(&unit(3, true, 100));
        assert_eq!(drain(&mut tap), "K", "200 bytes were over the bound of 150");
    }

    #[test]
    fn a_slow_reader_is_told_and_goes_on_at_a_key_frame_and_the_quick_one_is_not_disturbed() {
        let stream = Arc::new(Fanout::new(0));
        let (mut slow, mut quick) = (stream.tap(), stream.tap());
        let mut fast = String::new();
        for n in 0..QUEUE_UNITS as u64 + 30 {
            stream.publish(&unit(n, n == 0 || n == QUEUE_UNITS as u64 + 20, 10));
            fast.push_str(&drain(&mut quick));
        }
        assert!(!fast.contains('m') && fast.len() == QUEUE_UNITS + 30);
        // All that waited, and the 20 before the next key frame.
        assert_eq!(drain(&mut slow), format!("m{}Kddddddddd", QUEUE_UNITS + 20));
    }

    #[test]
    fn a_queue_is_bounded_in_bytes() {
        let stream = Arc::new(Fanout::new(0));
        let mut tap = stream.tap();
        for n in 0..5 {
            stream.publish(&unit(n, true, QUEUE_BYTES / 2));
        }
        assert_eq!(drain(&mut tap), "m4K");
    }

    #[test]
    fn after_a_fault_a_reader_goes_on_with_a_key_frame() {
        let stream = Arc::new(Fanout::new(1_000));
        let mut tap = stream.tap();
        stream.publish(&unit(0, true, 10));
        stream.down(CameraFault::Stalled);
        stream.down(CameraFault::Refused);
        stream.publish(&unit(1, false, 10));
        stream.publish(&unit(2, true, 10));
        assert_eq!(drain(&mut tap), "KDK", "what came before the key frame was not lost: it was never whole");
        assert_eq!(drain(&mut stream.tap()), "K");
        stream.close();
        assert_eq!(drain(&mut tap), ".");
    }

    #[tokio::test]
    async fn readers_are_counted_and_a_waiting_one_wakes() {
        let stream = Arc::new(Fanout::new(1_000));
        let mut tap = stream.tap();
        let second = stream.tap();
        assert_eq!(*stream.readers().borrow(), 2);
        drop(second);
        assert_eq!(*stream.readers().borrow(), 1);
        let waiting = tokio::spawn(async move { tap.next().await.is_some() });
        tokio::task::yield_now().await;
        stream.publish(&unit(0, true, 10));
        assert!(waiting.await.unwrap());
        assert_eq!(*stream.readers().borrow(), 0);
    }
}
