//! `qorgan panel`: an alarm panel over SIA DC-09, for demonstrations, drills of the path and scripts.

use std::{net::SocketAddr, process::ExitCode};

use clap::Args;
use qorgan_domain::{Clock, DeviceId, DeviceRef, SiteId, SystemClock};
use qorgan_ingest::dc09::{
    frame::{Id, MAX_SEQ},
    panel::{Options, PanelClient, Transport},
};

use super::{ConfigArg, Failure};
use crate::hub::{self, Addresses};

#[derive(Args)]
pub(super) struct PanelArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Site of the panel.
    #[arg(long)]
    site: SiteId,
    /// The panel.
    #[arg(long)]
    device: DeviceId,
    /// SIA code (PA panic, HA hold-up, FA fire, MA medical, PR restore, YT battery, RP test), Contact ID (1120), or NULL for a poll.
    #[arg(long, default_value = "PA")]
    event: String,
    /// Zone.
    #[arg(long, default_value = "001")]
    zone: String,
    /// How often it is sent, each time as a new message.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Over UDP instead of TCP.
    #[arg(long)]
    udp: bool,
    /// Receiver, if it is neither that of the running hub nor where the configuration says, e.g. 127.0.0.1:12000.
    #[arg(long)]
    receiver: Option<SocketAddr>,
}

/// Format and data of an event.
fn message(event: &str, zone: &str) -> Result<(Id, String), Failure> {
    let capitals = event.len() == 2 && event.bytes().all(|b| b.is_ascii_uppercase());
    let digits = event.len() == 4 && event.bytes().all(|b| b.is_ascii_digit()) && matches!(event.as_bytes()[0], b'1' | b'3' | b'6');
    if zone.is_empty() || zone.len() > 8 || !zone.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("zone \"{zone}\" is not 1 to 8 digits").into());
    }
    match event {
        "NULL" => Ok((Id::Null, String::new())),
        _ if capitals => Ok((Id::SiaDcs, format!("Nri1/{event}{zone}"))),
        _ if digits && zone.len() <= 3 => Ok((Id::AdmCid, format!("{event} 01 {zone:0>3}"))),
        _ => {
            Err(format!("event \"{event}\" is neither a SIA code such as PA, nor Contact ID such as 1120 (zone of three digits), nor NULL")
                .into())
        }
    }
}

pub(super) async fn report(args: PanelArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    let device = DeviceRef::new(args.site, args.device);
    let Some((_, panel)) = config.panels().find(|(_, panel)| panel.id == device) else {
        let known: Vec<String> = config.panels().map(|(_, panel)| panel.id.to_string()).collect();
        return Err(format!("there is no panel {device}; known are: {}", known.join(", ")).into());
    };
    let (id, events) = message(&args.event, &args.zone)?;
    let running = Addresses::of_running(&config.hub.state_dir).and_then(|a| if args.udp { a.dc09_udp } else { a.dc09 });
    let configured = config.dc09.as_ref().and_then(|dc09| if args.udp { dc09.udp } else { dc09.tcp });
    let Some(address) = args.receiver.or(running).or(configured) else {
        return Err("the configuration has no [dc09] section with such an address".into());
    };
    // Another number than a run of this command a moment ago, or the hub would take it for a repeat.
    let second = SystemClock.utc().0.div_euclid(1_000).rem_euclid(i64::from(MAX_SEQ));
    let mut client = PanelClient::new(Options {
        transport: if args.udp { Transport::Udp } else { Transport::Tcp },
        receiver: panel.receiver.clone(),
        line: Some(panel.line.clone().unwrap_or_else(|| "0".into())),
        key: hub::panel_key(panel)?,
        first_seq: u16::try_from(second).unwrap_or(0) + 1,
        ..Options::new(address, &panel.account)
    });
    for _ in 0..args.count {
        let acked = client.send(id.clone(), &events).await?;
        let tries = if acked.tries == 1 { String::new() } else { format!(", try {}", acked.tries) };
        println!(
            "{device} reported {} {}: number {}, ACK {:.1} ms{tries}",
            args.event,
            args.zone,
            acked.seq,
            acked.after.as_secs_f64() * 1e3
        );
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_messages_in_their_format() {
        assert_eq!(message("PA", "005").unwrap(), (Id::SiaDcs, "Nri1/PA005".into()));
        assert_eq!(message("1120", "5").unwrap(), (Id::AdmCid, "1120 01 005".into()));
        assert_eq!(message("NULL", "001").unwrap(), (Id::Null, String::new()));
        for (event, zone) in [("pa", "005"), ("2120", "005"), ("1120", "0055"), ("PA", "x"), ("PA", "")] {
            assert!(message(event, zone).is_err(), "{event} {zone}");
        }
    }
}
