//! The same streams as others read them: every frame decoded, then the same detector so often a second.
//!
//! (a) GStreamer's `rtspsrc` and `avdec_h264` with the hub's own detector, in this program; (b) OpenCV and ONNX Runtime in Python
//! with the same model file (`peer.py`). Each is a process of its own, measured while nothing else runs, with as many cameras as
//! this machine can surely carry: what a camera costs them does not depend on their number.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clap::Subcommand;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use qorgan_domain::I420;
use qorgan_tests::{
    camera_process::CameraProcess,
    clips::{self, Profile, to_i420},
    paths,
    process::cpu_ms,
    report::Report,
};
use serde::Deserialize;

use crate::{
    Failure,
    hub::Measured,
    round,
    speed::{DETECTOR, detector, pass_ms},
};

/// How people run it today: analysed frames of a camera in a second.
pub(crate) const USUAL_RATE: f64 = 5.0;
/// Connecting, before anything is measured.
const COME_UP: Duration = Duration::from_secs(8);

/// What this program does when it is a peer.
#[derive(Subcommand)]
pub(crate) enum Inner {
    /// Full decode and the hub's detector; prints a JSON line per analysed frame, and one with the cost.
    #[command(hide = true)]
    PeerDecode {
        /// Analysed frames per camera and second.
        #[arg(long)]
        rate: f64,
        /// For so long.
        #[arg(long)]
        seconds: f64,
        /// Cameras.
        urls: Vec<String>,
    },
}

/// Who is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Peer {
    /// GStreamer and the hub's detector.
    Decode,
    /// OpenCV and ONNX Runtime in this Python.
    Python(PathBuf),
}

/// A count of a peer, and when it was made.
pub(crate) struct Seen {
    pub(crate) camera: usize,
    pub(crate) people: f64,
    pub(crate) at: Instant,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Cost {
    pub(crate) cpu_ms_per_camera_second: f64,
    pub(crate) analysed_per_camera_second: f64,
}

impl Peer {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Peer::Decode => "full_decode",
            Peer::Python(_) => "opencv_python",
        }
    }

    /// Runs it on these cameras: every count, and the cost.
    pub(crate) fn run(&self, urls: &[String], rate: f64, seconds: f64) -> Result<(Vec<Seen>, Cost), Failure> {
        let mut command = match self {
            Peer::Decode => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("peer-decode");
                command
            }
            Peer::Python(python) => {
                let mut command = Command::new(python);
                command.arg(paths::root().join("tests/src/bin/bench-cameras/peer.py"));
                command.arg("--model").arg(paths::var().join("models").join(format!("{DETECTOR}.onnx")));
                command
            }
        };
        command.args(["--rate", &rate.to_string(), "--seconds", &seconds.to_string()]).args(urls);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (mut seen, mut cost) = (Vec::new(), None);
        for line in BufReader::new(child.stdout.take().ok_or("no output")?).lines().map_while(Result::ok) {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            match (value["camera"].as_u64(), value["people"].as_f64()) {
                (Some(camera), Some(people)) => seen.push(Seen { camera: camera as usize, people, at: Instant::now() }),
                _ => cost = serde_json::from_value(value).ok(),
            }
        }
        child.wait()?;
        Ok((seen, cost.ok_or_else(|| format!("the peer {} gave no figures", self.name()))?))
    }
}

/// The peers that can be run here; a word in the figures about one that cannot.
pub(crate) fn peers(report: &mut Report, python: Option<&Path>) -> Vec<Peer> {
    let mut peers = vec![Peer::Decode];
    match python.map_or_else(make_python, |python| Ok(python.into())) {
        Ok(python) => peers.push(Peer::Python(python)),
        Err(error) => report.figure("peer_opencv_python", format!("not measured: {error}")),
    }
    peers
}

/// A virtual environment with OpenCV and ONNX Runtime in the machine's scratch folder.
fn make_python() -> Result<PathBuf, String> {
    let dir = std::env::temp_dir().join("qorgan-bench-peer");
    let python = dir.join("bin/python");
    let works = |python: &Path| {
        let check = Command::new(python).args(["-c", "import cv2, onnxruntime"]).stderr(Stdio::null()).status();
        check.is_ok_and(|status| status.success())
    };
    if !works(&python) {
        eprintln!("making a Python environment with OpenCV and ONNX Runtime in {}", dir.display());
        let run = |command: &mut Command| match command.stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("{command:?} failed")),
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
        run(Command::new(&python).args(["-m", "pip", "install", "-q", "opencv-python-headless", "onnxruntime==1.31.1"]))?;
    }
    if works(&python) { Ok(python) } else { Err("OpenCV and ONNX Runtime could not be installed".into()) }
}

/// Cost of the peers per camera, and how many times as many cameras a core of the hub carries.
pub(crate) fn compare(report: &mut Report, profile: Profile, ours: &Measured, seconds: u64, python: Option<&Path>) -> Result<(), Failure> {
    let p = profile.as_str();
    let own_rate = ours.counts_per_s / ours.cameras as f64;
    report.figure(&format!("{p}_looks_per_camera_second"), round(own_rate));
    for peer in peers(report, python) {
        for (rate, cameras, how, goal) in [(own_rate, 8, "equal_rate", 6.0), (USUAL_RATE, 2, "5_per_s", 20.0)] {
            let server = CameraProcess::start(&clips::footage(profile)?, cameras, false)?;
            eprintln!("peer {}: {cameras} cameras {p}, {rate:.2} analysed frames per camera and second", peer.name());
            let name = format!("{p}_peer_{}_{how}", peer.name());
            report.figure(&format!("{name}_one_pass_ms_just_before"), round(pass_ms()?));
            let (_, cost) = peer.run(&server.urls(), rate, seconds as f64)?;
            report.figure(&format!("{name}_cpu_ms_per_camera_second"), round(cost.cpu_ms_per_camera_second));
            report.figure(&format!("{name}_analysed_per_camera_second"), round(cost.analysed_per_camera_second));
            // A peer that did not reach its rate would look cheaper than it is.
            let reached = (cost.analysed_per_camera_second / rate).clamp(0.05, 1.0);
            let ratio = cost.cpu_ms_per_camera_second / ours.cpu_ms() / reached.max(0.9);
            report.at_least(&format!("{p}: cameras per core, times those of {} at {how}", peer.name()), goal, round(ratio));
        }
    }
    Ok(())
}

impl Inner {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let Inner::PeerDecode { rate, seconds, urls } = self;
        peer_decode(urls, *rate, Duration::from_secs_f64(*seconds))
    }
}

/// A pipeline per camera decodes everything; one loop analyses the newest frame of each in turn.
fn peer_decode(urls: &[String], rate: f64, lasts: Duration) -> Result<(), Failure> {
    gst::init()?;
    let mut detector = detector()?;
    let mut cameras = Vec::new();
    for url in urls {
        let description = format!(
            "rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 \
             ! appsink name=newest sync=false max-buffers=1 drop=true"
        );
        let pipeline = gst::parse::launch(&description)?.downcast::<gst::Pipeline>().map_err(|_| "no pipeline")?;
        let sink = pipeline.by_name("newest").and_then(|sink| sink.downcast::<AppSink>().ok()).ok_or("no appsink")?;
        pipeline.set_state(gst::State::Playing)?;
        cameras.push((pipeline, sink));
    }
    std::thread::sleep(COME_UP);
    let (start, cpu) = (Instant::now(), cpu_ms(std::process::id())?);
    let period = Duration::from_secs_f64(1.0 / rate);
    let mut due: Vec<Instant> = (0..cameras.len()).map(|i| start + period.mul_f64(i as f64 / cameras.len() as f64)).collect();
    let mut analysed = 0;
    while start.elapsed() < lasts {
        let Some(i) = (0..due.len()).min_by_key(|i| due[*i]) else { break };
        std::thread::sleep(due[i].min(start + lasts).saturating_duration_since(Instant::now()));
        due[i] = (due[i] + period).max(Instant::now());
        let sample = cameras[i].1.try_pull_sample(gst::ClockTime::from_mseconds(20));
        let Some(picture): Option<I420> = sample.as_ref().and_then(to_i420) else {
            due[i] = Instant::now() + Duration::from_millis(20);
            continue;
        };
        let people = detector.detect(&picture)?.len();
        analysed += 1;
        println!("{}", serde_json::json!({ "camera": i, "people": people }));
    }
    let (seconds, n) = (start.elapsed().as_secs_f64(), cameras.len().max(1) as f64);
    let cost = (cpu_ms(std::process::id())? - cpu) / seconds / n;
    let line = serde_json::json!({ "cpu_ms_per_camera_second": cost, "analysed_per_camera_second": f64::from(analysed) / seconds / n });
    println!("{line}");
    for (pipeline, _) in &cameras {
        let _ = pipeline.set_state(gst::State::Null);
    }
    Ok(())
}
