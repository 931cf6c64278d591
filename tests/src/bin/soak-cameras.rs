//! Cameras that drop, stall and come back at random, for half an hour: memory stays flat, every camera is back as soon as its
//! back-off allows, none is forgotten meanwhile.
//!
//! `cargo run --release -p qorgan-tests --bin soak-cameras -- --minutes 30 --cameras 100` (build `qorgan` and `camera-server` in
//! the same profile first)

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_tests::{
    camera_process::CameraProcess,
    clips::{self, Profile},
    fleet::{Fault, FaultLine},
    hub::{Hub, Options},
    process::{resident_mb, threads},
    report::{Report, quantile},
    sites,
    watch::{CameraWatch, Seen},
};

#[derive(Parser)]
struct Args {
    /// How long.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Cameras.
    #[arg(long, default_value_t = 100)]
    cameras: usize,
    /// How they encode.
    #[arg(long, value_enum, default_value_t = Profile::Sub)]
    profile: Profile,
    /// Worker threads of the hub.
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

type Failure = Box<dyn std::error::Error>;

/// Limit of the hub, in seconds.
const STALE_S: f64 = 7.0;
/// The same as a desk sees it.
const SEEN_WITHIN_S: f64 = STALE_S + 0.25;
/// The supervisor's longest back-off, in seconds.
const LONGEST_BACKOFF_S: f64 = 60.0;
/// What comes after it: an attempt that is not answered, log-in, the next key frame, a look.
const OPENING_S: f64 = 10.0 + 3.4 + STALE_S;
/// A hung camera is found out by the watchdog: so long without a picture.
const WATCHDOG_S: f64 = 10.0;
/// Memory settles for this part of the time: caches fill, decoders are made.
const WARM_UP: f64 = 0.2;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let cameras = CameraProcess::start(&clips::footage(args.profile)?, args.cameras, true)?;
    let dir = tempfile::tempdir()?;
    let models = format!("workers = {}\nstaleness_s = {}\n", args.workers, STALE_S as u32);
    let config = sites::many_cameras_with(dir.path(), args.cameras, &cameras.urls(), &models)?;
    let mut hub = Hub::start(&dir.path().join("state"), Options { config, ..Options::default() }).await?;
    let watch = CameraWatch::start(&hub.log_in("administrator").await?).await?;
    let (start, lasts) = (Instant::now(), Duration::from_secs_f64(args.minutes * 60.0));
    let (mut memory, mut most_threads) = (Vec::new(), 0);
    while start.elapsed() < lasts {
        tokio::time::sleep(Duration::from_secs(5)).await;
        if !hub.is_running() {
            return Err(format!("the hub ended:\n{}", hub.log()).into());
        }
        memory.push(resident_mb(hub.pid())?);
        most_threads = most_threads.max(threads(hub.pid())?);
        if memory.len() % 12 == 0 {
            let (now, faults) = (memory.last().copied().unwrap_or(0.0), cameras.faults().len());
            eprintln!("{:.0} min: {now:.0} MB, {faults} faults so far", start.elapsed().as_secs_f64() / 60.0);
        }
    }
    let end = Instant::now();
    let mut outages = outages(&cameras, &cameras.faults(), &watch.take(), (start, end));
    let mut report = Report::new("soak-cameras");
    report.figure("cameras", args.cameras);
    report.figure("minutes", args.minutes);
    report.figure("threads_max", most_threads);
    memory_figures(&mut report, &memory);
    outages.figures(&mut report, args.cameras);
    report.print();
    Ok(())
}

fn memory_figures(report: &mut Report, memory: &[f64]) {
    let settled = &memory[(memory.len() as f64 * WARM_UP) as usize..];
    let part = (settled.len() / 5).max(1);
    let median = |part: &[f64]| quantile(&mut part.to_vec(), 0.5);
    let (first, last) = (median(&settled[..part.min(settled.len())]), median(&settled[settled.len().saturating_sub(part)..]));
    report.figure("resident_mb_settled", first);
    report.figure("resident_mb_at_the_end", last);
    report.figure("resident_mb_max", memory.iter().copied().fold(0.0, f64::max));
    report.at_most("resident memory grows after warming up, percent", 5.0, ((last / first - 1.0) * 1e3).round() / 10.0);
}

/// What became of the cameras.
struct Outages {
    by_fault: HashMap<Fault, Vec<f64>>,
    too_long: usize,
    not_back: usize,
    starved: usize,
    longest_silence_s: f64,
    counted: usize,
}

/// For each fault how long after it the camera was counted again; and gaps between counts without any fault.
fn outages(cameras: &CameraProcess, faults: &[FaultLine], seen: &HashMap<String, Seen>, (start, end): (Instant, Instant)) -> Outages {
    let mut out = Outages { by_fault: HashMap::new(), too_long: 0, not_back: 0, starved: 0, longest_silence_s: 0.0, counted: 0 };
    let nothing = Seen::default();
    for camera in 0..cameras.phases_s.len() {
        let counts = &seen.get(&format!("{}/c{camera}", sites::SITE)).unwrap_or(&nothing).counts;
        out.counted += usize::from(!counts.is_empty());
        let mut away: Vec<(Instant, Instant)> = Vec::new();
        for fault in faults.iter().filter(|fault| fault.camera == camera) {
            let (from, until) = (cameras.at(fault.at_ms), cameras.at(fault.until_ms));
            // A camera that hangs is served again when it is over or when the watchdog has found out, whichever is later.
            let ready = if fault.fault == Fault::Stall { until.max(from + Duration::from_secs_f64(WATCHDOG_S)) } else { until };
            let allowed = LONGEST_BACKOFF_S + OPENING_S;
            // A count that was on its way when the fault came is not a return.
            let back = counts.iter().map(|count| count.at).find(|at| *at > ready && *at > from + Duration::from_secs(1));
            match back {
                Some(back) => {
                    let took = (back - ready).as_secs_f64();
                    out.by_fault.entry(fault.fault).or_default().push(took);
                    out.too_long += usize::from(took > allowed);
                    away.push((from, back));
                }
                None if (end.saturating_duration_since(ready)).as_secs_f64() > allowed => out.not_back += 1,
                None => away.push((from, end)),
            }
        }
        let first = counts.first().map_or(start, |count| count.at);
        let moments = counts.iter().map(|count| count.at).filter(|at| *at > first).chain([end]);
        let mut last = first;
        for at in moments {
            if !away.iter().any(|(from, back)| *from < at && last < *back) {
                let gap = (at - last).as_secs_f64();
                out.longest_silence_s = out.longest_silence_s.max(gap);
                out.starved += usize::from(gap > SEEN_WITHIN_S);
            }
            last = at;
        }
    }
    out
}

impl Outages {
    fn figures(&mut self, report: &mut Report, cameras: usize) {
        for (fault, name) in [(Fault::Drop, "drop"), (Fault::Stall, "stall"), (Fault::Cut, "cut"), (Fault::Refuse, "refuse")] {
            let took = self.by_fault.entry(fault).or_default();
            report.figure(&format!("faults_{name}"), took.len());
            if !took.is_empty() {
                report.figure(&format!("back_after_{name}_s_p50"), quantile(took, 0.5));
                report.figure(&format!("back_after_{name}_s_max"), quantile(took, 1.0));
            }
        }
        report.figure("longest_interval_between_counts_without_a_fault_s", self.longest_silence_s);
        report.at_least("cameras counted", cameras as f64, self.counted as f64);
        report.at_most("returns that took longer than the longest back-off and an opening", 0.0, self.too_long as f64);
        report.at_most("cameras that did not come back", 0.0, self.not_back as f64);
        report.at_most(&format!("intervals over {STALE_S} s while the camera was there"), 0.0, self.starved as f64);
    }
}
