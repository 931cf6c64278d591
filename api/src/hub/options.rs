//! Which parts run, what the command line changes, and where a running hub is found.

use std::{fs::File, net::SocketAddr, path::Path};

use serde::{Deserialize, Serialize};

use super::StartError;
use crate::config::{Config, Http, Mqtt as MqttConfig};

/// Where a running hub listens, in its state directory; commands on the same machine find it by this file.
pub(super) const ADDRESSES: &str = "listening.json";

/// Which parts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    Run,
    /// Cameras and counting; counts go to the centre's broker.
    Edge,
    /// Everything but the cameras.
    Centre,
}

/// What the command line changes of a configuration.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// HTTP without TLS, here only.
    pub http: Option<SocketAddr>,
    /// Embedded MQTT broker without TLS, here only.
    pub mqtt: Option<SocketAddr>,
    /// Door of alarm panels, TCP and UDP, here only; nothing if the configuration has none.
    pub dc09: Option<SocketAddr>,
    /// Scheme, host and port of every camera.
    pub camera_base: Option<url::Url>,
    /// Address of the store.
    pub store: Option<String>,
}

/// Where a running hub listens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Addresses {
    /// HTTP without TLS.
    pub http: Option<SocketAddr>,
    /// HTTP with TLS.
    pub https: Option<SocketAddr>,
    /// MQTT without TLS.
    pub mqtt: Option<SocketAddr>,
    /// MQTT with TLS.
    pub mqtts: Option<SocketAddr>,
    /// Alarm panels over TCP.
    pub dc09: Option<SocketAddr>,
    /// Alarm panels over UDP.
    pub dc09_udp: Option<SocketAddr>,
}

impl Addresses {
    /// Those of the hub that runs with this state directory; none if none runs.
    pub fn of_running(state_dir: &Path) -> Option<Self> {
        let lock = File::open(state_dir.join("lock")).ok()?;
        if lock.try_lock().is_ok() {
            return None;
        }
        serde_json::from_slice(&std::fs::read(state_dir.join(ADDRESSES)).ok()?).ok()
    }
}

impl Overrides {
    /// Changes the configuration.
    pub fn apply(&self, config: &mut Config) -> Result<(), StartError> {
        let loopback = |addr: SocketAddr, what: &str| match addr.ip().is_loopback() {
            true => Ok(addr),
            false => Err(StartError::Option(format!("{what} {addr} is not loopback: other addresses need TLS, by configuration"))),
        };
        if let Some(addr) = self.http {
            config.http = Http { listen: Some(loopback(addr, "--http")?), tls: None };
        }
        if let Some(addr) = self.mqtt {
            config.mqtt = MqttConfig::Embedded { listen: Some(loopback(addr, "--mqtt")?), tls: None };
        }
        if let (Some(addr), Some(dc09)) = (self.dc09, &mut config.dc09) {
            let addr = loopback(addr, "--dc09")?;
            (dc09.tcp, dc09.udp) = (Some(addr), Some(addr));
        }
        if let Some(store) = &self.store {
            config.store.url = store.clone();
        }
        if let Some(base) = &self.camera_base {
            for camera in config.sites.iter_mut().flat_map(|s| &mut s.cameras) {
                if let Some(old) = camera.url.as_ref().and_then(|u| url::Url::parse(u).ok()) {
                    let mut new = base.clone();
                    new.set_path(old.path());
                    camera.url = Some(new.into());
                }
            }
        }
        Ok(())
    }
}
