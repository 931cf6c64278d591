//! How fast refused frames of one address are answered: a burst at once, then so many a second. Pure; the caller waits.
//! Frames of panels have `crate::limit`, each panel its own: strangers behind the same address do not slow them down.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// Frames that one sender may send at once.
const BURST: u32 = 20;
/// Between two messages after that.
const EVERY: Duration = Duration::from_millis(200);
/// Senders remembered; only those that sent lately count.
const MAX_SENDERS: usize = 16_384;

/// Generic cell rate algorithm: for each sender, the time at which all it sent would have come at the allowed rate.
pub(crate) struct Rate<K> {
    due: HashMap<K, Instant>,
}

impl<K> Default for Rate<K> {
    fn default() -> Self {
        Self { due: HashMap::new() }
    }
}

impl<K: Hash + Eq> Rate<K> {
    /// How long this message has to wait. The first one of a sender never waits.
    pub(crate) fn wait(&mut self, sender: K, now: Instant) -> Duration {
        if self.due.len() >= MAX_SENDERS && !self.due.contains_key(&sender) {
            self.due.retain(|_, due| *due > now);
            if self.due.len() >= MAX_SENDERS {
                return Duration::ZERO;
            }
        }
        let due = self.due.entry(sender).or_insert(now);
        *due = (*due).max(now) + EVERY;
        due.saturating_duration_since(now + EVERY * BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_the_rest_at_five_a_second() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let waits: Vec<Duration> = (0..1_000).map(|_| rate.wait("panel", start)).collect();
        assert!(waits[..20].iter().all(Duration::is_zero));
        assert_eq!(waits[20], Duration::from_millis(200));
        assert_eq!(waits[999], Duration::from_millis(200 * 980));
    }

    #[test]
    fn others_and_the_first_message_after_a_pause_do_not_wait() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for _ in 0..40 {
            rate.wait("panel", start);
        }
        assert_eq!(rate.wait("other", start), Duration::ZERO);
        assert_eq!(rate.wait("panel", start + Duration::from_secs(10)), Duration::ZERO);
    }

    #[test]
    fn memory_is_bounded_and_a_new_sender_is_still_heard() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for sender in 0..MAX_SENDERS + 10 {
            assert_eq!(rate.wait(sender, start), Duration::ZERO);
        }
        assert_eq!(rate.due.len(), MAX_SENDERS);
        rate.wait(usize::MAX, start + Duration::from_secs(1));
        assert_eq!(rate.due.len(), 1);
    }
}
