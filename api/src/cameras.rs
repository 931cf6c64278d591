//! What is known about each camera right now: latest count, recent counts for the sparkline, health.
//!
//! Numbers only; a picture is never kept here.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use qorgan_domain::{CameraHealth, CameraState, Count, DeviceRef, UtcMs};

use crate::{
    config::{Config, SiteKind},
    view::{CameraView, FaultView, Names},
};

/// Points of a sparkline.
const SERIES_POINTS: usize = 120;
/// One point stands for this long: the largest count in it, so that a short peak stays visible.
const SERIES_STEP_MS: i64 = 5_000;
/// A foreign camera that says nothing for this long is offline.
const FOREIGN_SILENT_MS: i64 = 60_000;

/// Why a text is no camera address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither RTSP nor a file.
    #[error("camera address \"{0}\" is neither rtsp://host/path nor a file path")]
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
        "rtsp" if url.host_str().is_some_and(|h| !h.is_empty()) => Ok(()),
        "rtsp" => Err(UrlError::NoHost(text.into())),
        _ => Err(UrlError::Scheme(text.into())),
    }
}

#[derive(Debug)]
struct Live {
    name: Names,
    site: String,
    position: [f64; 2],
    public_space: bool,
    limit: Option<f32>,
    hub: bool,
    stale_after_ms: i64,
    health: Option<CameraHealth>,
    count: Option<Count>,
    series: VecDeque<(i64, f32)>,
}

/// All cameras.
#[derive(Debug)]
pub struct LiveCameras(Mutex<BTreeMap<DeviceRef, Live>>);

impl LiveCameras {
    /// The cameras of a configuration, nothing known yet. `own`: this hub takes pictures itself; without it every
    /// camera is counted elsewhere, by an edge box or by itself.
    pub fn new(config: &Config, own: bool) -> Self {
        // A camera is stale when three analyses in a row were due and none came.
        let stale_after_ms = i64::from(config.models.staleness_s) * 3_000;
        let live = config.cameras().map(|(site, camera)| {
            let live = Live {
                name: (&camera.name).into(),
                site: site.id.to_string(),
                position: camera.position.into(),
                public_space: site.kind == SiteKind::PublicPlace,
                limit: camera.limit,
                hub: own && camera.url.is_some(),
                stale_after_ms,
                health: None,
                count: None,
                series: VecDeque::new(),
            };
            (camera.id.clone(), live)
        });
        Self(Mutex::new(live.collect()))
    }

    /// Takes a count; returns the camera's view without its series, or nothing for an unknown camera or an older count.
    pub fn counted(&self, count: &Count, now: UtcMs) -> Option<CameraView> {
        let mut cameras = self.lock();
        let live = cameras.get_mut(&count.camera)?;
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn view(id: &DeviceRef, live: &Live, now: UtcMs, with_series: bool) -> CameraView {
    let age_ms = live.count.as_ref().map(|c| now.ms_since(c.at).max(0));
    let (status, reason) = status(live, age_ms);
    let health = live.health.as_ref();
    CameraView {
        id: id.to_string(),
        site: live.site.clone(),
        name: live.name.clone(),
        position: live.position,
        public_space: live.public_space,
        status,
        reason,
        people: live.count.as_ref().map(|c| c.people),
        low: live.count.as_ref().map(|c| c.low),
        high: live.count.as_ref().map(|c| c.high),
        counted_at: live.count.as_ref().map(|c| c.at.to_string()),
        age_s: age_ms.map(|ms| ms as f64 / 1000.0),
        limit: live.limit,
        source: if live.hub { "hub" } else { "foreign" },
        codec: health.and_then(|h| h.codec.clone()),
        size_px: health.and_then(|h| h.size_px),
        series: with_series.then(|| live.series.iter().copied().collect()),
    }
}

fn status(live: &Live, age_ms: Option<i64>) -> (&'static str, Option<FaultView>) {
    if !live.hub {
        return match age_ms {
            Some(age) if age <= FOREIGN_SILENT_MS => ("live", None),
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
        assert!(matches!(check_url("http://192.0.2.7/"), Err(UrlError::Scheme(_))));
        assert!(check_url("rtsp://").is_err());
        assert!(check_url("").is_err());
    }
}
