//! The last changes, numbered, for screens that were away for a moment.
//!
//! Two kinds of changes: those that all count, in order ([`Ring::push`]), and those of which only the newest of
//! each thing matters ([`Ring::put`]), so that thousands of counts a second never push an alert out. Both bounded:
//! the second by the number of things; a reader that falls further behind than the ring holds of the first gets
//! [`Gap`] and takes a new snapshot. What a change is, is the caller's business; the ring knows no alert and no camera.
//! To join without missing anything take [`Ring::cursor`] *before* the snapshot: a change in between
//! is then sent once more, never lost.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
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
    changes: Mutex<Changes<T>>,
    /// Number of the newest change in order.
    bell: watch::Sender<u64>,
    /// Number of the newest change of which only the newest matters.
    soft_bell: watch::Sender<u64>,
}

#[derive(Debug)]
struct Changes<T> {
    /// Number of the newest change of either kind.
    newest: u64,
    /// Number of the newest change in order that is not kept any more.
    dropped: u64,
    /// In order, with their numbers.
    kept: VecDeque<(u64, T)>,
    /// The newest of each thing, by number.
    latest: BTreeMap<u64, T>,
    /// Where in `latest` a thing is.
    things: HashMap<String, u64>,
}

impl<T: Clone> Ring<T> {
    /// A ring that keeps the last `capacity` changes in order (4,096 is a good number: minutes of a busy desk).
    /// `epoch` must differ from that of every earlier start; only letters and digits are kept.
    pub fn new(epoch: &str, capacity: usize) -> Self {
        let epoch: String = epoch.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let epoch: Arc<str> = if epoch.is_empty() { "e".into() } else { epoch.into() };
        let changes = Changes { newest: 0, dropped: 0, kept: VecDeque::new(), latest: BTreeMap::new(), things: HashMap::new() };
        let (bell, soft_bell) = (watch::channel(0).0, watch::channel(0).0);
        Self(Arc::new(Inner { epoch, capacity: capacity.max(1), changes: Mutex::new(changes), bell, soft_bell }))
    }

    /// Adds changes that all count, and wakes every reader once.
    pub fn push(&self, changes: impl IntoIterator<Item = T>) {
        let newest = {
            let mut state = self.lock();
            let before = state.newest;
            for change in changes {
                if state.kept.len() == self.0.capacity
                    && let Some((number, _)) = state.kept.pop_front()
                {
                    state.dropped = number;
                }
                state.newest += 1;
                let number = state.newest;
                state.kept.push_back((number, change));
            }
            if state.newest == before {
                return;
            }
            state.newest
        };
        ring(&self.0.bell, newest);
    }

    /// Adds a change that makes every earlier one of the same thing worthless.
    pub fn put(&self, thing: &str, change: T) {
        let newest = {
            let mut state = self.lock();
            state.newest += 1;
            let number = state.newest;
            let before = match state.things.get_mut(thing) {
                Some(place) => Some(std::mem::replace(place, number)),
                None => state.things.insert(thing.to_owned(), number),
            };
            if let Some(before) = before {
                state.latest.remove(&before);
            }
            state.latest.insert(number, change);
            number
        };
        ring(&self.0.soft_bell, newest);
    }

    /// The place after the newest change.
    pub fn cursor(&self) -> Cursor {
        self.at(self.lock().newest)
    }

    /// At most `limit` changes in order after a cursor, oldest first, and the cursor after the last of them.
    pub fn since(&self, cursor: &Cursor, limit: usize) -> Result<(Vec<T>, Cursor), Gap> {
        let state = self.lock();
        if cursor.epoch != self.0.epoch || cursor.seq > state.newest || cursor.seq < state.dropped {
            return Err(Gap);
        }
        let first = state.kept.partition_point(|(number, _)| *number <= cursor.seq);
        let changes: Vec<T> = state.kept.iter().skip(first).take(limit).map(|(_, change)| change.clone()).collect();
        let next = match state.kept.get(first + changes.len()) {
            // The rest comes next time.
            Some(_) => state.kept.get((first + changes.len()).wrapping_sub(1)).map_or(cursor.seq, |(number, _)| *number),
            None => state.newest,
        };
        Ok((changes, self.at(next)))
    }

    /// The newest change of each thing that changed after a cursor, and the cursor after them.
    pub fn latest_since(&self, cursor: &Cursor) -> (Vec<T>, Cursor) {
        let state = self.lock();
        let from = if cursor.epoch == self.0.epoch { cursor.seq.saturating_add(1) } else { 0 };
        (state.latest.range(from..).map(|(_, change)| change.clone()).collect(), self.at(state.newest))
    }

    /// Waits until a change in order lies after the cursor; returns at once for a cursor that is not of this ring.
    pub async fn changed(&self, cursor: &Cursor) {
        self.rung(&self.0.bell, cursor).await;
    }

    /// Waits until some thing has changed after the cursor; returns at once for a cursor that is not of this ring.
    pub async fn latest_changed(&self, cursor: &Cursor) {
        self.rung(&self.0.soft_bell, cursor).await;
    }

    async fn rung(&self, bell: &watch::Sender<u64>, cursor: &Cursor) {
        if cursor.epoch != self.0.epoch {
            return;
        }
        // The sender lives as long as self, so this ends only when the number is reached.
        let _ = bell.subscribe().wait_for(|newest| *newest > cursor.seq).await;
    }

    fn at(&self, seq: u64) -> Cursor {
        Cursor { epoch: self.0.epoch.clone(), seq }
    }

    fn lock(&self) -> MutexGuard<'_, Changes<T>> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ring(bell: &watch::Sender<u64>, newest: u64) {
    bell.send_if_modified(|seen| std::mem::replace(seen, (*seen).max(newest)) < newest);
}

impl Cursor {
    /// The earlier of two places in the same ring.
    pub fn earlier(self, other: &Cursor) -> Cursor {
        if other.epoch == self.epoch && other.seq < self.seq { other.clone() } else { self }
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
    fn of_counts_only_the_newest_of_each_camera_is_kept_and_no_number_of_them_pushes_an_alert_out() {
        let ring = Ring::new("k", 2);
        let start = ring.cursor();
        ring.push([1]);
        for n in 0..1_000 {
            ring.put(if n % 2 == 0 { "a" } else { "b" }, 1_000 + n);
        }
        ring.push([2]);
        let (in_order, next) = ring.since(&start, 10).unwrap();
        assert_eq!((in_order, &next), (vec![1, 2], &ring.cursor()));
        assert_eq!(ring.latest_since(&start).0, [1_998, 1_999]);
        ring.put("a", 7);
        assert_eq!(ring.latest_since(&next).0, [7], "what a reader has had does not come again");
        assert_eq!(ring.since(&next, 10).unwrap().0, Vec::<i32>::new());
        // A reader that took only a part goes on after that part.
        let (some, next) = ring.since(&start, 1).unwrap();
        assert_eq!((some, ring.since(&next, 1).unwrap().0), (vec![1], vec![2]));
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
