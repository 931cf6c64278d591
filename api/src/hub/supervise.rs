//! Supervision at work: signs come from the doors, time from here, troubles go to the engine, what must outlive a
//! restart to the store.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use qorgan_alerts::{
    Store,
    badge::{BadgeRules, Badges, Verdict},
    supervision::{Class, Life, Supervised, Supervision, Timing},
};
use qorgan_domain::{
    DeviceRef, Event, Sign, SignKind, UtcMs,
    alert::{Alert, Cause},
    badge::Segment,
    sign::Trouble,
    wire::{HealthV1, Presence},
};
use qorgan_ingest::mqtt::EDGE;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{App, Change, Mode, Shared};
use crate::{
    config::{Camera, CameraKind, Config},
    error::chain,
};

const TICK: Duration = Duration::from_secs(1);
/// Name of what is kept of badges.
const BADGES: &str = "badges";
/// Last proofs of life are written this often.
const KEEP: Duration = Duration::from_secs(10);

impl Shared {
    /// Who was heard last when.
    pub fn supervision(&self) -> std::sync::MutexGuard<'_, Supervision> {
        self.supervision.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device gave proof of life; one that lies in the future is of now.
    pub fn alive(&self, device: &DeviceRef, at: UtcMs) {
        self.supervision().alive(device, at.min(self.clock.utc()));
    }

    /// An enrolled phone is among the devices; its silence means nothing.
    pub fn know_phone(&self, device: &DeviceRef, seen_at: Option<UtcMs>) {
        self.supervision().add(Supervised { device: device.clone(), class: Class::Phone, interval_ms: None, provider: None });
        if let Some(at) = seen_at {
            self.alive(device, at);
        }
    }

    /// A sign of life of any door. An edge box is under supervision from its first sign on.
    pub fn sign(&self, sign: &Sign) {
        match sign.kind {
            SignKind::Gone => self.badges().gone(&sign.device, sign.at),
            _ => self.badges().back(&sign.device),
        }
        let mut supervision = self.supervision();
        if sign.device.device.as_str() == EDGE && sign.kind != SignKind::Gone && supervision.device(&sign.device).is_none() {
            supervision.add(edge_box(&self.config, sign.device.clone()));
        }
        supervision.sign(sign);
    }

    /// A camera is among the devices from now on. A bad picture and a wrong clock are its troubles; its silence is one where the hub
    /// itself takes the pictures, and of a badge everything that [`qorgan_alerts::badge`] says.
    pub fn watch_camera(&self, camera: &Camera) {
        if camera.kind == CameraKind::Badge {
            self.badges().add(camera.id.clone());
            return;
        }
        self.supervision().add(supervised(&self.config, camera, self.takes_pictures()));
    }

    /// Whether this hub takes pictures itself.
    fn takes_pictures(&self) -> bool {
        self.control.get().is_some()
    }

    /// Body-worn cameras.
    pub fn badges(&self) -> std::sync::MutexGuard<'_, Badges> {
        self.badges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A badge is watched no longer.
    pub fn forget_badge(&self, badge: &DeviceRef) {
        self.badges().remove(badge);
    }

    /// A badge has finished a segment.
    pub fn segment(&self, segment: &Segment) {
        let verdict = match self.badges().segment(segment) {
            Some(Verdict::InPlace) => "in_place",
            Some(Verdict::Repeat) => "repeat",
            Some(Verdict::Missing(_)) => "missing",
            Some(Verdict::Broken) => "broken",
            Some(Verdict::Rewritten) => "rewritten",
            None => "unknown_badge",
        };
        metrics::counter!("qorgan_badge_segments_total", "verdict" => verdict).increment(1);
    }

    /// A unit said where it is; so are the badges it wears.
    pub fn badge_positions(&self, unit: &qorgan_domain::UnitId, at: UtcMs) {
        let worn = self.cameras.setups().into_iter().filter(|camera| camera.unit.as_ref() == Some(unit));
        let mut badges = self.badges();
        worn.for_each(|camera| badges.positioned(&camera.id, at.min(self.clock.utc())));
    }

    /// What a health message says of a device.
    pub(super) fn health(&self, device: &DeviceRef, health: &HealthV1, received_at: UtcMs, retained: bool) {
        let sign = |kind| self.sign(&Sign { device: device.clone(), at: received_at, kind });
        if health.state == Presence::Offline {
            return sign(SignKind::Gone);
        }
        // What a broker kept from before is no proof of life: only the next message of the device itself is.
        if retained {
            return;
        }
        sign(SignKind::Alive);
        if let Some(percent) = health.battery_percent {
            sign(SignKind::Battery { percent: Some(percent), low: false });
        }
        if let Some(open) = health.tamper {
            sign(SignKind::Tamper { open });
        }
        if let Some(ok) = health.mains {
            sign(SignKind::Mains { ok });
        }
        if let Some(at) = health.at {
            sign(SignKind::Clock { offset_ms: at.ms_since(received_at) });
        }
    }
}

/// The devices of the configuration, and what is known of them from before.
pub(super) async fn prepare(
    config: &Config,
    mode: Mode,
    store: &Store,
    open: &[std::sync::Arc<Alert>],
    now: UtcMs,
) -> Result<Supervision, qorgan_alerts::Error> {
    let rules = &config.supervision;
    let timing = Timing { settle_ms: i64::from(rules.settle_s) * 1_000, start_grace_ms: i64::from(rules.start_grace_s) * 1_000 };
    let lives = store.lives().await?;
    let buttons = config.buttons().map(|(site, button)| Supervised {
        device: button.id.clone(),
        class: Class::Button,
        interval_ms: button.interval_s.or(site.interval_s).or(rules.button_interval_s).map(ms),
        provider: site.provider.clone(),
    });
    let panels = config.panels().map(|(site, panel)| Supervised {
        device: panel.id.clone(),
        class: Class::Panel,
        // With the door closed nothing is heard of any panel.
        interval_ms: config.dc09.as_ref().map(|_| ms(panel.interval_s)),
        provider: panel.provider.clone().or_else(|| site.provider.clone()),
    });
    let own = mode != Mode::Centre;
    let cameras = config.cameras().filter(|(_, camera)| camera.kind != CameraKind::Badge);
    let cameras = cameras.map(|(_, camera)| supervised(config, camera, own));
    let is_box = |life: &&Life| life.device.device.as_str() == EDGE && config.sites.iter().any(|s| s.id == life.device.site);
    let boxes = lives.iter().filter(is_box).map(|life| edge_box(config, life.device.clone()));
    let mut supervision = Supervision::new(timing, buttons.chain(panels).chain(cameras).chain(boxes), now);
    supervision.restore(lives, open.iter().filter_map(|alert| standing(alert)), now);
    Ok(supervision)
}

/// A camera is a figure of the compliance meter before it is a device: only what the hub itself looks at can be lost.
fn supervised(config: &Config, camera: &Camera, own: bool) -> Supervised {
    let site = config.sites.iter().find(|site| site.id == camera.id.site);
    let interval_ms = (own && camera.is_counted_here()).then(|| ms(config.cameras.max_silence_s.max(camera.staleness_s.unwrap_or(0))));
    Supervised { device: camera.id.clone(), class: Class::Camera, interval_ms, provider: site.and_then(|site| site.provider.clone()) }
}

/// Badges of the configuration, and what is known of them from before.
pub(super) async fn badges(config: &Config, store: &Store, now: UtcMs) -> Result<Badges, qorgan_alerts::Error> {
    let mut badges = Badges::new(BadgeRules::default(), now);
    for (_, camera) in config.cameras().filter(|(_, camera)| camera.kind == CameraKind::Badge) {
        badges.add(camera.id.clone());
    }
    badges.restore(&store.meta(BADGES).await?.unwrap_or_default());
    Ok(badges)
}

fn edge_box(config: &Config, device: DeviceRef) -> Supervised {
    let provider = config.sites.iter().find(|s| s.id == device.site).and_then(|s| s.provider.clone());
    Supervised { device, class: Class::Edge, interval_ms: Some(ms(config.supervision.edge_interval_s)), provider }
}

fn ms(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000
}

/// The trouble of an open alert, unless it is over and somebody only has not closed it.
fn standing(alert: &Alert) -> Option<Trouble> {
    match &alert.cause {
        Cause::Trouble(evidence) if alert.is_open() && alert.subsided_at.is_none() => Some(Trouble {
            scope: evidence.scope.clone(),
            kind: evidence.trouble,
            devices: evidence.devices.clone(),
            since: evidence.since,
            detail: evidence.detail.clone(),
            active: true,
            reason: None,
        }),
        _ => None,
    }
}

/// Ticks until cancelled, then writes down who was heard last when.
pub(super) async fn supervise(app: App, cancel: CancellationToken) {
    describe();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = tick.tick() => {}
        }
        let hears = app.mqtt.get().is_some_and(|mqtt| mqtt.is_connected());
        let (troubles, changed, (lost, total)) = {
            let (mut supervision, now) = (app.supervision(), app.clock.utc());
            supervision.hears_mqtt(hears, now);
            (supervision.tick(now), supervision.take_changed(), supervision.totals())
        };
        let troubles = troubles.into_iter().chain({
            let (mut badges, now) = (app.badges(), app.clock.utc());
            badges.hears(hears, now);
            badges.tick(now)
        });
        metrics::gauge!("qorgan_devices_lost").set(lost as f64);
        metrics::gauge!("qorgan_devices_supervised").set(total as f64);
        for trouble in troubles {
            tracing::info!(scope = ?trouble.scope, kind = trouble.kind.as_str(), active = trouble.active,
                devices = trouble.devices.len(), "trouble");
            if app.engine.tell(Event::Trouble(trouble)).await.is_err() {
                tracing::error!("a trouble was not taken: the engine has ended");
            }
        }
        if changed {
            app.ring.push([Change::Devices]);
        }
        if kept.elapsed() >= KEEP {
            keep(&app, false).await;
            kept = Instant::now();
        }
    }
    keep(&app, true).await;
}

async fn keep(app: &App, every: bool) {
    let badges = app.badges().to_keep();
    if badges != "{}"
        && let Err(error) = app.store.set_meta(BADGES, &badges).await
    {
        tracing::warn!(error = chain(&error), "what is known of badges could not be kept; it is kept with the next");
    }
    let lives = app.supervision().to_keep(every);
    if lives.is_empty() {
        return;
    }
    if let Err(error) = app.store.keep_lives(&lives).await {
        tracing::warn!(error = chain(&error), "last proofs of life could not be kept; they are kept with the next ones");
        app.supervision().not_kept(&lives);
    }
}

fn describe() {
    metrics::describe_gauge!("qorgan_devices_lost", "Supervised devices that were not heard within their interval");
    metrics::describe_gauge!("qorgan_devices_supervised", "Buttons, panels, edge boxes and phones that are known");
}
