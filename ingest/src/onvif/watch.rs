//! One device, listened to for as long as it is wanted: connect, subscribe, pull, and again after a failure.

use std::{sync::Arc, time::Duration};

use qorgan_domain::{CameraFault, Clock};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Device, Noticed, OnvifError};
use crate::camera::{Backoff, Credentials, Trust};

/// The clock is asked for again this often: cameras drift by seconds a day.
const CLOCK_EVERY: Duration = Duration::from_secs(3600);

/// A device to listen to.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its device service.
    pub address: Url,
    /// What opens it.
    pub log_in: Option<Credentials>,
    /// What its certificate is checked against.
    pub trust: Trust,
    /// How long each answer may take.
    pub patience: Duration,
    /// Bound of the first wait after a failure, and what it grows to.
    pub retry: (Duration, Duration),
}

impl Watched {
    /// With the patience that suits a device on a city's network.
    pub fn new(address: Url, log_in: Option<Credentials>) -> Self {
        let retry = (Duration::from_secs(2), Duration::from_secs(300));
        Self { address, log_in, trust: Trust::default(), patience: Duration::from_secs(15), retry }
    }
}

/// What comes of listening.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// The device answers; its clock is this far ahead of the hub's, in milliseconds.
    Reached {
        /// See [`Device::clock_offset_ms`].
        clock_offset_ms: i64,
    },
    /// It noticed something.
    Noticed(Noticed),
    /// It does not answer as it should: the one word, and the whole error in one line. Told once for each kind in a row.
    Fault(CameraFault, String),
}

/// Listens until `stop`; a failure is told and tried again with back-off and jitter. A device without an event service is told as a
/// fault and asked again at the longest interval. When the receiver is full the device waits; when it is gone this ends.
pub async fn watch(device: Watched, clock: Arc<dyn Clock>, said: mpsc::Sender<Said>, stop: CancellationToken) {
    let mut backoff = Backoff::new(device.retry.0, device.retry.1);
    let work = async {
        let mut told = None;
        loop {
            let mut listening = None;
            let Err(error) = watch_once(&device, &clock, &said, &mut listening).await else { return };
            // Only a device that answered for so long has proved itself: one that is slow to refuse has not.
            if listening.is_some_and(|since: Instant| since.elapsed() >= device.retry.1) {
                (backoff, told) = (Backoff::new(device.retry.0, device.retry.1), None);
            }
            let fault = error.fault();
            if told != Some(fault) && said.send(Said::Fault(fault, one_line(&error))).await.is_err() {
                return;
            }
            told = Some(fault);
            if matches!(error, OnvifError::NoService(_)) {
                sleep(device.retry.1).await;
            }
            sleep(backoff.after_failure(rand::random())).await;
        }
    };
    stop.run_until_cancelled(work).await;
}

/// One subscription: ends well only when nobody listens to the hub any more. `listening` becomes the time since when events are pulled.
async fn watch_once(
    device: &Watched,
    clock: &Arc<dyn Clock>,
    said: &mpsc::Sender<Said>,
    listening: &mut Option<Instant>,
) -> Result<(), OnvifError> {
    loop {
        let reached = Device::connect(&device.address, device.log_in.as_ref(), &device.trust, device.patience).await?;
        let since = Instant::now();
        if said.send(Said::Reached { clock_offset_ms: reached.clock_offset_ms() }).await.is_err() {
            return Ok(());
        }
        let mut events = reached.events().await?;
        listening.get_or_insert(since);
        while since.elapsed() < CLOCK_EVERY {
            for noticed in events.next(|| clock.utc()).await? {
                if said.send(Said::Noticed(noticed)).await.is_err() {
                    events.end().await;
                    return Ok(());
                }
            }
        }
        events.end().await;
    }
}

fn one_line(error: &OnvifError) -> String {
    let (mut line, mut cause) = (error.to_string(), std::error::Error::source(error));
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
