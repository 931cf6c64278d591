//! Brings the compliance meter its figures: every ten seconds a look at every camera, every minute a line in the store.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use qorgan_alerts::store::CameraHour;
use qorgan_domain::{DeviceRef, Sign, SignKind, UtcMs};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::compliance::{Criterion, Known, Settling, failed, judge, troubles};
use crate::{config::CameraKind, error::chain, hub::App};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);
/// A pause longer than this is a hub that slept: nobody knows what the cameras did.
const LONGEST_LOOK_S: i64 = 30;
/// Looks between two writes.
const WRITE_LOOKS: u32 = 6;
/// Hours are kept so long: 30 days, and one to be whole.
const KEPT: Duration = Duration::from_secs(31 * 86_400);
const HOUR_MS: i64 = 3_600_000;

/// What the meter remembers; in [`crate::hub::Shared`].
#[derive(Debug, Default)]
pub struct Meter(Mutex<HashMap<DeviceRef, Of>>);

#[derive(Debug, Clone, Default)]
struct Of {
    /// Seconds that are not written yet, by hour: worked, looked.
    hours: BTreeMap<i64, (i64, i64)>,
    /// Sums in the store when they were read last.
    day_s: (i64, i64),
    month_s: (i64, i64),
    clock_offset_ms: Option<i64>,
    settling: Settling,
    /// What stood when the hub ended was looked up.
    begun: bool,
    known: Known,
}

impl Meter {
    /// The criteria of a camera, and what they were judged by.
    pub fn of(&self, app: &App, id: &DeviceRef) -> (Vec<Criterion>, Known) {
        let known = self.lock().get(id).map(|of| of.known.clone()).unwrap_or_default();
        (judge(&known, &app.config.cameras, app.clock.utc()), known)
    }

    /// What a camera says of its clock: how far it is ahead, in milliseconds; none when it does not say any more.
    pub fn clock(&self, id: &DeviceRef, offset_ms: Option<i64>) {
        self.lock().entry(id.clone()).or_default().clock_offset_ms = offset_ms;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceRef, Of>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until cancelled.
pub(crate) async fn run(app: App, cancel: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut looks, mut last) = (0_u32, app.clock.utc());
    read_sums(&app).await;
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = look.tick() => {}
        }
        let now = app.clock.utc();
        let passed_s = now.ms_since(last) / 1_000;
        last = now;
        look_at_all(&app, if (0..=LONGEST_LOOK_S).contains(&passed_s) { passed_s } else { 0 }, now);
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(WRITE_LOOKS) {
            write(&app).await;
            read_sums(&app).await;
        }
    }
    write(&app).await;
}

fn look_at_all(app: &App, passed_s: i64, now: UtcMs) {
    let setups = app.cameras.setups();
    let mut all = app.meter.lock();
    all.retain(|id, _| app.cameras.contains(id));
    let settle_ms = i64::from(app.config.cameras.settle_s) * 1_000;
    let mut signs = Vec::new();
    for setup in setups {
        let id = &setup.id;
        let of = all.entry(id.clone()).or_default();
        if !of.begun {
            of.begun = true;
            let said = app.supervision().device(id).and_then(|status| status.fault);
            of.settling = Settling::standing(said.as_deref().unwrap_or_default());
        }
        let control = app.control.get().filter(|_| setup.is_counted_here());
        if let Some(control) = control {
            // What somebody carries around is seen, never counted.
            (control.pause)(id, setup.kind == CameraKind::Badge || app.cameras.counts_itself(id, now));
        }
        let stream = control.and_then(|control| (control.figures)(id));
        let picture = control.and_then(|control| (control.picture)(id));
        let counted_at = app.cameras.last(id).and_then(|(at, _)| at);
        let alive_at = stream.as_ref().and_then(|s| s.last_picture_at).max(counted_at);
        let silence_ms = i64::from(app.config.cameras.max_silence_s) * 1_000;
        let works = alive_at.is_some_and(|at| now.ms_since(at) <= silence_ms);
        let hour = of.hours.entry(now.0 - now.0.rem_euclid(HOUR_MS)).or_default();
        hour.0 += if works { passed_s } else { 0 };
        hour.1 += passed_s;
        let unwritten = of.hours.values().fold((0, 0), |sum, hour| (sum.0 + hour.0, sum.1 + hour.1));
        let with = |(live, known): (i64, i64)| (live + unwritten.0, known + unwritten.1);
        let (day_s, month_s) = (with(of.day_s), with(of.month_s));
        of.known = Known { day_s, month_s, stream, picture, clock_offset_ms: of.clock_offset_ms, alive_at };
        if let Some(at) = alive_at {
            signs.push(Sign { device: id.clone(), at, kind: SignKind::Alive });
        }
        let criteria = judge(&of.known, &app.config.cameras, now);
        for (code, begins) in of.settling.take(&troubles(&criteria), settle_ms, now) {
            signs.push(Sign { device: id.clone(), at: now, kind: SignKind::Fault { ok: !begins, code: code.to_owned() } });
        }
        if let Some(view) = app.cameras.judged(id, failed(&criteria), now) {
            app.show_camera(view);
        }
    }
    drop(all);
    for sign in signs {
        app.sign(&sign);
    }
}

async fn read_sums(app: &App) {
    let now = app.clock.utc();
    let read = async {
        let day = app.store.camera_uptime(now - Duration::from_secs(86_400)).await?;
        Ok::<_, qorgan_alerts::Error>((day, app.store.camera_uptime(now - Duration::from_secs(30 * 86_400)).await?))
    };
    match read.await {
        Ok((day, month)) => {
            let mut all = app.meter.lock();
            for (id, live, known) in day {
                all.entry(id).or_default().day_s = (live, known);
            }
            for (id, live, known) in month {
                all.entry(id).or_default().month_s = (live, known);
            }
        }
        Err(error) => tracing::warn!(error = chain(&error), "the cameras' hours could not be read"),
    }
}

async fn write(app: &App) {
    let mut hours = Vec::new();
    for (id, of) in app.meter.lock().iter_mut() {
        let made = std::mem::take(&mut of.hours).into_iter().filter(|(_, (_, known_s))| *known_s > 0);
        hours.extend(made.map(|(hour, (live_s, known_s))| CameraHour { camera: id.clone(), hour_at: UtcMs(hour), live_s, known_s }));
    }
    if hours.is_empty() {
        return;
    }
    let written = app.store.add_camera_hours(&hours).await;
    if let Err(error) = written {
        tracing::warn!(error = chain(&error), "the cameras' hours could not be written; they are written with the next ones");
        let mut all = app.meter.lock();
        for hour in hours {
            let sum = all.entry(hour.camera).or_default().hours.entry(hour.hour_at.0).or_default();
            (sum.0, sum.1) = (sum.0 + hour.live_s, sum.1 + hour.known_s);
        }
        return;
    }
    if let Err(error) = app.store.forget_camera_hours(app.clock.utc() - KEPT).await {
        tracing::warn!(error = chain(&error), "old hours of cameras could not be forgotten");
    }
}
