//! From a press to its receipt and to a desk's screen: a real hub process, real buttons over MQTT, a real event stream.
//!
//! `cargo run --release -p qorgan-tests --bin bench-alarm -- --presses 500` (build `qorgan` in the same profile first)

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_ingest::mqtt::button::{Button, Options as ButtonOptions};
use qorgan_tests::{
    hub::{Hub, Options, until},
    report::{Report, quantile},
    sites,
};

#[derive(Parser)]
struct Args {
    /// Presses, one after the other.
    #[arg(long, default_value_t = 500)]
    presses: usize,
    /// Buttons that take turns.
    #[arg(long, default_value_t = 100)]
    buttons: usize,
    /// Store to use instead of SQLite.
    #[arg(long)]
    store: Option<String>,
}

type Seen = Arc<Mutex<HashMap<(String, u64), Instant>>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let dir = tempfile::tempdir()?;
    let config = sites::many_buttons(dir.path(), args.buttons)?;
    let options = Options { config, mode: "centre", store: args.store, ..Options::default() };
    let hub = Hub::start(&dir.path().join("state"), options).await?;
    let duty = hub.log_in("duty_officer").await?;
    let seen: Seen = Arc::default();
    let (mut events, on_screen) = (duty.stream(None).await?, seen.clone());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let now = Instant::now();
            let mut seen = on_screen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for alert in event.data["changes"].as_array().into_iter().flatten().filter_map(|c| c.get("alert")) {
                let key = (alert["device"].as_str().unwrap_or_default().to_owned(), alert["alarm"]["presses"].as_u64().unwrap_or(0));
                seen.entry(key).or_insert(now);
            }
        }
    });
    let mut buttons = Vec::new();
    for i in 0..args.buttons {
        let device = format!("{}/b{i}", sites::SITE);
        let password = hub.mqtt_password(&device)?;
        let mut button = Button::connect(ButtonOptions::new(hub.mqtt_url(), device.parse()?, password))?;
        button.ready().await?;
        buttons.push(button);
    }
    eprintln!("{} buttons connected, {} presses", buttons.len(), args.presses);
    let (mut puback, mut receipt, mut screen) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..args.presses {
        let button = &buttons[n % buttons.len()];
        let key = (button.device().to_string(), (n / buttons.len() + 1) as u64);
        let start = Instant::now();
        let press = button.press().await?;
        puback.extend(press.puback.map(|d| d.as_secs_f64() * 1e3));
        receipt.push(press.receipt.as_secs_f64() * 1e3);
        let shown = until(Duration::from_secs(10), || async {
            seen.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .get(&key)
                .copied()
                .ok_or_else(|| format!("press {n} never reached the screen"))
        });
        screen.push(shown.await?.saturating_duration_since(start).as_secs_f64() * 1e3);
        if n % 100 == 99 {
            eprintln!("  {} of {}", n + 1, args.presses);
        }
    }
    let mut report = Report::new("bench-alarm");
    report.figure("presses", args.presses);
    for (name, samples) in [("puback", &mut puback), ("stored_and_receipted", &mut receipt), ("on_screen", &mut screen)] {
        report.figure(&format!("{name}_p50_ms"), quantile(samples, 0.5));
        report.figure(&format!("{name}_p99_ms"), quantile(samples, 0.99));
    }
    report.at_most("press to screen, p99, ms", 25.0, quantile(&mut screen, 0.99));
    report.print();
    Ok(())
}
