//! Whether a picture is worth a run of the model: has anything changed since the last one that was analysed?

use std::time::{Duration, Instant};

use qorgan_domain::I420;

/// Cells of the grid that pictures are compared on: columns and rows. A cell of a 768x576 picture is 12x12 pixels, about a
/// person far away; the mean of a cell hides the noise of a camera.
const GRID: (usize, usize) = (64, 48);

/// A cell has changed from this difference of mean luma on, in levels of 0 to 255. Noise and compression of a quiet scene
/// move a cell's mean by two or three.
const CELL_LEVELS: u8 = 8;

/// Of each cell, at most this many rows and columns are read.
const SAMPLES_PER_SIDE: usize = 12;

/// What to do with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Run the model.
    Analyse(Why),
    /// Use the last count again.
    Reuse,
}

/// Why a picture is analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing was analysed before.
    First,
    /// The picture has another size.
    Resized,
    /// So many of the grid's cells have changed.
    Changed {
        /// Cells of 3072.
        cells: usize,
    },
    /// The last analysed picture is too old.
    Aged,
    /// Its planes are shorter than its size says: the model refuses it with the reason.
    Broken,
}

/// The gate of one camera.
#[derive(Debug, Clone)]
pub struct ChangeGate {
    max_age: Duration,
    last: Option<Analysed>,
    waiting: Option<Grid>,
}

#[derive(Debug, Clone)]
struct Analysed {
    grid: Grid,
    at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grid {
    size: (usize, usize),
    means: Vec<u8>,
}

impl ChangeGate {
    /// A gate that lets a picture through at least every `max_age`.
    pub fn new(max_age: Duration) -> Self {
        Self { max_age, last: None, waiting: None }
    }

    /// Judges a picture. Pure but for remembering its grid until [`ChangeGate::analysed`].
    pub fn judge(&mut self, picture: &I420, now: Instant) -> Verdict {
        if !picture.is_whole() {
            self.waiting = None;
            return Verdict::Analyse(Why::Broken);
        }
        let grid = Grid::of(picture);
        let verdict = match &self.last {
            None => Verdict::Analyse(Why::First),
            Some(last) if last.grid.size != grid.size => Verdict::Analyse(Why::Resized),
            Some(last) => match last.grid.changed_cells(&grid) {
                0 if now.saturating_duration_since(last.at) < self.max_age => Verdict::Reuse,
                0 => Verdict::Analyse(Why::Aged),
                cells => Verdict::Analyse(Why::Changed { cells }),
            },
        };
        self.waiting = Some(grid);
        verdict
    }

    /// The picture judged last has been analysed: later ones are compared with it. Without this call, after a failed run,
    /// they are compared with the one before.
    pub fn analysed(&mut self, now: Instant) {
        if let Some(grid) = self.waiting.take() {
            self.last = Some(Analysed { grid, at: now });
        }
    }
}

impl Grid {
    fn of(picture: &I420) -> Self {
        let mut means = Vec::with_capacity(GRID.0 * GRID.1);
        for row in 0..GRID.1 {
            for column in 0..GRID.0 {
                let (x0, x1) = cell(column, GRID.0, picture.width);
                let (y0, y1) = cell(row, GRID.1, picture.height);
                let (step_x, step_y) = ((x1 - x0).div_ceil(SAMPLES_PER_SIDE), (y1 - y0).div_ceil(SAMPLES_PER_SIDE));
                let (mut sum, mut count) = (0u32, 0u32);
                for y in (y0..y1).step_by(step_y) {
                    let line = &picture.y[y * picture.y_stride + x0..y * picture.y_stride + x1];
                    for pixel in line.iter().step_by(step_x) {
                        sum += u32::from(*pixel);
                        count += 1;
                    }
                }
                means.push((sum / count.max(1)) as u8);
            }
        }
        Self { size: (picture.width, picture.height), means }
    }

    fn changed_cells(&self, other: &Self) -> usize {
        self.means.iter().zip(&other.means).filter(|(a, b)| a.abs_diff(**b) >= CELL_LEVELS).count()
    }
}

/// Pixels of a cell along one axis; never empty, so that tiny pictures share pixels between cells.
fn cell(index: usize, cells: usize, length: usize) -> (usize, usize) {
    let from = (index * length / cells).min(length - 1);
    (from, ((index + 1) * length / cells).max(from + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::test_picture;

    const MAX_AGE: Duration = Duration::from_secs(10);

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    /// A grey scene with camera noise of up to two levels.
    fn quiet(seed: u8) -> I420 {
        let mut picture = test_picture(768, 576, 0);
        for (i, pixel) in picture.y.iter_mut().enumerate() {
            *pixel = 120 + ((i as u32).wrapping_mul(2_654_435_761).wrapping_add(u32::from(seed) * 977) >> 16) as u8 % 3;
        }
        picture
    }

    fn with_person(mut picture: I420, x: usize, y: usize) -> I420 {
        for row in y..y + 36 {
            let at = row * picture.y_stride + x;
            picture.y[at..at + 14].fill(60);
        }
        picture
    }

    #[test]
    fn noise_is_reused_and_a_person_far_away_is_analysed() {
        let start = Instant::now();
        let mut gate = ChangeGate::new(MAX_AGE);
        assert_eq!(gate.judge(&quiet(0), start), Verdict::Analyse(Why::First));
        gate.analysed(start);
        assert_eq!(gate.judge(&quiet(1), at(start, 1)), Verdict::Reuse);
        let Verdict::Analyse(Why::Changed { cells }) = gate.judge(&with_person(quiet(2), 301, 200), at(start, 2)) else {
            panic!("a person came")
        };
        assert!((2..=12).contains(&cells), "{cells}");
    }

    #[test]
    fn a_failed_run_leaves_the_gate_open() {
        let start = Instant::now();
        let mut gate = ChangeGate::new(MAX_AGE);
        gate.judge(&quiet(0), start);
        assert_eq!(gate.judge(&quiet(0), at(start, 1)), Verdict::Analyse(Why::First));
    }

    #[test]
    fn a_broken_picture_goes_to_the_model_and_is_not_remembered() {
        let (start, mut gate, mut short) = (Instant::now(), ChangeGate::new(MAX_AGE), quiet(0));
        short.y.truncate(100);
        assert_eq!(gate.judge(&short, start), Verdict::Analyse(Why::Broken));
        gate.analysed(start);
        assert_eq!(gate.judge(&quiet(0), at(start, 1)), Verdict::Analyse(Why::First));
    }

    #[test]
    fn age_size_and_slow_drift_open_the_gate() {
        let start = Instant::now();
        let mut gate = ChangeGate::new(MAX_AGE);
        gate.judge(&quiet(0), start);
        gate.analysed(start);
        assert_eq!(gate.judge(&quiet(1), at(start, 9)), Verdict::Reuse);
        assert_eq!(gate.judge(&quiet(1), at(start, 10)), Verdict::Analyse(Why::Aged));
        assert_eq!(gate.judge(&test_picture(768, 432, 0), at(start, 1)), Verdict::Analyse(Why::Resized));
        let mut brighter = quiet(1);
        let steps = (1..=8u64).map(|second| {
            brighter.y.iter_mut().for_each(|pixel| *pixel += 1);
            gate.judge(&brighter, at(start, second))
        });
        assert!(steps.last().is_some_and(|verdict| verdict != Verdict::Reuse), "compared with the last analysed one, not the last seen");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn any_picture_is_like_itself_and_never_panics(width in 1usize..300, height in 1usize..300, padding in 0usize..4) {
            let (start, picture) = (Instant::now(), test_picture(width, height, padding));
            let mut gate = ChangeGate::new(MAX_AGE);
            gate.judge(&picture, start);
            gate.analysed(start);
            prop_assert_eq!(gate.judge(&picture, at(start, 1)), Verdict::Reuse);
            let mut inverse = picture.clone();
            inverse.y.iter_mut().for_each(|pixel| *pixel = pixel.wrapping_add(128));
            prop_assert_ne!(gate.judge(&inverse, at(start, 1)), Verdict::Reuse);
        }
    }
}
