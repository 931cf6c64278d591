//! People in zones, so that zones and total agree.
//!
//! Where people are, the last density map says; what changed since, the boxes. Each zone gets its share of the total, and the
//! rest of the picture gets one as well, so zones that do not overlap never hold more than the whole.

use qorgan_domain::ZoneCount;

use crate::{CrowdGrid, Detection, Fused, Point, Zone, sparse};

/// Where a person stands, in fractions of the picture: the middle of the box's lower edge, just inside the picture.
pub(crate) fn foot(found: &Detection, size_px: (usize, usize)) -> Point {
    let part = |at: f32, length: usize| (at / length.max(1) as f32).clamp(0.0, 0.9999);
    Point { x: part((found.x0 + found.x1) / 2.0, size_px.0), y: part(found.y1, size_px.1) }
}

/// People per zone and in all, in one model's own numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    all: f32,
    zones: Vec<f32>,
}

impl Spread {
    /// Foot points, each with its weight.
    pub(crate) fn of_boxes(zones: &[Zone], boxes: &[Detection], size_px: (usize, usize), weight: fn(&Detection) -> f32) -> Self {
        let inside = |zone: &Zone| boxes.iter().filter(|b| zone.shape.contains(foot(b, size_px))).map(weight).sum();
        Self { all: boxes.iter().map(weight).sum(), zones: zones.iter().map(inside).collect() }
    }

    /// Cells of the map, each by the part of it that is inside.
    pub(crate) fn of_map(zones: &[Zone], map: &CrowdGrid) -> Self {
        let all = map.sum();
        Self { all, zones: zones.iter().map(|zone| map.inside(&zone.shape).min(all)).collect() }
    }

    /// What the map said, moved by what the boxes say has changed since; `ratio` is people per box.
    pub(crate) fn moved(&self, then: &Self, now: &Self, ratio: f32) -> Self {
        let step = |map: f32, then: f32, now: f32| (map + ratio * (now - then)).max(0.0);
        let zones: Vec<f32> = self.zones.iter().zip(then.zones.iter().zip(&now.zones)).map(|(m, (t, n))| step(*m, *t, *n)).collect();
        let most = zones.iter().copied().fold(0.0, f32::max);
        Self { all: step(self.all, then.all, now.all).max(most), zones }
    }

    /// The zones' parts of a count. A part is as unsure as the whole, and by chance: of N people with a share p, p N +- sqrt(N p (1 - p)).
    pub(crate) fn counts(&self, zones: &[Zone], areas_m2: &[Option<f32>], total: Fused) -> Vec<ZoneCount> {
        let count = |((zone, area_m2), part): ((&Zone, &Option<f32>), &f32)| {
            let share = if self.all > 0.0 { (part / self.all).clamp(0.0, 1.0) } else { 0.0 };
            let people = total.people * share;
            // Nobody seen in a zone is not quite nobody: half a person's worth of chance.
            let chance = 1.645 * (total.people * share * (1.0 - share)).sqrt() * SHARE_NOISE;
            let below = ((total.people - total.low) * share).hypot(chance);
            let above = ((total.high - total.people) * share.max(EMPTY_SHARE)).hypot(chance);
            ZoneCount { zone: zone.id.clone(), people, low: (people - below).max(0.0), high: people + above, area_m2: *area_m2 }
        };
        zones.iter().zip(areas_m2).zip(&self.zones).map(count).collect()
    }
}

/// People are not thrown into zones at random, they are seen there: a part of the chance is left.
const SHARE_NOISE: f32 = 0.5;

/// A zone that looks empty may still hold this share of what the whole picture may hold beyond its count.
const EMPTY_SHARE: f32 = 0.1;

/// Each box counts one.
pub(crate) fn one(_: &Detection) -> f32 {
    1.0
}

/// Each box counts by its score.
pub(crate) fn by_score(found: &Detection) -> f32 {
    sparse::weight(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::polygon;

    fn halves() -> Vec<Zone> {
        let zone = |id: &str, corners: &[(f32, f32)]| Zone { id: id.parse().expect("an id"), shape: polygon(corners) };
        vec![
            zone("left", &[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]),
            zone("right", &[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]),
        ]
    }

    fn boxes(at: &[f32]) -> Vec<Detection> {
        at.iter().map(|x| Detection { x0: x * 100.0 - 2.0, y0: 10.0, x1: x * 100.0 + 2.0, y1: 30.0, score: 0.9 }).collect()
    }

    const TOTAL: Fused = Fused { people: 40.0, low: 30.0, high: 52.0 };

    #[test]
    fn who_walks_from_one_zone_to_the_other_changes_both_before_the_map_speaks_again() {
        let zones = halves();
        let map = Spread { all: 40.0, zones: vec![30.0, 10.0] };
        let spread = |at: &[f32]| Spread::of_boxes(&zones, &boxes(at), (100, 100), one);
        let now = map.moved(&spread(&[0.1, 0.2, 0.3, 0.8]), &spread(&[0.1, 0.7, 0.6, 0.8]), 5.0).counts(&zones, &[None, Some(20.0)], TOTAL);
        assert_eq!((now[0].people, now[1].people), (20.0, 20.0));
        assert_eq!(now[1].people_per_m2(), Some(1.0));
    }

    #[test]
    fn an_empty_zone_has_an_upper_end() {
        let zones = halves();
        let counts = Spread::of_boxes(&zones, &boxes(&[0.1, 0.2]), (100, 100), one).counts(&zones, &[None, None], TOTAL);
        assert_eq!((counts[1].people, counts[1].low), (0.0, 0.0));
        assert!(counts[1].high > 0.5);
    }

    proptest! {
        #[test]
        fn zones_side_by_side_add_up_to_the_total(
            map in (0.0f32..200.0, 0.0f32..200.0), then in prop::collection::vec(0.0f32..1.0, 0..20),
            now in prop::collection::vec(0.0f32..1.0, 0..20), ratio in 0.2f32..5.0,
        ) {
            let zones = halves();
            let spread = |at: &[f32]| Spread::of_boxes(&zones, &boxes(at), (100, 100), one);
            let moved = Spread { all: map.0 + map.1, zones: vec![map.0, map.1] }.moved(&spread(&then), &spread(&now), ratio);
            let counts = moved.counts(&zones, &[None, None], TOTAL);
            let sum = counts[0].people + counts[1].people;
            // A zone that the boxes empty below zero stays at zero, so the sum may exceed the whole by what was cut off there.
            prop_assert!(counts.iter().all(|c| 0.0 <= c.low && c.low <= c.people && c.people <= c.high && c.people <= TOTAL.people * 1.001));
            let unchanged = Spread { all: map.0 + map.1, zones: vec![map.0, map.1] }.counts(&zones, &[None, None], TOTAL);
            if map.0 + map.1 > 0.0 {
                prop_assert!((unchanged[0].people + unchanged[1].people - TOTAL.people).abs() < 0.01, "{}", sum);
            }
        }
    }
}
