//! ONNX Runtime: one library and one environment per process, and sessions whose shapes are those of the manifest.
//!
//! What runs a model is an execution provider: the CPU, unless the configuration names another. The library that set-up installs
//! offers the CPU only; one built for an accelerator is named in the configuration like any other (`models.runtime`). A provider
//! that the library lacks is an error that lists what it has: a hub that was to use an accelerator never falls back silently.
//!
//! Set-up installs the library (`scripts/onnxruntime.sh`); nothing is downloaded here or by a build script. A session owns
//! its worker threads and joins them when it is dropped: drop detectors before the process exits.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Mutex,
};

use ort::{
    environment::Environment,
    ep::{self, ExecutionProvider, ExecutionProviderDispatch},
    session::Session,
    value::{TensorElementType, ValueType},
};

use crate::{
    ModelError,
    manifest::{Manifest, ModelDirs, Task},
};

/// The library that this process has loaded. ONNX Runtime allows one environment per process.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// The processor; always there.
    #[default]
    Cpu,
    /// NVIDIA GPUs.
    Cuda,
    /// NVIDIA GPUs, with the model compiled for the very card.
    TensorRt,
    /// Intel processors, GPUs and NPUs.
    OpenVino,
    /// AMD GPUs.
    MiGraphX,
    /// The processor, by XNNPACK: for some ARM boards.
    Xnnpack,
}

impl Provider {
    /// All that a configuration may name.
    pub const ALL: [Self; 6] = [Self::Cpu, Self::Cuda, Self::TensorRt, Self::OpenVino, Self::MiGraphX, Self::Xnnpack];

    /// Name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
            Self::MiGraphX => "migraphx",
            Self::Xnnpack => "xnnpack",
        }
    }

    /// Whether the loaded library was built with it.
    fn is_offered(self) -> bool {
        let offered = match self {
            Self::Cpu => return true,
            Self::Cuda => ep::CUDA::is_available(),
            Self::TensorRt => ep::TensorRT::is_available(),
            Self::OpenVino => ep::OpenVINO::is_available(),
            Self::MiGraphX => ep::MIGraphX::is_available(),
            Self::Xnnpack => ep::XNNPACK::is_available(),
        };
        offered.unwrap_or(false)
    }

    /// What a session registers; it fails when the device or a driver is missing.
    fn dispatch(self) -> Option<ExecutionProviderDispatch> {
        let provider = match self {
            Self::Cpu => return None,
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::MiGraphX => ep::MIGraphX::default().build(),
            Self::Xnnpack => ep::XNNPACK::default().build(),
        };
        Some(provider.error_on_failure())
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|provider| provider.as_str() == text).ok_or_else(|| format!("{text:?} is none of {}", known()))
    }
}

/// What a session does with the memory of a run.
#[derive(Debug, Clone, Copy)]
struct Memory {
    /// It keeps the most it ever needed: a third faster for the detector, which runs all the time; a hundred megabytes a worker for a
    /// density map, which runs now and then and is six hundredths slower without.
    kept: bool,
    /// It plans one block per size of input: of no use where sizes vary.
    planned: bool,
}

impl Memory {
    fn of(manifest: &Manifest) -> Self {
        Self { kept: manifest.task == Task::PersonCount, planned: !manifest.input.shape.contains(&-1) }
    }
}

/// A loaded ONNX Runtime.
#[derive(Clone)]
pub struct Runtime {
    path: PathBuf,
    environment: Environment,
    provider: Provider,
}

impl Runtime {
    /// Loads the library once; later calls with the same path give the same runtime. Errors: missing, not ONNX Runtime, too
    /// old, or another one is loaded already.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let fault = |message: String| ModelError::Runtime { path: path.into(), message };
        let real = path.canonicalize().map_err(|error| fault(format!("expected a library, found none ({error})")))?;
        let mut loaded = LOADED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(runtime) = &*loaded {
            return if runtime.path == real {
                Ok(runtime.clone())
            } else {
                Err(fault(format!("expected to be the only one, found {} loaded already", runtime.path.display())))
            };
        }
        let environment = ort::init_from(&real)
            .map_err(|error| fault(format!("expected ONNX Runtime 1.{} or newer: {error}", ort::MINOR_VERSION)))?
            .with_name("qorgan")
            .build()
            .map_err(|error| fault(error.to_string()))?;
        Ok(loaded.insert(Self { path: real, environment, provider: Provider::Cpu }).clone())
    }

    /// What the library offers, the CPU first.
    pub fn providers(&self) -> Vec<Provider> {
        Provider::ALL.into_iter().filter(|provider| provider.is_offered()).collect()
    }

    /// This runtime, with models run by that provider. Error: the library does not offer it; the message lists what it offers.
    pub fn with_provider(&self, provider: Provider) -> Result<Self, ModelError> {
        let offered = self.providers();
        if !offered.contains(&provider) {
            let offered = offered.into_iter().map(Provider::as_str).collect::<Vec<_>>().join(", ");
            return Err(ModelError::Provider { path: self.path.clone(), wanted: provider.as_str(), offered });
        }
        Ok(Self { provider, ..self.clone() })
    }

    /// What runs its models.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The library's build, for diagnostics.
    pub fn info(&self) -> String {
        ort::info().to_owned()
    }

    /// Opens a session of the manifest's weights: size, hash and shapes are those of the manifest, or it is an error.
    pub(crate) fn open(&self, manifest: &Manifest, dirs: &ModelDirs, threads: usize) -> Result<Session, ModelError> {
        let weights = manifest.weights(dirs)?;
        let session = self.session(&weights.bytes, threads, Memory::of(manifest)).map_err(|message| ModelError::Session {
            model: manifest.name.clone(),
            file: weights.path.clone(),
            message,
        })?;
        check_shapes(manifest, &weights.path, &session)?;
        Ok(session)
    }

    fn session(&self, bytes: &[u8], threads: usize, memory: Memory) -> Result<Session, String> {
        let builder = Session::builder(&self.environment).map_err(|error| error.to_string())?;
        let provider = self.provider.dispatch().unwrap_or_else(|| ep::CPU::default().with_arena_allocator(memory.kept).build());
        builder
            .with_execution_providers([provider])
            .map_err(|error| format!("no session of the provider {}: {error}", self.provider))?
            .with_memory_pattern(memory.planned)
            .map_err(|error| error.to_string())?
            .with_intra_threads(threads.max(1))
            .map_err(|error| error.to_string())?
            .with_inter_threads(1)
            .map_err(|error| error.to_string())?
            // Spinning workers take the time of other cameras' sessions.
            .with_intra_op_spinning(false)
            .map_err(|error| error.to_string())?
            .commit_from_memory(bytes)
            .map_err(|error| error.to_string())
    }
}

fn check_shapes(manifest: &Manifest, file: &Path, session: &Session) -> Result<(), ModelError> {
    let wrong = |what: String, expected: String, found: String| Err(manifest.mismatch(file, &what, expected, found));
    let (inputs, outputs) = (session.inputs(), session.outputs());
    let expected = [(&manifest.input.name, &manifest.input.shape)];
    let outputs_expected = manifest.outputs.iter().map(|output| (&output.name, &output.shape));
    for (kind, found, expected) in
        [("input", inputs, expected.into_iter().collect::<Vec<_>>()), ("output", outputs, outputs_expected.collect())]
    {
        if found.len() != expected.len() {
            return wrong(format!("number of {kind}s"), expected.len().to_string(), found.len().to_string());
        }
        for (name, shape) in expected {
            let Some(outlet) = found.iter().find(|outlet| outlet.name() == name) else {
                let names: Vec<_> = found.iter().map(|outlet| outlet.name()).collect();
                return wrong(format!("{kind} name"), name.clone(), names.join(", "));
            };
            let described = format!("float32 {shape:?}");
            let real = match outlet.dtype() {
                ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => format!("float32 {:?}", &shape[..]),
                other => format!("{other:?}"),
            };
            if real != described {
                return wrong(format!("shape of {kind} {name}"), described, real);
            }
        }
    }
    Ok(())
}
