//! The broker inside the hub's process: rmqtt with the hub's rules in its hooks.
//!
//! What belongs here: starting and stopping it, its limits, publishing from inside. What does not: the rules
//! (`hooks`, `judge`).
//!
//! Limits of rmqtt 0.24 to know: retained messages and queues for absent clients live in memory; a
//! persistent session that is offline holds its file descriptor until it expires (two hours here); a
//! TCP connection that never sends a byte is not timed out by it (once the first byte has come, the
//! handshake has five seconds), so a listener that strangers reach belongs behind a firewall that limits
//! connections per address; a client that comes back within a millisecond or so of being cut off may
//! be told "server unavailable" once, while its last session is being cleared away.

use std::{
    net::SocketAddr,
    num::NonZeroU16,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::StreamExt;
use qorgan_domain::{
    Count, UtcMs,
    topic::{Channel, Principal, Topic},
    wire::CountV1,
};
use rmqtt::{
    context::ServerContext,
    hook::{Register, Type},
    net::{Builder, Listener},
    retain::DefaultRetainStorage,
    server::MqttServer,
    types::QoS,
};
use tokio::task::JoinHandle;

use super::{
    COMMIT_TIMEOUT, Doors, Error, Judged, LinkState, Qos,
    client_ids::{self, ClientIds},
    hooks::{AtGate, Gate, route},
    intake::Intake,
    keep_alive::KeepAlive,
    storage::{InTurn, Retained},
};

/// Larger packets end the connection. Our payloads are refused above 16 KiB; the room above that lets
/// the refusal be said and counted.
const MAX_PACKET_BYTES: u32 = 64 * 1024;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
const SESSION_EXPIRY: Duration = Duration::from_secs(2 * 3600);
const MESSAGE_EXPIRY: Duration = Duration::from_secs(24 * 3600);
/// A desk reads a handful of filters; a device one.
const MAX_SUBSCRIPTIONS: usize = 64;

/// Where the broker listens. Port 0 takes a free one; see [`Broker::plain_addr`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Without TLS; loopback only.
    pub plain: Option<SocketAddr>,
    /// With TLS.
    pub tls: Option<TlsListener>,
    /// Most sessions, connected or not.
    pub max_sessions: usize,
}

impl Default for Config {
    /// Plain on a free port of loopback, 20,000 sessions.
    fn default() -> Self {
        Self { plain: Some(SocketAddr::from(([127, 0, 0, 1], 0))), tls: None, max_sessions: 20_000 }
    }
}

/// A listener with TLS.
#[derive(Debug, Clone)]
pub struct TlsListener {
    /// Where.
    pub addr: SocketAddr,
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// The running broker.
pub struct Broker {
    scx: ServerContext,
    gate: Arc<Gate>,
    run: Mutex<Option<JoinHandle<()>>>,
    /// Never stopped: a stopped register lets every message through.
    _register: Box<dyn Register>,
    since: Mutex<UtcMs>,
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
}

impl Broker {
    /// Starts listening. Must be called inside a tokio runtime.
    pub async fn start(config: Config, doors: Arc<Doors>) -> Result<Self, Error> {
        let since = doors.clock.utc();
        let gate =
            Arc::new(Gate { intake: Intake::new(doors), client_ids: Mutex::new(ClientIds::default()), stopping: AtomicBool::new(false) });
        let scx = ServerContext::new()
            .busy_check_enable(false)
            .mqtt_max_sessions(isize::try_from(config.max_sessions).unwrap_or(isize::MAX))
            .build()
            .await;
        let register = scx.extends.hook_mgr().register();
        for kind in [
            Type::ClientAuthenticate,
            Type::ClientSubscribeCheckAcl,
            Type::ClientConnected,
            Type::ClientKeepalive,
            Type::ClientDisconnected,
            Type::MessagePublish,
            Type::MessagePublishCheckAcl,
        ] {
            register.add(kind, Box::new(AtGate(gate.clone()))).await;
        }
        register.start().await;
        *scx.extends.fitter_mgr_mut().await = Box::new(KeepAlive);
        *scx.extends.retain_mut().await = Box::new(Retained(DefaultRetainStorage::new()));
        *scx.extends.shared_subscription_mut().await = Box::new(InTurn::default());

        let plain = config.plain.map(|addr| listen_plain(addr, &config)).transpose()?;
        let tls = config.tls.as_ref().map(|tls| listen_tls(tls, &config)).transpose()?;
        let addr_of = |listener: &Option<Listener>| listener.as_ref().and_then(|l| l.local_addr().ok());
        let (plain_addr, tls_addr) = (addr_of(&plain), addr_of(&tls));
        if plain.is_none() && tls.is_none() {
            return Err(Error::NoListener);
        }
        let mut server = MqttServer::new(scx.clone());
        for (id, listener) in [(1, plain), (2, tls)] {
            if let Some(listener) = listener {
                server = server.listener_by_id(listener, id);
            }
        }
        let server = server.build();
        // Not `start()`: it ends the process on an error.
        let run = tokio::spawn(async move {
            if let Err(error) = server.run().await {
                tracing::error!("the embedded MQTT broker ended: {error}");
            }
        });
        metrics::gauge!("qorgan_mqtt_connected").set(1.0);
        tracing::info!(plain = ?plain_addr, tls = ?tls_addr, "MQTT broker listens");
        Ok(Self { scx, gate, run: Mutex::new(Some(run)), _register: register, since: Mutex::new(since), plain: plain_addr, tls: tls_addr })
    }

    /// Where it listens without TLS.
    pub fn plain_addr(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// Where it listens with TLS.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Clients that are connected now.
    pub fn connections(&self) -> usize {
        usize::try_from(self.scx.connections.count()).unwrap_or(0)
    }

    /// Publishes on the hub's own word; passes no hook and is not judged.
    pub async fn publish(&self, topic: &str, payload: Bytes, qos: Qos, retain: bool) -> Result<(), Error> {
        if self.gate.stopping.load(Ordering::Relaxed) {
            return Err(Error::NotConnected);
        }
        let qos = match qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
        };
        route(&self.scx, topic, payload, qos, retain).await.map_err(|error| Error::Route(error.into()))
    }

    /// See [`Mqtt::publish_count`](super::Mqtt::publish_count).
    pub async fn publish_count(&self, count: &Count) -> Result<(), Error> {
        let (topic, payload) = own_count(&self.gate.intake, count)?;
        self.publish(&topic, payload, Qos::AtMostOnce, false).await
    }

    /// Connected as long as the broker runs.
    pub fn state(&self) -> LinkState {
        let running = self.run.lock().unwrap_or_else(|p| p.into_inner()).as_ref().is_some_and(|run| !run.is_finished());
        let since = *self.since.lock().unwrap_or_else(|p| p.into_inner());
        LinkState { connected: running, since, error: (!running).then(|| "the embedded broker is stopped".to_owned()) }
    }

    /// Frees the ports and ends every session. A second call does nothing.
    pub async fn stop(&self) {
        self.gate.stopping.store(true, Ordering::Relaxed);
        let Some(run) = self.run.lock().unwrap_or_else(|p| p.into_inner()).take() else { return };
        run.abort();
        // Waiting for the task is what closes the listening sockets.
        let _ = run.await;
        metrics::gauge!("qorgan_mqtt_connected").set(0.0);
        *self.since.lock().unwrap_or_else(|p| p.into_inner()) = self.gate.intake.doors.clock.utc();
        // A connection in its handshake may add a session after the first round.
        let deadline = Instant::now() + COMMIT_TIMEOUT + Duration::from_secs(1);
        while self.kick_all().await > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the sessions there are; returns how many there were.
    async fn kick_all(&self) -> usize {
        let ids: Vec<_> = self.scx.extends.shared().await.iter().map(|entry| entry.id()).collect();
        let kicks = futures::stream::iter(ids.iter().cloned()).map(|id| async move {
            let entry = self.scx.extends.shared().await.entry(id);
            if let Ok(mut entry) = entry.try_lock().await {
                let _ = tokio::time::timeout(COMMIT_TIMEOUT, entry.kick(true, true, true)).await;
            }
        });
        kicks.buffer_unordered(256).collect::<Vec<()>>().await;
        ids.len()
    }
}

/// Judges a count of the hub itself and hands it over, as a foreign one; returns what to publish.
pub(crate) fn own_count(intake: &Intake, count: &Count) -> Result<(String, Bytes), Error> {
    let topic = Topic::Device(count.camera.clone(), Channel::Count).to_string();
    let payload = serde_json::to_vec(&CountV1::write(count)).unwrap_or_default();
    match intake.judge("hub", &Principal::Hub, &topic, &payload).map_err(|refusal| Error::Refused(Box::new(refusal)))? {
        Judged::Event(event) => intake.take(event),
        Judged::Alarm { .. } => unreachable!("a count topic gives no alarm"),
    }
    Ok((topic, payload.into()))
}

fn builder(name: &str, addr: SocketAddr, config: &Config) -> Builder {
    Builder::new()
        .name(name)
        .laddr(addr)
        .reuseaddr(Some(true))
        // After a power cut everybody comes at once.
        .backlog(4096)
        .nodelay(true)
        .allow_anonymous(false)
        .max_connections(config.max_sessions)
        .max_packet_size(MAX_PACKET_BYTES)
        .max_clientid_len(client_ids::MAX_BYTES)
        .max_subscriptions(MAX_SUBSCRIPTIONS)
        .max_inflight(NonZeroU16::MIN.saturating_add(31))
        .session_expiry_interval(SESSION_EXPIRY)
        .max_session_expiry_interval(SESSION_EXPIRY)
        .message_expiry_interval(MESSAGE_EXPIRY)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
}

fn listen_plain(addr: SocketAddr, config: &Config) -> Result<Listener, Error> {
    if !addr.ip().is_loopback() {
        return Err(Error::PlainNotLoopback(addr));
    }
    builder("hub", addr, config).bind().and_then(Listener::tcp).map_err(|source| Error::Bind { addr, source: source.into() })
}

fn listen_tls(tls: &TlsListener, config: &Config) -> Result<Listener, Error> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    builder("hub-tls", tls.addr, config)
        .tls_cert(Some(text(&tls.cert)))
        .tls_key(Some(text(&tls.key)))
        .bind()
        .map_err(|source| Error::Bind { addr: tls.addr, source: source.into() })?
        .tls()
        .map_err(|error| Error::Tls { path: tls.cert.clone(), reason: format!("{error:#}") })
}
