//! Pictures for a desk: people and faces pixelated, then JPEG. Privacy masks are burned in before ([`crate::burn_masks`]). Whether somebody may see a picture, and
//! whether masked, is decided by the caller; this module makes sure that "masked" cannot come out unmasked.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use qorgan_domain::I420;

use crate::{
    Detection, ModelError,
    picture::{from_image, to_rgb},
};

/// Where the people of one picture are. Made only by [`crate::Detector::mask`]; [`crate::Faces::cover`] makes a [`Cover`] of it.
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

/// What is hidden on one picture: its people and its faces. Made only by [`crate::Faces::cover`], so that a failure to look for
/// either leaves nothing to call [`still_jpeg`] with, and the picture is withheld.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    people: Mask,
    faces: Vec<Detection>,
}

impl Cover {
    /// Errors: the mask is of a picture of another size.
    pub(crate) fn new(picture: &I420, people: Mask, faces: Vec<Detection>) -> Result<Self, ModelError> {
        if people.size != (picture.width, picture.height) {
            return Err(ModelError::Picture { width: people.size.0, height: people.size.1 });
        }
        Ok(Self { people, faces })
    }

    /// How many bodies and how many faces are hidden.
    pub fn hidden(&self) -> (usize, usize) {
        (self.people.len(), self.faces.len())
    }
}

/// A person's box is enlarged by this part of its size to every side: detectors cut heads.
const BODY_MARGIN: f32 = 0.15;
/// A face's box holds brows to chin; hair and ears make a person known too.
const FACE_MARGIN: f32 = 0.35;

/// Blocks per height of a person. A head is about an eighth, so it becomes one or two blocks.
const BLOCKS_PER_BODY: f32 = 8.0;
/// Blocks per height of a face's box: about four across the face, and recognition needs more than ten (Newton, Sweeney and Malin
/// 2005 defeat mere blurring and fine pixelation by machine; coarse blocks of the mean leave nothing to match).
const BLOCKS_PER_FACE: f32 = 4.0;
/// Colours of a block are reduced to this many steps, so that many pictures of one face do not add up to it.
const COLOUR_STEP: u32 = 16;

/// Blocks are never smaller than this, in pixels.
const LEAST_BLOCK_PX: u32 = 8;

/// The picture as JPEG, with what the cover names pixelated. Without a cover it is shown as it is: only for a caller that
/// has checked that it may. Errors: the picture is not whole, the cover is of a picture of another size, or encoding failed.
pub fn still_jpeg(picture: &I420, cover: Option<&Cover>) -> Result<Vec<u8>, ModelError> {
    match cover {
        Some(cover) => jpeg(&covered(picture, cover)?),
        None => jpeg(&to_rgb(picture)?),
    }
}

/// A covered picture, reduced to this width after covering: for the wall, where a face that the models overlooked in a dense
/// crowd is only a few pixels wide. Errors as [`still_jpeg`].
pub fn small_jpeg(picture: &I420, cover: &Cover, width_px: u32) -> Result<Vec<u8>, ModelError> {
    let image = covered(picture, cover)?;
    if image.width() <= width_px {
        return jpeg(&image);
    }
    let height = (u64::from(image.height()) * u64::from(width_px) / u64::from(image.width())).max(1);
    jpeg(&image::imageops::thumbnail(&image, width_px, u32::try_from(height).unwrap_or(width_px)))
}

/// A picture reduced to this width, if it is wider: what is masked for the wall need not be looked at in full size. Errors: the
/// picture is not whole.
pub fn reduced(picture: &I420, width_px: u32) -> Result<I420, ModelError> {
    if picture.width as u64 <= u64::from(width_px) {
        return Ok(picture.clone());
    }
    let image = to_rgb(picture)?;
    let height = (u64::from(image.height()) * u64::from(width_px) / u64::from(image.width())).max(1);
    Ok(from_image(&image::imageops::thumbnail(&image, width_px, u32::try_from(height).unwrap_or(width_px))))
}

fn jpeg(image: &RgbImage) -> Result<Vec<u8>, ModelError> {
    let mut jpeg = Cursor::new(Vec::new());
    image.write_to(&mut jpeg, ImageFormat::Jpeg).map_err(|source| ModelError::Image { name: "of a still as JPEG".into(), source })?;
    Ok(jpeg.into_inner())
}

fn covered(picture: &I420, cover: &Cover) -> Result<RgbImage, ModelError> {
    let size = cover.people.size;
    if size != (picture.width, picture.height) {
        return Err(ModelError::Picture { width: size.0, height: size.1 });
    }
    let mut image = to_rgb(picture)?;
    for found in &cover.people.boxes {
        pixelate(&mut image, found, BODY_MARGIN, BLOCKS_PER_BODY);
    }
    for found in &cover.faces {
        pixelate(&mut image, found, FACE_MARGIN, BLOCKS_PER_FACE);
    }
    Ok(image)
}

fn pixelate(image: &mut RgbImage, found: &Detection, margin: f32, blocks: f32) {
    let (dx, dy) = ((found.x1 - found.x0) * margin, (found.y1 - found.y0) * margin);
    let inside = |at: f32, end: u32| at.clamp(0.0, end as f32) as u32;
    let (left, top) = (inside((found.x0 - dx).floor(), image.width()), inside((found.y0 - dy).floor(), image.height()));
    let (right, bottom) = (inside((found.x1 + dx).ceil(), image.width()), inside((found.y1 + dy).ceil(), image.height()));
    let block = (((found.y1 - found.y0) / blocks) as u32).max(LEAST_BLOCK_PX);
    for y in (top..bottom).step_by(block as usize) {
        for x in (left..right).step_by(block as usize) {
            flatten(image, (x, y), ((x + block).min(right), (y + block).min(bottom)));
        }
    }
}

/// Gives every pixel of a block the block's mean colour, coarsely.
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
    let mean = Rgb(sums.map(|sum| (sum / count / COLOUR_STEP * COLOUR_STEP + COLOUR_STEP / 2) as u8));
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

    fn cover_of(picture: &I420, people: Vec<Detection>, faces: Vec<Detection>) -> Cover {
        Cover::new(picture, Mask::new(picture, people), faces).expect("a cover")
    }

    fn person() -> Detection {
        Detection { x0: 20.0, y0: 10.0, x1: 36.0, y1: 58.0, score: 0.9 }
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
        let cover = cover_of(&picture, vec![person()], Vec::new());
        let (open, hidden) = (to_rgb(&picture).expect("whole"), covered(&picture, &cover).expect("masked"));
        assert!(detail(&hidden, 18..38, 3..65) * 4 < detail(&open, 18..38, 3..65), "only the edges of blocks are left");
        for (x, y, pixel) in open.enumerate_pixels().filter(|(x, y, _)| !(17..39).contains(x) || !(2..66).contains(y)) {
            assert_eq!(pixel, hidden.get_pixel(x, y), "({x}, {y}) is outside the person");
        }
        let jpeg = decoded(&still_jpeg(&picture, Some(&cover)).expect("JPEG"));
        assert!(detail(&jpeg, 18..38, 3..65) * 3 < detail(&open, 18..38, 3..65));
    }

    #[test]
    fn a_face_becomes_a_handful_of_coarse_colours() {
        let picture = test_picture(200, 160, 0);
        let face = Detection { x0: 60.0, y0: 40.0, x1: 100.0, y1: 100.0, score: 0.5 };
        let cover = cover_of(&picture, Vec::new(), vec![face]);
        let hidden = covered(&picture, &cover).expect("masked");
        let mut colours = std::collections::BTreeSet::new();
        for y in 40..100 {
            for x in 60..100 {
                colours.insert(hidden.get_pixel(x, y).0);
                assert!(hidden.get_pixel(x, y).0.iter().all(|c| (u32::from(*c) + COLOUR_STEP / 2).is_multiple_of(COLOUR_STEP)));
            }
        }
        assert!(colours.len() <= 20, "at most as many colours as blocks touch the face: {}", colours.len());
        // Another face with the same means gives the same picture: what is left cannot tell them apart.
        let mut other = picture.clone();
        for y in 40..100 {
            other.y[y * other.y_stride + 60..y * other.y_stride + 100].iter_mut().for_each(|luma| *luma ^= 1);
        }
        let differing = covered(&other, &cover).expect("masked").pixels().zip(hidden.pixels()).filter(|(a, b)| a != b).count();
        assert!(differing < 200 * 160 / 10, "{differing}");
    }

    #[test]
    fn a_cover_of_another_picture_withholds_the_picture() {
        let (picture, other) = (test_picture(96, 72, 0), test_picture(96, 70, 0));
        let cover = cover_of(&other, vec![person()], Vec::new());
        assert!(matches!(still_jpeg(&picture, Some(&cover)), Err(ModelError::Picture { width: 96, height: 70 })));
        assert!(matches!(Cover::new(&picture, Mask::new(&other, Vec::new()), Vec::new()), Err(ModelError::Picture { .. })));
    }

    #[test]
    fn boxes_beyond_the_edges_and_tiny_pictures_are_masked() {
        for (width, height) in [(1, 1), (3, 2), (40, 30)] {
            let picture = test_picture(width, height, 1);
            let wide = Detection { x0: -50.0, y0: -50.0, x1: 500.0, y1: 500.0, score: 0.3 };
            let cover = cover_of(&picture, vec![wide], vec![wide]);
            let masked = decoded(&still_jpeg(&picture, Some(&cover)).expect("masked"));
            assert_eq!((masked.width() as usize, masked.height() as usize), (width, height));
        }
    }

    #[test]
    fn a_picture_of_the_wall_is_reduced_and_keeps_its_shape() {
        let picture = test_picture(640, 360, 0);
        let small = decoded(&small_jpeg(&picture, &cover_of(&picture, vec![person()], Vec::new()), 320).expect("JPEG"));
        assert_eq!(small.dimensions(), (320, 180));
        let tiny =
            decoded(&small_jpeg(&test_picture(40, 30, 0), &cover_of(&test_picture(40, 30, 0), Vec::new(), Vec::new()), 320).expect("JPEG"));
        assert_eq!(tiny.dimensions(), (40, 30));
        let half = reduced(&picture, 320).expect("reduced");
        assert_eq!((half.width, half.height, half.is_whole()), (320, 180, true));
        assert_eq!(reduced(&picture, 640).expect("as it is"), picture);
    }
}
