//! Cameras that are added, changed and removed while the hub runs, and how well every camera works.
//!
//! ```text
//! routes/camera_admin -> put / remove: judge -> audit -> store (passwords sealed) -> LiveCameras, fusion, MQTT, Control
//! meter: stream figures, counts, picture health -> compliance (pure) -> hours in the store, views, signs of supervision
//! ```
//!
//! A camera of the configuration file is changed there and only there: whoever reads the file knows what runs. An id stands once; where
//! the file has come to name a camera that was added at run time, the file's is taken and the other left alone in the store.
//!
//! What belongs here: the one way a camera comes into the running hub. What does not: reading keys (`config::camera`) and streams
//! (`ingest`), which come in as [`Control`] so that a centre without video builds.

pub mod compliance;
#[cfg(feature = "edge")]
pub(crate) mod edge;
pub(crate) mod meter;
#[cfg(feature = "edge")]
pub(crate) mod onvif;

use std::sync::Arc;

use futures::future::BoxFuture;
use qorgan_alerts::{fusion::PlaceRule, store::StoredCamera};
use qorgan_domain::{DeviceRef, Event, event::CameraPlace};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Session,
    config::{Around, Camera, CameraKeys, Complaint, Config, Kept, Origin, Secrets, Site, SiteKind, judge_camera},
    hub::App,
    sitefile::Seal,
};

/// Answers about one camera, at once.
type Ask<A> = Box<dyn Fn(&DeviceRef) -> Option<A> + Send + Sync>;
/// Takes a camera as it is set up.
type Put = Box<dyn Fn(&Camera) -> Result<(), String> + Send + Sync>;
/// Leaves a camera alone, or not.
type Pause = Box<dyn Fn(&DeviceRef, bool) + Send + Sync>;
/// Answers later.
type Later<Q, A> = Box<dyn Fn(Q) -> BoxFuture<'static, A> + Send + Sync>;

/// What the hub can do with the streams of cameras; absent in a hub that takes no pictures itself.
pub struct Control {
    /// Whether a camera can be taken at all; if not, why, in words.
    pub check: Put,
    /// Adds a camera, or goes on with it as it is set up now.
    pub put: Later<Arc<Camera>, Result<(), String>>,
    /// Takes a camera out; nothing when it is not there.
    pub remove: Later<DeviceRef, ()>,
    /// Figures of its stream; none while nothing is known.
    pub figures: Ask<compliance::StreamFigures>,
    /// How its picture looks; none while nothing is known.
    pub picture: Ask<compliance::PictureFigures>,
    /// Whether it is left alone because another system counts for it.
    pub pause: Pause,
    /// Connects once and says what comes.
    pub try_out: Later<Camera, Trial>,
    /// Asks the local networks who speaks ONVIF.
    pub discover: Later<(), Result<Vec<FoundDevice>, String>>,
    /// Asks a device for its streams.
    pub ask: Later<DeviceAddress, Result<DeviceReport, String>>,
}

/// A device that answered on a local network.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundDevice {
    /// Its device service.
    pub address: String,
    /// Its name, if it says one.
    pub name: Option<String>,
    /// Its model, if it says one.
    pub hardware: Option<String>,
}

/// Where a device is and what opens it; the password is used once and not kept.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceAddress {
    /// Host, host:port, or the whole address of the device service.
    pub address: String,
    /// User there.
    #[serde(default)]
    pub user: String,
    /// Password there.
    #[serde(default)]
    pub password: String,
}

/// What a device says of itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceReport {
    /// How far its clock is ahead of the hub's, in seconds.
    pub clock_offset_s: f64,
    /// Its streams.
    pub streams: Vec<StreamReport>,
    /// Which of them to use as main stream.
    pub main: Option<usize>,
    /// Which of them is the cheapest that shows enough of the same picture.
    pub sub: Option<usize>,
    /// What it has recorded.
    pub recordings: Vec<String>,
}

/// A stream of a device.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StreamReport {
    /// Its name for people.
    pub name: String,
    /// Codec; none for one that the hub does not decode.
    pub codec: Option<String>,
    /// Width and height, pixels.
    pub size_px: Option<(u32, u32)>,
    /// Frames per second at most.
    pub fps: Option<f64>,
    /// Its address, without a log-in.
    pub url: Option<String>,
}

/// What a trial of a camera's address gave.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Trial {
    /// Pictures came and decode.
    pub works: bool,
    /// Codec.
    pub codec: Option<String>,
    /// Width and height, pixels.
    pub size_px: Option<(u32, u32)>,
    /// Frames per second.
    pub fps: Option<f64>,
    /// Mean distance of key frames, seconds.
    pub key_frame_interval_s: Option<f64>,
    /// From the start to the first key frame, seconds.
    pub first_picture_s: Option<f64>,
    /// What is wrong: the code of a camera's fault (`refused`, `unauthorized`, `bad_codec`, ...).
    pub fault: Option<String>,
    /// The same with everything that is known of it.
    pub detail: Option<String>,
    /// The first picture with everybody in it pixelated, JPEG in base64; none when it could not be masked.
    pub picture: Option<String>,
}

/// Why a camera was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No such site.
    #[error("there is no site {0}")]
    NoSite(String),
    /// It stands in the configuration file.
    #[error("camera {0} stands in the configuration file and is changed there")]
    FromFile(DeviceRef),
    /// Another device has the id.
    #[error("{0} is the id of another device of this site")]
    Taken(DeviceRef),
    /// Its keys.
    #[error("keys of the camera")]
    Keys(Vec<Complaint>),
    /// The hub cannot take it.
    #[error("{0}")]
    Control(String),
    /// Secrets cannot be sealed or written.
    #[error("{0}")]
    Secret(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] qorgan_alerts::Error),
}

/// Adds the cameras of the store to a configuration that was just read. What does not fit any more is left out and said.
pub async fn load(config: &mut Config, store: &qorgan_alerts::Store, seal: &Seal) -> Result<(), qorgan_alerts::Error> {
    for stored in store.stored_cameras().await? {
        let id = stored.camera.clone();
        if config.devices().any(|device| *device == id) {
            tracing::warn!(camera = %id, "added at run time, but the configuration file has this id now: the file's is taken");
            continue;
        }
        match read(config, &stored, seal) {
            Ok(camera) => {
                if let Some(site) = config.sites.iter_mut().find(|site| site.id == id.site) {
                    site.cameras.push(camera);
                }
            }
            Err(reason) => tracing::error!(camera = %id, reason, "a camera that was added at run time cannot be taken any more"),
        }
    }
    Ok(())
}

fn read(config: &Config, stored: &StoredCamera, seal: &Seal) -> Result<Camera, String> {
    let site = config.sites.iter().find(|site| site.id == stored.camera.site).ok_or("its site is not configured any more")?;
    let keys: CameraKeys = serde_json::from_str(&stored.keys).map_err(|error| format!("its keys do not read: {error}"))?;
    let kept = kept(stored, seal)?;
    let around = around(config, site, &kept);
    judge_camera(&keys, &around).map_err(|complaints| complaints.into_iter().map(|c| c.message).collect::<Vec<_>>().join("; "))
}

fn kept(stored: &StoredCamera, seal: &Seal) -> Result<Kept, String> {
    let Some(sealed) = &stored.sealed else { return Ok(Kept::default()) };
    let text = seal.open_secret(&format!("camera/{}", stored.camera), sealed);
    text.and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(|| "its passwords do not open with this hub's key".to_owned())
}

fn around<'a>(config: &'a Config, site: &'a Site, kept: &'a Kept) -> Around<'a> {
    let secrets = Secrets::Store(kept, config.cameras.footage_dir.as_deref());
    Around { site: &site.id, kind: site.kind, position: site.position, area: Some((&site.area, &config.areas)), secrets }
}

/// A camera that somebody gave: its keys and, where they are new, its passwords.
#[derive(Clone)]
pub struct Given {
    /// The keys.
    pub keys: CameraKeys,
    /// The passwords that were given with them. Where none was, the kept one stays as long as the user and the addresses do.
    pub passwords: Kept,
}

/// Reads what was given for a site. Passwords that are kept serve again, but never at another address: whoever may change a camera
/// could otherwise have its password sent to a machine of their own.
pub async fn judged(app: &App, site: &str, given: &Given) -> Result<(Camera, Kept), ChangeError> {
    let site = app.config.sites.iter().find(|s| s.id.as_str() == site).ok_or_else(|| ChangeError::NoSite(site.to_owned()))?;
    let mut passwords = given.passwords.clone();
    let id = given.keys.id.parse().ok().map(|device| DeviceRef::new(site.id.clone(), device));
    let stored = app.store.stored_cameras().await?.into_iter().find(|stored| Some(&stored.camera) == id.as_ref());
    if let Some(stored) = stored
        && let Ok(old) = serde_json::from_str::<CameraKeys>(&stored.keys)
    {
        let before = kept(&stored, &app.seal).map_err(ChangeError::Secret)?;
        let same = |a: &Option<String>, b: &Option<String>| place_of(a.as_deref()) == place_of(b.as_deref());
        if old.user == given.keys.user && same(&old.url, &given.keys.url) && same(&old.sub, &given.keys.sub) {
            passwords.password = passwords.password.or(before.password);
        }
        if old.onvif == given.keys.onvif {
            passwords.onvif_password = passwords.onvif_password.or(before.onvif_password);
        }
    }
    let camera = judge_camera(&given.keys, &around(&app.config, site, &passwords)).map_err(ChangeError::Keys)?;
    if let Some(unit) = camera.unit.as_ref().filter(|unit| !app.config.units.iter().any(|known| known.id == **unit)) {
        return Err(ChangeError::Keys(vec![Complaint { key: "unit".to_owned(), message: format!("there is no unit \"{unit}\"") }]));
    }
    Ok((camera, passwords))
}

/// Where an address leads: scheme, host and port. Paths may change without another machine getting the password.
fn place_of(url: Option<&str>) -> Option<(String, Option<String>, Option<u16>)> {
    let url = url::Url::parse(url?).ok()?;
    Some((url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port()))
}

/// Adds or changes a camera; written down before it happens, and kept before it runs.
pub async fn put(app: &App, session: &Session, site: &str, given: Given) -> Result<Arc<Camera>, ChangeError> {
    let (camera, passwords) = judged(app, site, &given).await?;
    let before = app.cameras.setup(&camera.id);
    if before.as_ref().is_some_and(|before| before.origin == Origin::File) {
        return Err(ChangeError::FromFile(camera.id));
    }
    if before.is_none() && (app.config.devices().any(|device| *device == camera.id) || app.supervision().device(&camera.id).is_some()) {
        return Err(ChangeError::Taken(camera.id));
    }
    if let Some(control) = app.control.get().filter(|_| camera.is_counted_here()) {
        (control.check)(&camera).map_err(ChangeError::Control)?;
    }
    let sealed = match passwords == Kept::default() {
        true => None,
        false => {
            let text = serde_json::to_vec(&passwords).map_err(|error| ChangeError::Secret(error.to_string()))?;
            let sealed = app.seal.close_secret(&format!("camera/{}", camera.id), &text);
            Some(sealed.ok_or_else(|| ChangeError::Secret("the passwords could not be sealed".to_owned()))?)
        }
    };
    let keys = serde_json::to_string(&given.keys).map_err(|error| ChangeError::Secret(error.to_string()))?;
    let action = if before.is_some() { "camera.change" } else { "camera.add" };
    app.audit_by(session, action, &format!("camera/{}", camera.id), Some(&what_changed(before.as_deref(), &camera))).await?;
    let stored = StoredCamera { camera: camera.id.clone(), keys, sealed, updated_at: app.clock.utc(), updated_by: session.user.clone() };
    app.store.put_camera(&stored).await?;
    let camera = Arc::new(camera);
    take(app, camera.clone()).await?;
    Ok(camera)
}

/// In words for the audit log; no address and no password.
fn what_changed(before: Option<&Camera>, now: &Camera) -> String {
    let Some(before) = before else { return "added".to_owned() };
    let mut changed = Vec::new();
    let mut when = |different: bool, what: &'static str| {
        if different {
            changed.push(what);
        }
    };
    when(before.url != now.url || before.sub != now.sub, "address");
    when(before.login != now.login, "log-in");
    when(before.limit != now.limit, "limit");
    when(before.scene.zones != now.scene.zones, "zones");
    when(before.scene.lines != now.scene.lines, "lines");
    when(before.scene.masks != now.scene.masks, "privacy masks");
    when(before.scene.calibration != now.scene.calibration, "calibration");
    when(before.clip != now.clip, "clip");
    when(before.name != now.name || before.position != now.position, "name or place");
    if changed.is_empty() { "other keys".to_owned() } else { changed.join(", ") }
}

/// The camera is there from now on, for everybody.
async fn take(app: &App, camera: Arc<Camera>) -> Result<(), ChangeError> {
    let Some(site) = app.config.sites.iter().find(|site| site.id == camera.id.site) else {
        return Err(ChangeError::NoSite(camera.id.site.to_string()));
    };
    app.cameras.put(camera.clone(), site);
    let public_space = site.kind == SiteKind::PublicPlace;
    let PlaceRule { zone_limits_per_m2, line_widths_m } = camera.scene.rule();
    let place = CameraPlace {
        camera: camera.id.clone(),
        position: camera.position,
        limit: camera.limit,
        public_space,
        zone_limits_per_m2,
        line_widths_m,
    };
    let _ = app.engine.tell(Event::CameraPlaced(place)).await;
    // A camera that counts by itself, or a badge, speaks over MQTT.
    let passwords = app.device_passwords.add(&app.config.hub.state_dir, &camera.id.to_string());
    passwords.map_err(|error| ChangeError::Secret(crate::error::chain(&error)))?;
    app.watch_camera(&camera);
    if let Some(control) = app.control.get() {
        match camera.is_counted_here() {
            true => (control.put)(camera.clone()).await.map_err(ChangeError::Control)?,
            false => (control.remove)(camera.id.clone()).await,
        }
    }
    if let Some(view) = app.cameras.one(&camera.id, app.clock.utc()) {
        app.show_camera(view);
    }
    app.ring.push([crate::hub::Change::Devices]);
    Ok(())
}

/// Removes a camera that was added at run time.
pub async fn remove(app: &App, session: &Session, id: &DeviceRef) -> Result<bool, ChangeError> {
    let Some(camera) = app.cameras.setup(id) else { return Ok(false) };
    if camera.origin == Origin::File {
        return Err(ChangeError::FromFile(id.clone()));
    }
    app.audit_by(session, "camera.remove", &format!("camera/{id}"), None).await?;
    app.store.remove_camera(id).await?;
    if let Some(control) = app.control.get() {
        (control.remove)(id.clone()).await;
    }
    let _ = app.engine.tell(Event::CameraRemoved(id.clone())).await;
    app.cameras.remove(id);
    app.hide_camera(id.clone());
    app.supervision().remove(id);
    app.forget_badge(id);
    let passwords = app.device_passwords.remove(&app.config.hub.state_dir, &id.to_string());
    passwords.map_err(|error| ChangeError::Secret(crate::error::chain(&error)))?;
    app.ring.push([crate::hub::Change::Devices]);
    Ok(true)
}
