//! The keys of a camera as TOML and JSON write them. Unknown ones are errors; what a value must be, `judge` says.

use qorgan_domain::Trilingual;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::view::Names;

/// Keys of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CameraKeys {
    /// Id within its site.
    pub id: String,
    /// Name in three languages.
    #[schema(value_type = Names)]
    pub name: Trilingual,
    /// `camera` (default) or `badge`: body-worn, pushes by SRT, says where it is over MQTT.
    #[serde(default)]
    pub kind: CameraKind,
    /// Address of the main stream: `rtsp://`, `rtsps://`, `http(s)://` (MJPEG), `srt://` or a file; none for a camera that counts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Address of the sub stream. The hub takes the cheaper one that is good enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// `auto` (default: TCP first), `tcp` or `udp`; RTSP only.
    #[serde(default)]
    pub transport: Transport,
    /// Certificate authority of an rtsps:// or https:// camera, PEM file; the system's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<String>,
    /// Believe any certificate of this camera. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_insecure: bool,
    /// Unit that wears a badge: its position is the badge's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// `[latitude, longitude]`; the site's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<[f64; 2]>,
    /// People above which a watch is raised; in public space at least 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f32>,
    /// User at the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variable with its password (file only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// File with its password (file only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// Longest time between two looks, in seconds, 1 to 3600; `models.staleness_s` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness_s: Option<u32>,
    /// It publishes its own counts over MQTT and is never analysed here. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_itself: bool,
    /// Keep pictures from before an alarm to after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<ClipKeys>,
    /// Its ONVIF service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onvif: Option<OnvifKeys>,
    /// What a metre is in its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationKeys>,
    /// Parts of the picture in which people are counted on their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zone: Vec<ZoneKeys>,
    /// Lines at which people are counted in both directions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<LineKeys>,
    /// Parts of the picture that nobody may see: burned in before anything else looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<MaskKeys>,
}

/// What a camera is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// Stands somewhere.
    #[default]
    Camera,
    /// Worn by an officer.
    Badge,
}

/// How RTP travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP; UDP where the camera refuses it.
    #[default]
    Auto,
    /// Inside the RTSP connection.
    Tcp,
    /// In datagrams of its own.
    Udp,
}

/// `clip`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClipKeys {
    /// Seconds before the alarm, 0 to 60. Default: 10.
    pub before_s: u32,
    /// Seconds after it, 1 to 300. Default: 30.
    pub after_s: u32,
    /// Deleted after so many days, 1 to 30. Default: 14.
    pub keep_days: u32,
}

impl Default for ClipKeys {
    fn default() -> Self {
        Self { before_s: 10, after_s: 30, keep_days: 14 }
    }
}

/// `onvif`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnvifKeys {
    /// Host, host:port, or the whole address of the device service.
    pub address: String,
    /// User there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variable with its password (file only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// File with its password (file only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// Which of the device's recordings is of this camera: its token, or the name of its source. Needed where several cameras share a
    /// recorder; a camera that records by itself needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
}

/// `calibration`: either four points on the ground, or heights of people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrationKeys {
    /// Four points on the ground, going round, in fractions of the picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f32; 2]>,
    /// Where they are on the ground, in metres from any origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metres: Vec<[f32; 2]>,
    /// Instead of `metres`: the four sides, from the first point to the second and so on, in metres.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sides_m: Vec<f32>,
    /// With `sides_m`: from the first point to the third. Without it the four must be a rectangle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagonal_m: Option<f32>,
    /// People, or poles, of known height at two places or more, near and far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heights: Vec<HeightKeys>,
    /// With `heights`: horizontal field of view of the lens, in degrees, 5 to 170. Default: 90.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_deg: Option<f32>,
}

/// Somebody who stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeightKeys {
    /// Where the feet are, in fractions of the picture.
    pub foot: [f32; 2],
    /// Where the top of the head is.
    pub head: [f32; 2],
    /// Height, in metres. Default: 1.7.
    #[serde(default = "average_height")]
    pub height_m: f32,
}

fn average_height() -> f32 {
    1.7
}

/// `[[site.camera.zone]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneKeys {
    /// Id within the camera.
    pub id: String,
    /// Name in three languages.
    #[schema(value_type = Names)]
    pub name: Trilingual,
    /// Three corners or more, in fractions of the picture.
    pub polygon: Vec<[f32; 2]>,
    /// Density that must not be exceeded, people per m2, 0.1 to 10. Needs a calibration. It is also the zone's safety limit, from which an
    /// alert is a warning: there it is taken between 3.6 and 5.5 (Fruin's contact level). Default: 4.7 (Green Guide, 6th edition).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_people_per_m2: Option<f32>,
    /// People the place is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// `[[site.camera.line]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineKeys {
    /// Id within the camera.
    pub id: String,
    /// Name in three languages.
    #[schema(value_type = Names)]
    pub name: Trilingual,
    /// Two points, in fractions of the picture; forward is from the left of it to the right.
    pub points: Vec<[f32; 2]>,
    /// Width of the way there, in metres, 0.5 to 200: what the flow of people is measured by. Without it the flow is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_m: Option<f32>,
}

/// `[[site.camera.mask]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskKeys {
    /// Three corners or more, in fractions of the picture.
    pub polygon: Vec<[f32; 2]>,
}
