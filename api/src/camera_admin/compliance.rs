//! The compliance meter: what a camera must reach, what it reaches, and why not. Pure; `meter` brings the figures.
//!
//! A criterion that nobody can measure (no ONVIF, a camera counted elsewhere) is `unknown`, and no failure.

use std::collections::BTreeMap;

use qorgan_domain::UtcMs;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::CameraLimits;

/// Figures of a stream, as the hub that takes its pictures knows them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StreamFigures {
    /// Codec.
    pub codec: Option<String>,
    /// Width and height, pixels.
    pub size_px: Option<(u32, u32)>,
    /// Frames per second.
    pub fps: Option<f64>,
    /// Kilobits per second.
    pub kbit_per_s: Option<f64>,
    /// Distance of key frames, seconds.
    pub key_frame_interval_s: Option<f64>,
    /// Last picture.
    pub last_picture_at: Option<UtcMs>,
    /// How much faster than the hub's the clock of the stream goes, parts per million.
    pub clock_drift_ppm: Option<f64>,
    /// Packets that never came.
    pub lost_packets: u64,
    /// Sessions; every one after the first was a reconnect.
    pub sessions: u64,
    /// How the pictures come.
    pub transport: Option<&'static str>,
    /// The sub stream is looked at.
    pub sub_in_use: bool,
}

/// How a picture looks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PictureFigures {
    /// `black`, `frozen`, `blurred`, `covered`, `moved`.
    pub fault: Option<&'static str>,
    /// Sharpness as a share of what this camera usually has.
    pub sharpness_share: Option<f32>,
    /// Mean luma, 0 to 1.
    pub mean_luma: f32,
}

/// Everything that is known of a camera at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Seconds in which it worked and in which the hub looked, of the last 24 hours.
    pub day_s: (i64, i64),
    /// The same of the last 30 days.
    pub month_s: (i64, i64),
    /// Its stream; none when it is counted elsewhere.
    pub stream: Option<StreamFigures>,
    /// Its picture.
    pub picture: Option<PictureFigures>,
    /// Offset of its clock by ONVIF, milliseconds.
    pub clock_offset_ms: Option<i64>,
    /// Last proof of life: a picture, or a count of its own.
    pub alive_at: Option<UtcMs>,
}

/// Whether a criterion is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Not met.
    Fail,
    /// Nobody can tell.
    Unknown,
    /// Met.
    Pass,
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Criterion {
    /// `uptime_24h`, `uptime_30d`, `resolution`, `fps`, `key_frames`, `sharpness`, `exposure`, `picture`, `clock`, `life`.
    pub code: &'static str,
    /// Whether it is met.
    pub mark: Mark,
    /// What was measured, with its unit.
    pub value: Option<String>,
    /// What is asked for, with its unit.
    pub limit: String,
}

/// The criteria of a camera, always the same ones in the same order.
pub fn judge(known: &Known, limits: &CameraLimits, now: UtcMs) -> Vec<Criterion> {
    let stream = known.stream.as_ref();
    let picture = known.picture.as_ref();
    let share = |(live, seen): (i64, i64)| (seen > 0).then(|| live as f64 / seen as f64);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let at_least = |code, value: Option<f64>, least: f64, say: &dyn Fn(f64) -> String| Criterion {
        code,
        mark: mark(value.map(|value| value >= least)),
        value: value.map(say),
        limit: format!("≥ {}", say(least)),
    };
    let at_most = |code, value: Option<f64>, most: f64, say: &dyn Fn(f64) -> String| Criterion {
        code,
        mark: mark(value.map(|value| value <= most)),
        value: value.map(say),
        limit: format!("≤ {}", say(most)),
    };
    let seconds = |s: f64| format!("{s:.1} s");
    let (width, height) = limits.min_size_px;
    let size = stream.and_then(|s| s.size_px);
    let (dark, bright) = limits.exposure;
    let luma = picture.map(|p| p.mean_luma);
    // A fault that is not there is only known while pictures are looked at.
    let fault = picture.map(|p| p.fault);
    let age_s = known.alive_at.map(|at| now.ms_since(at).max(0) as f64 / 1000.0);
    // The stream's own clock tells an offset that grows: half a day of it.
    let offset_s = known.clock_offset_ms.map(|ms| ms.unsigned_abs() as f64 / 1000.0);
    vec![
        at_least("uptime_24h", share(known.day_s), limits.min_uptime_24h, &percent),
        at_least("uptime_30d", share(known.month_s), limits.min_uptime_30d, &percent),
        Criterion {
            code: "resolution",
            // Held upright is as good as lying.
            mark: mark(size.map(|(w, h)| w.max(h) >= width.max(height) && w.min(h) >= width.min(height))),
            value: size.map(|(w, h)| format!("{w}×{h}")),
            limit: format!("≥ {width}×{height}"),
        },
        at_least("fps", stream.and_then(|s| s.fps), f64::from(limits.min_fps), &|fps| format!("{fps:.1} 1/s")),
        at_most("key_frames", stream.and_then(|s| s.key_frame_interval_s), f64::from(limits.max_key_frame_interval_s), &seconds),
        at_least("sharpness", picture.and_then(|p| p.sharpness_share).map(f64::from), f64::from(limits.min_sharpness), &percent),
        Criterion {
            code: "exposure",
            mark: mark(luma.map(|luma| (dark..=bright).contains(&luma))),
            value: luma.map(|luma| format!("{luma:.2}")),
            limit: format!("{dark:.2}–{bright:.2}"),
        },
        Criterion {
            code: "picture",
            mark: mark(fault.map(|fault| fault.is_none())),
            value: fault.flatten().map(str::to_owned),
            limit: String::new(),
        },
        at_most("clock", offset_s, f64::from(limits.max_clock_offset_s), &seconds),
        at_most("life", age_s, f64::from(limits.max_silence_s), &|s| format!("{s:.0} s")),
    ]
}

fn mark(met: Option<bool>) -> Mark {
    match met {
        Some(true) => Mark::Pass,
        Some(false) => Mark::Fail,
        None => Mark::Unknown,
    }
}

/// The codes of what is not met.
pub fn failed(criteria: &[Criterion]) -> Vec<&'static str> {
    criteria.iter().filter(|criterion| criterion.mark == Mark::Fail).map(|criterion| criterion.code).collect()
}

/// Conditions of one camera that become troubles: each must last, and be gone as long before it is over. Flickering is no news.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settling {
    /// By code: whether a trouble says it now, and since when it is otherwise.
    conditions: BTreeMap<&'static str, (bool, Option<UtcMs>)>,
}

/// Every code that a trouble of a camera can have.
const CODES: [&str; 6] = ["black", "frozen", "blurred", "covered", "moved", "clock_offset"];

impl Settling {
    /// Goes on with what a trouble said when the hub ended: its codes, with commas between.
    pub fn standing(said: &str) -> Self {
        let codes = CODES.into_iter().filter(|code| said.split(", ").any(|one| one == *code));
        Self { conditions: codes.map(|code| (code, (true, None))).collect() }
    }

    /// Takes what is wrong now; gives what begins (`true`) and what ends (`false`) to be a trouble.
    pub fn take(&mut self, wrong: &[&'static str], settle_ms: i64, now: UtcMs) -> Vec<(&'static str, bool)> {
        for code in wrong {
            self.conditions.entry(code).or_insert((false, None));
        }
        let mut news = Vec::new();
        self.conditions.retain(|code, (told, otherwise_since)| {
            let is = wrong.contains(code);
            if is == *told {
                *otherwise_since = None;
                return is;
            }
            let since = *otherwise_since.get_or_insert(now);
            if now.ms_since(since) >= settle_ms {
                (*told, *otherwise_since) = (is, None);
                news.push((*code, is));
            }
            true
        });
        news
    }
}

/// Codes of criteria that become troubles of the camera; the others are figures for whoever looks after it.
pub fn troubles(criteria: &[Criterion]) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    for criterion in criteria.iter().filter(|criterion| criterion.mark == Mark::Fail) {
        match (criterion.code, criterion.value.as_deref()) {
            ("picture", Some("black")) => wrong.push("black"),
            ("picture", Some("frozen")) => wrong.push("frozen"),
            ("picture", Some("blurred")) => wrong.push("blurred"),
            ("picture", Some("covered")) => wrong.push("covered"),
            ("picture", Some("moved")) => wrong.push("moved"),
            ("clock", _) => wrong.push("clock_offset"),
            _ => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let stream = StreamFigures {
            size_px: Some((1920, 1080)),
            fps: Some(15.0),
            key_frame_interval_s: Some(2.0),
            last_picture_at: Some(UtcMs(99_000)),
            ..StreamFigures::default()
        };
        let picture = PictureFigures { fault: None, sharpness_share: Some(0.9), mean_luma: 0.5 };
        Known {
            day_s: (990, 1000),
            month_s: (960, 1000),
            stream: Some(stream),
            picture: Some(picture),
            clock_offset_ms: Some(-800),
            alive_at: Some(UtcMs(99_000)),
        }
    }
    fn failing(known: &Known) -> Vec<&'static str> {
        failed(&judge(known, &CameraLimits::default(), UtcMs(100_000)))
    }

    #[test]
    fn a_good_camera_passes_everything_and_an_unknown_one_fails_nothing() {
        let criteria = judge(&known(), &CameraLimits::default(), UtcMs(100_000));
        assert!(criteria.iter().all(|c| c.mark == Mark::Pass), "{criteria:#?}");
        let criteria = judge(&Known::default(), &CameraLimits::default(), UtcMs(100_000));
        assert!(criteria.iter().all(|c| c.mark == Mark::Unknown), "{criteria:#?}");
    }

    #[test]
    fn every_criterion_fails_on_its_own() {
        let stream = |change: &dyn Fn(&mut StreamFigures)| {
            let mut known = known();
            known.stream.as_mut().map(change);
            failing(&known)
        };
        assert_eq!(failing(&Known { day_s: (900, 1000), ..known() }), ["uptime_24h"]);
        assert_eq!(failing(&Known { month_s: (900, 1000), ..known() }), ["uptime_30d"]);
        assert_eq!(stream(&|s| s.size_px = Some((352, 288))), ["resolution"]);
        assert_eq!(stream(&|s| s.size_px = Some((480, 640))), [""; 0], "held upright");
        assert_eq!(stream(&|s| s.fps = Some(2.0)), ["fps"]);
        assert_eq!(stream(&|s| s.key_frame_interval_s = Some(10.0)), ["key_frames"]);
        assert_eq!(failing(&Known { clock_offset_ms: Some(-9_000), ..known() }), ["clock"]);
        assert_eq!(failing(&Known { alive_at: Some(UtcMs(0)), ..known() }), ["life"]);
        let picture = |picture| failing(&Known { picture: Some(picture), ..known() });
        let good = PictureFigures { fault: None, sharpness_share: Some(0.9), mean_luma: 0.5 };
        assert_eq!(picture(PictureFigures { sharpness_share: Some(0.2), ..good }), ["sharpness"]);
        assert_eq!(picture(PictureFigures { mean_luma: 0.01, ..good }), ["exposure"]);
        assert_eq!(picture(PictureFigures { fault: Some("frozen"), ..good }), ["picture"]);
    }

    #[test]
    fn a_condition_must_last_to_be_a_trouble_and_be_gone_as_long_to_end() {
        let mut settling = Settling::default();
        let mut at = |wrong: &[&'static str], s: i64| settling.take(wrong, 120_000, UtcMs(s * 1_000));
        assert_eq!(at(&["black"], 0), []);
        assert_eq!(at(&["black"], 119), []);
        assert_eq!(at(&["black", "moved"], 120), [("black", true)]);
        assert_eq!(at(&["black"], 150), [], "a short fault is none");
        assert_eq!(at(&[], 200), []);
        assert_eq!(at(&["black"], 210), [], "it flickers: no news");
        assert_eq!(at(&[], 300), []);
        assert_eq!(at(&[], 419), []);
        assert_eq!(at(&[], 420), [("black", false)]);
        assert_eq!(at(&[], 1_000), []);
    }

    #[test]
    fn a_trouble_that_stood_when_the_hub_ended_ends_when_the_picture_is_good() {
        let mut settling = Settling::standing("battery, frozen");
        assert_eq!(settling.take(&["frozen"], 10_000, UtcMs(0)), [], "it is not told anew");
        assert_eq!(settling.take(&[], 10_000, UtcMs(1_000)), []);
        assert_eq!(settling.take(&[], 10_000, UtcMs(11_000)), [("frozen", false)]);
    }
}
