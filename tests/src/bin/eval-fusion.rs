//! How well gatherings are noticed, on real hourly counts: our fusion beside each known method alone, all with the same number of
//! false alerts.
//!
//! ```text
//! scripts/ped-counts.sh && cargo run --release -p qorgan-tests --bin eval-fusion -- --seed 1
//! cargo run --release -p qorgan-tests --bin eval-fusion -- --seed 1 --csv my-city.csv
//! ```
//!
//! The CSV has the columns `sensor,time,count`: local time such as `2019-01-01T06:00`, people of the hour that begins then. What is
//! done with it stands in `qorgan_tests::trial`. The last line is JSON.

use std::{
    error::Error,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use clap::Parser;
use qorgan_tests::{
    paths,
    report::Report,
    trial::{
        self, Seen,
        methods::{FIXED, METHODS},
        outcome::{Thresholds, name},
    },
};

/// Gatherings that are looked for.
const GATHERINGS: f64 = 6_000.0;

/// Injects gatherings into real counts and says how many are noticed, how soon, and at how many false alerts.
#[derive(Parser)]
struct Args {
    /// Seed of everything that is left to chance; the same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hourly counts: sensor,time,count.
    #[arg(long, default_value_os_t = paths::var().join("ped-counts/auckland.csv"))]
    csv: PathBuf,
    /// First day that is reported on; what lies before it is tuned on. By default 2023-01-01, or where four sevenths of the hours have passed.
    #[arg(long)]
    report_from: Option<jiff::civil::Date>,
    /// False alerts per camera and month that every method is tuned to.
    #[arg(long, default_value_t = 1.0)]
    false_alerts: f64,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let sensors = trial::read(&args.csv)?;
    let first = sensors.iter().map(|s| s.first_hour).min().ok_or("there is no count in the file")?;
    let last = sensors.iter().map(|s| s.first_hour + s.counts.len() as i64).max().unwrap_or(first);
    let wanted = args.report_from.map_or_else(|| trial::hour_of(jiff::civil::date(2023, 1, 1)), trial::hour_of);
    let split = if (first + 168 * 20..last - 168 * 8).contains(&wanted) { wanted } else { first + (last - first) * 4 / 7 };
    let places: usize = sensors.iter().map(|s| trial::places(&s.counts)).sum();
    eprintln!(
        "{} sensors, {} hours each at most, {places} hours with at least {} people a minute",
        sensors.len(),
        last - first,
        trial::USUAL_AT_LEAST
    );
    if places == 0 {
        return Err("nowhere are 20 people a minute usual: there is no place for a gathering".into());
    }
    let per_hour = (GATHERINGS / places as f64).min(0.5);
    let all = look(&sensors, &args, per_hour);
    let thresholds = Thresholds::tune(&all, split, args.false_alerts);
    print(&all, &thresholds, split, &args);
    Ok(())
}

/// Every sensor, a few at a time.
fn look(sensors: &[trial::Sensor], args: &Args, per_hour: f64) -> Vec<Seen> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(sensor) = sensors.get(at) else { return };
                    let seed = args.seed.wrapping_mul(1_000_003).wrapping_add(at as u64);
                    let seen = trial::run(sensor, seed, per_hour, &mut |hour, hours| {
                        if hour % 16_384 == 0 {
                            eprintln!("{:>5} s  {:<40} {:>3} %", began.elapsed().as_secs(), sensor.name, 100 * hour / hours.max(1));
                        }
                    });
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, seen));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, seen)| seen).collect()
}

fn print(all: &[Seen], thresholds: &Thresholds, split: i64, args: &Args) {
    let mut report = Report::new("eval-fusion");
    report.figure("seed", args.seed);
    report.figure("sensors", all.len());
    eprintln!(
        "{:<11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "method", "threshold", "false/mo", "twice", "delay", "noticed", "1.5x", "3x"
    );
    let mut twice = Vec::new();
    for method in 0..METHODS {
        let of = |times: f32| thresholds.reached(all, method, split, |f| (f.gathering.times - times).abs() < 0.01);
        let (two, half, three) = (of(2.0), of(1.5), of(3.0));
        let shown = if method == FIXED { f32::NAN } else { thresholds.of(0, method) };
        eprintln!(
            "{:<11} {shown:>9.3} {:>9.2} {:>8.1}% {:>9.1} {:>9.1} {:>8.1}% {:>8.1}%",
            name(method),
            two.false_per_month,
            two.detected * 100.0,
            two.delay_min,
            two.delay_noticed_min,
            half.detected * 100.0,
            three.detected * 100.0
        );
        let figure = |what: &str| format!("{}_{what}", name(method));
        report.figure(&figure("false_per_camera_month"), two.false_per_month);
        report.figure(&figure("gatherings_of_twice"), two.gatherings);
        report.figure(&figure("detected_twice"), two.detected);
        report.figure(&figure("mean_delay_min"), two.delay_min);
        report.figure(&figure("mean_delay_of_noticed_min"), two.delay_noticed_min);
        report.figure(&figure("detected_one_and_a_half"), half.detected);
        report.figure(&figure("detected_three"), three.detected);
        if method != FIXED {
            report.figure(&figure("threshold"), f64::from(thresholds.of(0, method)));
        }
        twice.push(two);
    }
    let (ours, others) = (&twice[0], &twice[1..]);
    let best = others.iter().map(|other| other.delay_min).fold(f64::INFINITY, f64::min);
    report.at_least("part of gatherings of twice the usual count that is noticed", 0.95, ours.detected);
    report.at_most("mean delay by that of the best single method", 1.0, ours.delay_min / best);
    report.at_most("mean delay by that of the fixed limit", 0.5, ours.delay_min / twice[FIXED].delay_min);
    report.at_most("false alerts per camera and month in the years reported on", 1.25, ours.false_per_month);
    report.print();
}
