//! Never twice, never lost: buttons press while hub, broker, database, disk and connections are killed, frozen, filled and cut
//! at random moments. Every press that has a receipt must be in the journal and in the store exactly once; every one
//! that has none goes on being sent by its button and must arrive when everything works again.
//!
//! `cargo run --release -p qorgan-tests --bin fault-alarms -- --rounds 200` (build `qorgan` in the same profile first)

mod faults;
mod ledger;

use std::time::{Duration, Instant};

use clap::Parser;
use faults::{Fault, Stage};
use ledger::Ledger;
use qorgan_tests::report::Report;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

#[derive(Parser)]
struct Args {
    /// Faults, one a round.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Buttons.
    #[arg(long, default_value_t = 500)]
    devices: usize,
    /// The store is PostgreSQL, and fails too.
    #[arg(long)]
    postgres: bool,
    /// The broker is Mosquitto, and fails too.
    #[arg(long)]
    external_broker: bool,
    /// Repeats the choices of an earlier run (not its timing).
    #[arg(long)]
    seed: Option<u64>,
    /// Only these faults, by name, e.g. `kill_hub`.
    #[arg(long)]
    only: Vec<String>,
    /// Directory for the state, kept afterwards; a temporary one when absent.
    #[arg(long)]
    keep: Option<std::path::PathBuf>,
}

/// The fastest a round is.
const ROUND: Duration = Duration::from_millis(1_500);
/// The time within which the buttons of a round press.
const PRESSING_MS: u64 = 1_200;
/// How long the last receipts are waited for when everything works again.
const RECOVERY: Duration = Duration::from_secs(120);
/// Share of the buttons that press in a round.
const SHARE: f64 = 0.4;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(rand::random);
    let mut rng = StdRng::seed_from_u64(seed);
    eprintln!("seed {seed}");
    let mut stage = Stage::build(args.devices, args.postgres, args.external_broker, args.keep.as_deref()).await?;
    let mut kinds = stage.faults();
    kinds.retain(|fault| args.only.is_empty() || args.only.contains(&fault.to_string()));
    let ledger = Ledger::default();
    let began = Instant::now();
    // A slow machine ends early and says so, instead of never.
    let limit = Duration::from_secs(60) + Duration::from_millis(4_500) * u32::try_from(args.rounds)?;
    let mut done = 0;
    for round in 1..=args.rounds {
        if began.elapsed() > limit {
            eprintln!("the time is over after {done} rounds");
            break;
        }
        let (since, fault) = (Instant::now(), kinds.choose(&mut rng).copied().unwrap_or(Fault::KillHub));
        for button in stage.fleet.buttons() {
            if rng.random_bool(SHARE) {
                ledger.press(button, Duration::from_millis(rng.random_range(0..PRESSING_MS)), (round, fault));
            }
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(100..1_000))).await;
        stage.strike(fault, &mut rng).await?;
        tokio::time::sleep(ROUND.saturating_sub(since.elapsed())).await;
        done = round;
        let (pressed, receipted) = ledger.counts();
        eprintln!("round {round:>3} {fault:<16} {:>5} ms  pressed {pressed}, receipted {receipted}", since.elapsed().as_millis());
    }
    stage.heal().await?;
    let healed = Instant::now();
    while ledger.counts().0 != ledger.counts().1 && healed.elapsed() < RECOVERY {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!("all receipts {} ms after the last fault", healed.elapsed().as_millis());
    let verdict = ledger.verdict(&mut stage).await?;

    let mut report = Report::new("fault-alarms");
    report.figure("seed", seed.to_string());
    report.figure("rounds", done);
    report.figure("devices", args.devices);
    report.figure("store", if args.postgres { "postgresql" } else { "sqlite" });
    report.figure("broker", if args.external_broker { "mosquitto" } else { "embedded" });
    report.figure("pressed", verdict.pressed);
    report.figure("receipted", verdict.receipted);
    report.figure("in_journal", verdict.in_journal);
    report.figure("in_store", verdict.in_store);
    report.figure("doubled", verdict.doubled);
    report.figure("lost", verdict.lost);
    report.figure("without_receipt", verdict.pressed - verdict.receipted);
    report.figure("seconds", began.elapsed().as_secs());
    for (fault, times) in &stage.struck {
        report.figure(&format!("fault_{fault}"), *times);
    }
    report.at_least("rounds", args.rounds as f64, done as f64);
    report.at_most("alarms stored twice", 0.0, verdict.doubled as f64);
    report.at_most("alarms lost", 0.0, verdict.lost as f64);
    report.at_most("alarms without a receipt after recovery", 0.0, (verdict.pressed - verdict.receipted) as f64);
    report.print();
    Ok(())
}
