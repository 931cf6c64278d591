//! `qorgan models`, `qorgan count`, `qorgan probe`: what the hub sees with, tried from the command line.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use qorgan_inference::{
    Catalogue, Counter, CounterSetup, Effort, ModelDirs, ModelState, Runtime, Scene, SceneSetup, count_image, from_image, list_models,
    verify,
};
use qorgan_ingest::camera::{self, CameraUrl, Credentials};

use super::{ConfigArg, Failure, doctor, eval};
use crate::{config::Config, error::chain};

#[derive(Args)]
pub(super) struct ModelsArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Subcommand)]
enum ModelsCommand {
    /// List every model: task, size, licence, whether it can be used.
    List,
    /// Check hash and shapes of every enabled model against its manifest.
    Verify,
    /// Print everything a manifest says of one model.
    Show {
        /// Name of the model.
        name: String,
    },
    /// Time every enabled model on this machine.
    Bench(eval::BenchArgs),
    /// Count pictures whose people are known and say how wrong the counts are, by size of crowd; the last line is JSON.
    Eval(eval::EvalArgs),
}

#[derive(Args)]
pub(super) struct CountArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Picture, JPEG or PNG.
    image: PathBuf,
    /// One model by itself, instead of the configured detector and density map together.
    #[arg(long)]
    model: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ProbeArgs {
    /// rtsp://host/path or a file. Never with a password in it.
    url: String,
    /// User at the camera; the password comes from QORGAN_CAMERA_PASSWORD.
    #[arg(long)]
    user: Option<String>,
    /// Give up after this many seconds.
    #[arg(long, default_value_t = 15)]
    timeout: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn dirs(config: &Config) -> ModelDirs {
    ModelDirs { models: config.models.dir.clone(), made: config.models.fetched.clone() }
}

pub(super) fn models(args: ModelsArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    let dirs = dirs(&config);
    match args.command {
        ModelsCommand::List => {
            for status in list_models(&dirs)? {
                let (task, size, licence) = match &status.manifest {
                    Some(m) => (m.task.to_string(), format!("{:.1} MB", m.bytes as f64 / 1e6), m.licence.clone()),
                    None => ("?".into(), "?".into(), "?".into()),
                };
                println!("{:<18} {task:<14} {size:>9}  {licence:<14} {}", status.name, status.state);
            }
            Ok(ExitCode::SUCCESS)
        }
        ModelsCommand::Verify => {
            let runtime = Runtime::load(&config.models.runtime)?;
            let mut bad = false;
            for manifest in Catalogue::read(&dirs)?.manifests() {
                if !manifest.enabled {
                    println!("{:<18} disabled", manifest.name);
                    continue;
                }
                match verify(manifest, &dirs, &runtime) {
                    Ok(()) => println!("{:<18} hash and shapes are those of the manifest", manifest.name),
                    Err(error) => {
                        bad = true;
                        println!("{:<18} {}", manifest.name, chain(&error));
                    }
                }
            }
            Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        ModelsCommand::Bench(args) => {
            eval::bench(&args, &config, &Catalogue::read(&dirs)?)?;
            Ok(ExitCode::SUCCESS)
        }
        ModelsCommand::Eval(args) => {
            eval::eval(&args, &config, &Catalogue::read(&dirs)?)?;
            Ok(ExitCode::SUCCESS)
        }
        ModelsCommand::Show { name } => {
            let catalogue = Catalogue::read(&dirs)?;
            print!("{}", std::fs::read_to_string(&catalogue.get(&name)?.path)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

pub(super) fn count(args: CountArgs) -> Result<ExitCode, Failure> {
    let config = args.config.load()?;
    let runtime = Runtime::load(&config.models.runtime)?;
    let catalogue = Catalogue::read(&dirs(&config))?;
    let (people, low, high, model) = match &args.model {
        Some(name) => {
            let estimate = count_image(&args.image, catalogue.open(name, &runtime, 1)?.as_mut())?;
            (estimate.people, estimate.low, estimate.high, estimate.model)
        }
        None => {
            let setup = CounterSetup { detector: config.models.detector.clone(), density: config.models.density.clone(), threads: 1 };
            let mut counter = Counter::open(&runtime, &catalogue, &setup)?;
            counter.set_effort(Effort::Thorough);
            let image = image::open(&args.image).map_err(|error| format!("{}: {error}", args.image.display()))?;
            let mut scene = Scene::new(SceneSetup::default())?;
            let reading = counter.look(&mut scene, &mut from_image(&image.to_rgb8()), std::time::Instant::now())?;
            (reading.people, reading.low, reading.high, reading.model)
        }
    };
    if args.json {
        println!("{}", serde_json::json!({ "image": args.image, "people": people, "low": low, "high": high, "model": model }));
    } else {
        println!("{people:.1} people, 90 % interval {low:.1} to {high:.1} ({model})");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn probe(args: ProbeArgs) -> Result<ExitCode, Failure> {
    let url: CameraUrl = args.url.parse()?;
    let credentials = match args.user {
        None => None,
        Some(user) => {
            let password = std::env::var("QORGAN_CAMERA_PASSWORD").map_err(|_| "--user needs the password in QORGAN_CAMERA_PASSWORD")?;
            Some(Credentials { user, password })
        }
    };
    let report = camera::probe(&url, credentials.as_ref(), Duration::from_secs(args.timeout.clamp(1, 120))).await;
    let failed = report.fault.is_some();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let line = |name: &str, value: Option<String>| println!("  {name:<26} {}", value.unwrap_or_else(|| "-".into()));
        println!("{}", report.url);
        line("codec", report.codec.map(|c| c.to_string()));
        line("size", report.size_px.map(|(w, h)| format!("{w} x {h} px")));
        line("frames per second", report.frames_per_s.map(|f| format!("{f:.1}")));
        line("key frame every", report.key_frame_interval_s.map(|s| format!("{s:.1} s")));
        line("time to first key frame", report.time_to_first_key_frame_s.map(|s| format!("{s:.2} s")));
        line("decodes", report.decodes.map(|d| if d { "yes" } else { "no" }.into()));
        if let Some(fault) = &report.fault {
            println!("  {:<26} {}: {}", "fault", fault.code.as_str(), fault.detail);
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What `qorgan doctor` says of the models.
pub(super) fn doctor(config: &Config) -> Vec<doctor::Finding> {
    let mut findings = Vec::new();
    let what = format!("ONNX Runtime {}", config.models.runtime.display());
    match Runtime::load(&config.models.runtime) {
        Ok(_) => findings.push(doctor::well(what)),
        Err(error) => findings.push(doctor::ill(what, chain(&error), "make setup (or scripts/onnxruntime.sh)")),
    }
    match list_models(&dirs(config)) {
        Err(error) => findings.push(doctor::ill("models", chain(&error), "name the directory of the manifests in [models] dir")),
        Ok(models) => {
            for model in models {
                let what = format!("model {}", model.name);
                findings.push(match (&model.state, model.manifest) {
                    (ModelState::Broken(why), manifest) => {
                        doctor::ill(what, why.clone(), manifest.map_or_else(|| "mend the manifest".into(), |m| m.repair))
                    }
                    (state, _) => doctor::well(format!("{what}: {state}")),
                });
            }
        }
    }
    findings
}
