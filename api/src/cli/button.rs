//! `qorgan button`: a real button over MQTT, for demonstrations, drills of the path and scripts.

use std::process::ExitCode;

use clap::Args;
use qorgan_domain::{AlarmKind, DeviceId, DeviceRef, SiteId};
use qorgan_ingest::mqtt::button::{Button, Options};

use super::{ConfigArg, Failure};
use crate::{config::Mqtt, hub::Addresses, secrets};

#[derive(Args)]
pub(super) struct ButtonArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Site of the button.
    #[arg(long)]
    site: SiteId,
    /// The button.
    #[arg(long)]
    device: DeviceId,
    /// How often it is pressed, one after the other.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// What is pressed: panic, hold_up, fire, medical.
    #[arg(long, default_value = "panic", value_parser = kind)]
    kind: AlarmKind,
    /// A test press: shown as a test, never as an alarm.
    #[arg(long)]
    test: bool,
    /// Broker, if it is neither that of the running hub nor where the configuration says, e.g. mqtt://127.0.0.1:1883.
    #[arg(long)]
    broker: Option<String>,
}

fn kind(text: &str) -> Result<AlarmKind, String> {
    [AlarmKind::Panic, AlarmKind::HoldUp, AlarmKind::Fire, AlarmKind::Medical]
        .into_iter()
        .find(|k| k.as_str() == text)
        .ok_or_else(|| "panic, hold_up, fire or medical".into())
}

pub(super) async fn press(args: ButtonArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    let device = DeviceRef::new(args.site, args.device);
    if !config.buttons().any(|(_, b)| b.id == device) {
        let known: Vec<String> = config.buttons().map(|(_, b)| b.id.to_string()).collect();
        return Err(format!("there is no button {device}; known are: {}", known.join(", ")).into());
    }
    let state_dir = &config.hub.state_dir;
    let password = secrets::device_password(state_dir, &device)?
        .ok_or_else(|| format!("no password for {device} in {}: start the hub once, it makes them", secrets::dir(state_dir).display()))?;
    let running = match config.mqtt {
        Mqtt::Embedded { .. } => Addresses::of_running(state_dir).and_then(|a| a.mqtt).map(|addr| format!("mqtt://{addr}")),
        Mqtt::External { .. } => None,
    };
    let (url, ca) = match (args.broker.or(running), &config.mqtt) {
        (Some(url), _) => (url, None),
        (None, Mqtt::Embedded { listen: Some(listen), .. }) => (format!("mqtt://{listen}"), None),
        (None, Mqtt::Embedded { tls: Some(tls), .. }) => {
            let (cert, _) = crate::tls::files(&tls.certificate, state_dir)?;
            (format!("mqtts://localhost:{}", tls.listen.port()), Some(cert))
        }
        (None, Mqtt::External { url, ca, .. }) => (url.to_string(), ca.clone()),
        (None, Mqtt::Embedded { listen: None, tls: None }) => return Err("the configuration has no MQTT address".into()),
    };
    let mut button = Button::connect(Options { ca, kind: args.kind, test: args.test, ..Options::new(url, device.clone(), password) })?;
    button.ready().await?;
    for _ in 0..args.count {
        let press = button.press().await?;
        let puback = press.puback.map_or_else(|| "none".into(), |d| format!("{:.1} ms", d.as_secs_f64() * 1e3));
        println!(
            "{device} pressed: seq {}, PUBACK {puback}, receipt {:.1} ms, journal row {}{}",
            press.key.seq,
            press.receipt.as_secs_f64() * 1e3,
            press.journal,
            if press.repeat { " (stored before)" } else { "" }
        );
    }
    button.close().await;
    Ok(ExitCode::SUCCESS)
}
