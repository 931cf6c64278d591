//! The way of a frame, by step, and what one camera costs a running hub.
//!
//! First in this process: key frames of the demo's footage through decoder, change gate, detector and broker. Then a real hub
//! process with N cameras over RTSP: its CPU time per camera and second, network and parsing apart from decoding and counting.
//! The camera server's own CPU is not counted. `cargo run --release -p qorgan-tests --bin bench-frame -- --cameras 24 --seconds 30`

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_domain::{Clock, Count, CountSource, DeviceRef, SystemClock, topic::Principal};
use qorgan_inference::{Catalogue, ChangeGate, CrowdModel, Detector, ModelDirs, Runtime};
use qorgan_ingest::{
    camera::{CameraSpec, Cameras, Decoder, KeyFrame, KeyFrames, Settings, Wait},
    mqtt::{Doors, NotStored, embedded},
};
use qorgan_tests::{
    cameras::{CameraServer, Mount},
    hub::{Hub, Options},
    paths, process,
    report::{Report, quantile},
    sites,
};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Args {
    /// Cameras of the running hub.
    #[arg(long, default_value_t = 24)]
    cameras: usize,
    /// Seconds that it is watched for.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Key frames for the steps.
    #[arg(long, default_value_t = 100)]
    frames: usize,
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let mut report = Report::new("bench-frame");
    let footage = paths::var().join("footage");
    let mounts = [Mount::new("campus", footage.join("campus.mp4"))];
    let server = CameraServer::start(0, &mounts, None)?;
    steps(&args, &server.url("campus"), &mut report).await?;
    camera_cost(&args, &server.urls(), &mut report).await?;
    report.print();
    Ok(())
}

/// Decoded picture to published count, and the steps before it.
async fn steps(args: &Args, url: &str, report: &mut Report) -> Result<(), Failure> {
    let frames = collect(url).await?;
    let runtime = Runtime::load(&paths::onnxruntime())?;
    let dirs = ModelDirs::new(paths::root().join("models"), paths::var());
    let mut detector = Detector::load(&runtime, Catalogue::read(&dirs)?.get("nanodet-g-416")?, &dirs, 1)?;
    let broker = embedded::Broker::start(embedded::Config::default(), Arc::new(open_doors())).await?;
    let (decoder, mut gate) = (Decoder::new(), ChangeGate::new(Duration::ZERO));
    let mut samples: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for frame in frames.iter().cycle().take(args.frames) {
        let start = Instant::now();
        let picture = decoder.decode(frame)?;
        let decoded = Instant::now();
        let _ = gate.judge(&picture, decoded);
        gate.analysed(decoded);
        let gated = Instant::now();
        let estimate = detector.estimate(&picture)?;
        let counted = Instant::now();
        let count = Count {
            camera: frame.camera.clone(),
            at: SystemClock.utc(),
            people: estimate.people,
            low: estimate.low,
            high: estimate.high,
            source: CountSource::Model(estimate.model),
            unchanged: false,
            zones: Vec::new(),
            flows: Vec::new(),
        };
        broker.publish_count(&count).await?;
        let published = Instant::now();
        let mut add = |name, from: Instant, to: Instant| samples.entry(name).or_default().push((to - from).as_secs_f64() * 1e3);
        add("decode", start, decoded);
        add("change_gate", decoded, gated);
        add("count", gated, counted);
        add("publish", counted, published);
        add("picture_to_published", decoded, published);
    }
    broker.stop().await;
    for (name, samples) in &mut samples {
        report.figure(&format!("{name}_p50_ms"), quantile(samples, 0.5));
        report.figure(&format!("{name}_p99_ms"), quantile(samples, 0.99));
    }
    Ok(())
}

/// Key frames of a camera, as the hub gets them.
async fn collect(url: &str) -> Result<Vec<KeyFrame>, Failure> {
    let frames = Arc::new(KeyFrames::new());
    let camera: DeviceRef = "school-18/c0".parse()?;
    let (health, _inbox) = tokio::sync::mpsc::channel(64);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let cancel = CancellationToken::new();
    let cameras =
        Cameras::start(vec![CameraSpec::new(camera.clone(), url.parse()?)], &frames, &health, &clock, &Settings::default(), &cancel);
    eprintln!("taking key frames for 12 s");
    let until = Instant::now() + Duration::from_secs(12);
    let mut taken = Vec::new();
    while Instant::now() < until {
        let waiting = frames.clone();
        if tokio::task::spawn_blocking(move || waiting.wait(Duration::from_millis(500))).await? == Wait::Ready {
            taken.extend(frames.take(&camera));
        }
    }
    cameras.stop().await;
    if taken.is_empty() { Err("no key frame came".into()) } else { Ok(taken) }
}

fn open_doors() -> Doors {
    Doors {
        authenticate: Box::new(|_, _| None::<Principal>),
        known_device: Box::new(|_| true),
        commit_alarm: Box::new(|_| Box::pin(futures::future::ready(Err(NotStored::Busy)))),
        event: Box::new(|_| true),
        foreign: Vec::new(),
        clock: Arc::new(SystemClock),
    }
}

/// CPU time of a running hub per camera and second.
async fn camera_cost(args: &Args, urls: &[String], report: &mut Report) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let config = sites::many_cameras(dir.path(), args.cameras, urls)?;
    let hub = Hub::start(&dir.path().join("state"), Options { config, ..Options::default() }).await?;
    eprintln!("{} cameras, settling for 10 s, then {} s", args.cameras, args.seconds);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let admin = hub.log_in("administrator").await?;
    let (threads_before, metrics_before) = (process::thread_cpu_ms(hub.pid())?, sums(&admin.text("/metrics").await?));
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(args.seconds.max(1))).await;
    let seconds = start.elapsed().as_secs_f64();
    let (threads_after, metrics_after) = (process::thread_cpu_ms(hub.pid())?, sums(&admin.text("/metrics").await?));
    let per_camera = |ms: f64| ms / seconds / args.cameras as f64;
    let delta = |name: &str| metrics_after.get(name).unwrap_or(&0.0) - metrics_before.get(name).unwrap_or(&0.0);
    let threads = |count: bool| -> f64 {
        let of = |cpu: &BTreeMap<String, f64>| -> f64 {
            cpu.iter().filter(|(name, _)| name.contains("count-") == count).map(|(_, ms)| ms).sum()
        };
        of(&threads_after) - of(&threads_before)
    };
    let (workers, others) = (threads(true), threads(false));
    let decode = delta("qorgan_decode_seconds_sum") * 1e3;
    report.figure("cameras", args.cameras);
    report.figure("frames_per_s", delta("qorgan_frame_seconds_count") / seconds);
    report.figure("cpu_ms_per_camera_second", per_camera(workers + others));
    report.figure("cpu_ms_per_camera_second_network_and_hub", per_camera(others));
    report.figure("cpu_ms_per_camera_second_decode", per_camera(decode.min(workers)));
    report.figure("cpu_ms_per_camera_second_count", per_camera((workers - decode).max(0.0)));
    report.figure("resident_mb", process::resident_mb(hub.pid())?);
    report.figure("threads", threads_after.len());
    Ok(())
}

/// `_sum` and `_count` lines of the metrics, labels added up.
fn sums(metrics: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for line in metrics.lines().filter(|l| !l.starts_with('#')) {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let name = name.split('{').next().unwrap_or(name);
        if name.ends_with("_sum") || name.ends_with("_count") {
            *sums.entry(name.to_owned()).or_insert(0.0) += value.parse::<f64>().unwrap_or(0.0);
        }
    }
    sums
}
