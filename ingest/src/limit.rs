//! How fast one device may send alarms, whatever door it uses.
//!
//! A token bucket a device: the first alarms pass at once, over the rate the sender is kept waiting, and beyond a bounded
//! queue it is refused. Waiting holds up the sender's own connection only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use qorgan_domain::DeviceRef;

/// How much one device may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many at once.
    pub burst: u32,
    /// Then so many a second.
    pub per_second: u32,
    /// So many may wait for their turn.
    pub queue: u32,
}

impl Rate {
    /// One button, panel or phone. Nobody presses twenty times at once.
    pub const DEVICE: Rate = Rate { burst: 20, per_second: 5, queue: 64 };
    /// An edge box that brings what it kept while the centre was away, for all devices of its site. It has limited each of them.
    pub const EDGE: Rate = Rate { burst: 2_000, per_second: 200, queue: 256 };
}

/// Beyond the queue: the device is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the device sends more alarms than one device may")]
pub struct Flood;

/// A turn.
#[derive(Debug)]
pub struct Turn {
    /// How long to wait for it.
    pub wait: Duration,
    /// The device has been over its rate for some time: worth a trouble. True at most every ten seconds of a flood.
    pub flood: bool,
    /// Gives the place in the queue back when it is dropped; keep it until the wait is over.
    pub place: Option<Place>,
}

/// A place in the queue of a device.
#[derive(Debug)]
pub struct Place {
    limit: PerDevice,
    device: DeviceRef,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut buckets = self.limit.buckets();
        if let Some(bucket) = buckets.get_mut(&self.device) {
            bucket.waiting = bucket.waiting.saturating_sub(1);
        }
    }
}

/// The buckets of all devices; clones share them.
#[derive(Debug, Clone)]
pub struct PerDevice {
    rate: Rate,
    buckets: Arc<Mutex<HashMap<DeviceRef, Bucket>>>,
}

#[derive(Debug)]
struct Bucket {
    /// When the next alarm would be due at an even pace (the theoretical arrival time of GCRA).
    due: Instant,
    waiting: u32,
    /// Alarms in a row that had to wait, since the bucket was last full.
    late: u32,
    said: Option<Instant>,
}

/// So many late alarms in a row are a flood: at the rate of a device, four seconds of it.
const FLOOD_LATE: u32 = 20;
const SAY_AGAIN: Duration = Duration::from_secs(10);
/// Buckets that are full again are forgotten when there are this many.
const MAX_BUCKETS: usize = 16_384;

impl PerDevice {
    /// A limit with nobody in it.
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: Arc::default() }
    }

    /// Asks for a turn, now. `Err` carries whether the flood is to be said.
    pub fn turn(&self, device: &DeviceRef, now: Instant) -> Result<Turn, (Flood, bool)> {
        let pace = Duration::from_secs(1) / self.rate.per_second.max(1);
        let room = pace * self.rate.burst.saturating_sub(1);
        let mut buckets = self.buckets();
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(device) {
            buckets.retain(|_, bucket| bucket.due > now || bucket.waiting > 0);
        }
        let bucket = buckets.entry(device.clone()).or_insert(Bucket { due: now, waiting: 0, late: 0, said: None });
        if bucket.due <= now && bucket.waiting == 0 {
            (bucket.due, bucket.late) = (now, 0);
        }
        let wait = bucket.due.saturating_duration_since(now + room);
        if wait.is_zero() {
            bucket.due += pace;
            return Ok(Turn { wait, flood: false, place: None });
        }
        bucket.late = bucket.late.saturating_add(1);
        let refused = bucket.waiting >= self.rate.queue;
        let flood = (refused || bucket.late >= FLOOD_LATE) && bucket.said.is_none_or(|said| now.duration_since(said) >= SAY_AGAIN);
        if flood {
            bucket.said = Some(now);
        }
        if refused {
            return Err((Flood, flood));
        }
        bucket.due += pace;
        bucket.waiting += 1;
        drop(buckets);
        Ok(Turn { wait, flood, place: Some(Place { limit: self.clone(), device: device.clone() }) })
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, HashMap<DeviceRef, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str) -> DeviceRef {
        format!("school-17/{name}").parse().unwrap()
    }

    #[test]
    fn a_burst_passes_and_then_the_sender_waits_its_turn() {
        let (limit, now) = (PerDevice::new(Rate::DEVICE), Instant::now());
        for n in 0..20 {
            assert_eq!(limit.turn(&device("gate"), now).unwrap().wait, Duration::ZERO, "{n}");
        }
        let mut places = Vec::new();
        for n in 1..=64 {
            let turn = limit.turn(&device("gate"), now).unwrap();
            assert_eq!(turn.wait, Duration::from_millis(200) * n);
            places.push(turn.place);
        }
        assert!(limit.turn(&device("gate"), now).is_err(), "the queue is full");
        assert_eq!(limit.turn(&device("yard"), now).unwrap().wait, Duration::ZERO, "others do not notice");
        places.clear();
        assert!(limit.turn(&device("gate"), now).is_ok(), "there is room again");
    }

    #[test]
    fn the_first_after_a_pause_is_not_delayed() {
        let (limit, start) = (PerDevice::new(Rate::DEVICE), Instant::now());
        for _ in 0..40 {
            let _ = limit.turn(&device("gate"), start);
        }
        let later = start + Duration::from_secs(9);
        assert_eq!(limit.turn(&device("gate"), later).unwrap().wait, Duration::ZERO);
    }

    #[test]
    fn a_sender_that_always_waits_is_a_flood_that_is_said_every_ten_seconds() {
        let (limit, start) = (PerDevice::new(Rate::DEVICE), Instant::now());
        let (mut now, mut said, mut sent) = (start, 0, 0);
        while now.duration_since(start) < Duration::from_secs(31) {
            let turn = limit.turn(&device("gate"), now).unwrap();
            said += u32::from(turn.flood);
            sent += 1;
            now += turn.wait;
        }
        assert_eq!(said, 3, "after four seconds, and twice more");
        assert!((20 + 5 * 30..=20 + 5 * 31 + 1).contains(&sent), "{sent}");
    }

    #[test]
    fn twenty_presses_a_minute_are_never_a_flood() {
        let (limit, mut now) = (PerDevice::new(Rate::DEVICE), Instant::now());
        for _ in 0..100 {
            let turn = limit.turn(&device("gate"), now).unwrap();
            assert!(turn.wait.is_zero() && !turn.flood);
            now += Duration::from_secs(3);
        }
    }
}
