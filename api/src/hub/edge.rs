//! `qorgan edge`: the box of one site. It counts with the site's cameras, and it is the alarm door of the site's buttons.
//!
//! ```text
//! buttons --MQTT--> the box's own broker --> Journal (sync) --> receipt, PUBACK        whether the centre is there or not
//! panels --DC-09--> the box's own receiver ------^        ---> ACK
//!                                               └--> Spool --> link --> the centre's journal --> receipt --> mark
//! ```
//!
//! A press is the box's to deliver from the moment its button has the receipt. It leaves in the order of the journal and
//! counts as delivered by the centre's receipt alone; a PUBACK may be a foreign broker's. Nothing is ever dropped from
//! the journal: while the centre is away it grows with the disk as its bound. On a full disk no receipt leaves, the
//! button goes on trying, and the press goes straight to the centre if that is there.
//!
//! What belongs here: the wiring of the box and the task that empties the spool. What does not: what is sent when
//! (`alerts::spool`), the connection (`ingest::mqtt::edge`).

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use qorgan_alerts::{
    Journal, Spool,
    spool::{Next, Parcel},
};
use qorgan_domain::{
    Alarm, CameraHealth, Clock, DeviceRef, Sign, SignKind, SiteId, SystemClock,
    topic::Principal,
    wire::{HealthV1, Presence},
};
use qorgan_ingest::mqtt::{
    DoorEvent, Doors, NotStored, StoredAlarm,
    edge::{self, EdgeLink, LinkEvent},
    embedded,
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    StartError, analyse,
    options::{ADDRESSES, Addresses},
    start::lock_state,
};
use crate::{
    config::{Config, Mqtt as MqttConfig, Site},
    error::chain,
    secrets::{self, DevicePasswords},
};

/// How long the centre's receipt is waited for before the press is sent again.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a journal that cannot be read is left alone.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// How often the centre hears that a device of which nothing has changed is alive.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// Runs the box until Ctrl-C or SIGTERM.
pub(super) async fn run(config: Config, addresses_file: Option<PathBuf>) -> Result<(), StartError> {
    use tokio::signal::unix::{SignalKind, signal};

    let site = site_of(&config)?.clone();
    let MqttConfig::External { url, password, ca, .. } = &config.mqtt else {
        return Err(StartError::Option("an edge box needs mqtt.url, the address of the centre's broker".to_owned()));
    };
    let password = password.read().map_err(|e| StartError::Secret(format!("mqtt: {}", chain(&e))))?;
    let to_centre = edge::Config { url: url.to_string(), site: site.id.clone(), password, ca: ca.clone() };
    let signal = |kind| signal(kind).map_err(|error| StartError::Option(format!("signals: {error}")));
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let _lock = lock_state(&config.hub.state_dir)?;
    let prepared = match site.cameras.iter().any(|camera| camera.url.is_some()) {
        true => Some(analyse::prepare(&config)?),
        false => None,
    };

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let cancel = CancellationToken::new();
    let (link, events) = EdgeLink::start(&to_centre, clock.clone())?;
    let link = Arc::new(link);
    let door = AlarmDoor::open(&config, &site, link.clone(), events, clock.clone(), &cancel).await?;
    let (sender, mut camera_health) = mpsc::channel::<CameraHealth>(analyse::HEALTH_QUEUE);
    let cameras = match prepared {
        Some(prepared) => {
            let counts = counts_to(link.clone());
            Some(analyse::start_workers(prepared, &config, &clock, counts, analyse::log_picture(), &sender, &cancel)?)
        }
        None => None,
    };

    let addresses = door.addresses.clone();
    let text = serde_json::to_vec_pretty(&addresses).unwrap_or_default();
    for file in [config.hub.state_dir.join(ADDRESSES)].into_iter().chain(addresses_file) {
        secrets::write_private(&file, &text).map_err(|error| StartError::State(file, error))?;
    }
    println!("Edge of {} is running; counts and alarms go to {url}.", site.id);
    let doors = [
        ("Alarm door", addresses.mqtt),
        ("Alarm door with TLS", addresses.mqtts),
        ("Alarm panels, TCP", addresses.dc09),
        ("Alarm panels, UDP", addresses.dc09_udp),
    ];
    for (what, address) in doors {
        if let Some(address) = address {
            println!("  {what:<19} {address}");
        }
    }
    loop {
        tokio::select! {
            // The supervisor has logged it.
            Some(_) = camera_health.recv() => {}
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
    }
    if let Some(cameras) = cameras {
        cameras.stop().await;
    }
    door.stop(&cancel).await;
    link.stop().await;
    Ok(())
}

/// An edge credential covers one site; so does a box.
fn site_of(config: &Config) -> Result<&Site, StartError> {
    let fail = |text: String| Err(StartError::Option(text));
    if let Some(id) = &config.edge.site {
        return match config.sites.iter().find(|site| site.id == *id) {
            Some(site) => Ok(site),
            None => fail(format!("edge.site {id} is none of the configuration's sites")),
        };
    }
    let mut with_cameras = config.sites.iter().filter(|site| site.cameras.iter().any(|c| c.url.is_some()));
    match (with_cameras.next(), with_cameras.next(), config.sites.as_slice()) {
        (Some(site), None, _) | (None, _, [site]) => Ok(site),
        (None, ..) => fail("no camera of the configuration has an address; edge.site names the site of the box".to_owned()),
        (Some(one), Some(other), _) => {
            fail(format!("an edge credential covers one site; the configuration has cameras of {} and {}", one.id, other.id))
        }
    }
}

fn counts_to(link: Arc<EdgeLink>) -> analyse::Publish {
    Arc::new(move |count| {
        let link = link.clone();
        Box::pin(async move {
            if let Err(error) = link.publish_count(&count) {
                tracing::debug!(camera = %count.camera, error = chain(&error), "a count was dropped");
            }
        })
    })
}

/// The box as alarm door of its site: what devices behind it say is judged, stored and receipted here.
struct AlarmDoor {
    broker: Option<embedded::Broker>,
    panels: Option<qorgan_ingest::dc09::Receiver>,
    journal: Journal,
    forwarding: tokio::task::JoinHandle<()>,
    addresses: Addresses,
}

impl AlarmDoor {
    async fn open(
        config: &Config,
        site: &Site,
        link: Arc<EdgeLink>,
        events: mpsc::Receiver<LinkEvent>,
        clock: Arc<dyn Clock>,
        cancel: &CancellationToken,
    ) -> Result<Self, StartError> {
        let journal = Journal::open(&config.store.journal).await?;
        let spool = Spool::open(&config.hub.state_dir.join("spool.db"), journal.clone()).await?;
        let behind = Arc::new(Behind { journal: journal.clone(), link, new: Notify::new(), told: Mutex::default() });
        let forwarding = tokio::spawn(Forward { behind: behind.clone(), spool, in_flight: None }.run(events, cancel.clone()));
        let panels = panels(config, site, &behind, &clock).await?;
        let doors = Arc::new(doors(config, site, behind, clock)?);
        let mut addresses = Addresses::default();
        if let Some(panels) = &panels {
            (addresses.dc09, addresses.dc09_udp) = (panels.tcp_addr(), panels.udp_addr());
        }
        let broker = match (config.edge.listen, &config.edge.tls) {
            (None, None) => None,
            (plain, tls) => {
                let tls = match tls {
                    None => None,
                    Some(tls) => {
                        let (cert, key) = crate::tls::files(&tls.certificate, &config.hub.state_dir)?;
                        Some(embedded::TlsListener { addr: tls.listen, cert, key })
                    }
                };
                let broker = embedded::Broker::start(embedded::Config { plain, tls, ..embedded::Config::default() }, doors.clone()).await?;
                (addresses.mqtt, addresses.mqtts) = (broker.plain_addr(), broker.tls_addr());
                Some(broker)
            }
        };
        Ok(Self { broker, panels, journal, forwarding, addresses })
    }

    /// Ends the door first, so that nothing is receipted that the journal does not hold any more.
    async fn stop(self, cancel: &CancellationToken) {
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        if let Some(panels) = self.panels {
            panels.stop().await;
        }
        cancel.cancel();
        let _ = self.forwarding.await;
        self.journal.close().await;
    }
}

/// What stands behind the doors of the box.
struct Behind {
    journal: Journal,
    link: Arc<EdgeLink>,
    /// A press has come into the journal.
    new: Notify,
    /// What the centre was told of each device, to be said again when it comes back.
    told: Mutex<BTreeMap<DeviceRef, (HealthV1, Instant)>>,
}

/// The door of the site's alarm panels: the same journal and spool stand behind it.
async fn panels(
    config: &Config,
    site: &Site,
    behind: &Arc<Behind>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<qorgan_ingest::dc09::Receiver>, StartError> {
    let (for_alarms, for_signs) = (behind.clone(), behind.clone());
    let commit: super::dc09::Commit = Box::new(move |alarm| {
        let behind = for_alarms.clone();
        Box::pin(async move { behind.commit(alarm).await })
    });
    let sign = Box::new(move |sign| for_signs.sign(sign).is_ok());
    super::dc09::listen(config, Some(&site.id), commit, sign, clock.clone()).await
}

fn doors(config: &Config, site: &Site, behind: Arc<Behind>, clock: Arc<dyn Clock>) -> Result<Doors, StartError> {
    let devices: HashSet<DeviceRef> = config.devices().filter(|device| device.site == site.id).cloned().collect();
    let passwords = DevicePasswords::prepare(&config.hub.state_dir, devices.iter().map(ToString::to_string))?;
    let of_site = |id: SiteId| move |principal: &Principal| matches!(principal, Principal::Device(device) if device.site == id);
    let (of_site, for_alarms) = (of_site(site.id.clone()), behind.clone());
    Ok(Doors {
        authenticate: Box::new(move |user, password| {
            let principal = Principal::parse(user).filter(&of_site)?;
            passwords.matches(user, password).then_some(principal)
        }),
        known_device: Box::new(move |device| devices.contains(device)),
        commit_alarm: Box::new(move |alarm| {
            let behind = for_alarms.clone();
            Box::pin(async move { behind.commit(alarm).await }) as BoxFuture<'static, _>
        }),
        event: Box::new(move |event| behind.take(event)),
        foreign: Vec::new(),
        clock,
    })
}

impl Behind {
    async fn commit(&self, alarm: Alarm) -> Result<StoredAlarm, NotStored> {
        match self.journal.commit(alarm.clone()).await {
            Ok(stored) => {
                self.new.notify_one();
                Ok(StoredAlarm { journal: stored.row, stored_at: stored.stored_at, repeat: stored.repeat })
            }
            Err(error) => {
                tracing::error!(device = %alarm.device, error = chain(&error), "an alarm could not be stored: no receipt leaves");
                // The button tries again. Until then the centre may hear it at least; its receipt is none of the box.
                let heard_at = Some(alarm.happened_at());
                let _ = self.link.publish_alarm(&Alarm { heard_at, ..alarm });
                Err(NotStored::Journal(chain(&error)))
            }
        }
    }

    fn take(&self, event: DoorEvent) -> bool {
        let passed = match event {
            DoorEvent::Count(count) => self.link.publish_count(&count),
            DoorEvent::Sensor { device, sensor } => self.link.publish_sensor(&device, &sensor),
            DoorEvent::Health { device, health, .. } => self.tell(device, health),
            DoorEvent::Sign(sign) => self.sign(sign),
            // Nobody but devices of the site may log in here; a badge speaks with the centre.
            DoorEvent::Position { .. }
            | DoorEvent::OrderReceipt { .. }
            | DoorEvent::Hazard(_)
            | DoorEvent::Indicator(_)
            | DoorEvent::Segment(_)
            | DoorEvent::NotCounted { .. } => Ok(()),
        };
        passed.is_ok()
    }

    /// Passes a sign of life on as health: what has changed at once, that nothing has now and then.
    fn sign(&self, sign: Sign) -> Result<(), qorgan_ingest::mqtt::Error> {
        let before = self.told().get(&sign.device).cloned();
        let unknown = HealthV1 { v: 1, state: Presence::Offline, at: None, battery_percent: None, tamper: None, mains: None };
        let (old, at) = before.map_or((unknown, None), |(health, at)| (health, Some(at)));
        let state = if sign.kind == SignKind::Gone { Presence::Offline } else { Presence::Online };
        // Without a time: whether the device's clock is right is its own word, not the box's.
        let mut health = HealthV1 { state, at: None, ..old.clone() };
        match sign.kind {
            SignKind::Battery { percent: Some(percent), .. } => health.battery_percent = Some(percent),
            SignKind::Mains { ok } => health.mains = Some(ok),
            SignKind::Tamper { open } => health.tamper = Some(open),
            _ => {}
        }
        let same = health == HealthV1 { at: None, ..old };
        match at {
            Some(at) if same && at.elapsed() < SAY_AGAIN => Ok(()),
            _ => self.tell(sign.device, health),
        }
    }

    fn tell(&self, device: DeviceRef, health: HealthV1) -> Result<(), qorgan_ingest::mqtt::Error> {
        let passed = self.link.publish_health(&device, &health);
        self.told().insert(device, (health, Instant::now()));
        passed
    }

    fn told(&self) -> std::sync::MutexGuard<'_, BTreeMap<DeviceRef, (HealthV1, Instant)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that empties the spool: one press at a time, each until its receipt.
struct Forward {
    behind: Arc<Behind>,
    spool: Spool,
    in_flight: Option<(i64, Instant)>,
}

impl Forward {
    async fn run(mut self, mut events: mpsc::Receiver<LinkEvent>, cancel: CancellationToken) {
        loop {
            let wake = self.send_next().await;
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.heard(event).await,
                    None => break,
                },
                () = self.behind.new.notified() => {}
                () = tokio::time::sleep_until(wake.into()) => {}
                () = cancel.cancelled() => break,
            }
            let waiting = self.spool.waiting().await.unwrap_or_default();
            metrics::gauge!("qorgan_edge_alarms_waiting").set(waiting as f64);
        }
        self.spool.close().await;
    }

    /// Sends what is due, if the centre is there and nothing else is on its way; when to look again.
    async fn send_next(&mut self) -> Instant {
        let (now, far) = (Instant::now(), Instant::now() + Duration::from_secs(3600));
        if !self.behind.link.is_connected() {
            return far;
        }
        if let Some((row, until)) = self.in_flight {
            if now < until {
                return until;
            }
            tracing::warn!(row, "no receipt of the centre; the alarm is sent again");
            self.in_flight = None;
            self.spool.failed(row, now);
        }
        match self.spool.next(now).await {
            Ok(Next::Send(parcel)) => {
                let Parcel { row, alarm } = *parcel;
                if let Err(error) = self.behind.link.publish_alarm(&alarm) {
                    tracing::debug!(row, error = chain(&error), "an alarm waits");
                    return now + READ_AGAIN;
                }
                self.in_flight = Some((row, now + RECEIPT_PATIENCE));
                now + RECEIPT_PATIENCE
            }
            Ok(Next::Wait(until)) => until,
            Ok(Next::Idle) => far,
            Err(error) => {
                tracing::error!(error = chain(&error), "the alarm journal cannot be read");
                now + READ_AGAIN
            }
        }
    }

    async fn heard(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up => {
                let told = self.behind.told().clone();
                for (device, (health, _)) in told {
                    // Its time is of then; a proof of life that is old would look like a wrong clock.
                    let _ = self.behind.link.publish_health(&device, &HealthV1 { at: None, ..health });
                }
            }
            LinkEvent::Down => {
                if let Some((row, _)) = self.in_flight.take() {
                    self.spool.failed(row, Instant::now());
                }
            }
            LinkEvent::Receipt(device, receipt) => {
                let row = self.spool.receipted(&device, receipt.boot.as_deref(), receipt.seq, receipt.journal).await;
                if let Some(row) = row {
                    tracing::info!(%device, row, centre = receipt.journal, repeat = receipt.repeat, "an alarm is with the centre");
                    self.in_flight = self.in_flight.filter(|(sent, _)| *sent != row);
                }
            }
        }
    }
}
