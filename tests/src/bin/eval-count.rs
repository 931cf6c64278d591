//! How far the counts are from what a person sees: the whole pipeline on a clip whose people were counted by eye
//! (`tests/data/vtest-truth.md` says how), from the file and through RTSP.
//!
//! ```text
//! cargo run --release -p qorgan-tests --bin eval-count -- --rtsp --verbose
//! ```
//!
//! Threshold, tiles and error rates in the manifest were chosen on the even rows of the truth (0, 2, 4 ...); the odd rows
//! were left out, and are reported by themselves. `--sweep` prints what the choice was made from.

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_domain::{Clock, I420, SystemClock};
use qorgan_inference::{Catalogue, CrowdModel, Detector, Estimate, ModelDirs, Runtime};
use qorgan_ingest::camera::{
    CameraSpec, Cameras, Decoder, KeyFrames, Settings,
    file::{Which, frames},
};
use qorgan_tests::{
    cameras::{CameraServer, Mount, clip_frame},
    paths,
    report::{Report, quantile},
};
use tokio_util::sync::CancellationToken;

/// Frames per second and number of frames of vtest.avi and all clips made of it at its own speed.
const FRAMES_PER_S: f64 = 10.0;
const FRAMES: u64 = 795;

/// Longest wait for all frames over RTSP: a round of the clip takes 79.5 s.
const RTSP_LIMIT: Duration = Duration::from_secs(180);

/// Counts people on frames whose true number is known, and says how wrong the counts are.
#[derive(Parser)]
struct Args {
    /// Table of the truth: frame,time_s,people,doubtful,note.
    #[arg(long, default_value_os_t = paths::root().join("tests/data/vtest-truth.csv"))]
    truth: PathBuf,
    /// Clip at 10 frames a second whose frame numbers are those of vtest.avi.
    #[arg(long, default_value_os_t = paths::var().join("footage/campus-eval.mp4"))]
    clip: PathBuf,
    /// Also through RTSP: the clip must have a key frame at every frame of the truth. Takes 80 s.
    #[arg(long)]
    rtsp: bool,
    /// Print a line per frame.
    #[arg(long)]
    verbose: bool,
    /// Print the error for many thresholds and numbers of tiles, then stop.
    #[arg(long)]
    sweep: bool,
    /// Detector, by the name in its manifest.
    #[arg(long, default_value = "nanodet-g-416")]
    model: String,
    /// Another number of tiles than the manifest's.
    #[arg(long)]
    tiles: Option<usize>,
    /// Another score threshold than the manifest's.
    #[arg(long)]
    threshold: Option<f32>,
}

/// A row of the truth.
#[derive(Debug, Clone, Copy)]
struct Truth {
    people: f32,
    doubtful: f32,
}

/// A counted frame.
struct Row {
    truth: Truth,
    estimate: Estimate,
    cost: Duration,
}

type Rows = BTreeMap<u64, Row>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args = Args::parse();
    let truth = read_truth(&args.truth)?;
    let runtime = Runtime::load(&paths::onnxruntime())?;
    let dirs = ModelDirs::new(paths::root().join("models"), paths::var());
    let catalogue = Catalogue::read(&dirs)?;
    let manifest = catalogue.get(&args.model)?;
    let open = || Detector::load(&runtime, manifest, &dirs, 1);
    if args.sweep {
        return sweep(&args.clip, &truth, &open);
    }
    let mut detector = open()?;
    if args.threshold.is_some() || args.tiles.is_some() {
        detector = detector.tuned(args.threshold, args.tiles);
    }

    let file = from_file(&args.clip, &truth, &mut detector)?;
    print("file", &file, args.verbose);
    let mut report = Report::new("eval-count");
    let all = Stats::of(file.values());
    report.figure("frames", file.len());
    figures(&mut report, "file", &file);
    report.at_most("mean absolute error from the file, in people", 0.8, all.mae);
    if args.rtsp {
        let rtsp = over_rtsp(&args.clip, &truth, &mut detector)?;
        print("RTSP", &rtsp, args.verbose);
        figures(&mut report, "rtsp", &rtsp);
        let differing = file.iter().filter(|(frame, row)| rtsp.get(frame).is_none_or(|other| other.estimate.people != row.estimate.people));
        report.at_most("mean absolute error through RTSP, in people", 0.8, Stats::of(rtsp.values()).mae);
        report.at_most("frames whose counts from file and RTSP differ", 0.0, differing.count() as f64);
    }
    report.print();
    Ok(())
}

fn read_truth(path: &Path) -> Result<BTreeMap<u64, Truth>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rows = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let bad = || format!("{}, line {}: expected frame,time_s,people,doubtful,note, found {line:?}", path.display(), number + 1);
        let mut fields = line.splitn(5, ',');
        let mut field = || fields.next().ok_or_else(bad);
        let (frame, _time, people, doubtful) = (field()?, field()?, field()?, field()?);
        let truth = Truth { people: people.parse().map_err(|_| bad())?, doubtful: doubtful.parse().map_err(|_| bad())? };
        rows.insert(frame.parse().map_err(|_| bad())?, truth);
    }
    Ok(rows)
}

/// The clip's frames that the truth knows, from the file.
fn pictures(clip: &Path, truth: &BTreeMap<u64, Truth>) -> Result<Vec<(u64, I420)>> {
    let mut found = Vec::new();
    for frame in frames(clip, Which::All)? {
        let (at, picture) = frame?;
        let number = clip_frame(at, FRAMES_PER_S, FRAMES);
        if truth.contains_key(&number) {
            found.push((number, picture));
        }
    }
    if found.len() != truth.len() {
        return Err(format!("{}: {} of {} frames of the truth found", clip.display(), found.len(), truth.len()).into());
    }
    Ok(found)
}

fn count(picture: &I420, truth: Truth, detector: &mut Detector) -> Result<Row> {
    let start = Instant::now();
    let estimate = detector.estimate(picture)?;
    Ok(Row { truth, estimate, cost: start.elapsed() })
}

fn from_file(clip: &Path, truth: &BTreeMap<u64, Truth>, detector: &mut Detector) -> Result<Rows> {
    pictures(clip, truth)?.into_iter().map(|(number, picture)| Ok((number, count(&picture, truth[&number], detector)?))).collect()
}

/// The same frames as the hub gets them: a server, RTSP over TCP, key frames, the shared decoder. A frame is known by its RTP
/// time stamp, which the server derives from the clip.
fn over_rtsp(clip: &Path, truth: &BTreeMap<u64, Truth>, detector: &mut Detector) -> Result<Rows> {
    let server = CameraServer::start(0, &[Mount::new("eval", clip)], None)?;
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let key_frames = Arc::new(KeyFrames::new());
    let camera = "eval/campus".parse()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (health, _health) = tokio::sync::mpsc::channel(64);
    let stop = CancellationToken::new();
    let url = server.url("eval").parse()?;
    let spec = CameraSpec::new(camera, url);
    let camera = spec.id.clone();
    let cameras = {
        let _inside = tokio.enter();
        Cameras::start(vec![spec], &key_frames, &health, &clock, &Settings::default(), &stop)
    };
    let (mut rows, decoder, start) = (Rows::new(), Decoder::new(), Instant::now());
    while rows.len() < truth.len() && start.elapsed() < RTSP_LIMIT {
        key_frames.wait(Duration::from_secs(1));
        let Some(frame) = key_frames.take(&camera) else { continue };
        let number = clip_frame(frame.media_time, FRAMES_PER_S, FRAMES);
        if let (Some(known), false) = (truth.get(&number), rows.contains_key(&number)) {
            rows.insert(number, count(&decoder.decode(&frame)?, *known, detector)?);
        }
    }
    tokio.block_on(cameras.stop());
    if rows.len() < truth.len() {
        return Err(format!("{} of {} frames of the truth came over RTSP within {RTSP_LIMIT:?}", rows.len(), truth.len()).into());
    }
    Ok(rows)
}

/// How wrong counts are.
struct Stats {
    /// Mean absolute error, in people.
    mae: f64,
    /// Mean error, in people: negative when people are missed.
    bias: f64,
    /// Root of the mean squared error, in people.
    rmse: f64,
    /// Part of the true counts inside the 90 % interval.
    coverage: f64,
    /// As `coverage`, where a doubtful person may count or not.
    coverage_doubt: f64,
    /// What the error model's rates would be: people missed, and boxes too many, per person counted.
    rates: (f64, f64),
}

impl Stats {
    fn of<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Self {
        let n = rows.clone().count().max(1) as f64;
        let mean = |f: &dyn Fn(&Row) -> f64| rows.clone().map(f).sum::<f64>() / n;
        let error = |row: &Row| f64::from(row.estimate.people - row.truth.people);
        let inside = |row: &Row, doubt: f32| {
            let (low, high) = (row.truth.people - doubt, row.truth.people + doubt);
            f64::from(u8::from(high >= row.estimate.low && low <= row.estimate.high))
        };
        let bias = mean(&error);
        let variance = mean(&|row| (error(row) - bias).powi(2));
        let counted = mean(&|row| f64::from(row.estimate.people)).max(1e-9);
        // Moments of the Skellam distribution (see `ErrorModel::MissFalse`).
        let (difference, sum) = (-bias / counted, (variance / counted).max(bias.abs() / counted));
        Self {
            mae: mean(&|row| error(row).abs()),
            bias,
            rmse: mean(&|row| error(row).powi(2)).sqrt(),
            coverage: mean(&|row| inside(row, 0.0)),
            coverage_doubt: mean(&|row| inside(row, row.truth.doubtful)),
            rates: ((sum + difference) / 2.0, (sum - difference) / 2.0),
        }
    }
}

fn halves(rows: &Rows) -> (Stats, Stats) {
    let half = |rest: usize| rows.values().enumerate().filter(move |(i, _)| i % 2 == rest).map(|(_, row)| row);
    (Stats::of(half(0)), Stats::of(half(1)))
}

fn print(name: &str, rows: &Rows, verbose: bool) {
    if verbose {
        println!("{name}: frame  truth (doubtful)  count  interval      cost");
        for (frame, row) in rows {
            let Row { truth, estimate, cost } = row;
            let mark = if estimate.people == truth.people { ' ' } else { '*' };
            println!(
                "{name}: {frame:5}  {:5} ({})         {:5}{mark} {:4} to {:4}  {:5.1} ms",
                truth.people,
                truth.doubtful,
                estimate.people,
                estimate.low,
                estimate.high,
                cost.as_secs_f64() * 1e3
            );
        }
    }
    let (even, odd) = halves(rows);
    for (part, stats) in [("all rows", Stats::of(rows.values())), ("even rows (tuned on)", even), ("odd rows (held out)", odd)] {
        println!(
            "{name}, {part}: mean absolute error {:.2}, bias {:+.2}, RMSE {:.2}, interval holds {:.0} % ({:.0} % with doubt); rates {:.3} {:.3}",
            stats.mae,
            stats.bias,
            stats.rmse,
            stats.coverage * 100.0,
            stats.coverage_doubt * 100.0,
            stats.rates.0,
            stats.rates.1
        );
    }
}

fn figures(report: &mut Report, name: &str, rows: &Rows) {
    let (all, (_, odd)) = (Stats::of(rows.values()), halves(rows));
    let mut cost: Vec<f64> = rows.values().map(|row| row.cost.as_secs_f64() * 1e3).collect();
    for (figure, value) in [
        ("mae_people", all.mae),
        ("bias_people", all.bias),
        ("rmse_people", all.rmse),
        ("interval_coverage", all.coverage),
        ("interval_coverage_with_doubt", all.coverage_doubt),
        ("held_out_mae_people", odd.mae),
        ("held_out_bias_people", odd.bias),
        ("cost_ms_p50", quantile(&mut cost, 0.5)),
    ] {
        report.figure(&format!("{name}_{figure}"), (value * 1000.0).round() / 1000.0);
    }
}

/// Error for many thresholds and tiles. A run at a low threshold holds the boxes of all higher ones.
fn sweep(
    clip: &Path,
    truth: &BTreeMap<u64, Truth>,
    open: &dyn Fn() -> std::result::Result<Detector, qorgan_inference::ModelError>,
) -> Result<()> {
    let pictures = pictures(clip, truth)?;
    for tiles in 1..=3 {
        let mut detector = open()?.tuned(Some(0.2), Some(tiles));
        let mut seen = Vec::new();
        for (number, picture) in &pictures {
            seen.push((*number, detector.estimate(picture)?));
        }
        for step in 0..10 {
            let threshold = 0.25 + 0.035 * step as f32;
            let rows: Rows = seen
                .iter()
                .map(|(number, estimate)| {
                    let people = estimate.boxes.iter().filter(|found| found.score >= threshold).count() as f32;
                    let estimate = Estimate { people, boxes: Vec::new(), ..estimate.clone() };
                    (*number, Row { truth: truth[number], estimate, cost: Duration::ZERO })
                })
                .collect();
            let (even, odd) = halves(&rows);
            println!(
                "tiles {tiles}, threshold {threshold:.3}: even rows {:.2} ({:+.2}), odd rows {:.2} ({:+.2})",
                even.mae, even.bias, odd.mae, odd.bias
            );
        }
    }
    Ok(())
}
