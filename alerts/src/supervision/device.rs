//! One device: what it said, whether it is lost, and what else is wrong with it.

use std::collections::{BTreeSet, VecDeque};

use qorgan_domain::{
    DeviceRef, SignKind, UtcMs,
    sign::{FLOOD, Scope, Trouble, TroubleKind},
};
use serde::{Deserialize, Serialize};

use super::{CHATTER_CALM_MS, CHATTER_LOSSES, CHATTER_WINDOW_MS, Class, DeviceStatus, State, Supervised, Timing};

/// A battery at or below this is low, and above [`BATTERY_OK_PERCENT`] it is not any more.
pub(super) const BATTERY_LOW_PERCENT: u8 = 20;
pub(super) const BATTERY_OK_PERCENT: u8 = 25;
/// A clock further off than this is a trouble, and closer than [`CLOCK_OK_MS`] it is not any more.
pub(super) const CLOCK_BAD_MS: i64 = 60_000;
pub(super) const CLOCK_OK_MS: i64 = 30_000;
/// A flood is over when so long nothing was held back.
const FLOOD_OVER_MS: i64 = 60_000;
/// Fault codes that are remembered of one device.
const MAX_FAULTS: usize = 16;
/// Times of losses that are remembered of one device.
const LOSSES: usize = CHATTER_LOSSES + 1;

/// What a device said about itself; kept over a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Health {
    pub(super) battery_percent: Option<u8>,
    pub(super) battery_low: bool,
    pub(super) tamper: bool,
    pub(super) mains_gone: bool,
    pub(super) clock_offset_ms: Option<i64>,
    pub(super) clock_bad: bool,
    pub(super) faults: BTreeSet<String>,
    pub(super) lost_since: Option<i64>,
}

/// By which trouble a loss is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    Device,
    Site,
    Provider,
}

#[derive(Debug)]
pub(super) struct Lost {
    pub(super) at: UtcMs,
    /// None while it is held back.
    pub(super) cover: Option<Cover>,
    pub(super) chattering: bool,
    /// The first proof of life after it.
    back: Option<UtcMs>,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) what: Supervised,
    pub(super) site: usize,
    pub(super) part: Option<usize>,
    pub(super) seen: Option<UtcMs>,
    /// Its connection broke and it has not been heard since.
    pub(super) gone: Option<UtcMs>,
    pub(super) lost: Option<Lost>,
    pub(super) health: Health,
    flood_until: Option<UtcMs>,
    losses: VecDeque<UtcMs>,
    /// Troubles that were told, each with its explanation and beginning.
    shown: Vec<(TroubleKind, Option<String>, UtcMs)>,
    /// The last state that was kept.
    pub(super) kept: Option<(UtcMs, Health)>,
}

impl Device {
    pub(super) fn new(what: Supervised, site: usize, part: Option<usize>) -> Self {
        Self {
            what,
            site,
            part,
            seen: None,
            gone: None,
            lost: None,
            health: Health::default(),
            flood_until: None,
            losses: VecDeque::new(),
            shown: Vec::new(),
            kept: None,
        }
    }

    pub(super) fn gone(&mut self, at: UtcMs) {
        if self.seen.is_none_or(|seen| at >= seen) {
            self.gone.get_or_insert(at);
        }
    }

    /// Takes a proof of life; whether a list of devices now shows something else.
    pub(super) fn heard(&mut self, kind: &SignKind, at: UtcMs) -> bool {
        let first = self.seen.is_none();
        self.seen = self.seen.max(Some(at));
        self.gone = None;
        if let Some(lost) = &mut self.lost {
            lost.back.get_or_insert(at);
        }
        if matches!(kind, SignKind::Alive | SignKind::Test | SignKind::Gone) {
            return first;
        }
        let before = self.health.clone();
        let health = &mut self.health;
        match kind {
            SignKind::Battery { percent, low } => {
                health.battery_percent = percent.map(|p| p.min(100)).or(health.battery_percent.filter(|_| *low));
                let enough = if health.battery_low { BATTERY_OK_PERCENT } else { BATTERY_LOW_PERCENT };
                health.battery_low = *low || percent.is_some_and(|p| p <= enough);
            }
            SignKind::Mains { ok } => health.mains_gone = !ok,
            SignKind::Tamper { open } => health.tamper = *open,
            SignKind::Clock { offset_ms } => {
                health.clock_offset_ms = Some(*offset_ms);
                let good_ms = if health.clock_bad { CLOCK_OK_MS - 1 } else { CLOCK_BAD_MS };
                health.clock_bad = offset_ms.saturating_abs() > good_ms;
            }
            SignKind::Fault { ok, code } if code == FLOOD => {
                self.flood_until = if *ok { None } else { Some(UtcMs(at.0.saturating_add(FLOOD_OVER_MS))) };
            }
            SignKind::Fault { ok: true, code } => {
                health.faults.remove(code);
            }
            SignKind::Fault { ok: false, code } => {
                if health.faults.len() < MAX_FAULTS {
                    health.faults.insert(code.chars().take(32).collect());
                }
            }
            SignKind::Alive | SignKind::Test | SignKind::Gone => {}
        }
        first || before != self.health
    }

    /// Whether it is lost now. `hears_since`: since when the hub could have heard it, none while it cannot.
    pub(super) fn judge(&mut self, hears_since: Option<UtcMs>, timing: Timing, now: UtcMs) {
        // A clock that was set back must not make a device live in the future.
        self.seen = self.seen.map(|seen| seen.min(now));
        let (Some(interval_ms), Some(seen)) = (self.what.interval_ms, self.seen) else {
            self.lost = None;
            return;
        };
        let silent = hears_since.is_some_and(|since| {
            let from = if seen < since { UtcMs(since.0.saturating_add(timing.start_grace_ms)) } else { seen };
            now.ms_since(from) > interval_ms
        });
        let Some(lost) = &mut self.lost else {
            if silent {
                let chattering = self.lost_again(now);
                self.lost = Some(Lost { at: now, cover: None, chattering, back: None });
                self.health.lost_since = Some(now.0);
            }
            return;
        };
        if silent {
            lost.back = None;
            return;
        }
        let calm_ms = if lost.chattering { CHATTER_CALM_MS } else { 0 };
        if lost.back.is_some_and(|back| now.ms_since(back) >= calm_ms) {
            if lost.chattering {
                self.losses.clear();
            }
            self.lost = None;
            self.health.lost_since = None;
        }
    }

    /// Remembers a loss; whether there are too many of them.
    fn lost_again(&mut self, now: UtcMs) -> bool {
        if self.losses.len() == LOSSES {
            self.losses.pop_front();
        }
        self.losses.push_back(now);
        self.losses.iter().filter(|at| now.ms_since(**at) <= CHATTER_WINDOW_MS).count() > CHATTER_LOSSES
    }

    /// It was lost when the hub ended, and a trouble says so.
    pub(super) fn restore_lost(&mut self, at: UtcMs, cover: Cover) {
        self.seen.get_or_insert(at);
        self.lost = Some(Lost { at, cover: Some(cover), chattering: false, back: None });
        self.health.lost_since = Some(at.0);
    }

    /// A trouble of this kind stood when the hub ended. The trouble is newer than what was kept of the device.
    pub(super) fn restore_condition(&mut self, kind: TroubleKind, detail: Option<String>, since: UtcMs, now: UtcMs) {
        match kind {
            TroubleKind::Battery => self.health.battery_low = true,
            TroubleKind::Mains => self.health.mains_gone = true,
            TroubleKind::Tamper => self.health.tamper = true,
            TroubleKind::Clock => self.health.clock_bad = true,
            TroubleKind::Fault if self.health.faults.is_empty() => {
                let codes = detail.as_deref().unwrap_or("unknown").split(", ").take(MAX_FAULTS);
                self.health.faults = codes.map(str::to_owned).collect();
            }
            TroubleKind::Flood => self.flood_until = Some(UtcMs(now.0.saturating_add(FLOOD_OVER_MS))),
            TroubleKind::Fault | TroubleKind::Lost | TroubleKind::Badge => {}
        }
        if kind != TroubleKind::Lost {
            self.shown.push((kind, detail, since));
        }
    }

    /// Tells what is wrong besides silence, and what is not any more.
    pub(super) fn conditions(&mut self, now: UtcMs, told: &mut Vec<Trouble>, ends: &mut Vec<Trouble>) {
        if self.flood_until.is_some_and(|until| now >= until) {
            self.flood_until = None;
        }
        let wrong = self.wrong();
        if wrong.is_empty() && self.shown.is_empty() {
            return;
        }
        self.shown.retain(|(kind, _, since)| {
            let stays = wrong.iter().any(|(still, _)| still == kind);
            if !stays {
                ends.push(end(&self.what.device, *kind, *since, None));
            }
            stays
        });
        for (kind, detail) in wrong {
            let old = self.shown.iter_mut().find(|(shown, _, _)| *shown == kind);
            let since = match old {
                // The offset of a clock is never twice the same: no news.
                Some((_, shown, _)) if *shown == detail || kind == TroubleKind::Clock => continue,
                Some((_, shown, since)) => {
                    shown.clone_from(&detail);
                    *since
                }
                None => {
                    self.shown.push((kind, detail.clone(), now));
                    now
                }
            };
            let device = self.what.device.clone();
            let scope = Scope::Device(device.clone());
            told.push(Trouble { scope, kind, devices: vec![device], since, detail, active: true, reason: None });
        }
    }

    fn wrong(&self) -> Vec<(TroubleKind, Option<String>)> {
        let health = &self.health;
        let mut wrong = Vec::new();
        if health.battery_low {
            wrong.push((TroubleKind::Battery, health.battery_percent.map(|p| format!("battery {p} %"))));
        }
        if health.mains_gone {
            wrong.push((TroubleKind::Mains, None));
        }
        if health.tamper {
            wrong.push((TroubleKind::Tamper, None));
        }
        if health.clock_bad {
            wrong.push((TroubleKind::Clock, health.clock_offset_ms.map(|ms| format!("clock {:+} s", ms / 1_000))));
        }
        if !health.faults.is_empty() {
            wrong.push((TroubleKind::Fault, self.fault()));
        }
        if self.flood_until.is_some() {
            wrong.push((TroubleKind::Flood, None));
        }
        wrong
    }

    fn fault(&self) -> Option<String> {
        let codes: Vec<&str> = self.health.faults.iter().map(String::as_str).collect();
        (!codes.is_empty()).then(|| codes.join(", "))
    }

    /// Ends of its troubles, when it is taken out.
    pub(super) fn farewell(self) -> impl Iterator<Item = Trouble> {
        let device = self.what.device;
        self.shown.into_iter().map(move |(kind, _, since)| end(&device, kind, since, Some("no longer supervised".to_owned())))
    }

    pub(super) fn state(&self) -> State {
        match (&self.lost, self.what.interval_ms, self.seen) {
            (Some(_), _, _) => State::Lost,
            (None, None, _) => State::Unsupervised,
            (None, Some(_), None) => State::Never,
            (None, Some(_), Some(_)) => State::Ok,
        }
    }

    pub(super) fn status(&self) -> DeviceStatus {
        DeviceStatus {
            device: self.what.device.clone(),
            class: self.what.class,
            state: self.state(),
            seen_at: self.seen,
            interval_ms: self.what.interval_ms,
            battery_percent: self.health.battery_percent,
            battery_low: self.health.battery_low,
            tamper: self.health.tamper,
            mains_ok: !self.health.mains_gone,
            clock_offset_ms: self.health.clock_offset_ms,
            fault: self.fault(),
            provider: self.what.provider.clone(),
        }
    }

    /// Why it counts as lost, in words.
    pub(super) fn why_lost(&self) -> String {
        let seconds = self.what.interval_ms.unwrap_or(0) / 1_000;
        match &self.lost {
            Some(lost) if lost.chattering => "comes and goes".to_owned(),
            _ if self.is_camera() => format!("no picture for {seconds} s"),
            _ => format!("no sign for {seconds} s"),
        }
    }

    /// Whether its silence is judged, and it was heard before: only such a device can make a site dark.
    pub(super) fn counts(&self) -> bool {
        self.what.interval_ms.is_some() && self.seen.is_some()
    }

    pub(super) fn is_camera(&self) -> bool {
        self.what.class == Class::Camera
    }

    pub(super) fn is_edge(&self) -> bool {
        self.what.class == Class::Edge
    }
}

fn end(device: &DeviceRef, kind: TroubleKind, since: UtcMs, reason: Option<String>) -> Trouble {
    Trouble { scope: Scope::Device(device.clone()), kind, devices: Vec::new(), since, detail: None, active: false, reason }
}
