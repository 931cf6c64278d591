//! The last changes, numbered, for screens that were away for a moment.
//!
//! Bounded: a reader that falls further behind than the ring holds gets [`Gap`] and takes a new
//! snapshot. What a change is, is the caller's business; the ring knows no alert and no camera.
//! To join without missing anything take [`Ring::cursor`] *before* the snapshot: a change in between
//! is then sent once more, never lost.

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// A place in the ring, written `{epoch}-{seq}`. The epoch is another one after each start.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    epoch: Arc<str>,
    seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a cursor such as k3-120")]
pub struct CursorError(String);

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bad = || CursorError(text.chars().take(40).collect());
        let (epoch, seq) = text.rsplit_once('-').ok_or_else(bad)?;
        if epoch.is_empty() || epoch.len() > 32 || !epoch.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(bad());
        }
        Ok(Self { epoch: epoch.into(), seq: seq.parse().map_err(|_| bad())? })
    }
}

/// The reader missed changes: from before a restart, or more than the ring holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("changes were missed; a new snapshot is needed")]
pub struct Gap;

/// A bounded ring of changes; clones share it.
#[derive(Debug)]
pub struct Ring<T>(Arc<Inner<T>>);

impl<T> Clone for Ring<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Inner<T> {
    epoch: Arc<str>,
    capacity: usize,
    /// The newest changes; the last one has number `newest`.
    changes: Mutex<Changes<T>>,
    bell: watch::Sender<u64>,
}

#[derive(Debug)]
struct Changes<T> {
    newest: u64,
    kept: VecDeque<T>,
}

impl<T: Clone> Ring<T> {
    /// A ring that keeps the last `capacity` changes (4,096 is a good number: minutes of a busy desk).
    /// `epoch` must differ from that of every earlier start; only letters and digits are kept.
    pub fn new(epoch: &str, capacity: usize) -> Self {
        let epoch: String = epoch.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let epoch: Arc<str> = if epoch.is_empty() { "e".into() } else { epoch.into() };
        let changes = Mutex::new(Changes { newest: 0, kept: VecDeque::new() });
        Self(Arc::new(Inner { epoch, capacity: capacity.max(1), changes, bell: watch::channel(0).0 }))
    }

    /// Adds changes and wakes every reader once.
    pub fn push(&self, changes: impl IntoIterator<Item = T>) {
        let newest = {
            let mut state = self.lock();
            for change in changes {
                if state.kept.len() == self.0.capacity {
                    state.kept.pop_front();
                }
                state.kept.push_back(change);
                state.newest += 1;
            }
            state.newest
        };
        self.0.bell.send_if_modified(|seen| std::mem::replace(seen, (*seen).max(newest)) != newest.max(*seen));
    }

    /// The place after the newest change.
    pub fn cursor(&self) -> Cursor {
        self.at(self.lock().newest)
    }

    /// At most `limit` changes after a cursor, oldest first, and the cursor after the last of them.
    pub fn since(&self, cursor: &Cursor, limit: usize) -> Result<(Vec<T>, Cursor), Gap> {
        let state = self.lock();
        let oldest = state.newest - state.kept.len() as u64;
        if cursor.epoch != self.0.epoch || cursor.seq > state.newest || cursor.seq < oldest {
            return Err(Gap);
        }
        let skip = usize::try_from(cursor.seq - oldest).unwrap_or(usize::MAX);
        let changes: Vec<T> = state.kept.iter().skip(skip).take(limit).cloned().collect();
        let next = self.at(cursor.seq + changes.len() as u64);
        Ok((changes, next))
    }

    /// Waits until something lies after the cursor; returns at once for a cursor that is not of this ring.
    pub async fn changed(&self, cursor: &Cursor) {
        if cursor.epoch != self.0.epoch {
            return;
        }
        let mut bell = self.0.bell.subscribe();
        // The sender lives as long as self, so this ends only when the number is reached.
        let _ = bell.wait_for(|newest| *newest > cursor.seq).await;
    }

    fn at(&self, seq: u64) -> Cursor {
        Cursor { epoch: self.0.epoch.clone(), seq }
    }

    fn lock(&self) -> MutexGuard<'_, Changes<T>> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_what_came_after_its_cursor_in_order_and_in_pieces() {
        let ring = Ring::new("k3", 8);
        let start = ring.cursor();
        ring.push([1, 2, 3]);
        let (some, next) = ring.since(&start, 2).unwrap();
        assert_eq!((some, next.to_string().as_str()), (vec![1, 2], "k3-2"));
        let (rest, end) = ring.since(&next, 10).unwrap();
        assert_eq!(rest, [3]);
        assert_eq!(end, ring.cursor());
        assert_eq!(ring.since(&end, 10).unwrap().0, Vec::<i32>::new());
    }

    #[test]
    fn who_was_away_too_long_or_came_before_a_restart_is_told() {
        let ring = Ring::new("k3", 4);
        let start = ring.cursor();
        ring.push(0..4);
        assert_eq!(ring.since(&start, 10).unwrap().0, [0, 1, 2, 3]);
        ring.push([4]);
        assert_eq!(ring.since(&start, 10), Err(Gap));
        assert_eq!(ring.since(&"k2-3".parse().unwrap(), 10), Err(Gap));
        assert_eq!(ring.since(&"k3-99".parse().unwrap(), 10), Err(Gap));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for bad in ["", "k3", "-1", "k3-", "k3-x", "k 3-1", "k3-99999999999999999999"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes_and_an_early_push_is_not_missed() {
        let ring = Ring::new("k", 4);
        let start = ring.cursor();
        let waiting = tokio::spawn({
            let (ring, start) = (ring.clone(), start.clone());
            async move { ring.changed(&start).await }
        });
        tokio::task::yield_now().await;
        ring.push([1]);
        waiting.await.unwrap();
        ring.changed(&start).await;
    }
}
