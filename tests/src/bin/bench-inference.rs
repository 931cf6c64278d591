//! What a frame costs from decoded picture to count: preprocessing by picture size, a run with one and two threads, and
//! two sessions side by side against one with two threads.
//!
//! ```text
//! cargo run --release -p qorgan-tests --bin bench-inference
//! ```

use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_domain::I420;
use qorgan_inference::{
    Catalogue, ChangeGate, CrowdModel, Detector, ModelDirs, Normalisation, Region, Runtime, fill_input, quality::Quality,
};
use qorgan_tests::{
    paths,
    report::{Report, quantile},
};

/// Side of the detector's input, in pixels.
const SIDE: usize = 416;

/// Measures the inference of one frame.
#[derive(Parser)]
struct Args {
    /// Runs per figure.
    #[arg(long, default_value_t = 60)]
    runs: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runs = Args::parse().runs.max(1);
    let runtime = Runtime::load(&paths::onnxruntime())?;
    let dirs = ModelDirs::new(paths::root().join("models"), paths::var());
    let catalogue = Catalogue::read(&dirs)?;
    let manifest = catalogue.get("nanodet-g-416")?;
    let open = |threads, tiles| Detector::load(&runtime, manifest, &dirs, threads).map(|detector| detector.tuned(None, Some(tiles)));
    let mut report = Report::new("bench-inference");

    for (width, height) in [(640, 360), (768, 576), (1280, 720), (1920, 1080)] {
        let picture = picture(width, height);
        let normalisation = manifest.normalisation();
        let mut input = vec![0.0; 3 * SIDE * SIDE];
        let region = Region::whole(&picture);
        let (placed, _) = region.fitted((SIDE, SIDE));
        let fill = p50(runs, || fill(&picture, region, placed, &normalisation, &mut input));
        let mut gate = ChangeGate::new(Duration::MAX);
        let judge = p50(runs, || {
            gate.judge(&picture, Instant::now());
        });
        line(&mut report, &format!("preprocess_{width}x{height}_ms_p50"), fill);
        line(&mut report, &format!("change_gate_{width}x{height}_ms_p50"), judge);
        let mut quality = Quality::default();
        let look = p50(runs, || {
            quality.look(&picture, Instant::now());
        });
        line(&mut report, &format!("picture_quality_{width}x{height}_ms_p50"), look);
    }

    let picture = picture(768, 576);
    let estimate = |detector: &mut Detector| detector.estimate(&picture).map(drop);
    for threads in [1, 2] {
        let mut detector = open(threads, 1)?;
        estimate(&mut detector)?;
        let one = p50(runs, || drop(estimate(&mut detector)));
        line(&mut report, &format!("one_pass_{threads}_threads_ms_p50"), one);
        let mut detector = open(threads, 2)?;
        estimate(&mut detector)?;
        let whole = p50(runs, || drop(estimate(&mut detector)));
        line(&mut report, &format!("frame_768x576_{threads}_threads_ms_p50"), whole);
    }

    let side_by_side = throughput(vec![open(1, 1)?, open(1, 1)?], &picture, runs);
    let alone = throughput(vec![open(2, 1)?], &picture, runs);
    line(&mut report, "two_sessions_one_thread_each_passes_per_s", side_by_side);
    line(&mut report, "one_session_two_threads_passes_per_s", alone);
    report.print();
    Ok(())
}

fn fill(picture: &I420, region: Region, placed: (usize, usize), normalisation: &Normalisation, input: &mut [f32]) {
    fill_input(picture, region, placed, (SIDE, SIDE), normalisation, input);
}

/// A picture with structure; what it shows does not change the cost.
fn picture(width: usize, height: usize) -> I420 {
    let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
    let plane = |count: usize, step: usize| (0..count).map(|i| (16 + i * step % 211) as u8).collect();
    I420 {
        width,
        height,
        y: plane(width * height, 31),
        u: plane(columns * rows, 17),
        v: plane(columns * rows, 7),
        y_stride: width,
        uv_stride: columns,
    }
}

/// Median time of a run, in ms, after a few that warm up.
fn p50(runs: usize, mut run: impl FnMut()) -> f64 {
    (0..3).for_each(|_| run());
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    quantile(&mut times, 0.5)
}

/// Passes per second of all detectors together, each in a thread of its own.
fn throughput(detectors: Vec<Detector>, picture: &I420, runs: usize) -> f64 {
    let count = detectors.len();
    let start = Instant::now();
    thread::scope(|scope| {
        for mut detector in detectors {
            scope.spawn(move || (0..runs).for_each(|_| drop(detector.detect(picture))));
        }
    });
    (count * runs) as f64 / start.elapsed().as_secs_f64()
}

fn line(report: &mut Report, name: &str, value: f64) {
    println!("{name:48} {value:8.3}");
    report.figure(name, (value * 1e3).round() / 1e3);
}
