//! Counting refusals and saying them in the log: every one is counted, each (client, code) is logged
//! at most once a minute, so that one broken device cannot fill the disk.

use std::{
    collections::HashMap,
    error::Error as _,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{Refusal, judge::printable};

const QUIET: Duration = Duration::from_secs(60);
/// Pairs of client and code that are remembered; beyond it refusals are counted but not logged.
const MAX_PAIRS: usize = 4096;

#[derive(Default)]
pub(crate) struct Refusals {
    said: Mutex<HashMap<(String, &'static str), Said>>,
}
struct Said {
    at: Instant,
    swallowed: u64,
}

impl Refusals {
    /// Counts a refusal and logs it if it is the first of its kind in a minute.
    pub(crate) fn note(&self, client: &str, refusal: &Refusal) {
        let code = refusal.code();
        metrics::counter!("qorgan_mqtt_refused_total", "code" => code).increment(1);
        if let Some(swallowed) = self.speak(client, code, Instant::now()) {
            let reason = reason(refusal);
            tracing::warn!(client = %printable(client, 120), topic = %refusal.topic, code, swallowed, "MQTT message refused: {reason}");
        }
    }

    /// Counts a refused log-in, and logs it by the same rule.
    pub(crate) fn note_log_in(&self, client: &str, user: &str, code: &'static str) {
        metrics::counter!("qorgan_mqtt_logins_refused_total", "code" => code).increment(1);
        if let Some(swallowed) = self.speak(user, code, Instant::now()) {
            tracing::warn!(client = %printable(client, 120), user = %printable(user, 130), code, swallowed, "MQTT log-in refused");
        }
    }

    /// Whether to log now, and how many were swallowed since the last time.
    fn speak(&self, client: &str, code: &'static str, now: Instant) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = (client.chars().take(120).collect::<String>(), code);
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

/// The chain of reasons, shortened: a parser's message may quote the payload.
fn reason(refusal: &Refusal) -> String {
    let mut text = refusal.cause.to_string();
    let mut source = refusal.cause.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    printable(&text, 240)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_client_and_code_a_minute() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        assert_eq!(refusals.speak("a", "not_json", start), Some(0));
        assert_eq!(refusals.speak("a", "not_json", start + Duration::from_secs(1)), None);
        assert_eq!(refusals.speak("a", "future", start + Duration::from_secs(1)), Some(0));
        assert_eq!(refusals.speak("b", "not_json", start + Duration::from_secs(1)), Some(0));
        assert_eq!(refusals.speak("a", "not_json", start + Duration::from_secs(61)), Some(1));
    }

    #[test]
    fn memory_is_bounded() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        for client in 0..MAX_PAIRS * 2 {
            refusals.speak(&client.to_string(), "not_json", start);
        }
        assert_eq!(refusals.said.lock().unwrap().len(), MAX_PAIRS);
        assert_eq!(refusals.speak("late", "not_json", start + QUIET), Some(0));
        assert_eq!(refusals.said.lock().unwrap().len(), 1);
    }
}
