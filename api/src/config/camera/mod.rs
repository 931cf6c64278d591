//! A camera as the hub takes it, once its keys ([`CameraKeys`]) were judged ([`judge`]).
//!
//! The same keys stand in `[[site.camera]]` of the configuration file and in the API that adds cameras at run time; the same judge
//! reads both. Polygons are in fractions of the picture: 0 to 1, x to the right, y down.

mod judge;
mod keys;
mod scene;

use std::path::PathBuf;

use qorgan_domain::{DeviceId, DeviceRef, GeoPoint, Trilingual, UnitId};

use super::SecretSource;

#[cfg(feature = "edge")]
pub(crate) use judge::service_address;
pub use judge::{Around, Complaint, Kept, Secrets, judge};
pub use keys::{CalibrationKeys, CameraKeys, CameraKind, ClipKeys, HeightKeys, LineKeys, MaskKeys, OnvifKeys, Transport, ZoneKeys};
pub use scene::{Calibration, Height, Line, Point, Polygon, Scene, Zone};

/// `[[site.camera]]`, or a camera that was added at run time.
#[derive(Debug, Clone)]
pub struct Camera {
    /// Site and device.
    pub id: DeviceRef,
    /// Name in three languages.
    pub name: Trilingual,
    /// What it is.
    pub kind: CameraKind,
    /// Unit that wears it, if it is a badge.
    pub unit: Option<UnitId>,
    /// Where.
    pub position: GeoPoint,
    /// Address of the main stream; none for a camera that counts by itself and publishes over MQTT.
    pub url: Option<String>,
    /// Address of the sub stream, if it is known.
    pub sub: Option<String>,
    /// How RTP travels.
    pub transport: Transport,
    /// Certificate authority of a camera that speaks TLS, PEM; the system's when none.
    pub tls_ca: Option<PathBuf>,
    /// Believe any certificate of it.
    pub tls_insecure: bool,
    /// Log-in at the camera. The user is empty for an SRT passphrase.
    pub login: Option<(String, SecretSource)>,
    /// People above which a `watch` is raised; in public space at least 20.
    pub limit: Option<f32>,
    /// Longest time between two looks at it, in seconds; none: that of `[models]`.
    pub staleness_s: Option<u32>,
    /// It publishes its counts over MQTT and is never analysed here.
    pub counts_itself: bool,
    /// What is where in its picture.
    pub scene: Scene,
    /// Keep its pictures from before an alarm to after it; none: never.
    pub clip: Option<Clip>,
    /// How its ONVIF service is reached.
    pub onvif: Option<Onvif>,
    /// Where it was configured.
    pub origin: Origin,
    /// The keys it was read from.
    pub keys: Box<CameraKeys>,
}

/// Where a camera was configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// In the configuration file: changed there, not at run time.
    File,
    /// At run time, by an administrator.
    RunTime,
}

/// `clip = { before_s, after_s, keep_days }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clip {
    /// Seconds before the alarm.
    pub before_s: u32,
    /// Seconds after it.
    pub after_s: u32,
    /// Deleted after so many days.
    pub keep_days: u32,
}

/// `onvif = { address, user, password_env | password_file, recording }`
#[derive(Debug, Clone)]
pub struct Onvif {
    /// Device service: `http://host[:port]/onvif/device_service`.
    pub address: url::Url,
    /// Log-in there.
    pub login: Option<(String, SecretSource)>,
    /// Token of this camera's recording, or the name of its source.
    pub recording: Option<String>,
}

impl Camera {
    /// Whether this hub takes pictures from it and counts.
    pub fn is_counted_here(&self) -> bool {
        self.url.is_some() && !self.counts_itself
    }

    /// A zone of it.
    pub fn zone(&self, id: &DeviceId) -> Option<&Zone> {
        self.scene.zones.iter().find(|zone| zone.id == *id)
    }

    /// A line of it.
    pub fn line(&self, id: &DeviceId) -> Option<&Line> {
        self.scene.lines.iter().find(|line| line.id == *id)
    }
}
