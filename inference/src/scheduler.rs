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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { stale_after: Duration::from_secs(10), min_interval: Duration::from_millis(500) };

    fn ms(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    fn ready(keys: &[u32]) -> Vec<(u32, Duration)> {
        keys.iter().map(|key| (*key, Duration::ZERO)).collect()
    }

    #[test]
    fn new_cameras_first_then_the_one_that_waited_longest() {
        let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
        assert_eq!(scheduler.pick(&[], start), None);
        assert_eq!(scheduler.pick(&ready(&[7, 8]), start), Some(0));
        assert_eq!(scheduler.pick(&ready(&[7, 8]), ms(start, 600)), Some(1));
        assert_eq!(scheduler.pick(&ready(&[8, 7]), ms(start, 1_200)), Some(1));
    }

    #[test]
    fn a_rising_scene_is_looked_at_earlier_but_not_before_an_overdue_one() {
        let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
        scheduler.pick(&ready(&[1]), start);
        scheduler.pick(&ready(&[2]), ms(start, 1_000));
        scheduler.counted(&1, 5.0);
        scheduler.counted(&1, 5.0);
        scheduler.counted(&2, 5.0);
        assert_eq!(scheduler.pick(&ready(&[1, 2]), ms(start, 2_000)), Some(1), "2 has waited less, but fills up");
        assert_eq!(scheduler.pick(&ready(&[1, 2]), ms(start, 10_000)), Some(0), "1 is overdue");
    }

    #[test]
    fn nothing_is_due_within_the_minimal_interval() {
        let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
        scheduler.pick(&ready(&[1]), start);
        assert_eq!(scheduler.pick(&ready(&[1]), ms(start, 499)), None);
        assert_eq!(scheduler.due_at(&ready(&[1]), ms(start, 499)), Some(ms(start, 500)));
        assert_eq!(scheduler.pick(&ready(&[1]), ms(start, 500)), Some(0));
        scheduler.forget(&1);
        assert_eq!(scheduler.pick(&ready(&[1]), ms(start, 501)), Some(0));
    }

    proptest! {
        /// With time for every camera once per limit, none waits longer than the limit plus one round, whatever the counts:
        /// overdue cameras are served oldest first, at most one round of them.
        #[test]
        fn no_camera_starves(cameras in 1u32..30, counts in prop::collection::vec(0.0f32..200.0, 50..400)) {
            let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
            let slot = 10_000 / u64::from(cameras);
            let mut last = vec![0u64; cameras as usize];
            for (step, people) in counts.iter().enumerate() {
                let now = step as u64 * slot;
                let all = ready(&(0..cameras).collect::<Vec<_>>());
                if let Some(index) = scheduler.pick(&all, ms(start, now)) {
                    last[index] = now;
                    // Camera 0 always rises: the greediest possible.
                    scheduler.counted(&(index as u32), if index == 0 { step as f32 * 10.0 } else { *people });
                }
                for (camera, last) in last.iter().enumerate() {
                    prop_assert!(now - last <= 2 * 10_000 + slot, "camera {camera} waited {} ms", now - last);
                }
            }
        }

        /// Even with far too little time everybody gets a turn: at most one whole round passes between two picks of a camera.
        #[test]
        fn under_overload_the_oldest_come_first(cameras in 2u32..20, counts in prop::collection::vec(0.0f32..200.0, 60..200)) {
            let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
            let mut picks = Vec::new();
            for (step, people) in counts.iter().enumerate() {
                let all = ready(&(0..cameras).collect::<Vec<_>>());
                let index = scheduler.pick(&all, ms(start, step as u64 * 11_000)).expect("all are overdue");
                scheduler.counted(&(index as u32), *people);
                picks.push(index);
            }
            for round in picks.chunks_exact(cameras as usize) {
                let mut seen = round.to_vec();
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen.len(), cameras as usize);
            }
        }
    }
}
