//! Count events over MQTT through fusion and store: a sustained rate with alarms in between, then ever more until something gives.
//!
//! `cargo run --release -p qorgan-tests --bin bench-events` (build `qorgan` in the same profile first)

use std::{path::Path, sync::Arc, time::Duration};

use clap::Parser;
use qorgan_tests::{
    hub::{Client, Hub, Options},
    load::{Buttons, Counts, Desks, Seen, cpu_s, metric, passwords, resident_mib, take_files, wait_for},
    report::{Report, quantile},
    sites,
};
use sqlx::{Connection, SqliteConnection};

#[derive(Parser)]
struct Args {
    /// Counts a second that must be sustained.
    #[arg(long, default_value_t = 5_000)]
    rate: usize,
    /// For so many seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Cameras that count, in turn.
    #[arg(long, default_value_t = 1_000)]
    cameras: usize,
    /// Event streams.
    #[arg(long, default_value_t = 5)]
    desks: usize,
    /// Seconds of each step on the way up, and the highest rate; 0 leaves it out.
    #[arg(long, default_value_t = 6)]
    step_seconds: u64,
    /// Rates of the way up.
    #[arg(long, value_delimiter = ',', default_values_t = [7_500, 10_000, 15_000, 20_000, 30_000])]
    steps: Vec<usize>,
}

/// Buttons that press in between, in turn.
const BUTTONS: usize = 200;
/// Pause between two presses.
const BETWEEN: Duration = Duration::from_millis(100);
/// Metrics that count what was not taken.
const LOST: [&str; 4] =
    ["qorgan_events_dropped_total", "qorgan_mqtt_dropped_total", "qorgan_counts_not_stored_total", "qorgan_mqtt_refused_total"];

struct Bench {
    hub: Hub,
    admin: Client,
    buttons: Buttons,
    seen: Arc<Seen>,
    pressed: Vec<u32>,
    cameras: usize,
    passwords: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Run {
    sent: u64,
    arrived: f64,
    lost: f64,
    cpu_percent: f64,
    own_cpu_percent: f64,
    receipts: Vec<f64>,
    desks: Vec<f64>,
    unseen: usize,
    drained_s: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    take_files();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(bench(Args::parse()))
}

async fn bench(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let (config, state) = (sites::buttons_and_counters(dir.path(), BUTTONS, args.cameras)?, dir.path().join("state"));
    let hub = Hub::start(&state, Options { config, mode: "centre", ..Options::default() }).await?;
    let (passwords, mqtt) = (passwords(&state)?, hub.addresses.mqtt.ok_or("no MQTT address")?);
    let seen = Seen::new(BUTTONS, args.desks);
    let buttons = Buttons::connect(mqtt, &passwords, BUTTONS, &seen).await?;
    let desks = Desks::open(&hub, args.desks, &seen).await?;
    let admin = hub.log_in("administrator").await?;
    let mut bench = Bench { hub, admin, buttons, seen, pressed: vec![0; BUTTONS], cameras: args.cameras, passwords };

    let mut report = Report::new("bench-events");
    eprintln!("{} counts/s for {} s", args.rate, args.seconds);
    let mut run = bench.run(args.rate, Duration::from_secs(args.seconds)).await?;
    eprintln!("{run:?}");
    let stored = stored(&state).await?;
    report.figure("rate_per_s", args.rate);
    report.figure("sent", run.sent);
    report.figure("stored", stored);
    report.figure("hub_cpu_percent", run.cpu_percent);
    report.figure("own_cpu_percent", run.own_cpu_percent);
    report.figure("hub_mib", resident_mib(bench.hub.pid()));
    for (name, samples) in [("receipt", &mut run.receipts), ("every_desk", &mut run.desks)] {
        report.figure(&format!("alarm_{name}_p50_ms"), quantile(samples, 0.5));
        report.figure(&format!("alarm_{name}_p99_ms"), quantile(samples, 0.99));
    }
    report.at_least("counts sent a second", args.rate as f64 * 0.99, run.sent as f64 / args.seconds as f64);
    report.at_most("counts dropped or refused", 0.0, run.lost.max(run.sent as f64 - run.arrived));
    report.at_most("counts sent and not stored", 0.0, run.sent as f64 - stored as f64);
    report.at_most(
        "alarms in between: receipt and every desk, p99, ms",
        100.0,
        quantile(&mut run.receipts, 0.99).max(quantile(&mut run.desks, 0.99)),
    );
    report.at_most("alarms in between that were not seen everywhere", 0.0, run.unseen as f64);

    let mut limit = args.rate;
    for rate in args.steps.iter().copied().filter(|_| args.step_seconds > 0) {
        let mut run = bench.run(rate, Duration::from_secs(args.step_seconds)).await?;
        let p99 = quantile(&mut run.desks, 0.99);
        eprintln!(
            "{rate} counts/s: sent {}, arrived {}, lost {}, hub {:.0} % CPU, this program {:.0} %, alarms p99 {p99:.0} ms, {:.1} s behind",
            run.sent, run.arrived, run.lost, run.cpu_percent, run.own_cpu_percent, run.drained_s
        );
        report.figure(&format!("at_{rate}_lost"), run.lost);
        report.figure(&format!("at_{rate}_hub_cpu_percent"), run.cpu_percent);
        report.figure(&format!("at_{rate}_own_cpu_percent"), run.own_cpu_percent);
        report.figure(&format!("at_{rate}_seconds_behind"), run.drained_s);
        report.figure(&format!("at_{rate}_alarm_every_desk_p99_ms"), p99);
        let sustained = run.lost == 0.0 && run.arrived >= run.sent as f64 && run.drained_s < 1.0 && p99 < 100.0 && run.unseen == 0;
        if !sustained {
            break;
        }
        limit = rate;
    }
    report.figure("highest_rate_sustained_per_s", limit);
    report.at_most("connections and desks that were lost", 0.0, (bench.buttons.lost() + desks.lost()) as f64);
    report.print();
    Ok(())
}

impl Bench {
    async fn run(&mut self, rate: usize, time: Duration) -> Result<Run, Box<dyn std::error::Error>> {
        let before = self.taken().await?;
        let (pid, own) = (self.hub.pid(), std::process::id());
        let (cpu, own_cpu) = (cpu_s(pid), cpu_s(own));
        let mqtt = self.hub.addresses.mqtt.ok_or("no MQTT address")?;
        let mut run = Run::default();
        let counts = Counts::start(mqtt, &self.passwords, self.cameras, rate).await?;
        let began = tokio::time::Instant::now();
        let mut i = 0;
        while began.elapsed() < time {
            let button = i % BUTTONS;
            i += 1;
            self.pressed[button] += 1;
            let (n, start) = (self.pressed[button], self.seen.now_us());
            self.buttons.press(button, n);
            let seen = &self.seen;
            let both = wait_for(&seen.bell, Duration::from_secs(5), || seen.receipted(button, n).zip(seen.on_every_desk(button, n)));
            match both.await {
                Some((receipt, desk)) => {
                    run.receipts.push(receipt.saturating_sub(start) as f64 / 1e3);
                    run.desks.push(desk.saturating_sub(start) as f64 / 1e3);
                }
                None => run.unseen += 1,
            }
            tokio::time::sleep(BETWEEN.min(time.saturating_sub(began.elapsed()))).await;
        }
        let took = began.elapsed().as_secs_f64();
        (run.cpu_percent, run.own_cpu_percent) = (100.0 * (cpu_s(pid) - cpu) / took, 100.0 * (cpu_s(own) - own_cpu) / took);
        run.sent = counts.sent();
        let stopped = tokio::time::Instant::now();
        // What was sent may still be on its way, at most this long.
        loop {
            let now = self.taken().await?;
            (run.arrived, run.lost) = (now.0 - before.0, now.1 - before.1);
            run.drained_s = stopped.elapsed().as_secs_f64();
            if run.arrived >= run.sent as f64 || run.drained_s > 20.0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        counts.stop();
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(run)
    }

    /// Counts that were judged good, and what was lost, since the hub started.
    async fn taken(&self) -> Result<(f64, f64), Box<dyn std::error::Error>> {
        let text = self.admin.text("/metrics").await?;
        let counts: Vec<&str> =
            text.lines().filter(|l| l.starts_with("qorgan_mqtt_messages_total") && l.contains("channel=\"count\"")).collect();
        Ok((metric(&counts.join("\n"), "qorgan_mqtt_messages_total"), LOST.iter().map(|name| metric(&text, name)).sum()))
    }
}

async fn stored(state: &Path) -> Result<i64, Box<dyn std::error::Error>> {
    let mut store = SqliteConnection::connect(&format!("sqlite:{}?mode=ro", state.join("hub.db").display())).await?;
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM count_raw").fetch_one(&mut store).await?)
}
