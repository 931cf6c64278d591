//! Which camera is analysed next, when there are more pictures than time.
//!
//! Every camera has a staleness limit. Cameras over it come first, the most overdue before the others, so none starves.
//! Within it the wait counts more for a scene that is dense or fills up.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// Limits of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A count older than this is stale.
    pub stale_after: Duration,
    /// A camera is not analysed again before this.
    pub min_interval: Duration,
}

/// The wait of a dense scene counts up to this much more.
const DENSE_WEIGHT: f32 = 1.0;

/// A scene with this many people is dense for the scheduler.
const DENSE_PEOPLE: f32 = 30.0;

/// The wait of a scene that fills up counts up to this much more.
const RISING_WEIGHT: f32 = 2.0;

/// Picks cameras; `K` is the camera's key.
#[derive(Debug, Clone)]
pub struct Scheduler<K> {
    limits: Limits,
    cameras: HashMap<K, Camera>,
}

#[derive(Debug, Clone, Copy)]
struct Camera {
    picked_at: Instant,
    people: f32,
    /// People more than at the count before, never negative.
    rise: f32,
}

impl<K: Clone + Eq + Hash> Scheduler<K> {
    /// A scheduler that knows no camera yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, cameras: HashMap::new() }
    }

    /// The index in `ready` of the camera to analyse now; none if all were analysed within the minimal interval. `ready`
    /// holds cameras with a waiting picture and how long it has waited. The camera counts as analysed from now on, even if
    /// its picture turns out broken: it must not hold up the others.
    pub fn pick(&mut self, ready: &[(K, Duration)], now: Instant) -> Option<usize> {
        let (_, index) = ready
            .iter()
            .enumerate()
            .filter_map(|(index, (key, waiting))| Some((self.urgency(key, *waiting, now)?, index)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        let camera = self.cameras.entry(ready[index].0.clone()).or_insert(Camera { picked_at: now, people: 0.0, rise: 0.0 });
        camera.picked_at = now;
        Some(index)
    }

    /// Tells a new count of a camera, in people.
    pub fn counted(&mut self, key: &K, people: f32) {
        if let Some(camera) = self.cameras.get_mut(key) {
            camera.rise = (people - camera.people).max(0.0);
            camera.people = people.max(0.0);
        }
    }

    /// Forgets a camera that is gone.
    pub fn forget(&mut self, key: &K) {
        self.cameras.remove(key);
    }

    /// When the first of these cameras may be analysed again; none if there are none.
    pub fn due_at(&self, ready: &[(K, Duration)], now: Instant) -> Option<Instant> {
        ready.iter().map(|(key, _)| self.cameras.get(key).map_or(now, |camera| camera.picked_at + self.limits.min_interval)).min()
    }

    /// Below 1: within the limit, weighted by the scene. 1 and more: overdue, by age alone. New cameras come before all.
    fn urgency(&self, key: &K, waiting: Duration, now: Instant) -> Option<f32> {
        let Some(camera) = self.cameras.get(key) else {
            return Some(1e9 + waiting.as_secs_f32());
        };
        let age = now.saturating_duration_since(camera.picked_at);
        if age < self.limits.min_interval {
            return None;
        }
        let share = age.as_secs_f32() / self.limits.stale_after.as_secs_f32().max(1e-3);
        if share >= 1.0 {
            return Some(share);
        }
        let dense = DENSE_WEIGHT * (camera.people / DENSE_PEOPLE).min(1.0);
        let rising = RISING_WEIGHT * (camera.rise / camera.people.max(1.0)).min(1.0);
        Some((share * (1.0 + dense + rising)).min(0.999))
    }
}
