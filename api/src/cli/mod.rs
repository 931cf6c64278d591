//! The command line. Every command says what it needs and what it prints; errors name the thing and the way out.

mod backup;
mod button;
mod doctor;
#[cfg(feature = "edge")]
mod eval;
#[cfg(feature = "edge")]
mod models;
mod panel;
mod replay;
mod users;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::Config,
    error::chain,
    hub::{self, Mode, Overrides},
};

/// Why a command failed, as told to the person who typed it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Open hub for an operational control centre: cameras that count, alarm buttons, one map, people who decide.
///
/// It counts people; it never identifies them. Start the demonstration with `make run`, or
/// `qorgan run --config configs/demo.toml` when everything is built.
#[derive(Parser)]
#[command(name = "qorgan", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole hub: cameras, counting, alarms, fusion, web page.
    ///
    /// Ends on Ctrl-C or SIGTERM. At the first start it makes its databases, device passwords and, if the
    /// configuration asks for it, one log-in for each role.
    Run(RunArgs),
    /// Run only the camera side and publish counts to the centre's broker (`mqtt.url` in the configuration).
    Edge(RunArgs),
    /// Run everything but the cameras: counts come over MQTT from edge boxes.
    Centre(RunArgs),
    /// Check a configuration and print every problem with its line.
    CheckConfig {
        /// The file.
        #[arg(default_value = "configs/demo.toml")]
        file: PathBuf,
    },
    /// Press a real alarm button over MQTT and wait for the hub's receipt.
    ///
    /// Prints, for each press, the time to PUBACK and to the receipt. A receipt means: the alarm is on disk.
    Button(button::ButtonArgs),
    /// Report an event as an alarm panel over SIA DC-09 and wait for the ACK.
    ///
    /// The ACK to an alarm means: it is on disk.
    Panel(panel::PanelArgs),
    /// List, verify, describe, time or judge the models.
    #[cfg(feature = "edge")]
    Models(models::ModelsArgs),
    /// Connect to a camera and say what it sends: codec, size, key frames, or why it fails.
    #[cfg(feature = "edge")]
    Probe(models::ProbeArgs),
    /// Count the people in a picture (JPEG or PNG) and print the number with its interval.
    #[cfg(feature = "edge")]
    Count(models::CountArgs),
    /// Add accounts, change passwords, list accounts.
    User(users::UserArgs),
    /// Copy databases, secrets and certificates into one folder, while the hub runs.
    Backup(backup::BackupArgs),
    /// Put a backup back. The hub must not be running.
    Restore(backup::RestoreArgs),
    /// Ask the formula that made a crowd alert again, with the inputs that were kept with it.
    ///
    /// Prints inputs and both answers; fails when they are not the same, byte for byte.
    Replay(replay::ReplayArgs),
    /// Read CAP messages (1.0 to 1.2) and say what they are, or why they are refused.
    Cap {
        /// XML files.
        files: Vec<PathBuf>,
    },
    /// Say what is missing on this machine, and the command that installs it.
    Doctor(ConfigArg),
}

/// Which configuration.
#[derive(Args, Clone)]
struct ConfigArg {
    /// Configuration file.
    #[arg(long, env = "QORGAN_CONFIG", default_value = "configs/demo.toml")]
    config: PathBuf,
    /// Keep state here instead of where the configuration says.
    #[arg(long, env = "QORGAN_STATE_DIR")]
    state_dir: Option<PathBuf>,
}

impl ConfigArg {
    fn load(&self) -> Result<Config, Failure> {
        let mut config = Config::load(&self.config)?;
        if let Some(dir) = &self.state_dir {
            config.move_state(dir);
        }
        Ok(config)
    }
}

#[derive(Args)]
struct RunArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Listen for HTTP here instead (loopback; port 0 takes a free one; switches the TLS listener off).
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Listen for MQTT here instead (loopback; port 0 takes a free one; switches the TLS listener off).
    #[arg(long)]
    mqtt: Option<SocketAddr>,
    /// Listen for alarm panels here instead, TCP and UDP (loopback; port 0 takes free ones).
    #[arg(long)]
    dc09: Option<SocketAddr>,
    /// Replace scheme, host and port of every camera address, e.g. rtsp://127.0.0.1:8600.
    #[arg(long)]
    camera_base: Option<url::Url>,
    /// Store to use instead, e.g. postgres://qorgan@localhost/qorgan (password in QORGAN_STORE_PASSWORD).
    #[arg(long, env = "QORGAN_STORE_URL")]
    store: Option<String>,
    /// Write the addresses that are listened on into this file, as JSON, once the hub is ready.
    #[arg(long)]
    addresses_file: Option<PathBuf>,
    /// Log as JSON lines.
    #[arg(long)]
    log_json: bool,
}

/// Parses the arguments and runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("qorgan: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Run(args) => run(args, Mode::Run),
        Command::Edge(args) => run(args, Mode::Edge),
        Command::Centre(args) => run(args, Mode::Centre),
        Command::CheckConfig { file } => {
            let config = Config::load(&file)?;
            println!(
                "{}: {} sites, {} cameras, {} buttons, {} panels, {} units, {} areas: no problem found",
                file.display(),
                config.sites.len(),
                config.cameras().count(),
                config.buttons().count(),
                config.panels().count(),
                config.units.len(),
                config.areas.iter().count()
            );
            Ok(ExitCode::SUCCESS)
        }
        Command::Button(args) => block_on(button::press(args)),
        Command::Panel(args) => block_on(panel::report(args)),
        #[cfg(feature = "edge")]
        Command::Models(args) => models::models(args),
        #[cfg(feature = "edge")]
        Command::Probe(args) => block_on(models::probe(args)),
        #[cfg(feature = "edge")]
        Command::Count(args) => models::count(args),
        Command::User(args) => block_on(users::users(args)),
        Command::Backup(args) => block_on(backup::backup(args)),
        Command::Restore(args) => block_on(backup::restore(args)),
        Command::Replay(args) => block_on(replay::replay(args)),
        Command::Cap { files } => read_cap(&files),
        Command::Doctor(args) => doctor::doctor(&args),
    }
}

fn read_cap(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut refused = 0;
    for file in files {
        match crate::connect::cap::read(&std::fs::read(file)?) {
            Ok(alert) => {
                let events: Vec<&str> = alert.info.iter().map(|info| info.event.as_str()).collect();
                println!(
                    "{}: {:?} {:?}, {} from {}: {}",
                    file.display(),
                    alert.status,
                    alert.message_type,
                    alert.identifier,
                    alert.sender,
                    events.join(", ")
                );
            }
            Err(error) => {
                refused += 1;
                println!("{}: refused: {}", file.display(), chain(&error));
            }
        }
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(args: RunArgs, mode: Mode) -> Result<ExitCode, Failure> {
    start_log(args.log_json);
    let mut config = args.config.load()?;
    let overrides = Overrides { http: args.http, mqtt: args.mqtt, dc09: args.dc09, camera_base: args.camera_base, store: args.store };
    overrides.apply(&mut config)?;
    block_on(async move {
        hub::run(config, mode, args.addresses_file).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn block_on<F: Future<Output = Result<ExitCode, Failure>>>(work: F) -> Result<ExitCode, Failure> {
    // rustls has two providers in this tree (the broker brings its own); the choice is made once, here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Standard error. A log on a full disk loses lines; it must never stop the part that speaks, as a failing `eprintln!` would.
struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = std::io::stderr().write_all(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        let _ = std::io::stderr().flush();
        Ok(())
    }
}

fn start_log(json: bool) {
    use std::io::IsTerminal;
    use tracing_subscriber::{EnvFilter, fmt};
    let colours = std::io::stderr().is_terminal();
    let filter =
        EnvFilter::try_from_env("QORGAN_LOG").unwrap_or_else(|_| EnvFilter::new("info,rmqtt=warn,rmqtt_net=warn,ort=warn,sqlx=warn"));
    let started = match json {
        true => fmt().with_env_filter(filter).with_writer(|| Log).log_internal_errors(false).json().try_init(),
        false => {
            fmt().with_env_filter(filter).with_writer(|| Log).log_internal_errors(false).with_ansi(colours).with_target(false).try_init()
        }
    };
    if let Err(error) = started {
        eprintln!("qorgan: the log could not be started: {error}");
    }
}
