//! How fast this machine is at the moment: machines are shared, and a run on a slow hour says little about the next.

use std::time::Instant;

use qorgan_domain::I420;
use qorgan_inference::{Catalogue, Detector, ModelDirs, Runtime};
use qorgan_tests::{paths, report::quantile};

use crate::Failure;

/// The detector that cameras are counted with by default; peers get the same file.
pub(crate) const DETECTOR: &str = "nanodet-g-416-int8";
/// Passes that are timed.
const PASSES: usize = 15;

/// A session of the detector.
pub(crate) fn detector() -> Result<Detector, Failure> {
    let dirs = ModelDirs::new(paths::root().join("models"), paths::var());
    let runtime = Runtime::load(&paths::onnxruntime())?;
    Ok(Detector::load(&runtime, Catalogue::read(&dirs)?.get(DETECTOR)?, &dirs, 1)?)
}

/// Milliseconds that one pass of the detector takes on one thread, with nothing beside it: the median of a few.
/// On the machine that the project's costs were measured on it was 11.7.
pub(crate) fn pass_ms() -> Result<f64, Failure> {
    let mut detector = detector()?;
    let side = 416;
    let grey = |len: usize| vec![128; len];
    let picture = I420 {
        width: side,
        height: side,
        y: grey(side * side),
        u: grey(side * side / 4),
        v: grey(side * side / 4),
        y_stride: side,
        uv_stride: side / 2,
    };
    let mut times = Vec::new();
    for _ in 0..PASSES {
        let start = Instant::now();
        detector.detect(&picture)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(quantile(&mut times, 0.5))
}
