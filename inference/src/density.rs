//! The density map: people per cell, whose sum is their number. Right in dense crowds, poor in sparse scenes, slow.
//!
//! The network knows crowds of one size of head. In a large picture it takes trees, windows and people near the camera for
//! crowds; seen at half the size it does not, but loses heads far away. So a large picture is seen at both sizes, and every
//! part of it by the one that fits: half where people are few, full where they are dense (`[density]` in the manifest).

use std::time::Instant;

use ort::{session::Session, value::TensorRef};
use qorgan_domain::I420;

use crate::{
    CrowdModel, Estimate, Family, Interval, Manifest, ModelDirs, ModelError, Normalisation, Polygon, Region, Runtime, Task,
    manifest::Mapping, picture, resample,
};

/// A session of a density map with the settings of its manifest.
pub struct DensityMap {
    manifest: Manifest,
    settings: Mapping,
    session: Session,
    normalisation: Normalisation,
    input: Vec<f32>,
}

/// People per cell of a grid over the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct CrowdGrid {
    columns: usize,
    rows: usize,
    cells: Vec<f32>,
    /// The part of the people that stands where the map is dense, 0 to 1.
    pub(crate) dense_part: f32,
}

impl CrowdGrid {
    /// Errors are the caller's: `cells` holds `columns * rows` numbers, row by row.
    pub(crate) fn new(columns: usize, rows: usize, cells: Vec<f32>) -> Self {
        debug_assert_eq!(cells.len(), columns * rows);
        Self { columns, rows, cells, dense_part: 0.0 }
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// All people.
    pub fn sum(&self) -> f32 {
        (self.cells.iter().map(|cell| f64::from(*cell)).sum::<f64>() as f32).max(0.0)
    }

    /// People inside a polygon: cells count by the part of them that is inside.
    pub fn inside(&self, shape: &Polygon) -> f32 {
        let cover = shape.cover(self.columns, self.rows);
        self.cells.iter().zip(cover).map(|(people, part)| people * part).sum::<f32>().max(0.0)
    }

    /// Empties what is under a mask: there is nobody to count on a black patch.
    pub(crate) fn without(mut self, masks: &[Polygon]) -> Self {
        for mask in masks {
            let cover = mask.cover(self.columns, self.rows);
            self.cells.iter_mut().zip(cover).for_each(|(people, part)| *people *= 1.0 - part);
        }
        self
    }

    /// The same people on another grid: each cell is spread evenly over the new cells it overlaps.
    fn resampled(&self, columns: usize, rows: usize) -> Self {
        let across = overlaps(self.columns, columns);
        let down = overlaps(self.rows, rows);
        let mut cells = vec![0.0; columns * rows];
        for (row, people) in self.cells.chunks_exact(self.columns).enumerate() {
            for (to_row, part) in &down[row] {
                for (column, people) in people.iter().enumerate() {
                    for (to_column, width) in &across[column] {
                        cells[to_row * columns + to_column] += people * part * width;
                    }
                }
            }
        }
        Self { columns, rows, cells, dense_part: self.dense_part }
    }
}

/// For each of `from` equal parts of a length, the parts out of `to` that it overlaps, and how much of it each gets.
fn overlaps(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = to as f32 / from as f32;
    let part = |i: usize| {
        let (start, end) = (i as f32 * scale, (i + 1) as f32 * scale);
        let whole = (start.floor() as usize..(end.ceil() as usize).min(to)).map(|j| {
            let shared = (end.min(j as f32 + 1.0) - start.max(j as f32)).max(0.0);
            (j, shared / (end - start))
        });
        whole.filter(|(_, share)| *share > 0.0).collect()
    };
    (0..from).map(part).collect()
}

/// Cells per side of a part of the map that is judged dense or not: 64 input pixels at a stride of 8.
const PART: usize = 8;

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

    /// Where the people of a picture are. Errors: the picture is not whole, or the runtime failed.
    pub fn map(&mut self, picture: &I420) -> Result<CrowdGrid, ModelError> {
        picture::check(picture)?;
        let start = Instant::now();
        let full = self.pass(picture, 1.0)?;
        let halved = self.settings.half_from_px.is_some_and(|from| picture.width.max(picture.height) >= from);
        let half = if halved { Some(self.pass(picture, 0.5)?) } else { None };
        metrics::histogram!("qorgan_inference_seconds", "model" => self.manifest.name.clone()).record(start.elapsed());
        Ok(join(full, half, &self.settings))
    }

    /// One run over the whole picture, reduced by `scale` beyond what the manifest's size asks for.
    fn pass(&mut self, picture: &I420, scale: f32) -> Result<CrowdGrid, ModelError> {
        let (width, height) = self.input_size(picture, scale);
        self.input.resize(3 * width * height, 0.0);
        resample::fill_input(picture, Region::whole(picture), (width, height), (width, height), &self.normalisation, &mut self.input);
        let failed = |message: String| ModelError::Run { model: self.manifest.name.clone(), message };
        let input = TensorRef::from_array_view(([1, 3, height, width], &*self.input)).map_err(|e| failed(e.to_string()))?;
        let outputs = self.session.run(ort::inputs![self.manifest.input.name.as_str() => input]).map_err(|e| failed(e.to_string()))?;
        let (shape, cells) =
            outputs[self.manifest.outputs[0].name.as_str()].try_extract_tensor::<f32>().map_err(|e| failed(e.to_string()))?;
        let &[1, 1, rows, columns] = &shape[..] else {
            return Err(failed(format!("expected a map of shape 1x1xHxW, found {shape:?}")));
        };
        if !cells.iter().map(|cell| f64::from(*cell)).sum::<f64>().is_finite() {
            return Err(failed("expected a map of numbers, found NaN or infinity".into()));
        }
        Ok(CrowdGrid::new(columns as usize, rows as usize, cells.to_vec()))
    }

    /// Size of the input for a picture: its longer side at most the manifest's, both sides multiples of the manifest's.
    fn input_size(&self, picture: &I420, scale: f32) -> (usize, usize) {
        let Mapping { max_side_px, multiple_px, .. } = self.settings;
        let factor = (max_side_px as f32 / picture.width.max(picture.height) as f32).min(1.0) * scale;
        let side = |length: usize| {
            let cells = (length as f32 * factor / multiple_px as f32).round() as usize;
            cells.clamp(1, (max_side_px / multiple_px).max(1)) * multiple_px
        };
        (side(picture.width), side(picture.height))
    }
}

/// Part by part the map that fits: half the size where people are few, the full one, with its gain, where they are dense. Between
/// them the change is gradual, so that one person more or less does not make a part jump.
fn join(full: CrowdGrid, half: Option<CrowdGrid>, settings: &Mapping) -> CrowdGrid {
    let coarse = half.map_or_else(|| full.clone(), |half| half.resampled(full.columns, full.rows));
    let (columns, rows) = (full.columns, full.rows);
    let mut cells = vec![0.0; columns * rows];
    let (mut all_people, mut dense_people) = (0.0, 0.0);
    for top in (0..rows).step_by(PART) {
        for left in (0..columns).step_by(PART) {
            let (bottom, right) = ((top + PART).min(rows), (left + PART).min(columns));
            let part = || (top..bottom).flat_map(|row| (left..right).map(move |column| row * columns + column));
            let size = (bottom - top) * (right - left);
            let people = part().map(|i| coarse.cells[i]).sum::<f32>() * (PART * PART) as f32 / size as f32;
            let dense = 1.0 / (1.0 + (-(people - settings.dense_from) / (0.3 * settings.dense_from)).exp());
            for i in part() {
                let fitting = full.cells[i] * settings.dense_gain * dense;
                cells[i] = coarse.cells[i] * (1.0 - dense) + fitting;
                all_people += cells[i];
                dense_people += fitting;
            }
        }
    }
    let dense_part = if all_people > 0.0 { (dense_people / all_people).clamp(0.0, 1.0) } else { 0.0 };
    CrowdGrid { columns, rows, cells, dense_part }
}

impl CrowdModel for DensityMap {
    fn estimate(&mut self, picture: &I420) -> Result<Estimate, ModelError> {
        let people = self.map(picture)?.sum();
        let Interval { low, high } = self.manifest.errors.interval(people);
        Ok(Estimate { people, low, high, boxes: Vec::new(), model: self.manifest.name.clone() })
    }

    fn name(&self) -> &str {
        &self.manifest.name
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::polygon;

    fn settings(dense_gain: f32) -> Mapping {
        Mapping { max_side_px: 1024, multiple_px: 8, half_from_px: Some(800), dense_from: 2.0, dense_gain }
    }

    #[test]
    fn few_people_are_taken_from_the_half_size_and_many_from_the_full_one() {
        let grid = |per_cell: f32| CrowdGrid::new(8, 8, vec![per_cell; 64]);
        // Half size: 0.6 people in all; full size sees trees.
        let few = join(grid(0.1), Some(CrowdGrid::new(4, 4, vec![0.6 / 16.0; 16])), &settings(1.1));
        assert!((0.5..1.3).contains(&few.sum()) && few.dense_part < 0.6, "{few:?}");
        // Half size: 16 people; full size 20.
        let many = join(grid(20.0 / 64.0), Some(CrowdGrid::new(4, 4, vec![1.0; 16])), &settings(1.1));
        assert!((many.sum() - 22.0).abs() < 0.1, "{}", many.sum());
    }

    #[test]
    fn a_masked_corner_holds_nobody() {
        let grid = CrowdGrid::new(10, 10, vec![1.0; 100]);
        let corner = polygon(&[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]);
        assert!((grid.clone().without(std::slice::from_ref(&corner)).sum() - 75.0).abs() < 1e-3);
        assert!((grid.inside(&corner) - 25.0).abs() < 1e-3);
    }

    proptest! {
        #[test]
        fn another_grid_holds_the_same_people(columns in 1usize..20, rows in 1usize..20, to in (1usize..40, 1usize..40), seed in 0u32..99) {
            let cells = (0..columns * rows).map(|i| ((i as u32 * 7 + seed) % 13) as f32 / 13.0).collect();
            let grid = CrowdGrid::new(columns, rows, cells);
            let other = grid.resampled(to.0, to.1);
            prop_assert!((grid.sum() - other.sum()).abs() < 1e-3 * (1.0 + grid.sum()));
            prop_assert_eq!(other.size(), to);
        }

        #[test]
        fn two_halves_of_the_picture_hold_all_people(columns in 2usize..40, rows in 2usize..40, at in 0.1f32..0.9) {
            let grid = CrowdGrid::new(columns, rows, (0..columns * rows).map(|i| (i % 5) as f32 / 5.0).collect());
            let left = grid.inside(&polygon(&[(0.0, 0.0), (at, 0.0), (at, 1.0), (0.0, 1.0)]));
            let right = grid.inside(&polygon(&[(at, 0.0), (1.0, 0.0), (1.0, 1.0), (at, 1.0)]));
            prop_assert!((left + right - grid.sum()).abs() < 0.02 * grid.sum() + 0.01);
        }
    }
}
