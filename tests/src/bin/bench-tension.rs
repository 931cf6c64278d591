//! The index of a whole country: 224 districts, the shipped catalogue of 47 indicators, five years, 1,000 draws, two threads.
//!
//! Values are made up, each by its indicator's own period (month, quarter, year), one in twenty missing. Measured is the way from
//! values in memory to the finished index; by month, which is three times the work of the default quarter; and forecasts of one
//! district. `cargo run --release -p qorgan-tests --bin bench-tension`

use std::time::Instant;

use clap::Parser;
use qorgan_alerts::tension::{Aggregation, Index, Inputs, Method, Normalisation, catalogue, compute, forecast};
use qorgan_domain::{AreaCode, Basis, Catalogue, Observation, Period, PeriodKind, ValueKind};
use qorgan_tests::{paths, report::Report};

#[derive(Parser)]
struct Args {
    /// Districts.
    #[arg(long, default_value_t = 224)]
    areas: u32,
    /// Years.
    #[arg(long, default_value_t = 5)]
    years: u16,
    /// Draws.
    #[arg(long, default_value_t = 1000)]
    draws: u32,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Runs of each; the middle one counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let catalogue = catalogue::parse(&std::fs::read_to_string(paths::root().join("configs/indicators.toml"))?)?;
    let areas: Vec<AreaCode> = (0..args.areas).map(|n| format!("{}", 100_000_000 + n * 1000).parse()).collect::<Result<_, _>>()?;
    let values = values(&catalogue, &areas, args.years)?;
    let mut report = Report::new("bench-tension");
    report.figure("areas", areas.len());
    report.figure("indicators", catalogue.indicators.len());
    report.figure("values", values.len());
    report.figure("draws", args.draws);
    report.figure("threads", args.threads);
    let first = Method { draws: args.draws, ..Method::first(&catalogue) };
    let mut slowest: f64 = 0.0;
    for (name, method) in [
        ("by_quarter", first.clone()),
        ("by_month", Method { step: PeriodKind::Month, ..first.clone() }),
        ("by_month_percentile", Method { step: PeriodKind::Month, normalisation: Normalisation::Percentile, ..first.clone() }),
        ("by_quarter_geometric", Method { within: Aggregation::Geometric, across: Aggregation::Geometric, ..first.clone() }),
    ] {
        let inputs =
            Inputs { catalogue: &catalogue, method: &method, areas: &areas, values: &values, until: jiff::civil::date(2026, 12, 31) };
        let (seconds, index) = timed(&inputs, &args)?;
        let shown = index.periods.iter().flat_map(|p| &p.areas).filter(|a| a.overall.shown().is_some()).count();
        report.figure(&format!("{name}_s"), seconds);
        report.figure(&format!("{name}_periods"), index.periods.len());
        report.figure(&format!("{name}_scores_shown"), shown);
        if shown * 10 < index.periods.len() * areas.len() * 9 {
            return Err(format!("{name}: only {shown} scores are shown: this is not the work that is meant").into());
        }
        slowest = slowest.max(seconds);
    }
    let began = Instant::now();
    let series: Vec<Option<f64>> = (0..60).map(|n| Some(5.0 + (f64::from(n) * 0.7).sin() + f64::from(n) * 0.02)).collect();
    forecast::forecast(&series, 12, 12, (0.0, 10.0))?;
    report.figure("one_forecast_of_60_months_ms", began.elapsed().as_secs_f64() * 1e3);
    report.at_most("index by quarter or month, the slowest way, s", 2.0, slowest);
    report.print();
    Ok(())
}

fn timed(inputs: &Inputs<'_>, args: &Args) -> Result<(f64, Index), Failure> {
    let mut runs = Vec::new();
    let mut last = None;
    for _ in 0..args.runs.max(1) {
        let began = Instant::now();
        last = Some(compute(inputs, args.threads)?);
        runs.push(began.elapsed().as_secs_f64());
    }
    runs.sort_by(f64::total_cmp);
    Ok((runs[runs.len() / 2], last.ok_or("no run")?))
}

/// Values between the references of each indicator, with a level of its own for each district and a slow wave.
fn values(catalogue: &Catalogue, areas: &[AreaCode], years: u16) -> Result<Vec<Observation>, Failure> {
    let mut values = Vec::new();
    for indicator in &catalogue.indicators {
        let periods = indicator.period.a_year() * usize::from(years);
        let first: Period = Period::of(indicator.period, jiff::civil::date(2027 - i16::try_from(years)?, 1, 1))?;
        for (at, area) in areas.iter().enumerate() {
            for step in 0..periods {
                let noise = ((at * 7919 + step * 104_729 + values.len()) as f64 * 0.618_033_988_75).fract();
                if noise < 0.05 {
                    continue;
                }
                let level = (at as f64 * 0.754_877_666).fract() * 0.6 + 0.2 + 0.1 * (step as f64 / 5.0).sin() + 0.1 * noise;
                let value = (indicator.calm + level * (indicator.strained - indicator.calm)).clamp(indicator.min, indicator.max);
                let basis = match indicator.kind {
                    ValueKind::Count => Basis::Cases(value.round() as u64 + 1),
                    _ => Basis::Denominator(40_000.0),
                };
                let period = first.after(i32::try_from(step)?);
                values.push(Observation { area: area.clone(), indicator: indicator.id.clone(), period, value, basis });
            }
        }
    }
    Ok(values)
}
