//! `[cameras]`: what every camera must reach, and when a bad picture becomes a trouble.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::read::{Check, under};

/// `[cameras]`
#[derive(Debug, Clone, PartialEq)]
pub struct CameraLimits {
    /// Share of the last 24 hours in which pictures came, 0 to 1. Default: 0.98.
    pub min_uptime_24h: f64,
    /// The same of the last 30 days. Default: 0.95.
    pub min_uptime_30d: f64,
    /// Smallest picture, width and height in pixels. Default: 640 x 360.
    pub min_size_px: (u32, u32),
    /// Fewest frames per second of the stream. Default: 5.
    pub min_fps: f32,
    /// Longest time between two key frames, in seconds: only key frames are looked at while a scene is quiet. Default: 4.
    pub max_key_frame_interval_s: f32,
    /// Least sharpness, 0 to 1 of what this camera usually gives. Default: 0.5.
    pub min_sharpness: f32,
    /// Mean luma of a picture, 0 to 1: darker and brighter ones are badly exposed. Default: 0.08 to 0.92.
    pub exposure: (f32, f32),
    /// Largest offset of the camera's clock, in seconds. Default: 5.
    pub max_clock_offset_s: f32,
    /// Longest time since the last picture, in seconds. Default: 60.
    pub max_silence_s: u32,
    /// A bad picture must last so long before it is a trouble, and be good again so long before that is over, in seconds. Default: 120.
    pub settle_s: u32,
    /// Directory in which footage may be named for a camera that is added at run time; none: no files at run time.
    pub footage_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCameras {
    min_uptime_24h: Spanned<f64>,
    min_uptime_30d: Spanned<f64>,
    min_size_px: Spanned<[u32; 2]>,
    min_fps: Spanned<f32>,
    max_key_frame_interval_s: Spanned<f32>,
    min_sharpness: Spanned<f32>,
    exposure: Spanned<[f32; 2]>,
    max_clock_offset_s: Spanned<f32>,
    max_silence_s: Spanned<u32>,
    settle_s: Spanned<u32>,
    footage_dir: Option<String>,
}

fn unset<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

impl Default for RawCameras {
    fn default() -> Self {
        Self {
            min_uptime_24h: unset(0.98),
            min_uptime_30d: unset(0.95),
            min_size_px: unset([640, 360]),
            min_fps: unset(5.0),
            max_key_frame_interval_s: unset(4.0),
            min_sharpness: unset(0.5),
            exposure: unset([0.08, 0.92]),
            max_clock_offset_s: unset(5.0),
            max_silence_s: unset(60),
            settle_s: unset(120),
            footage_dir: None,
        }
    }
}

impl Default for CameraLimits {
    fn default() -> Self {
        RawCameras::default().plain(Path::new(""))
    }
}

impl RawCameras {
    fn plain(self, base: &Path) -> CameraLimits {
        let [width, height] = self.min_size_px.into_inner();
        let [dark, bright] = self.exposure.into_inner();
        CameraLimits {
            min_uptime_24h: self.min_uptime_24h.into_inner(),
            min_uptime_30d: self.min_uptime_30d.into_inner(),
            min_size_px: (width, height),
            min_fps: self.min_fps.into_inner(),
            max_key_frame_interval_s: self.max_key_frame_interval_s.into_inner(),
            min_sharpness: self.min_sharpness.into_inner(),
            exposure: (dark, bright),
            max_clock_offset_s: self.max_clock_offset_s.into_inner(),
            max_silence_s: self.max_silence_s.into_inner(),
            settle_s: self.settle_s.into_inner(),
            footage_dir: self.footage_dir.map(|dir| under(base, dir)),
        }
    }
}

impl Check<'_> {
    pub(super) fn camera_limits(&mut self, raw: RawCameras, base: &Path) -> CameraLimits {
        for (value, what) in [(&raw.min_uptime_24h, "min_uptime_24h"), (&raw.min_uptime_30d, "min_uptime_30d")] {
            if !(0.0..=1.0).contains(value.get_ref()) {
                self.problem(value.span(), format!("cameras.{what} {} is not 0 to 1", value.get_ref()));
            }
        }
        for (value, what, least, most) in [
            (&raw.min_fps, "min_fps", 0.1, 120.0),
            (&raw.max_key_frame_interval_s, "max_key_frame_interval_s", 0.1, 60.0),
            (&raw.min_sharpness, "min_sharpness", 0.0, 1.0),
            (&raw.max_clock_offset_s, "max_clock_offset_s", 0.1, 3_600.0),
        ] {
            if !(least..=most).contains(value.get_ref()) {
                self.problem(value.span(), format!("cameras.{what} {} is not {least} to {most}", value.get_ref()));
            }
        }
        for (value, what, least, most) in [(&raw.max_silence_s, "max_silence_s", 5, 86_400), (&raw.settle_s, "settle_s", 5, 3_600)] {
            if !(least..=most).contains(value.get_ref()) {
                self.problem(value.span(), format!("cameras.{what} {} is not {least} to {most} seconds", value.get_ref()));
            }
        }
        let [dark, bright] = *raw.exposure.get_ref();
        if !(0.0..=1.0).contains(&dark) || !(0.0..=1.0).contains(&bright) || dark >= bright {
            self.problem(raw.exposure.span(), format!("cameras.exposure [{dark}, {bright}] is not two rising numbers from 0 to 1"));
        }
        raw.plain(base)
    }
}
