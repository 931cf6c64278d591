//! The detector: boxes around people, their number, and the mask of a still. One session, for one thread at a time.
//!
//! A picture larger than the input is cut into overlapping squares (`tiles`), so that people far away come out larger. A model whose
//! input may have any size sees the same in one long input instead, and is given no padding: a picture costs what its area costs.

use std::time::Instant;

use ort::{session::Session, value::TensorRef};
use qorgan_domain::I420;

use crate::{
    CrowdModel, Detection, Estimate, Family, Interval, Manifest, Mask, ModelDirs, ModelError, Normalisation, Region, Runtime, Task, boxes,
    manifest::{Canvas, Classes, Detecting, Meaning},
    nanodet::{Level, Placement, decode},
    picture, resample, tiles,
    tiles::Tiling,
    yolox,
};

/// How quick a look has to be: when there are more pictures than time, a look that finds people far away less surely is better than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Hurry {
    /// As the manifest says.
    #[default]
    None,
    /// One input, however large the picture.
    OnePass,
    /// One input of three quarters of the side, where its sides may vary: about half the cost. Not where a crowd is looked at closely.
    Small,
}

/// A session of a detector with the settings of its manifest.
pub struct Detector {
    manifest: Manifest,
    settings: Detecting,
    classes: Classes,
    session: Session,
    canvas: Canvas,
    hurry: Hurry,
    normalisation: Normalisation,
    input: Vec<f32>,
}

impl Detector {
    /// Opens the weights: their size, hash and shapes are those of the manifest, its task is `person_count`, and it is
    /// enabled; anything else is an error that names the model, what was expected and what was found. `threads` is for one
    /// run; a session per core with one thread each is the fastest use of a machine.
    pub fn load(runtime: &Runtime, manifest: &Manifest, dirs: &ModelDirs, threads: usize) -> Result<Self, ModelError> {
        let family = if manifest.family == Family::Yolox { Family::Yolox } else { Family::Nanodet };
        manifest.require(Task::PersonCount, family)?;
        let (Some(settings), Some(classes)) = (manifest.detector.clone(), manifest.classes.clone()) else {
            return Err(manifest.unsuitable("the tables [detector] and [classes]", "none"));
        };
        let session = runtime.open(manifest, dirs, threads)?;
        let canvas = manifest.canvas().ok_or_else(|| manifest.unsuitable("a square input or one of any size", "neither"))?;
        Ok(Self {
            normalisation: manifest.normalisation(),
            input: vec![0.0; 3 * canvas.side * canvas.side],
            manifest: manifest.clone(),
            settings,
            classes,
            session,
            canvas,
            hurry: Hurry::None,
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

    /// Looks so from now on. Masks are not affected.
    pub fn set_hurry(&mut self, hurry: Hurry) {
        self.hurry = hurry;
    }

    /// Boxes around people, in picture pixels. Errors: the picture is not whole, or the runtime failed.
    pub fn detect(&mut self, picture: &I420) -> Result<Vec<Detection>, ModelError> {
        self.candidates(picture, self.settings.score_threshold, Tiling::Usual)
    }

    /// Everything that may be a person, from this score on, with small people looked for if asked. Errors as [`Detector::detect`].
    pub(crate) fn candidates(&mut self, picture: &I420, threshold: f32, tiling: Tiling) -> Result<Vec<Detection>, ModelError> {
        let plan = self.plan((picture.width, picture.height), tiling, self.hurry);
        self.detect_from(picture, threshold, plan)
    }

    /// A box counts from this score on.
    pub(crate) fn score_threshold(&self) -> f32 {
        self.settings.score_threshold
    }

    /// Pixels of the model's input per pixel of a picture of this size. That a look in a hurry sees people smaller says nothing of them.
    pub(crate) fn input_scale(&self, size_px: (usize, usize), tiling: Tiling) -> f32 {
        self.plan(size_px, tiling, self.hurry.min(Hurry::OnePass)).first().map_or(1.0, |(tile, input)| tile.fitted(*input).1)
    }

    /// Parts of a picture, each with the width and height of the input that shows it.
    fn plan(&self, size_px: (usize, usize), tiling: Tiling, hurry: Hurry) -> Vec<(Region, (usize, usize))> {
        let most = if hurry == Hurry::None { self.settings.max_tiles } else { 1 };
        let canvas = if hurry == Hurry::Small && tiling == Tiling::Usual { self.canvas.smaller() } else { self.canvas };
        let tiles = match tiling {
            Tiling::Usual => tiles::plan(size_px.0, size_px.1, self.canvas.side, most),
            Tiling::Fine => tiles::grid(size_px.0, size_px.1),
        };
        if tiling == Tiling::Usual && tiles.len() > 1 && self.canvas.multiple.is_some() {
            // One long input costs less than squares that overlap, and cuts nobody in two. (Small people are found better in tiles: in
            // a mall the error is 2.8 people with tiles and 3.6 with one large input of the same scale.)
            let whole = Region { x0: 0.0, y0: 0.0, width: size_px.0 as f32, height: size_px.1 as f32 };
            return vec![(whole, canvas.around(&whole, most))];
        }
        tiles.into_iter().map(|tile| (tile, canvas.around(&tile, 1))).collect()
    }

    /// What to hide on a still of this picture: found at a lower score than a count needs. This is the only way to make a
    /// [`Mask`], so a picture whose people could not be looked for cannot be shown masked.
    pub fn mask(&mut self, picture: &I420) -> Result<Mask, ModelError> {
        let plan = self.plan((picture.width, picture.height), Tiling::Usual, Hurry::None);
        let boxes = self.detect_from(picture, self.settings.mask_threshold, plan)?;
        Ok(Mask::new(picture, boxes))
    }

    fn detect_from(&mut self, picture: &I420, threshold: f32, plan: Vec<(Region, (usize, usize))>) -> Result<Vec<Detection>, ModelError> {
        picture::check(picture)?;
        let mut seen = Vec::new();
        for (tile, input) in plan {
            let boxes = self.pass(picture, tile, input, threshold)?;
            seen.push((tile, boxes));
        }
        Ok(boxes::merge_tiles(seen, Region::whole(picture), self.settings.iou_threshold))
    }

    /// One run over one part of the picture.
    fn pass(&mut self, picture: &I420, region: Region, canvas: (usize, usize), threshold: f32) -> Result<Vec<Detection>, ModelError> {
        let (placed, factor) = region.fitted(canvas);
        self.input.resize(self.input.len().max(3 * canvas.0 * canvas.1), 0.0);
        let numbers = &mut self.input[..3 * canvas.0 * canvas.1];
        resample::fill_input(picture, region, placed, canvas, &self.normalisation, numbers);
        let failed = |error: ort::Error| ModelError::Run { model: self.manifest.name.clone(), message: error.to_string() };
        let input = TensorRef::from_array_view(([1, 3, canvas.1, canvas.0], &*numbers)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.name.as_str() => input]).map_err(failed)?;
        let placement = Placement { region, factor };
        let wrong_size = || ModelError::Run {
            model: self.manifest.name.clone(),
            message: format!("the outputs have not as many cells as an input of {} x {} has", canvas.0, canvas.1),
        };
        if self.manifest.family == Family::Yolox {
            let rows = outputs[self.manifest.outputs[0].name.as_str()].try_extract_tensor::<f32>().map_err(failed)?.1;
            let layout = yolox::Layout { size: canvas, strides: &self.settings.strides, decoded: self.settings.decoded };
            if rows.len() != layout.cells() * (5 + self.classes.count) {
                return Err(wrong_size());
            }
            let found = yolox::decode(rows, &layout, self.classes.person, threshold, placement);
            return Ok(boxes::suppress(found, self.settings.iou_threshold));
        }
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
        decode(&levels, classes, canvas, threshold, placement).ok_or_else(wrong_size)
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
