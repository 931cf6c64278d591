//! A button that presses over MQTT, as a real one would: it says that it is there, leaves a last will,
//! numbers its presses, and repeats a press until the hub's receipt says that it is stored.
//!
//! What belongs here: the client side of the alarm protocol, for `qorgan button` and for fleets in tests. What
//! does not: anything of the hub.
//!
//! One task drives the connection ([`Button::open`] hands it out, [`Button::connect`] spawns it); the
//! [`Button`] is its handle.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::Future,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use qorgan_domain::{
    Alarm, AlarmKey, AlarmKind, DeviceRef, UtcMs,
    topic::{Channel, Principal, Topic},
    wire::{AlarmV1, HealthV1, Presence, ReceiptV1},
};
use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS, SubscribeReasonCode};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Error, backoff::Backoff, tls};

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Presses that may wait for their receipt; further ones wait for room.
const QUEUE: usize = 64;

/// Which button, and where the hub is.
#[derive(Clone)]
pub struct Options {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`.
    pub url: String,
    /// The button.
    pub device: DeviceRef,
    /// Its password; the user name is `{site}/{device}`.
    pub password: String,
    /// Certificates to trust, PEM; the system's when absent.
    pub ca: Option<PathBuf>,
    /// What a press asks for.
    pub kind: AlarmKind,
    /// Whether presses are test presses.
    pub test: bool,
    /// After how long without a receipt the same press is sent again.
    pub retry_after: Duration,
    /// How often it says that it is alive when it has nothing else to say.
    pub keep_alive: Duration,
}

impl Options {
    /// A panic button that repeats after five seconds.
    pub fn new(url: impl Into<String>, device: DeviceRef, password: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            device,
            password: password.into(),
            ca: None,
            kind: AlarmKind::Panic,
            test: false,
            retry_after: Duration::from_secs(5),
            keep_alive: KEEP_ALIVE,
        }
    }
}

impl fmt::Debug for Options {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("url", &self.url).field("device", &self.device).finish_non_exhaustive()
    }
}

/// A press that has its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// The button, its start and the number of the press.
    pub key: AlarmKey,
    /// From the press to the first PUBACK of the broker; absent when the receipt came first.
    pub puback: Option<Duration>,
    /// From the press to its receipt.
    pub receipt: Duration,
    /// Row of the hub's journal.
    pub journal: i64,
    /// The hub had stored it before: an earlier receipt was lost.
    pub repeat: bool,
    /// How often it was sent.
    pub sent: u32,
}

/// Handle of a connected (or connecting) button.
pub struct Button {
    device: DeviceRef,
    boot: String,
    next_seq: AtomicU64,
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
}

enum Command {
    Press { seq: u64, pressed: Instant, done: oneshot::Sender<Press> },
    Close,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Not connected; why, if it is known.
    Away(Option<String>),
    /// The hub says no and will say so again.
    Refused(String),
    Ready,
}

impl Button {
    /// Starts a button in a task of its own.
    pub fn connect(options: Options) -> Result<Self, Error> {
        let (button, drive) = Self::open(options)?;
        tokio::spawn(drive);
        Ok(button)
    }

    /// A button and the future that drives it, so that one task can drive many. It ends after [`close`](Self::close).
    pub fn open(options: Options) -> Result<(Self, impl Future<Output = ()> + Send + 'static), Error> {
        let user = Principal::Device(options.device.clone()).to_string();
        let mut mqtt = tls::options(&options.url, &user, options.ca.as_deref())?;
        let will = LastWill::new(topic(&options.device, Channel::Health), health(Presence::Offline), QoS::AtLeastOnce, true);
        mqtt.set_credentials(user, &options.password).set_keep_alive(options.keep_alive).set_clean_session(true).set_last_will(will);
        let (commands, inbox) = mpsc::channel(QUEUE);
        let (state, watch) = watch::channel(State::Away(None));
        let boot = format!("{:08x}", rand::random::<u32>());
        let button = Self { device: options.device.clone(), boot: boot.clone(), next_seq: AtomicU64::new(1), commands, state: watch };
        let driver = Driver { options, mqtt, boot, state, inbox, waiting: VecDeque::new(), closing: false };
        Ok((button, driver.run()))
    }

    /// Which button it is.
    pub fn device(&self) -> &DeviceRef {
        &self.device
    }

    /// The id of this start; random.
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// Waits until the hub has accepted the button, which then also hears its receipts. Fails when the hub refuses it.
    pub async fn ready(&mut self) -> Result<(), Error> {
        let state = self.state.wait_for(|state| !matches!(state, State::Away(_))).await;
        match state.as_deref() {
            Ok(State::Ready) => Ok(()),
            Ok(State::Refused(reason) | State::Away(Some(reason))) => Err(Error::Rejected(reason.clone())),
            Ok(State::Away(None)) | Err(_) => Err(Error::NotConnected),
        }
    }

    /// Why there is no connection, if there is none and it is known.
    pub fn trouble(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Away(reason) => reason.clone(),
            State::Refused(reason) => Some(reason.clone()),
            State::Ready => None,
        }
    }

    /// Presses and waits for the receipt, for as long as it takes: give it a time limit if you have one. The
    /// press goes on being repeated when the caller stops waiting.
    pub async fn press(&self) -> Result<Press, Error> {
        let (_, receipt) = self.begin_press().await?;
        receipt.await
    }

    /// Presses, and says under which key before anybody has answered. The press is made when the future is driven.
    pub fn begin_press(
        &self,
    ) -> impl Future<Output = Result<(AlarmKey, impl Future<Output = Result<Press, Error>> + Send + use<>), Error>> + Send + use<> {
        let seq = self.next_seq.fetch_add(1, Ordering::Relaxed);
        let key = AlarmKey { device: self.device.clone(), boot: Some(self.boot.clone()), seq };
        let commands = self.commands.clone();
        async move {
            let (done, receipt) = oneshot::channel();
            commands.send(Command::Press { seq, pressed: Instant::now(), done }).await.map_err(|_| Error::NotConnected)?;
            Ok((key, async move { receipt.await.map_err(|_| Error::NotConnected) }))
        }
    }

    /// Says goodbye and ends the driving future. Presses without a receipt are given up.
    pub async fn close(self) {
        let _ = self.commands.send(Command::Close).await;
        self.commands.closed().await;
    }
}

/// A press without a receipt.
struct Waiting {
    seq: u64,
    pressed: Instant,
    pressed_at: UtcMs,
    last_sent: Option<Instant>,
    sent: u32,
    puback: Option<Duration>,
    done: oneshot::Sender<Press>,
}

struct Driver {
    options: Options,
    mqtt: MqttOptions,
    boot: String,
    state: watch::Sender<State>,
    inbox: mpsc::Receiver<Command>,
    waiting: VecDeque<Waiting>,
    closing: bool,
}

/// One connection: rumqttc repeats nothing across connections here, the button does that itself by its numbers.
struct Wire {
    client: AsyncClient,
    /// What was handed to the client and has no packet id yet, in order: a press or (none) a health message.
    unnumbered: VecDeque<Option<u64>>,
    numbered: HashMap<u16, u64>,
}

impl Driver {
    async fn run(mut self) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        while !self.closing {
            let error = self.run_once(&mut backoff).await;
            if self.closing {
                break;
            }
            self.state.send_replace(match error {
                // Said, for one, to a client that comes back while its last connection is being cleared away.
                ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable) => State::Away(Some("not available now".into())),
                ConnectionError::ConnectionRefused(code) => State::Refused(format!("{code:?}")),
                other => State::Away(Some(other.to_string())),
            });
            let pause = tokio::time::sleep(backoff.step());
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    command = self.inbox.recv() => if self.take(command, None) { return },
                }
            }
        }
    }

    /// One connection, until it breaks or the button is closed.
    async fn run_once(&mut self, backoff: &mut Backoff) -> ConnectionError {
        let (client, mut events) = AsyncClient::new(self.mqtt.clone(), 2 * QUEUE + 8);
        events.network_options.set_connection_timeout(5).set_tcp_nodelay(true);
        let mut wire = Wire { client, unnumbered: VecDeque::new(), numbered: HashMap::new() };
        loop {
            let event = match self.next_event(&mut events, &mut wire).await {
                Ok(event) => event,
                Err(error) => return error,
            };
            match event {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let receipts = topic(&self.options.device, Channel::Receipt);
                    let _ = wire.client.try_subscribe(receipts, QoS::AtLeastOnce);
                }
                Event::Incoming(Packet::SubAck(ack)) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                    self.state.send_replace(State::Refused("may not read its receipts".to_owned()));
                }
                Event::Incoming(Packet::SubAck(_)) => {
                    backoff.reset();
                    wire.publish(&topic(&self.options.device, Channel::Health), health(Presence::Online), true, None);
                    self.state.send_replace(State::Ready);
                    // Presses from before this connection may never have left.
                    self.waiting.iter_mut().for_each(|waiting| waiting.last_sent = None);
                    self.send_due(&mut wire);
                }
                Event::Incoming(Packet::Publish(publish)) => self.receipt(&publish.payload),
                Event::Incoming(Packet::PubAck(ack)) => {
                    let seq = wire.numbered.remove(&ack.pkid);
                    if let Some(waiting) = self.waiting.iter_mut().find(|waiting| Some(waiting.seq) == seq) {
                        waiting.puback.get_or_insert(waiting.pressed.elapsed());
                    }
                }
                Event::Outgoing(rumqttc::Outgoing::Publish(pkid)) => {
                    if let Some(Some(seq)) = wire.unnumbered.pop_front() {
                        wire.numbered.insert(pkid, seq);
                    }
                }
                Event::Outgoing(rumqttc::Outgoing::Disconnect) => return ConnectionError::RequestsDone,
                _ => {}
            }
        }
    }

    /// Waits for the network and, meanwhile, takes presses and repeats those that are due.
    async fn next_event(&mut self, events: &mut EventLoop, wire: &mut Wire) -> Result<Event, ConnectionError> {
        let poll = events.poll();
        tokio::pin!(poll);
        loop {
            let due = self.next_due();
            tokio::select! {
                event = &mut poll => return event,
                command = self.inbox.recv(), if !self.closing => { self.take(command, Some(&mut *wire)); }
                () = tokio::time::sleep_until(due.into()) => self.send_due(wire),
            }
        }
    }

    /// Takes a command; true when there is nothing left to do.
    fn take(&mut self, command: Option<Command>, wire: Option<&mut Wire>) -> bool {
        match (command, wire) {
            (Some(Command::Press { seq, pressed, done }), wire) => {
                let pressed_at = UtcMs(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis()).unwrap_or(i64::MAX));
                self.waiting.push_back(Waiting { seq, pressed, pressed_at, last_sent: None, sent: 0, puback: None, done });
                if let Some(wire) = wire {
                    self.send_due(wire);
                }
                false
            }
            (Some(Command::Close) | None, wire) => {
                self.closing = true;
                if let Some(wire) = wire {
                    wire.publish(&topic(&self.options.device, Channel::Health), health(Presence::Offline), true, None);
                    let _ = wire.client.try_disconnect();
                }
                true
            }
        }
    }

    fn next_due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        if *self.state.borrow() != State::Ready {
            return far;
        }
        self.waiting
            .iter()
            .map(|waiting| waiting.last_sent.map_or_else(Instant::now, |sent| sent + self.options.retry_after))
            .min()
            .unwrap_or(far)
    }

    fn send_due(&mut self, wire: &mut Wire) {
        if *self.state.borrow() != State::Ready {
            return;
        }
        let (device, now) = (&self.options.device, Instant::now());
        let alarms = topic(device, Channel::Alarm);
        for waiting in &mut self.waiting {
            if waiting.last_sent.is_some_and(|sent| now < sent + self.options.retry_after) {
                continue;
            }
            let alarm = Alarm {
                boot: Some(self.boot.clone()),
                pressed_at: Some(waiting.pressed_at),
                test: self.options.test,
                ..Alarm::new(device.clone(), self.options.kind, waiting.seq, waiting.pressed_at)
            };
            let payload = serde_json::to_vec(&AlarmV1::write(&alarm)).unwrap_or_default();
            // Marked as sent also when the queue is full: it is due again after `retry_after`.
            wire.publish(&alarms, payload, false, Some(waiting.seq));
            waiting.last_sent = Some(now);
            waiting.sent += 1;
        }
    }

    fn receipt(&mut self, payload: &[u8]) {
        let Ok(receipt) = serde_json::from_slice::<ReceiptV1>(payload) else { return };
        let (device, boot) = (&self.options.device, &self.boot);
        let key = |seq| AlarmKey { device: device.clone(), boot: Some(boot.clone()), seq };
        let Some(at) = self.waiting.iter().position(|waiting| receipt.is_for(&key(waiting.seq))) else { return };
        if let Some(waiting) = self.waiting.remove(at) {
            let press = Press {
                key: key(waiting.seq),
                puback: waiting.puback,
                receipt: waiting.pressed.elapsed(),
                journal: receipt.journal,
                repeat: receipt.repeat,
                sent: waiting.sent,
            };
            let _ = waiting.done.send(press);
        }
    }
}

impl Wire {
    fn publish(&mut self, topic: &str, payload: Vec<u8>, retain: bool, press: Option<u64>) {
        if self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok() {
            self.unnumbered.push_back(press);
        }
    }
}

fn topic(device: &DeviceRef, channel: Channel) -> String {
    Topic::Device(device.clone(), channel).to_string()
}

fn health(state: Presence) -> Vec<u8> {
    serde_json::to_vec(&HealthV1 { v: 1, state, at: None, battery_percent: None, tamper: None, mains: None }).unwrap_or_default()
}
