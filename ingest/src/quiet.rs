//! Saying things in the log without filling the disk: each (sender, code) at most once a minute.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

const QUIET: Duration = Duration::from_secs(60);
/// Pairs of sender and code that are remembered; beyond it nothing is logged (counting is the caller's).
const MAX_PAIRS: usize = 4096;

/// Remembers what was said.
#[derive(Default)]
pub(crate) struct Quiet {
    said: Mutex<HashMap<(String, &'static str), Said>>,
}
struct Said {
    at: Instant,
    swallowed: u64,
}

impl Quiet {
    /// Whether to log now, and how many were swallowed since the last time.
    pub(crate) fn speak(&self, sender: &str, code: &'static str, now: Instant) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = (sender.chars().take(120).collect::<String>(), code);
        if let Some(said) = said.get_mut(&key) {
            if now.duration_since(said.at) < QUIET {
                said.swallowed += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.swallowed));
        }
        if said.len() >= MAX_PAIRS {
            said.retain(|_, said| now.duration_since(said.at) < QUIET);
        }
        if said.len() >= MAX_PAIRS {
            return None;
        }
        said.insert(key, Said { at: now, swallowed: 0 });
        Some(0)
    }
}

/// Text from outside as it may be logged: control characters escaped, at most `max` characters.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut out: String =
        text.chars().take(max).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
    if text.chars().nth(max).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_client_and_code_a_minute() {
        let (quiet, start) = (Quiet::default(), Instant::now());
        assert_eq!(quiet.speak("a", "not_json", start), Some(0));
        assert_eq!(quiet.speak("a", "not_json", start + Duration::from_secs(1)), None);
        assert_eq!(quiet.speak("a", "future", start + Duration::from_secs(1)), Some(0));
        assert_eq!(quiet.speak("b", "not_json", start + Duration::from_secs(1)), Some(0));
        assert_eq!(quiet.speak("a", "not_json", start + Duration::from_secs(61)), Some(1));
    }

    #[test]
    fn memory_is_bounded() {
        let (quiet, start) = (Quiet::default(), Instant::now());
        for client in 0..MAX_PAIRS * 2 {
            quiet.speak(&client.to_string(), "not_json", start);
        }
        assert_eq!(quiet.said.lock().unwrap().len(), MAX_PAIRS);
        assert_eq!(quiet.speak("late", "not_json", start + QUIET), Some(0));
        assert_eq!(quiet.said.lock().unwrap().len(), 1);
    }
}
