//! The link to a broker that somebody else runs (Mosquitto, EMQX, NATS), over MQTT 3.1.1.
//!
//! The hub logs in there as one client, reads what devices publish and writes receipts and alerts. Who
//! may write which topic is that broker's matter: `configs/mosquitto/acl` gives the same rights as the
//! embedded broker. A PUBACK from that broker to a device says only that the broker has the message; the receipt
//! topic says that the alarm is stored. The hub acknowledges an alarm to the broker only after the
//! commit, so that an alarm survives a crash of the hub in the broker's queue for the hub's session.
//!
//! What belongs here: the connection and its state, acknowledgements, retries of a failed commit. What does
//! not: what a message means (`judge`, `intake`).

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use qorgan_domain::{Alarm, Count, topic::Principal};
use rumqttc::{AsyncClient, Event, EventLoop, Packet, Publish, QoS, SubscribeFilter, SubscribeReasonCode};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{
    Cause, DoorEvent, Doors, Error, Judged, LinkState, NotStored, Qos, Refusal, backoff::Backoff, embedded::own_count, intake::Intake, tls,
};
use crate::quiet::printable;

/// What the hub reads.
const FILTERS: [&str; 9] = [
    "qorgan/v1/+/+/alarm",
    "qorgan/v1/+/+/count",
    "qorgan/v1/+/+/sensor",
    "qorgan/v1/+/+/health",
    "qorgan/v1/+/+/segment",
    "qorgan/v1/unit/+/position",
    "qorgan/v1/unit/+/order/receipt",
    "qorgan/v1/hazard/+",
    "qorgan/v1/area/+/indicator",
];
/// Messages to the broker that may wait.
const QUEUE: usize = 4096;
/// Alarms that may wait for their commit. The broker's own window (`max_inflight_messages`) usually ends earlier.
const MAX_ALARMS: usize = 4096;
/// Own counts whose return from the broker is remembered.
const MAX_ECHOES: usize = 4096;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How to reach the broker.
#[derive(Clone)]
pub struct Config {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`, without credentials.
    pub url: String,
    /// User name of the hub there.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Certificates to trust, PEM; the system's when absent.
    pub ca: Option<PathBuf>,
    /// Client id of the hub; its session there goes by it, so it must stay the same and be nobody else's.
    pub client_id: String,
}

impl fmt::Debug for Config {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The running link.
pub struct Link {
    ctx: Arc<Context>,
    run: Mutex<Option<JoinHandle<()>>>,
}

struct Context {
    intake: Arc<Intake>,
    client: AsyncClient,
    state: watch::Sender<LinkState>,
    /// Whether the queue is being emptied. True before `state.connected`: alarms that waited in the hub's
    /// session arrive before its subscriptions are confirmed, and their receipts must leave.
    online: AtomicBool,
    echoes: Mutex<Echoes>,
}

impl Link {
    /// Starts connecting in the background and keeps at it. Fails only for a bad address or CA file.
    pub fn start(config: &Config, doors: Arc<Doors>) -> Result<Self, Error> {
        let mut options = tls::options(&config.url, &config.client_id, config.ca.as_deref())?;
        options
            .set_credentials(&config.user, &config.password)
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_inflight(1000);
        let since = doors.clock.utc();
        let (client, mut events) = AsyncClient::new(options, QUEUE);
        events.network_options.set_connection_timeout(5).set_tcp_nodelay(true);
        let state = watch::Sender::new(LinkState { connected: false, since, error: Some("not connected yet".into()) });
        let ctx = Arc::new(Context { intake: Intake::new(doors), client, state, online: AtomicBool::new(false), echoes: Mutex::default() });
        metrics::gauge!("qorgan_mqtt_connected").set(0.0);
        let run = tokio::spawn(run(ctx.clone(), events));
        Ok(Self { ctx, run: Mutex::new(Some(run)) })
    }

    /// Whether messages flow, since when, and why not.
    pub fn state(&self) -> LinkState {
        self.ctx.state.borrow().clone()
    }

    /// Follows the state; retained alerts are worth publishing again after each new connection.
    pub fn watch(&self) -> watch::Receiver<LinkState> {
        self.ctx.state.subscribe()
    }

    /// Queues a message; never waits.
    pub fn publish(&self, topic: &str, payload: Bytes, qos: Qos, retain: bool) -> Result<(), Error> {
        self.ctx.publish(topic, payload, qos, retain)
    }

    /// See [`Mqtt::publish_count`](super::Mqtt::publish_count). The broker sends the hub's counts back to
    /// it; those are recognised and not counted twice.
    pub fn publish_count(&self, count: &Count) -> Result<(), Error> {
        let (topic, payload) = own_count(&self.ctx.intake, count)?;
        self.ctx.echoes().expect(&topic, &payload);
        let sent = self.ctx.publish(&topic, payload.clone(), Qos::AtMostOnce, false);
        if sent.is_err() {
            self.ctx.echoes().is_echo(&topic, &payload);
        }
        sent
    }

    /// Ends the link. Alarms in the middle of their commit stay with the broker and come again.
    pub async fn stop(&self) {
        let Some(run) = self.run.lock().unwrap_or_else(|p| p.into_inner()).take() else { return };
        run.abort();
        let _ = run.await;
        self.ctx.lost("stopped".to_owned());
    }
}

async fn run(ctx: Arc<Context>, mut events: EventLoop) {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
    // Commits of this connection. Those of an older one are dropped: the broker sends their messages
    // again, and an acknowledgement with an old packet id could hit another message.
    let mut alarms = JoinSet::new();
    let mut asked_before = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                ctx.online.store(true, Ordering::Relaxed);
                // Asking anew brings the retained health messages, which a hub needs once after its start.
                if asked_before && ack.session_present {
                    ctx.connected();
                    backoff.reset();
                } else {
                    ctx.subscribe();
                }
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    ctx.say_not_connected("the broker's access list does not let the hub read the devices' topics".to_owned());
                } else {
                    asked_before = true;
                    ctx.connected();
                    backoff.reset();
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                while alarms.try_join_next().is_some() {}
                ctx.receive(publish, &mut alarms);
            }
            Ok(_) => {}
            Err(error) => {
                alarms.abort_all();
                ctx.lost(error.to_string());
                tokio::time::sleep(backoff.step()).await;
            }
        }
    }
}

impl Context {
    /// Asks for the devices' topics. In a task: this one must go on emptying the queue.
    fn subscribe(&self) {
        let client = self.client.clone();
        let foreign = self.intake.doors.foreign.iter().map(|source| source.topic.to_string());
        let filters = FILTERS.map(str::to_owned).into_iter().chain(foreign);
        let filters: Vec<_> = filters.map(|filter| SubscribeFilter::new(filter, QoS::AtLeastOnce)).collect();
        tokio::spawn(async move { client.subscribe_many(filters).await });
    }

    fn receive(self: &Arc<Self>, publish: Publish, alarms: &mut JoinSet<()>) {
        let (topic, payload) = (publish.topic.as_str(), &publish.payload);
        if self.echoes().is_echo(topic, payload) {
            return self.acknowledge(&publish);
        }
        let judged = if publish.retain && !topic.ends_with("/health") {
            // Kept from before the hub's subscription; alarms meant for the hub wait in its session instead.
            let refusal = Refusal::new(topic, Cause::Retained);
            self.intake.refusals.note(client_of(topic), &refusal);
            Err(refusal)
        } else {
            self.intake.judge(client_of(topic), &Principal::Hub, topic, payload)
        };
        match judged {
            Ok(Judged::Alarm { alarm, unknown_fields }) if alarms.len() < MAX_ALARMS => {
                let ctx = self.clone();
                alarms.spawn(async move { ctx.commit(alarm, &unknown_fields, &publish).await });
            }
            // Not acknowledged: the broker keeps it and sends it again with the next connection.
            Ok(Judged::Alarm { alarm, .. }) => {
                metrics::counter!("qorgan_mqtt_dropped_total", "channel" => "alarm").increment(1);
                tracing::error!(device = %alarm.device, "too many alarms wait for the journal");
            }
            Ok(Judged::Event(mut event)) => {
                if let DoorEvent::Health { retained, .. } = &mut event {
                    *retained = publish.retain;
                }
                self.intake.take(event);
                self.acknowledge(&publish);
            }
            // What cannot be understood now will not be later; its sender sees no receipt.
            Err(_) => self.acknowledge(&publish),
        }
    }

    /// Commits until it succeeds; only then the broker may forget the alarm.
    async fn commit(self: Arc<Self>, alarm: Alarm, unknown_fields: &[String], publish: &Publish) {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
        loop {
            let ctx = self.clone();
            let send = Box::new(move |topic: String, payload: Vec<u8>| -> futures::future::BoxFuture<'static, ()> {
                // Without a connection it is lost; the alarm comes again with the next one, and its receipt with it.
                Box::pin(async move {
                    if !ctx.online.load(Ordering::Relaxed) || ctx.client.publish(&topic, QoS::AtLeastOnce, false, payload).await.is_err() {
                        tracing::warn!(topic, "receipt not sent: not connected");
                    }
                })
            });
            match self.intake.commit(&Principal::Hub, alarm.clone(), unknown_fields, send).await {
                // Of a flood no more is kept than waits already: it would take the place of other devices' alarms in the
                // broker's window. Its sender gets no receipt.
                Ok(_) | Err(NotStored::Flood(_)) => return self.acknowledge(publish),
                Err(_) => {}
            }
            tokio::time::sleep(backoff.step()).await;
        }
    }

    /// Tells the broker that the hub has the message. Never waits in the task that empties the queue.
    fn acknowledge(&self, publish: &Publish) {
        if publish.qos == QoS::AtMostOnce || self.client.try_ack(publish).is_ok() {
            return;
        }
        let (client, publish) = (self.client.clone(), publish.clone());
        tokio::spawn(async move { client.ack(&publish).await });
    }

    fn publish(&self, topic: &str, payload: Bytes, qos: Qos, retain: bool) -> Result<(), Error> {
        // Without a connection nothing empties the queue: old counts would hold up new receipts.
        if !self.online.load(Ordering::Relaxed) {
            return Err(Error::NotConnected);
        }
        let qos = match qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
        };
        self.client.try_publish(topic, qos, retain, payload).map_err(|_| {
            metrics::counter!("qorgan_mqtt_dropped_total", "channel" => "outgoing").increment(1);
            Error::QueueFull
        })
    }

    fn connected(&self) {
        metrics::gauge!("qorgan_mqtt_connected").set(1.0);
        let since = self.intake.doors.clock.utc();
        let changed = self.state.send_if_modified(|state| {
            let changed = !state.connected;
            if changed {
                *state = LinkState { connected: true, since, error: None };
            }
            changed
        });
        if changed {
            tracing::info!("connected to the MQTT broker");
        }
    }

    fn lost(&self, reason: String) {
        self.online.store(false, Ordering::Relaxed);
        self.say_not_connected(reason);
    }

    fn say_not_connected(&self, reason: String) {
        metrics::gauge!("qorgan_mqtt_connected").set(0.0);
        let since = self.intake.doors.clock.utc();
        let said = self.state.borrow().error.as_ref() == Some(&reason);
        if !said {
            tracing::warn!("MQTT broker: {}", printable(&reason, 240));
        }
        self.state.send_modify(|state| {
            let since = if state.connected { since } else { state.since };
            *state = LinkState { connected: false, since, error: Some(reason) };
        });
    }

    fn echoes(&self) -> std::sync::MutexGuard<'_, Echoes> {
        self.echoes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// An external broker does not say who published; the device in the topic stands for it in the log.
fn client_of(topic: &str) -> &str {
    topic.strip_suffix("/alarm").or_else(|| topic.rsplit_once('/').map(|(device, _)| device)).unwrap_or(topic)
}

/// Own counts on their way out, to be known when the broker sends them back. (MQTT 5 has an option
/// against that; brokers that speak only 3.1.1 do not.)
#[derive(Default)]
struct Echoes {
    expected: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Echoes {
    fn key(topic: &str, payload: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        (topic, payload).hash(&mut hasher);
        hasher.finish()
    }

    fn expect(&mut self, topic: &str, payload: &[u8]) {
        let key = Self::key(topic, payload);
        if self.expected.insert(key) {
            self.order.push_back(key);
        }
        while self.order.len() > MAX_ECHOES {
            if let Some(oldest) = self.order.pop_front() {
                self.expected.remove(&oldest);
            }
        }
    }

    /// Whether it is one of ours; asked once for each.
    fn is_echo(&mut self, topic: &str, payload: &[u8]) -> bool {
        !self.expected.is_empty() && self.expected.remove(&Self::key(topic, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_known_once() {
        let mut echoes = Echoes::default();
        echoes.expect("t", b"1");
        assert!(!echoes.is_echo("t", b"2"));
        assert!(echoes.is_echo("t", b"1"));
        assert!(!echoes.is_echo("t", b"1"));
    }

    #[test]
    fn echoes_are_bounded() {
        let mut echoes = Echoes::default();
        for n in 0..MAX_ECHOES * 3 {
            echoes.expect("t", n.to_string().as_bytes());
            if n % 2 == 0 {
                assert!(echoes.is_echo("t", n.to_string().as_bytes()));
            }
        }
        assert!(echoes.order.len() <= MAX_ECHOES && echoes.expected.len() <= MAX_ECHOES);
    }
}
