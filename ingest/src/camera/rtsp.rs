//! One RTSP session: from an address to access units, in a straight line. Retries belong to the supervisor.
//!
//! TCP only: `retina` has no reorder buffer for UDP. Annex B with parameter sets in front of each key frame,
//! so that each one decodes by itself. Sequence numbers and time stamps announced by PLAY are not trusted:
//! real cameras announce wrong ones.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use retina::{
    client::{
        Demuxed, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session, SessionOptions, SetupOptions,
        TcpTransportOptions, Transport,
    },
    codec::{CodecItem, FrameFormat, ParametersRef},
};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::{CameraError, Codec, Credentials, annexb};

/// Largest access unit taken, in bytes: an intra-coded 8K picture at low compression.
pub(super) const MAX_UNIT_BYTES: usize = 16 << 20;

/// An access unit as it came.
pub(super) struct Unit {
    pub data: Bytes,
    /// The stream's own time, from an arbitrary zero.
    pub media_time: Duration,
    /// Decodes by itself, parameter sets included.
    pub key: bool,
}

/// A playing session.
pub(super) struct RtspStream {
    demuxed: Demuxed,
    index: usize,
    /// How the stream is encoded.
    pub codec: Codec,
}

impl RtspStream {
    /// DESCRIBE, SETUP, PLAY; each answered within `answer`.
    pub(super) async fn open(url: &Url, credentials: Option<&Credentials>, answer: Duration) -> Result<Self, CameraError> {
        let creds = credentials.map(|c| retina::client::Credentials { username: c.user.clone(), password: c.password.clone() });
        let options = SessionOptions::default().creds(creds).user_agent(concat!("qorgan/", env!("CARGO_PKG_VERSION")).into());
        let mut session = step("DESCRIBE", answer, Session::describe(url.clone(), options)).await?;
        let (index, codec) = choose(&session)?;
        let setup = SetupOptions::default().transport(Transport::Tcp(TcpTransportOptions::default())).frame_format(FrameFormat::SIMPLE);
        step("SETUP", answer, session.setup(index, setup)).await?;
        let play =
            PlayOptions::default().initial_seq(InitialSequenceNumberPolicy::Ignore).initial_timestamp(InitialTimestampPolicy::Permissive);
        let session = step("PLAY", answer, session.play(play)).await?;
        let demuxed = session.demuxed().map_err(|error| CameraError::rtsp("PLAY", &error))?;
        Ok(Self { demuxed, index, codec })
    }

    /// The next access unit; `Ok(None)` when none came before the deadline.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<Unit>, CameraError> {
        loop {
            let Ok(item) = timeout_at(deadline, self.demuxed.next()).await else { return Ok(None) };
            let item = item.ok_or(CameraError::Ended)?;
            let item = item.map_err(|error| CameraError::rtsp("the stream", &error))?;
            let CodecItem::VideoFrame(frame) = item else { continue };
            let stamp = frame.timestamp();
            let seconds = stamp.timestamp() as f64 / f64::from(stamp.clock_rate().get());
            let random_access = frame.is_random_access_point();
            let data = frame.into_data();
            if data.len() > MAX_UNIT_BYTES {
                return Err(CameraError::TooLarge { bytes: data.len(), limit: MAX_UNIT_BYTES });
            }
            // A key frame whose parameter sets never came would only make the decoder err.
            let key = random_access && annexb::has_parameter_sets(self.codec, &data);
            let media_time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            return Ok(Some(Unit { data: data.into(), media_time, key }));
        }
    }

    /// Width and height in pixels, once parameter sets are known.
    pub(super) fn size_px(&self) -> Option<(u32, u32)> {
        match self.demuxed.streams().get(self.index)?.parameters()? {
            ParametersRef::Video(video) => Some(video.pixel_dimensions()),
            _ => None,
        }
    }
}

async fn step<T>(name: &'static str, answer: Duration, work: impl Future<Output = Result<T, retina::Error>>) -> Result<T, CameraError> {
    match timeout(answer, work).await {
        Ok(result) => result.map_err(|error| CameraError::rtsp(name, &error)),
        Err(_) => Err(CameraError::Timeout { step: name, after: answer }),
    }
}

/// The first H.264 or H.265 video stream.
fn choose(session: &Session<retina::client::Described>) -> Result<(usize, Codec), CameraError> {
    let streams = session.streams();
    for (index, stream) in streams.iter().enumerate().filter(|(_, stream)| stream.media() == "video") {
        match stream.encoding_name() {
            "h264" => return Ok((index, Codec::H264)),
            "h265" => return Ok((index, Codec::H265)),
            _ => {}
        }
    }
    let video: Vec<&str> = streams.iter().filter(|s| s.media() == "video").map(|s| s.encoding_name()).collect();
    if !video.is_empty() {
        return Err(CameraError::Codec { offered: video.join(", ") });
    }
    let other: Vec<&str> = streams.iter().map(|stream| stream.media()).collect();
    Err(CameraError::NoVideo { offered: if other.is_empty() { "an empty description".into() } else { other.join(", ") } })
}
