//! Faces, only to hide them. What is found here becomes part of a [`Cover`] and goes nowhere else: no count, no crop, no
//! landmark, no comparison. The model's landmark branch is cut out of the file that set-up makes.

use std::time::Instant;

use ort::{session::Session, value::TensorRef};
use qorgan_domain::I420;

use crate::{
    Detection, Family, Manifest, Mask, ModelDirs, ModelError, Normalisation, Region, Runtime, Task, boxes,
    manifest::{Facing, Meaning},
    masking::Cover,
    picture, resample,
};

/// A CenterFace session with the settings of its manifest.
pub struct Faces {
    manifest: Manifest,
    settings: Facing,
    session: Session,
    normalisation: Normalisation,
    input: Vec<f32>,
}

impl Faces {
    /// Opens the weights; the task is `face_blur`. Errors as [`crate::Detector::load`].
    pub fn load(runtime: &Runtime, manifest: &Manifest, dirs: &ModelDirs, threads: usize) -> Result<Self, ModelError> {
        manifest.require(Task::FaceBlur, Family::Centerface)?;
        let Some(settings) = manifest.faces.clone() else {
            return Err(manifest.unsuitable("the table [faces]", "none"));
        };
        let session = runtime.open(manifest, dirs, threads)?;
        Ok(Self { normalisation: manifest.normalisation(), manifest: manifest.clone(), settings, session, input: Vec::new() })
    }

    /// Adds the faces of this picture to the people that the detector found in it. This is the only way to make a [`Cover`], so
    /// a picture whose faces could not be looked for cannot be shown as masked. Errors: the mask is of a picture of another
    /// size, the picture is not whole, or the runtime failed.
    pub fn cover(&mut self, picture: &I420, people: Mask) -> Result<Cover, ModelError> {
        let faces = self.find(picture)?;
        Cover::new(picture, people, faces)
    }

    /// Boxes around faces in picture pixels.
    fn find(&mut self, picture: &I420) -> Result<Vec<Detection>, ModelError> {
        picture::check(picture)?;
        let start = Instant::now();
        let (width, height) = self.input_size(picture);
        self.input.resize(3 * width * height, 0.0);
        resample::fill_input(picture, Region::whole(picture), (width, height), (width, height), &self.normalisation, &mut self.input);
        let failed = |error: ort::Error| ModelError::Run { model: self.manifest.name.clone(), message: error.to_string() };
        let input = TensorRef::from_array_view(([1, 3, height, width], &*self.input)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.name.as_str() => input]).map_err(failed)?;
        let map = |meaning: Meaning| {
            let output = self.manifest.outputs.iter().find(|output| output.meaning == meaning);
            let name = output.map(|output| output.name.as_str()).unwrap_or_default();
            outputs[name].try_extract_tensor::<f32>().map(|tensor| tensor.1).map_err(failed)
        };
        let maps = Maps { scores: map(Meaning::FaceScores)?, sizes: map(Meaning::FaceSizes)?, offsets: map(Meaning::FaceOffsets)? };
        let stride = self.manifest.outputs[0].stride;
        let scale = (picture.width as f32 / width as f32, picture.height as f32 / height as f32);
        let found = maps.decode((width / stride, height / stride), stride as f32, scale, self.settings.score_threshold);
        let found =
            found.ok_or_else(|| ModelError::Run { model: self.manifest.name.clone(), message: "outputs of unequal size".into() })?;
        metrics::histogram!("qorgan_inference_seconds", "model" => self.manifest.name.clone()).record(start.elapsed());
        Ok(boxes::suppress(found, self.settings.iou_threshold))
    }

    /// Size of the input for a picture: its longer side at most the manifest's, both sides multiples of the manifest's.
    fn input_size(&self, picture: &I420) -> (usize, usize) {
        let Facing { max_side_px, multiple_px, .. } = self.settings;
        let factor = (max_side_px as f32 / picture.width.max(picture.height) as f32).min(1.0);
        let side =
            |length: usize| ((length as f32 * factor) as usize).div_ceil(multiple_px).clamp(1, max_side_px / multiple_px) * multiple_px;
        (side(picture.width), side(picture.height))
    }
}

/// The model's outputs, row by row.
struct Maps<'a> {
    scores: &'a [f32],
    /// Logarithms of the heights, then of the widths.
    sizes: &'a [f32],
    /// Down, then right.
    offsets: &'a [f32],
}

impl Maps<'_> {
    /// Boxes in picture pixels; none when the outputs do not fit each other. A number that is not finite is no box: the face it
    /// belonged to would be drawn nowhere, so the whole picture is refused.
    fn decode(&self, (columns, rows): (usize, usize), stride: f32, scale: (f32, f32), threshold: f32) -> Option<Vec<Detection>> {
        let cells = columns * rows;
        if self.scores.len() != cells || self.sizes.len() != 2 * cells || self.offsets.len() != 2 * cells {
            return None;
        }
        let mut found = Vec::new();
        for (cell, score) in self.scores.iter().enumerate() {
            if score.is_nan() {
                return None;
            }
            if *score < threshold {
                continue;
            }
            let (height, width) = (self.sizes[cell].exp() * stride, self.sizes[cells + cell].exp() * stride);
            let y = ((cell / columns) as f32 + 0.5 + self.offsets[cell]) * stride;
            let x = ((cell % columns) as f32 + 0.5 + self.offsets[cells + cell]) * stride;
            if ![x, y, width, height].iter().all(|number| number.is_finite()) {
                return None;
            }
            found.push(Detection {
                x0: (x - width / 2.0) * scale.0,
                y0: (y - height / 2.0) * scale.1,
                x1: (x + width / 2.0) * scale.0,
                y1: (y + height / 2.0) * scale.1,
                score: *score,
            });
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_becomes_a_box_in_picture_pixels() {
        let mut scores = vec![0.0; 6];
        scores[4] = 0.9;
        // Row 1, column 1 of 3 x 2 cells: 4 cells high, 2 wide, half a cell further down.
        let (mut sizes, mut offsets) = (vec![0.0; 12], vec![0.0; 12]);
        (sizes[4], sizes[10], offsets[4]) = (4f32.ln(), 2f32.ln(), 0.5);
        let maps = Maps { scores: &scores, sizes: &sizes, offsets: &offsets };
        let found = maps.decode((3, 2), 4.0, (2.0, 2.0), 0.5).expect("boxes");
        assert_eq!(found.len(), 1);
        let Detection { x0, y0, x1, y1, .. } = found[0];
        for (got, expected) in [(x0, 4.0), (y0, 0.0), (x1, 20.0), (y1, 32.0)] {
            assert!((got - expected).abs() < 1e-3, "{got} instead of {expected}");
        }
    }

    #[test]
    fn outputs_that_do_not_fit_or_are_no_numbers_refuse_the_picture() {
        let (scores, two) = (vec![0.9; 6], vec![0.0; 12]);
        assert!(Maps { scores: &scores, sizes: &two[..6], offsets: &two }.decode((3, 2), 4.0, (1.0, 1.0), 0.5).is_none());
        let mut broken = two.clone();
        broken[3] = f32::NAN;
        assert!(Maps { scores: &scores, sizes: &broken, offsets: &two }.decode((3, 2), 4.0, (1.0, 1.0), 0.5).is_none());
        broken[3] = 1e9;
        assert!(Maps { scores: &scores, sizes: &broken, offsets: &two }.decode((3, 2), 4.0, (1.0, 1.0), 0.5).is_none());
        let unsure = vec![f32::NAN; 6];
        assert!(Maps { scores: &unsure, sizes: &two, offsets: &two }.decode((3, 2), 4.0, (1.0, 1.0), 0.5).is_none());
    }
}
