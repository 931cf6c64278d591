//! Bad cameras over RTSP: each fault has its name, and stays where it is.

use std::{sync::Arc, time::Duration};

use qorgan_domain::{CameraFault, CameraState};
use qorgan_ingest::camera::{CameraSpec, CameraUrl, Codec, Credentials, Decoder, Settings, probe};

use crate::{
    clips::{Unit, grey, h264},
    fake::{Behaviour, Fake},
    watch::{LONG, Watch, brightness, eventually, id, settings},
};

fn clip() -> Arc<Vec<Unit>> {
    h264(&grey(128), (160, 96), false)
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url: CameraUrl = format!("rtsp://127.0.0.1:{port}/live").parse().unwrap();
    let detail = Watch::one(url, &settings()).fails_as(CameraFault::Refused).await;
    assert!(detail.contains("refused"), "{detail}");
}

#[tokio::test]
async fn a_camera_that_accepts_and_says_nothing_times_out() {
    let camera = Fake::start(Behaviour::Silent).await;
    let patience = Settings { answer_timeout: Duration::from_millis(100), ..settings() };
    let detail = Watch::one(camera.url(), &patience).fails_as(CameraFault::Timeout).await;
    assert!(detail.contains("DESCRIBE"), "{detail}");
}

#[tokio::test]
async fn an_answer_that_is_no_rtsp_is_garbage() {
    let camera = Fake::start(Behaviour::Garbage).await;
    Watch::one(camera.url(), &settings()).fails_as(CameraFault::Garbage).await;
}

#[tokio::test]
async fn packets_that_are_no_rtp_are_garbage() {
    let camera = Fake::start(Behaviour::GarbagePackets).await;
    Watch::one(camera.url(), &settings()).fails_as(CameraFault::Garbage).await;
}

#[tokio::test]
async fn a_camera_that_hangs_up_has_ended_and_is_tried_again() {
    let camera = Fake::start(Behaviour::HangsUp).await;
    let mut watch = Watch::one(camera.url(), &settings());
    watch.fails_as(CameraFault::Ended).await;
    eventually(|| camera.sessions() >= 3).await;
    assert!(watch.pending_reports().is_empty(), "the same fault is reported once");
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_not_found() {
    let camera = Fake::start(Behaviour::Status("404 Not Found")).await;
    Watch::one(camera.url(), &settings()).fails_as(CameraFault::NotFound).await;
}

#[tokio::test]
async fn a_wrong_password_is_unauthorized_and_never_printed() {
    let camera = Fake::start(Behaviour::LogIn(clip())).await;
    let spec = |password: &str| CameraSpec {
        credentials: Some(Credentials { user: "admin".into(), password: password.into() }),
        ..CameraSpec::new(id("yard"), camera.url())
    };
    let detail = Watch::start(vec![spec("hunter2-wrong")], &settings()).fails_as(CameraFault::Unauthorized).await;
    assert!(!detail.contains("hunter2"), "{detail}");
    Watch::one(camera.url(), &settings()).fails_as(CameraFault::Unauthorized).await;
    Watch::start(vec![spec("right")], &settings()).live().await;
}

#[tokio::test]
async fn another_codec_is_refused_by_its_name() {
    let vp8 = "m=video 0 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=control:stream=0\r\n";
    let camera = Fake::start(Behaviour::Describes(vp8)).await;
    let detail = Watch::one(camera.url(), &settings()).fails_as(CameraFault::BadCodec).await;
    assert!(detail.contains("vp8"), "{detail}");
}

#[tokio::test]
async fn a_stream_without_video_says_what_there_is() {
    let audio = "m=audio 0 RTP/AVP 0\r\na=control:stream=0\r\n";
    let camera = Fake::start(Behaviour::Describes(audio)).await;
    let detail = Watch::one(camera.url(), &settings()).fails_as(CameraFault::BadCodec).await;
    assert!(detail.contains("no video") && detail.contains("audio"), "{detail}");
}

#[tokio::test]
async fn key_frames_arrive_whole_and_decode() {
    let camera = Fake::start(Behaviour::Streams(clip())).await;
    let mut watch = Watch::one(camera.url(), &settings());
    let live = watch.live().await;
    assert_eq!((live.codec.as_deref(), live.size_px), (Some("h264"), Some((160, 96))));
    watch.offered(&id("yard"), 3).await;
    let frame = watch.frames.take(&id("yard")).unwrap();
    assert_eq!((frame.codec, frame.size_px), (Codec::H264, (160, 96)));
    let picture = Decoder::new().decode(&frame).unwrap();
    // Full-range grey 128 is 126 in limited range.
    assert!((brightness(&picture) - 126.0).abs() < 2.0, "{}", brightness(&picture));
}

#[tokio::test]
async fn a_stream_that_stalls_is_reported_and_comes_back() {
    let camera = Fake::start(Behaviour::StallsOnce(clip(), 15)).await;
    let patience = Settings { picture_timeout: Duration::from_millis(700), ..settings() };
    let mut watch = Watch::one(camera.url(), &patience);
    watch.live().await;
    let detail = watch.fails_as(CameraFault::Stalled).await;
    assert!(detail.contains("picture"), "{detail}");
    let back = watch.live().await;
    assert_eq!(back.size_px, Some((160, 96)));
    assert!(camera.sessions() >= 2);
}

#[tokio::test]
async fn pictures_without_a_key_frame_have_a_name_of_their_own() {
    let camera = Fake::start(Behaviour::NoKeyFrames(clip())).await;
    let patience = Settings { key_frame_timeout: Duration::from_millis(300), ..settings() };
    let detail = Watch::one(camera.url(), &patience).fails_as(CameraFault::NoKeyFrame).await;
    assert!(detail.contains("key frame"), "{detail}");
}

#[tokio::test]
async fn bad_cameras_do_not_disturb_good_ones() {
    let units = clip();
    let good = [Fake::start(Behaviour::Streams(units.clone())).await, Fake::start(Behaviour::Streams(units.clone())).await];
    let bad = [
        Fake::start(Behaviour::Silent).await,
        Fake::start(Behaviour::Garbage).await,
        Fake::start(Behaviour::GarbagePackets).await,
        Fake::start(Behaviour::HangsUp).await,
        Fake::start(Behaviour::Status("503 Service Unavailable")).await,
    ];
    let mut specs: Vec<_> = (0..).zip(&good).map(|(n, fake)| CameraSpec::new(id(&format!("good-{n}")), fake.url())).collect();
    specs.extend((0..).zip(&bad).map(|(n, fake)| CameraSpec::new(id(&format!("bad-{n}")), fake.url())));
    let mut watch = Watch::start(specs, &settings());
    for camera in ["good-0", "good-1"] {
        watch.offered(&id(camera), 8).await;
    }
    let reports = watch.pending_reports();
    let good: Vec<_> = reports.iter().filter(|report| report.camera.device.as_str().starts_with("good")).collect();
    assert!(good.iter().all(|report| report.state != CameraState::Offline), "{good:?}");
    let mut bad: Vec<_> = reports
        .iter()
        .filter(|report| report.state == CameraState::Offline)
        .map(|report| (report.camera.device.to_string(), report.fault.as_ref().unwrap().0))
        .collect();
    bad.sort_by(|a, b| a.0.cmp(&b.0));
    let expected =
        [("bad-1", CameraFault::Garbage), ("bad-2", CameraFault::Garbage), ("bad-3", CameraFault::Ended), ("bad-4", CameraFault::Other)];
    assert_eq!(bad, expected.map(|(name, fault)| (name.to_owned(), fault)));
    assert!(tokio::time::timeout(LONG, watch.cameras.stop()).await.is_ok(), "all tasks end, the stuck one too");
}

#[tokio::test]
async fn a_panic_in_a_camera_is_a_fault_of_that_camera() {
    // A clock that panics once stands for any bug inside the camera's task.
    struct Trap(std::sync::atomic::AtomicBool);
    impl qorgan_domain::Clock for Trap {
        fn utc(&self) -> qorgan_domain::UtcMs {
            qorgan_domain::UtcMs(0)
        }
        fn instant(&self) -> std::time::Instant {
            assert!(!self.0.swap(false, std::sync::atomic::Ordering::SeqCst), "boom");
            std::time::Instant::now()
        }
    }
    let camera = Fake::start(Behaviour::Streams(clip())).await;
    let clock: Arc<dyn qorgan_domain::Clock> = Arc::new(Trap(true.into()));
    let (sender, mut health) = tokio::sync::mpsc::channel(16);
    let frames = Arc::new(qorgan_ingest::camera::KeyFrames::new());
    let stop = tokio_util::sync::CancellationToken::new();
    let specs = vec![CameraSpec::new(id("yard"), camera.url())];
    let _cameras = qorgan_ingest::camera::Cameras::start(specs, &frames, &sender, &clock, &settings(), &stop);
    let mut seen = Vec::new();
    while seen.last() != Some(&CameraState::Live) {
        let report = tokio::time::timeout(LONG, health.recv()).await.unwrap().unwrap();
        if let Some((fault, detail)) = &report.fault {
            assert_eq!(*fault, CameraFault::Other);
            assert!(detail.contains("boom"), "{detail}");
        }
        seen.push(report.state);
    }
    assert_eq!(seen, [CameraState::Connecting, CameraState::Offline, CameraState::Live]);
}

/// Runs alone in a process of its own: other tests start threads too.
#[test]
fn threads_do_not_grow_with_rtsp_cameras() {
    const ALONE: &str = "QORGAN_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "rtsp::threads_do_not_grow_with_rtsp_cameras", "--nocapture"])
            .env(ALONE, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let units = clip();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let camera = Fake::start(Behaviour::Streams(units)).await;
        let specs = |prefix: &str, count: usize| -> Vec<_> {
            (0..count).map(|n| CameraSpec::new(id(&format!("{prefix}-{n}")), camera.url())).collect()
        };
        let first = Watch::start(specs("first", 1), &settings());
        first.offered(&id("first-0"), 2).await;
        let before = threads();
        let many = Watch::start(specs("many", 20), &settings());
        for n in 0..20 {
            many.offered(&id(&format!("many-{n}")), 2).await;
        }
        // Fewer is possible: the threads that encoded the clip end in their own time. A thread per camera would be 20 more.
        let after = threads();
        assert!(after <= before, "{before} threads became {after}");
    });
}

#[tokio::test]
async fn a_probe_tells_codec_size_and_key_frame_distance() {
    let camera = Fake::start(Behaviour::Streams(clip())).await;
    let report = probe(&camera.url(), None, LONG).await;
    assert!(report.fault.is_none(), "{report:?}");
    assert_eq!((report.codec, report.size_px, report.decodes), (Some(Codec::H264), Some((160, 96)), Some(true)));
    // The fake's time stamps are 40 ms apart, its key frames ten frames.
    assert!((report.frames_per_s.unwrap() - 25.0).abs() < 0.1, "{report:?}");
    assert!((report.key_frame_interval_s.unwrap() - 0.4).abs() < 0.01, "{report:?}");
}

#[tokio::test]
async fn a_probe_reports_a_fault_instead_of_failing() {
    let camera = Fake::start(Behaviour::Status("404 Not Found")).await;
    let fault = probe(&camera.url(), None, LONG).await.fault.unwrap();
    assert_eq!(fault.code, CameraFault::NotFound);
    let silent = Fake::start(Behaviour::Silent).await;
    let fault = probe(&silent.url(), None, Duration::from_millis(100)).await.fault.unwrap();
    assert_eq!(fault.code, CameraFault::Timeout);
}
