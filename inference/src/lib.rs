//! From a decoded picture to a number of people: model manifests, ONNX Runtime sessions, pre- and post-processing, the
//! change gate, one count of two models, zones, lines and ground, the camera scheduler and the masking of stills.
//!
//! What belongs here: anything that looks at pixels, and the order in which cameras are looked at. What does not: taking
//! pictures from cameras (`ingest`), deciding what a count means (`alerts`), and anything that could tell one person from
//! another. Manifests have an allow-list of tasks ([`Task`]); a model for any other task is refused when it is loaded.
//!
//! ```text
//! Catalogue::read -> Runtime::load -> Counter::open -> Scene::new -> Counter::look -> Reading
//! ```
//!
//! Try it on a picture: `qorgan count picture.jpg`.

mod boxes;
mod burn;
mod catalogue;
mod counter;
mod cpu;
mod density;
mod detector;
mod error;
mod estimate;
pub mod evaluate;
mod faces;
mod flow;
mod gate;
mod geometry;
mod manifest;
mod masking;
mod nanodet;
mod parts;
mod picture;
pub mod quality;
mod ratio;
mod resample;
mod runtime;
mod scene;
mod scheduler;
mod sparse;
mod tiles;
mod yolox;

pub use boxes::{Detection, suppress};
pub use burn::burn_masks;
pub use catalogue::{Catalogue, ModelState, ModelStatus, count_image, list_models, verify};
pub use counter::{Cost, Counter, CounterSetup, Effort, LOOK_OUT_S, Reading};
pub use density::{CrowdGrid, DensityMap};
pub use detector::{Detector, Hurry};
pub use error::{Mismatch, ModelError};
pub use estimate::{CrowdModel, ErrorModel, Estimate, Interval};
pub use faces::Faces;
pub use flow::MAX_GAP;
pub use gate::{ChangeGate, Verdict, Why};
pub use geometry::{
    GeometryError, Line, MAX_CORNERS, Place, Point, Polygon, Zone,
    plane::{Calibration, GroundPlane, Metres, Standing},
};
pub use manifest::{ColourOrder, Family, Manifest, ModelDirs, Task};
pub use masking::{Cover, Mask, reduced, small_jpeg, still_jpeg};
pub use picture::{from_image, to_rgb};
pub use ratio::{Fused, Mapped, Ratio};
pub use resample::{Normalisation, Region, fill_input, time_scaling};
pub use runtime::{Provider, Runtime};
pub use scene::{Scene, SceneSetup};
pub use scheduler::{Limits, Look, Scheduler};
