//! Cameras: from an address to the newest key frame, and from a key frame to a picture.
//!
//! The way of a frame, file by file: `supervisor` keeps one task per camera alive; the task reads `rtsp` or
//! `file` and offers each key frame to [`KeyFrames`]; a worker thread takes it and [`Decoder`] makes a picture.
//! An RTSP camera costs no thread. What does not belong here: what the picture means, and when to look at it.

mod annexb;
mod decoder;
mod error;
pub mod file;
mod gst_log;
mod key_frames;
mod picture;
mod probe;
mod retry;
mod rtsp;
mod supervisor;
mod url;

pub use self::{
    decoder::{DecodeError, Decoder, StreamDecoder},
    error::{CameraError, RtspDetail},
    key_frames::{Codec, KeyFrame, KeyFrames, Ready, Wait},
    picture::MAX_SIDE_PX,
    probe::{ProbeFault, ProbeReport, probe},
    retry::Backoff,
    supervisor::{CameraSpec, Cameras, Settings},
    url::{CameraUrl, Credentials, UrlError},
};
