//! The manifest of a model: what it may be used for, where it comes from, what it expects and what it gives.
//!
//! One TOML file per model in `models/`. Unknown keys are errors. Nothing here opens a session.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{ErrorModel, Mismatch, ModelError, Normalisation, Region};

/// What a model may be used for. There is no task that tells one person from another, and none may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Boxes around people, to count them.
    PersonCount,
    /// People per pixel, to count dense crowds.
    CrowdDensity,
    /// Boxes around faces, only to make them unrecognisable.
    FaceBlur,
}

impl Task {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "person_count" => Some(Self::PersonCount),
            "crowd_density" => Some(Self::CrowdDensity),
            "face_blur" => Some(Self::FaceBlur),
            _ => None,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PersonCount => "person_count",
            Self::CrowdDensity => "crowd_density",
            Self::FaceBlur => "face_blur",
        })
    }
}

/// How a model's numbers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Class scores and box distance distributions at strides 8, 16 and 32.
    Nanodet,
    /// Rows of box, objectness and class probabilities, as YOLOX exports them.
    Yolox,
    /// A map whose sum is the number of people.
    Density,
    /// Centres, sizes and offsets of faces, only to hide them.
    Centerface,
}

/// Order of the colour planes of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ColourOrder {
    /// Red first.
    #[serde(rename = "RGB")]
    Rgb,
    /// Blue first.
    #[serde(rename = "BGR")]
    Bgr,
}

/// Memory order of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Layout {
    /// Batch, channel, row, column.
    #[serde(rename = "NCHW")]
    Nchw,
}

/// The picture that a model takes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Name in the graph.
    pub(crate) name: String,
    /// Only one layout is accepted.
    layout: Layout,
    /// Shape; -1 is a dimension that may vary.
    pub(crate) shape: Vec<i64>,
    /// Order of the planes.
    pub(crate) colour_order: ColourOrder,
    /// Subtracted per plane, in input order; pixel values are 0 to 255.
    pub(crate) mean: [f32; 3],
    /// Divided by per plane, after the mean.
    pub(crate) std: [f32; 3],
}

/// One output of a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    /// Name in the graph.
    pub(crate) name: String,
    /// Shape; -1 is a dimension that may vary.
    pub(crate) shape: Vec<i64>,
    /// What the numbers are.
    pub(crate) meaning: Meaning,
    /// Pixels of the input per cell of the output; not for rows, whose strides are in `[detector]`.
    #[serde(default)]
    pub(crate) stride: usize,
    /// Unit of the numbers, for the reader.
    unit: String,
}

/// What an output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Meaning {
    /// Probability per cell and class.
    ClassScores,
    /// Logits of the distance to each side, in bins of one stride.
    BoxDistances,
    /// Per cell x, y, width, height, objectness and the classes' probabilities.
    Rows,
    /// People per cell.
    Density,
    /// Probability per cell that a face's centre lies there.
    FaceScores,
    /// Logarithms of height and width in cells.
    FaceSizes,
    /// Distance of the centre from the cell's, down and right, in cells.
    FaceOffsets,
}

/// Where the person is among the classes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Classes {
    /// Number of classes.
    pub(crate) count: usize,
    /// Index of the person. The others are never read.
    pub(crate) person: usize,
}

/// Settings of a detector.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detecting {
    /// A box counts from this score on, 0 to 1.
    pub(crate) score_threshold: f32,
    /// A box is hidden on a still from this score on: lower, because a missed person would be shown.
    pub(crate) mask_threshold: f32,
    /// Two boxes are one person from this intersection over union on, 0 to 1.
    pub(crate) iou_threshold: f32,
    /// Overlapping square tiles that a picture larger than the input is cut into, at most; where the input's sides may vary, one
    /// input up to so many times as long instead.
    pub(crate) max_tiles: usize,
    /// Where height and width of the input may vary: the longer side of what it is given, in pixels.
    #[serde(default)]
    pub(crate) max_side_px: Option<usize>,
    /// Where they may vary: each is a multiple of this, in pixels.
    #[serde(default)]
    pub(crate) multiple_px: Option<usize>,
    /// YOLOX: strides of the rows, in their order.
    #[serde(default)]
    pub(crate) strides: Vec<usize>,
    /// YOLOX: the graph has already turned x, y, width and height into input pixels.
    #[serde(default)]
    pub(crate) decoded: bool,
}

/// What a detector is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canvas {
    /// Side of the square, or the longer side, in pixels.
    pub(crate) side: usize,
    /// Both sides may be any multiple of this, in pixels; none: a square and nothing else.
    pub(crate) multiple: Option<usize>,
}

impl Canvas {
    /// Three quarters of the side, where it may vary.
    pub(crate) fn smaller(self) -> Self {
        match self.multiple {
            Some(multiple) => Self { side: (self.side * 3 / 4).next_multiple_of(multiple), ..self },
            None => self,
        }
    }

    /// The smallest input (width, height) that shows a part of a picture with its longer side as long as the input's, or where more
    /// may be spent, up to `times` that long with the shorter side as long as the input's.
    pub(crate) fn around(self, region: &Region, times: usize) -> (usize, usize) {
        let Some(multiple) = self.multiple else { return (self.side, self.side) };
        let long = self.side * times.max(1);
        let most = if region.width >= region.height { (long, self.side) } else { (self.side, long) };
        // A few pixels less are a whole column of cells less.
        let whole = |length: usize| (length / multiple * multiple).max(multiple);
        let (fits, _) = region.fitted(most);
        let limit = if region.width >= region.height { (whole(fits.0), most.1) } else { (most.0, whole(fits.1)) };
        let ((width, height), _) = region.fitted(limit);
        (width.next_multiple_of(multiple), height.next_multiple_of(multiple))
    }
}

/// Settings of a density map.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// The longer side of the picture is reduced to this, in pixels.
    pub(crate) max_side_px: usize,
    /// Sides of the input are multiples of this, in pixels.
    pub(crate) multiple_px: usize,
    /// A picture whose longer side has at least this many pixels is also seen at half its size, and that map is used where
    /// people are few: there the full size takes trees and large people for crowds. Left out: never.
    #[serde(default)]
    pub(crate) half_from_px: Option<usize>,
    /// A part of the picture is dense from this many people per 64 x 64 input pixels on.
    #[serde(default = "dense_from")]
    pub(crate) dense_from: f32,
    /// In dense parts the map is multiplied by this.
    #[serde(default = "one")]
    pub(crate) dense_gain: f32,
}

fn dense_from() -> f32 {
    2.0
}

fn one() -> f32 {
    1.0
}

/// Settings of a model that finds faces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facing {
    /// A face is hidden from this score on, 0 to 1.
    pub(crate) score_threshold: f32,
    /// Two boxes are one face from this intersection over union on, 0 to 1.
    pub(crate) iou_threshold: f32,
    /// The longer side of the picture is reduced to this, in pixels.
    pub(crate) max_side_px: usize,
    /// Sides of the input are multiples of this, in pixels.
    pub(crate) multiple_px: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    enabled: bool,
    task: String,
    family: Family,
    file: String,
    bytes: u64,
    sha256: String,
    licence: String,
    source: String,
    prepared_by: String,
    repair: String,
    training_data: String,
    measured: Vec<String>,
    input: Input,
    outputs: Vec<Output>,
    classes: Option<Classes>,
    detector: Option<Detecting>,
    density: Option<Mapping>,
    faces: Option<Facing>,
    errors: ErrorModel,
}

/// A manifest that has been read and whose task is allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The file it was read from.
    pub path: PathBuf,
    /// Name, as it appears in counts.
    pub name: String,
    /// Whether the model may be used: the one line that switches it off.
    pub enabled: bool,
    /// What it may be used for.
    pub task: Task,
    /// How its numbers are read.
    pub family: Family,
    /// File name of the weights.
    pub file: String,
    /// Size of the weights in bytes.
    pub bytes: u64,
    /// SHA-256 of the weights, lower-case hex.
    pub sha256: String,
    /// Licence, as an SPDX expression.
    pub licence: String,
    /// Package and upstream project that the weights come from.
    pub source: String,
    /// Script that made the file from its source.
    pub prepared_by: String,
    /// Command that brings the file back.
    pub repair: String,
    /// What it was trained on, as far as known.
    pub training_data: String,
    /// Measured errors, each a sentence with its conditions.
    pub measured: Vec<String>,
    /// How wrong its counts are, for the interval.
    pub errors: ErrorModel,
    pub(crate) input: Input,
    pub(crate) outputs: Vec<Output>,
    pub(crate) classes: Option<Classes>,
    pub(crate) detector: Option<Detecting>,
    pub(crate) density: Option<Mapping>,
    pub(crate) faces: Option<Facing>,
}

/// Where the weights are looked for: the repository's `models/` first, then what set-up made in `var/models/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDirs {
    /// Committed manifests and weights.
    pub models: PathBuf,
    /// Weights that set-up made.
    pub made: PathBuf,
}

impl ModelDirs {
    /// `models` holds manifests; `var` is the directory of set-up products, with `models/` in it.
    pub fn new(models: impl Into<PathBuf>, var: impl AsRef<Path>) -> Self {
        Self { models: models.into(), made: var.as_ref().join("models") }
    }
}

/// Weights whose size and hash are those of the manifest.
pub(crate) struct Weights {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Manifest {
    /// Reads a manifest. Errors: not readable, not TOML, unknown or missing keys, a task that is not allowed, numbers
    /// that cannot be right.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Io { path: path.into(), source })?;
        Self::parse(path, &text)
    }

    /// As [`Manifest::read`], from its text; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ModelError> {
        let raw: Raw = toml::from_str(text)
            .map_err(|error| ModelError::Manifest { path: path.into(), message: error.to_string().trim().to_owned() })?;
        let task = Task::parse(&raw.task).ok_or_else(|| ModelError::TaskRefused {
            path: path.into(),
            model: raw.name.clone(),
            task: raw.task.clone(),
        })?;
        let manifest = Self {
            path: path.into(),
            name: raw.name,
            enabled: raw.enabled,
            task,
            family: raw.family,
            file: raw.file,
            bytes: raw.bytes,
            sha256: raw.sha256,
            licence: raw.licence,
            source: raw.source,
            prepared_by: raw.prepared_by,
            repair: raw.repair,
            training_data: raw.training_data,
            measured: raw.measured,
            errors: raw.errors,
            input: raw.input,
            outputs: raw.outputs,
            classes: raw.classes,
            detector: raw.detector,
            density: raw.density,
            faces: raw.faces,
        };
        match manifest.complaint() {
            None => Ok(manifest),
            Some(message) => Err(ModelError::Manifest { path: path.into(), message: format!("model {}: {message}", manifest.name) }),
        }
    }

    /// How the model wants its colours.
    pub fn normalisation(&self) -> Normalisation {
        Normalisation { order: self.input.colour_order, mean: self.input.mean, std: self.input.std }
    }

    /// What cannot be right, if anything.
    fn complaint(&self) -> Option<String> {
        let plain = |text: &str| !text.is_empty() && !text.contains(['/', '\\']) && !text.contains("..");
        if !plain(&self.name) || !plain(&self.file) {
            return Some("name and file are plain names without a directory".into());
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Some(format!("sha256 is 64 lower-case hex digits, found {:?}", self.sha256));
        }
        if !(self.input.shape.len() == 4 && self.input.shape[..2] == [1, 3]) {
            return Some(format!("input shape starts with 1, 3 and has four dimensions, found {:?}", self.input.shape));
        }
        if self.input.std.iter().any(|std| std.is_nan() || *std <= 0.0) {
            return Some(format!("input std is positive, found {:?}", self.input.std));
        }
        match self.family {
            Family::Nanodet => self.nanodet_complaint(),
            Family::Yolox => self.yolox_complaint(),
            Family::Density => match (&self.density, self.outputs.as_slice()) {
                (
                    Some(Mapping { max_side_px: 8..=8192, multiple_px: 1..=64, dense_from, dense_gain, .. }),
                    [Output { meaning: Meaning::Density, .. }],
                ) if *dense_from > 0.0 && (0.5..=2.0).contains(dense_gain) => None,
                _ => Some("family density needs a table [density] with sensible sizes and one output that means density".into()),
            },
            Family::Centerface => self.centerface_complaint(),
        }
    }

    /// What cannot be right of any detector.
    fn detector_complaint(&self) -> Option<String> {
        let (Some(settings), Some(classes)) = (&self.detector, &self.classes) else {
            return Some("a detector needs the tables [detector] and [classes]".into());
        };
        let unit = 0.0..=1.0;
        if ![settings.score_threshold, settings.mask_threshold, settings.iou_threshold].iter().all(|t| unit.contains(t)) {
            return Some("thresholds are between 0 and 1".into());
        }
        if !(1..=4).contains(&settings.max_tiles) {
            return Some(format!("max_tiles is 1 to 4, found {}", settings.max_tiles));
        }
        if classes.person >= classes.count {
            return Some(format!("class person is index {} of {}", classes.person, classes.count));
        }
        let Some(canvas) = self.canvas() else {
            return Some(format!(
                "input is square, 32 to 4096 pixels, or its sides are -1 and [detector] has max_side_px and multiple_px, found {:?}",
                self.input.shape
            ));
        };
        if !(32..=4096).contains(&canvas.side) || canvas.multiple.is_some_and(|multiple| multiple == 0 || canvas.side % multiple != 0) {
            return Some(format!("the input's side is 32 to 4096 pixels and a multiple of multiple_px, found {}", canvas.side));
        }
        let strides = self.outputs.iter().map(|output| output.stride).chain(settings.strides.iter().copied());
        if let (Some(multiple), Some(stride)) = (canvas.multiple, strides.max())
            && stride > 0
            && multiple % stride != 0
        {
            return Some(format!("multiple_px is a multiple of every stride, found {multiple} and {stride}"));
        }
        None
    }

    /// What a detector's input is: a square, or anything up to a side.
    pub(crate) fn canvas(&self) -> Option<Canvas> {
        let settings = self.detector.as_ref()?;
        match (&self.input.shape[2..], settings.max_side_px, settings.multiple_px) {
            ([-1, -1], Some(side), Some(multiple)) => Some(Canvas { side, multiple: Some(multiple) }),
            ([height, width], None, None) if height == width => Some(Canvas { side: usize::try_from(*height).ok()?, multiple: None }),
            _ => None,
        }
    }

    fn yolox_complaint(&self) -> Option<String> {
        if let Some(complaint) = self.detector_complaint() {
            return Some(complaint);
        }
        let (settings, classes) = (self.detector.as_ref()?, self.classes.as_ref()?);
        let Canvas { side, multiple } = self.canvas()?;
        if settings.strides.is_empty() || settings.strides.iter().any(|stride| *stride == 0 || side % *stride != 0) {
            return Some(format!("strides of [detector] divide the input's side {side}, found {:?}", settings.strides));
        }
        let rows = match multiple {
            Some(_) => -1,
            None => settings.strides.iter().map(|stride| (side / *stride).pow(2) as i64).sum(),
        };
        let expected = [1, rows, 5 + classes.count as i64];
        match self.outputs.as_slice() {
            [Output { meaning: Meaning::Rows, shape, .. }] if *shape == expected => None,
            _ => Some(format!("family yolox has one output that means rows, of shape {expected:?}")),
        }
    }

    fn nanodet_complaint(&self) -> Option<String> {
        if let Some(complaint) = self.detector_complaint() {
            return Some(complaint);
        }
        let classes = self.classes.as_ref()?;
        let Canvas { side, multiple } = self.canvas()?;
        let (scores, distances): (Vec<_>, Vec<_>) = self.outputs.iter().partition(|output| output.meaning == Meaning::ClassScores);
        if scores.is_empty() || scores.len() != distances.len() {
            return Some("outputs come in pairs: class_scores and box_distances of the same stride".into());
        }
        for output in &scores {
            let cells = match (multiple, output.stride) {
                (_, 0) => 0,
                (Some(_), _) => -1,
                (None, stride) => side.div_ceil(stride).pow(2) as i64,
            };
            let pair = distances.iter().find(|other| other.meaning == Meaning::BoxDistances && other.stride == output.stride);
            let fits = match pair.map(|pair| pair.shape.as_slice()) {
                Some([1, rows, numbers]) => *rows == cells && *numbers > 0 && numbers % 4 == 0,
                _ => false,
            };
            if cells == 0 || output.shape != [1, cells, classes.count as i64] || !fits {
                return Some(format!(
                    "outputs of stride {} have shapes [1, {cells}, {}] for class_scores and [1, {cells}, 4 x bins] for box_distances",
                    output.stride, classes.count
                ));
            }
        }
        None
    }

    fn centerface_complaint(&self) -> Option<String> {
        let Some(Facing { score_threshold, iou_threshold, max_side_px: 64..=8192, multiple_px: 1..=64 }) = &self.faces else {
            return Some("family centerface needs a table [faces] with sensible sizes".into());
        };
        if ![score_threshold, iou_threshold].iter().all(|t| (0.0..=1.0).contains(*t)) {
            return Some("thresholds are between 0 and 1".into());
        }
        let one = |meaning| {
            self.outputs.iter().filter(|output| output.meaning == meaning && output.stride == self.outputs[0].stride).count() == 1
        };
        let three = self.outputs.len() == 3 && self.outputs[0].stride > 0;
        if !three || ![Meaning::FaceScores, Meaning::FaceSizes, Meaning::FaceOffsets].into_iter().all(one) {
            return Some(
                "family centerface has three outputs of one stride: face_scores, face_sizes and face_offsets; never landmarks".into(),
            );
        }
        None
    }

    /// Refuses a model that is switched off or made for something else.
    pub(crate) fn require(&self, task: Task, family: Family) -> Result<(), ModelError> {
        if !self.enabled {
            return Err(self.unsuitable("enabled = true", "enabled = false"));
        }
        if self.task != task || self.family != family {
            return Err(self.unsuitable(&format!("task {task}, {family:?}"), &format!("task {}, {:?}", self.task, self.family)));
        }
        Ok(())
    }

    pub(crate) fn unsuitable(&self, expected: &str, found: &str) -> ModelError {
        ModelError::Unsuitable { model: self.name.clone(), expected: expected.into(), found: found.into() }
    }

    /// Reads the weights and checks size and hash.
    pub(crate) fn weights(&self, dirs: &ModelDirs) -> Result<Weights, ModelError> {
        let path = [&dirs.models, &dirs.made].into_iter().map(|dir| dir.join(&self.file)).find(|path| path.is_file());
        let path = path.ok_or_else(|| ModelError::Missing {
            model: self.name.clone(),
            file: self.file.clone(),
            looked_in: format!("{} or {}", dirs.models.display(), dirs.made.display()),
            repair: self.repair.clone(),
        })?;
        let bytes = std::fs::read(&path).map_err(|source| ModelError::Io { path: path.clone(), source })?;
        if bytes.len() as u64 != self.bytes {
            return Err(self.mismatch(&path, "size in bytes", self.bytes, bytes.len()));
        }
        let found = hex::encode(Sha256::digest(&bytes));
        if found != self.sha256 {
            return Err(self.mismatch(&path, "sha256", &self.sha256, found));
        }
        Ok(Weights { path, bytes })
    }

    pub(crate) fn mismatch(&self, file: &Path, what: &str, expected: impl fmt::Display, found: impl fmt::Display) -> ModelError {
        ModelError::Mismatch(Box::new(Mismatch {
            model: self.name.clone(),
            file: file.into(),
            what: what.into(),
            expected: expected.to_string(),
            found: found.to_string(),
            repair: self.repair.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_of_any_size_is_no_larger_than_the_picture_needs() {
        let fit = |width: f32, height: f32, multiple, times| {
            Canvas { side: 416, multiple }.around(&Region { x0: 0.0, y0: 0.0, width, height }, times)
        };
        let around = |width, height, multiple| fit(width, height, multiple, 1);
        assert_eq!(around(640.0, 360.0, Some(32)), (416, 256));
        assert_eq!(around(360.0, 640.0, Some(32)), (256, 416));
        assert_eq!(around(640.0, 480.0, Some(32)), (416, 320));
        assert_eq!(around(100.0, 100.0, Some(32)), (416, 416));
        assert_eq!(around(4000.0, 1.0, Some(32)), (416, 32));
        assert_eq!(around(640.0, 360.0, None), (416, 416));
        let small = Canvas { side: 416, multiple: Some(32) }.smaller();
        assert_eq!(small.around(&Region { x0: 0.0, y0: 0.0, width: 640.0, height: 360.0 }, 1), (320, 192));
        // Twice as long at most: what two squares would show, in one pass.
        assert_eq!(fit(640.0, 360.0, Some(32), 2), (736, 416));
        assert_eq!(fit(1080.0, 1920.0, Some(32), 2), (416, 736));
        assert_eq!(fit(640.0, 480.0, Some(32), 2), (544, 416));
        assert_eq!(fit(4000.0, 100.0, Some(32), 2), (832, 32));
    }
}
