//! What can go wrong with a model. Every message names the model, the file or value at fault, what was expected, what was
//! found, and where it helps the command that repairs it.

use std::path::PathBuf;

/// An error of a model, its manifest, the runtime or a picture.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The manifest cannot be read or does not fit its schema.
    #[error("manifest {}: {message}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong, with the line where the parser knows it.
        message: String,
    },
    /// The manifest asks for a task that this hub never does.
    #[error(
        "manifest {}: model {model} is for the task {task:?}, which is refused: the hub counts people and never identifies them; \
         allowed are person_count, crowd_density and face_blur",
        path.display()
    )]
    TaskRefused {
        /// The manifest.
        path: PathBuf,
        /// Name in the manifest.
        model: String,
        /// Task in the manifest.
        task: String,
    },
    /// The model is for another use, or its manifest switches it off.
    #[error("model {model} cannot be used here: expected {expected}, found {found}")]
    Unsuitable {
        /// Name in the manifest.
        model: String,
        /// What the caller needs.
        expected: String,
        /// What the manifest says.
        found: String,
    },
    /// No such model is described.
    #[error("model {model}: expected a manifest {model}.toml in {}, found {found}", dir.display())]
    Unknown {
        /// Name asked for.
        model: String,
        /// Directory of manifests.
        dir: PathBuf,
        /// Names that are there.
        found: String,
    },
    /// The weights are not there.
    #[error("model {model}: expected the file {file} in {looked_in}, found nothing; repair: {repair}")]
    Missing {
        /// Name in the manifest.
        model: String,
        /// File name in the manifest.
        file: String,
        /// Directories searched.
        looked_in: String,
        /// Command that brings it.
        repair: String,
    },
    /// The weights are not the ones that the manifest describes.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),
    /// A file cannot be read.
    #[error("file {} cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// ONNX Runtime is not usable.
    #[error("ONNX Runtime library {}: {message}; repair: run scripts/onnxruntime.sh", path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The library was built without the execution provider that the configuration names.
    #[error(
        "models.provider {wanted}: the ONNX Runtime library {} offers {offered}; name one of these, or set models.runtime to a \
         library that was built with it",
        path.display()
    )]
    Provider {
        /// The library.
        path: PathBuf,
        /// What was asked for.
        wanted: &'static str,
        /// What there is.
        offered: String,
    },
    /// ONNX Runtime cannot make a session of the file.
    #[error("model {model}, file {}: expected a model that ONNX Runtime accepts, found {message}", file.display())]
    Session {
        /// Name in the manifest.
        model: String,
        /// The file.
        file: PathBuf,
        /// What ONNX Runtime says.
        message: String,
    },
    /// Running the model failed.
    #[error("model {model}: a run failed: {message}")]
    Run {
        /// Name in the manifest.
        model: String,
        /// What ONNX Runtime says.
        message: String,
    },
    /// The planes of a picture do not fit its size.
    #[error("picture {width}x{height}: its planes are shorter than its size and strides say")]
    Picture {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// An image file cannot be read or written.
    #[error("image {name}")]
    Image {
        /// The file, or what was to be written.
        name: String,
        /// Why.
        source: image::ImageError,
    },
}

/// How the weights differ from what their manifest describes.
#[derive(Debug, thiserror::Error)]
#[error("model {model}, file {}: expected {what} {expected}, found {found}; repair: {repair}", file.display())]
pub struct Mismatch {
    /// Name in the manifest.
    pub model: String,
    /// The file.
    pub file: PathBuf,
    /// Which property.
    pub what: String,
    /// Value in the manifest.
    pub expected: String,
    /// Value of the file.
    pub found: String,
    /// Command that brings the right file.
    pub repair: String,
}
