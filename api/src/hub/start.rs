//! Opens everything in order, and ends it in reverse: state, models, store, journal, engine, MQTT, cameras, HTTP.
//!
//! What cannot work is an error here, before a port is open.

use std::{
    collections::BTreeMap,
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, RwLock},
    time::{Duration, Instant},
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use qorgan_alerts::{
    Engine, Journal, Ring, Store,
    engine::{Parts, recover},
    fusion::{CameraRule, CrowdRules, GatheringRules, ResponseRules, Rules},
    usual::calendar::Calendar,
};
use qorgan_domain::{Clock, Role, SystemClock};
use qorgan_ingest::mqtt::{Mqtt, embedded, external};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    Addresses, App, Mode, Shared, dc09, demo::demo_logins, doors, field, listen::Listener, options::ADDRESSES, orders, shift, supervise,
    upkeep,
};
use crate::{
    areas::Areas,
    auth::{Passwords, Sessions},
    camera_admin,
    cameras::LiveCameras,
    config::{Config, Mqtt as MqttConfig, SiteKind},
    connect,
    phones::Phones,
    routes,
    secrets::{self, DemoLogin, DevicePasswords},
    seeing::{self, Viewings, Wall},
    shown::ShownAlerts,
    sitefile::Seal,
    units::LiveUnits,
};

/// Changes of alerts that a screen may be behind before it gets a new snapshot: a burst of 8,000 alarms and what follows from it.
const RING: usize = 16_384;

/// Why the hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory cannot be used.
    #[error("state directory {0}")]
    State(PathBuf, #[source] std::io::Error),
    /// Another hub has it.
    #[error("another hub uses the state directory {0}")]
    Locked(PathBuf),
    /// Secrets cannot be read or written.
    #[error(transparent)]
    Secrets(#[from] secrets::SecretsError),
    /// A secret that the configuration names is not there.
    #[error("{0}")]
    Secret(String),
    /// Store, journal or engine.
    #[error(transparent)]
    Alerts(#[from] qorgan_alerts::Error),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Password(#[from] crate::auth::PasswordError),
    /// MQTT does not start.
    #[error("MQTT")]
    Mqtt(#[from] qorgan_ingest::mqtt::Error),
    /// The door of alarm panels does not open.
    #[error(transparent)]
    Dc09(#[from] qorgan_ingest::dc09::Error),
    /// An HTTP address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] super::listen::ListenError),
    /// A certificate cannot be had.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// A model or the ONNX Runtime library.
    #[error("models: {0}")]
    Models(String),
    /// A camera of the configuration.
    #[error("camera {0}: {1}")]
    Camera(String, String),
    /// An option that does not fit the configuration.
    #[error("{0}")]
    Option(String),
    /// The metrics recorder is taken.
    #[error("metrics: {0}")]
    Metrics(String),
    /// A feed cannot be followed.
    #[error("feed {0}")]
    Feed(String, #[source] reqwest::Error),
    /// A connector cannot start.
    #[error("connectors")]
    Connector(#[from] connect::SendError),
}

/// How long a PostgreSQL store is waited for at start.
const STORE_PATIENCE: Duration = Duration::from_secs(60);

/// A running hub.
pub struct Running {
    /// What its parts share.
    pub app: App,
    /// Where it listens.
    pub addresses: Addresses,
    /// Log-ins made at this first start, if the configuration asks for them.
    pub new_logins: Option<BTreeMap<Role, DemoLogin>>,
    cancel: CancellationToken,
    listeners: Vec<Listener>,
    mqtt: Arc<Mqtt>,
    dc09: Option<qorgan_ingest::dc09::Receiver>,
    #[cfg(feature = "edge")]
    edge: Option<super::analyse::Edge>,
    tasks: Vec<JoinHandle<()>>,
    engine: JoinHandle<()>,
    engine_cancel: CancellationToken,
    counts: JoinHandle<()>,
    journal: Journal,
    _lock: File,
}

/// Starts a hub.
pub async fn start(mut config: Config, mode: Mode) -> Result<Running, StartError> {
    super::machine::take_files();
    let state_dir = config.hub.state_dir.clone();
    let lock = lock_state(&state_dir)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let cancel = CancellationToken::new();
    #[cfg(not(feature = "edge"))]
    if mode == Mode::Edge {
        return Err(StartError::Option("this binary was built without cameras".into()));
    }
    let store = open_store(&config.store.address().map_err(|e| StartError::Secret(crate::error::chain(&e)))?).await?;
    let key = secrets::site_file_key(&state_dir)?;
    let seal = Seal::new(&key).ok_or_else(|| StartError::Secret("the key of the site files is no key".into()))?;
    camera_admin::load(&mut config, &store, &seal).await?;
    #[cfg(feature = "edge")]
    let prepared = if mode == Mode::Centre { None } else { Some(super::analyse::prepare(&config)?) };
    let users = config.devices().map(ToString::to_string).chain(config.sites.iter().map(|s| format!("edge/{}", s.id)));
    let users = users.chain(config.field_users());
    let device_passwords = DevicePasswords::prepare(&state_dir, users)?;
    let metrics = recorder()?;

    let journal = Journal::open(&config.store.journal).await?;
    let areas = imported_areas(&store, &config).await?;
    let passwords = Passwords::new()?;
    let new_logins = demo_logins(&config, &store, &passwords).await?;
    if store.meta("hub.since").await?.is_none() {
        store.set_meta("hub.since", &clock.utc().to_string()).await?;
    }

    let ring = Ring::new(&format!("k{}", clock.utc().0), RING);
    let (fusion, applied_row) = recover(&store, Some(&journal), rules(&config), clock.utc()).await?;
    let (journal_part, clock_part) = (Some(journal.clone()), clock.clone());
    let parts = Parts { fusion, applied_row, store: store.clone(), journal: journal_part, clock: clock_part, ring: ring.clone() };
    let open: Vec<_> = parts.fusion.open_alerts().cloned().collect();
    let supervision = supervise::prepare(&config, mode, &store, &open, clock.utc()).await?;
    let badges = supervise::badges(&config, &store, clock.utc()).await?;
    // The engine outlives the doors: what they handed over is still written.
    let engine_cancel = CancellationToken::new();
    let (engine, engine_task) = Engine::start(parts, engine_cancel.clone());

    #[cfg(feature = "edge")]
    let taps = super::watch::Taps::default();
    #[cfg(feature = "edge")]
    let (stills, live, clips, recordings) = match &prepared {
        Some(prepared) => {
            let clips = super::record::door(&state_dir, prepared.eyes.clone());
            let recordings = super::recordings::door(prepared.eyes.clone());
            (Some(super::stills::source(prepared.eyes.clone())), Some(super::watch::source(taps.clone())), Some(clips), Some(recordings))
        }
        None => (None, None, None, None),
    };
    #[cfg(not(feature = "edge"))]
    let (stills, live, clips, recordings) = (None, None, None, None);
    let app = App(Arc::new(Shared {
        shown: ShownAlerts::default(),
        cameras: LiveCameras::new(&config, mode != Mode::Centre),
        units: LiveUnits::new(&config),
        sessions: Sessions::new(store.clone(), clock.clone()),
        metrics_token: secrets::metrics_token(&state_dir)?,
        feed_token: secrets::feed_token(&state_dir)?,
        outbox_bell: tokio::sync::Notify::new(),
        requests: requests(&config, &state_dir)?,
        seal,
        drills: tokio::sync::Notify::new(),
        phones: Phones::load(&store, secrets::phone_key(&state_dir)?).await?,
        intake: crate::intake::Desk::default(),
        journal: journal.clone(),
        desks: routes::Desks::default(),
        control: OnceLock::new(),
        meter: camera_admin::meter::Meter::default(),
        device_passwords: device_passwords.clone(),
        tension: crate::tension::Tension::default(),
        badges: Mutex::new(badges),
        #[cfg(feature = "edge")]
        pipeline: OnceLock::new(),
        mqtt: OnceLock::new(),
        response: Mutex::default(),
        areas: RwLock::new(Arc::new(areas)),
        limiter: Mutex::default(),
        supervision: Mutex::new(supervision),
        config,
        clock,
        store: store.clone(),
        engine,
        ring,
        passwords,
        stills,
        live,
        clips,
        recordings,
        sensors: crate::sensors::LiveSensors::default(),
        viewings: Viewings::default(),
        wall: Wall::default(),
        metrics,
    }));
    for phone in app.phones.of_site(None).iter().filter(|phone| phone.revoked_at().is_none()) {
        app.know_phone(&phone.row.device, phone.seen_at());
    }
    app.audit("system/hub", "system", "hub.start", "hub", Some(env!("CARGO_PKG_VERSION"))).await?;

    crate::register::add_configured(&app).await?;
    crate::plan::load(&app).await?;
    routes::refresh_rules(&app).await?;
    // Before the first press of this start.
    let drills = crate::drills::windows(&app.store.open_drills().await?, app.clock.utc());
    app.engine.tell(qorgan_domain::Event::Drills(drills)).await?;

    let (count_sender, counts) = doors::count_writer(store);
    let (field, field_task) = field::start(&app, &cancel);
    let doors = Arc::new(doors::doors(&app, device_passwords, count_sender, field));
    let (mqtt, mqtt_addr, mqtts_addr) = start_mqtt(&app.config, doors).await?;
    let mqtt = Arc::new(mqtt);
    let _ = app.mqtt.set(mqtt.clone());
    let dc09 = dc09::start(&app).await?;

    let senders = app.config.connectors.iter().map(|connector| connect::Sender::new(app.clone(), connector.clone()));
    let senders: Vec<connect::Sender> = senders.collect::<Result<_, _>>()?;
    let mut tasks = vec![
        tokio::spawn(connect::follow(app.clone(), cancel.clone())),
        tokio::spawn(upkeep::upkeep(app.clone(), cancel.clone())),
        tokio::spawn(supervise::supervise(app.clone(), cancel.clone())),
        tokio::spawn(camera_admin::meter::run(app.clone(), cancel.clone())),
        tokio::spawn(crate::drills::keep::keep(app.clone(), cancel.clone())),
        tokio::spawn(crate::requests::keep::keep(app.clone(), cancel.clone())),
        tokio::spawn(crate::tension::keep(app.clone(), cancel.clone())),
        tokio::spawn(upkeep::alert_topics(app.clone(), mqtt.clone(), cancel.clone())),
        tokio::spawn(seeing::keep(app.clone(), cancel.clone())),
        tokio::spawn(crate::intake::derive::run(app.clone(), cancel.clone())),
        tokio::spawn(crate::intake::machine::listen(app.clone(), cancel.clone())),
        tokio::spawn(shift::follow(app.clone(), cancel.clone())),
        tokio::spawn(orders::order_topics(app.clone(), mqtt.clone(), cancel.clone())),
        field_task,
    ];
    for feed in &app.config.intake.feeds {
        let follower =
            crate::intake::feed::Follower::new(app.clone(), feed.clone()).map_err(|error| StartError::Feed(feed.id.to_string(), error))?;
        tasks.push(tokio::spawn(follower.run(cancel.clone())));
    }
    tasks.extend(senders.into_iter().map(|sender| tokio::spawn(sender.run(cancel.clone()))));
    #[cfg(feature = "edge")]
    let edge = match prepared {
        Some(prepared) => {
            let (edge, health) = super::analyse::start(prepared, &app, &mqtt, &cancel)?;
            tasks.push(health);
            let _ = taps.set(edge.cameras());
            tasks.push(super::record::start(&app, &taps, &cancel));
            Some(edge)
        }
        None => None,
    };

    #[cfg(feature = "edge")]
    tasks.push(tokio::spawn(camera_admin::onvif::run(app.clone(), cancel.clone())));
    let router = routes::router(app.clone());
    let mut listeners = Vec::new();
    let (mut http, mut https) = (None, None);
    if let Some(addr) = app.config.http.listen {
        let listener = Listener::plain(addr, router.clone()).await?;
        http = Some(listener.addr);
        listeners.push(listener);
    }
    if let Some(tls) = &app.config.http.tls {
        let listener = Listener::tls(tls, &state_dir, router).await?;
        https = Some(listener.addr);
        listeners.push(listener);
    }
    tasks.shrink_to_fit();
    let addresses = Addresses {
        http,
        https,
        mqtt: mqtt_addr,
        mqtts: mqtts_addr,
        dc09: dc09.as_ref().and_then(|d| d.tcp_addr()),
        dc09_udp: dc09.as_ref().and_then(|d| d.udp_addr()),
    };
    Ok(Running {
        app,
        addresses,
        new_logins,
        cancel,
        listeners,
        mqtt,
        dc09,
        #[cfg(feature = "edge")]
        edge,
        tasks,
        engine: engine_task,
        engine_cancel,
        counts,
        journal,
        _lock: lock,
    })
}

impl Running {
    /// Ends the hub: doors first, then what they feed, the journal last.
    pub async fn stop(self) {
        #[cfg(feature = "edge")]
        if let Some(edge) = self.edge {
            edge.stop().await;
        }
        self.mqtt.stop().await;
        if let Some(dc09) = &self.dc09 {
            dc09.stop().await;
        }
        self.cancel.cancel();
        for listener in self.listeners {
            listener.stop().await;
        }
        for task in self.tasks {
            let _ = task.await;
        }
        self.engine_cancel.cancel();
        let _ = self.engine.await;
        // The writer ends when the last sender is gone; the broker may hold one for a moment longer.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.counts).await;
        self.journal.close().await;
        self.app.store.close().await;
    }
}

/// Starts a hub, says where it is, and ends it on Ctrl-C or SIGTERM.
pub async fn run(config: Config, mode: Mode, addresses_file: Option<PathBuf>) -> Result<(), StartError> {
    if mode == Mode::Edge {
        #[cfg(feature = "edge")]
        return super::edge::run(config, addresses_file).await;
    }
    let signal = |kind| tokio::signal::unix::signal(kind).map_err(|error| StartError::Option(format!("signals: {error}")));
    let mut interrupt = signal(tokio::signal::unix::SignalKind::interrupt())?;
    let mut terminate = signal(tokio::signal::unix::SignalKind::terminate())?;
    let running = start(config, mode).await?;
    announce(&running);
    let text = serde_json::to_vec_pretty(&running.addresses).unwrap_or_default();
    let own = running.app.config.hub.state_dir.join(ADDRESSES);
    for file in [own].into_iter().chain(addresses_file) {
        secrets::write_private(&file, &text).map_err(|error| StartError::State(file, error))?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("ending");
    running.stop().await;
    Ok(())
}

fn announce(running: &Running) {
    let (config, addresses) = (&running.app.config, &running.addresses);
    println!("\n{} is running.", config.hub.name);
    for (what, url) in
        [("Page", addresses.http.map(|a| format!("http://{a}/"))), ("Page with TLS", addresses.https.map(|a| format!("https://{a}/")))]
    {
        if let Some(url) = url {
            println!("  {what:<14} {url}");
        }
    }
    for (what, addr) in [("MQTT", addresses.mqtt), ("MQTT with TLS", addresses.mqtts), ("Alarm panels", addresses.dc09)] {
        if let Some(addr) = addr {
            println!("  {what:<14} {addr}");
        }
    }
    let logins = secrets::demo_logins(&config.hub.state_dir).ok().flatten();
    if config.hub.demo_logins
        && let Some(logins) = logins
    {
        println!("  Demonstration log-ins (kept in {}):", secrets::dir(&config.hub.state_dir).join("logins.json").display());
        for (role, login) in logins {
            println!("    {:<18} {:<10} {}", role.as_str(), login.user, login.password);
        }
    }
    println!();
}

/// What is kept in memory about requests, with the keys that open them.
fn requests(config: &Config, state_dir: &Path) -> Result<crate::requests::Requests, StartError> {
    let mut keys = vec![("hub".to_owned(), secrets::open311_key(state_dir)?)];
    for (name, source) in &config.requests.open311.keys {
        let key = source.read().map_err(|e| StartError::Secret(format!("open311.key {name}: {}", crate::error::chain(&e))))?;
        if key.len() < 16 {
            return Err(StartError::Secret(format!("open311.key {name} has fewer than 16 characters")));
        }
        keys.push((name.clone(), key));
    }
    let key = secrets::requests_key(state_dir)?;
    Ok(crate::requests::Requests::new(config.requests.clone(), config.shift.utc_offset_min, &key, keys))
}

/// Opens the store. A PostgreSQL that starts later than the hub, as after a power cut, is waited for.
async fn open_store(address: &str) -> Result<Store, qorgan_alerts::Error> {
    let began = Instant::now();
    loop {
        match Store::open(address).await {
            Err(error) if address.starts_with("postgres") && began.elapsed() < STORE_PATIENCE => {
                tracing::warn!(error = crate::error::chain(&error), "the store does not answer yet; waiting");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            opened => return opened,
        }
    }
}

pub(super) fn lock_state(dir: &Path) -> Result<File, StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let fail = |error| StartError::State(dir.to_path_buf(), error);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fail)?;
    let file = File::create(dir.join("lock")).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::Locked(dir.to_path_buf())),
        Err(std::fs::TryLockError::Error(error)) => Err(fail(error)),
    }
}

/// One recorder a process, whoever asks first.
fn recorder() -> Result<PrometheusHandle, StartError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder().map_err(|error| StartError::Metrics(error.to_string()))?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

async fn imported_areas(store: &Store, config: &Config) -> Result<Areas, StartError> {
    let Some(text) = store.areas().await? else { return Ok(config.areas.clone()) };
    match Areas::parse(&text) {
        Ok((areas, _)) => Ok(areas),
        Err(error) => {
            tracing::warn!(%error, "the imported outlines do not read any more; those of the configuration are shown");
            Ok(config.areas.clone())
        }
    }
}

fn rules(config: &Config) -> Rules {
    let seconds = |s: u32| i64::from(s) * 1_000;
    let crowd = CrowdRules {
        open_after_ms: seconds(config.crowd.open_after_s),
        close_after_ms: seconds(config.crowd.close_after_s),
        close_below: config.crowd.clear_ratio,
        silence_ms: seconds(config.crowd.silence_s),
        max_gap_ms: seconds(config.crowd.max_gap_s),
        stale_ms: seconds(config.crowd.stale_s),
        update_every_ms: seconds(config.crowd.update_every_s),
        baseline_minutes: config.crowd.memory_min,
        baseline_needs_minutes: config.crowd.memory_needs_min,
        min_people: config.crowd.min_people,
        min_people_public: config.crowd.min_people_public,
    };
    let response =
        ResponseRules { remind_after_ms: seconds(config.response.remind_after_s), lead_after_ms: seconds(config.response.lead_after_s) };
    let gathering = GatheringRules {
        formula: config.crowd.formula,
        unusual_score: config.crowd.unusual_score,
        merge_m: config.crowd.merge_m,
        merge_ms: seconds(config.crowd.merge_min) * 60,
        safety_after_ms: seconds(config.crowd.safety_after_s),
        demoted: Vec::new(),
    };
    let mut calendar = Calendar { zone: config.crowd.time_zone.clone(), holidays: config.crowd.holidays.clone(), ..Calendar::default() };
    for site in &config.sites {
        calendar.bells.insert(site.id.clone(), site.bells.clone());
        if !site.hours.is_empty() {
            calendar.hours.insert(site.id.clone(), site.hours.clone());
        }
    }
    let mut rules = Rules { crowd, response, gathering, calendar, ..Rules::default() };
    rules.sites = config.sites.iter().map(|site| (site.id.clone(), site.position)).collect();
    for (site, camera) in config.cameras() {
        let public_space = site.kind == SiteKind::PublicPlace;
        rules.cameras.insert(camera.id.clone(), CameraRule { limit: camera.limit, public_space });
        rules.positions.insert(camera.id.clone(), camera.position);
        rules.places.insert(camera.id.clone(), camera.scene.rule());
    }
    rules.sites.extend(config.sites.iter().map(|site| (site.id.clone(), site.position)));
    for (site, button) in config.buttons() {
        rules.positions.insert(button.id.clone(), button.position.unwrap_or(site.position));
    }
    rules
}

async fn start_mqtt(
    config: &Config,
    doors: Arc<qorgan_ingest::mqtt::Doors>,
) -> Result<(Mqtt, Option<SocketAddr>, Option<SocketAddr>), StartError> {
    match &config.mqtt {
        MqttConfig::Embedded { listen, tls } => {
            let tls = match tls {
                None => None,
                Some(tls) => {
                    let (cert, key) = crate::tls::files(&tls.certificate, &config.hub.state_dir)?;
                    Some(embedded::TlsListener { addr: tls.listen, cert, key })
                }
            };
            let broker = embedded::Broker::start(embedded::Config { plain: *listen, tls, ..embedded::Config::default() }, doors).await?;
            let (plain, tls) = (broker.plain_addr(), broker.tls_addr());
            Ok((Mqtt::Embedded(broker), plain, tls))
        }
        MqttConfig::External { url, user, password, ca } => {
            let password = password.read().map_err(|e| StartError::Secret(format!("mqtt: {}", crate::error::chain(&e))))?;
            let link = external::Config { url: url.to_string(), user: user.clone(), password, ca: ca.clone(), client_id: user.clone() };
            Ok((Mqtt::External(external::Link::start(&link, doors)?), None, None))
        }
    }
}
