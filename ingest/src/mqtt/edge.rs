//! An edge box's link to the centre's broker: it publishes what its site has to say and reads the receipts of its alarms.
//!
//! Counts and sensors are worth something for seconds only: while the centre is away they are dropped and counted, not kept.
//! What is kept, and what is sent again, is the caller's matter: each connection begins empty, and [`LinkEvent`] says when it
//! comes and goes. The box's own health is retained at `{site}/edge/health`, with a last will.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use qorgan_domain::{
    Alarm, Clock, Count, DeviceId, DeviceRef, SiteId,
    topic::{Channel, PREFIX, Principal, Topic},
    wire::{AlarmV1, CountV1, HealthV1, Presence, ReceiptV1, SensorV1},
};
use rumqttc::{AsyncClient, Event, LastWill, MqttOptions, Packet, QoS, SubscribeReasonCode};
use serde::Serialize;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{EDGE, Error, backoff::Backoff, tls};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(10);
/// How often the box says that it is there.
const HEALTH_EVERY: Duration = Duration::from_secs(60);
/// Messages on their way to the socket.
const QUEUE: usize = 1_024;
/// Receipts and connections that wait for the caller.
const EVENTS: usize = 256;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

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

/// What the link tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// Connected, and receipts are heard.
    Up,
    /// Not any more. Whatever has no receipt may be lost.
    Down,
    /// The centre has stored an alarm.
    Receipt(DeviceRef, ReceiptV1),
}

/// The running link. Dropping it ends it, without a goodbye.
pub struct EdgeLink {
    line: Arc<Line>,
    task: JoinHandle<()>,
}

struct Line {
    /// The connection there is; none while the centre is away.
    client: Mutex<Option<AsyncClient>>,
    connected: watch::Sender<bool>,
    own: DeviceRef,
    clock: Arc<dyn Clock>,
}

impl EdgeLink {
    /// Starts connecting. Must be called inside a tokio runtime. The events have to be read: an unread one holds the link.
    pub fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<(Self, mpsc::Receiver<LinkEvent>), Error> {
        let user = Principal::Edge(config.site.clone()).to_string();
        let mut options = tls::options(&config.url, &user, config.ca.as_deref())?;
        let own = own_device(&config.site);
        let gone = HealthV1 { v: 1, state: Presence::Offline, at: None, battery_percent: None, tamper: None, mains: None };
        let will = LastWill::new(topic(&own, Channel::Health), json(&gone), QoS::AtLeastOnce, true);
        options.set_credentials(user, &config.password).set_keep_alive(KEEP_ALIVE).set_clean_session(true).set_last_will(will);
        let (events, receiver) = mpsc::channel(EVENTS);
        let line = Arc::new(Line { client: Mutex::default(), connected: watch::Sender::new(false), own, clock });
        let receipts = format!("{PREFIX}{}/+/alarm/receipt", config.site);
        let task = tokio::spawn(run(line.clone(), options, receipts, events));
        Ok((Self { line, task }, receiver))
    }

    /// Sends a count, or says why it was dropped. Never waits.
    pub fn publish_count(&self, count: &Count) -> Result<(), Error> {
        self.line.publish(&count.camera, Channel::Count, QoS::AtMostOnce, &CountV1::write(count))
    }

    /// Sends a measurement of a device of the site, or says why it was dropped. Never waits.
    pub fn publish_sensor(&self, device: &DeviceRef, sensor: &SensorV1) -> Result<(), Error> {
        self.line.publish(device, Channel::Sensor, QoS::AtMostOnce, sensor)
    }

    /// Says how a device of the site is; retained. Never waits.
    pub fn publish_health(&self, device: &DeviceRef, health: &HealthV1) -> Result<(), Error> {
        self.line.publish(device, Channel::Health, QoS::AtLeastOnce, health)
    }

    /// Sends an alarm on this connection. Never waits. Only its receipt says that the centre has it.
    pub fn publish_alarm(&self, alarm: &Alarm) -> Result<(), Error> {
        self.line.publish(&alarm.device, Channel::Alarm, QoS::AtLeastOnce, &AlarmV1::write(alarm))
    }

    /// Whether the centre is there.
    pub fn is_connected(&self) -> bool {
        *self.line.connected.borrow()
    }

    /// Says goodbye and ends the link.
    pub async fn stop(&self) {
        let client = self.line.client().clone();
        if let Some(client) = client {
            self.line.say_health(Presence::Offline);
            let _ = client.try_disconnect();
            let mut connected = self.line.connected.subscribe();
            let _ = tokio::time::timeout(GOODBYE, connected.wait_for(|connected| !connected)).await;
        }
    }
}

impl Drop for EdgeLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The device that stands for the box of a site.
pub fn own_device(site: &SiteId) -> DeviceRef {
    DeviceRef::new(site.clone(), EDGE.parse::<DeviceId>().unwrap_or_else(|_| unreachable!("a word of small letters is an id")))
}

async fn run(line: Arc<Line>, options: MqttOptions, receipts: String, events: mpsc::Sender<LinkEvent>) {
    let mut backoff = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
    loop {
        let (reason, was_up) = run_once(&line, &options, &receipts, &events).await;
        *line.client() = None;
        line.connected.send_replace(false);
        if was_up {
            backoff.reset();
            tracing::warn!(reason, "the centre is away; alarms are kept, counts are dropped until it is back");
        } else {
            tracing::debug!(reason, "the centre is still away");
        }
        if was_up && events.send(LinkEvent::Down).await.is_err() {
            return;
        }
        tokio::time::sleep(backoff.step()).await;
    }
}

/// One connection, until it breaks; why it did, and whether it was good before.
async fn run_once(line: &Line, options: &MqttOptions, receipts: &str, events: &mpsc::Sender<LinkEvent>) -> (String, bool) {
    // A client of its own for each connection: what an older one had not sent is judged anew by the caller.
    let (client, mut link) = AsyncClient::new(options.clone(), QUEUE);
    link.network_options.set_connection_timeout(5).set_tcp_nodelay(true);
    let mut up = false;
    let mut beat = tokio::time::interval(HEALTH_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let event = {
            let poll = link.poll();
            tokio::pin!(poll);
            loop {
                tokio::select! {
                    event = &mut poll => break event,
                    _ = beat.tick(), if up => line.say_health(Presence::Online),
                }
            }
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                let _ = client.try_subscribe(receipts, QoS::AtLeastOnce);
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return ("the centre does not let the box read its receipts".to_owned(), up);
                }
                tracing::info!("connected to the centre");
                *line.client() = Some(client.clone());
                line.connected.send_replace(true);
                up = true;
                beat.reset_immediately();
                if events.send(LinkEvent::Up).await.is_err() {
                    return ("nobody listens".to_owned(), up);
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let receipt = serde_json::from_slice::<ReceiptV1>(&publish.payload).ok();
                if let (Ok(Topic::Device(device, Channel::Receipt)), Some(receipt)) = (Topic::parse(&publish.topic), receipt)
                    && events.send(LinkEvent::Receipt(device, receipt)).await.is_err()
                {
                    return ("nobody listens".to_owned(), up);
                }
            }
            Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return ("ended".to_owned(), up),
            Ok(_) => {}
            Err(error) => return (error.to_string(), up),
        }
    }
}

impl Line {
    fn client(&self) -> std::sync::MutexGuard<'_, Option<AsyncClient>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_health(&self, state: Presence) {
        let health = HealthV1 { v: 1, state, at: Some(self.clock.utc()), battery_percent: None, tamper: None, mains: None };
        let _ = self.publish(&self.own, Channel::Health, QoS::AtLeastOnce, &health);
    }

    fn publish(&self, device: &DeviceRef, channel: Channel, qos: QoS, payload: &impl Serialize) -> Result<(), Error> {
        let sent = match self.client().as_ref() {
            None => Err(Error::NotConnected),
            Some(client) => {
                client.try_publish(topic(device, channel), qos, channel == Channel::Health, json(payload)).map_err(|_| Error::QueueFull)
            }
        };
        if sent.is_err() {
            let label = match channel {
                Channel::Count => "count",
                Channel::Alarm => "alarm",
                Channel::Sensor => "sensor",
                Channel::Health => "health",
                Channel::Segment => "segment",
                Channel::Receipt => "receipt",
            };
            metrics::counter!("qorgan_mqtt_dropped_total", "channel" => label).increment(1);
        }
        sent
    }
}

fn topic(device: &DeviceRef, channel: Channel) -> String {
    Topic::Device(device.clone(), channel).to_string()
}

fn json(payload: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}
