//! The receiver: sockets, limits, and the order of things. An answer leaves only after what it answers is safe.

use std::{
    collections::HashMap,
    error::Error as _,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use qorgan_domain::{Alarm, DeviceRef, Sign, SignKind, sign::FLOOD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::Semaphore,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Doors, Error, NotStored, Refusal,
    frame::MAX_FRAME,
    judge::{Heard, Judged, Lasts, judge},
    rate::Rate,
    stream::{Cut, Splitter},
};
use crate::{
    limit::{PerDevice, Rate as DeviceRate},
    quiet::{Quiet, printable},
};

/// How long a panel is kept waiting for the alarm journal. After that it gets no ACK and repeats.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(4);
/// A datagram that would have to wait longer than this gets no answer; the panel repeats.
const UDP_PATIENCE: Duration = Duration::from_secs(10);
/// Datagrams that are worked on at once.
const UDP_AT_ONCE: usize = 1_024;
/// How long the end of a connection may take.
const LINGER: Duration = Duration::from_secs(2);
const STOP_PATIENCE: Duration = Duration::from_secs(6);

/// Where and how it listens.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// TCP address.
    pub tcp: Option<SocketAddr>,
    /// UDP address.
    pub udp: Option<SocketAddr>,
    /// Hear encrypted frames only.
    pub require_encryption: bool,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds of the receiver.
#[derive(Debug, Clone)]
pub struct Limits {
    /// TCP connections at once.
    pub connections: usize,
    /// Of these from one address; a provider's gateway may bring many panels.
    pub connections_of_one: usize,
    /// A frame that has begun must end within this time.
    pub frame: Duration,
    /// A connection that has brought no frame of a known panel ends after this time.
    pub stranger: Duration,
    /// A panel may be silent for this long before its connection ends.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8_192,
            connections_of_one: 2_048,
            frame: Duration::from_secs(20),
            stranger: Duration::from_secs(30),
            idle: Duration::from_secs(900),
        }
    }
}

/// A running receiver.
pub struct Receiver {
    tcp: Option<SocketAddr>,
    udp: Option<SocketAddr>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Receiver {
    /// Listens.
    pub async fn start(config: Config, doors: Arc<Doors>) -> Result<Self, Error> {
        describe();
        for addr in [config.tcp, config.udp].into_iter().flatten() {
            if !addr.ip().is_loopback() && !config.require_encryption {
                return Err(Error::ClearNotLoopback(addr));
            }
        }
        let bind = |addr| move |source| Error::Bind { addr, source };
        let (cancel, tasks) = (CancellationToken::new(), TaskTracker::new());
        let shared = Arc::new(Shared {
            doors,
            require_encryption: config.require_encryption,
            limits: config.limits,
            lasts: Lasts::default(),
            // A panel is held back on its own connection, not refused; the bound is for datagrams.
            turns: PerDevice::new(DeviceRate { queue: UDP_AT_ONCE as u32, ..DeviceRate::DEVICE }),
            rate: Mutex::default(),
            connections: Mutex::default(),
            quiet: Quiet::default(),
            cancel: cancel.clone(),
            tasks: tasks.clone(),
        });
        let tcp = match config.tcp {
            None => None,
            Some(addr) => Some(TcpListener::bind(addr).await.map_err(bind(addr))?),
        };
        let udp = match config.udp {
            None => None,
            Some(addr) => Some(UdpSocket::bind(addr).await.map_err(bind(addr))?),
        };
        let receiver = Self {
            tcp: tcp.as_ref().and_then(|socket| socket.local_addr().ok()),
            udp: udp.as_ref().and_then(|socket| socket.local_addr().ok()),
            cancel,
            tasks,
        };
        if let Some(listener) = tcp {
            receiver.tasks.spawn(shared.clone().accept(listener));
        }
        if let Some(socket) = udp {
            receiver.tasks.spawn(shared.datagrams(Arc::new(socket)));
        }
        Ok(receiver)
    }

    /// Where TCP is heard.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// Where UDP is heard.
    pub fn udp_addr(&self) -> Option<SocketAddr> {
        self.udp
    }

    /// Ends all connections. Alarms that are being committed are waited for.
    pub async fn stop(&self) {
        self.cancel.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_PATIENCE, self.tasks.wait()).await.is_err() {
            tracing::warn!("DC-09: alarms still wait for the journal; their panels get no ACK and repeat");
        }
    }
}

struct Shared {
    doors: Arc<Doors>,
    require_encryption: bool,
    limits: Limits,
    lasts: Lasts,
    /// Good frames, by panel.
    turns: PerDevice,
    /// Refused ones, by address.
    rate: Mutex<Rate<IpAddr>>,
    connections: Mutex<HashMap<IpAddr, usize>>,
    quiet: Quiet,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

/// What a connection does after a frame.
enum Next {
    /// Send this, or nothing, and read on. The flag: it was a known panel.
    Answer(Option<Vec<u8>>, bool),
    /// The receiver ends.
    End,
}

impl Shared {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.cancel.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => match self.admit(peer.ip()) {
                    Some(place) => {
                        let shared = self.clone();
                        self.tasks.spawn(async move {
                            shared.connection(stream, peer).await;
                            drop(place);
                        });
                    }
                    None => self.say(&peer.ip().to_string(), "connections", "too many connections"),
                },
                Err(error) => {
                    tracing::warn!(%error, "DC-09: a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// A place for a connection of this address, if there is one.
    fn admit(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let mut connections = lock(&self.connections);
        if connections.values().sum::<usize>() >= self.limits.connections {
            return None;
        }
        let count = connections.entry(from).or_default();
        if *count >= self.limits.connections_of_one {
            return None;
        }
        *count += 1;
        metrics::gauge!("qorgan_dc09_connections").increment(1.0);
        Some(Place { shared: self.clone(), from })
    }

    async fn connection(&self, mut stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let mut splitter = Splitter::default();
        let mut buffer = [0; 2_048];
        let mut deadline = Instant::now() + self.limits.stranger;
        let mut known = false;
        loop {
            let read = tokio::select! {
                read = tokio::time::timeout_at(deadline, stream.read(&mut buffer)) => read,
                () = self.cancel.cancelled() => return,
            };
            let length = match read {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(length)) => length,
                Err(_) if splitter.is_amid() => {
                    return self.say(&peer.ip().to_string(), "slow", "a frame took too long; connection closed");
                }
                Err(_) => return,
            };
            let was_amid = splitter.is_amid();
            splitter.push(&buffer[..length]);
            let mut whole = false;
            while let Some(cut) = splitter.cut() {
                whole = true;
                let Cut::Frame(frame) = cut else {
                    self.refuse_endless(&mut stream, peer).await;
                    return;
                };
                match self.hear(&frame, peer, None).await {
                    Next::End => return,
                    Next::Answer(answer, panel) => {
                        known |= panel;
                        if let Some(answer) = answer
                            && !self.write(&mut stream, &answer).await
                        {
                            return;
                        }
                    }
                }
            }
            let limits = &self.limits;
            deadline = match (splitter.is_amid(), was_amid && !whole) {
                // Drop by drop is no way to keep a connection.
                (true, true) => deadline,
                (true, false) => Instant::now() + limits.frame,
                (false, _) if known => Instant::now() + limits.idle,
                (false, _) if whole => Instant::now() + limits.stranger,
                (false, _) => deadline,
            };
        }
    }

    async fn write(&self, stream: &mut TcpStream, answer: &[u8]) -> bool {
        matches!(tokio::time::timeout(self.limits.frame, stream.write_all(answer)).await, Ok(Ok(())))
    }

    /// A frame without an end: NAK, and the connection ends. What is still under way is read for a moment, or the
    /// operating system would reset the connection and the NAK be lost.
    async fn refuse_endless(&self, stream: &mut TcpStream, peer: SocketAddr) {
        if let Next::Answer(Some(answer), _) = self.hear(&[b'\n'; MAX_FRAME + 1], peer, None).await {
            self.write(stream, &answer).await;
        }
        let _ = stream.shutdown().await;
        let mut left = 256 * 1024;
        let mut sink = [0; 8_192];
        let drain = async {
            while let Ok(length @ 1..) = stream.read(&mut sink).await {
                left -= length.min(left);
                if left == 0 {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, drain).await;
    }

    async fn datagrams(self: Arc<Self>, socket: Arc<UdpSocket>) {
        let at_once = Arc::new(Semaphore::new(UDP_AT_ONCE));
        let mut buffer = vec![0; 65_536];
        loop {
            let (length, peer) = tokio::select! {
                received = socket.recv_from(&mut buffer) => match received {
                    Ok(received) => received,
                    // On Linux an earlier answer to a port that was closed meanwhile.
                    Err(_) => continue,
                },
                () = self.cancel.cancelled() => return,
            };
            let Ok(permit) = at_once.clone().try_acquire_owned() else {
                self.say(&peer.ip().to_string(), "datagrams", "too many datagrams at once; no answer");
                continue;
            };
            let (shared, socket, datagram) = (self.clone(), socket.clone(), buffer[..length].to_vec());
            self.tasks.spawn(async move {
                shared.datagram(&socket, &datagram, peer).await;
                drop(permit);
            });
        }
    }

    async fn datagram(&self, socket: &UdpSocket, datagram: &[u8], peer: SocketAddr) {
        let mut splitter = Splitter::default();
        splitter.push(datagram);
        let mut frames = Vec::new();
        loop {
            match splitter.cut() {
                Some(Cut::Frame(frame)) => frames.push(frame),
                Some(Cut::TooLong) => {
                    frames.push(vec![b'\n'; MAX_FRAME + 1]);
                    break;
                }
                None => {
                    frames.extend(splitter.rest());
                    break;
                }
            }
        }
        for frame in frames {
            match self.hear(&frame, peer, Some(UDP_PATIENCE)).await {
                Next::End => return,
                Next::Answer(None, _) => {}
                Next::Answer(Some(answer), _) => {
                    if let Err(error) = socket.send_to(&answer, peer).await {
                        tracing::debug!(%peer, %error, "DC-09: a reply could not be sent");
                    }
                }
            }
        }
    }

    /// Judges a frame, waits if its sender is too fast, commits, and gives the answer.
    async fn hear(&self, frame: &[u8], peer: SocketAddr, patience: Option<Duration>) -> Next {
        let now = self.doors.clock.utc();
        let judged = judge(frame, now, self.require_encryption, &self.doors.panel, &self.lasts);
        let device = match &judged {
            Judged::Reply => {
                metrics::counter!("qorgan_dc09_replies_ignored_total").increment(1);
                return Next::Answer(None, false);
            }
            Judged::Heard(heard) => Some(heard.panel.device.clone()),
            Judged::Refused { device, .. } => device.clone(),
        };
        let sender = match &device {
            Some(device) => format!("{} {device}", peer.ip()),
            None => peer.ip().to_string(),
        };
        let instant = self.doors.clock.instant();
        let (wait, _place) = match &judged {
            Judged::Heard(heard) => match self.turns.turn(&heard.panel.device, instant) {
                Ok(turn) => {
                    self.flood(turn.flood, &heard.panel.device);
                    (turn.wait, turn.place)
                }
                Err((flood, tell)) => {
                    self.flood(tell, &heard.panel.device);
                    self.say(&sender, "flood", &flood.to_string());
                    return Next::Answer(None, true);
                }
            },
            Judged::Refused { .. } | Judged::Reply => (lock(&self.rate).wait(peer.ip(), instant), None),
        };
        if !wait.is_zero() {
            metrics::counter!("qorgan_dc09_held_back_total").increment(1);
            if let Some(swallowed) = self.quiet.speak(&sender, "held_back", instant) {
                tracing::warn!(sender, swallowed, "DC-09: too many messages; they are held back");
            }
            if patience.is_some_and(|patience| wait > patience) {
                return Next::Answer(None, false);
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.cancel.cancelled() => return Next::End,
            }
        }
        match judged {
            Judged::Reply => Next::Answer(None, false),
            Judged::Refused { refusal, answer, .. } => {
                self.refused(&sender, &refusal);
                Next::Answer(Some(answer), false)
            }
            Judged::Heard(heard) => Next::Answer(self.take(*heard).await, true),
        }
    }

    /// A panel that sends more than a panel may, for some time: its people should look at it.
    fn flood(&self, tell: bool, device: &DeviceRef) {
        if tell {
            let kind = SignKind::Fault { ok: false, code: FLOOD.to_owned() };
            (self.doors.sign)(Sign { device: device.clone(), at: self.doors.clock.utc(), kind });
        }
    }

    /// Hands over what a good frame says; the ACK, if all its alarms are safe.
    async fn take(&self, heard: Heard) -> Option<Vec<u8>> {
        for label in heard.labels {
            metrics::counter!("qorgan_dc09_events_total", "meaning" => label).increment(1);
        }
        for sign in heard.signs {
            if !(self.doors.sign)(sign) {
                metrics::counter!("qorgan_dc09_signs_dropped_total").increment(1);
            }
        }
        let commits = futures::future::join_all(heard.alarms.into_iter().map(|alarm| self.commit(alarm))).await;
        let mut safe = true;
        for not_stored in commits.into_iter().filter_map(Result::err) {
            safe = false;
            metrics::counter!("qorgan_dc09_alarm_not_stored_total", "reason" => not_stored.code()).increment(1);
            tracing::error!(device = %heard.panel.device, "alarm not stored, no ACK: {not_stored}");
        }
        metrics::counter!("qorgan_dc09_acks_total").increment(u64::from(safe));
        safe.then_some(heard.answer)
    }

    /// In a task of its own: a panel that waited in vain does not cut the commit short.
    async fn commit(&self, alarm: Alarm) -> Result<(), NotStored> {
        let commit = tokio::spawn((self.doors.commit_alarm)(alarm));
        match tokio::time::timeout(COMMIT_TIMEOUT, commit).await {
            Ok(Ok(stored)) => stored.map(drop),
            Ok(Err(panicked)) => Err(NotStored::Journal(panicked.to_string())),
            Err(_) => Err(NotStored::Timeout),
        }
    }

    fn refused(&self, sender: &str, refusal: &Refusal) {
        let mut reason = refusal.to_string();
        let mut source = refusal.source();
        while let Some(error) = source {
            reason = format!("{reason}: {error}");
            source = error.source();
        }
        self.say(sender, refusal.code(), &reason);
    }

    /// Counts a refusal, and logs it once a minute for each sender and reason.
    fn say(&self, sender: &str, code: &'static str, reason: &str) {
        metrics::counter!("qorgan_dc09_refused_total", "code" => code).increment(1);
        if let Some(swallowed) = self.quiet.speak(sender, code, self.doors.clock.instant()) {
            tracing::warn!(sender, code, swallowed, "DC-09 refused: {}", printable(reason, 240));
        }
    }
}

/// A connection's place among those that are allowed.
struct Place {
    shared: Arc<Shared>,
    from: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("qorgan_dc09_connections").decrement(1.0);
        let mut connections = lock(&self.shared.connections);
        if let Some(count) = connections.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.from);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn describe() {
    metrics::describe_gauge!("qorgan_dc09_connections", "TCP connections of alarm panels");
    metrics::describe_counter!("qorgan_dc09_events_total", "Events of alarm panels, by meaning");
    metrics::describe_counter!("qorgan_dc09_refused_total", "DC-09 frames and connections that were refused, by reason");
    metrics::describe_counter!("qorgan_dc09_held_back_total", "Frames that waited because their sender was too fast");
    metrics::describe_counter!("qorgan_dc09_replies_ignored_total", "Frames that were replies and got no answer");
    metrics::describe_counter!("qorgan_dc09_signs_dropped_total", "Signs of life for which the hub had no room");
    metrics::describe_counter!("qorgan_dc09_alarm_not_stored_total", "Alarms of panels that were not made durable in time, by reason");
    metrics::describe_counter!("qorgan_dc09_acks_total", "ACKs sent");
}
