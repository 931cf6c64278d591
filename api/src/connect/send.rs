//! From the outbox to a receiver: POST, signed, tried again with growing pauses until it was taken.
//!
//! Versions of one alert go in order; a receiver that refuses one does not hold up other alerts. 2xx means taken; everything else is tried
//! again, because an alarm is not given up for a receiver's mistake: the error is shown until somebody mends it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use qorgan_alerts::store::Outgoing;
use qorgan_domain::UtcMs;
use rand::Rng;
use tokio_util::sync::CancellationToken;

use super::sign;
use crate::{
    config::{Connector, ConnectorKind},
    error::chain,
    hub::App,
};

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// First and longest pause between two tries, in milliseconds.
const PAUSE_MS: (i64, i64) = (1_000, 300_000);
/// Messages read at once.
const BATCH: u32 = 50;
/// The outbox is looked at this often even when nobody rings.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a connector cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Its secret is not there.
    #[error("connector {0}: its secret")]
    Secret(String, #[source] crate::config::SecretError),
    /// Its certificates do not read.
    #[error("connector {0}: certificates {1}: {2}")]
    Certificates(String, PathBuf, String),
    /// The HTTP client cannot be made.
    #[error("connector {0}: {1}")]
    Client(String, String),
}

/// One connector at work.
pub(crate) struct Sender {
    app: App,
    connector: Arc<Connector>,
    secret: Option<String>,
    http: reqwest::Client,
}

impl Sender {
    pub(crate) fn new(app: App, connector: Arc<Connector>) -> Result<Self, SendError> {
        let id = || connector.id.clone();
        let secret = connector.secret.as_ref().map(|source| source.read()).transpose().map_err(|error| SendError::Secret(id(), error))?;
        // Redirects are not followed: a receiver that moved is configured anew.
        let mut http = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy();
        if let Some(path) = &connector.ca {
            let fail = |why: String| SendError::Certificates(id(), path.clone(), why);
            let pem = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
            for certificate in reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| fail(chain(&error)))? {
                http = http.add_root_certificate(certificate);
            }
        }
        let http = http.build().map_err(|error| SendError::Client(id(), chain(&error)))?;
        Ok(Self { app, connector, secret, http })
    }

    pub(crate) async fn run(self, cancel: CancellationToken) {
        loop {
            let pause = match self.run_once().await {
                Ok(0) => LOOK_EVERY,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(connector = %self.connector.id, error = chain(&error), "the outbox does not answer");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.app.outbox_bell.notified(), if !pause.is_zero() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due; how many were taken.
    async fn run_once(&self) -> Result<usize, qorgan_alerts::Error> {
        let mut taken = 0;
        for message in self.app.store.due(&self.connector.id, self.app.clock.utc(), BATCH).await? {
            match self.post(&message).await {
                Ok(()) => {
                    self.app.store.delivered(&message, self.app.clock.utc()).await?;
                    metrics::counter!("qorgan_connector_messages_total", "connector" => self.connector.id.clone(), "result" => "taken")
                        .increment(1);
                    taken += 1;
                }
                Err(why) => {
                    metrics::counter!("qorgan_connector_messages_total", "connector" => self.connector.id.clone(), "result" => "failed")
                        .increment(1);
                    if message.attempts == 0 {
                        tracing::warn!(connector = %self.connector.id, alert = %message.alert, why, "a message was not taken; it is tried again");
                    }
                    let next_at = UtcMs(self.app.clock.utc().0 + pause_ms(message.attempts, rand::rng().random_range(0.0..1.0)));
                    self.app.store.not_delivered(&message, &why, next_at).await?;
                }
            }
        }
        Ok(taken)
    }

    async fn post(&self, message: &Outgoing) -> Result<(), String> {
        let media = match self.connector.kind {
            ConnectorKind::Webhook => "application/json",
            ConnectorKind::Cap => "application/cap+xml",
        };
        let mut request = self.http.post(self.connector.url.clone()).header("content-type", media);
        // The receiver knows a repeat by this.
        request = request.header("x-qorgan-delivery", format!("{}.{}", message.alert, message.version));
        if let Some(secret) = &self.secret {
            let (timestamp, signature) = sign::sign(secret, self.app.clock.utc(), message.body.as_bytes());
            request = request.header(sign::TIMESTAMP, timestamp).header(sign::SIGNATURE, signature);
        }
        let response = request.body(message.body.clone()).send().await.map_err(|error| chain(&error.without_url()))?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(format!("answered {status}")) }
    }
}

/// Doubles from 1 s to 5 min; half of it is chance, so that receivers that come back are not hit by all at once.
fn pause_ms(attempts: u32, chance: f64) -> i64 {
    let whole = PAUSE_MS.0.saturating_mul(1_i64.checked_shl(attempts.min(20)).unwrap_or(i64::MAX)).min(PAUSE_MS.1);
    // At most 300,000: exact in a double.
    whole / 2 + (whole as f64 / 2.0 * chance) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes_and_are_never_nothing() {
        assert_eq!((pause_ms(0, 0.0), pause_ms(0, 1.0)), (500, 1_000));
        assert_eq!(pause_ms(3, 1.0), 8_000);
        assert_eq!((pause_ms(60, 0.0), pause_ms(u32::MAX, 1.0)), (150_000, 300_000));
    }
}
