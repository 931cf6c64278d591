//! Reading YOLOX's output: one row per cell of every stride, with the box, the objectness and the classes' probabilities. One
//! class column is read, the person's.

use crate::{Detection, nanodet::Placement};

/// How the rows lie.
pub(crate) struct Layout<'a> {
    /// Width and height of the input, in pixels.
    pub(crate) size: (usize, usize),
    /// Strides in the order of their rows; each divides both.
    pub(crate) strides: &'a [usize],
    /// Whether x, y, width and height are input pixels already; else offsets in cells and logarithms.
    pub(crate) decoded: bool,
}

impl Layout<'_> {
    /// Rows of all strides together.
    pub(crate) fn cells(&self) -> usize {
        self.strides.iter().map(|stride| (self.size.0 / stride) * (self.size.1 / stride)).sum()
    }
}

/// Boxes in picture pixels with at least this score (objectness x person), not yet suppressed, cut at the edges of the region.
/// The slice is as long as the layout's cells and the manifest's classes make it.
pub(crate) fn decode(rows: &[f32], layout: &Layout<'_>, person: usize, threshold: f32, placement: Placement) -> Vec<Detection> {
    let width = rows.len() / layout.cells().max(1);
    if width < 6 + person {
        return Vec::new();
    }
    let mut rows = rows.chunks_exact(width);
    let mut found = Vec::new();
    for stride in layout.strides {
        let columns = layout.size.0 / stride;
        for (cell, row) in rows.by_ref().take(columns * (layout.size.1 / stride)).enumerate() {
            let score = row[4] * row[5 + person];
            // Written so that a NaN is not found.
            if score >= threshold {
                let at = if layout.decoded {
                    [row[0], row[1], row[2], row[3]]
                } else {
                    let stride = *stride as f32;
                    let (column, line) = ((cell % columns) as f32, (cell / columns) as f32);
                    [(row[0] + column) * stride, (row[1] + line) * stride, row[2].exp() * stride, row[3].exp() * stride]
                };
                found.extend(one_box(at, score.min(1.0), placement));
            }
        }
    }
    found
}

fn one_box([x, y, width, height]: [f32; 4], score: f32, placement: Placement) -> Option<Detection> {
    let Placement { region, factor } = placement;
    let across = |at: f32| (region.x0 + at / factor).clamp(region.x0, region.x0 + region.width);
    let down = |at: f32| (region.y0 + at / factor).clamp(region.y0, region.y0 + region.height);
    let found = Detection {
        x0: across(x - width / 2.0),
        y0: down(y - height / 2.0),
        x1: across(x + width / 2.0),
        y1: down(y + height / 2.0),
        score,
    };
    (found.area_px2() > 0.0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Region;

    const WHOLE: Placement = Placement { region: Region { x0: 0.0, y0: 0.0, width: 64.0, height: 64.0 }, factor: 1.0 };

    /// 64 pixels, strides 16 and 32: 16 + 4 rows of 2 classes; the third row of stride 32 holds somebody.
    fn rows(decoded: bool) -> Vec<f32> {
        let mut rows = vec![0.0; 20 * 7];
        let at = if decoded { [16.0, 48.0, 20.0, 30.0] } else { [0.5, 0.5, (20.0f32 / 32.0).ln(), (30.0f32 / 32.0).ln()] };
        rows[18 * 7..18 * 7 + 4].copy_from_slice(&at);
        rows[18 * 7 + 4..19 * 7].copy_from_slice(&[0.9, 0.1, 0.8]);
        rows
    }

    #[test]
    fn both_ways_of_writing_a_box_give_the_same_one() {
        for decoded in [false, true] {
            let layout = Layout { size: (64, 64), strides: &[16, 32], decoded };
            let [found] = decode(&rows(decoded), &layout, 1, 0.5, WHOLE)[..] else { panic!("one box") };
            let expected = [6.0, 33.0, 26.0, 63.0, 0.72];
            for (found, expected) in [found.x0, found.y0, found.x1, found.y1, found.score].into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-3, "{found} instead of {expected}");
            }
            assert!(decode(&rows(decoded), &layout, 0, 0.5, WHOLE).is_empty(), "the other class is not read");
            assert!(decode(&vec![f32::NAN; 140], &layout, 1, 0.0, WHOLE).is_empty());
        }
    }
}
