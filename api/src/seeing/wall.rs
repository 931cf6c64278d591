//! The wall: masked pictures of all cameras for the shift, without a purpose. One picture of a camera serves every desk.
//!
//! Bounded: a camera is masked anew at most every few seconds, only while somebody asks, one after the other, and after each the
//! machine is left alone for as long as it took: at most half a core, however many desks and cameras.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use qorgan_domain::{DeviceRef, UtcMs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A picture serves everybody who asks within this time.
const FRESH_MS: i64 = 3_000;
/// Pictures that nobody asked for are forgotten after this.
const FORGOTTEN_MS: i64 = 15_000;
/// A desk that shows the wall is written down again after this time.
const WRITTEN_AGAIN_MS: i64 = 15 * 60_000;

/// A masked picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WallPicture {
    /// JPEG.
    pub(crate) jpeg: Bytes,
    /// When the hub received it from the camera.
    pub(crate) at: UtcMs,
    made_at: UtcMs,
}

/// What the wall shows, and to whom since when.
#[derive(Debug)]
pub(crate) struct Wall {
    pictures: Mutex<BTreeMap<DeviceRef, WallPicture>>,
    /// Sessions, and when that they look was last written down.
    written: Mutex<BTreeMap<String, UtcMs>>,
    turn: Arc<Semaphore>,
}

impl Default for Wall {
    fn default() -> Self {
        Self { pictures: Mutex::default(), written: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Wall {
    /// A picture made a moment ago.
    pub(crate) fn fresh(&self, camera: &DeviceRef, now: UtcMs) -> Option<WallPicture> {
        let pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.get(camera).filter(|picture| now.ms_since(picture.made_at) < FRESH_MS).cloned()
    }

    /// Keeps a picture for a moment, and forgets old ones.
    pub(crate) fn put(&self, camera: DeviceRef, jpeg: Bytes, at: UtcMs, now: UtcMs) -> WallPicture {
        let picture = WallPicture { jpeg, at, made_at: now };
        let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.retain(|_, old| now.ms_since(old.made_at) < FORGOTTEN_MS);
        pictures.insert(camera, picture.clone());
        picture
    }

    /// One picture at a time; who waits longest is next. None while the hub ends.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        self.turn.clone().acquire_owned().await.ok().map(|permit| Turn { permit: Some(permit), began: tokio::time::Instant::now() })
    }

    /// Whether that this session looks at the wall has to be written down now.
    pub(crate) fn must_write(&self, session: &str, now: UtcMs) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(session).is_none_or(|at| now.ms_since(*at) >= WRITTEN_AGAIN_MS)
    }

    /// It was written down.
    pub(crate) fn written(&self, session: &str, now: UtcMs) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|_, at| now.ms_since(*at) < WRITTEN_AGAIN_MS);
        written.insert(session.to_owned(), now);
    }
}

/// Longest rest after one picture.
const LONGEST_REST: Duration = Duration::from_secs(3);

/// The right to make a picture. Dropping it passes it on, after a rest as long as the work.
#[derive(Debug)]
pub(crate) struct Turn {
    permit: Option<OwnedSemaphorePermit>,
    began: tokio::time::Instant,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let rest = self.began.elapsed().min(LONGEST_REST);
        if let (Some(permit), Ok(runtime)) = (self.permit.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                tokio::time::sleep(rest).await;
                drop(permit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_serves_everybody_for_a_moment_and_is_then_forgotten() {
        let (wall, yard, gate) = (Wall::default(), "school-17/yard".parse().unwrap(), "school-17/gate".parse::<DeviceRef>().unwrap());
        assert!(wall.fresh(&yard, UtcMs(0)).is_none());
        wall.put(yard.clone(), Bytes::from_static(b"jpeg"), UtcMs(0), UtcMs(100));
        assert!(wall.fresh(&yard, UtcMs(3_000)).is_some());
        assert!(wall.fresh(&yard, UtcMs(3_100)).is_none());
        wall.put(gate, Bytes::from_static(b"jpeg"), UtcMs(0), UtcMs(60_000));
        assert_eq!(wall.pictures.lock().unwrap().len(), 1, "pixels die");
    }

    #[test]
    fn looking_at_the_wall_is_written_down_once_a_term() {
        let wall = Wall::default();
        assert!(wall.must_write("s", UtcMs(0)));
        assert!(wall.must_write("s", UtcMs(0)), "until it has been");
        wall.written("s", UtcMs(0));
        assert!(!wall.must_write("s", UtcMs(899_999)) && wall.must_write("s", UtcMs(900_000)) && wall.must_write("t", UtcMs(0)));
    }
}
