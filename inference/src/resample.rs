//! From I420 straight to the planar float input of a model: cut, reduced, colours converted and normalised, row by row.
//!
//! Reducing weighs every source pixel under the output pixel (a triangle as wide as the reduction), because plain bilinear
//! sampling skips most of a large picture and loses small people. Colours are BT.601, limited range, chroma in the middle
//! of its four luma pixels.

use qorgan_domain::I420;

use crate::ColourOrder;

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x0: f32,
    /// Upper edge.
    pub y0: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Region {
    /// The whole picture.
    pub fn whole(picture: &I420) -> Self {
        Self { x0: 0.0, y0: 0.0, width: picture.width as f32, height: picture.height as f32 }
    }

    /// Size in pixels of this region when it is fitted into a canvas with its sides' ratio kept, and the factor.
    pub fn fitted(&self, canvas: (usize, usize)) -> ((usize, usize), f32) {
        let factor = (canvas.0 as f32 / self.width).min(canvas.1 as f32 / self.height);
        let side = |length: f32, limit: usize| ((length * factor).round() as usize).clamp(1, limit);
        ((side(self.width, canvas.0), side(self.height, canvas.1)), factor)
    }
}

/// How a model wants its colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// Order of the planes.
    pub order: ColourOrder,
    /// Subtracted per plane, in plane order; values are 0 to 255 before.
    pub mean: [f32; 3],
    /// Divided by per plane, in plane order.
    pub std: [f32; 3],
}

/// Writes a region of the picture into the upper left `placed` pixels (width, height) of three planes of `canvas` size;
/// the rest becomes black. `out` holds 3 * width * height numbers. The picture is whole and `placed` fits in `canvas`.
pub fn fill_input(
    picture: &I420,
    region: Region,
    placed: (usize, usize),
    canvas: (usize, usize),
    normalisation: &Normalisation,
    out: &mut [f32],
) {
    let (width, height) = placed;
    let half = Region { x0: region.x0 / 2.0, y0: region.y0 / 2.0, width: region.width / 2.0, height: region.height / 2.0 };
    let (chroma_width, chroma_height) = (picture.width.div_ceil(2), picture.height.div_ceil(2));
    let mut luma = Sampler::new(&picture.y, picture.y_stride, (picture.width, picture.height), region, placed);
    let mut blue = Sampler::new(&picture.u, picture.uv_stride, (chroma_width, chroma_height), half, placed);
    let mut red = Sampler::new(&picture.v, picture.uv_stride, (chroma_width, chroma_height), half, placed);

    let plane = canvas.0 * canvas.1;
    let (first, rest) = out.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    let black = [0, 1, 2].map(|i| -normalisation.mean[i] / normalisation.std[i]);
    let scale = normalisation.std.map(|std| 1.0 / std);
    for row in 0..canvas.1 {
        let at = row * canvas.0;
        let rows = [&mut first[at..at + canvas.0], &mut second[at..at + canvas.0], &mut third[at..at + canvas.0]];
        if row >= height {
            for (line, value) in rows.into_iter().zip(black) {
                line.fill(value);
            }
            continue;
        }
        let (y, u, v) = (luma.row(row), blue.row(row), red.row(row));
        let [one, two, three] = rows;
        for (line, value) in [&mut *one, &mut *two, &mut *three].into_iter().zip(black) {
            line[width..].fill(value);
        }
        let (reds, greens, blues, ri, bi) = match normalisation.order {
            ColourOrder::Rgb => (one, two, three, 0, 2),
            ColourOrder::Bgr => (three, two, one, 2, 0),
        };
        for x in 0..width {
            let [r, g, b] = rgb(y[x], u[x], v[x]);
            reds[x] = (r - normalisation.mean[ri]) * scale[ri];
            greens[x] = (g - normalisation.mean[1]) * scale[1];
            blues[x] = (b - normalisation.mean[bi]) * scale[bi];
        }
    }
}

/// BT.601 limited range to RGB, 0 to 255.
#[inline(always)]
pub(crate) fn rgb(y: f32, u: f32, v: f32) -> [f32; 3] {
    let (y, u, v) = ((y - 16.0) * 1.164_383_6, u - 128.0, v - 128.0);
    [
        (y + 1.596_026_8 * v).clamp(0.0, 255.0),
        (y - 0.391_762_3 * u - 0.812_967_7 * v).clamp(0.0, 255.0),
        (y + 2.017_232_1 * u).clamp(0.0, 255.0),
    ]
}

/// One plane, resampled a row at a time: first down the columns, then along the row.
struct Sampler<'a> {
    plane: &'a [u8],
    stride: usize,
    across: Taps,
    down: Taps,
    /// Source columns that any output pixel needs: start and end.
    columns: (usize, usize),
    column_sums: Vec<f32>,
    out: Vec<f32>,
}

impl<'a> Sampler<'a> {
    fn new(plane: &'a [u8], stride: usize, size: (usize, usize), region: Region, placed: (usize, usize)) -> Self {
        let across = Taps::new(region.x0, region.width, size.0, placed.0);
        let down = Taps::new(region.y0, region.height, size.1, placed.1);
        let columns = across.span();
        Self { plane, stride, down, columns, column_sums: vec![0.0; columns.1 - columns.0], out: vec![0.0; placed.0], across }
    }

    fn row(&mut self, row: usize) -> &[f32] {
        let (start, weights) = self.down.of(row);
        self.column_sums.fill(0.0);
        for (i, weight) in weights.iter().enumerate() {
            let at = (start + i) * self.stride;
            let source = &self.plane[at + self.columns.0..at + self.columns.1];
            for (sum, pixel) in self.column_sums.iter_mut().zip(source) {
                *sum += weight * f32::from(*pixel);
            }
        }
        for (x, out) in self.out.iter_mut().enumerate() {
            let (start, weights) = self.across.of(x);
            let source = &self.column_sums[start - self.columns.0..][..weights.len()];
            *out = source.iter().zip(weights).map(|(sum, weight)| sum * weight).sum();
        }
        &self.out
    }
}

/// For each output pixel of one axis: where its source pixels start, and their weights, which sum to 1.
struct Taps {
    starts: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

impl Taps {
    fn new(from: f32, length: f32, limit: usize, count: usize) -> Self {
        let scale = length / count as f32;
        let reach = scale.max(1.0);
        let mut taps = Self { starts: Vec::with_capacity(count + 1), weights: Vec::new() };
        let last = limit as f32 - 1.0;
        for i in 0..count {
            let centre = (from + (i as f32 + 0.5) * scale - 0.5).clamp(0.0, last);
            let first = (centre - reach).ceil().max(0.0) as usize;
            let end = (centre + reach).floor().min(last) as usize;
            let at = taps.weights.len();
            taps.starts.push((first, at));
            taps.weights.extend((first..=end).map(|pixel| (1.0 - (pixel as f32 - centre).abs() / reach).max(0.0)));
            let sum: f32 = taps.weights[at..].iter().sum();
            for weight in &mut taps.weights[at..] {
                *weight /= sum;
            }
        }
        taps.starts.push((0, taps.weights.len()));
        taps
    }

    fn of(&self, i: usize) -> (usize, &[f32]) {
        let (start, at) = self.starts[i];
        (start, &self.weights[at..self.starts[i + 1].1])
    }

    fn span(&self) -> (usize, usize) {
        let used = || (0..self.starts.len() - 1).map(|i| self.of(i));
        (used().map(|(start, _)| start).min().unwrap_or(0), used().map(|(start, w)| start + w.len()).max().unwrap_or(0))
    }
}
