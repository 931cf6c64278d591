//! What other rules would have told: the stored minutes of some cameras, judged again. Pure; nothing of this reaches a desk.
//!
//! Both sets of rules judge the same minutes, from the same knowledge. What they raise is laid beside the verdicts that people gave: an
//! alert of the trial stands for a recorded one of the same camera when their times overlap within ten minutes. What nobody judged is
//! counted as such, so a precision is always of the judged.

use std::collections::BTreeMap;

use qorgan_domain::{
    AlertId, Count, CountSource, DeviceRef, Event, UtcMs,
    alert::{Alert, Cause, CloseReason, Level},
};
use serde::Serialize;

use crate::{Fusion, Rules, usual::Usual};

/// A stored minute of one camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Minute {
    /// Which camera.
    pub camera: DeviceRef,
    /// Beginning of the minute.
    pub at: UtcMs,
    /// Mean of the best estimates.
    pub people: f32,
    /// Mean of the lower ends.
    pub low: f32,
    /// Mean of the upper ends.
    pub high: f32,
}

/// What a set of rules told.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Told {
    /// Alerts.
    pub alerts: u32,
    /// Per shift of twelve hours.
    pub per_shift: f64,
    /// By level.
    pub levels: BTreeMap<&'static str, u32>,
    /// That people had found true.
    pub right: u32,
    /// That people had found false.
    pub wrong: u32,
    /// That nobody has judged.
    pub unjudged: u32,
    /// Part of the judged that was true.
    pub precision: Option<f64>,
    /// Recorded true alerts that these rules do not raise.
    pub missed: u32,
    /// Mean minutes by which they come later than the recorded true alerts (earlier: negative).
    pub delay_min: Option<f64>,
}

/// How far apart a trial's alert and a recorded one may be, in milliseconds.
const SAME_MS: i64 = 600_000;

/// Judges the minutes, in whatever order they come, with one set of rules. `known` is what was usual before them.
pub fn judge(rules: &Rules, known: &BTreeMap<DeviceRef, Usual>, minutes: &[Minute], recorded: &[Alert]) -> Told {
    let mut fusion = Fusion::new(rules.clone(), AlertId(1), Vec::new());
    for (camera, usual) in known {
        fusion.restore_usual(camera, usual.clone());
    }
    let mut sorted: Vec<&Minute> = minutes.iter().collect();
    sorted.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.camera.cmp(&b.camera)));
    sorted.dedup_by(|a, b| a.at == b.at && a.camera == b.camera);
    let mut raised: BTreeMap<AlertId, (DeviceRef, UtcMs, UtcMs, Level)> = BTreeMap::new();
    let mut last = None;
    for minute in &sorted {
        // The minute is known when it is over.
        let now = UtcMs(minute.at.0 + 60_000);
        let mut made = Vec::new();
        if last.is_none_or(|last| last < now) {
            made.extend(fusion.apply(&Event::Tick, now));
            last = Some(now);
        }
        let count = Count {
            camera: minute.camera.clone(),
            at: now,
            people: minute.people,
            low: minute.low,
            high: minute.high,
            source: CountSource::Foreign,
            unchanged: false,
            zones: Vec::new(),
            flows: Vec::new(),
        };
        made.extend(fusion.apply(&Event::Count(count), now));
        for made in made {
            let alert = &made.alert;
            let Some(camera) = alert.device.clone().filter(|_| matches!(alert.cause, Cause::Crowd(_))) else { continue };
            let entry = raised.entry(alert.id).or_insert((camera, alert.raised_at, now, alert.level));
            (entry.2, entry.3) = (now, entry.3.max(alert.level));
        }
    }
    let span_ms = sorted.first().zip(sorted.last()).map_or(0, |(first, last)| last.at.ms_since(first.at) + 60_000);
    compare(raised.into_values().collect(), recorded, span_ms)
}

fn compare(raised: Vec<(DeviceRef, UtcMs, UtcMs, Level)>, recorded: &[Alert], span_ms: i64) -> Told {
    let mut told = Told { alerts: u32::try_from(raised.len()).unwrap_or(u32::MAX), ..Told::default() };
    told.per_shift = raised.len() as f64 / (span_ms as f64 / (12.0 * 3_600_000.0)).max(f64::MIN_POSITIVE);
    let recorded: Vec<&Alert> = recorded.iter().filter(|alert| matches!(alert.cause, Cause::Crowd(_))).collect();
    let same = |(camera, from, until, _): &(DeviceRef, UtcMs, UtcMs, Level), alert: &Alert| {
        let ended = alert.closed_at.unwrap_or(UtcMs(i64::MAX / 2));
        alert.device.as_ref() == Some(camera) && from.0 - SAME_MS <= ended.0 && alert.raised_at.0 <= until.0 + SAME_MS
    };
    let mut delays = Vec::new();
    for one in &raised {
        *told.levels.entry(one.3.as_str()).or_default() += 1;
        let verdict = recorded.iter().filter(|alert| same(one, alert)).find_map(|alert| Some((alert, alert.close_reason?)));
        match verdict {
            Some((alert, CloseReason::Resolved)) => {
                told.right += 1;
                delays.push(one.1.ms_since(alert.raised_at) as f64 / 60_000.0);
            }
            Some((_, CloseReason::FalseAlarm)) => told.wrong += 1,
            _ => told.unjudged += 1,
        }
    }
    let missed =
        recorded.iter().filter(|alert| alert.close_reason == Some(CloseReason::Resolved) && !raised.iter().any(|one| same(one, alert)));
    told.missed = u32::try_from(missed.count()).unwrap_or(u32::MAX);
    let judged = told.right + told.wrong;
    told.precision = (judged > 0).then(|| f64::from(told.right) / f64::from(judged));
    told.delay_min = (!delays.is_empty()).then(|| delays.iter().sum::<f64>() / delays.len() as f64);
    told
}
