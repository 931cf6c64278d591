//! All manifests of a directory, and what the command line shows of them.

use std::{fmt, path::Path};

use qorgan_domain::I420;

use crate::{CrowdModel, DensityMap, Detector, Estimate, Family, Manifest, ModelDirs, ModelError, Runtime, Task, from_image};

/// The manifests of a directory, by name.
#[derive(Debug, Clone)]
pub struct Catalogue {
    dirs: ModelDirs,
    manifests: Vec<Manifest>,
}

impl Catalogue {
    /// Reads every `*.toml` in the directory of manifests. One bad manifest is an error of the whole: a hub does not start
    /// with a model that nobody can account for.
    pub fn read(dirs: &ModelDirs) -> Result<Self, ModelError> {
        let io = |source| ModelError::Io { path: dirs.models.clone(), source };
        let mut manifests = Vec::new();
        for entry in std::fs::read_dir(&dirs.models).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let manifest = Manifest::read(&path)?;
                if path.file_stem().is_none_or(|stem| stem != manifest.name.as_str()) {
                    let message = format!("expected the name of the file, found name = {:?}", manifest.name);
                    return Err(ModelError::Manifest { path, message });
                }
                manifests.push(manifest);
            }
        }
        manifests.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { dirs: dirs.clone(), manifests })
    }

    /// The manifest of a name.
    pub fn get(&self, name: &str) -> Result<&Manifest, ModelError> {
        self.manifests.iter().find(|manifest| manifest.name == name).ok_or_else(|| ModelError::Unknown {
            model: name.into(),
            dir: self.dirs.models.clone(),
            found: self.manifests.iter().map(|manifest| manifest.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Where its manifests and weights are.
    pub fn dirs(&self) -> &ModelDirs {
        &self.dirs
    }

    /// All manifests, by name.
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// Opens a model that counts, whichever its family.
    pub fn open(&self, name: &str, runtime: &Runtime, threads: usize) -> Result<Box<dyn CrowdModel>, ModelError> {
        let manifest = self.get(name)?;
        Ok(match manifest.family {
            Family::Nanodet => Box::new(Detector::load(runtime, manifest, &self.dirs, threads)?),
            Family::Density => Box::new(DensityMap::load(runtime, manifest, &self.dirs, threads)?),
            Family::Centerface => return Err(manifest.unsuitable("a model that counts", "one that finds faces to hide them")),
        })
    }
}

/// Whether a model can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelState {
    /// Size and hash are those of the manifest.
    Ready,
    /// Switched off in its manifest.
    Disabled,
    /// What is wrong, as one sentence.
    Broken(String),
}

impl fmt::Display for ModelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Disabled => f.write_str("disabled"),
            Self::Broken(reason) => write!(f, "broken: {reason}"),
        }
    }
}

/// One line of the list of models.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelStatus {
    /// Name of the model, or of its file when the manifest is unreadable.
    pub name: String,
    /// What is known of it; none when the manifest is unreadable or refused.
    pub manifest: Option<Manifest>,
    /// Its task, if the manifest could be read.
    pub task: Option<Task>,
    /// Whether it can be used.
    pub state: ModelState,
}

/// Every manifest with the state of its weights, broken ones too. Errors: the directory cannot be read.
pub fn list_models(dirs: &ModelDirs) -> Result<Vec<ModelStatus>, ModelError> {
    let io = |source| ModelError::Io { path: dirs.models.clone(), source };
    let mut list = Vec::new();
    for entry in std::fs::read_dir(&dirs.models).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            list.push(status(&path, dirs));
        }
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list)
}

fn status(path: &Path, dirs: &ModelDirs) -> ModelStatus {
    match Manifest::read(path) {
        Err(error) => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            ModelStatus { name, manifest: None, task: None, state: ModelState::Broken(error.to_string()) }
        }
        Ok(manifest) => {
            let state = match manifest.weights(dirs) {
                _ if !manifest.enabled => ModelState::Disabled,
                Ok(_) => ModelState::Ready,
                Err(error) => ModelState::Broken(error.to_string()),
            };
            ModelStatus { name: manifest.name.clone(), task: Some(manifest.task), manifest: Some(manifest), state }
        }
    }
}

/// Checks a model fully: size and hash of its weights, and the shapes that ONNX Runtime sees.
pub fn verify(manifest: &Manifest, dirs: &ModelDirs, runtime: &Runtime) -> Result<(), ModelError> {
    runtime.open(manifest, dirs, 1).map(drop)
}

/// Counts the people on a JPEG or PNG file. Errors: not readable as an image, or the runtime failed.
pub fn count_image(path: &Path, model: &mut dyn CrowdModel) -> Result<Estimate, ModelError> {
    let image = image::open(path).map_err(|source| ModelError::Image { name: path.display().to_string(), source })?;
    let picture: I420 = from_image(&image.to_rgb8());
    model.estimate(&picture)
}
