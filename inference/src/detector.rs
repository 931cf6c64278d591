//! The detector: boxes around people, their number, and the mask of a still. One session, for one thread at a time.
//!
//! A picture larger than the input is cut into overlapping squares (`tiles`), so that people far away come out larger.

use std::time::Instant;

use ort::{session::Session, value::TensorRef};
use qorgan_domain::I420;

use crate::{
    CrowdModel, Detection, Estimate, Family, Interval, Manifest, Mask, ModelDirs, ModelError, Normalisation, Region, Runtime, Task, boxes,
    manifest::{Classes, Detecting, Meaning},
    nanodet::{Level, Placement, decode},
    picture, resample, tiles,
};

/// A NanoDet session with the settings of its manifest.
pub struct Detector {
    manifest: Manifest,
    settings: Detecting,
    classes: Classes,
    session: Session,
    side: usize,
    /// Fewer tiles than the manifest's, for a time.
    most_tiles: Option<usize>,
    normalisation: Normalisation,
    input: Vec<f32>,
}

impl Detector {
    /// Opens the weights: their size, hash and shapes are those of the manifest, its task is `person_count`, and it is
    /// enabled; anything else is an error that names the model, what was expected and what was found. `threads` is for one
    /// run; a session per core with one thread each is the fastest use of a machine.
    pub fn load(runtime: &Runtime, manifest: &Manifest, dirs: &ModelDirs, threads: usize) -> Result<Self, ModelError> {
        manifest.require(Task::PersonCount, Family::Nanodet)?;
        let (Some(settings), Some(classes)) = (manifest.detector.clone(), manifest.classes.clone()) else {
            return Err(manifest.unsuitable("the tables [detector] and [classes]", "none"));
        };
        let session = runtime.open(manifest, dirs, threads)?;
        let side = manifest.input.shape[2] as usize;
        Ok(Self {
            normalisation: manifest.normalisation(),
            input: vec![0.0; 3 * side * side],
            manifest: manifest.clone(),
            settings,
            classes,
            session,
            side,
            most_tiles: None,
        })
    }

    /// The manifest it was opened with.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Uses another score threshold or number of tiles than the manifest's: for measuring.
    pub fn tuned(mut self, score_threshold: Option<f32>, max_tiles: Option<usize>) -> Self {
        self.settings.score_threshold = score_threshold.unwrap_or(self.settings.score_threshold);
        self.settings.max_tiles = max_tiles.unwrap_or(self.settings.max_tiles).max(1);
        self
    }

    /// Counts in at most so many tiles from now on, or in as many as the manifest says: when there are more pictures than time, a
    /// look that finds people far away a little less surely is better than none. Masks are not affected.
    pub fn limit_tiles(&mut self, most: Option<usize>) {
        self.most_tiles = most;
    }

    /// Boxes around people, in picture pixels. Errors: the picture is not whole, or the runtime failed.
    pub fn detect(&mut self, picture: &I420) -> Result<Vec<Detection>, ModelError> {
        let tiles = self.settings.max_tiles.min(self.most_tiles.unwrap_or(usize::MAX)).max(1);
        self.detect_from(picture, self.settings.score_threshold, tiles)
    }

    /// What to hide on a still of this picture: found at a lower score than a count needs. This is the only way to make a
    /// [`Mask`], so a picture whose people could not be looked for cannot be shown masked.
    pub fn mask(&mut self, picture: &I420) -> Result<Mask, ModelError> {
        let boxes = self.detect_from(picture, self.settings.mask_threshold, self.settings.max_tiles)?;
        Ok(Mask::new(picture, boxes))
    }

    fn detect_from(&mut self, picture: &I420, threshold: f32, max_tiles: usize) -> Result<Vec<Detection>, ModelError> {
        picture::check(picture)?;
        let mut seen = Vec::new();
        for tile in tiles::plan(picture.width, picture.height, self.side, max_tiles) {
            let boxes = self.pass(picture, tile, threshold)?;
            seen.push((tile, boxes));
        }
        Ok(boxes::merge_tiles(seen, Region::whole(picture), self.settings.iou_threshold))
    }

    /// One run over one part of the picture.
    fn pass(&mut self, picture: &I420, region: Region, threshold: f32) -> Result<Vec<Detection>, ModelError> {
        let canvas = (self.side, self.side);
        let (placed, factor) = region.fitted(canvas);
        resample::fill_input(picture, region, placed, canvas, &self.normalisation, &mut self.input);
        let failed = |error: ort::Error| ModelError::Run { model: self.manifest.name.clone(), message: error.to_string() };
        let input = TensorRef::from_array_view(([1, 3, self.side, self.side], &*self.input)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.name.as_str() => input]).map_err(failed)?;
        let mut levels: Vec<Level<'_>> = Vec::with_capacity(3);
        for scores in self.manifest.outputs.iter().filter(|output| output.meaning == Meaning::ClassScores) {
            // The manifest was checked to have one output of distances per output of scores.
            let Some(distances) =
                self.manifest.outputs.iter().find(|output| output.meaning == Meaning::BoxDistances && output.stride == scores.stride)
            else {
                continue;
            };
            levels.push(Level {
                stride: scores.stride,
                scores: outputs[scores.name.as_str()].try_extract_tensor::<f32>().map_err(failed)?.1,
                distances: outputs[distances.name.as_str()].try_extract_tensor::<f32>().map_err(failed)?.1,
            });
        }
        let classes = (self.classes.count, self.classes.person);
        Ok(decode(&levels, classes, self.side, threshold, Placement { region, factor }))
    }
}

impl CrowdModel for Detector {
    fn estimate(&mut self, picture: &I420) -> Result<Estimate, ModelError> {
        let start = Instant::now();
        let boxes = self.detect(picture)?;
        metrics::histogram!("qorgan_inference_seconds", "model" => self.manifest.name.clone()).record(start.elapsed());
        let people = boxes.len() as f32;
        let Interval { low, high } = self.manifest.errors.interval(people);
        Ok(Estimate { people, low, high, boxes, model: self.manifest.name.clone() })
    }

    fn name(&self) -> &str {
        &self.manifest.name
    }
}
