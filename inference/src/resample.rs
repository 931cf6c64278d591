//! From I420 straight to the planar float input of a model: cut, reduced, colours converted and normalised, row by row.
//!
//! Reducing weighs every source pixel under the output pixel (a triangle as wide as the reduction), because plain bilinear
//! sampling skips most of a large picture and loses small people. Colours are BT.601, limited range, chroma in the middle
//! of its four luma pixels.

use std::{cell::Cell, time::Duration};

use qorgan_domain::I420;

use crate::{ColourOrder, cpu};

thread_local! {
    static SPENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// CPU time that the calling thread has spent on scaling pictures since it began.
pub fn time_scaling() -> Duration {
    SPENT.get()
}

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
    let started = cpu::now();
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
    SPENT.set(SPENT.get() + cpu::since(started));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::test_picture;

    const PLAIN: Normalisation = Normalisation { order: ColourOrder::Rgb, mean: [0.0; 3], std: [1.0; 3] };

    /// The definition, pixel by pixel: the weighted mean over all source pixels, in double precision.
    fn slow(plane: &[u8], stride: usize, size: (usize, usize), region: Region, placed: (usize, usize), at: (usize, usize)) -> f64 {
        let weight = |from: f32, length: f32, limit: usize, count: usize, i: usize, pixel: usize| {
            let scale = f64::from(length) / count as f64;
            let centre = (f64::from(from) + (i as f64 + 0.5) * scale - 0.5).clamp(0.0, limit as f64 - 1.0);
            (1.0 - (pixel as f64 - centre).abs() / scale.max(1.0)).max(0.0)
        };
        let (mut sum, mut total) = (0.0, 0.0);
        for y in 0..size.1 {
            for x in 0..size.0 {
                let w = weight(region.x0, region.width, size.0, placed.0, at.0, x)
                    * weight(region.y0, region.height, size.1, placed.1, at.1, y);
                sum += w * f64::from(plane[y * stride + x]);
                total += w;
            }
        }
        sum / total
    }

    fn compare(picture: &I420, region: Region, canvas: (usize, usize)) {
        let (placed, _) = region.fitted(canvas);
        let mut out = vec![f32::NAN; 3 * canvas.0 * canvas.1];
        fill_input(picture, region, placed, canvas, &PLAIN, &mut out);
        let half = Region { x0: region.x0 / 2.0, y0: region.y0 / 2.0, width: region.width / 2.0, height: region.height / 2.0 };
        let chroma = (picture.width.div_ceil(2), picture.height.div_ceil(2));
        for row in 0..canvas.1 {
            for column in 0..canvas.0 {
                let mut expected = [0.0; 3];
                if column < placed.0 && row < placed.1 {
                    let at = (column, row);
                    let y = slow(&picture.y, picture.y_stride, (picture.width, picture.height), region, placed, at);
                    let u = slow(&picture.u, picture.uv_stride, chroma, half, placed, at);
                    let v = slow(&picture.v, picture.uv_stride, chroma, half, placed, at);
                    expected = rgb(y as f32, u as f32, v as f32);
                }
                for (plane, expected) in expected.into_iter().enumerate() {
                    let found = out[plane * canvas.0 * canvas.1 + row * canvas.0 + column];
                    assert!((found - expected).abs() < 0.1, "({column}, {row}) plane {plane}: {found}, expected {expected}");
                }
            }
        }
    }

    #[test]
    fn primary_colours_come_out_in_the_order_asked_for() {
        // BT.601 limited range red: Y 81, U 90, V 240.
        let red = I420 { width: 2, height: 2, y: vec![81; 4], u: vec![90], v: vec![240], y_stride: 2, uv_stride: 1 };
        let mut out = vec![0.0; 12];
        fill_input(&red, Region::whole(&red), (2, 2), (2, 2), &PLAIN, &mut out);
        assert!(out[..4].iter().all(|r| *r > 252.0) && out[4..].iter().all(|gb| *gb < 3.0), "{out:?}");
        let bgr = Normalisation { order: ColourOrder::Bgr, mean: [10.0, 20.0, 30.0], std: [1.0, 2.0, 5.0] };
        fill_input(&red, Region::whole(&red), (2, 2), (2, 2), &bgr, &mut out);
        assert!((out[0] + 10.0).abs() < 2.0 && (out[4] + 10.0).abs() < 1.5 && (out[8] - 45.0).abs() < 0.5, "{out:?}");
    }

    #[test]
    fn padding_is_black_in_the_models_scale() {
        let white = I420 { width: 4, height: 2, y: vec![235; 8], u: vec![128; 2], v: vec![128; 2], y_stride: 4, uv_stride: 2 };
        let normalisation = Normalisation { order: ColourOrder::Bgr, mean: [100.0, 110.0, 120.0], std: [50.0; 3] };
        let mut out = vec![f32::NAN; 3 * 16];
        fill_input(&white, Region::whole(&white), (4, 2), (4, 4), &normalisation, &mut out);
        assert!((out[0] - 3.1).abs() < 0.01 && out[8] == -2.0 && out[16 + 8] == -2.2 && out[32 + 8] == -2.4, "{out:?}");
    }

    #[test]
    fn a_single_pixel_fills_its_place() {
        compare(&test_picture(1, 1, 0), Region { x0: 0.0, y0: 0.0, width: 1.0, height: 1.0 }, (8, 8));
    }

    #[test]
    fn large_reductions_see_every_pixel() {
        // One bright column of 1000 would be missed by sampling; here it weighs what it should.
        let mut picture = test_picture(1000, 2, 0);
        picture.y.fill(16);
        picture.u.fill(128);
        picture.v.fill(128);
        picture.y[501] = 235;
        picture.y[1501] = 235;
        let mut out = vec![0.0; 3 * 10];
        fill_input(&picture, Region::whole(&picture), (10, 1), (10, 1), &PLAIN, &mut out);
        let sum: f32 = out[..10].iter().sum();
        assert!((sum - 2.55).abs() < 0.1, "{sum}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_size_stride_and_region_equals_the_slow_reference(
            width in 1usize..40, height in 1usize..40, padding in 0usize..5, side in 1usize..24,
            cut in (0.0f32..1.0, 0.0f32..1.0, 0.0f32..1.0, 0.0f32..1.0),
        ) {
            let picture = test_picture(width, height, padding);
            let (x0, y0) = ((cut.0 * (width - 1) as f32).floor(), (cut.1 * (height - 1) as f32).floor());
            let region = Region {
                x0,
                y0,
                width: (cut.2 * (width as f32 - x0)).max(1.0),
                height: (cut.3 * (height as f32 - y0)).max(1.0),
            };
            compare(&picture, region, (side, side));
        }
    }
}
