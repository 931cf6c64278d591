//! What is measured of one picture: a grid of mean luma and edge energy, shares of dark and bright, sharpness.

use qorgan_domain::I420;

/// Columns and rows of the grid.
pub const GRID: (usize, usize) = (32, 18);
/// Cells of the grid.
pub const CELLS: usize = GRID.0 * GRID.1;

/// Rows that are read of a picture, at most: every second of 360, every sixth of 1080. A quarter of a millisecond at any size.
const ROWS: usize = 180;
/// Luma of limited range that counts as black, and as burnt out.
const DARK: u8 = 24;
const BRIGHT: u8 = 232;

/// The grid of one picture.
#[derive(Debug, Clone)]
pub(super) struct Measure {
    /// Exact sums, to tell whether two pictures are the same to the last bit.
    sums: Vec<(u32, u64)>,
    ignored: Vec<bool>,
    /// Logarithm of the mean squared Laplacian of each cell.
    pub(super) edges: Vec<f32>,
    /// Mean luma of each cell.
    pub(super) luma: Vec<f32>,
    /// Variance of the Laplacian over all cells that count.
    pub(super) sharpness: f32,
    pub(super) dark_share: f32,
    pub(super) bright_share: f32,
    pub(super) mean_luma: f32,
}

impl Measure {
    /// Measures a picture; nothing for one that is not whole or too small to have cells.
    pub(super) fn of(picture: &I420, ignored: &[bool]) -> Option<Self> {
        if !picture.is_whole() || picture.width < 2 * GRID.0 + 2 || picture.height < 2 * GRID.1 + 2 {
            return None;
        }
        let (inner_width, inner_height) = (picture.width - 2, picture.height - 2);
        let step = inner_height.div_ceil(ROWS).max(1);
        let mut sums = vec![(0u32, 0u64); CELLS];
        let (mut counts, mut dark, mut bright) = (vec![0u32; CELLS], vec![0u32; CELLS], vec![0u32; CELLS]);
        for y in (1..=inner_height).step_by(step) {
            let row = |y: usize| &picture.y[y * picture.y_stride..y * picture.y_stride + picture.width];
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            let first = (y - 1) * GRID.1 / inner_height * GRID.0;
            for column in 0..GRID.0 {
                let (x0, x1) = (1 + column * inner_width / GRID.0, 1 + (column + 1) * inner_width / GRID.0);
                let cell = first + column;
                let centre = &here[x0..x1];
                let sides = here[x0 - 1..x1 - 1].iter().zip(&here[x0 + 1..x1 + 1]);
                let ends = above[x0..x1].iter().zip(&below[x0..x1]);
                let mut energy = 0u32;
                for ((c, (l, r)), (u, d)) in centre.iter().zip(sides).zip(ends) {
                    let around = i32::from(*l) + i32::from(*r) + i32::from(*u) + i32::from(*d);
                    let laplacian = 4 * i32::from(*c) - around;
                    energy += (laplacian * laplacian) as u32;
                }
                sums[cell].1 += u64::from(energy);
                sums[cell].0 += centre.iter().map(|luma| u32::from(*luma)).sum::<u32>();
                dark[cell] += centre.iter().map(|luma| u32::from(*luma <= DARK)).sum::<u32>();
                bright[cell] += centre.iter().map(|luma| u32::from(*luma >= BRIGHT)).sum::<u32>();
                counts[cell] += (x1 - x0) as u32;
            }
        }
        Some(Self::from_sums(sums, &counts, &dark, &bright, ignored))
    }

    fn from_sums(sums: Vec<(u32, u64)>, counts: &[u32], dark: &[u32], bright: &[u32], ignored: &[bool]) -> Self {
        let share = |cell: usize, sum: f64| (sum / f64::from(counts[cell].max(1))) as f32;
        let over_all = |of: &dyn Fn(usize) -> f64| {
            let (sum, count) = (0..CELLS)
                .filter(|cell| !ignored[*cell])
                .fold((0.0, 0.0), |(sum, count), cell| (sum + of(cell), count + f64::from(counts[cell])));
            if count > 0.0 { (sum / count) as f32 } else { 0.0 }
        };
        Self {
            edges: (0..CELLS).map(|cell| (1.0 + share(cell, sums[cell].1 as f64)).ln()).collect(),
            luma: (0..CELLS).map(|cell| share(cell, f64::from(sums[cell].0))).collect(),
            sharpness: over_all(&|cell| sums[cell].1 as f64),
            dark_share: over_all(&|cell| f64::from(dark[cell])),
            bright_share: over_all(&|cell| f64::from(bright[cell])),
            mean_luma: over_all(&|cell| f64::from(sums[cell].0)),
            ignored: ignored.to_vec(),
            sums,
        }
    }

    /// Share of the cells with any structure that are the same to the last bit in another picture; none if hardly any has.
    pub(super) fn same_share(&self, other: &Self) -> Option<f32> {
        let shown = |cell: &usize| !self.ignored[*cell] && self.sums[*cell].1 > 0;
        let cells: Vec<usize> = (0..CELLS).filter(shown).collect();
        let same = cells.iter().filter(|cell| self.sums[**cell] == other.sums[**cell]).count();
        (cells.len() * 10 >= CELLS).then(|| same as f32 / cells.len() as f32)
    }
}

/// Pearson's correlation of two grids over the cells that count; 0 when one of them is flat.
pub(super) fn correlation(a: &[f32], b: &[f32], ignored: &[bool]) -> f32 {
    let cells = || a.iter().zip(b).zip(ignored).filter(|(_, ignored)| !**ignored).map(|((a, b), _)| (f64::from(*a), f64::from(*b)));
    let n = cells().count().max(1) as f64;
    let (mean_a, mean_b) = cells().fold((0.0, 0.0), |(sa, sb), (a, b)| (sa + a / n, sb + b / n));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in cells() {
        ab += (a - mean_a) * (b - mean_b);
        aa += (a - mean_a).powi(2);
        bb += (b - mean_b).powi(2);
    }
    // A wall of one colour, with the noise of rounding.
    if aa < 1e-3 * n || bb < 1e-3 * n { 0.0 } else { (ab / (aa * bb).sqrt()) as f32 }
}

/// Standard deviation over the cells that count.
pub(super) fn spread(grid: &[f32], ignored: &[bool]) -> f32 {
    let cells = || grid.iter().zip(ignored).filter(|(_, ignored)| !**ignored).map(|(value, _)| *value);
    let n = cells().count().max(1) as f32;
    let mean = cells().sum::<f32>() / n;
    (cells().map(|value| (value - mean).powi(2)).sum::<f32>() / n).sqrt()
}
