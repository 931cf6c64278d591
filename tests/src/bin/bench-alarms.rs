//! Thousands of connected buttons, fifty desks: from a press to its receipt and to every desk, one at a time, on a busy machine,
//! and all at once. A real hub process, real connections; both share the processors with this program.
//!
//! `cargo run --release -p qorgan-tests --bin bench-alarms -- --devices 8000 --desks 50` (build `qorgan` in the same profile first)

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use qorgan_tests::{
    hub::{Hub, Options},
    load::{Busy, Buttons, Counts, Desks, Seen, cpu_s, passwords, resident_mib, take_files, wait_for},
    report::{Report, quantile},
    sites,
};
use sqlx::{Connection, SqliteConnection};

#[derive(Parser)]
struct Args {
    /// Connected buttons.
    #[arg(long, default_value_t = 8_000)]
    devices: usize,
    /// Event streams.
    #[arg(long, default_value_t = 50)]
    desks: usize,
    /// Presses one after the other, on a quiet and again on a busy machine.
    #[arg(long, default_value_t = 400)]
    presses: usize,
    /// Counts a second on the busy machine.
    #[arg(long, default_value_t = 1_000)]
    counts: usize,
    /// Store to use instead of SQLite; what it holds is then not looked at.
    #[arg(long)]
    store: Option<String>,
}

/// How long a burst may take before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// Foreign cameras that count.
const CAMERAS: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Busy::burn_if_asked();
    take_files();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(bench(Args::parse()))
}

async fn bench(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let (config, state) = (sites::buttons_and_counters(dir.path(), args.devices, CAMERAS)?, dir.path().join("state"));
    let hub = Hub::start(&state, Options { config, mode: "centre", store: args.store.clone(), ..Options::default() }).await?;
    let mut report = Report::new("bench-alarms");
    report.figure("devices", args.devices);
    report.figure("desks", args.desks);
    report.figure("hub_empty_mib", resident_mib(hub.pid()));

    let (passwords, mqtt) = (passwords(&state)?, hub.addresses.mqtt.ok_or("no MQTT address")?);
    let seen = Seen::new(args.devices, args.desks);
    let began = Instant::now();
    let buttons = Buttons::connect(mqtt, &passwords, args.devices, &seen).await?;
    report.figure("all_connected_s", began.elapsed().as_secs_f64());
    let desks = Desks::open(&hub, args.desks, &seen).await?;
    report.figure("hub_connected_mib", resident_mib(hub.pid()));
    eprintln!("{} buttons and {} desks in {:.1} s", args.devices, args.desks, began.elapsed().as_secs_f64());

    let mut pressed = vec![0_u32; args.devices];
    let quiet = one_at_a_time(&args, &buttons, &seen, &mut pressed).await?;
    let busy = {
        let _busy = Busy::start(2)?;
        let counts = Counts::start(mqtt, &passwords, CAMERAS, args.counts).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let busy = one_at_a_time(&args, &buttons, &seen, &mut pressed).await?;
        counts.stop();
        busy
    };
    for (what, (mut receipt, mut desk)) in [("quiet", quiet), ("busy", busy)] {
        for (name, samples) in [("receipt", &mut receipt), ("every_desk", &mut desk)] {
            for (q, quantile) in [("p50", quantile(samples, 0.5)), ("p99", quantile(samples, 0.99)), ("max", quantile(samples, 1.0))] {
                report.figure(&format!("{what}_{name}_{q}_ms"), quantile);
            }
        }
        let worst = quantile(&mut desk, 0.99).max(quantile(&mut receipt, 0.99));
        report.at_most(
            &format!("one press, {what} machine: stored and on every desk, p99, ms"),
            if what == "quiet" { 25.0 } else { 100.0 },
            worst,
        );
    }

    tokio::time::sleep(Duration::from_secs(2)).await;
    let burst = burst(&args, &buttons, &seen, &mut pressed, &hub).await;
    eprintln!("burst: {burst:?}");
    let resident = resident_mib(hub.pid());
    report.figure("burst_sent_in_s", burst.sent_s);
    report.figure("burst_last_receipt_s", burst.receipted_s);
    report.figure("burst_last_desk_s", burst.shown_s);
    report.figure("burst_hub_cpu_s", burst.hub_cpu_s);
    report.figure("burst_own_cpu_s", burst.own_cpu_s);
    report.figure("hub_after_burst_mib", resident);
    report.at_most("burst: every press receipted and on every desk, s", 5.0, burst.receipted_s.max(burst.shown_s));
    report.at_most("burst: presses without a receipt or missing on a desk", 0.0, burst.missing as f64);
    report.at_most("resident memory of the hub after the burst, MiB", 600.0, resident);
    report.at_most("connections and desks that were lost", 0.0, (buttons.lost() + desks.lost()) as f64);
    if args.store.is_none() {
        let stored = stored(&state, &pressed).await?;
        eprintln!("store: {stored:?}");
        report.figure("journal_rows", stored.journal);
        report.at_most("presses that are not in journal and store exactly once", 0.0, stored.wrong as f64);
    }
    report.print();
    drop((buttons, desks, hub));
    Ok(())
}

/// Milliseconds from each press to its receipt and to the last desk.
async fn one_at_a_time(
    args: &Args,
    buttons: &Buttons,
    seen: &Seen,
    pressed: &mut [u32],
) -> Result<(Vec<f64>, Vec<f64>), Box<dyn std::error::Error>> {
    let (mut receipts, mut desks) = (Vec::new(), Vec::new());
    for i in 0..args.presses {
        // Every n-th button, so that each press is an alert of its own as long as there are buttons.
        let button = i * 37 % args.devices;
        pressed[button] += 1;
        let (n, start) = (pressed[button], seen.now_us());
        buttons.press(button, n);
        let both = wait_for(&seen.bell, Duration::from_secs(10), || seen.receipted(button, n).zip(seen.on_every_desk(button, n)));
        let (receipt, desk) = both.await.ok_or_else(|| format!("press {n} of b{button} was not seen everywhere within 10 s"))?;
        receipts.push(receipt.saturating_sub(start) as f64 / 1e3);
        desks.push(desk.saturating_sub(start) as f64 / 1e3);
        // Not in step with anything.
        tokio::time::sleep(Duration::from_micros(5_000 + (i as u64 * 7_919) % 10_000)).await;
    }
    Ok((receipts, desks))
}

#[derive(Debug)]
struct Burst {
    sent_s: f64,
    receipted_s: f64,
    shown_s: f64,
    missing: usize,
    hub_cpu_s: f64,
    own_cpu_s: f64,
}

/// Presses every button within one second.
async fn burst(args: &Args, buttons: &Buttons, seen: &Arc<Seen>, pressed: &mut [u32], hub: &Hub) -> Burst {
    let cpu = |pid| cpu_s(pid);
    let (hub_before, own_before) = (cpu(hub.pid()), cpu(std::process::id()));
    let start = seen.now_us();
    let began = Instant::now();
    for (button, n) in pressed.iter_mut().enumerate() {
        let due = Duration::from_secs_f64(0.95 * button as f64 / args.devices as f64);
        let early = due.saturating_sub(began.elapsed());
        // Timers tick in milliseconds: a few presses at a time.
        if early > Duration::from_millis(1) {
            tokio::time::sleep(early).await;
        }
        *n += 1;
        buttons.press(button, *n);
    }
    let sent_s = began.elapsed().as_secs_f64();
    let open =
        || (0..args.devices).filter(|b| seen.receipted(*b, pressed[*b]).is_none() || seen.on_every_desk(*b, pressed[*b]).is_none()).count();
    let until = Instant::now() + PATIENCE;
    while open() > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let last = |at: &dyn Fn(usize) -> Option<u64>| {
        (0..args.devices).map(|b| at(b).map_or(PATIENCE.as_secs_f64(), |us| us.saturating_sub(start) as f64 / 1e6)).fold(0.0, f64::max)
    };
    Burst {
        sent_s,
        receipted_s: last(&|b| seen.receipted(b, pressed[b])),
        shown_s: last(&|b| seen.on_every_desk(b, pressed[b])),
        missing: open(),
        hub_cpu_s: cpu(hub.pid()) - hub_before,
        own_cpu_s: cpu(std::process::id()) - own_before,
    }
}

#[derive(Debug)]
struct Stored {
    journal: i64,
    wrong: usize,
}

/// Every press must be one row of the journal, and every button one open alert that knows of all its presses.
async fn stored(state: &Path, pressed: &[u32]) -> Result<Stored, Box<dyn std::error::Error>> {
    let open = |name: &str| format!("sqlite:{}?mode=ro", state.join(name).display());
    let mut journal = SqliteConnection::connect(&open("journal.db")).await?;
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT device, COUNT(*) FROM press GROUP BY device").fetch_all(&mut journal).await?;
    let in_journal: std::collections::HashMap<String, i64> = rows.into_iter().collect();
    let mut store = SqliteConnection::connect(&open("hub.db")).await?;
    // The store is fed from the journal and may be a moment behind.
    let mut alerts: Vec<(String, String)> = Vec::new();
    for _ in 0..100 {
        alerts = sqlx::query_as("SELECT device, cause FROM alert WHERE kind = 'alarm'").fetch_all(&mut store).await?;
        if alerts.len() >= pressed.iter().filter(|n| **n > 0).count() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut wrong = 0;
    let mut by_device = std::collections::HashMap::<String, Vec<i64>>::new();
    for (device, cause) in alerts {
        let cause: serde_json::Value = serde_json::from_str(&cause)?;
        by_device.entry(device).or_default().push(cause["presses"].as_i64().unwrap_or(0));
    }
    for (n, pressed) in pressed.iter().enumerate() {
        let device = format!("{}/b{n}", sites::SITE);
        let (presses, none) = (i64::from(*pressed), Vec::new());
        let in_store = by_device.get(&device).unwrap_or(&none);
        let good = in_journal.get(&device).copied().unwrap_or(0) == presses && (presses == 0 || *in_store == [presses]);
        wrong += usize::from(!good);
    }
    Ok(Stored { journal: in_journal.values().sum(), wrong })
}
