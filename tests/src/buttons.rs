//! A fleet of alarm buttons on few tasks, for bench and fault tests: presses them all, and keeps apart
//! what was pressed and what was receipted. What the hub must never do is lose a key of the second set.

use std::{
    collections::HashSet,
    future::Future,
    path::Path,
    pin::Pin,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream::FuturesUnordered};
use qorgan_domain::{AlarmKey, DeviceRef};
use qorgan_ingest::mqtt::{
    Error,
    button::{Button, Options, Press},
};
use tokio::task::JoinHandle;

/// Many connected buttons.
pub struct Fleet {
    buttons: Vec<Button>,
    drivers: Vec<JoinHandle<()>>,
}

/// How to connect a fleet.
#[derive(Debug, Clone)]
pub struct FleetOptions<'a> {
    /// `mqtt://host:port` or `mqtts://host:port`.
    pub url: &'a str,
    /// Certificates to trust, PEM.
    pub ca: Option<&'a Path>,
    /// Tasks that drive the connections.
    pub tasks: usize,
    /// After how long without a receipt a press is sent again.
    pub retry_after: Duration,
}

impl<'a> FleetOptions<'a> {
    /// Two tasks, presses repeated after five seconds.
    pub fn new(url: &'a str) -> Self {
        Self { url, ca: None, tasks: 2, retry_after: Duration::from_secs(5) }
    }
}

/// What came of pressing.
#[derive(Debug, Default)]
pub struct Round {
    /// Every key that was pressed.
    pub pressed: HashSet<AlarmKey>,
    /// The presses that have their receipt.
    pub receipts: Vec<Press>,
}

impl Round {
    /// The keys that the hub said are stored.
    pub fn receipted(&self) -> HashSet<AlarmKey> {
        self.receipts.iter().map(|press| press.key.clone()).collect()
    }

    /// Times from press to receipt, sorted.
    pub fn to_receipt(&self) -> Vec<Duration> {
        sorted(self.receipts.iter().map(|press| press.receipt))
    }

    /// Times from press to PUBACK, sorted.
    pub fn to_puback(&self) -> Vec<Duration> {
        sorted(self.receipts.iter().filter_map(|press| press.puback))
    }

    /// Adds another round to this one.
    pub fn join(&mut self, other: Round) {
        self.pressed.extend(other.pressed);
        self.receipts.extend(other.receipts);
    }
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times
}

/// The value below which `percent` of the sorted times lie; zero when there are none.
pub fn percentile(sorted: &[Duration], percent: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(((last as f64) * percent / 100.0).round() as usize).copied().unwrap_or_default()
}

impl Fleet {
    /// Starts a button for each device and password. They connect in the background; see [`ready`](Self::ready).
    pub fn connect(options: &FleetOptions<'_>, credentials: &[(DeviceRef, String)]) -> Result<Self, Error> {
        let tasks = options.tasks.max(1);
        let mut buttons = Vec::with_capacity(credentials.len());
        let shares: Vec<FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>>> = (0..tasks).map(|_| FuturesUnordered::new()).collect();
        for (n, (device, password)) in credentials.iter().enumerate() {
            let mut button = Options::new(options.url, device.clone(), password);
            button.ca = options.ca.map(Path::to_owned);
            button.retry_after = options.retry_after;
            let (button, drive) = Button::open(button)?;
            buttons.push(button);
            shares[n % tasks].push(Box::pin(drive));
        }
        let drivers = shares.into_iter().map(|mut share| tokio::spawn(async move { while share.next().await.is_some() {} })).collect();
        Ok(Self { buttons, drivers })
    }

    /// How many buttons there are.
    pub fn len(&self) -> usize {
        self.buttons.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.buttons.is_empty()
    }

    /// The buttons, in the order of their credentials.
    pub fn buttons(&self) -> &[Button] {
        &self.buttons
    }

    /// Waits until every button is accepted; the first that is refused, or not accepted in time, is an error.
    pub async fn ready(&mut self, patience: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + patience;
        for button in &mut self.buttons {
            match tokio::time::timeout_at(deadline.into(), button.ready()).await {
                Ok(ready) => ready?,
                Err(_) => return Err(Error::Rejected(format!("{} is not connected: {:?}", button.device(), button.trouble()))),
            }
        }
        Ok(())
    }

    /// Presses every button `times` times, each waiting for its receipt before the next press, until all have
    /// theirs or `patience` ends.
    pub async fn press_all(&self, times: usize, patience: Duration) -> Round {
        let deadline = Instant::now() + patience;
        let mut rounds: FuturesUnordered<_> = self.buttons.iter().map(|button| press_one(button, times, deadline)).collect();
        let mut all = Round::default();
        while let Some(round) = rounds.next().await {
            all.join(round);
        }
        all
    }

    /// Ends all connections at once, as a power cut does: no goodbye, last wills are due.
    pub fn cut(self) {
        for driver in self.drivers {
            driver.abort();
        }
    }
}

async fn press_one(button: &Button, times: usize, deadline: Instant) -> Round {
    let mut round = Round::default();
    for _ in 0..times {
        let Ok(Ok((key, receipt))) = tokio::time::timeout_at(deadline.into(), button.begin_press()).await else { break };
        round.pressed.insert(key);
        match tokio::time::timeout_at(deadline.into(), receipt).await {
            Ok(Ok(press)) => round.receipts.push(press),
            _ => break,
        }
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_values() {
        let times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 0.0), Duration::from_millis(1));
        assert_eq!(percentile(&times, 99.0), Duration::from_millis(99));
        assert_eq!(percentile(&[], 50.0), Duration::ZERO);
    }
}
