//! An edge box's link to the centre's broker: it publishes counts of its own cameras and takes nothing.
//!
//! Counts are worth something for seconds only: while the centre is away they are dropped and counted, not kept.
//! Alarms never come this way.

use std::{fmt, path::PathBuf, time::Duration};

use qorgan_domain::{
    Count, SiteId,
    topic::{Channel, Principal, Topic},
    wire::CountV1,
};
use rumqttc::{AsyncClient, Event, Packet, QoS};
use tokio::{sync::watch, task::JoinHandle};

use super::{Error, backoff::Backoff, tls};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// Counts on their way to the socket.
const QUEUE: usize = 1_024;

/// Which centre, and as whom.
#[derive(Clone)]
pub struct Config {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`.
    pub url: String,
    /// The site this box speaks for; its user name is `edge/{site}`.
    pub site: SiteId,
    /// Its password.
    pub password: String,
    /// Certificates to trust, PEM; the system's when absent.
    pub ca: Option<PathBuf>,
}

impl fmt::Debug for Config {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("url", &self.url).field("site", &self.site).finish_non_exhaustive()
    }
}

/// The running link. Dropping it ends it.
pub struct EdgeLink {
    client: AsyncClient,
    connected: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl EdgeLink {
    /// Starts connecting. Must be called inside a tokio runtime.
    pub fn start(config: &Config) -> Result<Self, Error> {
        let user = Principal::Edge(config.site.clone()).to_string();
        let mut options = tls::options(&config.url, &user, config.ca.as_deref())?;
        options.set_credentials(user, &config.password).set_keep_alive(KEEP_ALIVE).set_clean_session(true);
        let (client, mut link) = AsyncClient::new(options, QUEUE);
        let (state, connected) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut backoff = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
            loop {
                match link.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        tracing::info!("connected to the centre");
                        backoff.reset();
                        state.send_replace(true);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        if state.send_replace(false) {
                            tracing::warn!(%error, "the centre is away; counts are dropped until it is back");
                        } else {
                            tracing::debug!(%error, "the centre is still away");
                        }
                        tokio::time::sleep(backoff.step()).await;
                    }
                }
            }
        });
        Ok(Self { client, connected, task })
    }

    /// Sends a count, or says why it was dropped. Never waits.
    pub fn publish_count(&self, count: &Count) -> Result<(), Error> {
        let dropped = |error| {
            metrics::counter!("qorgan_mqtt_dropped_total", "channel" => "count").increment(1);
            Err(error)
        };
        if !self.is_connected() {
            return dropped(Error::NotConnected);
        }
        let topic = Topic::Device(count.camera.clone(), Channel::Count).to_string();
        let payload = serde_json::to_vec(&CountV1::write(count)).unwrap_or_default();
        match self.client.try_publish(topic, QoS::AtMostOnce, false, payload) {
            Ok(()) => Ok(()),
            Err(_) => dropped(Error::QueueFull),
        }
    }

    /// Whether the centre is there.
    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }
}

impl Drop for EdgeLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}
