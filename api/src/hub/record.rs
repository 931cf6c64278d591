//! Clips: the last seconds of cameras that opted in, on disk, and what of them is kept when an alarm is raised at their site.
//!
//! Compressed video is written as it comes; nothing is decoded before somebody opens a clip. A disk that is full or slow costs
//! clips and nothing else.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::stream;
use qorgan_domain::{AlertId, DeviceRef, UtcMs};
use qorgan_ingest::{
    camera::TapItem,
    live::{ClipReader, Ring, RingLimits, Stamped},
};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    App,
    play::{Source, play},
    stills::Eyes,
    watch::Taps,
};
use crate::{
    error::chain,
    seeing::{ClipDoor, ClipInfo, ClipPlan},
};

/// Most bytes of one camera's ring: two minutes of 16 Mbit/s.
const RING_BYTES: u64 = 256 << 20;
/// Free space that clips leave to others.
const RESERVE_BYTES: u64 = 1 << 30;
/// The ring is longer than the clip by this: a group of pictures is written when it is over.
const MARGIN: Duration = Duration::from_secs(20);
/// A group that is longer than this many bytes is not kept.
const MAX_GROUP_BYTES: usize = 32 << 20;
/// How often is looked for alarms, and for what can be added to their clips.
const TICK: Duration = Duration::from_secs(2);
/// How often is looked for clips whose time is over.
const EXPIRE: Duration = Duration::from_secs(60);
/// A camera that cannot be tapped now is tried again.
const TAP_AGAIN: Duration = Duration::from_secs(5);
/// An alarm that is older than this when it is first seen was raised before this start: its clip is not there any more.
const OLD_MS: i64 = 60_000;

/// Where clips are, in a state directory.
fn clips_dir(state: &Path) -> PathBuf {
    state.join("clips")
}

fn folder(clips: &Path, alert: AlertId, camera: &DeviceRef) -> PathBuf {
    clips.join(alert.to_string()).join(camera.site.as_str()).join(camera.device.as_str())
}

/// Starts the task that follows cameras and alarms.
pub(super) fn start(app: &App, taps: &Taps, cancel: &CancellationToken) -> JoinHandle<()> {
    let (app, taps, cancel) = (app.clone(), taps.clone(), cancel.clone());
    tokio::spawn(async move {
        let _ = cancel.run_until_cancelled(keep(app, taps)).await;
    })
}

/// A camera that opted in, with the task that writes its ring; it ends with this.
struct Recorder {
    plan: ClipPlan,
    ring: Ring,
    _task: AbortOnDropHandle<()>,
}

/// Recorders as the cameras are set up now: cameras come, change and go while the hub runs.
fn follow(recorders: &mut BTreeMap<DeviceRef, Recorder>, app: &App, taps: &Taps) {
    let plans = app.clip_plans();
    recorders.retain(|_, recorder| plans.contains(&recorder.plan));
    for plan in plans.into_iter().filter(|plan| !recorders.contains_key(&plan.camera)).collect::<Vec<_>>() {
        let dir = app.config.hub.state_dir.join("ring").join(plan.camera.site.as_str()).join(plan.camera.device.as_str());
        let limits = RingLimits { keep: plan.before + plan.after + MARGIN, bytes: RING_BYTES, reserve: RESERVE_BYTES };
        match Ring::open(&dir, limits) {
            Ok(ring) => {
                let task = AbortOnDropHandle::new(tokio::spawn(record(taps.clone(), plan.camera.clone(), ring.clone())));
                recorders.insert(plan.camera.clone(), Recorder { plan, ring, _task: task });
            }
            Err(error) => tracing::error!(camera = %plan.camera, error = chain(&error), "no clips of this camera: its ring cannot be made"),
        }
    }
}

/// A camera's groups of pictures, written one by one.
async fn record(taps: Taps, camera: DeviceRef, ring: Ring) {
    loop {
        if let Some(mut tap) = taps.get().and_then(|cameras| cameras.tap(&camera)) {
            let mut group: Vec<Stamped> = Vec::new();
            let mut bytes = 0;
            while let Some(item) = tap.next().await {
                match item {
                    TapItem::Unit(unit) => {
                        if unit.key {
                            write(&ring, &camera, std::mem::take(&mut group)).await;
                            bytes = 0;
                        } else if group.is_empty() {
                            continue;
                        }
                        bytes += unit.data.len();
                        if bytes > MAX_GROUP_BYTES {
                            metrics::counter!("qorgan_clip_groups_lost_total", "why" => "too_large").increment(1);
                            group = Vec::new();
                            continue;
                        }
                        group.push(Stamped { at: unit.received_at, unit: unit.into() });
                    }
                    TapItem::Missed(_) | TapItem::Down(_) => write(&ring, &camera, std::mem::take(&mut group)).await,
                }
            }
        }
        tokio::time::sleep(TAP_AGAIN).await;
    }
}

async fn write(ring: &Ring, camera: &DeviceRef, group: Vec<Stamped>) {
    if group.is_empty() {
        return;
    }
    let ring = ring.clone();
    let written = tokio::task::spawn_blocking(move || ring.write(&group)).await;
    if let Ok(Err(error)) = written {
        metrics::counter!("qorgan_clip_groups_lost_total", "why" => "disk").increment(1);
        tracing::warn!(%camera, error = chain(&error), "a part of the ring for clips was not written");
    }
}

/// A clip that is being kept: what comes within its time is still added.
struct Wanted {
    alert: AlertId,
    camera: DeviceRef,
    from: UtcMs,
    to: UtcMs,
}

/// Follows cameras and alarms, and deletes clips on time.
async fn keep(app: App, taps: Taps) {
    let clips = clips_dir(&app.config.hub.state_dir);
    let (mut tick, mut expire) = (tokio::time::interval(TICK), tokio::time::interval(EXPIRE));
    let mut recorders: BTreeMap<DeviceRef, Recorder> = BTreeMap::new();
    let mut seen: BTreeMap<AlertId, UtcMs> = BTreeMap::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                follow(&mut recorders, &app, &taps);
                let now = app.clock.utc();
                let open = app.engine.open_alerts();
                for alert in open.iter().filter(|alert| alert.lifts_mask()) {
                    if seen.insert(alert.id, now).is_some() {
                        continue;
                    }
                    // A gathering that grew over its safety limit was raised long before: what counts is now.
                    let crowd = matches!(alert.cause, qorgan_domain::alert::Cause::Crowd(_));
                    let at = if crowd { now } else { alert.raised_at };
                    if now.ms_since(at) > OLD_MS {
                        continue;
                    }
                    for (camera, Recorder { plan, .. }) in recorders.iter().filter(|(camera, _)| alert.site.as_ref() == Some(&camera.site)) {
                        wanted.push(Wanted { alert: alert.id, camera: camera.clone(), from: at - plan.before, to: at + plan.after });
                    }
                }
                seen.retain(|id, _| open.iter().any(|alert| alert.id == *id));
                for one in &wanted {
                    if let Some(Recorder { ring, .. }) = recorders.get(&one.camera) {
                        link(&app, &clips, one, ring.clone()).await;
                    }
                }
                wanted.retain(|one| now < one.to + MARGIN);
            }
            _ = expire.tick() => {
                let (clips, plans, now) = (clips.clone(), app.clip_plans(), app.clock.utc());
                let done = tokio::task::spawn_blocking(move || delete_expired(&clips, &plans, now)).await;
                if let Ok(Err(error)) = done {
                    tracing::error!(error = chain(&error), "clips whose time is over could not be deleted; tried again in a minute");
                }
            }
        }
    }
}

async fn link(app: &App, clips: &Path, one: &Wanted, ring: Ring) {
    let (from, to, into) = (one.from, one.to, folder(clips, one.alert, &one.camera));
    let fresh = !into.exists();
    let kept = tokio::task::spawn_blocking(move || ring.keep(from, to, &into)).await;
    match kept {
        Ok(Ok(groups)) if fresh && groups > 0 => {
            let subject = format!("camera/{} clip/{}", one.camera, one.alert);
            let why = format!("alert {}", one.alert);
            if let Err(error) = app.audit("system/hub", "system", "clip.keep", &subject, Some(&why)).await {
                tracing::error!(error = chain(&error), "that a clip is kept could not be written down");
            }
        }
        Ok(Err(error)) => tracing::warn!(alert = %one.alert, camera = %one.camera, error = chain(&error), "a clip could not be kept"),
        _ => {}
    }
}

/// How long a clip is kept whose camera does not opt in any more: not at all longer than the shortest that can be configured.
const KEPT_BY_DEFAULT: Duration = Duration::from_secs(86_400);

fn delete_expired(clips: &Path, plans: &[ClipPlan], now: UtcMs) -> io::Result<()> {
    for info in all(clips, plans)? {
        if info.expires_at <= now {
            std::fs::remove_dir_all(folder(clips, AlertId(info.alert), &info.camera))?;
            metrics::counter!("qorgan_clips_expired_total").increment(1);
        }
    }
    Ok(())
}

/// Every clip on disk.
fn all(clips: &Path, plans: &[ClipPlan]) -> io::Result<Vec<ClipInfo>> {
    let mut found = Vec::new();
    for (alert, alert_dir) in folders(clips)? {
        let Ok(alert) = alert.parse::<i64>() else { continue };
        for (site, site_dir) in folders(&alert_dir)? {
            for (device, dir) in folders(&site_dir)? {
                let Ok(camera) = format!("{site}/{device}").parse::<DeviceRef>() else { continue };
                let Some((from, to, bytes)) = ClipReader::extent(&dir)? else { continue };
                let keep = plans.iter().find(|plan| plan.camera == camera).map_or(KEPT_BY_DEFAULT, |plan| plan.keep);
                found.push(ClipInfo { alert, camera, from, to, bytes, expires_at: to + keep });
            }
        }
    }
    found.sort_by(|a, b| (b.from, &a.camera).cmp(&(a.from, &b.camera)));
    Ok(found)
}

fn folders(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    Ok(found)
}

/// The door to clips for the API.
pub(super) fn door(state: &Path, eyes: Arc<Eyes>) -> ClipDoor {
    let (clips, listed) = (clips_dir(state), clips_dir(state));
    ClipDoor {
        list: Box::new(move |plans| all(&listed, plans)),
        play: Box::new(move |alert, camera, lifted, privacy| {
            let Ok(reader) = ClipReader::open(&folder(&clips, AlertId(alert), &camera)) else { return Box::pin(stream::empty()) };
            play(Source::Clip(Some(reader)), camera, eyes.clone(), lifted, privacy)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_listed_newest_first_and_deleted_when_their_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let yard: DeviceRef = "school-17/yard".parse().unwrap();
        let group = |alert: i64, from: i64, to: i64| {
            let into = folder(dir.path(), AlertId(alert), &yard);
            std::fs::create_dir_all(&into).unwrap();
            std::fs::write(into.join(format!("{from:015}-{to:015}.gop")), b"x").unwrap();
        };
        group(1, 1_000, 3_000);
        group(2, 50_000, 53_000);
        std::fs::create_dir_all(dir.path().join("noise")).unwrap();
        let second = Duration::from_secs(1);
        let kept = [ClipPlan { camera: yard.clone(), before: second, after: second, keep: Duration::from_secs(10) }];
        let listed = all(dir.path(), &kept).unwrap();
        assert_eq!(listed.iter().map(|clip| clip.alert).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((listed[1].from, listed[1].to, listed[1].expires_at), (UtcMs(1_000), UtcMs(3_000), UtcMs(13_000)));
        delete_expired(dir.path(), &kept, UtcMs(12_999)).unwrap();
        assert_eq!(all(dir.path(), &kept).unwrap().len(), 2);
        delete_expired(dir.path(), &kept, UtcMs(13_000)).unwrap();
        assert_eq!(all(dir.path(), &kept).unwrap().iter().map(|clip| clip.alert).collect::<Vec<_>>(), [2]);
        assert!(all(&dir.path().join("nowhere"), &kept).unwrap().is_empty());
    }
}
