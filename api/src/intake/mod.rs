//! How aggregated figures come into the hub: files, machines, feeds, and what is made of registers.
//!
//! What belongs here: the tasks and the state between a door and the store. What does not: what a table means and what may be told
//! (`qorgan_alerts::intake`, pure), who may do it (the routes).

pub mod derive;
pub mod feed;
pub mod jobs;
pub mod machine;
pub mod reader;
pub mod template;

use std::sync::{Mutex, PoisonError};

use qorgan_alerts::intake::{areas::AreaNames, disclosure::kato_parent};
use qorgan_domain::{AreaCode, UtcMs, wire::IndicatorWord};
use tokio::sync::mpsc;

use crate::hub::App;

/// Values of machines over MQTT that may wait for the store.
const WORDS: usize = 10_000;

/// What the parts of the intake share.
#[derive(Debug)]
pub struct Desk {
    /// Files that are being read or wait for their decision.
    pub jobs: jobs::Jobs,
    words: mpsc::Sender<IndicatorWord>,
    waiting: Mutex<Option<mpsc::Receiver<IndicatorWord>>>,
}

impl Default for Desk {
    fn default() -> Self {
        let (words, waiting) = mpsc::channel(WORDS);
        Self { jobs: jobs::Jobs::default(), words, waiting: Mutex::new(Some(waiting)) }
    }
}

impl Desk {
    /// A value that came over MQTT; false when too many wait.
    pub fn heard(&self, word: IndicatorWord) -> bool {
        let taken = self.words.try_send(word).is_ok();
        if !taken {
            metrics::counter!("qorgan_indicators_refused_total", "reason" => "too_many").increment(1);
        }
        taken
    }

    fn take_waiting(&self) -> Option<mpsc::Receiver<IndicatorWord>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The districts that a file may name, as they are now.
pub fn area_names(app: &App) -> AreaNames {
    let areas = app.areas();
    AreaNames::new(areas.iter().map(|area| (&area.code, &area.name)))
}

/// The local day of the hub.
pub fn today(app: &App) -> jiff::civil::Date {
    day_of(app, app.clock.utc())
}

/// The local day of a moment.
pub fn day_of(app: &App, at: UtcMs) -> jiff::civil::Date {
    let ms = at.0.saturating_add(i64::from(app.config.shift.utc_offset_min) * 60_000);
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The area above, for disclosure control: by KATO code.
pub fn parent(area: &AreaCode) -> Option<AreaCode> {
    kato_parent(area)
}

/// Tells who shows values that they have changed.
pub fn changed(app: &App) {
    app.tension.changed();
}
