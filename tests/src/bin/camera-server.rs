//! Cameras for the demo: loops real footage over RTSP on 127.0.0.1.
//!
//! ```text
//! camera-server --port 8554 --mount campus=var/footage/campus.mp4 --mount gate=var/footage/campus-gate.mp4
//! camera-server --fleet 400 --clip var/footage/bench-sub.mp4 --port 0   # hundreds of light ones, for the benches
//! ```

use std::path::PathBuf;

use clap::Parser;
use qorgan_tests::{
    cameras::{CameraServer, Mount},
    fleet,
};
use tokio::signal::unix::{SignalKind, signal};

/// Loops video files as RTSP cameras on 127.0.0.1, until it gets SIGINT or SIGTERM.
#[derive(Parser)]
#[command(name = "camera-server")]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8554)]
    port: u16,
    /// A camera: its name and its clip (MP4 with H.264). May be given many times.
    #[arg(long = "mount", value_name = "NAME=FILE", value_parser = mount, required_unless_present = "fleet")]
    mounts: Vec<Mount>,
    /// Log-in that every camera asks for. The password is read from the environment variable CAMERA_PASSWORD.
    #[arg(long)]
    user: Option<String>,
    /// So many light cameras, /c0, /c1, ..., that all play the clip, each with a phase of its own.
    #[arg(long, requires = "clip", conflicts_with = "mounts")]
    fleet: Option<usize>,
    /// Clip of the light cameras (MP4 with H.264).
    #[arg(long)]
    clip: Option<PathBuf>,
    /// Seed of their phases and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The light cameras drop, stall and come back at random; each fault is a JSON line.
    #[arg(long)]
    unsteady: bool,
}

fn mount(text: &str) -> Result<Mount, String> {
    let (name, clip) = text.split_once('=').ok_or("write it as NAME=FILE")?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err("a name has letters, digits and hyphens".into());
    }
    Ok(Mount::new(name, PathBuf::from(clip)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    if let Err(error) = run(&arguments).await {
        eprintln!("camera-server: {error}");
        std::process::exit(1);
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    if let (Some(count), Some(clip)) = (arguments.fleet, &arguments.clip) {
        let ready = |port: u16, phases: &[f64]| println!("{}", serde_json::json!({ "port": port, "phases_s": phases }));
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            ended = fleet::serve(clip, count, arguments.port, arguments.seed, arguments.unsteady, ready) => ended?,
        }
        return Ok(());
    }
    let password = std::env::var("CAMERA_PASSWORD").unwrap_or_default();
    let log_in = arguments.user.as_deref().map(|user| (user, password.as_str()));
    if log_in.is_some() && password.is_empty() {
        return Err("--user needs the environment variable CAMERA_PASSWORD".into());
    }
    let server = CameraServer::start(arguments.port, &arguments.mounts, log_in)?;
    for url in server.urls() {
        println!("{url}");
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
