//! Random inputs for every reader of bytes from outside; the goal is no panic and no input that takes long.
//!
//! `cargo run --release -p qorgan-tests --bin fuzz -- --seconds 20 --target mqtt_payload`

use std::time::{Duration, SystemTime};

use clap::Parser;
use qorgan_tests::{
    fuzz::{TARGETS, fuzz},
    report::Report,
};

#[derive(Parser)]
struct Args {
    /// For how long, each target.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// For how long, all targets together; instead of `--seconds`.
    #[arg(long)]
    total: Option<u64>,
    /// Only this one.
    #[arg(long)]
    target: Option<String>,
    /// Gives the same inputs again; the time of day when absent.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<(), String> {
    let args = Args::parse();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    if let Some(name) = args.target.as_deref().filter(|name| !names.contains(name)) {
        return Err(format!("there is no target {name}; there are {}", names.join(", ")));
    }
    let seed = args.seed.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs()));
    // Panics are counted; their inputs are printed below.
    std::panic::set_hook(Box::new(|_| {}));
    let mut report = Report::new("fuzz");
    report.figure("seed", seed);
    let (mut panics, mut slow) = (0, 0);
    let targets: Vec<_> = TARGETS.iter().filter(|target| args.target.as_deref().is_none_or(|name| name == target.name)).collect();
    let time = args.total.map_or(Duration::from_secs(args.seconds), |total| Duration::from_secs(total) / targets.len().max(1) as u32);
    for target in targets {
        let outcome = fuzz(target, time, seed);
        let rate = outcome.executions as f64 / time.as_secs_f64().max(1e-3);
        eprintln!("{}: {rate:.0} executions a second, judged as {:?}", target.name, outcome.judged);
        for (what, inputs) in [("panics", &outcome.panics), ("is slow", &outcome.slow)] {
            for input in inputs {
                eprintln!("{} {what} on: {}", target.name, String::from_utf8_lossy(input).escape_debug());
            }
        }
        report.figure(&format!("{}_executions_per_s", target.name), rate);
        panics += outcome.panicked;
        slow += outcome.slow.len();
    }
    report.at_most("panics", 0.0, panics as f64);
    report.at_most("inputs that take longer than 50 ms", 0.0, slow as f64);
    report.print();
    if panics > 0 || slow > 0 { Err("see above".into()) } else { Ok(()) }
}
