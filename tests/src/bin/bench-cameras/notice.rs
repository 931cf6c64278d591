//! How long it takes until five more people are noticed: a clip in which they come from one frame to the next, at a moment of its
//! own for every camera.

use std::{path::Path, time::Instant};

use qorgan_tests::{
    camera_process::CameraProcess,
    clips::{self, COMERS, Profile, Step},
    report::{Report, quantile},
    sites,
};

use crate::{
    Failure,
    hub::{Load, start_hub},
    peer::{USUAL_RATE, peers},
    round,
    speed::detector,
};

/// Cameras of the hub, and of a peer.
const CAMERAS: (usize, usize) = (24, 2);
/// More than half of the five, so that one gained or lost by the detector is no notice.
const NOTICED: f64 = 0.5 * COMERS as f64;
/// Every camera sees them come at least once in this time.
const AT_LEAST_S: u64 = 70;

/// Medians of the hub and of every peer, at the rate people use and at the hub's own.
pub(crate) async fn compare(
    report: &mut Report,
    profile: Profile,
    workers: usize,
    seconds: u64,
    python: Option<&Path>,
) -> Result<(), Failure> {
    let step = clips::step(profile, &mut detector()?)?;
    let seconds = seconds.max(AT_LEAST_S);
    let p = profile.as_str();

    let cameras = CameraProcess::start(&step.file, CAMERAS.0, false)?;
    let dir = tempfile::tempdir()?;
    let load = Load { profile, cameras: CAMERAS.0, seconds, workers };
    let (_hub, _admin, watch) = start_hub(dir.path(), &load, &cameras.urls()).await?;
    eprintln!("hub: waiting for the five who come, {seconds} s");
    let from = Instant::now();
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    let seen = watch.take();
    let mut delays = Vec::new();
    let mut rate = 0.0;
    for camera in 0..CAMERAS.0 {
        let Some(seen) = seen.get(&format!("{}/c{camera}", sites::SITE)) else { continue };
        let counts: Vec<(Instant, f64)> = seen.counts.iter().map(|count| (count.at, count.people)).collect();
        rate += counts.iter().filter(|(at, _)| *at > from).count() as f64 / seconds as f64 / CAMERAS.0 as f64;
        delays.extend(noticed(&step, &cameras, camera, &counts));
    }
    drop(cameras);
    figures(report, &format!("{p}_hub"), &mut delays);

    for peer in peers(report, python) {
        for (rate, how) in [(rate, "equal_rate"), (USUAL_RATE, "5_per_s")] {
            let cameras = CameraProcess::start(&step.file, CAMERAS.1, false)?;
            eprintln!("peer {}: waiting for the five who come, {rate:.2} frames a second", peer.name());
            let (seen, _) = peer.run(&cameras.urls(), rate, (2 * seconds) as f64)?;
            let mut delays = Vec::new();
            for camera in 0..CAMERAS.1 {
                let counts: Vec<(Instant, f64)> = seen.iter().filter(|s| s.camera == camera).map(|s| (s.at, s.people)).collect();
                delays.extend(noticed(&step, &cameras, camera, &counts));
            }
            figures(report, &format!("{p}_peer_{}_{how}", peer.name()), &mut delays);
        }
    }
    Ok(())
}

fn figures(report: &mut Report, name: &str, delays: &mut [Option<f64>]) {
    let mut found: Vec<f64> = delays.iter().flatten().copied().collect();
    report.figure(&format!("{name}_five_come_times"), delays.len());
    report.figure(&format!("{name}_five_come_noticed"), found.len());
    report.figure(&format!("{name}_five_come_noticed_after_s_p50"), round(quantile(&mut found, 0.5)));
}

/// For each time that the five came to a camera: seconds until its count had risen by more than half of them; none when it never
/// did before they left.
fn noticed(step: &Step, cameras: &CameraProcess, camera: usize, counts: &[(Instant, f64)]) -> Vec<Option<f64>> {
    let Some(phase) = cameras.phases_s.get(camera) else { return Vec::new() };
    let at = |instant: Instant| instant.saturating_duration_since(cameras.started).as_secs_f64();
    let (Some(first), Some(last)) = (counts.first(), counts.last()) else { return Vec::new() };
    let stays = step.length_s - step.at_s;
    (0..)
        .map(|round| (step.at_s - phase).rem_euclid(step.length_s) + f64::from(round) * step.length_s)
        .skip_while(|came| *came < at(first.0) + 8.0)
        .take_while(|came| came + stays <= at(last.0))
        .filter_map(|came| {
            let mut before: Vec<f64> = counts.iter().filter(|(t, _)| (came - 20.0..came).contains(&at(*t))).map(|(_, n)| *n).collect();
            if before.is_empty() {
                return None;
            }
            let usual = quantile(&mut before, 0.5);
            let after = counts.iter().find(|(t, n)| (came..came + stays).contains(&at(*t)) && *n >= usual + NOTICED);
            Some(after.map(|(t, _)| at(*t) - came))
        })
        .collect()
}
