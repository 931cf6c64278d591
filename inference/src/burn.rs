//! Privacy masks: parts of the picture that nobody and nothing may see. Burned in before the model, the change gate, a still or
//! a recorder sees the picture; what was there is overwritten, not hidden.

use qorgan_domain::I420;

use crate::{ModelError, Point, Polygon, picture};

/// Black in limited range.
const BLACK: (u8, u8) = (16, 128);

/// Overwrites every pixel that a polygon touches with black, and the colour of its neighbours within the same chroma sample.
/// Errors: the picture is not whole; nothing was burned then, and the caller must not go on with it.
pub fn burn_masks(picture: &mut I420, masks: &[Polygon]) -> Result<(), ModelError> {
    picture::check(picture)?;
    for mask in masks {
        for row in 0..picture.height {
            for (from, to) in spans(mask, row, picture.width, picture.height) {
                let at = row * picture.y_stride;
                picture.y[at + from..at + to].fill(BLACK.0);
                let at = row / 2 * picture.uv_stride;
                picture.u[at + from / 2..at + to.div_ceil(2)].fill(BLACK.1);
                picture.v[at + from / 2..at + to.div_ceil(2)].fill(BLACK.1);
            }
        }
    }
    Ok(())
}

/// Pixels of a row that a mask touches, as half-open ranges, rounded outwards.
///
/// A row is a band one pixel high. The mask inside the band is covered by the sides that pass through it and by what lies
/// between them at the band's upper and lower edge, and those are what is collected; ranges may overlap.
fn spans(mask: &Polygon, row: usize, width: usize, height: usize) -> Vec<(usize, usize)> {
    let (top, bottom) = (row as f32, row as f32 + 1.0);
    let scaled = |p: Point| (p.x * width as f32, p.y * height as f32);
    let out = |from: f32, to: f32| {
        let from = (from.floor().max(0.0) as usize).min(width);
        (from, (to.floor().max(0.0) as usize + 1).clamp(from, width))
    };
    let mut found = Vec::new();
    let mut crossings = [Vec::new(), Vec::new()];
    for (a, b) in mask.sides() {
        let ((ax, ay), (bx, by)) = (scaled(a), scaled(b));
        if ay.max(by) < top || ay.min(by) > bottom {
            continue;
        }
        // The part of the side inside the band.
        let at = |y: f32| if by == ay { ax } else { ax + (bx - ax) * (y - ay) / (by - ay) };
        let (high, low) = (ay.min(by).max(top), ay.max(by).min(bottom));
        let (mut left, mut right) = (at(high).min(at(low)), at(high).max(at(low)));
        if by == ay {
            (left, right) = (ax.min(bx), ax.max(bx));
        }
        found.push(out(left, right));
        for (edge, crossing) in [top, bottom].into_iter().zip(&mut crossings) {
            if (ay > edge) != (by > edge) {
                crossing.push(at(edge));
            }
        }
    }
    for crossing in &mut crossings {
        crossing.sort_by(f32::total_cmp);
        found.extend(crossing.chunks_exact(2).map(|pair| out(pair[0], pair[1])));
    }
    found.retain(|(from, to)| from < to);
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{geometry::polygon, picture::test_picture};

    #[test]
    fn what_was_under_a_mask_is_gone_and_the_rest_is_as_it_was() {
        let before = test_picture(64, 48, 3);
        let mut after = before.clone();
        burn_masks(&mut after, &[polygon(&[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])]).expect("burned");
        for y in 0..48 {
            for x in 0..64 {
                let (was, is) = (before.y[y * before.y_stride + x], after.y[y * after.y_stride + x]);
                if (16..48).contains(&x) && (12..36).contains(&y) {
                    assert_eq!(is, 16, "({x}, {y})");
                } else if !(15..50).contains(&x) || !(11..38).contains(&y) {
                    assert_eq!(is, was, "({x}, {y})");
                }
            }
        }
        assert!(after.u[10 * after.uv_stride + 10] == 128 && after.v[10 * after.uv_stride + 10] == 128);
    }

    #[test]
    fn a_sliver_between_two_rows_is_burned_too() {
        let mut picture = test_picture(100, 100, 0);
        picture.y.fill(200);
        burn_masks(&mut picture, &[polygon(&[(0.1, 0.501), (0.9, 0.501), (0.9, 0.509), (0.1, 0.509)])]).expect("burned");
        assert!(picture.y[50 * 100 + 11..50 * 100 + 89].iter().all(|y| *y == 16));
    }

    #[test]
    fn a_picture_that_is_not_whole_is_an_error() {
        let mut picture = test_picture(10, 10, 0);
        picture.u.truncate(2);
        assert!(burn_masks(&mut picture, &[polygon(&[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])]).is_err());
    }

    proptest! {
        #[test]
        fn every_pixel_whose_middle_is_inside_is_burned(
            corners in prop::collection::vec((0.0f32..=1.0, 0.0f32..=1.0), 3..7), width in 1usize..70, height in 1usize..70,
        ) {
            let corners = corners.into_iter().map(|(x, y)| Point { x, y }).collect();
            let Ok(mask) = Polygon::new(corners) else { return Ok(()) };
            let mut picture = test_picture(width, height, 2);
            picture.y.fill(200);
            picture.u.fill(60);
            burn_masks(&mut picture, std::slice::from_ref(&mask)).expect("burned");
            for y in 0..height {
                for x in 0..width {
                    let middle = Point { x: (x as f32 + 0.5) / width as f32, y: (y as f32 + 0.5) / height as f32 };
                    if mask.contains(middle) {
                        prop_assert_eq!(picture.y[y * picture.y_stride + x], 16);
                        prop_assert_eq!(picture.u[y / 2 * picture.uv_stride + x / 2], 128);
                    }
                }
            }
        }
    }
}
