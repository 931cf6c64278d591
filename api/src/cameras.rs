//! What is known about each camera right now: latest count, recent counts for the sparkline, health.
//!
//! Numbers only; a picture is never kept here.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use qorgan_domain::{CameraHealth, CameraState, Count, CountSource, DeviceRef, UtcMs};

use crate::{
    config::{Camera, Config, Site, SiteKind},
    view::{CameraView, FaultView, FlowView, ZoneView},
};

/// Points of a sparkline.
const SERIES_POINTS: usize = 120;
/// One point stands for this long: the largest count in it, so that a short peak stays visible.
const SERIES_STEP_MS: i64 = 5_000;
/// A foreign camera that says nothing for this long is offline.
const FOREIGN_SILENT_MS: i64 = 60_000;
/// The same of a camera that tells its counts by ONVIF.
const ONVIF_HOLDS_MS: i64 = 300_000;

/// Why a text is no camera address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither a network address that cameras have nor a file.
    #[error("camera address \"{0}\" is neither rtsp://, rtsps://, http://, https:// or srt://host/path nor a file path")]
    Scheme(String),
    /// User or password inside.
    #[error("camera address holds a user or password; give user and password_env or password_file instead")]
    Login,
    /// No host.
    #[error("camera address \"{0}\" names no host")]
    NoHost(String),
}

/// Whether an address is one the hub can take pictures from. Shared by the configuration of every build,
/// with or without cameras.
pub fn check_url(text: &str) -> Result<(), UrlError> {
    let Some((scheme, _)) = text.split_once("://") else {
        return if text.trim().is_empty() { Err(UrlError::Scheme(text.into())) } else { Ok(()) };
    };
    let url = url::Url::parse(text).map_err(|_| UrlError::Scheme(text.into()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Login);
    }
    match scheme {
        "file" => Ok(()),
        "srt" if url.host_str().is_none_or(str::is_empty) || url.port().is_none() => Err(UrlError::NoHost(text.into())),
        "rtsp" | "rtsps" | "http" | "https" | "srt" if url.host_str().is_some_and(|h| !h.is_empty()) => Ok(()),
        "rtsp" | "rtsps" | "http" | "https" => Err(UrlError::NoHost(text.into())),
        _ => Err(UrlError::Scheme(text.into())),
    }
}

#[derive(Debug)]
struct Live {
    setup: Arc<Camera>,
    public_space: bool,
    /// This hub takes pictures from it and counts.
    hub: bool,
    stale_after_ms: i64,
    foreign: ForeignCounts,
    /// Criteria of the compliance meter that it fails.
    poor: Vec<&'static str>,
    health: Option<CameraHealth>,
    count: Option<Count>,
    series: VecDeque<(i64, f32)>,
}

/// What came from a system that counts by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignCounts {
    /// When it was heard last.
    pub heard_at: Option<UtcMs>,
    /// How long a count of it holds.
    pub holds_ms: i64,
    /// Counts that were taken.
    pub taken: u64,
    /// Messages that were no counts.
    pub refused: u64,
    /// The last of them, and why.
    pub refusal: Option<(UtcMs, String)>,
}

impl ForeignCounts {
    fn is_fresh(&self, now: UtcMs) -> bool {
        self.heard_at.is_some_and(|at| now.ms_since(at) <= self.holds_ms)
    }
}

/// All cameras, those of the configuration file and those added at run time.
#[derive(Debug)]
pub struct LiveCameras {
    own: bool,
    staleness_s: u32,
    holds_ms: BTreeMap<DeviceRef, i64>,
    live: Mutex<BTreeMap<DeviceRef, Live>>,
}

impl LiveCameras {
    /// The cameras of a configuration, nothing known yet. `own`: this hub takes pictures itself; without it every
    /// camera is counted elsewhere, by an edge box or by itself.
    pub fn new(config: &Config, own: bool) -> Self {
        let holds_ms = config.foreign.iter().map(|source| (source.device.clone(), i64::from(source.holds_s) * 1_000)).collect();
        let all = Self { own, staleness_s: config.models.staleness_s, holds_ms, live: Mutex::default() };
        for (site, camera) in config.cameras() {
            all.put(Arc::new(camera.clone()), site);
        }
        all
    }

    /// Adds a camera, or changes one; its recent counts stay.
    pub fn put(&self, setup: Arc<Camera>, site: &Site) {
        // A camera is stale when three analyses in a row were due and none came.
        let stale_after_ms = i64::from(setup.staleness_s.unwrap_or(self.staleness_s)) * 3_000;
        // By ONVIF a camera speaks when the number changes.
        let usual_ms = if setup.onvif.is_some() { ONVIF_HOLDS_MS } else { FOREIGN_SILENT_MS };
        let holds_ms = self.holds_ms.get(&setup.id).copied().unwrap_or(usual_ms);
        let mut cameras = self.lock();
        let before = cameras.remove(&setup.id);
        let (count, series) = before.map(|live| (live.count, live.series)).unwrap_or_default();
        let live = Live {
            public_space: site.kind == SiteKind::PublicPlace,
            hub: self.own && setup.is_counted_here(),
            stale_after_ms,
            foreign: ForeignCounts { heard_at: None, holds_ms, taken: 0, refused: 0, refusal: None },
            poor: Vec::new(),
            health: None,
            count,
            series,
            setup: setup.clone(),
        };
        cameras.insert(setup.id.clone(), live);
    }

    /// Takes a camera out; false when there was none.
    pub fn remove(&self, id: &DeviceRef) -> bool {
        self.lock().remove(id).is_some()
    }

    /// Whether there is such a camera.
    pub fn contains(&self, id: &DeviceRef) -> bool {
        self.lock().contains_key(id)
    }

    /// How a camera is set up.
    pub fn setup(&self, id: &DeviceRef) -> Option<Arc<Camera>> {
        self.lock().get(id).map(|live| live.setup.clone())
    }

    /// Every camera's set-up, by its id.
    pub fn setups(&self) -> Vec<Arc<Camera>> {
        self.lock().values().map(|live| live.setup.clone()).collect()
    }

    /// The set-ups of one site.
    pub fn of_site(&self, site: &qorgan_domain::SiteId) -> Vec<Arc<Camera>> {
        self.lock().values().filter(|live| live.setup.id.site == *site).map(|live| live.setup.clone()).collect()
    }

    /// Whether another system counts for this camera now, so that the hub does not.
    pub fn counts_itself(&self, id: &DeviceRef, now: UtcMs) -> bool {
        self.lock().get(id).is_some_and(|live| live.foreign.is_fresh(now))
    }

    /// What is known of a camera's own counts.
    pub fn foreign(&self, id: &DeviceRef) -> Option<ForeignCounts> {
        self.lock().get(id).map(|live| live.foreign.clone())
    }

    /// A message of another system was no count.
    pub fn not_counted(&self, id: &DeviceRef, reason: String, now: UtcMs) {
        if let Some(live) = self.lock().get_mut(id) {
            live.foreign.refused += 1;
            live.foreign.refusal = Some((now, reason));
        }
    }

    /// What the compliance meter finds wrong with a camera; its view when that has changed.
    pub fn judged(&self, id: &DeviceRef, poor: Vec<&'static str>, now: UtcMs) -> Option<CameraView> {
        let mut cameras = self.lock();
        let live = cameras.get_mut(id).filter(|live| live.poor != poor)?;
        live.poor = poor;
        Some(view(id, live, now, false))
    }

    /// When a camera was counted last, and what is known of its stream.
    pub fn last(&self, id: &DeviceRef) -> Option<(Option<UtcMs>, Option<CameraHealth>)> {
        self.lock().get(id).map(|live| (live.count.as_ref().map(|count| count.at), live.health.clone()))
    }

    /// One camera, without its series.
    pub fn one(&self, id: &DeviceRef, now: UtcMs) -> Option<CameraView> {
        self.lock().get(id).map(|live| view(id, live, now, false))
    }

    /// Takes a count; returns the camera's view without its series, or nothing for an unknown camera, an older count, or one of the
    /// hub's own while the camera counts by itself.
    pub fn counted(&self, count: &Count, now: UtcMs) -> Option<CameraView> {
        let mut cameras = self.lock();
        let live = cameras.get_mut(&count.camera)?;
        match count.source {
            CountSource::Foreign => {
                live.foreign.taken += 1;
                live.foreign.heard_at = Some(now);
            }
            CountSource::Model(_) if live.hub && live.foreign.is_fresh(now) => return None,
            CountSource::Model(_) => {}
        }
        if live.count.as_ref().is_some_and(|c| c.at > count.at) {
            return None;
        }
        live.count = Some(count.clone());
        let slot = count.at.0 - count.at.0.rem_euclid(SERIES_STEP_MS);
        match live.series.back_mut() {
            Some(last) if last.0 == slot => last.1 = last.1.max(count.people),
            _ => {
                live.series.push_back((slot, count.people));
                while live.series.len() > SERIES_POINTS {
                    live.series.pop_front();
                }
            }
        }
        Some(view(&count.camera, live, now, false))
    }

    /// Takes a change of health; returns the camera's view without its series.
    pub fn health(&self, health: CameraHealth, now: UtcMs) -> Option<CameraView> {
        let mut cameras = self.lock();
        let id = health.camera.clone();
        let live = cameras.get_mut(&id)?;
        live.health = Some(health);
        Some(view(&id, live, now, false))
    }

    /// Every camera, with its series.
    pub fn all(&self, now: UtcMs) -> Vec<CameraView> {
        self.lock().iter().map(|(id, live)| view(id, live, now, true)).collect()
    }

    /// How many cameras are live, by the hub's own eyes; for `/readyz` and metrics.
    pub fn live(&self, now: UtcMs) -> usize {
        self.lock().iter().filter(|(id, live)| view(id, live, now, false).status == "live").count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceRef, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn view(id: &DeviceRef, live: &Live, now: UtcMs, with_series: bool) -> CameraView {
    let age_ms = live.count.as_ref().map(|c| now.ms_since(c.at).max(0));
    let (status, reason) = status(live, age_ms, now);
    let (health, setup) = (live.health.as_ref(), &live.setup);
    let by_itself = !live.hub || live.foreign.is_fresh(now);
    let zones = live.count.iter().flat_map(|count| &count.zones).map(|zone| ZoneView::new(zone, setup.zone(&zone.zone)));
    let flows = live.count.iter().flat_map(|count| &count.flows).map(|flow| FlowView::new(flow, setup.line(&flow.line)));
    CameraView {
        id: id.to_string(),
        site: setup.id.site.to_string(),
        name: (&setup.name).into(),
        position: setup.position.into(),
        public_space: live.public_space,
        status,
        reason,
        people: live.count.as_ref().map(|c| c.people),
        low: live.count.as_ref().map(|c| c.low),
        high: live.count.as_ref().map(|c| c.high),
        counted_at: live.count.as_ref().map(|c| c.at.to_string()),
        age_s: age_ms.map(|ms| ms as f64 / 1000.0),
        limit: setup.limit,
        source: if by_itself { "foreign" } else { "hub" },
        recordings: live.setup.onvif.is_some(),
        zones: zones.collect(),
        flows: flows.collect(),
        poor: live.poor.clone(),
        codec: health.and_then(|h| h.codec.clone()),
        size_px: health.and_then(|h| h.size_px),
        series: with_series.then(|| live.series.iter().copied().collect()),
    }
}

fn status(live: &Live, age_ms: Option<i64>, now: UtcMs) -> (&'static str, Option<FaultView>) {
    if !live.hub || live.foreign.is_fresh(now) {
        return match age_ms {
            Some(age) if age <= live.foreign.holds_ms => ("live", None),
            Some(age) => {
                ("offline", Some(FaultView { code: "foreign_silent", detail: format!("no count over MQTT for {} s", age / 1000) }))
            }
            None => ("connecting", None),
        };
    }
    let fault = |h: &CameraHealth| h.fault.as_ref().map(|(f, detail)| FaultView { code: f.as_str(), detail: detail.clone() });
    match &live.health {
        Some(health) if health.state == CameraState::Offline => ("offline", fault(health)),
        Some(health) if health.state == CameraState::Live => match age_ms {
            // Pictures come, but something is wrong with them.
            Some(age) if age <= live.stale_after_ms => ("live", fault(health)),
            Some(_) => ("stale", None),
            None => ("connecting", None),
        },
        other => ("connecting", other.as_ref().and_then(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_addresses_with_a_login_or_another_scheme_are_refused() {
        assert!(check_url("rtsp://192.0.2.7:554/stream1").is_ok());
        assert!(check_url("/var/footage/campus.mp4").is_ok());
        assert!(check_url("file:///var/footage/campus.mp4").is_ok());
        assert_eq!(check_url("rtsp://admin:12345@192.0.2.7/"), Err(UrlError::Login));
        for good in ["rtsps://192.0.2.7/main", "http://192.0.2.7/mjpg", "https://cam.example/mjpg", "srt://0.0.0.0:9001"] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        assert!(matches!(check_url("ftp://192.0.2.7/"), Err(UrlError::Scheme(_))));
        assert!(check_url("srt://0.0.0.0").is_err());
        assert!(check_url("rtsp://").is_err());
        assert!(check_url("").is_err());
    }
}
