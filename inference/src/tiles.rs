//! Where a picture is cut before a detector with a small input sees it.

use crate::Region;

/// How closely a picture is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tiling {
    /// As the manifest says: one pass, or squares along the longer side.
    Usual,
    /// A grid, for small people: 2 x 2, or 3 x 2 for a wide picture.
    Fine,
}

/// A picture up to this many times the input's side is seen in one pass.
const ONE_PASS_UP_TO: f32 = 1.25;

/// Below this ratio of the sides, tiles would only repeat each other.
const SQUARE_BELOW: f32 = 1.15;

/// Tiles overlap by at least this part of their length.
const OVERLAP: f32 = 0.15;

/// Tiles for a picture: squares of its shorter side along its longer one, so that people come out larger by the ratio of the
/// sides than in one pass. At most `max`; longer than square when that few squares do not reach.
pub(crate) fn plan(width: usize, height: usize, input_side: usize, max: usize) -> Vec<Region> {
    let (width, height) = (width as f32, height as f32);
    let (long, short) = (width.max(height), width.min(height));
    if max < 2 || long <= input_side as f32 * ONE_PASS_UP_TO || long < short * SQUARE_BELOW {
        return vec![Region { x0: 0.0, y0: 0.0, width, height }];
    }
    let count = (2..max).find(|count| *count as f32 - (*count as f32 - 1.0) * OVERLAP >= long / short).unwrap_or(max);
    let length = short.max(long / (count as f32 - (count as f32 - 1.0) * OVERLAP)).ceil().min(long);
    let step = (long - length) / (count as f32 - 1.0);
    (0..count)
        .map(|i| {
            let start = (step * i as f32).floor();
            if width >= height {
                Region { x0: start, y0: 0.0, width: length, height }
            } else {
                Region { x0: 0.0, y0: start, width, height: length }
            }
        })
        .collect()
}

/// A wide picture has three tiles along its longer side.
const WIDE_FROM: f32 = 1.6;

/// Overlapping tiles of a grid over the picture, for small people. A tiny picture stays whole.
pub(crate) fn grid(width: usize, height: usize) -> Vec<Region> {
    let (w, h) = (width as f32, height as f32);
    if width.min(height) < 64 {
        return vec![Region { x0: 0.0, y0: 0.0, width: w, height: h }];
    }
    let along = |long: f32, short: f32| if long / short >= WIDE_FROM { 3 } else { 2 };
    let (columns, rows) = if w >= h { (along(w, h), 2) } else { (2, along(h, w)) };
    let spans = |length: f32, count: usize| -> Vec<(f32, f32)> {
        let tile = (length / (count as f32 - (count as f32 - 1.0) * OVERLAP)).ceil().min(length);
        let step = (length - tile) / (count as f32 - 1.0);
        (0..count).map(|i| ((step * i as f32).floor(), tile)).collect()
    };
    let across = spans(w, columns);
    spans(h, rows)
        .into_iter()
        .flat_map(|(y0, height)| across.iter().map(move |(x0, width)| Region { x0: *x0, y0, width: *width, height }))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_squares_for_common_pictures() {
        let starts = |w, h| plan(w, h, 416, 2).iter().map(|t| (t.x0, t.y0, t.width, t.height)).collect::<Vec<_>>();
        assert_eq!(starts(768, 576), [(0.0, 0.0, 576.0, 576.0), (192.0, 0.0, 576.0, 576.0)]);
        assert_eq!(starts(1920, 1080), [(0.0, 0.0, 1080.0, 1080.0), (840.0, 0.0, 1080.0, 1080.0)]);
        assert_eq!(starts(1080, 1920), [(0.0, 0.0, 1080.0, 1080.0), (0.0, 840.0, 1080.0, 1080.0)]);
        assert_eq!(starts(416, 416).len(), 1);
        assert_eq!(starts(1, 1).len(), 1);
        assert_eq!(starts(1000, 1000).len(), 1);
    }

    proptest! {
        #[test]
        fn a_grid_covers_every_pixel_and_stays_inside(w in 1usize..4000, h in 1usize..4000, x in 0.0f32..1.0, y in 0.0f32..1.0) {
            let tiles = grid(w, h);
            prop_assert!((1..=6).contains(&tiles.len()));
            let (x, y) = (x * (w - 1) as f32, y * (h - 1) as f32);
            let holds = |t: &Region| t.x0 <= x && x <= t.x0 + t.width && t.y0 <= y && y <= t.y0 + t.height;
            prop_assert!(tiles.iter().any(holds));
            prop_assert!(tiles.iter().all(|t| t.x0 + t.width <= w as f32 + 0.5 && t.y0 + t.height <= h as f32 + 0.5));
        }

        #[test]
        fn tiles_cover_the_picture_and_overlap(w in 1usize..9000, h in 1usize..9000, max in 1usize..5) {
            let tiles = plan(w, h, 416, max);
            prop_assert!(!tiles.is_empty() && tiles.len() <= max.max(1));
            let along = |t: &Region| if w >= h { (t.x0, t.x0 + t.width) } else { (t.y0, t.y0 + t.height) };
            let long = w.max(h) as f32;
            prop_assert_eq!(along(&tiles[0]).0, 0.0);
            prop_assert!((along(&tiles[tiles.len() - 1]).1 - long).abs() <= 1.0);
            for pair in tiles.windows(2) {
                prop_assert!(along(&pair[1]).0 <= along(&pair[0]).1 - 0.1 * (pair[0].width.min(pair[0].height)));
            }
            for t in &tiles {
                prop_assert!(along(t).1 <= long + 0.5);
            }
        }
    }
}
