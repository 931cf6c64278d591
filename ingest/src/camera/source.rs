//! A camera's stream, whatever it comes by: opened once, then one access unit after the other.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use url::Url;

use super::{
    CameraError, CameraSpec, CameraUrl, Codec, Credentials, Settings, Transport, file_source::FileSource, gst_source::GstSource,
    mjpeg::MjpegStream, redirect::rtsp_resolved, rtsp::RtspStream,
};

/// Largest access unit taken, in bytes: an intra-coded 8K picture at low compression.
pub(super) const MAX_UNIT_BYTES: usize = 16 << 20;

/// An access unit as it came.
pub(super) struct StreamUnit {
    pub codec: Codec,
    /// Width and height in pixels, once known.
    pub size_px: Option<(u32, u32)>,
    pub data: Bytes,
    /// The camera's own time stamp in seconds, from an arbitrary zero; not to be trusted.
    pub stamp_s: f64,
    /// Decodes by itself, parameter sets included.
    pub key: bool,
    /// RTP packets lost just before it.
    pub lost: u64,
    /// Units just before it that could not be used.
    pub broken: u64,
}

/// An open stream.
pub(super) enum Source {
    Rtsp(Box<RtspStream>),
    Gst(Box<GstSource>),
    Mjpeg(Box<MjpegStream>),
    File(Box<FileSource>),
}

impl Source {
    /// Opens one of a camera's streams. Each step is answered within `settings.answer_timeout`.
    pub(super) async fn open(spec: &CameraSpec, url: &CameraUrl, settings: &Settings) -> Result<Self, CameraError> {
        let (log_in, answer) = (spec.credentials.as_ref(), settings.answer_timeout);
        match url {
            CameraUrl::Rtsp(url) if spec.transport == Transport::Udp => Self::udp(url, log_in, answer).await,
            CameraUrl::Rtsp(url) => match RtspStream::open(url, log_in, answer).await {
                // Unsupported transport: the camera sends by UDP only.
                Err(CameraError::Rtsp { status: Some(461), .. }) if spec.transport == Transport::Auto => {
                    Self::udp(url, log_in, answer).await
                }
                other => Ok(Self::Rtsp(Box::new(other?))),
            },
            CameraUrl::Rtsps(url) => Ok(Self::Gst(Box::new(GstSource::rtsps(url, log_in, &spec.trust, answer)?))),
            CameraUrl::Http(url) => Ok(Self::Mjpeg(Box::new(MjpegStream::open(url, log_in, &spec.trust, answer).await?))),
            CameraUrl::Srt(url) => Ok(Self::Gst(Box::new(GstSource::srt(url, log_in)?))),
            CameraUrl::File(path) => Ok(Self::File(Box::new(FileSource::open(path.clone(), spec.loop_file)))),
        }
    }

    async fn udp(url: &Url, log_in: Option<&Credentials>, answer: Duration) -> Result<Self, CameraError> {
        let trail = rtsp_resolved(url, answer).await?;
        Ok(Self::Gst(Box::new(GstSource::rtsp_udp(trail.here(), trail.log_in(log_in), answer)?)))
    }

    /// The next access unit; `Ok(None)` when none came before the deadline.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<StreamUnit>, CameraError> {
        match self {
            Self::Rtsp(stream) => stream.next(deadline).await,
            Self::Gst(stream) => stream.next(deadline).await,
            Self::Mjpeg(stream) => stream.next(deadline).await,
            Self::File(stream) => stream.next(deadline).await,
        }
    }

    /// How the pictures come.
    pub(super) fn transport(&self) -> &'static str {
        match self {
            Self::Rtsp(_) => "tcp",
            Self::Gst(stream) => stream.transport(),
            Self::Mjpeg(_) => "http",
            Self::File(_) => "file",
        }
    }

    /// How long the first picture may take from now on. `None`: whoever sends has not come yet, and that is no failure of the stream.
    pub(super) fn first_picture(&self, settings: &Settings) -> Option<Duration> {
        match self {
            Self::Rtsp(_) | Self::Mjpeg(_) | Self::File(_) => Some(settings.picture_timeout),
            // Its DESCRIBE, SETUP and PLAY are still to come.
            Self::Gst(stream) => stream.is_caller().then(|| settings.answer_timeout + settings.picture_timeout),
        }
    }
}
