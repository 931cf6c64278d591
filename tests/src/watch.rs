//! Cameras as a desk sees them: every count that the event stream of a running hub brings, with the time it was seen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use crate::hub::{Client, HubError};

/// A count as it was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// When the desk had it.
    pub at: Instant,
    /// People.
    pub people: f64,
}

/// What was shown of a camera.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Counts, in their order.
    pub counts: Vec<Shown>,
    /// Changes of its status, in their order.
    pub states: Vec<(Instant, String)>,
    last: String,
}

/// Follows the event stream until it is dropped.
pub struct CameraWatch {
    seen: Arc<Mutex<HashMap<String, Seen>>>,
    _task: AbortOnDropHandle<()>,
}

impl CameraWatch {
    /// Opens the stream of a logged-in client.
    pub async fn start(client: &Client) -> Result<Self, HubError> {
        let mut events = client.stream(None).await?;
        let seen: Arc<Mutex<HashMap<String, Seen>>> = Arc::default();
        let into = seen.clone();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let now = Instant::now();
                let listed = event.data["cameras"].as_array().into_iter().flatten();
                let changed = event.data["changes"].as_array().into_iter().flatten().filter_map(|change| change.get("camera"));
                let mut seen = into.lock().unwrap_or_else(PoisonError::into_inner);
                listed.chain(changed).for_each(|camera| note(&mut seen, camera, now));
            }
        });
        Ok(Self { seen, _task: AbortOnDropHandle::new(task) })
    }

    /// Everything seen so far, and forgets it; the last state of each camera stays known.
    pub fn take(&self) -> HashMap<String, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seen.clone();
        for camera in seen.values_mut() {
            // The last count stays: the next interval begins with it.
            camera.counts = camera.counts.last().copied().into_iter().collect();
            camera.states.clear();
        }
        taken
    }

    /// How many cameras have been counted at least once.
    pub fn counted(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).values().filter(|camera| !camera.counts.is_empty()).count()
    }
}

fn note(seen: &mut HashMap<String, Seen>, camera: &Value, now: Instant) {
    let (Some(id), Some(status)) = (camera["id"].as_str(), camera["status"].as_str()) else { return };
    let known = seen.entry(id.to_owned()).or_default();
    if known.states.last().is_none_or(|(_, last)| last != status) {
        known.states.push((now, status.to_owned()));
    }
    // The same picture comes again when something else of the camera has changed.
    if let (Some(people), Some(at)) = (camera["people"].as_f64(), camera["counted_at"].as_str())
        && known.last != at
    {
        at.clone_into(&mut known.last);
        known.counts.push(Shown { at: now, people });
    }
}

impl Seen {
    /// Longest time without a new count between two moments, in seconds.
    pub fn longest_silence_s(&self, from: Instant, to: Instant) -> f64 {
        let inside = self.counts.iter().map(|count| count.at).filter(|at| *at > from && *at <= to);
        let (last, longest) = inside.fold((from, 0.0f64), |(last, longest), at| (at, longest.max((at - last).as_secs_f64())));
        longest.max((to - last).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_count_is_noted_once_and_silence_reaches_to_the_end() {
        let (start, mut seen) = (Instant::now(), HashMap::new());
        let at = |s: u64| start + Duration::from_secs(s);
        let camera = |at: &str| serde_json::json!({ "id": "a/b", "status": "live", "people": 3.0, "counted_at": at });
        note(&mut seen, &camera("1"), at(1));
        note(&mut seen, &camera("1"), at(2));
        note(&mut seen, &camera("2"), at(4));
        let seen = &seen["a/b"];
        assert_eq!((seen.counts.len(), seen.states.len()), (2, 1));
        assert_eq!(seen.longest_silence_s(at(0), at(5)), 3.0);
        assert_eq!(seen.longest_silence_s(at(0), at(9)), 5.0);
    }
}
