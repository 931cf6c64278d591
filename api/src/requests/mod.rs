//! Requests of residents at the edge: configuration, intake, keys, limits, figures, what is done by the clock.
//! The rules are `qorgan_alerts::requests`; the routes are `routes/requests.rs`, `routes/resident.rs` and `routes/open311.rs`.

pub mod demo;
pub mod figures;
pub mod intake;
pub mod keep;
pub mod keys;
pub mod limit;
pub mod settings;
pub mod words;

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::civil::Date;
use qorgan_alerts::requests::Calendar;
use qorgan_domain::UtcMs;

use crate::error::ApiError;
use keys::Keys;
use limit::{Limit, household};
pub use settings::Settings;

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// Whether something is within its limit; the error says how long to wait.
pub type Allowed = Result<(), Duration>;

/// What the hub keeps in memory about requests.
pub struct Requests {
    /// What is configured.
    pub settings: Settings,
    /// Working days, on the clocks of the hub.
    pub calendar: Calendar,
    /// Codes and tokens.
    pub keys: Keys,
    /// Local time minus UTC, in minutes.
    pub offset_min: i32,
    open311: Vec<(String, String)>,
    intake: Mutex<Limit<IpAddr>>,
    status: Mutex<Limit<IpAddr>>,
    codes: Mutex<Limit<i64>>,
}

impl Requests {
    /// With the configuration, the hub's key for codes, and the Open311 keys by name.
    pub fn new(settings: Settings, offset_min: i32, key: &str, open311: Vec<(String, String)>) -> Self {
        Self {
            calendar: settings.calendar(offset_min),
            keys: Keys::new(key),
            offset_min,
            open311,
            intake: Mutex::new(Limit::new(settings.intake_per_hour, HOUR)),
            status: Mutex::new(Limit::new(settings.status_per_minute, MINUTE)),
            codes: Mutex::new(Limit::new(settings.codes_per_hour, HOUR)),
            settings,
        }
    }

    /// Counts a submission from an address.
    pub fn take_intake(&self, address: IpAddr, now: Instant) -> Allowed {
        lock(&self.intake).take(household(address), now)
    }

    /// Counts a question from an address.
    pub fn take_status(&self, address: IpAddr, now: Instant) -> Allowed {
        lock(&self.status).take(household(address), now)
    }

    /// Whether a code may be tried for a request.
    pub fn may_try_code(&self, request: i64, now: Instant) -> Allowed {
        lock(&self.codes).check(&request, now)
    }

    /// Counts a wrong code.
    pub fn wrong_code(&self, request: i64, now: Instant) {
        lock(&self.codes).note(request, now);
    }

    /// The name under which an Open311 key is known.
    pub fn key_name(&self, key: &str) -> Option<&str> {
        // Every key is compared, so that the time tells nothing about which one was near.
        let mut known = None;
        for (name, own) in &self.open311 {
            if keys::same(own.as_bytes(), key.as_bytes()) {
                known = Some(name.as_str());
            }
        }
        known
    }

    /// The local day of a moment as 20261122.
    pub fn day_number(&self, at: UtcMs) -> i64 {
        day_number(self.calendar.day(at))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 20261122
pub fn day_number(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

/// The day of such a number, as 2026-11-22.
pub fn day_text(day: i64) -> String {
    format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
}

/// `22.11.2026 15:04` on the wall.
pub fn when(at: UtcMs, offset_min: i32) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    let wall = jiff::tz::Offset::from_seconds(offset_min.saturating_mul(60)).unwrap_or(jiff::tz::Offset::UTC).to_datetime(moment);
    format!("{:02}.{:02}.{} {:02}:{:02}", wall.day(), wall.month(), wall.year(), wall.hour(), wall.minute())
}

/// The error of whoever has to wait.
pub fn too_many(wait: Duration) -> ApiError {
    let retry_after_s = wait.as_secs().max(1);
    ApiError::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "rate_limited", format!("Too many in a short time. Wait {retry_after_s} s."))
        .with("retry_after_s", retry_after_s)
}
