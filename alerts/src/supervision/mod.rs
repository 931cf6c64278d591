//! Supervision of buttons, panels, edge boxes and phones: who was heard last when, who is lost, what else is wrong.
//!
//! What belongs here: proofs of life, intervals, hysteresis, chattering, and which troubles follow from them. What does
//! not: how a sign arrives, and what a desk does with a trouble. Pure: time comes in with every sign and tick.
//!
//! - Lost is a device that gave no proof of life for longer than its interval (EN 50136 categories, see [`interval_of`]).
//!   A broken connection alone is not lost; it only counts when a whole site is judged.
//! - A device that was never seen is `never`: blind, and no trouble.
//! - Losses are held back for a settle time, so that what goes dark together is one trouble (`group`).
//! - After a start, or while the hub itself could not hear, nobody is lost before one interval and a grace have passed.

mod device;
mod group;
mod restore;

use std::collections::{BTreeMap, HashMap};

use qorgan_domain::{
    DeviceRef, Sign, SignKind, SiteId, UtcMs,
    sign::{Scope, Trouble},
};

use device::Device;
use group::{Part, Place};
pub use restore::Life;

/// A device lost more often than this within [`CHATTER_WINDOW_MS`] is chattering.
pub const CHATTER_LOSSES: usize = 3;
/// See [`CHATTER_LOSSES`].
pub const CHATTER_WINDOW_MS: i64 = 10 * 60_000;
/// A chattering device stays lost until it was alive for so long.
pub const CHATTER_CALM_MS: i64 = 2 * 60_000;
/// Two ticks further apart than this mean that the hub was asleep or its clock was set: nobody is lost for that.
pub const GAP_MS: i64 = 30_000;

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An alarm button that speaks MQTT.
    Button,
    /// An alarm panel that speaks SIA DC-09.
    Panel,
    /// An edge box.
    Edge,
    /// The phone of a school contact.
    Phone,
    /// A camera: a picture or a count of its own is its proof of life.
    Camera,
}

impl Class {
    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Button => "button",
            Class::Panel => "panel",
            Class::Edge => "edge",
            Class::Phone => "phone",
            Class::Camera => "camera",
        }
    }

    /// Whether it is heard over MQTT, so that a broker that is away makes the hub deaf to it.
    fn over_mqtt(self) -> bool {
        matches!(self, Class::Button | Class::Edge)
    }
}

/// A device under supervision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervised {
    /// Which.
    pub device: DeviceRef,
    /// What it is.
    pub class: Class,
    /// Longest silence, in milliseconds; none when its silence means nothing.
    pub interval_ms: Option<i64>,
    /// Network or alarm provider by which it is connected.
    pub provider: Option<String>,
}

/// Times of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a loss is held back, and how long a wider trouble waits for more to come back, in milliseconds.
    pub settle_ms: i64,
    /// Added to the interval after a start, in milliseconds.
    pub start_grace_ms: i64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { settle_ms: 15_000, start_grace_ms: 30_000 }
    }
}

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Heard within its interval.
    Ok,
    /// Not heard for longer.
    Lost,
    /// Never heard: blind, but no trouble.
    Never,
    /// Its silence means nothing.
    Unsupervised,
}

impl State {
    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Lost => "lost",
            State::Never => "never",
            State::Unsupervised => "unsupervised",
        }
    }
}

/// A device as views show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStatus {
    /// The device.
    pub device: DeviceRef,
    /// What it is.
    pub class: Class,
    /// Where it stands.
    pub state: State,
    /// Last proof of life.
    pub seen_at: Option<UtcMs>,
    /// Longest silence.
    pub interval_ms: Option<i64>,
    /// Charge, if it tells.
    pub battery_percent: Option<u8>,
    /// Battery low.
    pub battery_low: bool,
    /// Case open.
    pub tamper: bool,
    /// Mains power is there, or nothing else is known.
    pub mains_ok: bool,
    /// Its clock against the hub's, if it tells.
    pub clock_offset_ms: Option<i64>,
    /// Other faults, by the panel's codes.
    pub fault: Option<String>,
    /// Network or alarm provider.
    pub provider: Option<String>,
}

/// The interval of an EN 50136-1 category, in milliseconds (longest reporting time of a failed alarm transmission system).
pub fn interval_of(category: &str) -> Option<i64> {
    let seconds: i64 = match category {
        "sp1" => 32 * 24 * 3600,
        "sp2" | "dp1" => 25 * 3600,
        "sp3" | "dp2" => 30 * 60,
        "sp4" | "dp3" => 180,
        "sp5" | "dp4" => 90,
        "sp6" => 20,
        _ => return None,
    };
    Some(seconds * 1_000)
}

/// The categories that [`interval_of`] knows.
pub const CATEGORIES: [&str; 10] = ["sp1", "sp2", "sp3", "sp4", "sp5", "sp6", "dp1", "dp2", "dp3", "dp4"];

/// Everything under supervision.
#[derive(Debug)]
pub struct Supervision {
    timing: Timing,
    devices: Vec<Device>,
    index: HashMap<DeviceRef, usize>,
    sites: Vec<Place<SiteId>>,
    providers: Vec<Place<String>>,
    parts: Vec<Part>,
    site_index: HashMap<SiteId, usize>,
    provider_index: HashMap<String, usize>,
    part_index: HashMap<(usize, usize), usize>,
    /// Losses that were told, by scope.
    active: BTreeMap<Scope, group::Active>,
    /// Ends of troubles of devices that were taken out.
    farewells: Vec<Trouble>,
    /// Since when the hub hears: at all, and over MQTT (none while it does not).
    hears_since: UtcMs,
    mqtt_since: Option<UtcMs>,
    last_tick: UtcMs,
    changed: bool,
}

impl Supervision {
    /// Supervises these devices from `now` on.
    pub fn new(timing: Timing, devices: impl IntoIterator<Item = Supervised>, now: UtcMs) -> Self {
        let mut supervision = Self {
            timing,
            devices: Vec::new(),
            index: HashMap::new(),
            sites: Vec::new(),
            providers: Vec::new(),
            parts: Vec::new(),
            site_index: HashMap::new(),
            provider_index: HashMap::new(),
            part_index: HashMap::new(),
            active: BTreeMap::new(),
            farewells: Vec::new(),
            hears_since: now,
            mqtt_since: Some(now),
            last_tick: now,
            changed: true,
        };
        for device in devices {
            supervision.add(device);
        }
        supervision
    }

    /// Supervises one more device, or one by other rules than before; what is known of it stays.
    pub fn add(&mut self, what: Supervised) {
        let site = *self.site_index.entry(what.device.site.clone()).or_insert_with(|| {
            self.sites.push(Place::new(what.device.site.clone()));
            self.sites.len() - 1
        });
        let part = what.provider.as_ref().map(|name| {
            let provider = *self.provider_index.entry(name.clone()).or_insert_with(|| {
                self.providers.push(Place::new(name.clone()));
                self.providers.len() - 1
            });
            *self.part_index.entry((provider, site)).or_insert_with(|| {
                self.parts.push(Part::new(provider));
                self.parts.len() - 1
            })
        });
        self.changed = true;
        match self.index.get(&what.device) {
            Some(&at) => {
                let device = &mut self.devices[at];
                (device.what, device.site, device.part) = (what, site, part);
            }
            None => {
                self.index.insert(what.device.clone(), self.devices.len());
                self.devices.push(Device::new(what, site, part));
            }
        }
    }

    /// Takes a device out; its troubles end with the next tick.
    pub fn remove(&mut self, device: &DeviceRef) {
        let Some(at) = self.index.remove(device) else { return };
        let removed = self.devices.swap_remove(at);
        if let Some(moved) = self.devices.get(at) {
            self.index.insert(moved.what.device.clone(), at);
        }
        self.farewells.extend(removed.farewell());
        self.changed = true;
    }

    /// Takes a sign of life, or a word of the device about itself. Signs of devices that are not supervised are nobody's.
    pub fn sign(&mut self, sign: &Sign) {
        let Some(device) = self.index.get(&sign.device).and_then(|at| self.devices.get_mut(*at)) else { return };
        match &sign.kind {
            SignKind::Gone => device.gone(sign.at),
            kind => self.changed |= device.heard(kind, sign.at),
        }
    }

    /// A device gave proof of life, which is all there is to say.
    pub fn alive(&mut self, device: &DeviceRef, at: UtcMs) {
        if let Some(device) = self.index.get(device).and_then(|at| self.devices.get_mut(*at)) {
            self.changed |= device.heard(&SignKind::Alive, at);
        }
    }

    /// Whether the hub hears over MQTT. While it does not, no button and no edge box is lost, and afterwards not
    /// before one interval and the start grace.
    pub fn hears_mqtt(&mut self, hears: bool, now: UtcMs) {
        match (hears, self.mqtt_since) {
            (true, None) => self.mqtt_since = Some(now),
            (false, Some(_)) => self.mqtt_since = None,
            _ => {}
        }
    }

    /// Lets time pass, once a second: the troubles that begin, change and end. Those that begin come first, so that a
    /// device that goes from one trouble to another is at no moment without one.
    pub fn tick(&mut self, now: UtcMs) -> Vec<Trouble> {
        let gap_ms = now.ms_since(self.last_tick);
        if !(0..=GAP_MS).contains(&gap_ms) {
            self.hears_since = now;
            self.mqtt_since = self.mqtt_since.map(|_| now);
        }
        self.last_tick = now;
        let (mut told, mut ends) = (Vec::new(), std::mem::take(&mut self.farewells));
        for device in &mut self.devices {
            let since = if device.what.class.over_mqtt() { self.mqtt_since } else { Some(self.hears_since) };
            let was_lost = device.lost.is_some();
            device.judge(since, self.timing, now);
            if was_lost != device.lost.is_some() {
                self.changed = true;
            }
            if was_lost && device.lost.is_none() {
                self.sites[device.site].back = Some(now);
                if let Some(part) = device.part.map(|at| &mut self.parts[at]) {
                    part.back = Some(now);
                    self.providers[part.provider].back = Some(now);
                }
            }
            device.conditions(now, &mut told, &mut ends);
        }
        self.group(now, &mut told, &mut ends);
        told.append(&mut ends);
        told
    }

    /// Every device, ordered by its name.
    pub fn devices(&self) -> Vec<DeviceStatus> {
        let mut all: Vec<_> = self.devices.iter().map(Device::status).collect();
        all.sort_unstable_by(|a, b| a.device.cmp(&b.device));
        all
    }

    /// One device.
    pub fn device(&self, device: &DeviceRef) -> Option<DeviceStatus> {
        self.index.get(device).and_then(|at| self.devices.get(*at)).map(Device::status)
    }

    /// How many are lost, and how many there are, cameras apart.
    pub fn totals(&self) -> (usize, usize) {
        let all = || self.devices.iter().filter(|d| !d.is_camera());
        (all().filter(|d| d.lost.is_some()).count(), all().count())
    }

    /// Whether anything that a list of devices shows has changed since this was asked last, times of proofs of life apart.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}
