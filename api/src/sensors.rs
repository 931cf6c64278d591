//! What sensors said last: in memory only, a few numbers a device, to be shown beside an alert near by. No alert is made of them.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use qorgan_alerts::context::SensorNear;
use qorgan_domain::{DeviceRef, UtcMs, wire::SensorV1};

/// Kinds of one device that are kept; further ones are left out.
const KINDS: usize = 16;
/// A value measured longer ago than this is told of no more, in milliseconds.
const FRESH_MS: i64 = 15 * 60_000;
/// Longest name of a kind or a unit.
const WORD: usize = 32;

/// The newest values of every device.
#[derive(Debug, Default)]
pub(crate) struct LiveSensors(RwLock<BTreeMap<DeviceRef, BTreeMap<String, SensorV1>>>);

impl LiveSensors {
    /// Takes a value; one that is older than what is known, or named by anything but a word, is left out.
    pub(crate) fn heard(&self, device: &DeviceRef, sensor: SensorV1) {
        let word = |text: &str, more: &str| {
            (1..=WORD).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !word(&sensor.kind, "_-") || !(sensor.unit.is_empty() || word(&sensor.unit, "_-/%.")) || !sensor.value.is_finite() {
            return;
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kinds = all.entry(device.clone()).or_default();
        let known = kinds.get(&sensor.kind);
        if known.is_none_or(|known| known.at <= sensor.at) && (known.is_some() || kinds.len() < KINDS) {
            kinds.insert(sensor.kind.clone(), sensor);
        }
    }

    /// What devices that `near` admits have measured lately.
    pub(crate) fn near(&self, now: UtcMs, near: impl Fn(&DeviceRef) -> bool) -> Vec<SensorNear> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = |sensor: &&SensorV1| now.ms_since(sensor.at) <= FRESH_MS;
        let told = |sensor: &SensorV1| SensorNear { kind: sensor.kind.clone(), value: sensor.value, unit: sensor.unit.clone() };
        all.iter().filter(|(device, _)| near(device)).flat_map(|(_, kinds)| kinds.values().filter(fresh).map(told)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(kind: &str, value: f64, at: i64) -> SensorV1 {
        SensorV1 { v: 1, at: UtcMs(at), kind: kind.into(), value, unit: "degC".into() }
    }

    #[test]
    fn the_newest_of_each_kind_is_told_of_while_it_is_fresh() {
        let sensors = LiveSensors::default();
        let device: DeviceRef = "school-17/hall".parse().unwrap();
        for (kind, value, at) in [("temperature", 21.0, 0), ("temperature", 24.0, 60_000), ("temperature", 3.0, 30_000), ("smoke", 0.5, 0)]
        {
            sensors.heard(&device, sensor(kind, value, at));
        }
        let told = |now: i64| sensors.near(UtcMs(now), |_| true).into_iter().map(|s| (s.kind, s.value)).collect::<Vec<_>>();
        assert_eq!(told(60_000), [("smoke".to_owned(), 0.5), ("temperature".to_owned(), 24.0)]);
        assert_eq!(told(FRESH_MS + 30_000), [("temperature".to_owned(), 24.0)]);
        assert!(sensors.near(UtcMs(0), |device| device.site.as_str() == "elsewhere").is_empty());
    }

    #[test]
    fn texts_and_too_many_kinds_do_not_come_in() {
        let sensors = LiveSensors::default();
        let device: DeviceRef = "school-17/hall".parse().unwrap();
        for kind in ["", "call +7 701 555 66 77", "темп", &"x".repeat(33)] {
            sensors.heard(&device, sensor(kind, 1.0, 0));
        }
        sensors.heard(&device, sensor("temperature", f64::NAN, 0));
        assert!(sensors.near(UtcMs(0), |_| true).is_empty());
        for n in 0..40 {
            sensors.heard(&device, sensor(&format!("k{n}"), 1.0, 0));
        }
        assert_eq!(sensors.near(UtcMs(0), |_| true).len(), KINDS);
    }
}
