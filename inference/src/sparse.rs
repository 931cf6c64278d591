//! Whether the detector is right by itself: few people, large enough, apart from each other, hardly anything doubtful.
//!
//! There the density map is worse than nothing (a bus stop with 4 people gives 22.7), and it is not asked but as a look-out.

use crate::Detection;

/// A person that counts in a sparse scene is found at the manifest's score; from this one on a box is a candidate.
pub(crate) const CANDIDATE: f32 = 0.2;

/// A candidate counts fully from this score on, and less and less below it.
const SURE: f32 = 0.4;

/// Most people of a sparse scene.
const FEW: usize = 14;

/// How soon a scene is no longer sparse.
struct Bounds {
    /// Doubtful candidates, in people, that a sparse scene may have: at least, and per person.
    doubt: (f32, f32),
    /// Part of the people that may overlap another, and how many may in any case.
    apart: (f32, usize),
}

/// Of a camera that is known to look at a crowd, and of a still that is looked at as closely as can be.
const CROWD_EXPECTED: Bounds = Bounds { doubt: (2.5, 0.25), apart: (0.4, 2) };

/// Of any other: a campus path with 9 people in groups is sparse.
const CROWD_UNEXPECTED: Bounds = Bounds { doubt: (4.0, 0.5), apart: (0.6, 4) };

/// Median height of a person, in pixels of the model's input: below it people are too small to be counted one by one.
const LARGE_PX: f32 = 32.0;

/// Two people overlap from this intersection over union on.
const OVERLAP: f32 = 0.3;

/// A map that sees at least this many people, and so many times the detector's, in a scene that looks sparse, sees a crowd
/// far away.
const FAR_CROWD: (f32, f32) = (40.0, 4.0);

/// With fewer people than this, surely and doubtfully seen, the map's own error (22.7 at a bus stop with 4 people, 15 on a campus path
/// with 5) is more than what the detector misses: the map only says whether the detector is blind.
/// The second bound is for a camera that is known to look at a crowd: it does not change sides with every picture.
const FEW_FOR_MAP: (f32, f32) = (10.0, 5.0);

/// As [`FAR_CROWD`], where the detector itself doubts.
const BLIND_CROWD: (f32, f32) = (25.0, 4.0);

/// What one picture's candidates say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Boxes that count by themselves.
    pub(crate) sure: Vec<Detection>,
    /// Number of people for the ratio: candidates, each weighed by its score.
    pub(crate) soft: f32,
    /// Why the detector is not enough; none when the scene is sparse.
    pub(crate) crowd: Option<Why>,
}

impl Seen {
    /// Whether so few people are seen that the map's number is no help; `taught`: the camera is known to look at a crowd.
    pub(crate) fn few(&self, taught: bool) -> bool {
        self.soft < if taught { FEW_FOR_MAP.1 } else { FEW_FOR_MAP.0 }
    }

    /// People that are seen but not surely.
    pub(crate) fn doubtful(&self) -> f32 {
        (self.soft - self.sure.len() as f32).max(0.0)
    }

    /// Whether a map's sum shows a crowd that the detector does not see.
    pub(crate) fn misses_crowd(&self, map: f32) -> bool {
        let (people, times) = if self.crowd.is_some() { BLIND_CROWD } else { FAR_CROWD };
        map >= people && map >= times * (self.soft + 1.0)
    }
}

/// Why a scene is not sparse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Many,
    Doubtful,
    Small,
    Overlapping,
}

/// Weight of a candidate in the soft count.
pub(crate) fn weight(found: &Detection) -> f32 {
    ((found.score - CANDIDATE) / (SURE - CANDIDATE)).clamp(0.0, 1.0)
}

/// Judges candidates found at [`CANDIDATE`] or more; `threshold` is the manifest's score, `input_px` the model's pixels per
/// pixel of the picture; `crowd_expected` makes doubt weigh more.
pub(crate) fn judge(candidates: &[Detection], threshold: f32, input_px: f32, crowd_expected: bool) -> Seen {
    let Bounds { doubt: doubt_bound, apart } = if crowd_expected { CROWD_EXPECTED } else { CROWD_UNEXPECTED };
    let sure: Vec<Detection> = candidates.iter().filter(|found| found.score >= threshold).copied().collect();
    let soft = candidates.iter().map(weight).sum();
    let doubt: f32 = candidates.iter().filter(|found| found.score < threshold).map(weight).sum();
    let overlapping = sure.iter().enumerate().filter(|(i, a)| sure.iter().enumerate().any(|(j, b)| *i != j && a.iou(b) > OVERLAP)).count();
    let crowd = if sure.len() > FEW {
        Some(Why::Many)
    } else if doubt > doubt_bound.0 + doubt_bound.1 * sure.len() as f32 {
        Some(Why::Doubtful)
    } else if median_height(&sure).is_some_and(|height| height * input_px < LARGE_PX) {
        Some(Why::Small)
    } else if overlapping > apart.1 && overlapping as f32 > apart.0 * sure.len() as f32 {
        Some(Why::Overlapping)
    } else {
        None
    };
    Seen { sure, soft, crowd }
}

fn median_height(boxes: &[Detection]) -> Option<f32> {
    let mut heights: Vec<f32> = boxes.iter().map(|found| found.y1 - found.y0).collect();
    heights.sort_by(f32::total_cmp);
    heights.get(heights.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(count: usize, step: f32, height: f32, score: f32) -> Vec<Detection> {
        (0..count).map(|i| Detection { x0: i as f32 * step, y0: 0.0, x1: i as f32 * step + height / 3.0, y1: height, score }).collect()
    }

    #[test]
    fn a_bus_stop_is_sparse_and_a_crowd_is_not() {
        let why = |boxes: &[Detection]| judge(boxes, 0.45, 0.65, true).crowd;
        assert_eq!(why(&row(4, 80.0, 120.0, 0.8)), None);
        assert_eq!(why(&[]), None);
        assert_eq!(why(&row(20, 80.0, 120.0, 0.8)), Some(Why::Many));
        assert_eq!(why(&row(8, 80.0, 120.0, 0.38)), Some(Why::Doubtful));
        assert_eq!(why(&row(8, 30.0, 40.0, 0.8)), Some(Why::Small));
        assert_eq!(why(&row(8, 14.0, 120.0, 0.8)), Some(Why::Overlapping));
        // Where nobody expects a crowd, the same doubt is not enough.
        let calm = |boxes: &[Detection]| judge(boxes, 0.45, 0.65, false).crowd;
        assert_eq!(calm(&row(4, 80.0, 120.0, 0.38)), None);
        assert_eq!(why(&row(4, 80.0, 120.0, 0.38)), Some(Why::Doubtful));
        assert_eq!(calm(&row(4, 14.0, 120.0, 0.8)), None);
        assert_eq!(calm(&row(20, 80.0, 120.0, 0.8)), Some(Why::Many));
    }

    #[test]
    fn a_sea_of_heads_behind_two_people_is_a_crowd_far_away() {
        let two = judge(&row(2, 80.0, 120.0, 0.8), 0.45, 0.65, true);
        assert!(two.crowd.is_none() && two.few(true) && two.misses_crowd(300.0) && !two.misses_crowd(22.7));
        let doubted = judge(&row(6, 80.0, 120.0, 0.38), 0.45, 0.65, true);
        assert!(
            doubted.crowd.is_some()
                && doubted.few(false)
                && !doubted.few(true)
                && doubted.misses_crowd(30.0)
                && !doubted.misses_crowd(15.0)
        );
        assert!((doubted.doubtful() - 5.4).abs() < 1e-3);
        assert!(!judge(&row(12, 80.0, 120.0, 0.8), 0.45, 0.65, true).few(false));
    }
}
