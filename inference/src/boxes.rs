//! Boxes around people: overlap, suppression of doubles, and joining what tiles have cut.

use crate::Region;

/// A box around a person, in pixels of the picture. Nothing about who it is, and no identity from picture to picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Left edge.
    pub x0: f32,
    /// Upper edge.
    pub y0: f32,
    /// Right edge, at least `x0`.
    pub x1: f32,
    /// Lower edge, at least `y0`.
    pub y1: f32,
    /// How sure the model is, 0 to 1.
    pub score: f32,
}

impl Detection {
    /// Area in square pixels.
    pub fn area_px2(&self) -> f32 {
        (self.x1 - self.x0).max(0.0) * (self.y1 - self.y0).max(0.0)
    }

    fn intersection(&self, other: &Self) -> f32 {
        let width = self.x1.min(other.x1) - self.x0.max(other.x0);
        let height = self.y1.min(other.y1) - self.y0.max(other.y0);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area_px2() + other.area_px2() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Intersection over the smaller of the two, 0 to 1.
    fn inside(&self, other: &Self) -> f32 {
        let smaller = self.area_px2().min(other.area_px2());
        if smaller > 0.0 { self.intersection(other) / smaller } else { 0.0 }
    }

    fn joined(&self, other: &Self) -> Self {
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
            score: self.score.max(other.score),
        }
    }
}

/// Non-maximum suppression: of boxes whose IoU is above the threshold only the surest stays. Sorts by falling score.
pub fn suppress(mut boxes: Vec<Detection>, iou_threshold: f32) -> Vec<Detection> {
    boxes.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in boxes {
        if kept.iter().all(|other| other.iou(&candidate) <= iou_threshold) {
            kept.push(candidate);
        }
    }
    kept
}

/// A box that ends within this many pixels of a tile's inner edge is taken as cut by it.
const CUT_WITHIN_PX: f32 = 3.0;

/// Boxes of overlapping tiles as boxes of the picture. A person whole in one tile and cut in the other counts by the whole
/// box; one that both tiles cut is joined; doubles are suppressed.
pub(crate) fn merge_tiles(tiles: Vec<(Region, Vec<Detection>)>, picture: Region, iou_threshold: f32) -> Vec<Detection> {
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    for (tile, boxes) in tiles {
        for found in boxes {
            if touches_inner_edge(&found, &tile, &picture) { cut.push(found) } else { whole.push(found) }
        }
    }
    let mut kept = suppress(whole, iou_threshold);
    cut.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut halves: Vec<Detection> = Vec::new();
    for part in cut {
        if kept.iter().any(|other| other.inside(&part) > 0.5) {
            continue;
        }
        match halves.iter_mut().find(|other| same_person_cut(other, &part)) {
            Some(other) => *other = other.joined(&part),
            None => halves.push(part),
        }
    }
    kept.extend(halves);
    kept
}

fn touches_inner_edge(found: &Detection, tile: &Region, picture: &Region) -> bool {
    let inner = |edge: f32, end: f32, at: f32| (edge - end).abs() > 0.5 && (at - edge).abs() <= CUT_WITHIN_PX;
    inner(tile.x0, picture.x0, found.x0)
        || inner(tile.y0, picture.y0, found.y0)
        || inner(tile.x0 + tile.width, picture.x0 + picture.width, found.x1)
        || inner(tile.y0 + tile.height, picture.y0 + picture.height, found.y1)
}

/// Whether two cut boxes are parts of one person: they overlap, and along one axis nearly agree.
fn same_person_cut(a: &Detection, b: &Detection) -> bool {
    let agree = |a0: f32, a1: f32, b0: f32, b1: f32| (a1.min(b1) - a0.max(b0)) / (a1.max(b1) - a0.min(b0)).max(1e-6);
    a.intersection(b) > 0.0 && agree(a.x0, a.x1, b.x0, b.x1).max(agree(a.y0, a.y1, b.y0, b.y1)) > 0.6
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(x0: f32, y0: f32, x1: f32, y1: f32, score: f32) -> Detection {
        Detection { x0, y0, x1, y1, score }
    }

    const PICTURE: Region = Region { x0: 0.0, y0: 0.0, width: 200.0, height: 100.0 };
    const LEFT: Region = Region { x0: 0.0, y0: 0.0, width: 120.0, height: 100.0 };
    const RIGHT: Region = Region { x0: 80.0, y0: 0.0, width: 120.0, height: 100.0 };

    #[test]
    fn a_person_in_both_tiles_counts_once() {
        let merged = merge_tiles(
            vec![(LEFT, vec![at(90.0, 10.0, 110.0, 60.0, 0.8)]), (RIGHT, vec![at(91.0, 11.0, 111.0, 61.0, 0.9)])],
            PICTURE,
            0.5,
        );
        assert_eq!(merged, vec![at(91.0, 11.0, 111.0, 61.0, 0.9)]);
    }

    #[test]
    fn a_person_cut_by_one_tile_counts_by_the_whole_box() {
        let merged = merge_tiles(
            vec![(LEFT, vec![at(110.0, 10.0, 119.0, 60.0, 0.95)]), (RIGHT, vec![at(110.0, 10.0, 140.0, 60.0, 0.5)])],
            PICTURE,
            0.5,
        );
        assert_eq!(merged, vec![at(110.0, 10.0, 140.0, 60.0, 0.5)]);
    }

    #[test]
    fn a_person_cut_by_both_tiles_is_joined() {
        let merged = merge_tiles(
            vec![(LEFT, vec![at(60.0, 10.0, 120.0, 90.0, 0.7)]), (RIGHT, vec![at(80.0, 12.0, 150.0, 90.0, 0.6)])],
            PICTURE,
            0.5,
        );
        assert_eq!(merged, vec![at(60.0, 10.0, 150.0, 90.0, 0.7)]);
    }

    #[test]
    fn a_person_at_the_edge_of_the_picture_is_not_cut_by_a_tile() {
        let edge = at(0.0, 0.0, 20.0, 100.0, 0.7);
        assert_eq!(merge_tiles(vec![(LEFT, vec![edge]), (RIGHT, vec![])], PICTURE, 0.5), vec![edge]);
    }

    fn boxes() -> impl Strategy<Value = Vec<Detection>> {
        let one = (0.0f32..300.0, 0.0f32..300.0, 0.0f32..80.0, 0.0f32..80.0, 0.0f32..1.0);
        prop::collection::vec(one.prop_map(|(x, y, w, h, score)| at(x, y, x + w, y + h, score)), 0..40)
    }

    proptest! {
        #[test]
        fn suppression_keeps_no_doubles_and_explains_every_loss(all in boxes(), threshold in 0.1f32..0.9) {
            let kept = suppress(all.clone(), threshold);
            for (i, a) in kept.iter().enumerate() {
                prop_assert!(all.contains(a));
                for b in &kept[i + 1..] {
                    prop_assert!(a.iou(b) <= threshold);
                }
            }
            for lost in all.iter().filter(|b| !kept.contains(b)) {
                prop_assert!(kept.iter().any(|k| k.score >= lost.score && k.iou(lost) > threshold));
            }
            prop_assert_eq!(suppress(kept.clone(), threshold), kept);
        }

        #[test]
        fn overlap_is_symmetric_and_between_zero_and_one(all in boxes()) {
            for pair in all.windows(2) {
                let iou = pair[0].iou(&pair[1]);
                prop_assert!((0.0..=1.0 + 1e-5).contains(&iou));
                prop_assert!((iou - pair[1].iou(&pair[0])).abs() < 1e-6);
            }
        }
    }
}
