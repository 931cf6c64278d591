//! The cameras of a bench as a process of their own: `camera-server --fleet`, ended by its process id when dropped.

use std::{
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{fleet::FaultLine, hub::program};

/// Why the cameras did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program could not be run.
    #[error("cannot run {0}: build camera-server in the same profile")]
    Spawn(PathBuf, #[source] io::Error),
    /// It ended, or said something else than its port.
    #[error("the camera server did not start")]
    Silent,
}

/// A running camera process.
pub struct CameraProcess {
    child: Child,
    port: u16,
    cameras: usize,
    faults: Arc<Mutex<Vec<FaultLine>>>,
    /// Place in the clip of each camera when its clock began, in seconds.
    pub phases_s: Vec<f64>,
    /// When their clocks began, to a few milliseconds.
    pub started: Instant,
}

impl CameraProcess {
    /// Starts so many cameras that play the clip; unsteady ones drop, stall and come back at random.
    pub fn start(clip: &Path, cameras: usize, unsteady: bool) -> Result<Self, StartError> {
        let program = program().with_file_name("camera-server");
        let mut command = Command::new(&program);
        command.args(["--port", "0", "--fleet", &cameras.to_string(), "--clip"]).arg(clip);
        if unsteady {
            command.arg("--unsteady");
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| StartError::Spawn(program, error))?;
        let mut lines = BufReader::new(child.stdout.take().ok_or(StartError::Silent)?).lines();
        let first = lines.next().and_then(Result::ok).and_then(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
        let started = Instant::now();
        let ready = first.ok_or(StartError::Silent)?;
        let port = ready["port"].as_u64().and_then(|port| u16::try_from(port).ok()).ok_or(StartError::Silent)?;
        let phases_s = ready["phases_s"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
        let faults: Arc<Mutex<Vec<FaultLine>>> = Arc::default();
        let into = faults.clone();
        // Ends with the process, whose output it reads.
        std::thread::spawn(move || {
            for fault in lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()) {
                into.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
            }
        });
        Ok(Self { child, port, cameras, faults, phases_s, started })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Addresses of the cameras, in their order.
    pub fn urls(&self) -> Vec<String> {
        (0..self.cameras).map(|i| format!("rtsp://127.0.0.1:{}/c{i}", self.port)).collect()
    }

    /// Every fault so far.
    pub fn faults(&self) -> Vec<FaultLine> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A moment of the cameras' clock.
    pub fn at(&self, ms: u64) -> Instant {
        self.started + Duration::from_millis(ms)
    }
}

impl Drop for CameraProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
