//! Configuration in TOML: what exists (sites, cameras, buttons, units, limits) and how the hub runs.
//!
//! Unknown keys, duplicate ids, bad addresses and places outside the areas are errors with file, line
//! and, where one is near, the key that was meant. Secrets never stand here: they come from the
//! environment or from files. `qorgan check-config FILE` prints what is wrong.

mod camera;
mod cameras;
mod crowd;
mod dc09;
mod foreign;
mod intake;
mod raw;
mod read;
mod secret;
mod supervision;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use qorgan_alerts::usual::calendar::Hours;
use qorgan_domain::{AreaCode, DeviceId, DeviceRef, GeoPoint, SiteId, Trilingual, UnitId};

#[cfg(feature = "edge")]
pub(crate) use camera::service_address;
pub use camera::{
    Around, Calibration, CalibrationKeys, Camera, CameraKeys, CameraKind, Clip, ClipKeys, Complaint, Height, HeightKeys, Kept, Line,
    LineKeys, MaskKeys, Onvif, OnvifKeys, Origin, Point, Polygon, Scene, Secrets, Transport, Zone, ZoneKeys, judge as judge_camera,
};
pub use cameras::CameraLimits;
pub use crowd::Crowd;
pub use dc09::{Dc09, Panel};
pub use intake::{Feed, FeedFrom, Intake, Machine};
pub use read::{ConfigError, Problem};
pub use secret::{SecretError, SecretSource};
pub use supervision::Supervision;

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of the file; relative paths in it start there.
    pub base: PathBuf,
    /// The hub itself.
    pub hub: Hub,
    /// The HTTP doors.
    pub http: Http,
    /// The MQTT door or broker.
    pub mqtt: Mqtt,
    /// The door of alarm panels; none when it is off.
    pub dc09: Option<Dc09>,
    /// What an edge box does besides counting.
    pub edge: Edge,
    /// Where alerts, counts and accounts are kept.
    pub store: StoreConfig,
    /// Which models run.
    pub models: Models,
    /// What every camera must reach.
    pub cameras: CameraLimits,
    /// Defaults of crowd alerts.
    pub crowd: Crowd,
    /// When shifts begin.
    pub shift: Shift,
    /// When unclaimed alarms call louder.
    pub response: Response,
    /// When silence is a trouble.
    pub supervision: Supervision,
    /// How often a drill is due, and what its certificate shows.
    pub drills: Drills,
    /// Outlines of the areas, as GeoJSON text.
    pub areas: crate::areas::Areas,
    /// Blocks and indicators of the tension map.
    pub catalogue: std::sync::Arc<qorgan_domain::Catalogue>,
    /// Sites with their devices.
    pub sites: Vec<Site>,
    /// Units that can be sent.
    pub units: Vec<Unit>,
    /// Systems that are told of alerts.
    pub connectors: Vec<std::sync::Arc<Connector>>,
    /// Outside systems that may report dangers.
    pub hazard_sources: Vec<HazardSource>,
    /// Requests of residents: services, categories, deadlines; built in when the file names none.
    pub requests: crate::requests::Settings,
    /// The joint action plan; blocks are built in when the file names none.
    pub plan: crate::plan::PlanFile,
    /// How values of indicators come in.
    pub intake: Intake,
    /// Counts of other systems.
    pub foreign: Vec<qorgan_ingest::mqtt::foreign::Source>,
}

/// `[hub]`
#[derive(Debug, Clone)]
pub struct Hub {
    /// Name shown on the pages.
    pub name: String,
    /// Language of a page whose user has not chosen one: `kk`, `ru` or `en`.
    pub language: String,
    /// Where the hub keeps its databases, generated secrets and certificates.
    pub state_dir: PathBuf,
    /// Make one log-in for each role at the first start and print them. For demonstrations only.
    pub demo_logins: bool,
}

/// `[http]`
#[derive(Debug, Clone)]
pub struct Http {
    /// Address without TLS; loopback only.
    pub listen: Option<SocketAddr>,
    /// Address with TLS; may be any.
    pub tls: Option<TlsListener>,
}

/// A listener with TLS.
#[derive(Debug, Clone)]
pub struct TlsListener {
    /// Address.
    pub listen: SocketAddr,
    /// Where the certificate comes from.
    pub certificate: Certificate,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// PEM files.
    Files {
        /// Certificate chain.
        cert: PathBuf,
        /// Private key.
        key: PathBuf,
    },
    /// Made at first start and kept in the state directory. For demonstrations only.
    SelfSigned,
}

/// `[mqtt]`
#[derive(Debug, Clone)]
pub enum Mqtt {
    /// The hub's own broker.
    Embedded {
        /// Address without TLS; loopback only.
        listen: Option<SocketAddr>,
        /// Address with TLS.
        tls: Option<TlsListener>,
    },
    /// Somebody else's broker.
    External {
        /// `mqtt://host:1883` or `mqtts://host:8883`.
        url: url::Url,
        /// User name of the hub there.
        user: String,
        /// Its password.
        password: SecretSource,
        /// Certificate authority of the broker, PEM.
        ca: Option<PathBuf>,
    },
}

/// `[edge]`: only `qorgan edge` reads it.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The site the box speaks for; when absent, the only one with cameras of its own, or the only one.
    pub site: Option<SiteId>,
    /// Its own alarm door without TLS; loopback only. None when absent.
    pub listen: Option<SocketAddr>,
    /// Its own alarm door with TLS; may be any address. None when absent.
    pub tls: Option<TlsListener>,
}

/// `[store]`
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `sqlite:FILE` or `postgres://user@host/database`.
    pub url: String,
    /// Alarm journal: an SQLite file of its own, whatever the store is.
    pub journal: PathBuf,
    /// Password of a PostgreSQL store.
    pub password: Option<SecretSource>,
}

/// `[models]`
#[derive(Debug, Clone)]
pub struct Models {
    /// Directory of the manifests.
    pub dir: PathBuf,
    /// Directory of what set-up fetched.
    pub fetched: PathBuf,
    /// ONNX Runtime library.
    pub runtime: PathBuf,
    /// Manifest name of the detector.
    pub detector: String,
    /// Manifest name of the density map; none when it is off.
    pub density: Option<String>,
    /// What runs the models: `cpu`, or an execution provider that the library offers, such as `cuda` or `openvino`.
    pub provider: String,
    /// Worker threads, each with its own session.
    pub workers: usize,
    /// Longest time between two analysed frames of a camera that sends them, in seconds.
    pub staleness_s: u32,
}

/// `[shift]`
#[derive(Debug, Clone)]
pub struct Shift {
    /// When shifts begin, in minutes after local midnight, sorted.
    pub starts_min: Vec<u32>,
    /// Local time minus UTC, in minutes.
    pub utc_offset_min: i32,
}

/// `[response]`
#[derive(Debug, Clone)]
pub struct Response {
    /// An unclaimed alarm reminds both desks after this, in seconds.
    pub remind_after_s: u32,
    /// And calls the shift lead after this, in seconds.
    pub lead_after_s: u32,
}

/// `[drills]`
#[derive(Debug, Clone)]
pub struct Drills {
    /// Every connected institution passes a drill at least every so many days; 30 when not given.
    pub every_days: u32,
}

/// `[[site]]`
#[derive(Debug, Clone)]
pub struct Site {
    /// Id.
    pub id: SiteId,
    /// Name in three languages.
    pub name: Trilingual,
    /// School or public place.
    pub kind: SiteKind,
    /// District by KATO code.
    pub area: AreaCode,
    /// Where.
    pub position: GeoPoint,
    /// Longest silence of its buttons that state none, in seconds.
    pub interval_s: Option<u32>,
    /// Network or alarm provider that connects it; the silence of several of its sites is one trouble.
    pub provider: Option<String>,
    /// Bells of working days, in minutes of the day: many people move about then, and it is no surprise. None by default.
    pub bells: Vec<u16>,
    /// Opening hours; without any the site is always open.
    pub hours: Vec<Hours>,
    /// Cameras.
    pub cameras: Vec<Camera>,
    /// Alarm buttons.
    pub buttons: Vec<Button>,
    /// Alarm panels.
    pub panels: Vec<Panel>,
}

/// What kind of place a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// A school or kindergarten.
    School,
    /// A street, square, station, park.
    PublicPlace,
}

/// `[[site.button]]`
#[derive(Debug, Clone)]
pub struct Button {
    /// Site and device.
    pub id: DeviceRef,
    /// Name in three languages.
    pub name: Trilingual,
    /// Where, if not at the site's own position.
    pub position: Option<GeoPoint>,
    /// Longest silence, in seconds; none: that of its site or of `[supervision]`, if there is one.
    pub interval_s: Option<u32>,
}

/// `[[unit]]`
#[derive(Debug, Clone)]
pub struct Unit {
    /// Id.
    pub id: UnitId,
    /// Name in three languages.
    pub name: Trilingual,
    /// What it is.
    pub kind: UnitKind,
    /// Areas it is responsible for, by KATO code; empty when none.
    pub territory: Vec<AreaCode>,
}

/// `[[hazard_source]]`
#[derive(Debug, Clone)]
pub struct HazardSource {
    /// Id; its MQTT user is `hazard/{id}`.
    pub id: DeviceId,
    /// Name in three languages.
    pub name: Trilingual,
}

/// `[[connector]]`
#[derive(Debug, Clone)]
pub struct Connector {
    /// Id.
    pub id: String,
    /// What is sent.
    pub kind: ConnectorKind,
    /// Where to: HTTPS, or HTTP on loopback.
    pub url: url::Url,
    /// Signs what is sent and checks what comes back. A CAP receiver may do without; then nothing can come back.
    pub secret: Option<SecretSource>,
    /// Certificates to trust besides the system's, PEM.
    pub ca: Option<PathBuf>,
    /// Kinds of alerts: `alarm`, `incident`, `hazard`, `crowd`. A crowd alert leaves only after a named person's act, whatever stands here.
    pub events: Vec<String>,
}

/// What a connector sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// JSON with a signature.
    Webhook,
    /// CAP 1.2.
    Cap,
}

/// What kind of unit can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// Police patrol.
    Patrol,
    /// Ambulance.
    Ambulance,
    /// City service.
    CityService,
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        read::load(path)
    }

    /// Every camera of every site.
    pub fn cameras(&self) -> impl Iterator<Item = (&Site, &Camera)> {
        self.sites.iter().flat_map(|site| site.cameras.iter().map(move |camera| (site, camera)))
    }

    /// Every button of every site.
    pub fn buttons(&self) -> impl Iterator<Item = (&Site, &Button)> {
        self.sites.iter().flat_map(|site| site.buttons.iter().map(move |button| (site, button)))
    }

    /// Every alarm panel of every site.
    pub fn panels(&self) -> impl Iterator<Item = (&Site, &Panel)> {
        self.sites.iter().flat_map(|site| site.panels.iter().map(move |panel| (site, panel)))
    }

    /// Every device: what may speak over MQTT. A panel usually does not, but a box beside it may report its health.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceRef> {
        self.cameras().map(|(_, c)| &c.id).chain(self.buttons().map(|(_, b)| &b.id)).chain(self.panels().map(|(_, p)| &p.id))
    }

    /// MQTT users of what is no device: units and outside systems.
    pub fn field_users(&self) -> impl Iterator<Item = String> {
        let units = self.units.iter().map(|unit| format!("unit/{}", unit.id));
        let hazards = self.hazard_sources.iter().map(|source| format!("hazard/{}", source.id));
        let sources = self.intake.machines.iter().map(|machine| format!("source/{}", machine.name));
        units.chain(hazards).chain(sources).chain(self.foreign.iter().map(|source| format!("foreign/{}", source.user)))
    }
}

impl Config {
    /// Keeps state elsewhere: everything that lay in the state directory moves with it.
    pub fn move_state(&mut self, dir: &Path) {
        let old = std::mem::replace(&mut self.hub.state_dir, dir.to_path_buf());
        if let Ok(rest) = self.store.journal.strip_prefix(&old) {
            self.store.journal = dir.join(rest);
        }
        if let Some(rest) = self.store.url.strip_prefix("sqlite:").and_then(|file| Path::new(file).strip_prefix(&old).ok()) {
            self.store.url = format!("sqlite:{}", dir.join(rest).display());
        }
    }
}

impl StoreConfig {
    /// The address with its password, for the driver only.
    pub fn address(&self) -> Result<String, StoreAddressError> {
        let Ok(mut url) = url::Url::parse(&self.url) else { return Ok(self.url.clone()) };
        let password = match &self.password {
            Some(source) => Some(source.read()?),
            None => std::env::var("QORGAN_STORE_PASSWORD").ok(),
        };
        match password {
            Some(password) if url.scheme() != "sqlite" => {
                url.set_password(Some(&password)).map_err(|()| StoreAddressError::NoHost(self.url.clone()))?;
                Ok(url.into())
            }
            _ => Ok(self.url.clone()),
        }
    }
}

/// A store address that cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum StoreAddressError {
    /// Its password is not there.
    #[error("the store's password")]
    Secret(#[from] secret::SecretError),
    /// A password needs a host.
    #[error("store address {0} names no host")]
    NoHost(String),
}
