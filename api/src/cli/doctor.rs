//! `qorgan doctor`: what is missing on this machine, and the command that installs it.

use std::{path::Path, process::ExitCode};

use super::{ConfigArg, Failure};
use crate::{
    config::{Config, Http, Mqtt},
    error::chain,
};

/// One thing that was looked at.
pub(super) struct Finding {
    what: String,
    /// What is wrong, and what to do; none when it is well.
    trouble: Option<(String, String)>,
}

pub(super) fn well(what: impl Into<String>) -> Finding {
    Finding { what: what.into(), trouble: None }
}

pub(super) fn ill(what: impl Into<String>, trouble: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { what: what.into(), trouble: Some((trouble.into(), remedy.into())) }
}

pub(super) fn doctor(args: &ConfigArg) -> Result<ExitCode, Failure> {
    let mut findings = Vec::new();
    match args.load() {
        Ok(config) => {
            findings.push(well(format!("configuration {}", args.config.display())));
            #[cfg(feature = "edge")]
            findings.extend(super::models::doctor(&config));
            findings.push(state_dir(&config));
            findings.extend(ports(&config));
            findings.extend(cameras(&config));
        }
        Err(error) => findings.push(ill(
            format!("configuration {}", args.config.display()),
            chain(error.as_ref()),
            "mend the lines named above; configs/demo.toml is an example",
        )),
    }
    findings.push(page());
    let mut missing = 0;
    for finding in &findings {
        match &finding.trouble {
            None => println!("  ok       {}", finding.what),
            Some((trouble, remedy)) => {
                missing += 1;
                println!("  MISSING  {}\n           {trouble}\n           -> {remedy}", finding.what);
            }
        }
    }
    println!(
        "{}",
        if missing == 0 { "Nothing is missing.".to_owned() } else { format!("{missing} of {} need attention.", findings.len()) }
    );
    Ok(if missing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn state_dir(config: &Config) -> Finding {
    let dir = &config.hub.state_dir;
    let what = format!("state directory {}", dir.display());
    let nearest = dir.ancestors().find(|d| d.exists()).unwrap_or(Path::new("."));
    let probe = nearest.join(format!(".qorgan-doctor-{}", std::process::id()));
    match std::fs::write(&probe, b"") {
        Ok(()) => {
            let _ = std::fs::remove_file(&probe);
            well(what)
        }
        Err(error) => {
            ill(what, format!("cannot be written: {error}"), format!("give this user the right to write in {}", nearest.display()))
        }
    }
}

fn ports(config: &Config) -> Vec<Finding> {
    let Http { listen, tls } = &config.http;
    let mut addresses = vec![("HTTP", *listen), ("HTTP with TLS", tls.as_ref().map(|t| t.listen))];
    if let Mqtt::Embedded { listen, tls } = &config.mqtt {
        addresses.extend([("MQTT", *listen), ("MQTT with TLS", tls.as_ref().map(|t| t.listen))]);
    }
    let locked = std::fs::File::open(config.hub.state_dir.join("lock")).is_ok_and(|lock| lock.try_lock().is_err());
    if locked {
        return vec![well("a hub with this state directory is running")];
    }
    let look = |(what, address): (&str, Option<std::net::SocketAddr>)| {
        let address = address?;
        Some(match std::net::TcpListener::bind(address) {
            Ok(_) => well(format!("{what} address {address} is free")),
            Err(error) => ill(
                format!("{what} address {address}"),
                error.to_string(),
                "end the program that has it (ss -ltnp), or name another address",
            ),
        })
    };
    addresses.into_iter().filter_map(look).collect()
}

fn cameras(config: &Config) -> Vec<Finding> {
    let secret = |(_, camera): (&crate::config::Site, &crate::config::Camera)| {
        let (_, source) = camera.login.as_ref()?;
        let error = source.read().err()?;
        Some(ill(format!("password of camera {}", camera.id), chain(&error), "set it before the hub starts"))
    };
    config.cameras().filter_map(secret).collect()
}

fn page() -> Finding {
    match crate::web::is_built() {
        true => well("web page inside the binary"),
        false => ill("web page inside the binary", "this binary was built without it", "make web, then build again"),
    }
}
