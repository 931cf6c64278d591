//! Cameras: from an address to the newest key frame, and from a key frame to a picture.
//!
//! The way of a frame, file by file: `supervisor` keeps one task per camera alive (`link` is that task's memory, `choose` picks main or
//! sub stream); the task opens a `session` over a `source` (`rtsp` by retina, `gst_source` for UDP, RTSPS and SRT, `mjpeg` over HTTP,
//! `file_source`), offers each key frame to [`KeyFrames`] and every access unit of the main stream to its taps (`tap`); a worker thread
//! takes the key frame and [`Decoder`] makes a picture. Beside the way, pure: `media_clock` makes time stamps steady, `stats` measures.
//!
//! A camera over RTSP/TCP or HTTP costs no thread; one through GStreamer (UDP, RTSPS, SRT) four to seven.
//! What does not belong here: what the picture means, and when to look at it.

mod annexb;
mod choose;
mod decoder;
mod error;
pub mod file;
mod file_source;
#[doc(hidden)]
pub mod fuzz;
mod gst_log;
mod gst_source;
pub mod http;
mod jpeg;
mod key_frames;
mod link;
mod media_clock;
mod mjpeg;
mod multipart;
mod picture;
mod probe;
mod redirect;
mod replay;
mod retry;
mod rtsp;
mod session;
mod source;
mod spec;
mod stats;
mod supervisor;
mod tap;
mod url;

pub use self::{
    choose::Which,
    decoder::{DecodeError, Decoder, StreamDecoder},
    error::{CameraError, RtspDetail},
    key_frames::{Codec, KeyFrame, KeyFrames, Ready, Wait},
    picture::MAX_SIDE_PX,
    probe::{Picture, ProbeFault, ProbeReport, probe, probe_spec},
    replay::Replay,
    retry::Backoff,
    spec::{CameraSpec, Settings, Transport, Trust},
    stats::StreamStats,
    supervisor::{Cameras, Exists},
    tap::{AccessUnit, Tap, TapItem},
    url::{CameraUrl, Credentials, UrlError},
};
