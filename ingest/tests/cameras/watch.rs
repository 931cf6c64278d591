//! Cameras under test, and waiting for what they report.

use std::{sync::Arc, time::Duration};

use qorgan_domain::{CameraFault, CameraHealth, CameraState, Clock, DeviceRef, I420, SystemClock};
use qorgan_ingest::camera::{CameraSpec, CameraUrl, Cameras, KeyFrames, Settings};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

/// Longest wait for anything; only a failing test waits that long.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Running cameras.
pub(crate) struct Watch {
    pub(crate) frames: Arc<KeyFrames>,
    health: mpsc::Receiver<CameraHealth>,
    pub(crate) cameras: Cameras,
}

impl Watch {
    pub(crate) fn start(specs: Vec<CameraSpec>, settings: &Settings) -> Self {
        let (sender, health) = mpsc::channel(64);
        let frames = Arc::new(KeyFrames::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let cameras = Cameras::start(specs, &frames, &sender, &clock, settings, &CancellationToken::new());
        Self { frames, health, cameras }
    }

    pub(crate) fn one(url: CameraUrl, settings: &Settings) -> Self {
        Self::start(vec![CameraSpec::new(id("yard"), url)], settings)
    }

    /// The next report that the test waits for; those before it are dropped.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&CameraHealth) -> bool) -> CameraHealth {
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

    pub(crate) async fn live(&mut self) -> CameraHealth {
        self.until(|report| report.state == CameraState::Live).await
    }

    /// Waits for the first failure and checks its name; returns the text.
    pub(crate) async fn fails_as(&mut self, fault: CameraFault) -> String {
        let report = self.until(|report| report.state == CameraState::Offline).await;
        let (code, detail) = report.fault.expect("offline has a reason");
        assert_eq!(code, fault, "{detail}");
        assert!(!detail.contains('\n'), "one line: {detail}");
        detail
    }

    /// Waits until a camera has offered so many key frames.
    pub(crate) async fn offered(&self, camera: &DeviceRef, count: u64) {
        eventually(|| self.frames.offered(camera) >= count).await;
    }

    pub(crate) fn pending_reports(&mut self) -> Vec<CameraHealth> {
        std::iter::from_fn(|| self.health.try_recv().ok()).collect()
    }
}

/// Waits until something holds.
pub(crate) async fn eventually(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, wait).await.expect("it comes true");
}

/// Patience for tests: quick to retry, slow to give up, so that a busy machine makes no fault.
pub(crate) fn settings() -> Settings {
    Settings {
        answer_timeout: LONG,
        picture_timeout: LONG,
        key_frame_timeout: LONG,
        first_retry: Duration::from_millis(20),
        longest_retry: Duration::from_millis(100),
        proven_after: Duration::from_secs(30),
        start_spread: Duration::ZERO,
        look_back_bytes: 1 << 20,
    }
}

pub(crate) fn id(device: &str) -> DeviceRef {
    format!("school-17/{device}").parse().unwrap()
}

/// Mean of the luma plane.
pub(crate) fn brightness(picture: &I420) -> f64 {
    assert!(picture.is_whole());
    picture.y.iter().map(|&y| f64::from(y)).sum::<f64>() / picture.y.len() as f64
}
