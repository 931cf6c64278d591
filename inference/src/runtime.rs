//! ONNX Runtime: one library and one environment per process, and sessions whose shapes are those of the manifest.
//!
//! Set-up installs the library (`scripts/onnxruntime.sh`); nothing is downloaded here or by a build script. A session owns
//! its worker threads and joins them when it is dropped: drop detectors before the process exits.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use ort::{
    environment::Environment,
    session::Session,
    value::{TensorElementType, ValueType},
};

use crate::{
    ModelError,
    manifest::{Manifest, ModelDirs},
};

/// The library that this process has loaded. ONNX Runtime allows one environment per process.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// A loaded ONNX Runtime.
#[derive(Clone)]
pub struct Runtime {
    path: PathBuf,
    environment: Environment,
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
        Ok(loaded.insert(Self { path: real, environment }).clone())
    }

    /// The library's build, for diagnostics.
    pub fn info(&self) -> String {
        ort::info().to_owned()
    }

    /// Opens a session of the manifest's weights: size, hash and shapes are those of the manifest, or it is an error.
    pub(crate) fn open(&self, manifest: &Manifest, dirs: &ModelDirs, threads: usize) -> Result<Session, ModelError> {
        let weights = manifest.weights(dirs)?;
        let session = self.session(&weights.bytes, threads).map_err(|message| ModelError::Session {
            model: manifest.name.clone(),
            file: weights.path.clone(),
            message,
        })?;
        check_shapes(manifest, &weights.path, &session)?;
        Ok(session)
    }

    fn session(&self, bytes: &[u8], threads: usize) -> Result<Session, String> {
        Session::builder(&self.environment)
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
