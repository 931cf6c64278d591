//! Where workers wait for a camera to look at: the scheduler behind a lock, and a bell.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use qorgan_domain::DeviceRef;
use qorgan_inference::{Limits, Look, Scheduler};

/// A worker looks this often whether anything is due that nobody rang for.
const WAIT: Duration = Duration::from_millis(500);

/// Shared by the cameras, which ring, and the workers, which wait. Every call but [`Desk::next`] is short.
pub(super) struct Desk {
    state: Mutex<State>,
    bell: Condvar,
}

struct State {
    scheduler: Scheduler<DeviceRef>,
    closed: bool,
}

impl Desk {
    pub(super) fn new(limits: Limits) -> Self {
        Self { state: Mutex::new(State { scheduler: Scheduler::new(limits), closed: false }), bell: Condvar::new() }
    }

    /// A picture of this camera waits.
    pub(super) fn arrived(&self, camera: &DeviceRef, now: Instant) {
        self.lock().scheduler.arrived(camera, now);
        self.bell.notify_one();
    }

    /// The next camera to look at, when there is one; none when the desk is closed.
    pub(super) fn next(&self) -> Option<DeviceRef> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            if let Some(camera) = state.scheduler.pick(now) {
                let late = state.scheduler.most_overdue(now);
                // The next one may wait for the other workers.
                self.bell.notify_one();
                drop(state);
                metrics::gauge!("qorgan_cameras_overdue_seconds").set(late.as_secs_f64());
                return Some(camera);
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

    pub(super) fn watch(&self, camera: &DeviceRef, every: Option<Duration>) {
        self.lock().scheduler.watch(camera, every);
        self.bell.notify_one();
    }

    pub(super) fn forget(&self, camera: &DeviceRef) {
        self.lock().scheduler.forget(camera);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_worker_wakes_for_a_picture_and_for_the_end() {
        let desk = Arc::new(Desk::new(Limits { stale_after: Duration::from_secs(7), min_interval: Duration::ZERO }));
        let wait = |desk: &Arc<Desk>| {
            let desk = desk.clone();
            std::thread::spawn(move || desk.next())
        };
        let camera: DeviceRef = "school-17/yard".parse().expect("a device");
        let worker = wait(&desk);
        desk.arrived(&camera, Instant::now());
        assert_eq!(worker.join().ok().flatten(), Some(camera.clone()));
        let worker = wait(&desk);
        desk.arrived(&camera, Instant::now());
        desk.close();
        assert_eq!(worker.join().ok().flatten(), None, "one worker is still at that camera");
    }
}
