//! A receiver with recorded doors.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt;
use qorgan_domain::{Alarm, Clock, DeviceRef, ManualClock, Sign, SignKind, UtcMs, alarm::REPEAT_WINDOW_MS};
use qorgan_ingest::dc09::{
    Config, Doors, Frame, Key, Limits, NotStored, Panel, Receiver, StoredAlarm,
    panel::{Options, PanelClient, Transport},
    stream::{Cut, Splitter},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

pub(crate) const NOW: &str = "2026-11-21T14:12:10Z";
/// Longer than anything here takes; a test that waits for it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What the doors took.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) alarms: Mutex<Vec<Alarm>>,
    pub(crate) signs: Mutex<Vec<Sign>>,
    /// Commits fail while this is set.
    pub(crate) broken: std::sync::atomic::AtomicBool,
}

impl Recorded {
    pub(crate) fn alarms(&self) -> Vec<Alarm> {
        self.alarms.lock().unwrap().clone()
    }
    pub(crate) fn signs(&self) -> Vec<(String, SignKind)> {
        self.signs.lock().unwrap().iter().map(|sign| (sign.device.to_string(), sign.kind.clone())).collect()
    }
    /// As the journal does it.
    fn commit(&self, alarm: Alarm) -> Result<StoredAlarm, NotStored> {
        if self.broken.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(NotStored::Journal("disk full".into()));
        }
        let mut alarms = self.alarms.lock().unwrap();
        let same = |old: &Alarm| {
            let told_apart = old.pressed_at.zip(alarm.pressed_at).is_some_and(|(before, now)| before != now);
            (old.key(), old.kind, old.signal, &old.zone) == (alarm.key(), alarm.kind, alarm.signal, &alarm.zone)
                && alarm.received_at.ms_since(old.received_at) <= REPEAT_WINDOW_MS
                && !told_apart
        };
        let stored_at = alarm.received_at;
        if let Some(row) = alarms.iter().position(same) {
            return Ok(StoredAlarm { journal: row as i64 + 1, stored_at, repeat: true });
        }
        alarms.push(alarm);
        Ok(StoredAlarm { journal: alarms.len() as i64, stored_at, repeat: false })
    }
}

/// A running receiver and what it heard.
pub(crate) struct Hub {
    pub(crate) receiver: Receiver,
    pub(crate) recorded: Arc<Recorded>,
    pub(crate) clock: ManualClock,
}

pub(crate) fn device(text: &str) -> DeviceRef {
    text.parse().unwrap()
}

/// A panel at school-17; zone 5 is the button at reception.
pub(crate) fn panel(name: &str, key: Option<Key>) -> Panel {
    let zones = HashMap::from([("5".to_owned(), device("school-17/reception"))]);
    Panel { device: device(&format!("school-17/{name}")), key, zones }
}

impl Hub {
    pub(crate) async fn start(panels: &[(&str, Option<Key>)]) -> Self {
        Self::with(panels, Limits::default(), false).await
    }

    pub(crate) async fn with(panels: &[(&str, Option<Key>)], limits: Limits, require_encryption: bool) -> Self {
        let recorded = Arc::new(Recorded::default());
        let clock = ManualClock::at(NOW.parse().unwrap());
        let panels: HashMap<String, Arc<Panel>> = panels
            .iter()
            .map(|(account, key)| ((*account).to_owned(), Arc::new(panel(&format!("panel-{}", account.to_lowercase()), key.clone()))))
            .collect();
        let (for_alarms, for_signs) = (recorded.clone(), recorded.clone());
        let doors = Doors {
            panel: Box::new(move |address| panels.get(&address.account).cloned()),
            commit_alarm: Box::new(move |alarm| {
                let recorded = for_alarms.clone();
                async move { recorded.commit(alarm) }.boxed()
            }),
            sign: Box::new(move |sign| {
                for_signs.signs.lock().unwrap().push(sign);
                true
            }),
            clock: Arc::new(clock.clone()),
        };
        let any = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let config = Config { tcp: any, udp: any, require_encryption, limits };
        Self { receiver: Receiver::start(config, Arc::new(doors)).await.unwrap(), recorded, clock }
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        self.receiver.tcp_addr().unwrap()
    }

    /// A panel of this hub.
    pub(crate) fn client(&self, transport: Transport, account: &str, key: Option<Key>) -> PanelClient {
        let address = match transport {
            Transport::Tcp => self.receiver.tcp_addr(),
            Transport::Udp => self.receiver.udp_addr(),
        };
        let options = Options::new(address.unwrap(), account);
        PanelClient::new(Options { transport, key, patience: Duration::from_millis(500), clock: Arc::new(self.clock.clone()), ..options })
    }

    pub(crate) fn now(&self) -> UtcMs {
        self.clock.utc()
    }

    /// Sends bytes over UDP; the first answer, if one comes in time.
    pub(crate) async fn ask_udp(&self, bytes: &[u8], wait: Duration) -> Option<Frame> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(bytes, self.receiver.udp_addr().unwrap()).await.unwrap();
        let mut buffer = [0; 2_048];
        let length = tokio::time::timeout(wait, socket.recv(&mut buffer)).await.ok()?.unwrap();
        Some(Frame::read(&buffer[..length]).unwrap())
    }
}

/// A bare connection.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    splitter: Splitter,
}

impl Wire {
    pub(crate) async fn to(hub: &Hub) -> Self {
        let stream = TcpStream::connect(hub.tcp()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, splitter: Splitter::default() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next answer; none when the connection was closed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        self.within(PATIENCE).await.expect("an answer in time")
    }

    /// The next answer within a time; `Err` when nothing came.
    pub(crate) async fn within(&mut self, wait: Duration) -> Result<Option<Frame>, tokio::time::error::Elapsed> {
        tokio::time::timeout(wait, async {
            let mut buffer = [0; 2_048];
            loop {
                if let Some(Cut::Frame(frame)) = self.splitter.cut() {
                    return Some(Frame::read(&frame).unwrap());
                }
                match self.stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return None,
                    Ok(length) => self.splitter.push(&buffer[..length]),
                }
            }
        })
        .await
    }
}

/// A frame around a body.
pub(crate) fn framed(body: &str) -> Vec<u8> {
    let crc = qorgan_ingest::dc09::frame::crc16(body.as_bytes());
    format!("\n{crc:04X}{:04X}{body}\r", body.len()).into_bytes()
}
