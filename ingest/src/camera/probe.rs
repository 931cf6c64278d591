//! `qorgan probe URL`: looks at a camera once and says what it gives.

use std::time::Duration;

use qorgan_domain::{CameraFault, I420};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::{
    CameraError, CameraSpec, CameraUrl, Codec, Credentials, Decoder, Settings,
    file::{Reader, Unit as FileUnit},
    session::{Given, Session},
};

/// Key frames after which a probe knows enough.
const ENOUGH_KEY_FRAMES: u32 = 3;

/// What a camera gives. Fields that could not be found out are null.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProbeReport {
    /// The address, without its query.
    pub url: String,
    /// Codec of the video stream.
    pub codec: Option<Codec>,
    /// Width and height in pixels.
    pub size_px: Option<(u32, u32)>,
    /// Frames per second of stream time.
    pub frames_per_s: Option<f64>,
    /// Mean distance of key frames, in seconds of stream time.
    pub key_frame_interval_s: Option<f64>,
    /// From the start of the probe to the first whole key frame, in seconds.
    pub time_to_first_key_frame_s: Option<f64>,
    /// Whether the first key frame decodes.
    pub decodes: Option<bool>,
    /// What went wrong.
    pub fault: Option<ProbeFault>,
    /// The first picture, for whoever masks it before anybody sees it.
    #[serde(skip)]
    pub picture: Option<Picture>,
}

/// A picture that a report does not print.
#[derive(Clone)]
pub struct Picture(pub I420);

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.0.width, self.0.height)
    }
}

/// What went wrong during a probe.
#[derive(Debug, Clone, Serialize)]
pub struct ProbeFault {
    /// The one word for it.
    pub code: CameraFault,
    /// The error and its causes in one line.
    pub detail: String,
}

/// Connects once, looks at the stream for at most `limit`, and reports. Never fails: a fault is in the report.
pub async fn probe(url: &CameraUrl, credentials: Option<&Credentials>, limit: Duration) -> ProbeReport {
    match "probe/camera".parse() {
        Ok(id) => probe_spec(&CameraSpec { credentials: credentials.cloned(), ..CameraSpec::new(id, url.clone()) }, limit).await,
        Err(_) => Look::new(url).report(Err(CameraError::Panic("no id for a probe".into()))),
    }
}

/// The same, with all that is known of a camera: its transport, and what its certificate is checked against. The main stream is looked at.
pub async fn probe_spec(spec: &CameraSpec, limit: Duration) -> ProbeReport {
    let mut look = Look::new(&spec.url);
    let result = match &spec.url {
        CameraUrl::File(path) => {
            let path = path.clone();
            let work = tokio::task::spawn_blocking(move || {
                let result = look.file(&path, limit);
                (look, result)
            });
            match work.await {
                Ok((back, result)) => {
                    look = back;
                    result
                }
                Err(error) => {
                    look = Look::new(&spec.url);
                    Err(CameraError::Panic(error.to_string()))
                }
            }
        }
        _ => look.stream(spec, limit).await,
    };
    look.report(result)
}

struct Look {
    report: ProbeReport,
    start: Instant,
    frames: u32,
    keys: u32,
    first: Option<Duration>,
    last: Duration,
    first_key: Option<Duration>,
    last_key: Duration,
}

impl Look {
    fn new(url: &CameraUrl) -> Self {
        let report = ProbeReport { url: url.to_string(), ..ProbeReport::default() };
        let (first, last) = (None, Duration::ZERO);
        Self { report, start: Instant::now(), frames: 0, keys: 0, first, last, first_key: None, last_key: last }
    }

    async fn stream(&mut self, spec: &CameraSpec, limit: Duration) -> Result<(), CameraError> {
        let settings = Settings { answer_timeout: limit, picture_timeout: limit, key_frame_timeout: limit, ..Settings::default() };
        let mut session = Session::open(spec, &spec.url, &settings).await?;
        let deadline = Instant::now() + limit;
        while self.keys < ENOUGH_KEY_FRAMES {
            let Ok(given) = timeout_at(deadline, session.next()).await else { break };
            // Nobody has come to push.
            let Some(Given { unit, size_px, media_time, .. }) = given? else { break };
            (self.report.codec, self.report.size_px) = (Some(unit.codec), size_px);
            let first_key = unit.key && self.keys == 0;
            self.saw(media_time, unit.key);
            if let (true, Some(size_px)) = (first_key, size_px) {
                let decode = move || Decoder::new().decode_unit(unit.codec, size_px, &unit.data);
                let picture = tokio::task::spawn_blocking(decode).await;
                self.decoded(picture.map_err(|error| CameraError::Panic(error.to_string()))?)?;
            }
        }
        self.silence(limit)
    }

    fn file(&mut self, path: &std::path::Path, limit: Duration) -> Result<(), CameraError> {
        let mut reader = Reader::open(path)?;
        while self.keys < ENOUGH_KEY_FRAMES && self.start.elapsed() < limit {
            let Some(FileUnit { data, pts, key, codec, size_px, .. }) = reader.next_unit()? else { break };
            (self.report.codec, self.report.size_px) = (Some(codec), Some(size_px));
            let first_key = key && self.keys == 0;
            self.saw(pts, key);
            if first_key {
                self.decoded(Decoder::new().decode_unit(codec, size_px, &data))?;
            }
        }
        self.silence(limit)
    }

    fn saw(&mut self, at: Duration, key: bool) {
        self.frames += 1;
        self.first.get_or_insert(at);
        self.last = self.last.max(at);
        if key {
            self.keys += 1;
            self.first_key.get_or_insert(at);
            self.last_key = at;
            self.report.time_to_first_key_frame_s.get_or_insert(self.start.elapsed().as_secs_f64());
        }
    }

    fn decoded(&mut self, result: Result<I420, super::DecodeError>) -> Result<(), CameraError> {
        self.report.decodes = Some(result.is_ok());
        self.report.picture = Some(Picture(result?));
        Ok(())
    }

    fn silence(&self, limit: Duration) -> Result<(), CameraError> {
        match (self.frames, self.keys) {
            (0, _) => Err(CameraError::Stalled { what: "picture", after: limit }),
            (_, 0) => Err(CameraError::NoKeyFrame { after: limit }),
            _ => Ok(()),
        }
    }

    fn report(mut self, result: Result<(), CameraError>) -> ProbeReport {
        let rate = |count: u32, first: Option<Duration>, last: Duration| {
            let span = last.saturating_sub(first?).as_secs_f64();
            (count > 1 && span > 0.0).then(|| f64::from(count - 1) / span)
        };
        self.report.frames_per_s = rate(self.frames, self.first, self.last);
        self.report.key_frame_interval_s = rate(self.keys, self.first_key, self.last_key).map(|per_s| 1.0 / per_s);
        self.report.fault = result.err().map(|error| ProbeFault { code: error.fault(), detail: error.one_line() });
        self.report
    }
}
