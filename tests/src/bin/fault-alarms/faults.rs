//! The hub with everything around it, and the ways in which it is broken.

use std::{
    collections::BTreeMap,
    fmt, io,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use qorgan_domain::DeviceRef;
use qorgan_tests::{
    buttons::{Fleet, FleetOptions},
    hub::{Hub, Options, freeze},
    mosquitto::Mosquitto,
    postgres::Postgres,
    proxy::{Mode, Proxy},
    sites,
};
use rand::{Rng, rngs::StdRng};

use super::ledger;

type Failure = Box<dyn std::error::Error>;

const PASSWORD: &str = "only for this test";
/// Size of the disk that is filled; its pages are memory.
const DISK: &str = "size=256m";
/// How long the store may be behind the journal in the end.
const SETTLE: Duration = Duration::from_secs(60);

/// One way to break something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillHub,
    /// Killed again while it starts.
    KillTwice,
    FreezeHub,
    CutConnections,
    StallConnections,
    FullDisk,
    /// Killed while its disk is full.
    KillOnFullDisk,
    KillBroker,
    FreezeBroker,
    StopDatabase,
    FreezeDatabase,
    /// The hub starts before its database does.
    KillBoth,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Fault::KillHub => "kill_hub",
            Fault::KillTwice => "kill_hub_twice",
            Fault::FreezeHub => "freeze_hub",
            Fault::CutConnections => "cut",
            Fault::StallConnections => "stall",
            Fault::FullDisk => "full_disk",
            Fault::KillOnFullDisk => "kill_full_disk",
            Fault::KillBroker => "kill_broker",
            Fault::FreezeBroker => "freeze_broker",
            Fault::StopDatabase => "stop_database",
            Fault::FreezeDatabase => "freeze_database",
            Fault::KillBoth => "kill_both",
        })
    }
}

/// The hub, its broker, its database, its disk, and the buttons in front of it.
pub(crate) struct Stage {
    pub(crate) fleet: Fleet,
    /// How often each fault struck.
    pub(crate) struck: BTreeMap<Fault, usize>,
    hub: Hub,
    proxy: Proxy,
    mosquitto: Option<Mosquitto>,
    postgres: Option<Postgres>,
    store: String,
    state: PathBuf,
    // Ended last, in this order: the disk is mounted in the folder.
    disk: Option<Disk>,
    _dir: Option<tempfile::TempDir>,
}

impl Stage {
    /// Starts everything and waits until every button is connected.
    pub(crate) async fn build(devices: usize, postgres: bool, external: bool, keep: Option<&Path>) -> Result<Self, Failure> {
        let (dir, path) = match keep {
            Some(path) => (None, path.to_path_buf()),
            None => {
                let dir = tempfile::tempdir()?;
                let path = dir.path().to_path_buf();
                (Some(dir), path)
            }
        };
        let state = path.join("state");
        std::fs::create_dir_all(&state)?;
        let disk = if keep.is_some() { None } else { Disk::mount(&state) };
        if disk.is_none() {
            eprintln!("note: no small disk could be mounted; the disk is never full in this run");
        }
        let postgres = if postgres { Some(Postgres::start().await?) } else { None };
        let store = match &postgres {
            Some(postgres) => postgres.database().await?,
            None => format!("sqlite:{}", state.join("hub.db").display()),
        };
        let mut config = sites::many_buttons(&path, devices)?;
        let names: Vec<DeviceRef> = (0..devices).map(|i| format!("{}/b{i}", sites::SITE).parse()).collect::<Result<_, _>>()?;
        let mosquitto = match external {
            false => None,
            true => {
                let users: Vec<String> = std::iter::once("hub".to_owned()).chain(names.iter().map(ToString::to_string)).collect();
                let mosquitto = Mosquitto::start(&path, users.iter().map(String::as_str), PASSWORD)?;
                std::fs::write(path.join("hub-password"), PASSWORD)?;
                let link = format!(
                    "[http]\nlisten = \"127.0.0.1:0\"\n[mqtt]\nurl = \"mqtt://{}\"\nuser = \"hub\"\npassword_file = \"{}\"\n[models]",
                    mosquitto.addr,
                    path.join("hub-password").display()
                );
                let text = std::fs::read_to_string(&config)?.replacen("[models]", &link, 1);
                config = path.join("external.toml");
                std::fs::write(&config, text)?;
                Some(mosquitto)
            }
        };
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let options = Options {
            config,
            mode: "centre",
            store: postgres.is_some().then(|| store.clone()),
            mqtt: (!external).then_some(port),
            own_addresses: external,
            ..Options::default()
        };
        let hub = Hub::start(&state, options).await?;
        let upstream: SocketAddr = mosquitto.as_ref().map_or(port, |mosquitto| mosquitto.addr);
        let proxy = Proxy::start(upstream).await?;
        let password = |device: &DeviceRef| match external {
            true => Ok(PASSWORD.to_owned()),
            false => hub.mqtt_password(&device.to_string()),
        };
        let credentials: Vec<(DeviceRef, String)> =
            names.iter().map(|device| Ok((device.clone(), password(device)?))).collect::<Result<_, Failure>>()?;
        let url = format!("mqtt://{}", proxy.addr());
        let options = FleetOptions { retry_after: Duration::from_millis(700), ..FleetOptions::new(&url) };
        let mut fleet = Fleet::connect(&options, &credentials)?;
        fleet.ready(Duration::from_secs(120)).await?;
        eprintln!("{devices} buttons are connected");
        Ok(Self { fleet, struck: BTreeMap::new(), hub, proxy, mosquitto, postgres, store, state, disk, _dir: dir })
    }

    /// The faults that can strike here; what happens more often in the world stands more often.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults =
            vec![Fault::KillHub, Fault::KillHub, Fault::KillTwice, Fault::FreezeHub, Fault::CutConnections, Fault::StallConnections];
        if self.disk.is_some() {
            faults.extend([Fault::FullDisk, Fault::KillOnFullDisk]);
        }
        if self.mosquitto.is_some() {
            faults.extend([Fault::KillBroker, Fault::FreezeBroker]);
        }
        if self.postgres.is_some() {
            faults.extend([Fault::StopDatabase, Fault::FreezeDatabase, Fault::KillBoth]);
        }
        faults
    }

    /// Breaks something for a while and mends it.
    pub(crate) async fn strike(&mut self, fault: Fault, rng: &mut StdRng) -> Result<(), Failure> {
        *self.struck.entry(fault).or_default() += 1;
        let mut pause = |from: u64, to: u64| tokio::time::sleep(Duration::from_millis(rng.random_range(from..to)));
        match fault {
            Fault::KillHub => {
                self.hub.kill();
                pause(0, 800).await;
                self.hub.restart().await?;
            }
            Fault::KillTwice => {
                self.hub.kill();
                self.hub.restart().await?;
                pause(0, 400).await;
                self.hub.kill();
                self.hub.restart().await?;
            }
            Fault::FreezeHub => {
                self.hub.freeze(true);
                pause(300, 3_500).await;
                self.hub.freeze(false);
            }
            Fault::CutConnections => {
                self.proxy.set(Mode::Cut);
                pause(0, 1_500).await;
                self.proxy.set(Mode::Pass);
            }
            Fault::StallConnections => {
                self.proxy.set(Mode::Stall);
                pause(300, 2_500).await;
                // What hung is either carried on with, or lost.
                self.proxy.set(if rand::random() { Mode::Pass } else { Mode::Cut });
                pause(0, 50).await;
                self.proxy.set(Mode::Pass);
            }
            Fault::FullDisk | Fault::KillOnFullDisk => {
                if let Some(disk) = &self.disk {
                    disk.fill()?;
                    pause(300, 2_500).await;
                    if fault == Fault::KillOnFullDisk {
                        self.hub.kill();
                    }
                    disk.free()?;
                }
                if fault == Fault::KillOnFullDisk {
                    self.hub.restart().await?;
                }
            }
            Fault::KillBroker => {
                if let Some(mosquitto) = &mut self.mosquitto {
                    mosquitto.kill();
                    pause(0, 1_000).await;
                    mosquitto.restart()?;
                }
            }
            Fault::FreezeBroker => {
                if let Some(mosquitto) = &self.mosquitto {
                    freeze(mosquitto.pid(), true);
                    pause(300, 2_500).await;
                    freeze(mosquitto.pid(), false);
                }
            }
            Fault::StopDatabase => {
                if let Some(postgres) = &mut self.postgres {
                    postgres.stop();
                    pause(0, 2_000).await;
                    postgres.resume().await?;
                }
            }
            Fault::FreezeDatabase => {
                if let Some(postgres) = &self.postgres {
                    postgres.freeze(true);
                    pause(300, 3_500).await;
                    postgres.freeze(false);
                }
            }
            Fault::KillBoth => {
                if let Some(postgres) = &mut self.postgres {
                    postgres.stop();
                    self.hub.kill();
                    // The hub waits for its database; both are started at once.
                    let (resumed, restarted) = tokio::join!(postgres.resume(), self.hub.restart());
                    resumed?;
                    restarted?;
                }
            }
        }
        Ok(())
    }

    /// Everything works again.
    pub(crate) async fn heal(&mut self) -> Result<(), Failure> {
        self.proxy.set(Mode::Pass);
        self.hub.freeze(false);
        if !self.hub.is_running() {
            eprintln!("the hub had ended by itself; its last words:\n{}", tail(&self.hub.log()));
            self.hub.restart().await?;
        }
        Ok(())
    }

    /// Waits until the store has caught up with the journal.
    pub(crate) async fn settled(&self, pressed: usize) -> Result<(), String> {
        let since = Instant::now();
        loop {
            let stored: i64 = ledger::presses(&self.store).await.map_err(|e| e.to_string())?.values().sum();
            if usize::try_from(stored).is_ok_and(|stored| stored >= pressed) {
                return Ok(());
            }
            if since.elapsed() > SETTLE {
                return Err(format!("{stored} of {pressed} presses after {} s", SETTLE.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends the hub in good order; where its journal is.
    pub(crate) fn end_hub(&mut self) -> PathBuf {
        if self.hub.end().is_none() {
            eprintln!("the hub did not end within 20 s; its last words:\n{}", tail(&self.hub.log()));
            self.hub.kill();
        }
        self.state.join("journal.db")
    }

    /// Address of the store.
    pub(crate) fn store_url(&self) -> String {
        self.store.clone()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A frozen server does not hear that it shall end.
        if let Some(postgres) = &self.postgres {
            postgres.freeze(false);
        }
        self.hub.kill();
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// A small disk for the state, in memory; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// None where this program may not mount.
    fn mount(at: &Path) -> Option<Self> {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "qorgan-fault"]).arg(at).output().ok()?;
        done.status.success().then(|| Self(at.to_path_buf()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Fills it to the last block.
    fn fill(&self) -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.filler())?;
        for size in [1 << 20, 1 << 12, 1 << 8] {
            let zeros = vec![0; size];
            loop {
                match file.write(&zeros) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn free(&self) -> io::Result<()> {
        std::fs::remove_file(self.filler())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
