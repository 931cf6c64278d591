//! One run: a camera process, a hub process, and what both cost.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use qorgan_tests::{
    camera_process::CameraProcess,
    clips::{self, Profile},
    hub::{Client, Hub, Options},
    process::{cpu_ms, metric, resident_mb, thread_cpu_ms, threads, user_and_system_ms},
    report::quantile,
    sites,
    watch::CameraWatch,
};

use crate::{Failure, STALE_S};

/// Steps that the hub's worker threads count by themselves, and their names in the figures.
const STEPS: [&str; 5] = ["decode", "scale", "inference", "gate", "quality"];
/// Thread that receives from all cameras.
const NETWORK_THREAD: &str = "cameras";
/// How long all cameras have to come up.
const COME_UP: Duration = Duration::from_secs(120);
/// After that, before anything is measured.
const SETTLE: Duration = Duration::from_secs(12);

/// What is to be measured.
pub(crate) struct Load {
    pub(crate) profile: Profile,
    pub(crate) cameras: usize,
    pub(crate) seconds: u64,
    pub(crate) workers: usize,
}

/// What was measured.
pub(crate) struct Measured {
    pub(crate) cameras: usize,
    /// CPU milliseconds per camera and second, by step.
    pub(crate) steps: Vec<(String, f64)>,
    pub(crate) server_cores: f64,
    pub(crate) counts_per_s: f64,
    pub(crate) analysed_per_s: f64,
    pub(crate) unchanged_per_s: f64,
    /// Longest time without a count, of each camera that was counted at all.
    pub(crate) longest_s: Vec<f64>,
    pub(crate) resident_mb: f64,
    pub(crate) threads: usize,
}

impl Measured {
    /// CPU milliseconds per camera and second, all steps.
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.steps.iter().map(|(_, ms)| ms).sum()
    }
    pub(crate) fn interval(&self, q: f64) -> f64 {
        quantile(&mut self.longest_s.clone(), q)
    }
}

/// A hub with these cameras, all of them counted at least once, or as many as came up in time.
pub(crate) async fn start_hub(dir: &Path, load: &Load, urls: &[String]) -> Result<(Hub, Client, CameraWatch), Failure> {
    let models = format!("workers = {}\nstaleness_s = {}\n", load.workers, STALE_S as u32);
    let config = sites::many_cameras_with(dir, load.cameras, urls, &models)?;
    let hub = Hub::start(&dir.join("state"), Options { config, ..Options::default() }).await?;
    let admin = hub.log_in("administrator").await?;
    let watch = CameraWatch::start(&admin).await?;
    let until = Instant::now() + COME_UP;
    while watch.counted() < load.cameras && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    eprintln!("{} of {} cameras are counted", watch.counted(), load.cameras);
    Ok((hub, admin, watch))
}

/// Runs cameras and hub and measures both.
pub(crate) async fn measure(load: &Load) -> Result<Measured, Failure> {
    let cameras = CameraProcess::start(&clips::footage(load.profile)?, load.cameras, false)?;
    let dir = tempfile::tempdir()?;
    let (hub, admin, watch) = start_hub(dir.path(), load, &cameras.urls()).await?;
    tokio::time::sleep(SETTLE).await;
    watch.take();
    eprintln!("{} cameras {}: measuring for {} s", load.cameras, load.profile.as_str(), load.seconds);
    let before = Costs::read(&hub, &admin, &cameras).await?;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(load.seconds.max(10))).await;
    let (end, after) = (Instant::now(), Costs::read(&hub, &admin, &cameras).await?);
    let seen = watch.take();
    let seconds = (end - start).as_secs_f64();
    let per = |ms: f64| ms / seconds / load.cameras as f64;
    let rate = |name: &str, label: &str| (metric(&after.metrics, name, label) - metric(&before.metrics, name, label)) / seconds;
    let step = |label: &str| 1e3 * rate("qorgan_step_cpu_seconds_sum", &format!("step=\"{label}\"")) / load.cameras as f64;
    let mut steps = vec![
        ("network_system".to_owned(), per(after.network.1 - before.network.1)),
        ("network_parse".to_owned(), per(after.network.0 - before.network.0)),
    ];
    steps.extend(STEPS.iter().map(|name| ((*name).to_owned(), step(name))));
    let known: f64 = STEPS.iter().map(|name| step(name)).sum();
    let workers = per(after.threads(Group::Workers) - before.threads(Group::Workers));
    steps.push(("workers_rest".to_owned(), (workers - known).max(0.0)));
    steps.push(("hub".to_owned(), per(after.threads(Group::Others) - before.threads(Group::Others))));
    let longest_s: Vec<f64> = seen.values().filter(|s| !s.counts.is_empty()).map(|s| s.longest_silence_s(start, end)).collect();
    Ok(Measured {
        cameras: load.cameras,
        steps,
        server_cores: (after.server_ms - before.server_ms) / 1e3 / seconds,
        counts_per_s: rate("qorgan_frame_seconds_count", ""),
        analysed_per_s: rate("qorgan_frames_analysed_total", ""),
        unchanged_per_s: rate("qorgan_frame_seconds_count", "") - rate("qorgan_frames_analysed_total", ""),
        longest_s,
        resident_mb: resident_mb(hub.pid())?,
        threads: threads(hub.pid())?,
    })
}

/// Which threads of the hub.
#[derive(Clone, Copy, PartialEq)]
enum Group {
    /// Decoding and counting.
    Workers,
    /// Everything but the workers and the cameras' thread.
    Others,
}

struct Costs {
    cpu: std::collections::BTreeMap<String, f64>,
    /// User and system time of the cameras' thread.
    network: (f64, f64),
    server_ms: f64,
    metrics: String,
}

impl Costs {
    async fn read(hub: &Hub, admin: &Client, cameras: &CameraProcess) -> Result<Self, Failure> {
        Ok(Self {
            cpu: thread_cpu_ms(hub.pid())?,
            network: user_and_system_ms(hub.pid(), NETWORK_THREAD)?,
            server_ms: cpu_ms(cameras.pid())?,
            metrics: admin.text("/metrics").await?,
        })
    }
    fn threads(&self, group: Group) -> f64 {
        let of = |name: &str| match name.split_once(' ').map_or(name, |(_, name)| name) {
            name if name.starts_with("count-") || name.starts_with("follow") => Some(Group::Workers),
            name if name.starts_with(NETWORK_THREAD) => None,
            _ => Some(Group::Others),
        };
        self.cpu.iter().filter(|(name, _)| of(name) == Some(group)).map(|(_, ms)| ms).sum()
    }
}
