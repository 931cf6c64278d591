//! Recordings on devices, played from a moment on.

use std::time::Duration;

use qorgan_domain::{CameraFault, UtcMs};
use qorgan_ingest::camera::{CameraUrl, Replay};

use crate::{
    clips::{grey, h264},
    fake::{Behaviour, Fake},
    watch::LONG,
};

const ANSWER: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_recording_is_played_from_the_asked_moment_to_its_end() {
    // The device's clock is 90 s ahead.
    let recorder = Fake::start(Behaviour::Recording(h264(&grey(128), (160, 96), false), "clock=20261122T080130.250Z-")).await;
    let from: UtcMs = "2026-11-22T08:00:00.250Z".parse().unwrap();
    let mut replay = Replay::open(&recorder.url(), None, from, 90_000, ANSWER).await.unwrap();
    let mut units = Vec::new();
    while let Some(stamped) = tokio::time::timeout(LONG, replay.next()).await.unwrap().unwrap() {
        units.push(stamped);
    }
    assert!((28..=30).contains(&units.len()), "{}", units.len());
    assert!(units[0].unit.key && units[0].unit.size_px == (160, 96));
    assert_eq!(units[0].at, from, "in the hub's time");
    // 3600 ticks of 90 kHz: 40 ms from one to the next.
    assert!(units.windows(2).all(|pair| pair[1].at.ms_since(pair[0].at) == 40), "{:?}", units.iter().map(|u| u.at).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_recording_that_is_not_there_at_that_moment_is_refused_with_the_devices_answer() {
    let recorder = Fake::start(Behaviour::Recording(h264(&grey(128), (160, 96), false), "clock=another")).await;
    let error = Replay::open(&recorder.url(), None, UtcMs(0), 0, ANSWER).await.err().unwrap();
    assert!(error.to_string().contains("PLAY"), "{error}");
}

#[tokio::test]
async fn a_recorder_that_sends_to_another_address_is_not_followed() {
    let recorder = Fake::start(Behaviour::Redirects("rtsp://127.0.0.1:1/elsewhere".into())).await;
    assert!(Replay::open(&recorder.url(), None, UtcMs(0), 0, ANSWER).await.is_err());
    let nobody: CameraUrl = "rtsp://127.0.0.1:1/r".parse().unwrap();
    assert_eq!(Replay::open(&nobody, None, UtcMs(0), 0, ANSWER).await.err().unwrap().fault(), CameraFault::Refused);
}

#[tokio::test]
async fn a_silent_recorder_times_out() {
    let recorder = Fake::start(Behaviour::Silent).await;
    let error = Replay::open(&recorder.url(), None, UtcMs(0), 0, Duration::from_millis(200)).await.err().unwrap();
    assert_eq!(error.fault(), CameraFault::Timeout);
}
