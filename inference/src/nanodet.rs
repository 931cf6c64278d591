//! Reading NanoDet's outputs: one column of class scores (the person's; no other is looked at) and, per side of the box, a
//! distribution of the distance over bins of one stride, whose expectation is the distance.

use crate::{Detection, Region};

/// One feature level: a grid of cells over the input.
pub(crate) struct Level<'a> {
    /// Pixels of the input per cell.
    pub(crate) stride: usize,
    /// Probability per cell and class.
    pub(crate) scores: &'a [f32],
    /// Logits per cell, side (left, top, right, bottom) and bin.
    pub(crate) distances: &'a [f32],
}

/// How the input was cut from the picture.
#[derive(Clone, Copy)]
pub(crate) struct Placement {
    /// Part of the picture that the input shows.
    pub(crate) region: Region,
    /// Pixels of the input per pixel of the picture.
    pub(crate) factor: f32,
}

/// Boxes in picture pixels with at least this score, not yet suppressed, cut at the edges of the region; none when the slices have not
/// the numbers of cells that follow from the input's width and height, `size`.
pub(crate) fn decode(
    levels: &[Level<'_>],
    classes: (usize, usize),
    size: (usize, usize),
    threshold: f32,
    placement: Placement,
) -> Option<Vec<Detection>> {
    let (count, person) = classes;
    let mut found = Vec::new();
    for level in levels {
        let columns = size.0.div_ceil(level.stride);
        let cells = columns * size.1.div_ceil(level.stride);
        let per_cell = level.distances.len() / cells;
        if level.scores.len() != cells * count || per_cell == 0 || level.distances.len() != cells * per_cell {
            return None;
        }
        for (cell, scores) in level.scores.chunks_exact(count).enumerate() {
            // Written so that a NaN is not found.
            if scores[person] >= threshold {
                let distances = &level.distances[cell * per_cell..(cell + 1) * per_cell];
                found.extend(one_box(level.stride, (cell % columns, cell / columns), distances, scores[person], placement));
            }
        }
    }
    Some(found)
}

fn one_box(stride: usize, cell: (usize, usize), distances: &[f32], score: f32, placement: Placement) -> Option<Detection> {
    let stride = stride as f32;
    let bins = distances.len() / 4;
    let side = |i: usize| expectation(&distances[i * bins..(i + 1) * bins]) * stride;
    let centre = ((cell.0 as f32 + 0.5) * stride, (cell.1 as f32 + 0.5) * stride);
    let Placement { region, factor } = placement;
    let x = |at: f32| (region.x0 + at / factor).clamp(region.x0, region.x0 + region.width);
    let y = |at: f32| (region.y0 + at / factor).clamp(region.y0, region.y0 + region.height);
    let found =
        Detection { x0: x(centre.0 - side(0)), y0: y(centre.1 - side(1)), x1: x(centre.0 + side(2)), y1: y(centre.1 + side(3)), score };
    // A box in the padding beside the picture, or of numbers that are none, is nobody.
    (found.area_px2() > 0.0).then_some(found)
}

/// Expected bin under the softmax of the logits.
fn expectation(logits: &[f32]) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let weight = (logit - top).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Placement = Placement { region: Region { x0: 0.0, y0: 0.0, width: 64.0, height: 64.0 }, factor: 1.0 };

    /// A level of 2x2 cells at stride 32 with one sure cell whose distances are 0.5 bins to every side but the right: 1.
    fn level(scores: &mut [f32], distances: &mut [f32]) {
        scores[3 * 80] = 0.9;
        let cell = &mut distances[3 * 44..];
        for (side, bins) in [(0, [0, 1]), (1, [0, 1]), (2, [1, 1]), (3, [0, 1])] {
            for bin in bins {
                cell[side * 11 + bin] = 80.0;
            }
        }
    }

    fn run(scores: &[f32], distances: &[f32], threshold: f32, placement: Placement) -> Vec<Detection> {
        decode(&[Level { stride: 32, scores, distances }], (80, 0), (64, 64), threshold, placement).unwrap()
    }

    #[test]
    fn a_wide_input_has_its_own_columns_and_a_wrong_number_of_cells_is_refused() {
        let (mut scores, mut distances) = (vec![0.0; 6 * 80], vec![0.0; 6 * 44]);
        scores[5 * 80] = 0.9;
        distances[5 * 44..].fill(0.0);
        let level = [Level { stride: 32, scores: &scores, distances: &distances }];
        let wide = Placement { region: Region { x0: 0.0, y0: 0.0, width: 96.0, height: 64.0 }, factor: 1.0 };
        let found = decode(&level, (80, 0), (96, 64), 0.5, wide).unwrap();
        // The last of three columns in the second of two rows: its middle is at (80, 48); five bins to every side, cut at the edges.
        assert_eq!((found[0].x1, found[0].y1), (96.0, 64.0));
        assert_eq!((found[0].x0, found[0].y0), (0.0, 0.0));
        assert!(decode(&level, (80, 0), (64, 64), 0.5, wide).is_none());
        assert!(decode(&[Level { stride: 32, scores: &scores, distances: &[] }], (80, 0), (96, 64), 0.5, wide).is_none());
    }

    #[test]
    fn the_person_column_and_the_expected_distances_make_the_box() {
        let (mut scores, mut distances) = (vec![0.0; 4 * 80], vec![0.0; 4 * 44]);
        // Other classes are never read, however sure.
        scores[1] = 1.0;
        level(&mut scores, &mut distances);
        let [found] = run(&scores, &distances, 0.5, WHOLE)[..] else { panic!("one box") };
        assert_eq!((found.x0, found.y0, found.x1, found.y1, found.score), (32.0, 32.0, 64.0, 64.0, 0.9));
        assert!(run(&scores, &distances, 0.95, WHOLE).is_empty());
    }

    #[test]
    fn boxes_come_back_in_picture_pixels() {
        let (mut scores, mut distances) = (vec![0.0; 4 * 80], vec![0.0; 4 * 44]);
        level(&mut scores, &mut distances);
        let region = Region { x0: 100.0, y0: 50.0, width: 128.0, height: 128.0 };
        let [found] = run(&scores, &distances, 0.5, Placement { region, factor: 0.5 })[..] else { panic!("one box") };
        assert_eq!((found.x0, found.y0, found.x1, found.y1), (164.0, 114.0, 228.0, 178.0));
    }

    #[test]
    fn a_box_in_the_padding_or_of_nan_is_nobody() {
        let (mut scores, mut distances) = (vec![0.0; 4 * 80], vec![0.0; 4 * 44]);
        level(&mut scores, &mut distances);
        let region = Region { x0: 0.0, y0: 0.0, width: 64.0, height: 20.0 };
        assert!(run(&scores, &distances, 0.5, Placement { region, factor: 1.0 }).is_empty());
        distances.fill(f32::NAN);
        assert!(run(&scores, &distances, 0.5, WHOLE).is_empty());
        scores.fill(f32::NAN);
        assert!(run(&scores, &distances, 0.0, WHOLE).is_empty());
    }
}
