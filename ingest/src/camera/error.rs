//! What goes wrong between the hub and a camera, and the one word for it that people see.

use std::{error::Error, path::PathBuf, time::Duration};

use qorgan_domain::CameraFault;

use super::decoder::DecodeError;

/// Why a camera gives no key frames. The text never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// An RTSP step failed.
    #[error("{step} failed")]
    Rtsp {
        /// Which step: `DESCRIBE`, `SETUP`, `PLAY` or `the stream`.
        step: &'static str,
        /// What kind of failure.
        fault: CameraFault,
        /// Status of the camera's answer, if it gave one.
        status: Option<u16>,
        /// What the client library says, in one line.
        #[source]
        source: RtspDetail,
    },
    /// A step took too long.
    #[error("{step} was not answered within {} s", after.as_secs_f32())]
    Timeout {
        /// Which step.
        step: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// Connected, then silence.
    #[error("no {what} for {} s", after.as_secs_f32())]
    Stalled {
        /// `picture`, or what else did not come.
        what: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// Pictures, but none that decodes by itself.
    #[error("no key frame for {} s", after.as_secs_f32())]
    NoKeyFrame {
        /// How long was waited.
        after: Duration,
    },
    /// Sent on to other addresses without end, or to one that is not allowed.
    #[error("redirected {why}")]
    Redirect {
        /// What is wrong with it.
        why: String,
    },
    /// HTTP, SRT or GStreamer's RTSP failed.
    #[error("{step}: {message}")]
    Link {
        /// Which step, or which part.
        step: &'static str,
        /// What kind of failure.
        fault: CameraFault,
        /// What was said, in one line, without secrets.
        message: String,
    },
    /// A part of GStreamer is not installed.
    #[error("GStreamer has no {element}: install {package}")]
    Missing {
        /// Name of the element.
        element: String,
        /// Debian's package with it.
        package: &'static str,
    },
    /// There is video, in codecs the hub does not take.
    #[error("the video codec {offered} is not supported: use H.264 or H.265")]
    Codec {
        /// Names of the codecs offered.
        offered: String,
    },
    /// There is no video at all.
    #[error("there is no video, only {offered}")]
    NoVideo {
        /// What is there instead.
        offered: String,
    },
    /// An access unit beyond any real camera's.
    #[error("a key frame of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is accepted.
        limit: usize,
    },
    /// The stream or file came to its end.
    #[error("the stream ended")]
    Ended,
    /// A video file that cannot be read.
    #[error("file {path}: {message}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What kind of failure.
        fault: CameraFault,
        /// What the operating system or GStreamer says.
        message: String,
    },
    /// A picture could not be decoded.
    #[error("decoding failed")]
    Decode(#[from] DecodeError),
    /// The camera's task panicked: a bug, kept inside that camera.
    #[error("the camera's task broke: {0}")]
    Panic(String),
}

/// First paragraph of what `retina` says: the rest names ports and packet positions that differ each time.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RtspDetail(String);

impl CameraError {
    pub(super) fn rtsp(step: &'static str, error: &retina::Error) -> Self {
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        Self::Rtsp { step, fault: fault_of(error), status: error.status_code(), source: RtspDetail(squeeze(first)) }
    }

    /// The one word for it.
    pub fn fault(&self) -> CameraFault {
        match self {
            Self::Rtsp { fault, .. } | Self::File { fault, .. } | Self::Link { fault, .. } => *fault,
            Self::NoKeyFrame { .. } => CameraFault::NoKeyFrame,
            Self::Redirect { .. } => CameraFault::Redirect,
            Self::Timeout { .. } => CameraFault::Timeout,
            Self::Stalled { .. } => CameraFault::Stalled,
            Self::Codec { .. } | Self::NoVideo { .. } => CameraFault::BadCodec,
            Self::TooLarge { .. } => CameraFault::Garbage,
            Self::Missing { .. } | Self::Decode(DecodeError::Missing { .. }) => CameraFault::Missing,
            Self::Decode(DecodeError::Start { .. }) => CameraFault::Other,
            Self::Decode(DecodeError::Size { .. }) => CameraFault::BadPicture,
            Self::Decode(_) => CameraFault::Garbage,
            Self::Ended => CameraFault::Ended,
            Self::Panic(_) => CameraFault::Other,
        }
    }

    /// The error and its causes in one line of at most 300 characters.
    pub fn one_line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        squeeze(&line)
    }
}

/// One line, bounded, without control characters: a camera's words go to logs and screens.
pub(super) fn squeeze(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(300).collect()
}

/// `retina` keeps its error kinds private; their names are in its `Debug` text. The tests of each fault hold
/// this to what the pinned version says; an unknown name is `Other`.
fn fault_of(error: &retina::Error) -> CameraFault {
    if error.to_string().contains("invalid pixel dimensions") {
        return CameraFault::BadPicture;
    }
    if let Some(status) = error.status_code() {
        return match status {
            401 | 403 => CameraFault::Unauthorized,
            404 | 454 => CameraFault::NotFound,
            300..=399 => CameraFault::Redirect,
            // A good answer that could not be understood.
            200..300 => CameraFault::Garbage,
            _ => CameraFault::Other,
        };
    }
    let debug = format!("{error:?}");
    let kind = debug.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match kind {
        "ConnectError" if debug.contains("TimedOut") => CameraFault::Timeout,
        "ConnectError" => CameraFault::Refused,
        "Timeout" => CameraFault::Timeout,
        "RtspReadError" | "WriteError" => CameraFault::Ended,
        "RtspFramingError" | "RtspResponseError" | "RtspUnassignedChannelError" | "PacketError" | "RtpPacketError" => CameraFault::Garbage,
        _ => CameraFault::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cameras_words_become_one_bounded_line() {
        assert_eq!(squeeze("a\r\n\tb\u{1b}[31m  c"), "a b [31m c");
        assert_eq!(squeeze(&"x".repeat(1000)).len(), 300);
    }

    #[test]
    fn the_line_names_every_cause() {
        let error = CameraError::Decode(DecodeError::NoPicture);
        assert_eq!(error.one_line(), "decoding failed: the decoder made no picture of the key frame");
        assert_eq!(error.fault(), CameraFault::Garbage);
    }
}
