//! Shapes of the TOML text, as serde reads them; unknown keys are errors. What more than one value decides is `read`.

use qorgan_domain::Trilingual;
use serde::Deserialize;
use toml::Spanned;

use super::{
    ConnectorKind, SiteKind, UnitKind,
    camera::CameraKeys,
    cameras::RawCameras,
    dc09::{RawDc09, RawPanel},
    foreign::RawForeign,
    intake::RawIntake,
    supervision::RawSupervision,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) hub: RawHub,
    #[serde(default)]
    pub(super) http: RawHttp,
    #[serde(default)]
    pub(super) mqtt: RawMqtt,
    pub(super) dc09: Option<RawDc09>,
    #[serde(default)]
    pub(super) edge: RawEdge,
    #[serde(default)]
    pub(super) store: RawStore,
    #[serde(default)]
    pub(super) models: RawModels,
    #[serde(default)]
    pub(super) cameras: RawCameras,
    #[serde(default)]
    pub(super) crowd: RawCrowd,
    #[serde(default)]
    pub(super) shift: RawShift,
    #[serde(default)]
    pub(super) response: RawResponse,
    #[serde(default)]
    pub(super) supervision: RawSupervision,
    #[serde(default)]
    pub(super) drills: RawDrills,
    /// GeoJSON with the outlines of the areas, relative to this file.
    pub(super) areas: Spanned<String>,
    /// Requests of residents, relative to this file.
    pub(super) requests: Option<Spanned<String>>,
    /// The joint action plan, relative to this file.
    pub(super) plan: Option<Spanned<String>>,
    /// Blocks and indicators of the tension map, relative to this file; the list that ships with the hub when absent.
    pub(super) catalogue: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) site: Vec<RawSite>,
    #[serde(default)]
    pub(super) unit: Vec<RawUnit>,
    #[serde(default)]
    pub(super) connector: Vec<RawConnector>,
    #[serde(default)]
    pub(super) hazard_source: Vec<RawHazardSource>,
    #[serde(default)]
    pub(super) intake: RawIntake,
    #[serde(default)]
    pub(super) foreign: Vec<RawForeign>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHub {
    pub(super) name: String,
    pub(super) language: Option<Spanned<String>>,
    pub(super) state_dir: String,
    #[serde(default)]
    pub(super) demo_logins: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) tls: Option<RawTls>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) listen: Spanned<String>,
    pub(super) cert: Option<String>,
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) self_signed: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMqtt {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) tls: Option<RawTls>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) user: Option<String>,
    pub(super) password_env: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) ca: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEdge {
    pub(super) site: Option<Spanned<String>>,
    pub(super) mqtt_listen: Option<Spanned<String>>,
    pub(super) tls: Option<RawTls>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) url: Option<Spanned<String>>,
    pub(super) journal: Option<String>,
    pub(super) password_env: Option<String>,
    pub(super) password_file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawModels {
    pub(super) dir: String,
    pub(super) fetched: String,
    pub(super) runtime: String,
    pub(super) detector: String,
    pub(super) density: String,
    pub(super) provider: Spanned<String>,
    pub(super) workers: Spanned<usize>,
    pub(super) staleness_s: u32,
}

impl Default for RawModels {
    fn default() -> Self {
        Self {
            dir: "../models".into(),
            fetched: "../var/models".into(),
            runtime: "../var/lib/libonnxruntime.so.1.31.1".into(),
            detector: "nanodet-g-416-int8".into(),
            density: "csrnet-int8".into(),
            provider: Spanned::new(0..0, "cpu".into()),
            workers: Spanned::new(0..0, 1),
            staleness_s: 7,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCrowd {
    pub(super) open_after_s: Spanned<u32>,
    pub(super) close_after_s: Spanned<u32>,
    pub(super) clear_ratio: Spanned<f32>,
    pub(super) formula: Spanned<String>,
    pub(super) unusual_score: Spanned<f32>,
    pub(super) merge_m: Spanned<f64>,
    pub(super) time_zone: Spanned<String>,
    pub(super) holidays: Vec<Spanned<String>>,
    pub(super) safety_after_s: Spanned<u32>,
    pub(super) merge_min: Spanned<u32>,
    pub(super) silence_s: Spanned<u32>,
    pub(super) max_gap_s: Spanned<u32>,
    pub(super) stale_s: Spanned<u32>,
    pub(super) update_every_s: Spanned<u32>,
    pub(super) min_people: Spanned<u32>,
    pub(super) min_people_public: Spanned<u32>,
    pub(super) memory_min: Spanned<u32>,
    pub(super) memory_needs_min: Spanned<u32>,
    pub(super) nearby_m: Spanned<u32>,
    pub(super) verdict_floor: Spanned<f64>,
}

impl Default for RawCrowd {
    fn default() -> Self {
        Self {
            open_after_s: Spanned::new(0..0, 20),
            close_after_s: Spanned::new(0..0, 60),
            clear_ratio: Spanned::new(0..0, 0.8),
            formula: Spanned::new(0..0, "crowd-v2".into()),
            unusual_score: Spanned::new(0..0, 1.0),
            merge_m: Spanned::new(0..0, 150.0),
            time_zone: Spanned::new(0..0, "Asia/Almaty".into()),
            holidays: Vec::new(),
            safety_after_s: Spanned::new(0..0, 10),
            merge_min: Spanned::new(0..0, 10),
            silence_s: Spanned::new(0..0, 300),
            max_gap_s: Spanned::new(0..0, 150),
            stale_s: Spanned::new(0..0, 120),
            update_every_s: Spanned::new(0..0, 1),
            min_people: Spanned::new(0..0, 5),
            min_people_public: Spanned::new(0..0, 10),
            memory_min: Spanned::new(0..0, 360),
            memory_needs_min: Spanned::new(0..0, 60),
            nearby_m: Spanned::new(0..0, 500),
            verdict_floor: Spanned::new(0..0, qorgan_alerts::verdicts::FLOOR),
        }
    }
}

/// Opening hours of a site.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHours {
    pub(super) days: Vec<Spanned<String>>,
    pub(super) from: Spanned<String>,
    pub(super) until: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawShift {
    pub(super) starts: Spanned<Vec<String>>,
    pub(super) utc_offset: Spanned<String>,
}

impl Default for RawShift {
    fn default() -> Self {
        Self { starts: Spanned::new(0..0, vec!["08:00".into(), "20:00".into()]), utc_offset: Spanned::new(0..0, "+05:00".into()) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawResponse {
    pub(super) remind_after_s: Spanned<u32>,
    pub(super) lead_after_s: Spanned<u32>,
}

impl Default for RawResponse {
    fn default() -> Self {
        Self { remind_after_s: Spanned::new(0..0, 30), lead_after_s: Spanned::new(0..0, 60) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDrills {
    pub(super) every_days: Spanned<u32>,
}

impl Default for RawDrills {
    fn default() -> Self {
        Self { every_days: Spanned::new(0..0, 30) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    pub(super) id: Spanned<String>,
    pub(super) name: Trilingual,
    pub(super) kind: SiteKind,
    pub(super) area: Spanned<String>,
    pub(super) position: Spanned<[f64; 2]>,
    pub(super) interval_s: Option<Spanned<u32>>,
    pub(super) category: Option<Spanned<String>>,
    pub(super) provider: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) bells: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) hours: Vec<RawHours>,
    #[serde(default)]
    pub(super) camera: Vec<Spanned<CameraKeys>>,
    #[serde(default)]
    pub(super) button: Vec<RawButton>,
    #[serde(default)]
    pub(super) panel: Vec<RawPanel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawButton {
    pub(super) id: Spanned<String>,
    pub(super) name: Trilingual,
    pub(super) position: Option<Spanned<[f64; 2]>>,
    pub(super) interval_s: Option<Spanned<u32>>,
    pub(super) category: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUnit {
    pub(super) id: Spanned<String>,
    pub(super) name: Trilingual,
    pub(super) kind: UnitKind,
    #[serde(default)]
    pub(super) territory: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHazardSource {
    pub(super) id: Spanned<String>,
    pub(super) name: Trilingual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConnector {
    pub(super) id: Spanned<String>,
    pub(super) kind: ConnectorKind,
    pub(super) url: Spanned<String>,
    pub(super) secret_env: Option<String>,
    pub(super) secret_file: Option<String>,
    pub(super) ca: Option<String>,
    #[serde(default = "events")]
    pub(super) events: Spanned<Vec<String>>,
}

fn events() -> Spanned<Vec<String>> {
    Spanned::new(0..0, ["alarm", "incident", "hazard"].map(str::to_owned).into())
}
