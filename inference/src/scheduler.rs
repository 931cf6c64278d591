//! Which camera is looked at next, when there are more pictures than time. Pure: `now` is given, nothing blocks.
//!
//! Every camera has a staleness limit. In this order:
//!
//! 1. cameras that would pass their limit by waiting on, the most overdue first, so none starves;
//! 2. cameras that deserve it: new ones, those of an open incident, scenes that fill up, dense scenes;
//! 3. with time to spare, quiet scenes: whether anything has changed there costs a tenth of a run of the model.
//!
//! A steady scene waits for the last key frame that comes before its limit, which the scheduler foresees from their interval;
//! the ones before it are never decoded. A pick costs `O(log n)` of the cameras that wait, for thousands of cameras.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::{Duration, Instant},
};

/// Limits of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A count older than this is stale.
    pub stale_after: Duration,
    /// A camera is not looked at again before this.
    pub min_interval: Duration,
}

/// What a look at a camera showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// People.
    pub people: f32,
    /// Nothing had changed: the model did not run.
    pub unchanged: bool,
}

/// A scene with this many people is dense for the scheduler.
const DENSE_PEOPLE: f32 = 30.0;

/// A scene fills up when a look shows at least this many people more, and this share more, than the one before. Two, because a
/// detector gains or loses one between two pictures of the same people.
const RISE_PEOPLE: f32 = 2.0;
const RISE_SHARE: f32 = 0.2;

/// A scene that filled up is looked at more often for this many looks.
const RISE_LOOKS: u8 = 3;

/// A look takes this long from pick to count, with some waiting: a camera is overdue this much before its limit.
const LEAD: Duration = Duration::from_millis(250);

/// What a scene that fills up gains on others that deserve a look.
const RISE_FIRST: Duration = Duration::from_secs(10);

/// Interval of two pictures of a camera before it is known: as if no other would come.
const UNKNOWN_INTERVAL: Duration = Duration::from_secs(3600);

/// Picks cameras; `K` is the camera's key.
#[derive(Debug, Clone)]
pub struct Scheduler<K> {
    limits: Limits,
    ids: HashMap<K, usize>,
    cameras: Vec<Option<Camera<K>>>,
    free: Vec<usize>,
    /// Cameras with a waiting picture, by the moment from which on they come first.
    overdue_at: BTreeSet<(Instant, usize)>,
    /// Those that deserve a look, by the moment from which on.
    wanted_at: BTreeSet<(Instant, usize)>,
    /// Those that get one if there is time, by the arrival of their picture.
    spare: BTreeSet<(Instant, usize)>,
}

#[derive(Debug, Clone)]
struct Camera<K> {
    key: K,
    limits: Limits,
    watched: Option<Duration>,
    picked_at: Option<Instant>,
    /// When its first picture came.
    since: Option<Instant>,
    arrived_at: Option<Instant>,
    interval: Duration,
    look: Option<Look>,
    rising: u8,
    /// Picked, and not told what came of it: nobody else may look at it meanwhile.
    busy: bool,
    /// A picture came while it was busy.
    again: bool,
    place: Option<Place>,
}

/// Where a camera with a waiting picture stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    overdue_at: Instant,
    turn: Turn,
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Wanted(Instant),
    Spare(Instant),
    /// Only once it is overdue.
    None,
}

impl<K: Clone + Eq + Hash> Scheduler<K> {
    /// A scheduler that knows no camera yet; the limits hold for cameras that get none of their own.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ids: HashMap::new(),
            cameras: Vec::new(),
            free: Vec::new(),
            overdue_at: BTreeSet::new(),
            wanted_at: BTreeSet::new(),
            spare: BTreeSet::new(),
        }
    }

    /// Gives a camera limits of its own.
    pub fn limit(&mut self, key: &K, limits: Limits) {
        let id = self.id(key);
        self.change(id, |camera| camera.limits = limits);
    }

    /// A camera is looked at this often, if the limits of the others allow, until this is taken back: its site has an incident.
    pub fn watch(&mut self, key: &K, every: Option<Duration>) {
        let id = self.id(key);
        self.change(id, |camera| camera.watched = every);
    }

    /// The camera itself says that something moves: its next pictures come as early as those of a scene that fills up.
    pub fn stir(&mut self, key: &K) {
        let Some(id) = self.ids.get(key).copied() else { return };
        self.change(id, |camera| camera.rising = camera.rising.max(RISE_LOOKS));
    }

    /// A picture of the camera waits; a newer one takes the place of an older.
    pub fn arrived(&mut self, key: &K, now: Instant) {
        let id = self.id(key);
        let Some(camera) = &mut self.cameras[id] else { return };
        if let Some(before) = camera.arrived_at {
            let since = now.saturating_duration_since(before);
            // The shorter of two, and half-way to it: a gap in the stream is no interval.
            camera.interval =
                if camera.interval == UNKNOWN_INTERVAL { since } else { (camera.interval + since.min(camera.interval * 2)) / 2 };
        }
        camera.arrived_at = Some(now);
        camera.since.get_or_insert(now);
        camera.again = camera.busy;
        if !camera.busy {
            self.place(id, now);
        }
    }

    /// The camera to look at now; none if none is due. It counts as looked at from now on, even if its picture turns out
    /// broken: it must not hold up the others. It is not picked again before [`Scheduler::looked`].
    pub fn pick(&mut self, now: Instant) -> Option<K> {
        let first = |set: &BTreeSet<(Instant, usize)>| set.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id);
        let id = first(&self.overdue_at).or_else(|| first(&self.wanted_at)).or_else(|| first(&self.spare))?;
        self.take_out(id);
        let camera = self.cameras[id].as_mut()?;
        camera.picked_at = Some(now);
        camera.busy = true;
        Some(camera.key.clone())
    }

    /// When the first waiting camera is due, if none is picked or arrives before; none if no picture waits.
    pub fn due_at(&self) -> Option<Instant> {
        [&self.overdue_at, &self.wanted_at, &self.spare].into_iter().filter_map(|set| set.first().map(|(at, _)| *at)).min()
    }

    /// Tells what a look showed; nothing if it failed.
    pub fn looked(&mut self, key: &K, look: Option<Look>) {
        let Some(id) = self.ids.get(key).copied() else { return };
        let Some(camera) = self.cameras[id].as_mut() else { return };
        if let Some(look) = look {
            let before = camera.look.map_or(look.people, |look| look.people);
            let rise = look.people - before;
            camera.rising = match rise >= RISE_PEOPLE && rise >= RISE_SHARE * before {
                true => RISE_LOOKS,
                false => camera.rising.saturating_sub(1),
            };
            camera.look = Some(look);
        }
        camera.busy = false;
        if let (true, Some(arrived)) = (std::mem::take(&mut camera.again), camera.arrived_at) {
            self.place(id, arrived);
        }
    }

    /// Forgets a camera that is gone.
    pub fn forget(&mut self, key: &K) {
        if let Some(id) = self.ids.remove(key) {
            self.take_out(id);
            self.cameras[id] = None;
            self.free.push(id);
        }
    }

    /// Every camera that it knows, in no order.
    pub fn cameras(&self) -> impl Iterator<Item = &K> {
        self.ids.keys()
    }

    /// How many cameras it knows.
    pub fn known(&self) -> usize {
        self.ids.len()
    }

    /// Longest time since any of the cameras with a waiting picture was looked at; for metrics.
    pub fn most_overdue(&self, now: Instant) -> Duration {
        self.overdue_at.first().map_or(Duration::ZERO, |(at, _)| now.saturating_duration_since(*at))
    }

    fn id(&mut self, key: &K) -> usize {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        let camera = Camera {
            key: key.clone(),
            limits: self.limits,
            watched: None,
            picked_at: None,
            since: None,
            arrived_at: None,
            interval: UNKNOWN_INTERVAL,
            look: None,
            rising: 0,
            busy: false,
            again: false,
            place: None,
        };
        let id = self.free.pop().unwrap_or_else(|| {
            self.cameras.push(None);
            self.cameras.len() - 1
        });
        self.cameras[id] = Some(camera);
        self.ids.insert(key.clone(), id);
        id
    }

    /// Changes a camera and, if its picture waits, its place.
    fn change(&mut self, id: usize, how: impl FnOnce(&mut Camera<K>)) {
        let Some(camera) = &mut self.cameras[id] else { return };
        how(camera);
        if let (true, Some(arrived)) = (camera.place.is_some(), camera.arrived_at) {
            self.place(id, arrived);
        }
    }

    /// Puts a camera whose picture came at this moment where it belongs.
    fn place(&mut self, id: usize, arrived: Instant) {
        self.take_out(id);
        let Some(camera) = &mut self.cameras[id] else { return };
        let place = camera.place_of(arrived);
        camera.place = Some(place);
        self.overdue_at.insert((place.overdue_at, id));
        match place.turn {
            Turn::Wanted(at) => drop(self.wanted_at.insert((at, id))),
            Turn::Spare(at) => drop(self.spare.insert((at, id))),
            Turn::None => {}
        }
    }

    fn take_out(&mut self, id: usize) {
        let Some(place) = self.cameras[id].as_mut().and_then(|camera| camera.place.take()) else { return };
        self.overdue_at.remove(&(place.overdue_at, id));
        match place.turn {
            Turn::Wanted(at) => drop(self.wanted_at.remove(&(at, id))),
            Turn::Spare(at) => drop(self.spare.remove(&(at, id))),
            Turn::None => {}
        }
    }
}

impl<K> Camera<K> {
    fn place_of(&self, arrived: Instant) -> Place {
        let Some(picked) = self.picked_at else {
            // New: overdue since its first picture came.
            return Place { overdue_at: self.since.unwrap_or(arrived), turn: Turn::None };
        };
        let earliest = picked + self.limits.min_interval;
        let last = (picked + self.limits.stale_after).checked_sub(LEAD).unwrap_or(picked).max(earliest);
        let next_in_time = arrived + self.interval <= last;
        if let Some(every) = self.watched {
            return Place { overdue_at: last, turn: Turn::Wanted(earliest.max(picked + every)) };
        }
        let turn = match self.look {
            // No look has succeeded yet.
            None => Turn::Wanted(earliest.max(arrived)),
            Some(_) if self.rising > 0 => Turn::Wanted(before_others(earliest, arrived)),
            Some(look) if look.people >= DENSE_PEOPLE => Turn::Wanted(earliest.max(arrived)),
            Some(_) if !next_in_time => Turn::Wanted(earliest.max(arrived)),
            Some(look) if look.unchanged || look.people < 0.5 => Turn::Spare(earliest.max(arrived)),
            Some(_) => Turn::None,
        };
        Place { overdue_at: last, turn }
    }
}

/// A rising scene stands before all others that are due, never before its own minimal interval.
fn before_others(earliest: Instant, arrived: Instant) -> Instant {
    if earliest > arrived { earliest } else { arrived.checked_sub(RISE_FIRST).unwrap_or(arrived) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { stale_after: Duration::from_secs(10), min_interval: Duration::from_millis(500) };

    fn ms(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    fn counted(people: f32) -> Option<Look> {
        Some(Look { people, unchanged: false })
    }

    /// A scheduler whose cameras send a picture every `every` ms and have been looked at once, at 0.
    fn steady(start: Instant, keys: &[u32], every: u64, people: f32) -> Scheduler<u32> {
        let mut scheduler = Scheduler::new(LIMITS);
        for key in keys {
            scheduler.arrived(key, start);
        }
        for key in keys {
            assert_eq!(scheduler.pick(start), Some(*key));
            scheduler.looked(key, counted(people));
            scheduler.arrived(key, ms(start, every));
        }
        scheduler
    }

    #[test]
    fn new_cameras_come_at_once_in_the_order_of_their_pictures() {
        let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
        assert_eq!(scheduler.pick(start), None);
        assert_eq!(scheduler.due_at(), None);
        scheduler.arrived(&7, start);
        scheduler.arrived(&8, ms(start, 1));
        assert_eq!(scheduler.pick(ms(start, 2)), Some(7));
        assert_eq!(scheduler.pick(ms(start, 2)), Some(8));
        assert_eq!(scheduler.pick(ms(start, 2)), None, "no picture waits");
    }

    #[test]
    fn a_steady_scene_waits_for_the_last_key_frame_before_its_limit() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1], 3_000, 5.0);
        assert_eq!(scheduler.pick(ms(start, 3_000)), None, "6 s and 9 s come before 10 s");
        scheduler.arrived(&1, ms(start, 6_000));
        assert_eq!(scheduler.pick(ms(start, 6_000)), None);
        scheduler.arrived(&1, ms(start, 9_000));
        assert_eq!(scheduler.pick(ms(start, 9_000)), Some(1), "12 s would be too late");
    }

    #[test]
    fn a_camera_that_falls_silent_is_looked_at_before_its_limit_all_the_same() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1], 3_000, 5.0);
        assert_eq!(scheduler.due_at(), Some(ms(start, 9_750)));
        assert_eq!(scheduler.pick(ms(start, 9_749)), None);
        assert_eq!(scheduler.pick(ms(start, 9_750)), Some(1), "with the picture of 3 s");
    }

    #[test]
    fn a_quiet_scene_is_looked_at_with_time_to_spare_only() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1, 2], 3_000, 0.0);
        scheduler.looked(&2, counted(40.0));
        scheduler.arrived(&2, ms(start, 3_000));
        assert_eq!(scheduler.pick(ms(start, 3_100)), Some(2), "dense before quiet");
        assert_eq!(scheduler.pick(ms(start, 3_100)), Some(1));
    }

    #[test]
    fn a_camera_that_says_that_something_moves_is_looked_at_before_quiet_ones() {
        let start = Instant::now();
        let mut scheduler = Scheduler::new(Limits { stale_after: Duration::from_secs(10), min_interval: Duration::from_millis(100) });
        let quiet = Some(Look { people: 3.0, unchanged: false });
        for camera in [1, 2] {
            scheduler.arrived(&camera, start);
            assert!(scheduler.pick(start).is_some());
            scheduler.looked(&camera, quiet);
            scheduler.arrived(&camera, ms(start, 2_000));
        }
        scheduler.arrived(&1, ms(start, 4_000));
        scheduler.arrived(&2, ms(start, 4_000));
        assert_eq!(scheduler.pick(ms(start, 4_000)), None, "steady scenes wait for the last picture before their limit");
        scheduler.stir(&2);
        scheduler.stir(&9);
        assert_eq!(scheduler.pick(ms(start, 4_000)), Some(2));
        assert_eq!(scheduler.known(), 2, "a camera that is not known stays unknown");
    }

    #[test]
    fn a_rising_scene_is_looked_at_earlier_but_not_before_an_overdue_one() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1, 2, 3], 3_000, 5.0);
        scheduler.looked(&2, counted(9.0));
        scheduler.looked(&3, counted(35.0));
        for key in [1, 3, 2] {
            scheduler.arrived(&key, ms(start, 3_100));
        }
        assert_eq!(scheduler.pick(ms(start, 3_100)), Some(2), "fills up");
        assert_eq!(scheduler.pick(ms(start, 3_100)), Some(3), "dense");
        scheduler.looked(&2, counted(20.0));
        scheduler.arrived(&2, ms(start, 9_900));
        assert_eq!(scheduler.pick(ms(start, 9_900)), Some(1), "1 is overdue");
        assert_eq!(scheduler.pick(ms(start, 9_900)), Some(2));
    }

    #[test]
    fn a_detector_that_gains_one_person_is_no_rise() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1], 3_000, 5.0);
        scheduler.looked(&1, counted(6.0));
        scheduler.arrived(&1, ms(start, 3_100));
        assert_eq!(scheduler.pick(ms(start, 3_100)), None);
    }

    #[test]
    fn a_watched_camera_comes_as_often_as_asked_and_a_limit_of_its_own_holds() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1, 2], 200, 5.0);
        scheduler.watch(&1, Some(Duration::from_millis(700)));
        scheduler.limit(&2, Limits { stale_after: Duration::from_secs(2), ..LIMITS });
        assert_eq!(scheduler.pick(ms(start, 699)), None);
        assert_eq!(scheduler.pick(ms(start, 700)), Some(1));
        assert_eq!(scheduler.pick(ms(start, 1_749)), None);
        assert_eq!(scheduler.pick(ms(start, 1_750)), Some(2));
        scheduler.watch(&1, None);
        scheduler.arrived(&1, ms(start, 1_900));
        assert_eq!(scheduler.pick(ms(start, 1_900)), None);
    }

    #[test]
    fn a_camera_is_looked_at_by_one_worker_at_a_time() {
        let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
        scheduler.arrived(&1, start);
        assert_eq!(scheduler.pick(start), Some(1));
        scheduler.arrived(&1, ms(start, 20_000));
        assert_eq!(scheduler.pick(ms(start, 20_000)), None, "the first worker is still at it");
        scheduler.looked(&1, None);
        assert_eq!(scheduler.pick(ms(start, 20_000)), Some(1));
    }

    #[test]
    fn nothing_is_due_within_the_minimal_interval_and_a_forgotten_camera_is_new() {
        let start = Instant::now();
        let mut scheduler = steady(start, &[1], 100, 50.0);
        scheduler.arrived(&1, ms(start, 200));
        assert_eq!(scheduler.pick(ms(start, 499)), None);
        assert_eq!(scheduler.due_at(), Some(ms(start, 500)));
        assert_eq!(scheduler.pick(ms(start, 500)), Some(1));
        scheduler.forget(&1);
        assert_eq!(scheduler.pick(ms(start, 5_000)), None);
        scheduler.arrived(&1, ms(start, 501));
        assert_eq!(scheduler.pick(ms(start, 501)), Some(1));
    }

    proptest! {
        /// With time for every camera once per limit, none waits longer than the limit plus one round, whatever the counts.
        #[test]
        fn no_camera_starves(cameras in 1u32..30, counts in prop::collection::vec(0.0f32..200.0, 50..400)) {
            let (start, mut scheduler) = (Instant::now(), Scheduler::new(LIMITS));
            let slot = 9_000 / u64::from(cameras);
            let mut last = vec![0u64; cameras as usize];
            for (step, people) in counts.iter().enumerate() {
                let now = step as u64 * slot;
                for camera in 0..cameras {
                    scheduler.arrived(&camera, ms(start, now));
                }
                if let Some(key) = scheduler.pick(ms(start, now)) {
                    last[key as usize] = now;
                    // Camera 0 always rises: the greediest possible.
                    scheduler.looked(&key, counted(if key == 0 { step as f32 * 10.0 } else { *people }));
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
                let now = ms(start, step as u64 * 11_000);
                for camera in 0..cameras {
                    scheduler.arrived(&camera, now);
                }
                let key = scheduler.pick(now).expect("all are overdue");
                scheduler.looked(&key, counted(*people));
                picks.push(key);
            }
            for round in picks.chunks_exact(cameras as usize) {
                let mut seen = round.to_vec();
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen.len(), cameras as usize);
            }
        }

        /// Whatever happens, a camera stands in the queues exactly when its picture waits.
        #[test]
        fn queues_hold_what_waits(steps in prop::collection::vec((0u32..6, 0u8..6, 0u64..4_000), 1..200)) {
            let (start, mut scheduler, mut now) = (Instant::now(), Scheduler::new(LIMITS), 0);
            let (mut waiting, mut busy, mut again) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            for (key, what, later) in steps {
                now += later;
                match what {
                    0 | 1 => {
                        scheduler.arrived(&key, ms(start, now));
                        if busy.contains(&key) { again.insert(key) } else { waiting.insert(key) };
                    }
                    2 => if let Some(key) = scheduler.pick(ms(start, now)) {
                        prop_assert!(waiting.remove(&key) && busy.insert(key));
                    },
                    3 => {
                        scheduler.looked(&key, counted(key as f32 * 12.0));
                        busy.remove(&key);
                        if again.remove(&key) { waiting.insert(key); }
                    }
                    4 => {
                        scheduler.forget(&key);
                        for set in [&mut waiting, &mut busy, &mut again] { set.remove(&key); }
                    }
                    _ => scheduler.watch(&key, (later % 2 == 0).then_some(Duration::from_millis(later))),
                }
                prop_assert_eq!(scheduler.overdue_at.len(), waiting.len());
                prop_assert!(scheduler.wanted_at.len() + scheduler.spare.len() <= waiting.len());
            }
        }
    }
}
