//! Losses that belong together are one trouble: of a device, of a site, of a provider.
//!
//! - All supervised devices of a site (at least two, or its edge box alone) are dark: the site.
//! - Cameras make no site dark that has other devices: those live on. Where there are only cameras, all of them (at least two) do.
//! - At least three sites of one provider are dark as far as that provider connects them: the provider.
//! - Dark is a device that is lost, or whose connection broke at least a settle time ago and that was not heard since: of
//!   devices that fall silent together, the one with the oldest proof of life is lost first, and the others are on their way.
//! - Wider troubles take narrower ones in. When one shrinks, it keeps what it had until no device has come back for a settle
//!   time; only then narrower ones follow. Else a site that comes back in one minute would be thirty troubles first.

use std::collections::BTreeMap;

use qorgan_domain::{
    DeviceRef, UtcMs,
    sign::{Scope, Trouble, TroubleKind},
};

use super::{
    Supervision,
    device::{Cover, Device},
};

/// So many sites of a provider make it the provider's trouble.
const PROVIDER_SITES: usize = 3;

/// A site or a provider.
#[derive(Debug)]
pub(super) struct Place<T> {
    pub(super) id: T,
    /// When a device of it came back last.
    pub(super) back: Option<UtcMs>,
}

impl<T> Place<T> {
    pub(super) fn new(id: T) -> Self {
        Self { id, back: None }
    }
}

/// What a provider connects at one site.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) provider: usize,
    pub(super) back: Option<UtcMs>,
}

impl Part {
    pub(super) fn new(provider: usize) -> Self {
        Self { provider, back: None }
    }
}

/// A loss that was told.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) devices: Vec<DeviceRef>,
    pub(super) since: UtcMs,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    members: usize,
    dark: usize,
    lost: usize,
    edge: bool,
    /// A loss that is not held back any more is among them.
    due: bool,
}

impl Tally {
    fn add(&mut self, device: &Device, dark: bool, due: bool) {
        self.members += 1;
        self.dark += usize::from(dark);
        self.lost += usize::from(device.lost.is_some());
        self.edge |= device.is_edge();
        self.due |= due;
    }
    fn all_dark(self) -> bool {
        self.lost > 0 && self.dark == self.members
    }
}

impl Supervision {
    /// Tells losses: those that begin or change into `told`, those that end into `ends`.
    pub(super) fn group(&mut self, now: UtcMs, told: &mut Vec<Trouble>, ends: &mut Vec<Trouble>) {
        if self.active.is_empty() && self.devices.iter().all(|d| d.lost.is_none()) {
            return;
        }
        let wanted = self.wanted(now);
        let old = std::mem::take(&mut self.active);
        for (scope, at) in wanted {
            let mut devices: Vec<DeviceRef> = at.iter().map(|at| self.devices[*at].what.device.clone()).collect();
            devices.sort_unstable();
            let before = old.get(&scope);
            let first = at.iter().filter_map(|at| self.devices[*at].seen).min().unwrap_or(now);
            let since = before.map_or(first, |before| before.since);
            if before.is_none_or(|before| before.devices != devices) {
                let detail = Some(self.detail(&scope, &at));
                let (scope, devices) = (scope.clone(), devices.clone());
                told.push(Trouble { scope, kind: TroubleKind::Lost, devices, since, detail, active: true, reason: None });
            }
            self.active.insert(scope, Active { devices, since });
        }
        for (scope, before) in old {
            if !self.active.contains_key(&scope) {
                let reason = self.why_over(&scope, &before);
                let (kind, since) = (TroubleKind::Lost, before.since);
                ends.push(Trouble { scope, kind, devices: Vec::new(), since, detail: None, active: false, reason });
            }
        }
    }

    /// Which losses are to be told now, by scope; writes down the cover of each device.
    fn wanted(&mut self, now: UtcMs) -> BTreeMap<Scope, Vec<usize>> {
        let settle_ms = self.timing.settle_ms;
        let settled = |at: UtcMs| now.ms_since(at) >= settle_ms;
        let held = |back: Option<UtcMs>| back.is_some_and(|back| !settled(back));
        let is_due = |device: &Device| device.lost.as_ref().is_some_and(|lost| lost.cover.is_some() || settled(lost.at));

        let mut sites = vec![Tally::default(); self.sites.len()];
        let mut lenses = vec![Tally::default(); self.sites.len()];
        let mut parts = vec![Tally::default(); self.parts.len()];
        for device in self.devices.iter().filter(|d| d.counts()) {
            let (dark, due) = (device.lost.is_some() || device.gone.is_some_and(settled), is_due(device));
            if device.is_camera() {
                lenses[device.site].add(device, dark, due);
                continue;
            }
            sites[device.site].add(device, dark, due);
            if let Some(part) = device.part {
                parts[part].add(device, dark, due);
            }
        }
        let mut dark_parts = vec![(0, false); self.providers.len()];
        for (part, tally) in self.parts.iter().zip(&parts).filter(|(_, tally)| tally.all_dark()) {
            let (count, due) = &mut dark_parts[part.provider];
            *count += 1;
            *due |= tally.due;
        }
        let wide_provider: Vec<bool> = self
            .providers
            .iter()
            .zip(dark_parts)
            .map(|(provider, (count, due))| {
                (count >= PROVIDER_SITES && due) || (held(provider.back) && self.active.contains_key(&Scope::Provider(provider.id.clone())))
            })
            .collect();
        let wide_site: Vec<bool> = self
            .sites
            .iter()
            .zip(sites.iter().zip(&lenses))
            .map(|(site, (tally, lenses))| {
                (tally.all_dark() && tally.due && (tally.members >= 2 || tally.edge))
                    || (tally.members == 0 && lenses.all_dark() && lenses.due && lenses.members >= 2)
                    || (held(site.back) && self.active.contains_key(&Scope::Site(site.id.clone())))
            })
            .collect();

        let mut wanted: BTreeMap<Scope, Vec<usize>> = BTreeMap::new();
        for (at, device) in self.devices.iter_mut().enumerate() {
            let due = is_due(device);
            let Some(lost) = &mut device.lost else { continue };
            let by_provider = device.part.filter(|part| {
                let stays = lost.cover == Some(Cover::Provider) && held(self.parts[*part].back);
                wide_provider[self.parts[*part].provider] && (parts[*part].all_dark() || stays)
            });
            let (cover, scope) = if let Some(part) = by_provider {
                (Cover::Provider, Scope::Provider(self.providers[self.parts[part].provider].id.clone()))
            } else if wide_site[device.site] {
                (Cover::Site, Scope::Site(self.sites[device.site].id.clone()))
            } else if due {
                (Cover::Device, Scope::Device(device.what.device.clone()))
            } else {
                continue;
            };
            lost.cover = Some(cover);
            wanted.entry(scope).or_default().push(at);
        }
        wanted
    }

    fn detail(&self, scope: &Scope, at: &[usize]) -> String {
        match scope {
            Scope::Device(_) => at.first().map(|at| self.devices[*at].why_lost()).unwrap_or_default(),
            Scope::Site(site) => {
                let all = self.devices.iter().filter(|d| d.counts() && d.what.device.site == *site).count();
                format!("{} of {all} devices", at.len())
            }
            Scope::Provider(_) => {
                let mut sites: Vec<usize> = at.iter().map(|at| self.devices[*at].site).collect();
                sites.sort_unstable();
                sites.dedup();
                format!("{} devices of {} sites", at.len(), sites.len())
            }
        }
    }

    /// Why a trouble is over: its devices are back (none), gone from supervision, or told by another one.
    fn why_over(&self, scope: &Scope, before: &Active) -> Option<String> {
        let known: Vec<&Device> = before.devices.iter().filter_map(|d| self.index.get(d)).map(|at| &self.devices[*at]).collect();
        if known.iter().all(|d| d.what.interval_ms.is_none()) {
            return Some("no longer supervised".to_owned());
        }
        let lost = known.iter().find(|d| d.lost.is_some())?;
        let provider = || lost.what.provider.as_deref().unwrap_or_default();
        let cover = lost.lost.as_ref().and_then(|lost| lost.cover);
        Some(match (cover, scope) {
            (Some(Cover::Provider), _) => format!("part of provider {}", provider()),
            (Some(Cover::Site), Scope::Device(_)) => format!("part of site {}", lost.what.device.site),
            _ => "others are back".to_owned(),
        })
    }
}
