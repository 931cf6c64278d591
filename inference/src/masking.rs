//! Stills for a desk: people pixelated, then JPEG. Whether somebody may see a still, and whether masked, is decided by the
//! caller; this module makes sure that "masked" cannot come out unmasked.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use qorgan_domain::I420;

use crate::{Detection, ModelError, picture::to_rgb};

/// Where the people of one picture are. Made only by [`crate::Detector::mask`], so a failed detection leaves nothing to call
/// [`still_jpeg`] with, and the picture is withheld.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    boxes: Vec<Detection>,
    size: (usize, usize),
}

impl Mask {
    pub(crate) fn new(picture: &I420, boxes: Vec<Detection>) -> Self {
        Self { boxes, size: (picture.width, picture.height) }
    }

    /// How many places are hidden.
    pub fn len(&self) -> usize {
        self.boxes.len()
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }
}

/// A box is enlarged by this part of its size to every side: detectors cut heads.
const MARGIN: f32 = 0.15;

/// Blocks per height of a person. A head is about an eighth, so it becomes one or two blocks.
const BLOCKS_PER_HEIGHT: f32 = 8.0;

/// Blocks are never smaller than this, in pixels.
const LEAST_BLOCK_PX: u32 = 8;

/// The picture as JPEG, with the people of the mask pixelated. Without a mask it is shown as it is: only for a caller that
/// has checked that it may. Errors: the picture is not whole, the mask is of a picture of another size, or encoding failed.
pub fn still_jpeg(picture: &I420, mask: Option<&Mask>) -> Result<Vec<u8>, ModelError> {
    let image = match mask {
        Some(mask) => masked(picture, mask)?,
        None => to_rgb(picture)?,
    };
    let mut jpeg = Cursor::new(Vec::new());
    image.write_to(&mut jpeg, ImageFormat::Jpeg).map_err(|source| ModelError::Image { name: "of a still as JPEG".into(), source })?;
    Ok(jpeg.into_inner())
}

fn masked(picture: &I420, mask: &Mask) -> Result<RgbImage, ModelError> {
    if mask.size != (picture.width, picture.height) {
        return Err(ModelError::Picture { width: mask.size.0, height: mask.size.1 });
    }
    let mut image = to_rgb(picture)?;
    for found in &mask.boxes {
        pixelate(&mut image, found);
    }
    Ok(image)
}

fn pixelate(image: &mut RgbImage, found: &Detection) {
    let (dx, dy) = ((found.x1 - found.x0) * MARGIN, (found.y1 - found.y0) * MARGIN);
    let inside = |at: f32, end: u32| at.clamp(0.0, end as f32) as u32;
    let (left, top) = (inside((found.x0 - dx).floor(), image.width()), inside((found.y0 - dy).floor(), image.height()));
    let (right, bottom) = (inside((found.x1 + dx).ceil(), image.width()), inside((found.y1 + dy).ceil(), image.height()));
    let block = (((found.y1 - found.y0) / BLOCKS_PER_HEIGHT) as u32).max(LEAST_BLOCK_PX);
    for y in (top..bottom).step_by(block as usize) {
        for x in (left..right).step_by(block as usize) {
            flatten(image, (x, y), ((x + block).min(right), (y + block).min(bottom)));
        }
    }
}

/// Gives every pixel of a block the block's mean colour.
fn flatten(image: &mut RgbImage, from: (u32, u32), to: (u32, u32)) {
    let mut sums = [0u32; 3];
    for y in from.1..to.1 {
        for x in from.0..to.0 {
            for (sum, value) in sums.iter_mut().zip(image.get_pixel(x, y).0) {
                *sum += u32::from(value);
            }
        }
    }
    let count = ((to.0 - from.0) * (to.1 - from.1)).max(1);
    let mean = Rgb(sums.map(|sum| (sum / count) as u8));
    for y in from.1..to.1 {
        for x in from.0..to.0 {
            image.put_pixel(x, y, mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::test_picture;

    fn mask(picture: &I420) -> Mask {
        Mask::new(picture, vec![Detection { x0: 20.0, y0: 10.0, x1: 36.0, y1: 58.0, score: 0.9 }])
    }

    fn decoded(jpeg: &[u8]) -> RgbImage {
        image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("a JPEG").to_rgb8()
    }

    /// Sum of the differences between horizontal neighbours: detail.
    fn detail(image: &RgbImage, x: std::ops::Range<u32>, y: std::ops::Range<u32>) -> u32 {
        let pairs = y.flat_map(|y| x.clone().map(move |x| (x, y)));
        pairs.map(|(x, y)| u32::from(image.get_pixel(x, y)[1].abs_diff(image.get_pixel(x + 1, y)[1]))).sum()
    }

    #[test]
    fn a_masked_person_loses_all_detail_and_the_rest_keeps_it() {
        let picture = test_picture(96, 72, 0);
        let (open, hidden) = (to_rgb(&picture).expect("whole"), masked(&picture, &mask(&picture)).expect("masked"));
        assert!(detail(&hidden, 18..38, 3..65) * 4 < detail(&open, 18..38, 3..65), "only the edges of blocks are left");
        for (x, y, pixel) in open.enumerate_pixels().filter(|(x, y, _)| !(17..39).contains(x) || !(2..66).contains(y)) {
            assert_eq!(pixel, hidden.get_pixel(x, y), "({x}, {y}) is outside the person");
        }
        let jpeg = decoded(&still_jpeg(&picture, Some(&mask(&picture))).expect("JPEG"));
        assert!(detail(&jpeg, 18..38, 3..65) * 3 < detail(&open, 18..38, 3..65));
    }

    #[test]
    fn a_mask_of_another_picture_withholds_the_picture() {
        let (picture, other) = (test_picture(96, 72, 0), test_picture(96, 70, 0));
        assert!(matches!(still_jpeg(&picture, Some(&mask(&other))), Err(ModelError::Picture { width: 96, height: 70 })));
    }

    #[test]
    fn boxes_beyond_the_edges_and_tiny_pictures_are_masked() {
        for (width, height) in [(1, 1), (3, 2), (40, 30)] {
            let picture = test_picture(width, height, 1);
            let wide = Mask::new(&picture, vec![Detection { x0: -50.0, y0: -50.0, x1: 500.0, y1: 500.0, score: 0.3 }]);
            let masked = decoded(&still_jpeg(&picture, Some(&wide)).expect("masked"));
            assert_eq!((masked.width() as usize, masked.height() as usize), (width, height));
        }
    }
}
