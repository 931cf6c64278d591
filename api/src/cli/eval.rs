//! `qorgan models eval` and `qorgan models bench`: how right the counts are, and what they cost, on this machine.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use qorgan_inference::{
    Catalogue, Counter, CounterSetup, Effort, Family, Runtime, Scene, SceneSetup,
    evaluate::{Case, SIZES, Score, plot},
    from_image,
};

use super::Failure;
use crate::config::Config;

/// Counts the people of pictures whose number is known, as the hub would, and says how wrong the counts are.
#[derive(Args)]
pub(super) struct EvalArgs {
    /// Folder of the pictures (JPEG or PNG).
    #[arg(long)]
    images: PathBuf,
    /// Table of the truth: CSV with a heading and the columns file,people; others are ignored. Its lines are told apart as even
    /// (the first, the third ...) and odd.
    #[arg(long)]
    counts: PathBuf,
    /// Files that are one camera's pictures in order of their names, e.g. 'mall_*'; may be given more than once. They are counted as
    /// a stream: what was learned from one picture serves the next. All other files are pictures by themselves.
    #[arg(long, value_name = "PATTERN")]
    stream: Vec<String>,
    /// Treat every file as a picture by itself (as without --stream).
    #[arg(long, conflicts_with = "stream")]
    stills: bool,
    /// Seconds between two pictures of a stream: the time that the ratio ages, and that the budget is counted over.
    #[arg(long, default_value_t = 5.0)]
    every_s: f32,
    /// CPU time for a camera, in milliseconds per second of scene (streams only).
    #[arg(long, default_value_t = 15.0)]
    budget_ms: f32,
    /// Count stills as a camera's first picture, within the budget, instead of thoroughly.
    #[arg(long)]
    quick: bool,
    /// Only the files that match.
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// Detector instead of the configured one.
    #[arg(long)]
    detector: Option<String>,
    /// Density map instead of the configured one; `none` for the detector alone.
    #[arg(long)]
    density: Option<String>,
    /// Write truth against estimate into this file, as PNG.
    #[arg(long)]
    png: Option<PathBuf>,
    /// Print a line per picture.
    #[arg(long)]
    verbose: bool,
}

/// Times every enabled model on one thread.
#[derive(Args)]
pub(super) struct BenchArgs {
    /// Runs per model; the median is printed.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Size of the picture, WIDTHxHEIGHT.
    #[arg(long, default_value = "640x480")]
    size: String,
}

/// A line of the truth.
struct Row {
    file: String,
    people: f32,
    even: bool,
}

pub(super) fn eval(args: &EvalArgs, config: &Config, catalogue: &Catalogue) -> Result<(), Failure> {
    if !(0.01..=3_600.0).contains(&args.every_s) || !(0.0..=100_000.0).contains(&args.budget_ms) {
        return Err("--every-s is 0.01 to 3600 seconds, --budget-ms 0 to 100000".into());
    }
    let mut rows = read(&args.counts)?;
    if let Some(only) = &args.only {
        rows.retain(|row| matches(only, &row.file));
    }
    if rows.is_empty() {
        return Err(format!("{}: no file to count", args.counts.display()).into());
    }
    let runtime = Runtime::load(&config.models.runtime)?;
    let density = match args.density.as_deref() {
        Some("none") => None,
        Some(name) => Some(name.to_owned()),
        None => config.models.density.clone(),
    };
    let detector = args.detector.clone().unwrap_or_else(|| config.models.detector.clone());
    let setup = CounterSetup { detector, density, threads: 1 };
    let mut counter = Counter::open(&runtime, catalogue, &setup)?;
    println!("detector {}, density map {}", setup.detector, setup.density.as_deref().unwrap_or("none"));

    let mut cases: Vec<(bool, Case)> = Vec::new();
    let streamed = |row: &Row| args.stream.iter().position(|pattern| matches(pattern, &row.file));
    for (index, pattern) in args.stream.iter().enumerate() {
        let mut stream: Vec<&Row> = rows.iter().filter(|row| streamed(row) == Some(index)).collect();
        stream.sort_by(|a, b| a.file.cmp(&b.file));
        if stream.is_empty() {
            return Err(format!("--stream {pattern:?} matches no file of {}", args.counts.display()).into());
        }
        counter.set_effort(Effort::Budget { ms_per_s: args.budget_ms });
        let mut scene = scene()?;
        let start = Instant::now();
        for (i, row) in stream.into_iter().enumerate() {
            let now = start + Duration::from_secs_f32(args.every_s * i as f32);
            cases.push((row.even, look(&mut counter, &mut scene, row, args, now, true)?));
        }
    }
    let stills = if args.quick { Effort::Budget { ms_per_s: args.budget_ms } } else { Effort::Thorough };
    counter.set_effort(stills);
    for row in rows.iter().filter(|row| streamed(row).is_none()) {
        cases.push((row.even, look(&mut counter, &mut scene()?, row, args, Instant::now(), false)?));
    }
    report(&cases, args)?;
    Ok(())
}

/// A scene whose gate lets every picture through.
fn scene() -> Result<Scene, Failure> {
    Ok(Scene::new(SceneSetup { stale_after: Duration::ZERO, ..SceneSetup::default() })?)
}

fn look(counter: &mut Counter, scene: &mut Scene, row: &Row, args: &EvalArgs, now: Instant, stream: bool) -> Result<Case, Failure> {
    let path = args.images.join(&row.file);
    let image = image::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let reading = counter.look(scene, &mut from_image(&image.to_rgb8()), now)?;
    let case = Case {
        name: row.file.clone(),
        truth: row.people,
        people: reading.people,
        low: reading.low,
        high: reading.high,
        cost: reading.cost.total,
        stream,
    };
    if args.verbose {
        println!(
            "{:<28} {:6.0} people, counted {:7.1} ({:.1} to {:.1}), {:5.0} ms, {}",
            case.name,
            case.truth,
            case.people,
            case.low,
            case.high,
            case.cost.as_secs_f64() * 1e3,
            reading.model
        );
    }
    Ok(case)
}

fn report(cases: &[(bool, Case)], args: &EvalArgs) -> Result<(), Failure> {
    let mut figures = serde_json::Map::new();
    let mut print = |name: &str, wanted: &dyn Fn(&(bool, Case)) -> bool| {
        let Some(score) = Score::of(cases.iter().filter(|case| wanted(case)).map(|(_, case)| case)) else { return };
        println!(
            "{name:<22} {:4} pictures, {:6.1} people: MAE {:6.2}  RMSE {:6.2}  bias {:+7.2}  interval holds {:3.0} %  interval score {:7.1}  {:6.1} ms",
            score.pictures,
            score.mean_truth,
            score.mae,
            score.rmse,
            score.bias,
            score.coverage * 100.0,
            score.interval_score,
            score.cost_ms
        );
        let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
        let figure = serde_json::json!({
            "pictures": score.pictures, "mean_truth": round(score.mean_truth), "mae": round(score.mae), "rmse": round(score.rmse),
            "bias": round(score.bias), "coverage": round(score.coverage), "interval_score": round(score.interval_score),
            "cost_ms": round(score.cost_ms),
        });
        figures.insert(name.replace(' ', "_"), figure);
    };
    for (kind, stream) in [("streams", true), ("stills", false)] {
        print(kind, &|(_, case)| case.stream == stream);
        print(&format!("{kind} even lines"), &|(even, case)| case.stream == stream && *even);
        print(&format!("{kind} odd lines"), &|(even, case)| case.stream == stream && !*even);
    }
    for (from, below) in SIZES {
        let name = if below.is_finite() { format!("{from} to {} people", below - 1.0) } else { format!("{from} people or more") };
        print(&name, &|(_, case)| (from..below).contains(&case.truth));
    }
    print("all", &|_| true);
    if let Some(stream) = Score::of(cases.iter().filter(|(_, case)| case.stream).map(|(_, case)| case)) {
        let per_second = stream.cost_ms / f64::from(args.every_s);
        println!("streams cost {per_second:.1} ms of CPU per second of scene, a picture every {} s", args.every_s);
        figures.insert("stream_cpu_ms_per_scene_s".into(), ((per_second * 100.0).round() / 100.0).into());
    }
    if let Some(path) = &args.png {
        let cases: Vec<Case> = cases.iter().map(|(_, case)| case.clone()).collect();
        std::fs::write(path, plot(&cases)?).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!("{}", serde_json::Value::Object(figures));
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Row>, Failure> {
    let mut table = csv::Reader::from_path(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let headings = table.headers().map_err(|error| format!("{}: {error}", path.display()))?.clone();
    let column = |name: &str| {
        let at = headings.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name));
        at.ok_or_else(|| {
            format!("{}: expected the columns file and people, found {}", path.display(), headings.iter().collect::<Vec<_>>().join(","))
        })
    };
    let (file, people) = (column("file")?, column("people")?);
    let mut rows = Vec::new();
    for (index, record) in table.records().enumerate() {
        let line = index + 2;
        let record = record.map_err(|error| format!("{}: {error}", path.display()))?;
        let count: Option<f32> = record.get(people).and_then(|text| text.trim().parse().ok()).filter(|n: &f32| n.is_finite() && *n >= 0.0);
        let (Some(file), Some(people)) = (record.get(file), count) else {
            return Err(format!("{}, line {line}: expected a file and a number of people, found {record:?}", path.display()).into());
        };
        if file.starts_with('/') || file.split(['/', '\\']).any(|part| part == "..") {
            return Err(format!("{}, line {line}: the file {file:?} is outside the folder of pictures", path.display()).into());
        }
        rows.push(Row { file: file.to_owned(), people, even: index % 2 == 0 });
    }
    Ok(rows)
}

/// Whether a name fits a pattern, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || rest.is_empty() || name.ends_with(part),
    }
}

pub(super) fn bench(args: &BenchArgs, config: &Config, catalogue: &Catalogue) -> Result<(), Failure> {
    let size = args.size.split_once('x').and_then(|(w, h)| Some((w.parse::<u32>().ok()?, h.parse::<u32>().ok()?)));
    let Some((width, height)) = size.filter(|(w, h)| (16..=8_192).contains(w) && (16..=8_192).contains(h)) else {
        return Err(format!("--size is WIDTHxHEIGHT, 16 to 8192 pixels each, found {}", args.size).into());
    };
    let runtime = Runtime::load(&config.models.runtime)?;
    let picture = from_image(&image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 7) as u8, (y * 5) as u8, (x + y) as u8])));
    let mut figures = serde_json::Map::new();
    for manifest in catalogue.manifests() {
        // Only what counts; the blurring of faces has its own cost and place.
        if !manifest.enabled || !matches!(manifest.family, Family::Nanodet | Family::Yolox | Family::Density) {
            continue;
        }
        let mut model = match catalogue.open(&manifest.name, &runtime, 1) {
            Ok(model) => model,
            Err(error) => {
                println!("{:<20} {}", manifest.name, crate::error::chain(&error));
                continue;
            }
        };
        model.estimate(&picture)?;
        let mut times = Vec::new();
        for _ in 0..args.runs.clamp(1, 1_000) {
            let start = Instant::now();
            model.estimate(&picture)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        println!(
            "{:<20} {median:7.1} ms a picture of {} on one thread ({:.1} to {:.1})",
            manifest.name,
            args.size,
            times[0],
            times[times.len() - 1]
        );
        figures.insert(format!("{}_ms", manifest.name), ((median * 10.0).round() / 10.0).into());
    }
    println!("{}", serde_json::Value::Object(figures));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, fits) in [
            ("mall_*", "mall_seq_1.jpg", true),
            ("mall_*", "a_mall_1.jpg", false),
            ("*.jpg", "a.jpg", true),
            ("*.jpg", "a.jpg.png", false),
            ("*b*", "abc", true),
            ("a*b*a", "abba", true),
            ("a.jpg", "a.jpg", true),
            ("a.jpg", "a.jpg2", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_table_with_more_columns_is_read_and_a_bad_one_is_named() {
        let folder = std::env::temp_dir().join(format!("qorgan-eval-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let good = write("good.csv", "file,people,what\na.jpg,12,\"a, b\"\nb.jpg,3.5,c\n");
        let rows = read(&good).expect("rows");
        assert_eq!((rows.len(), rows[0].even, rows[1].even, rows[1].people), (2, true, false, 3.5));
        assert_eq!(read(&write("two.csv", "people,file\n7,x.png\n")).expect("rows")[0].file, "x.png");
        for (text, named) in
            [("name,people\na,1\n", "file and people"), ("file,people\na,-1\n", "line 2"), ("file,people\n../a,1\n", "outside")]
        {
            let error = read(&write("bad.csv", text)).err().expect("refused").to_string();
            assert!(error.contains(named), "{named} is not in {error}");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
