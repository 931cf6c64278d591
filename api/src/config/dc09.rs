//! `[dc09]` and `[[site.panel]]`: the receiver of alarm panels, and the panels.

use std::{collections::HashSet, net::SocketAddr, path::Path};

use qorgan_domain::{DeviceId, DeviceRef, SiteId, Trilingual};
use qorgan_ingest::dc09::zone_key;
use serde::Deserialize;
use toml::Spanned;

use super::{Button, SecretSource, raw::RawSite, read::Check};

/// `[dc09]`
#[derive(Debug, Clone)]
pub struct Dc09 {
    /// TCP address; anything but loopback needs `require_encryption`.
    pub tcp: Option<SocketAddr>,
    /// UDP address, by the same rule.
    pub udp: Option<SocketAddr>,
    /// Hear encrypted frames only. Default: false.
    pub require_encryption: bool,
}

/// `[[site.panel]]`
#[derive(Debug, Clone)]
pub struct Panel {
    /// Site and device.
    pub id: DeviceRef,
    /// Name in three languages.
    pub name: Trilingual,
    /// Account, in capitals.
    pub account: String,
    /// Receiver number that it must send, if that matters.
    pub receiver: Option<String>,
    /// Line number that it must send, if that matters.
    pub line: Option<String>,
    /// AES key: 16, 24 or 32 characters, or hex digits (`hex:` or `text:` in front where it could be either).
    pub key: Option<SecretSource>,
    /// Longest silence, in seconds. Default: 90 (EN 50136, the best category).
    pub interval_s: u32,
    /// Network or alarm provider that connects it.
    pub provider: Option<String>,
    /// Zones that are buttons: pressed there, they are this button.
    pub zones: Vec<(String, DeviceRef)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDc09 {
    tcp: Option<Spanned<String>>,
    udp: Option<Spanned<String>>,
    #[serde(default)]
    require_encryption: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPanel {
    id: Spanned<String>,
    name: Trilingual,
    account: Spanned<String>,
    receiver: Option<Spanned<String>>,
    line: Option<Spanned<String>>,
    key_env: Option<String>,
    key_file: Option<String>,
    interval_s: Option<Spanned<u32>>,
    provider: Option<Spanned<String>>,
    #[serde(default)]
    zone: Vec<RawZone>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawZone {
    zone: Spanned<String>,
    button: Spanned<String>,
}

impl RawPanel {
    fn has_key(&self) -> bool {
        self.key_env.is_some() || self.key_file.is_some()
    }
}

impl Check<'_> {
    /// The receiver, and what concerns panels of different sites.
    pub(super) fn dc09(&mut self, raw: Option<RawDc09>, sites: &[RawSite]) -> Option<Dc09> {
        let mut seen = HashSet::new();
        for panel in sites.iter().flat_map(|site| &site.panel) {
            let number = |value: &Option<Spanned<String>>| value.as_ref().map(|value| zone_key(value.get_ref()));
            if !seen.insert((panel.account.get_ref().to_ascii_uppercase(), number(&panel.receiver), number(&panel.line))) {
                let account = panel.account.get_ref();
                self.problem(panel.account.span(), format!("account \"{account}\" stands twice with the same receiver and line"));
            }
        }
        let raw = raw?;
        if raw.tcp.is_none() && raw.udp.is_none() {
            self.problem(0..0, "dc09: give tcp, udp or both".into());
        }
        let (tcp, udp) = (self.listen(&raw.tcp, "dc09.tcp", &raw, sites), self.listen(&raw.udp, "dc09.udp", &raw, sites));
        if raw.require_encryption {
            for panel in sites.iter().flat_map(|site| &site.panel).filter(|panel| !panel.has_key()) {
                let message = format!("panel \"{}\" has no key_env or key_file, and dc09.require_encryption is set", panel.id.get_ref());
                self.problem(panel.id.span(), message);
            }
        }
        Some(Dc09 { tcp, udp, require_encryption: raw.require_encryption })
    }

    /// Nothing in clear leaves the machine.
    fn listen(&mut self, value: &Option<Spanned<String>>, what: &str, raw: &RawDc09, sites: &[RawSite]) -> Option<SocketAddr> {
        let value = value.as_ref()?;
        let address: SocketAddr = self.parse(value, what)?;
        let all_keys = sites.iter().flat_map(|site| &site.panel).all(RawPanel::has_key);
        if !(address.ip().is_loopback() || raw.require_encryption && all_keys) {
            let message = format!("{what} \"{address}\" is not loopback: that needs require_encryption = true and a key for every panel");
            self.problem(value.span(), message);
        }
        Some(address)
    }

    /// The panels of a site.
    pub(super) fn panels(
        &mut self,
        raw: Vec<RawPanel>,
        site: &SiteId,
        buttons: &[Button],
        base: &Path,
        seen: &mut HashSet<DeviceId>,
    ) -> Vec<Panel> {
        raw.into_iter().filter_map(|panel| self.panel(panel, site, buttons, base, seen)).collect()
    }

    fn panel(&mut self, raw: RawPanel, site: &SiteId, buttons: &[Button], base: &Path, seen: &mut HashSet<DeviceId>) -> Option<Panel> {
        let id = self.device(&raw.id, site, seen)?;
        let account = raw.account.get_ref();
        if !(1..=16).contains(&account.len()) || !account.bytes().all(|b| b.is_ascii_alphanumeric()) {
            self.problem(raw.account.span(), format!("panel \"{id}\": account \"{account}\" is not 1 to 16 letters and digits"));
        }
        for (value, what) in [(&raw.receiver, "receiver"), (&raw.line, "line")] {
            if let Some(value) = value
                && (!(1..=6).contains(&value.get_ref().len()) || !value.get_ref().bytes().all(|b| b.is_ascii_hexdigit()))
            {
                self.problem(value.span(), format!("panel \"{id}\": {what} \"{}\" is not 1 to 6 hex digits", value.get_ref()));
            }
        }
        if raw.key_env.is_some() && raw.key_file.is_some() {
            self.problem(raw.id.span(), format!("panel \"{id}\": give key_env or key_file, not both"));
        }
        let key = self.secret(raw.key_env, raw.key_file, base);
        let interval_s = raw.interval_s.as_ref().map_or(90, |value| *value.get_ref());
        if let Some(value) = &raw.interval_s
            && !(10..=604_800).contains(&interval_s)
        {
            self.problem(value.span(), format!("panel \"{id}\": interval_s {interval_s} is not 10 to 604800 seconds"));
        }
        let mut zones: Vec<(String, DeviceRef)> = Vec::new();
        for zone in raw.zone {
            let number = zone.zone.get_ref();
            if !(1..=8).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_hexdigit()) {
                self.problem(zone.zone.span(), format!("panel \"{id}\": zone \"{number}\" is not 1 to 8 digits"));
            }
            if zones.iter().any(|(known, _)| *known == zone_key(number)) {
                self.problem(zone.zone.span(), format!("panel \"{id}\": zone \"{number}\" stands twice"));
            }
            match buttons.iter().find(|button| button.id.device.as_str() == zone.button.get_ref()) {
                Some(button) => zones.push((zone_key(number), button.id.clone())),
                None => {
                    let message = format!("panel \"{id}\": there is no button \"{}\" at site \"{site}\"", zone.button.get_ref());
                    self.problem(zone.button.span(), message);
                }
            }
        }
        let number = |value: Option<Spanned<String>>| value.map(|value| zone_key(value.get_ref()));
        Some(Panel {
            id,
            name: raw.name,
            account: account.to_ascii_uppercase(),
            receiver: number(raw.receiver),
            line: number(raw.line),
            key,
            interval_s,
            provider: self.provider(raw.provider),
            zones,
        })
    }
}
