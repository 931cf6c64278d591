//! Cameras over a real RTSP server with real footage.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{path::Path, sync::Arc, time::Duration};

use qorgan_domain::{CameraFault, CameraHealth, CameraState, Clock, DeviceRef, I420, SystemClock};
use qorgan_ingest::camera::{
    CameraSpec, Cameras, Codec, Credentials, Decoder, KeyFrames, Settings,
    file::{Which, frames},
    probe,
};
use qorgan_tests::{
    cameras::{CameraServer, Mount, clip_frame},
    paths::{campus_clip, var},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(60);

struct Watch {
    frames: Arc<KeyFrames>,
    health: mpsc::Receiver<CameraHealth>,
    _cameras: Cameras,
}

impl Watch {
    fn start(specs: Vec<CameraSpec>) -> Self {
        let settings = Settings {
            answer_timeout: LONG,
            first_retry: Duration::from_millis(50),
            longest_retry: Duration::from_millis(200),
            start_spread: Duration::ZERO,
            ..Settings::default()
        };
        let (sender, health) = mpsc::channel(64);
        let frames = Arc::new(KeyFrames::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let cameras = Cameras::start(specs, &frames, &sender, &clock, &settings, &CancellationToken::new());
        Self { frames, health, _cameras: cameras }
    }

    async fn until(&mut self, wanted: impl Fn(&CameraHealth) -> bool) -> CameraHealth {
        let wait = async {
            loop {
                let report = self.health.recv().await.expect("cameras run");
                if wanted(&report) {
                    return report;
                }
            }
        };
        timeout(LONG, wait).await.expect("the report comes")
    }

    /// Takes so many key frames of a camera, each as it comes.
    async fn take(&self, camera: &DeviceRef, count: usize) -> Vec<qorgan_ingest::camera::KeyFrame> {
        let wait = async {
            let mut taken = Vec::new();
            while taken.len() < count {
                match self.frames.take(camera) {
                    Some(frame) => taken.push(frame),
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
            taken
        };
        timeout(LONG, wait).await.expect("key frames come")
    }
}

fn id(device: &str) -> DeviceRef {
    format!("school-17/{device}").parse().unwrap()
}

fn camera(device: &str, url: &str) -> CameraSpec {
    CameraSpec::new(id(device), url.parse().unwrap())
}

fn footage(name: &str) -> std::path::PathBuf {
    let path = var().join("footage").join(name);
    assert!(path.is_file(), "{} is missing: scripts/footage.sh makes it", path.display());
    path
}

/// Mean absolute difference of two luma planes, in steps of 256.
fn difference(a: &I420, b: &I420) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    // Every fourth row tells as much.
    let rows = (0..a.height).step_by(4).map(|row| {
        let (one, two) = (&a.y[row * a.y_stride..][..a.width], &b.y[row * b.y_stride..][..b.width]);
        one.iter().zip(two).map(|(x, y)| f64::from(x.abs_diff(*y))).sum::<f64>()
    });
    rows.sum::<f64>() / (a.width * a.height.div_ceil(4)) as f64
}

#[test]
fn frame_i_of_the_demo_clip_is_frame_i_of_the_original() {
    let original = Path::new("/usr/share/doc/opencv-doc/examples/data/vtest.avi");
    let clip = campus_clip();
    let times = |path: &Path| frames(path, Which::All).unwrap().map(|frame| frame.unwrap().0).collect::<Vec<_>>();
    let clip_times = times(&clip);
    assert_eq!(clip_times.len(), 795);
    for (index, time) in clip_times.iter().enumerate() {
        assert_eq!((time.as_secs_f64() * 10.0).round() as usize, index);
    }
    // Slim images leave documentation out; the order of the frames is then proved where it is installed.
    if !original.is_file() {
        return;
    }
    let mut previous: Option<I420> = None;
    let pairs = frames(original, Which::All).unwrap().zip(frames(&clip, Which::All).unwrap());
    for (index, (one, two)) in pairs.take(60).enumerate() {
        let (one, two) = (one.unwrap().1, two.unwrap().1);
        let own = difference(&one, &two);
        assert!(own < 4.0, "frame {index} differs by {own}");
        // Closer to its own frame than to the one before, whenever the two can be told apart.
        if let Some(previous) = previous.replace(one.clone()).filter(|previous| difference(previous, &one) > 2.0 * own) {
            assert!(difference(&previous, &two) > own, "frame {index} is the one before");
        }
    }
}

#[tokio::test]
async fn key_frames_over_rtsp_are_the_frames_of_the_clip() {
    let clip = footage("campus-eval.mp4");
    let server = CameraServer::start(0, &[Mount::new("eval", &clip)], None).unwrap();
    let watch = Watch::start(vec![camera("eval", &server.url("eval"))]);
    let decoder = Decoder::new();
    let truth: Vec<I420> = frames(&clip, Which::All).unwrap().take(60).map(|frame| frame.unwrap().1).collect();
    for frame in watch.take(&id("eval"), 4).await {
        let index = clip_frame(frame.media_time, 10.0, 795) as usize;
        assert_eq!((frame.codec, frame.size_px), (Codec::H264, (768, 576)));
        assert_eq!(index % 9, 0, "a key frame each nine frames, and one at every counted frame");
        let picture = decoder.decode(&frame).unwrap();
        assert_eq!(difference(&picture, &truth[index]), 0.0, "frame {index} over RTSP is frame {index} of the file, bit by bit");
    }
}

#[tokio::test]
async fn a_real_servers_log_in_and_missing_stream_have_their_names() {
    let mounts = [Mount::new("gate", footage("campus-gate.mp4"))];
    let server = CameraServer::start(0, &mounts, Some(("viewer", "right"))).unwrap();
    let with = |password: &str, mount: &str| CameraSpec {
        credentials: Some(Credentials { user: "viewer".into(), password: password.into() }),
        ..camera("gate", &server.url(mount))
    };
    let fault = |report: CameraHealth| report.fault.map(|(code, _)| code);
    let offline = |report: &CameraHealth| report.state == CameraState::Offline;
    let mut wrong = Watch::start(vec![with("wrong", "gate")]);
    assert_eq!(fault(wrong.until(offline).await), Some(CameraFault::Unauthorized));
    let mut without = Watch::start(vec![camera("gate", &server.url("gate"))]);
    assert_eq!(fault(without.until(offline).await), Some(CameraFault::Unauthorized));
    let mut missing = Watch::start(vec![with("right", "nowhere")]);
    assert_eq!(fault(missing.until(offline).await), Some(CameraFault::NotFound));
    let mut right = Watch::start(vec![with("right", "gate")]);
    let live = right.until(|report| report.state == CameraState::Live).await;
    assert_eq!(live.size_px, Some((384, 432)));
}

#[tokio::test]
async fn a_camera_comes_back_when_its_server_does() {
    let mounts = [Mount::new("gate", footage("campus-gate.mp4"))];
    let server = CameraServer::start(0, &mounts, None).unwrap();
    let port = server.port();
    let mut watch = Watch::start(vec![camera("gate", &server.url("gate"))]);
    watch.until(|report| report.state == CameraState::Live).await;
    drop(server);
    watch.until(|report| report.state == CameraState::Offline).await;
    let _again = CameraServer::start(port, &mounts, None).unwrap();
    watch.until(|report| report.state == CameraState::Live).await;
}

#[tokio::test]
async fn three_cameras_of_one_server_go_through_one_decoder_unmixed() {
    let clips = [("campus", (768, 576)), ("campus-gate", (384, 432)), ("campus-fast", (448, 576))];
    let mounts: Vec<_> = clips.iter().map(|(name, _)| Mount::new(name, footage(&format!("{name}.mp4")))).collect();
    let server = CameraServer::start(0, &mounts, None).unwrap();
    let watch = Watch::start(clips.iter().map(|(name, _)| camera(name, &server.url(name))).collect());
    let decoder = Decoder::new();
    for (name, (width, height)) in clips {
        for frame in watch.take(&id(name), 2).await {
            let picture = decoder.decode(&frame).unwrap();
            assert_eq!((picture.width, picture.height), (width, height));
            let first = frames(&footage(&format!("{name}.mp4")), Which::KeyFrames).unwrap().next().unwrap().unwrap().1;
            // The scene does not move: people do.
            assert!(difference(&picture, &first) < 15.0, "{name} shows {name}");
        }
    }
}

#[tokio::test]
async fn a_probe_of_a_real_server_tells_all() {
    let server = CameraServer::start(0, &[Mount::new("campus", campus_clip())], None).unwrap();
    let report = probe(&server.url("campus").parse().unwrap(), None, Duration::from_secs(30)).await;
    assert!(report.fault.is_none(), "{report:?}");
    assert_eq!((report.codec, report.size_px, report.decodes), (Some(Codec::H264), Some((768, 576)), Some(true)));
    assert!((report.frames_per_s.unwrap() - 10.0).abs() < 0.2, "{report:?}");
    assert!((report.key_frame_interval_s.unwrap() - 2.0).abs() < 0.1, "{report:?}");
}

#[test]
fn a_taken_port_and_a_missing_clip_are_errors_with_names() {
    let mounts = [Mount::new("gate", footage("campus-gate.mp4"))];
    let server = CameraServer::start(0, &mounts, None).unwrap();
    let error = CameraServer::start(server.port(), &mounts, None).err().unwrap().to_string();
    assert!(error.contains(&server.port().to_string()), "{error}");
    let error = CameraServer::start(0, &[Mount::new("x", "/nowhere.mp4")], None).err().unwrap().to_string();
    assert!(error.contains("/nowhere.mp4"), "{error}");
}
