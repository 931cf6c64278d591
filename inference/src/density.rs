//! The density map: people per cell, whose sum is their number. Right in dense crowds, poor in sparse scenes, slow.

use std::time::Instant;

use ort::{session::Session, value::TensorRef};
use qorgan_domain::I420;

use crate::{
    CrowdModel, Estimate, Family, Interval, Manifest, ModelDirs, ModelError, Normalisation, Region, Runtime, Task, manifest::Mapping,
    picture, resample,
};

/// A CSRNet session with the settings of its manifest.
pub struct DensityMap {
    manifest: Manifest,
    settings: Mapping,
    session: Session,
    normalisation: Normalisation,
    input: Vec<f32>,
}

impl DensityMap {
    /// Opens the weights; the task is `crowd_density`. Errors as [`crate::Detector::load`].
    pub fn load(runtime: &Runtime, manifest: &Manifest, dirs: &ModelDirs, threads: usize) -> Result<Self, ModelError> {
        manifest.require(Task::CrowdDensity, Family::Density)?;
        let Some(settings) = manifest.density.clone() else {
            return Err(manifest.unsuitable("the table [density]", "none"));
        };
        let session = runtime.open(manifest, dirs, threads)?;
        Ok(Self { normalisation: manifest.normalisation(), manifest: manifest.clone(), settings, session, input: Vec::new() })
    }

    /// Size of the input for a picture: its longer side at most the manifest's, both sides multiples of the manifest's.
    fn input_size(&self, picture: &I420) -> (usize, usize) {
        let Mapping { max_side_px, multiple_px } = self.settings;
        let factor = (max_side_px as f32 / picture.width.max(picture.height) as f32).min(1.0);
        let side = |length: usize| {
            let cells = (length as f32 * factor / multiple_px as f32).round() as usize;
            cells.clamp(1, (max_side_px / multiple_px).max(1)) * multiple_px
        };
        (side(picture.width), side(picture.height))
    }
}

impl CrowdModel for DensityMap {
    fn estimate(&mut self, picture: &I420) -> Result<Estimate, ModelError> {
        picture::check(picture)?;
        let start = Instant::now();
        let (width, height) = self.input_size(picture);
        self.input.resize(3 * width * height, 0.0);
        resample::fill_input(picture, Region::whole(picture), (width, height), (width, height), &self.normalisation, &mut self.input);
        let failed = |error: ort::Error| ModelError::Run { model: self.manifest.name.clone(), message: error.to_string() };
        let input = TensorRef::from_array_view(([1, 3, height, width], &*self.input)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.name.as_str() => input]).map_err(failed)?;
        let map = outputs[self.manifest.outputs[0].name.as_str()].try_extract_tensor::<f32>().map_err(failed)?.1;
        let people = map.iter().map(|cell| f64::from(*cell)).sum::<f64>() as f32;
        if !people.is_finite() {
            return Err(ModelError::Run {
                model: self.manifest.name.clone(),
                message: format!("expected a sum of people, found {people}"),
            });
        }
        metrics::histogram!("qorgan_inference_seconds", "model" => self.manifest.name.clone()).record(start.elapsed());
        let people = people.max(0.0);
        let Interval { low, high } = self.manifest.errors.interval(people);
        Ok(Estimate { people, low, high, boxes: Vec::new(), model: self.manifest.name.clone() })
    }

    fn name(&self) -> &str {
        &self.manifest.name
    }
}
