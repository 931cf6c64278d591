//! Pictures for people's eyes: a camera's access units as fragmented MP4, and the last minutes of a camera on disk.
//!
//! What belongs here: wrapping compressed video without decoding it, and keeping it for a short time. What does not: who may
//! see it and when (`api`), decoding (`camera`), and anything that looks into a picture (`inference`).
//!
//! ```text
//! Tap -> Muxer::push -> Part::{Init, Media} -> WebSocket -> Media Source Extensions
//! Tap -> Ring::push  -> segment files        -> Ring::keep -> clip -> Muxer or single key frames
//! ```
//!
//! To look at what the muxer wrote, save the parts one behind the other and: `ffprobe -show_packets live.mp4`.

mod fmp4;
mod nal;
mod ring;

pub use fmp4::{Muxer, Part};
pub use ring::{ClipReader, Ring, RingError, RingLimits, Stamped};

use std::time::Duration;

use bytes::Bytes;

use crate::camera::{AccessUnit, Codec};

/// One access unit, Annex B, on its way to a viewer or to disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// How it is encoded.
    pub codec: Codec,
    /// Width and height in pixels.
    pub size_px: (u32, u32),
    /// Annex B; a key unit holds its parameter sets.
    pub data: Bytes,
    /// Decodes by itself.
    pub key: bool,
    /// The stream's own time, from an arbitrary zero.
    pub media_time: Duration,
}

impl From<AccessUnit> for Unit {
    fn from(unit: AccessUnit) -> Self {
        let AccessUnit { codec, size_px, data, key, media_time, .. } = unit;
        Self { codec, size_px, data, key, media_time }
    }
}

/// Why compressed video cannot be passed on as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// No browser plays it from MP4.
    #[error("{0} is not played by browsers; pictures one by one are")]
    Codec(String),
    /// A key unit without usable parameter sets.
    #[error("the stream's parameter sets cannot be read: {0}")]
    Parameters(&'static str),
    /// The container cannot hold it.
    #[error("MP4: {0}")]
    Container(String),
}
