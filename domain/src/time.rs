//! Wall time for people and storage, monotonic time for durations, and the clock that gives both.

use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// A moment in UTC, milliseconds since 1970-01-01. On the wire: RFC 3339 with three decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcMs(pub i64);

/// A text that is not an RFC 3339 moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time such as 2026-11-21T10:00:00.000Z")]
pub struct TimeError(String);

impl UtcMs {
    /// Milliseconds from `earlier` to `self`; negative when `self` is before it.
    pub fn ms_since(self, earlier: UtcMs) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
impl Add<Duration> for UtcMs {
    type Output = UtcMs;
    fn add(self, duration: Duration) -> UtcMs {
        UtcMs(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}
impl Sub<Duration> for UtcMs {
    type Output = UtcMs;
    fn sub(self, duration: Duration) -> UtcMs {
        UtcMs(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}
impl fmt::Display for UtcMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}
impl fmt::Debug for UtcMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for UtcMs {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let at: jiff::Timestamp = text.parse().map_err(|_| TimeError(text.chars().take(40).collect()))?;
        Ok(Self(at.as_millisecond()))
    }
}
impl TryFrom<String> for UtcMs {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}
impl From<UtcMs> for String {
    fn from(at: UtcMs) -> String {
        at.to_string()
    }
}

/// Where the time comes from. Only edges hold one; logic receives `now`.
pub trait Clock: Send + Sync + 'static {
    /// Wall time, for people and storage.
    fn utc(&self) -> UtcMs;
    /// Monotonic time, for durations.
    fn instant(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn utc(&self) -> UtcMs {
        UtcMs(jiff::Timestamp::now().as_millisecond())
    }
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that moves only when told to; both times move together.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<(UtcMs, Instant)>>);

impl ManualClock {
    /// A clock that stands at `utc`.
    pub fn at(utc: UtcMs) -> Self {
        Self(Arc::new(Mutex::new((utc, Instant::now()))))
    }
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        now.0 = now.0 + by;
        now.1 += by;
    }
}
impl Clock for ManualClock {
    fn utc(&self) -> UtcMs {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }
    fn instant(&self) -> Instant {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_round_trips_with_milliseconds_and_reads_offsets() {
        let at: UtcMs = "2026-11-21T15:00:00.250+05:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-21T10:00:00.250Z");
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-11-21T10:00:00.250Z\"");
        assert!("yesterday".parse::<UtcMs>().is_err());
    }
}
