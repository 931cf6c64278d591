//! What is known of a camera before it is reached, and how patient the hub is with it.

use std::{path::PathBuf, time::Duration};

use qorgan_domain::DeviceRef;
use serde::{Deserialize, Serialize};

use super::{CameraUrl, Credentials};

/// How RTP travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Inside the RTSP connection; as UDP when the camera refuses that (status 461).
    #[default]
    Auto,
    /// Inside the RTSP connection only. Costs no thread.
    Tcp,
    /// As UDP with a reorder buffer: GStreamer's `rtspsrc`, about seven threads a camera.
    Udp,
}

/// What a camera's certificate is checked against (RTSPS and HTTPS).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// The certificate authorities of the operating system.
    #[default]
    System,
    /// A PEM file with the authority, or with the self-signed certificate of the camera itself. Nothing else is trusted.
    Ca(PathBuf),
    /// Nothing is checked: whoever sits between hub and camera can read and replace the pictures. `tls_insecure` in the configuration.
    Insecure,
}

/// A camera to watch.
///
/// ```
/// use qorgan_ingest::camera::CameraSpec;
/// let spec = CameraSpec::new("school-17/yard".parse()?, "rtsp://10.0.0.7/main".parse()?)
///     .with_sub("rtsp://10.0.0.7/sub".parse()?)
///     .with_wanted_px(640);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraSpec {
    /// Its id.
    pub id: DeviceRef,
    /// Where its main stream is.
    pub url: CameraUrl,
    /// Where a smaller stream of the same picture is. Analysed instead of the main one as long as it works and is large enough.
    pub sub: Option<CameraUrl>,
    /// How RTP travels; for RTSP only (RTSPS always uses its own connection).
    pub transport: Transport,
    /// What its certificate is checked against.
    pub trust: Trust,
    /// What opens it.
    pub credentials: Option<Credentials>,
    /// Whether a file starts again at its end; without it, the camera goes offline as `ended`. For files only.
    pub loop_file: bool,
    /// What analysis needs of the picture's longer side, in pixels. A sub stream that gives less is not used.
    pub wanted_px: u32,
}

/// The detector's longer side is 416 px; half as much again leaves room for zones.
const WANTED_PX: u32 = 640;

impl CameraSpec {
    /// A camera with its main stream only, without credentials; a file is looped.
    pub fn new(id: DeviceRef, url: CameraUrl) -> Self {
        let (transport, trust) = (Transport::default(), Trust::default());
        Self { id, url, sub: None, transport, trust, credentials: None, loop_file: true, wanted_px: WANTED_PX }
    }

    /// With a smaller stream.
    #[must_use]
    pub fn with_sub(self, url: CameraUrl) -> Self {
        Self { sub: Some(url), ..self }
    }

    /// With another way for RTP to travel.
    #[must_use]
    pub fn with_transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// With other certificates.
    #[must_use]
    pub fn with_trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// With a log-in.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// With another need of pixels.
    #[must_use]
    pub fn with_wanted_px(self, wanted_px: u32) -> Self {
        Self { wanted_px, ..self }
    }
}

/// Patience of the supervisor.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For the answer to each of DESCRIBE, SETUP and PLAY, connecting included. For SRT: how long nobody may connect before that is told.
    pub answer_timeout: Duration,
    /// Longest time without any picture.
    pub picture_timeout: Duration,
    /// Longest time without a key frame; must exceed the camera's key frame interval.
    pub key_frame_timeout: Duration,
    /// Bound of the first wait after a failure.
    pub first_retry: Duration,
    /// Bound that it grows to.
    pub longest_retry: Duration,
    /// How long a camera must have been live for its failures to be forgotten.
    pub proven_after: Duration,
    /// The cameras start spread over this time.
    pub start_spread: Duration,
    /// How many bytes of the main stream are kept, from its newest key frame on, while nobody taps it, so that a viewer starts at once.
    /// Zero keeps nothing; what is over the bound is dropped until the next key frame.
    pub look_back_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            answer_timeout: Duration::from_secs(10),
            picture_timeout: Duration::from_secs(10),
            key_frame_timeout: Duration::from_secs(15),
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(60),
            proven_after: Duration::from_secs(30),
            start_spread: Duration::from_secs(2),
            look_back_bytes: 256 << 10,
        }
    }
}
