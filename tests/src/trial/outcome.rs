//! Thresholds and figures.

use super::{
    Followed, Seen,
    methods::{FIXED, METHODS, NAMES},
};

/// Hours of a month.
const MONTH: f64 = 730.0;

/// Thresholds by which each method gives a wanted number of false alerts.
#[derive(Debug)]
pub struct Thresholds(Vec<[f32; METHODS]>);

/// What a method reached in the years that were not tuned on.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// False alerts per camera and month.
    pub false_per_month: f64,
    /// Gatherings that could be noticed.
    pub gatherings: usize,
    /// Part of them that was noticed while it lasted.
    pub detected: f64,
    /// Mean minutes from the beginning to the alert; one that was never noticed counts with its whole length.
    pub delay_min: f64,
    /// The same of those noticed only.
    pub delay_noticed_min: f64,
}

impl Thresholds {
    /// Finds them on the hours up to `until`, so that the mean over cameras is `per_month`.
    pub fn tune(all: &[Seen], until: i64, per_month: f64) -> Self {
        let mut thresholds = vec![[f32::INFINITY; METHODS]; all.len()];
        for method in 0..METHODS {
            if method == FIXED {
                for (seen, own) in all.iter().zip(&mut thresholds) {
                    own[method] = find(std::slice::from_ref(seen), method, until, per_month);
                }
            } else {
                let one = find(all, method, until, per_month);
                thresholds.iter_mut().for_each(|own| own[method] = one);
            }
        }
        Self(thresholds)
    }

    /// Threshold of a method at a camera.
    pub fn of(&self, camera: usize, method: usize) -> f32 {
        self.0[camera][method]
    }

    /// Figures of a method from `from` on, for gatherings that `wanted` picks.
    pub fn reached(&self, all: &[Seen], method: usize, from: i64, wanted: impl Fn(&Followed) -> bool) -> Reached {
        let mut reached = Reached::default();
        let (mut alerts, mut hours, mut noticed, mut delay, mut delay_noticed) = (0, 0, 0, 0.0, 0.0);
        for (camera, seen) in all.iter().enumerate() {
            let threshold = self.of(camera, method);
            let (n, of) = episodes(seen, method, threshold, |hour| hour >= from);
            (alerts, hours) = (alerts + n, hours + of);
            for followed in seen.gatherings.iter().filter(|f| f.hour >= from && wanted(f)) {
                // An alert that was open before it is neither a success nor a failure.
                if followed.before[method] > threshold {
                    continue;
                }
                reached.gatherings += 1;
                let window = followed.gathering.window();
                match followed.after.iter().take(window).position(|minute| minute[method] > threshold) {
                    Some(minute) => {
                        noticed += 1;
                        delay += (minute + 1) as f64;
                        delay_noticed += (minute + 1) as f64;
                    }
                    None => delay += window as f64,
                }
            }
        }
        let n = reached.gatherings.max(1) as f64;
        reached.false_per_month = f64::from(alerts) / (f64::from(hours) / MONTH).max(f64::MIN_POSITIVE);
        reached.detected = f64::from(noticed) / n;
        reached.delay_min = delay / n;
        reached.delay_noticed_min = delay_noticed / f64::from(noticed.max(1));
        reached
    }
}

/// Name of a method.
pub fn name(method: usize) -> &'static str {
    NAMES[method]
}

/// Alerts and hours judged: an alert is open until an hour passes without a number above the threshold.
fn episodes(seen: &Seen, method: usize, threshold: f32, wanted: impl Fn(i64) -> bool) -> (u32, u32) {
    let (mut alerts, mut hours, mut quiet) = (0, 0, 2);
    for (at, value) in seen.hours[method].iter().enumerate() {
        if !wanted(seen.first_hour + at as i64) {
            continue;
        }
        if value.is_nan() {
            quiet += 1;
            continue;
        }
        hours += 1;
        if *value > threshold {
            alerts += u32::from(quiet > 1);
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    (alerts, hours)
}

/// The smallest threshold that gives no more than the wanted number.
fn find(all: &[Seen], method: usize, until: i64, per_month: f64) -> f32 {
    let rate = |threshold: f32| {
        let (alerts, hours) =
            all.iter().map(|seen| episodes(seen, method, threshold, |hour| hour < until)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        if hours == 0 { 0.0 } else { f64::from(alerts) / (f64::from(hours) / MONTH) }
    };
    let mut values: Vec<f32> = all.iter().flat_map(|seen| seen.hours[method].iter().copied()).filter(|v| v.is_finite()).collect();
    values.sort_by(f32::total_cmp);
    // The number of alerts falls with the threshold once they no longer run into each other: search from above.
    let (mut low, mut high) = (values.len() / 2, values.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if rate(values[middle]) <= per_month { high = middle } else { low = middle + 1 }
    }
    values.get(low).copied().unwrap_or(f32::INFINITY)
}
