//! Between I420 and the RGB images of files.

use image::{Rgb, RgbImage};
use qorgan_domain::I420;

use crate::{ModelError, resample};

/// The picture as RGB (BT.601, limited range). Errors: the planes are shorter than the size says.
pub fn to_rgb(picture: &I420) -> Result<RgbImage, ModelError> {
    check(picture)?;
    Ok(RgbImage::from_fn(picture.width as u32, picture.height as u32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let chroma = (y / 2) * picture.uv_stride + x / 2;
        let luma = f32::from(picture.y[y * picture.y_stride + x]);
        Rgb(resample::rgb(luma, f32::from(picture.u[chroma]), f32::from(picture.v[chroma])).map(|value| value.round() as u8))
    }))
}

/// An RGB image as a picture (BT.601, limited range), chroma averaged over up to four pixels.
pub fn from_image(image: &RgbImage) -> I420 {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
    let mut y = Vec::with_capacity(width * height);
    let mut sums = vec![[0f32; 3]; columns * rows];
    for (x, row, Rgb(rgb)) in image.enumerate_pixels() {
        let [r, g, b] = rgb.map(f32::from);
        y.push((16.0 + 0.256_788_2 * r + 0.504_129_4 * g + 0.097_905_9 * b).round() as u8);
        let sum = &mut sums[(row as usize / 2) * columns + x as usize / 2];
        sum[0] += 128.0 - 0.148_222_9 * r - 0.290_992_8 * g + 0.439_215_7 * b;
        sum[1] += 128.0 + 0.439_215_7 * r - 0.367_788_3 * g - 0.071_427_4 * b;
        sum[2] += 1.0;
    }
    let chroma = |i: usize| sums.iter().map(|sum| (sum[i] / sum[2]).round() as u8).collect();
    I420 { width, height, u: chroma(0), v: chroma(1), y, y_stride: width, uv_stride: columns }
}

/// Refuses a picture whose planes do not fit its size.
pub(crate) fn check(picture: &I420) -> Result<(), ModelError> {
    if picture.is_whole() { Ok(()) } else { Err(ModelError::Picture { width: picture.width, height: picture.height }) }
}

/// A whole picture with structure in every plane, and `padding` bytes at the end of each row.
#[cfg(test)]
pub(crate) fn test_picture(width: usize, height: usize, padding: usize) -> I420 {
    let (y_stride, uv_stride) = (width + padding, width.div_ceil(2) + padding);
    let fill = |stride: usize, rows: usize, a: usize, b: usize| {
        (0..stride * rows).map(|i| (16 + (i % stride * a + i / stride * b) % 220) as u8).collect()
    };
    I420 {
        width,
        height,
        y: fill(y_stride, height, 31, 17),
        u: fill(uv_stride, height.div_ceil(2), 7, 23),
        v: fill(uv_stride, height.div_ceil(2), 13, 5),
        y_stride,
        uv_stride,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_image_survives_the_way_there_and_back() {
        for (width, height) in [(1, 1), (2, 1), (5, 7), (64, 48)] {
            let image = RgbImage::from_fn(width, height, |x, y| Rgb([(40 + 3 * x) as u8, (200 - 2 * y) as u8, (90 + x + y) as u8]));
            let picture = from_image(&image);
            assert!(picture.is_whole());
            let back = to_rgb(&picture).expect("whole");
            for (before, after) in image.pixels().zip(back.pixels()) {
                for channel in 0..3 {
                    assert!(before[channel].abs_diff(after[channel]) <= 6, "{before:?} became {after:?} at {width}x{height}");
                }
            }
        }
    }

    #[test]
    fn a_short_plane_is_an_error_that_names_the_size() {
        let mut picture = test_picture(10, 10, 2);
        picture.v.truncate(3);
        let error = to_rgb(&picture).expect_err("short");
        assert_eq!(error.to_string(), "picture 10x10: its planes are shorter than its size and strides say");
    }
}
