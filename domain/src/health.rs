//! Whether a camera gives pictures, and if not, why.

use serde::{Deserialize, Serialize};

use crate::{DeviceRef, UtcMs};

/// State of a camera's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Being connected, or waiting before the next try.
    Connecting,
    /// Key frames arrive.
    Live,
    /// No picture; the fault says why.
    Offline,
}

/// Why a camera gives no picture; beside [`CameraState::Live`], what is wrong with the pictures it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraFault {
    /// Nobody listens at the address.
    Refused,
    /// Wrong user or password.
    Unauthorized,
    /// The address exists, the stream does not.
    NotFound,
    /// No answer in time.
    Timeout,
    /// Connected, but frames stopped coming.
    Stalled,
    /// A codec the hub cannot decode, or none.
    BadCodec,
    /// Bytes that are no RTSP, RTP or video.
    Garbage,
    /// Sent on from address to address without an end, or to one that is not allowed.
    Redirect,
    /// Pictures come, but none that decodes by itself.
    NoKeyFrame,
    /// The camera's certificate is not trusted, or the encrypted connection failed.
    Tls,
    /// A picture size of zero, or beyond what the hub decodes.
    BadPicture,
    /// Pictures come, but their time stamps jump or stand still.
    BadTime,
    /// A part that the hub needs for this camera is not installed; the detail names it.
    Missing,
    /// The stream or file came to its end.
    Ended,
    /// Anything else; the detail says what.
    Other,
}

impl CameraFault {
    /// Name in JSON and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            CameraFault::Refused => "refused",
            CameraFault::Unauthorized => "unauthorized",
            CameraFault::NotFound => "not_found",
            CameraFault::Timeout => "timeout",
            CameraFault::Stalled => "stalled",
            CameraFault::BadCodec => "bad_codec",
            CameraFault::Garbage => "garbage",
            CameraFault::Redirect => "redirect",
            CameraFault::NoKeyFrame => "no_key_frame",
            CameraFault::Tls => "tls",
            CameraFault::BadPicture => "bad_picture",
            CameraFault::BadTime => "bad_time",
            CameraFault::Missing => "missing",
            CameraFault::Ended => "ended",
            CameraFault::Other => "other",
        }
    }
}

/// A change of a camera's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraHealth {
    /// The camera.
    pub camera: DeviceRef,
    /// When it changed.
    pub at: UtcMs,
    /// What it is now.
    pub state: CameraState,
    /// Why it gives no picture, and the whole chain of the error in one line. Beside `Live`: pictures come, and this is wrong with them.
    pub fault: Option<(CameraFault, String)>,
    /// Codec name (`h264`, `h265`), once known.
    pub codec: Option<String>,
    /// Width and height in pixels, once known.
    pub size_px: Option<(u32, u32)>,
}
