//! A hub whose doors are recorded and can be held, failed and opened; clients; Mosquitto.

mod client;
mod mosquitto;

use std::{
    collections::HashSet,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use qorgan_domain::{Alarm, AlarmKey, Clock, DeviceRef, Sign, SystemClock, topic::Principal};
use qorgan_ingest::mqtt::{DoorEvent, Doors, Mqtt, NotStored, StoredAlarm, embedded, external};
use tokio::sync::watch;

pub(crate) use client::{Client, Seen, options as client_options};
pub(crate) use mosquitto::{Mosquitto, broker_or_skip};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `what` holds; fails by name when it never does.
pub(crate) async fn until<T>(name: &str, mut what: impl FnMut() -> Option<T>) -> T {
    let poll = async {
        loop {
            if let Some(value) = what() {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("waited in vain: {name}"))
}

/// Fails by name when `future` takes too long.
pub(crate) async fn soon<T>(name: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain: {name}"))
}

/// How the alarm journal behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    Works,
    Held,
    Fails,
}

/// What came through the doors.
pub(crate) struct Desk {
    pub(crate) commits: Mutex<Vec<Alarm>>,
    pub(crate) events: Mutex<Vec<DoorEvent>>,
    pub(crate) signs: Mutex<Vec<Sign>>,
    pub(crate) stored: Mutex<HashSet<AlarmKey>>,
    pub(crate) journal: watch::Sender<Journal>,
    pub(crate) room: watch::Sender<bool>,
}

impl Desk {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            commits: Mutex::default(),
            events: Mutex::default(),
            signs: Mutex::default(),
            stored: Mutex::default(),
            journal: watch::Sender::new(Journal::Works),
            room: watch::Sender::new(true),
        })
    }
    pub(crate) fn commits(&self) -> usize {
        self.commits.lock().unwrap().len()
    }
    pub(crate) fn stored(&self) -> usize {
        self.stored.lock().unwrap().len()
    }
    pub(crate) fn counts(&self) -> Vec<f32> {
        let events = self.events.lock().unwrap();
        events.iter().filter_map(|event| if let DoorEvent::Count(count) = event { Some(count.people) } else { None }).collect()
    }
    pub(crate) fn set(&self, journal: Journal) {
        self.journal.send_replace(journal);
    }

    async fn commit(self: Arc<Self>, alarm: Alarm) -> Result<StoredAlarm, NotStored> {
        self.commits.lock().unwrap().push(alarm.clone());
        let mut journal = self.journal.subscribe();
        let state = *journal.wait_for(|state| *state != Journal::Held).await.unwrap();
        if state == Journal::Fails {
            return Err(NotStored::Journal("disk full".into()));
        }
        let mut stored = self.stored.lock().unwrap();
        let repeat = !stored.insert(alarm.key());
        Ok(StoredAlarm { journal: stored.len() as i64, stored_at: SystemClock.utc(), repeat })
    }
}

pub(crate) fn password(user: &str) -> String {
    format!("pw {user}")
}

/// Doors that know three devices; `school-17/ghost` may log in but is not configured.
pub(crate) fn doors() -> (Arc<Desk>, Arc<Doors>) {
    let desk = Desk::new();
    let (commits, events) = (desk.clone(), desk.clone());
    let known: [DeviceRef; 3] = ["school-17/gate", "school-17/yard", "school-18/gate"].map(|id| id.parse().unwrap());
    let doors = Doors {
        foreign: Vec::new(),
        authenticate: Box::new(|user, given| (given == password(user).as_bytes()).then(|| Principal::parse(user)).flatten()),
        known_device: Box::new(move |device| known.contains(device)),
        commit_alarm: Box::new(move |alarm| Box::pin(commits.clone().commit(alarm))),
        event: Box::new(move |event| {
            let event = match event {
                DoorEvent::Sign(sign) => {
                    events.signs.lock().unwrap().push(sign);
                    return true;
                }
                event => event,
            };
            let room = *events.room.borrow();
            if room {
                events.events.lock().unwrap().push(event);
            }
            room
        }),
        clock: Arc::new(SystemClock),
    };
    (desk, Arc::new(doors))
}

/// A hub, its recorded doors, and the broker it uses.
pub(crate) struct Hub {
    pub(crate) mqtt: Mqtt,
    pub(crate) desk: Arc<Desk>,
    pub(crate) addr: SocketAddr,
    pub(crate) mosquitto: Option<Mosquitto>,
}

impl Hub {
    /// On the embedded broker.
    pub(crate) async fn embedded() -> Hub {
        metrics_text();
        let (desk, doors) = doors();
        let broker = embedded::Broker::start(embedded::Config::default(), doors).await.unwrap();
        let addr = broker.plain_addr().unwrap();
        Hub { mqtt: Mqtt::Embedded(broker), desk, addr, mosquitto: None }
    }

    /// On a Mosquitto of its own with the access list that the repository ships; none where it is not installed.
    pub(crate) async fn on_mosquitto() -> Option<Hub> {
        let mosquitto = broker_or_skip()?;
        Some(Self::at(mosquitto).await)
    }

    pub(crate) async fn at(mosquitto: Mosquitto) -> Hub {
        metrics_text();
        let (desk, doors) = doors();
        let link = external::Link::start(&link_config(mosquitto.addr), doors).unwrap();
        soon("link to Mosquitto", link.watch().wait_for(|state| state.connected)).await.unwrap();
        Hub { mqtt: Mqtt::External(link), desk, addr: mosquitto.addr, mosquitto: Some(mosquitto) }
    }

    pub(crate) async fn client(&self, user: &str) -> Client {
        Client::v3(self.addr, user).await
    }
}

pub(crate) fn link_config(addr: SocketAddr) -> external::Config {
    external::Config {
        url: format!("mqtt://{addr}"),
        user: "hub".into(),
        password: password("hub"),
        ca: None,
        client_id: "qorgan-hub".into(),
    }
}

/// A metric of this process, by name and labels as Prometheus prints them; 0 when absent.
pub(crate) fn metric(name: &str) -> u64 {
    let text = metrics_text().render();
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).map_or(0, |value| value as u64)
}

pub(crate) fn refused(code: &str) -> u64 {
    metric(&format!("qorgan_mqtt_refused_total{{code=\"{code}\"}}"))
}

fn metrics_text() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

/// A count of so many people, now.
pub(crate) fn count(people: f64) -> String {
    format!(r#"{{"v":1,"at":"{}","people":{people}}}"#, SystemClock.utc())
}

pub(crate) fn press(seq: u64) -> String {
    format!(r#"{{"v":1,"kind":"panic","seq":{seq},"boot":"b3f1"}}"#)
}
