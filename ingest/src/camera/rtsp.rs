//! One RTSP session over TCP: from an address to access units, in a straight line. Retries belong to the supervisor.
//!
//! TCP only: `retina` has no reorder buffer for UDP, so `gst_source` takes what comes that way. Annex B with parameter sets in front
//! of each key frame, so that each one decodes by itself. Sequence numbers and time stamps announced by PLAY are not trusted:
//! real cameras announce wrong ones.

use std::time::Duration;

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

use super::{
    CameraError, Codec, Credentials, annexb,
    redirect::{Trail, rtsp_location},
    source::{MAX_UNIT_BYTES, StreamUnit},
};

/// A playing session.
pub(super) struct RtspStream {
    demuxed: Demuxed,
    index: usize,
    codec: Codec,
}

impl RtspStream {
    /// DESCRIBE, SETUP, PLAY; each answered within `answer`. Redirects are followed.
    pub(super) async fn open(url: &Url, credentials: Option<&Credentials>, answer: Duration) -> Result<Self, CameraError> {
        let mut trail = Trail::new(url);
        let session = loop {
            match describe(trail.here(), trail.log_in(credentials), answer).await {
                Err(CameraError::Rtsp { status: Some(300..400), .. }) => {
                    let location = rtsp_location(trail.here(), answer).await?;
                    trail.follow(&location)?;
                }
                other => break other?,
            }
        };
        Self::play(session, answer).await
    }

    /// The same, but only here: a redirect is an error.
    pub(super) async fn open_here(url: &Url, credentials: Option<&Credentials>, answer: Duration) -> Result<Self, CameraError> {
        Self::play(describe(url, credentials, answer).await?, answer).await
    }

    async fn play(mut session: Session<retina::client::Described>, answer: Duration) -> Result<Self, CameraError> {
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
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<StreamUnit>, CameraError> {
        loop {
            let Ok(item) = timeout_at(deadline, self.demuxed.next()).await else { return Ok(None) };
            let item = item.ok_or(CameraError::Ended)?;
            let item = item.map_err(|error| CameraError::rtsp("the stream", &error))?;
            let CodecItem::VideoFrame(frame) = item else { continue };
            let stamp = frame.timestamp();
            let stamp_s = stamp.timestamp() as f64 / f64::from(stamp.clock_rate().get());
            let (random_access, lost) = (frame.is_random_access_point(), u64::from(frame.loss()));
            let data = frame.into_data();
            let open_group = if random_access { None } else { self.open_group(&data) };
            let (random_access, data) = open_group.map_or((random_access, data), |whole| (true, whole));
            if data.len() > MAX_UNIT_BYTES {
                return Err(CameraError::TooLarge { bytes: data.len(), limit: MAX_UNIT_BYTES });
            }
            // A key frame whose parameter sets never came would only make the decoder err.
            let key = random_access && annexb::has_parameter_sets(self.codec, &data);
            return Ok(Some(StreamUnit { codec: self.codec, size_px: self.size_px(), data: data.into(), stamp_s, key, lost, broken: 0 }));
        }
    }

    /// A key frame of H.265 that is no IDR, with its parameter sets: `retina` knows only IDR as a key frame and strips them off others,
    /// and cameras with open groups of pictures send one IDR at the start and never again.
    fn open_group(&self, data: &[u8]) -> Option<Vec<u8>> {
        if self.codec != Codec::H265 || !annexb::is_irap(data) {
            return None;
        }
        let ParametersRef::Video(video) = self.demuxed.streams().get(self.index)?.parameters()? else { return None };
        // Annex B, as the frames are.
        Some([video.extra_data(), data].concat())
    }

    /// Width and height in pixels, once parameter sets are known.
    fn size_px(&self) -> Option<(u32, u32)> {
        match self.demuxed.streams().get(self.index)?.parameters()? {
            ParametersRef::Video(video) => Some(video.pixel_dimensions()),
            _ => None,
        }
    }
}

async fn describe(
    url: &Url,
    credentials: Option<&Credentials>,
    answer: Duration,
) -> Result<Session<retina::client::Described>, CameraError> {
    let creds = credentials.map(|c| retina::client::Credentials { username: c.user.clone(), password: c.password.clone() });
    let options = SessionOptions::default().creds(creds).user_agent(concat!("qorgan/", env!("CARGO_PKG_VERSION")).into());
    step("DESCRIBE", answer, Session::describe(url.clone(), options)).await
}

async fn step<T>(name: &'static str, answer: Duration, work: impl Future<Output = Result<T, retina::Error>>) -> Result<T, CameraError> {
    match timeout(answer, work).await {
        Ok(result) => result.map_err(|error| CameraError::rtsp(name, &error)),
        Err(_) => Err(CameraError::Timeout { step: name, after: answer }),
    }
}

/// The first video stream in a codec that the hub decodes.
fn choose(session: &Session<retina::client::Described>) -> Result<(usize, Codec), CameraError> {
    let streams = session.streams();
    for (index, stream) in streams.iter().enumerate().filter(|(_, stream)| stream.media() == "video") {
        match stream.encoding_name() {
            "h264" => return Ok((index, Codec::H264)),
            "h265" => return Ok((index, Codec::H265)),
            "jpeg" => return Ok((index, Codec::Mjpeg)),
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
