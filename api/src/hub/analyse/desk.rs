//! Where workers wait for a camera to look at: the scheduler behind a lock, and a bell.

use std::{
    collections::BTreeSet,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use qorgan_domain::{DeviceRef, SiteId};
use qorgan_inference::{Hurry, Limits, Look, Scheduler};

/// A worker looks this often whether anything is due that nobody rang for.
const WAIT: Duration = Duration::from_millis(500);

/// There is more to look at than time when a camera has waited this long past its turn, and no longer once none has waited longer
/// than the other for a while.
const PRESSED: (Duration, Duration) = (Duration::from_millis(150), Duration::from_millis(20));
/// While there is, a look that is this late is as small as it can be.
const LATE: Duration = Duration::from_millis(100);
/// That while.
const RELAXED_AFTER: Duration = Duration::from_secs(10);

/// Whose turn it is.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) camera: DeviceRef,
    /// How quick the look should be.
    pub(super) hurry: Hurry,
    /// Cameras that share the workers' time.
    pub(super) cameras: usize,
}

/// Shared by the cameras, which ring, and the workers, which wait. Every call but [`Desk::next`] is short.
pub(super) struct Desk {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    scheduler: Scheduler<DeviceRef>,
    watched: BTreeSet<DeviceRef>,
    /// Another system counts for them.
    paused: BTreeSet<DeviceRef>,
    /// When a camera last waited too long.
    pressed_at: Option<Instant>,
    closed: bool,
}

impl Desk {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            state: Mutex::new(State {
                scheduler: Scheduler::new(limits),
                watched: BTreeSet::new(),
                paused: BTreeSet::new(),
                pressed_at: None,
                closed: false,
            }),
            bell: Condvar::new(),
        }
    }

    /// A picture of this camera waits.
    pub(super) fn arrived(&self, camera: &DeviceRef, now: Instant) {
        let mut state = self.lock();
        if state.paused.contains(camera) {
            return;
        }
        state.scheduler.arrived(camera, now);
        drop(state);
        self.bell.notify_one();
    }

    /// The next camera to look at, when there is one; none when the desk is closed.
    pub(super) fn next(&self) -> Option<Turn> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            let late = state.scheduler.most_overdue(now);
            if let Some(camera) = state.scheduler.pick(now) {
                let (hurry, cameras) = (state.hurry(late, now), state.scheduler.known());
                // The next one may wait for the other workers.
                self.bell.notify_one();
                drop(state);
                metrics::gauge!("qorgan_cameras_overdue_seconds").set(late.as_secs_f64());
                return Some(Turn { camera, hurry, cameras });
            }
            let due = state.scheduler.due_at().map_or(WAIT, |at| at.saturating_duration_since(now).min(WAIT));
            (state, _) = self.bell.wait_timeout(state, due).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What came of it; nothing when it failed.
    pub(super) fn looked(&self, camera: &DeviceRef, look: Option<Look>) {
        self.lock().scheduler.looked(camera, look);
    }

    pub(super) fn limit(&self, camera: &DeviceRef, limits: Limits) {
        self.lock().scheduler.limit(camera, limits);
    }

    /// The cameras of these sites are looked at this often, if nobody else has to wait; no others are. Gives them in the order of
    /// their names.
    pub(super) fn watch_sites(&self, sites: &BTreeSet<SiteId>, every: Duration) -> Vec<DeviceRef> {
        let mut state = self.lock();
        let (mut close, far): (Vec<DeviceRef>, Vec<DeviceRef>) = state
            .scheduler
            .cameras()
            .filter(|camera| sites.contains(&camera.site) || state.watched.contains(*camera))
            .cloned()
            .partition(|camera| sites.contains(&camera.site));
        close.sort_unstable();
        for camera in far {
            state.scheduler.watch(&camera, None);
        }
        for camera in close.iter().filter(|camera| !state.watched.contains(*camera)).cloned().collect::<Vec<_>>() {
            state.scheduler.watch(&camera, Some(every));
        }
        state.watched = close.iter().cloned().collect();
        drop(state);
        self.bell.notify_one();
        close
    }

    /// The camera says that something moves before it.
    pub(super) fn stir(&self, camera: &DeviceRef) {
        self.lock().scheduler.stir(camera);
        self.bell.notify_one();
    }

    /// Pictures of a paused camera are not looked at.
    pub(super) fn pause(&self, camera: &DeviceRef, paused: bool) {
        let mut state = self.lock();
        match paused {
            true => state.paused.insert(camera.clone()),
            false => state.paused.remove(camera),
        };
    }

    pub(super) fn forget(&self, camera: &DeviceRef) {
        let mut state = self.lock();
        state.scheduler.forget(camera);
        state.watched.remove(camera);
        state.paused.remove(camera);
    }

    /// Ends every wait.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// More pictures than time, now or a moment ago, make looks quick.
    fn hurry(&mut self, late: Duration, now: Instant) -> Hurry {
        let pressed = self.pressed_at.is_some_and(|at| now.saturating_duration_since(at) < RELAXED_AFTER);
        if late >= if pressed { PRESSED.1 } else { PRESSED.0 } {
            self.pressed_at = Some(now);
        }
        match self.pressed_at.is_some_and(|at| now.saturating_duration_since(at) < RELAXED_AFTER) {
            true if late >= LATE => Hurry::Small,
            true => Hurry::OnePass,
            false => Hurry::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LIMITS: Limits = Limits { stale_after: Duration::from_secs(7), min_interval: Duration::ZERO };

    #[test]
    fn with_more_pictures_than_time_looks_become_quick_until_it_is_over_for_a_while() {
        let start = Instant::now();
        let mut state =
            State { scheduler: Scheduler::new(LIMITS), watched: BTreeSet::new(), paused: BTreeSet::new(), pressed_at: None, closed: false };
        let mut hurry = |late_ms: u64, at_s: u64| state.hurry(Duration::from_millis(late_ms), start + Duration::from_secs(at_s));
        assert_eq!(hurry(140, 0), Hurry::None);
        let looks = [(150, 1), (0, 2), (60, 5), (120, 6), (19, 15)].map(|(late, at)| hurry(late, at));
        assert_eq!(looks, [Hurry::Small, Hurry::OnePass, Hurry::OnePass, Hurry::Small, Hurry::OnePass]);
        assert_eq!(hurry(60, 16), Hurry::None, "ten seconds without a camera that waited");
    }

    #[test]
    fn cameras_of_a_site_with_an_incident_are_watched_and_then_not() {
        let desk = Desk::new(LIMITS);
        let camera = |name: &str| name.parse::<DeviceRef>().expect("a device");
        for name in ["school-17/yard", "school-18/b", "school-18/a"] {
            desk.arrived(&camera(name), Instant::now());
        }
        let sites = BTreeSet::from([camera("school-18/a").site]);
        assert_eq!(desk.watch_sites(&sites, Duration::from_millis(500)), [camera("school-18/a"), camera("school-18/b")]);
        desk.forget(&camera("school-18/b"));
        assert_eq!(desk.watch_sites(&sites, Duration::from_millis(500)), [camera("school-18/a")]);
        assert!(desk.watch_sites(&BTreeSet::new(), Duration::ZERO).is_empty());
        assert!(desk.lock().watched.is_empty());
    }

    #[test]
    fn a_worker_wakes_for_a_picture_and_for_the_end() {
        let desk = Arc::new(Desk::new(LIMITS));
        let wait = |desk: &Arc<Desk>| {
            let desk = desk.clone();
            std::thread::spawn(move || desk.next())
        };
        let camera: DeviceRef = "school-17/yard".parse().expect("a device");
        let worker = wait(&desk);
        desk.arrived(&camera, Instant::now());
        assert_eq!(worker.join().ok().flatten(), Some(Turn { camera: camera.clone(), hurry: Hurry::None, cameras: 1 }));
        let worker = wait(&desk);
        desk.arrived(&camera, Instant::now());
        desk.close();
        assert_eq!(worker.join().ok().flatten(), None, "one worker is still at that camera");
    }
}
