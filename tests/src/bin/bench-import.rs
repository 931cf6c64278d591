//! A sheet of 100,000 rows into a running hub: upload, preview with progress, apply, undo. Values are made up.
//!
//! `cargo run --release -p qorgan-tests --bin bench-import`; the goal is 5 s from the first byte to the last value.

use std::time::{Duration, Instant};

use clap::Parser;
use qorgan_domain::Period;
use qorgan_tests::{
    hub::{Client, Hub, Options},
    paths,
    report::Report,
};
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

#[derive(Parser)]
struct Args {
    /// Rows of the sheet.
    #[arg(long, default_value_t = 100_000)]
    rows: u32,
    /// Address of the store; SQLite in a new directory when absent.
    #[arg(long)]
    store: Option<String>,
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let state = tempfile::tempdir()?;
    let hub = Hub::start(state.path(), Options { mode: "centre", store: args.store.clone(), ..Options::default() }).await?;
    let analyst = hub.log_in("analyst").await?;
    let mut report = Report::new("bench-import");
    report.figure("rows", args.rows);
    for (name, bytes) in [("xlsx", workbook(args.rows)?), ("csv", csv(args.rows)?)] {
        report.figure(&format!("{name}_bytes"), bytes.len());
        let began = Instant::now();
        let (job, mut steps) = upload(&analyst, name, bytes).await?;
        let previewed = wait(&analyst, &job, &["ready"], &mut steps).await?;
        let preview_s = began.elapsed().as_secs_f64();
        let values = previewed["preview"]["values"].as_u64().unwrap_or_default();
        if values != u64::from(args.rows) {
            return Err(format!("{values} values of {} rows: {}", args.rows, previewed["preview"]["errors"][0]).into());
        }
        analyst.post(&format!("/api/v1/intake/jobs/{job}/apply"), &json!({})).await?;
        let applied = wait(&analyst, &job, &["applied"], &mut steps).await?;
        let whole_s = began.elapsed().as_secs_f64();
        let import = applied["import"].as_i64().ok_or("no import")?;
        let began = Instant::now();
        analyst.post(&format!("/api/v1/intake/imports/{import}/undo"), &json!({"reason": "a measurement"})).await?;
        report.figure(&format!("{name}_preview_s"), preview_s);
        report.figure(&format!("{name}_whole_s"), whole_s);
        report.figure(&format!("{name}_undo_s"), began.elapsed().as_secs_f64());
        report.figure(&format!("{name}_reports_of_progress"), steps);
        report.at_most(&format!("{name}: {} rows read, checked and written, s", args.rows), 5.0, whole_s);
        report.at_least(&format!("{name}: different reports of progress"), 3.0, steps as f64);
    }
    report.print();
    Ok(())
}

async fn upload(analyst: &Client, name: &str, bytes: Vec<u8>) -> Result<(String, usize), Failure> {
    let request = analyst.request(Method::POST, &format!("/api/v1/intake/imports?filename=bench.{name}"));
    let answer: Value =
        request.header("content-type", "application/octet-stream").body(bytes).send().await?.error_for_status()?.json().await?;
    Ok((answer["job"].as_str().ok_or("no job")?.to_owned(), 0))
}

/// Polls as a page does, and counts how often the progress had moved.
async fn wait(analyst: &Client, job: &str, states: &[&str], steps: &mut usize) -> Result<Value, Failure> {
    let (began, mut last) = (Instant::now(), Value::Null);
    while began.elapsed() < Duration::from_secs(120) {
        let now = analyst.get(&format!("/api/v1/intake/jobs/{job}")).await?;
        let here = json!([now["state"], now["rows_done"]]);
        if here != last {
            *steps += 1;
            last = here;
        }
        match now["state"].as_str().unwrap_or_default() {
            state if states.contains(&state) => return Ok(now),
            "failed" | "refused" => return Err(format!("{}: {}", now["state"], now["message"]).into()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    Err("the hub did not finish within two minutes".into())
}

const HEADER: [&str; 7] = ["area", "indicator", "period", "value", "cases", "denominator", "source"];

/// Each area, indicator and period once: every indicator by its own period, from 1991 to 2025.
fn rows(count: u32) -> Result<Vec<[String; 7]>, Failure> {
    let text = std::fs::read_to_string(paths::root().join("configs/indicators.toml"))?;
    let catalogue = qorgan_alerts::tension::catalogue::parse(&text)?;
    let text = std::fs::read_to_string(paths::root().join("configs/areas/zhambyl.geojson"))?;
    let geojson: Value = serde_json::from_str(&text)?;
    let features = geojson["features"].as_array().ok_or("no areas")?;
    let areas: Vec<&str> = features.iter().filter_map(|f| f["properties"]["kato"].as_str()).collect();
    let mut rows = Vec::new();
    for i in &catalogue.indicators {
        let mut period = Period::of(i.period, jiff::civil::date(1991, 1, 7))?;
        while period.last_day() < jiff::civil::date(2026, 1, 1) {
            for area in &areas {
                let value = i.min + (i.max - i.min) * f64::from(u32::try_from(rows.len() % 97)? + 20) / 200.0;
                let value = format!("{value:.1}").replace('.', ",");
                rows.push([(*area).to_owned(), i.id.to_string(), period.to_string(), value, String::new(), "54321".into(), "bench".into()]);
                if rows.len() == count as usize {
                    return Ok(rows);
                }
            }
            period = period.after(1);
        }
    }
    Err(format!("the catalogue gives {} rows at most", rows.len()).into())
}

fn workbook(count: u32) -> Result<Vec<u8>, Failure> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0_u16..).zip(HEADER) {
        sheet.write_string(0, column, name)?;
    }
    for (n, row) in (1_u32..).zip(rows(count)?) {
        for (column, text) in (0_u16..).zip(&row) {
            if !text.is_empty() {
                sheet.write_string(n, column, text)?;
            }
        }
    }
    Ok(book.save_to_buffer()?)
}

fn csv(count: u32) -> Result<Vec<u8>, Failure> {
    let lines = rows(count)?.into_iter().map(|row| row.join(";"));
    Ok(std::iter::once(HEADER.join(";")).chain(lines).collect::<Vec<_>>().join("\r\n").into_bytes())
}
