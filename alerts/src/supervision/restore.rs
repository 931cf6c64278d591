//! What a restart must not forget: last proofs of life, what devices said, and which troubles stand.

use qorgan_domain::{
    DeviceRef, UtcMs,
    sign::{Scope, Trouble, TroubleKind},
};

use super::{Supervision, device::Cover, group::Active};

/// A proof of life is kept again when it is newer than the kept one by this.
const KEEP_EVERY_MS: i64 = 60_000;

/// What is kept of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Which.
    pub device: DeviceRef,
    /// Last proof of life.
    pub seen_at: UtcMs,
    /// What it said, as JSON.
    pub state: String,
}

impl Supervision {
    /// What is to be kept now: devices whose state has changed, and proofs of life that are newer than the kept ones by a
    /// minute, or by anything at all when `every` is set (at the end).
    pub fn to_keep(&mut self, every: bool) -> Vec<Life> {
        let least_ms = if every { 1 } else { KEEP_EVERY_MS };
        let mut lives = Vec::new();
        for device in &mut self.devices {
            let Some(seen_at) = device.seen else { continue };
            let stale = match &device.kept {
                Some((kept_at, kept)) => seen_at.ms_since(*kept_at).abs() >= least_ms || *kept != device.health,
                None => true,
            };
            if stale && let Ok(state) = serde_json::to_string(&device.health) {
                device.kept = Some((seen_at, device.health.clone()));
                lives.push(Life { device: device.what.device.clone(), seen_at, state });
            }
        }
        lives
    }

    /// These could not be kept: they are offered again.
    pub fn not_kept(&mut self, lives: &[Life]) {
        for life in lives {
            if let Some(at) = self.index.get(&life.device) {
                self.devices[*at].kept = None;
            }
        }
    }

    /// Goes on where the hub ended: `lives` as they were kept, `open` the troubles that stand. Nothing is told anew for
    /// them; what has ended meanwhile is told by the first ticks.
    pub fn restore(&mut self, lives: impl IntoIterator<Item = Life>, open: impl IntoIterator<Item = Trouble>, now: UtcMs) {
        for life in lives {
            let Some(device) = self.index.get(&life.device).map(|at| &mut self.devices[*at]) else { continue };
            // A state that does not read any more (an older version) is no reason to forget the proof of life.
            device.health = serde_json::from_str(&life.state).unwrap_or_default();
            device.seen = Some(life.seen_at.min(now));
            device.kept = Some((life.seen_at, device.health.clone()));
        }
        let mut troubles: Vec<Trouble> = open.into_iter().filter(|t| t.active).collect();
        // The widest first: a device is told by one trouble only.
        troubles.sort_by_key(|t| match t.scope {
            Scope::Provider(_) => 0,
            Scope::Site(_) => 1,
            Scope::Device(_) => 2,
        });
        for trouble in troubles {
            match (trouble.kind, &trouble.scope) {
                (TroubleKind::Lost, _) => self.restore_lost(trouble, now),
                (kind, Scope::Device(device)) => match self.index.get(device) {
                    Some(at) => self.devices[*at].restore_condition(kind, trouble.detail, trouble.since, now),
                    None => self.farewells.push(over(&trouble)),
                },
                _ => self.farewells.push(over(&trouble)),
            }
        }
        for device in &mut self.devices {
            if device.lost.is_none() {
                device.health.lost_since = None;
            }
        }
    }

    fn restore_lost(&mut self, trouble: Trouble, now: UtcMs) {
        let cover = match trouble.scope {
            Scope::Device(_) => Cover::Device,
            Scope::Site(_) => Cover::Site,
            Scope::Provider(_) => Cover::Provider,
        };
        let mut named = trouble.devices.clone();
        named.sort_unstable();
        let mut devices = Vec::new();
        for device in &mut self.devices {
            // An alert names a limited number of devices; the others are known by their own word.
            let within = match &trouble.scope {
                Scope::Device(only) => *only == device.what.device,
                Scope::Site(site) => *site == device.what.device.site,
                Scope::Provider(name) => device.what.provider.as_ref() == Some(name),
            };
            let lost = named.binary_search(&device.what.device).is_ok() || device.health.lost_since.is_some();
            if within && lost && device.lost.is_none() && device.what.interval_ms.is_some() {
                device.restore_lost(UtcMs(device.health.lost_since.unwrap_or(trouble.since.0)).min(now), cover);
                devices.push(device.what.device.clone());
            }
        }
        devices.sort_unstable();
        if devices.is_empty() {
            devices = named;
        }
        self.active.insert(trouble.scope, Active { devices, since: trouble.since });
    }
}

fn over(trouble: &Trouble) -> Trouble {
    let reason = Some("no longer supervised".to_owned());
    Trouble { devices: Vec::new(), active: false, reason, ..trouble.clone() }
}
