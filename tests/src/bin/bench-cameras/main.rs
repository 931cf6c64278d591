//! How many cameras one machine carries: real RTSP sessions of real footage, a whole hub process, the real detector.
//!
//! The cameras are a process of their own ([`qorgan_tests::fleet`]); its CPU time is reported apart, though it runs on the same
//! cores. The hub is `qorgan run` with a generated configuration: nothing of it is left out. What a camera costs is read from
//! `/proc` and the hub's own metrics, whether every camera is looked at in time from the event stream, as a desk sees it.
//!
//! ```text
//! cargo run --release -p qorgan-tests --bin bench-cameras -- --cameras 400 --profile sub --seconds 60
//! cargo run --release -p qorgan-tests --bin bench-cameras -- --cameras 80 --profile main --seconds 60 --peer
//! ```
//!
//! Build `qorgan` and `camera-server` in the same profile first. `--full` is both profiles at their goals, with peers.

mod hub;
mod notice;
mod peer;
mod speed;

use clap::Parser;
use hub::{Load, Measured, measure};
use qorgan_tests::{clips::Profile, report::Report};

#[derive(Parser)]
struct Args {
    /// Cameras.
    #[arg(long, default_value_t = 400)]
    cameras: usize,
    /// How they encode.
    #[arg(long, value_enum, default_value_t = Profile::Sub)]
    profile: Profile,
    /// Seconds that each figure is measured for.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Compare with a full decode and the same detector, and with an OpenCV loop in Python.
    #[arg(long)]
    peer: bool,
    /// 400 cameras with sub streams, then 80 with main streams, both with peers.
    #[arg(long)]
    full: bool,
    /// Worker threads of the hub.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Python with opencv-python-headless and onnxruntime; made in a scratch folder when absent.
    #[arg(long)]
    python: Option<std::path::PathBuf>,
    /// The figures of a peer: this program runs itself so, as a process of its own.
    #[command(subcommand)]
    inner: Option<peer::Inner>,
}

type Failure = Box<dyn std::error::Error>;

/// Longest time between two looks at a camera, in seconds; the hub's default.
const STALE_S: f64 = 7.0;
/// Longest interval that still counts as within the limit: a count is seen on its way through broker, fusion and event stream.
const SEEN_WITHIN_S: f64 = STALE_S + 0.25;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    if let Some(inner) = &args.inner {
        return inner.run();
    }
    let mut report = Report::new("bench-cameras");
    let runs = if args.full { vec![(Profile::Sub, 400), (Profile::Main, 80)] } else { vec![(args.profile, args.cameras)] };
    for (profile, cameras) in runs {
        let few = (cameras / 10).max(4).min(cameras);
        let load = |cameras| Load { profile, cameras, seconds: args.seconds, workers: args.workers };
        let p = profile.as_str();
        report.figure(&format!("{p}_one_pass_ms_before"), round(speed::pass_ms()?));
        let small = measure(&load(few)).await?;
        let large = measure(&load(cameras)).await?;
        report.figure(&format!("{p}_one_pass_ms_after"), round(speed::pass_ms()?));
        figures(&mut report, profile, &small, &large);
        report.so_far();
        if args.peer || args.full {
            peer::compare(&mut report, profile, &large, args.seconds, args.python.as_deref())?;
            report.so_far();
            notice::compare(&mut report, profile, args.workers, args.seconds, args.python.as_deref()).await?;
        }
    }
    report.print();
    Ok(())
}

fn figures(report: &mut Report, profile: Profile, small: &Measured, large: &Measured) {
    let p = profile.as_str();
    for m in [small, large] {
        let n = m.cameras;
        let figure = |report: &mut Report, name: &str, value: f64| report.figure(&format!("{p}_{n}_{name}"), round(value));
        for (step, ms) in &m.steps {
            figure(report, &format!("cpu_ms_per_camera_second_{step}"), *ms);
        }
        figure(report, "cpu_ms_per_camera_second", m.cpu_ms());
        figure(report, "cpu_cores", m.cpu_ms() * n as f64 / 1e3);
        figure(report, "camera_server_cpu_cores", m.server_cores);
        figure(report, "counts_per_s", m.counts_per_s);
        figure(report, "analysed_per_s", m.analysed_per_s);
        figure(report, "unchanged_per_s", m.unchanged_per_s);
        figure(report, "longest_interval_s_p50", m.interval(0.5));
        figure(report, "longest_interval_s_p99", m.interval(0.99));
        figure(report, "longest_interval_s_max", m.interval(1.0));
        figure(report, "resident_mb", m.resident_mb);
        report.figure(&format!("{p}_{n}_threads"), m.threads);
    }
    let n = large.cameras;
    let late = large.longest_s.iter().filter(|s| **s > SEEN_WITHIN_S).count();
    report.at_least(&format!("{p}: cameras counted"), n as f64, large.longest_s.len() as f64);
    report.at_most(&format!("{p}: cameras of {n} not looked at within {STALE_S} s"), 0.0, late as f64);
    let added = (large.resident_mb - small.resident_mb) / (large.cameras - small.cameras).max(1) as f64;
    report.at_most(&format!("{p}: MB of resident memory that one more camera takes"), 1.0, round(added));
    report.figure(&format!("{p}_{n}_resident_mb_per_camera_models_included"), round(large.resident_mb / n as f64));
    report.at_most(
        &format!("{p}: threads more with {n} cameras than with {}", small.cameras),
        0.0,
        large.threads as f64 - small.threads as f64,
    );
    report.at_most(
        &format!("{p}: CPU per camera with {n} cameras, as a share of that with {}", small.cameras),
        1.0,
        round(large.cpu_ms() / small.cpu_ms()),
    );
    let cores = (large.cpu_ms() * n as f64) / 1e3;
    report.at_most(&format!("{p}: cores for {n} cameras"), 2.0, round(cores + large.server_cores));
}

/// To three digits after the point.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
