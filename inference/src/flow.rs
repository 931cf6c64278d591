//! How many people cross a line, and in which direction, between one count and the next.
//!
//! Foot points of consecutive pictures are joined by nearness, in units of the people's own height on the picture, so near and
//! far people are judged alike. That works only while people move less than they stand apart: when the pictures are too far
//! apart in time, or the crowd too close, there is no number rather than a wrong one. What is followed lives here, has no
//! number or name, and is forgotten within [`MAX_GAP`]; totals leave.

use std::time::{Duration, Instant};

use qorgan_domain::LineFlow;

use crate::{
    Detection, Line, Point,
    geometry::{segments_cross, turn},
};

/// Longest time between two analysed pictures that are joined. A walker (1.4 m/s) moves less than a body height in it.
pub const MAX_GAP: Duration = Duration::from_millis(1_200);

/// How far a person may be from where they were expected, in body heights: a part for the box's own unrest, and one for each
/// second between the pictures (a runner of 4 m/s).
const REACH: (f32, f32) = (0.35, 2.4);

/// A join is doubtful when the second nearest is less than this much farther (body heights).
const CLEARLY_NEARER: f32 = 0.15;

/// With more than this part of the joins doubtful, the picture gives no flow.
const DOUBTFUL_PART: f32 = 0.34;

/// A person is on a side of a line when at least this far from it, in body heights: boxes tremble.
const SIDE_MARGIN: f32 = 0.12;

/// Something that moves. No identity: it exists between two pictures.
#[derive(Debug, Clone)]
struct Mover {
    /// Foot point in fractions of the picture's height, both axes.
    foot: Point,
    height: f32,
    /// Per second.
    velocity: (f32, f32),
    seen: Instant,
    /// Per line: the last place clearly on one side.
    sides: Vec<Option<Point>>,
}

/// The movers of one camera.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    lines: Vec<Line>,
    movers: Vec<Mover>,
    last: Option<Instant>,
}

impl Flow {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        Self { lines, movers: Vec::new(), last: None }
    }

    /// Nothing moved since the last picture, so nobody crossed.
    pub(crate) fn unchanged(&mut self, now: Instant) -> Vec<LineFlow> {
        let gap = self.gap(now);
        self.last = Some(now);
        for mover in &mut self.movers {
            mover.seen = now;
        }
        gap.map_or_else(Vec::new, |gap| self.totals(&vec![(0, 0); self.lines.len()], gap))
    }

    /// The people of a picture of this size. Crossings since the picture before; empty when they cannot be known.
    pub(crate) fn step(&mut self, boxes: &[Detection], size_px: (usize, usize), now: Instant) -> Vec<LineFlow> {
        if self.lines.is_empty() {
            return Vec::new();
        }
        let gap = self.gap(now);
        self.last = Some(now);
        let unit = 1.0 / size_px.1.max(1) as f32;
        let aspect = size_px.0 as f32 * unit;
        let lines: Vec<(Point, Point)> = self.lines.iter().map(|line| (wide(line.ends().0, aspect), wide(line.ends().1, aspect))).collect();
        let seen = boxes.iter().map(|b| (Point { x: (b.x0 + b.x1) / 2.0 * unit, y: b.y1 * unit }, ((b.y1 - b.y0) * unit).max(1e-3)));
        let seen: Vec<(Point, f32)> = seen.collect();
        let Some(gap) = gap else {
            self.movers = seen.into_iter().map(|at| Mover::new(at, now, &lines)).collect();
            return Vec::new();
        };
        let (joins, clear) = self.join(&seen, now);
        let mut crossed = vec![(0, 0); lines.len()];
        let mut next = Vec::with_capacity(seen.len());
        for (index, at) in seen.into_iter().enumerate() {
            match joins[index] {
                None => next.push(Mover::new(at, now, &lines)),
                Some(mover) => next.push(self.movers[mover].moved(at, now, &lines, &mut crossed)),
            }
        }
        // Who was not found may be hidden for a moment.
        let kept: Vec<usize> = joins.iter().flatten().copied().collect();
        let hidden = self.movers.iter().enumerate().filter(|(i, m)| !kept.contains(i) && now.saturating_duration_since(m.seen) <= MAX_GAP);
        next.extend(hidden.map(|(_, mover)| mover.clone()));
        self.movers = next;
        if clear { self.totals(&crossed, gap) } else { Vec::new() }
    }

    fn gap(&self, now: Instant) -> Option<Duration> {
        self.last.map(|last| now.saturating_duration_since(last)).filter(|gap| *gap <= MAX_GAP)
    }

    /// For each person seen the mover it continues, nearest pairs first; and whether most joins are beyond doubt.
    fn join(&self, seen: &[(Point, f32)], now: Instant) -> (Vec<Option<usize>>, bool) {
        let mut pairs = Vec::new();
        for (m, mover) in self.movers.iter().enumerate() {
            let dt = now.saturating_duration_since(mover.seen).as_secs_f32();
            let expected = Point { x: mover.foot.x + mover.velocity.0 * dt, y: mover.foot.y + mover.velocity.1 * dt };
            for (s, (foot, height)) in seen.iter().enumerate() {
                let tall = mover.height.max(*height);
                let away = (foot.x - expected.x).hypot(foot.y - expected.y) / tall;
                if away <= REACH.0 + REACH.1 * dt && mover.height.min(*height) / tall > 0.6 {
                    pairs.push((away, m, s));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut joins, mut used) = (vec![None; seen.len()], vec![false; self.movers.len()]);
        let (mut joined, mut doubtful) = (0usize, 0usize);
        for (away, m, s) in &pairs {
            if joins[*s].is_some() || used[*m] {
                continue;
            }
            joins[*s] = Some(*m);
            used[*m] = true;
            joined += 1;
            let rival = |(other, om, os): &&(f32, usize, usize)| (om == m) != (os == s) && *other < away + CLEARLY_NEARER;
            doubtful += usize::from(pairs.iter().find(rival).is_some());
        }
        (joins, doubtful as f32 <= (joined as f32 * DOUBTFUL_PART).max(1.0))
    }

    fn totals(&self, crossed: &[(u32, u32)], gap: Duration) -> Vec<LineFlow> {
        let over_ms = u32::try_from(gap.as_millis()).unwrap_or(u32::MAX);
        let flow = |(line, (forward, backward)): (&Line, &(u32, u32))| LineFlow {
            line: line.id.clone(),
            forward: *forward,
            backward: *backward,
            over_ms,
        };
        self.lines.iter().zip(crossed).map(flow).collect()
    }
}

/// From fractions of width and height to fractions of the height.
fn wide(p: Point, aspect: f32) -> Point {
    Point { x: p.x * aspect, y: p.y }
}

/// Distance to the right of a line, looking from its first end to its second (y points down).
fn right_of(line: (Point, Point), p: Point) -> f32 {
    turn(line.0, line.1, p) / (line.1.x - line.0.x).hypot(line.1.y - line.0.y)
}

impl Mover {
    fn new((foot, height): (Point, f32), now: Instant, lines: &[(Point, Point)]) -> Self {
        let sides = lines.iter().map(|line| (right_of(*line, foot).abs() > SIDE_MARGIN * height).then_some(foot)).collect();
        Self { foot, height, velocity: (0.0, 0.0), seen: now, sides }
    }

    /// The mover one picture later, and its crossings.
    fn moved(&self, (foot, height): (Point, f32), now: Instant, lines: &[(Point, Point)], crossed: &mut [(u32, u32)]) -> Self {
        let dt = now.saturating_duration_since(self.seen).as_secs_f32().max(1e-3);
        let measured = ((foot.x - self.foot.x) / dt, (foot.y - self.foot.y) / dt);
        let velocity = (0.5 * (self.velocity.0 + measured.0), 0.5 * (self.velocity.1 + measured.1));
        let mut sides = self.sides.clone();
        for ((line, side), (forward, backward)) in lines.iter().zip(&mut sides).zip(crossed) {
            let right = right_of(*line, foot);
            if right.abs() <= SIDE_MARGIN * height {
                continue;
            }
            if let Some(before) = side.filter(|before| (right_of(*line, *before) > 0.0) != (right > 0.0))
                && segments_cross((before, foot), *line)
            {
                *(if right > 0.0 { forward } else { backward }) += 1;
            }
            *side = Some(foot);
        }
        Self { foot, height, velocity, seen: now, sides }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: (usize, usize) = (1000, 500);

    /// A line down the middle: forward is from its left, which is the right half, to its right, the left half.
    fn down_the_middle() -> Flow {
        let line = Line::new("door".parse().expect("an id"), Point { x: 0.5, y: 0.0 }, Point { x: 0.5, y: 1.0 }).expect("a line");
        Flow::new(vec![line])
    }

    fn person(x: f32, y: f32) -> Detection {
        Detection { x0: x - 15.0, y0: y - 80.0, x1: x + 15.0, y1: y, score: 0.9 }
    }

    fn total(flows: &[Vec<LineFlow>]) -> (u32, u32) {
        flows.iter().flatten().fold((0, 0), |sum, flow| (sum.0 + flow.forward, sum.1 + flow.backward))
    }

    #[test]
    fn people_who_walk_across_count_once_each_way() {
        let (mut flow, start) = (down_the_middle(), Instant::now());
        let flows: Vec<_> = (0..20)
            .map(|i| {
                let t = i as f32 * 0.2;
                let people = [person(400.0 + 60.0 * t, 200.0), person(620.0 - 70.0 * t, 400.0), person(620.0, 300.0)];
                flow.step(&people, SIZE, start + Duration::from_millis(200 * i))
            })
            .collect();
        assert!(flows[0].is_empty(), "one picture shows no movement");
        assert_eq!(total(&flows), (1, 1));
        assert!(flows[1..].iter().all(|f| f.len() == 1 && f[0].over_ms == 200));
    }

    #[test]
    fn somebody_who_stands_on_the_line_and_trembles_is_not_counted() {
        let (mut flow, start) = (down_the_middle(), Instant::now());
        let flows: Vec<_> = (0..50)
            .map(|i| flow.step(&[person(500.0 + if i % 2 == 0 { 8.0 } else { -8.0 }, 300.0)], SIZE, start + Duration::from_millis(200 * i)))
            .collect();
        assert_eq!(total(&flows), (0, 0));
    }

    #[test]
    fn pictures_too_far_apart_give_no_flow() {
        let (mut flow, start) = (down_the_middle(), Instant::now());
        for i in 0..5u64 {
            assert!(flow.step(&[person(440.0 + 40.0 * i as f32, 300.0)], SIZE, start + Duration::from_secs(3 * i)).is_empty());
        }
        assert!(flow.unchanged(start + Duration::from_secs(30)).is_empty());
    }

    #[test]
    fn a_crowd_that_cannot_be_told_apart_gives_no_flow() {
        let (mut flow, start) = (down_the_middle(), Instant::now());
        let crowd = |shift: f32| (0..40).map(|i| person(300.0 + 8.0 * i as f32 + shift, 300.0)).collect::<Vec<_>>();
        flow.step(&crowd(0.0), SIZE, start);
        assert!(flow.step(&crowd(4.0), SIZE, start + Duration::from_millis(500)).is_empty());
    }

    #[test]
    fn somebody_hidden_for_a_picture_is_still_counted() {
        let (mut flow, start) = (down_the_middle(), Instant::now());
        let flows: Vec<_> = (0..10)
            .map(|i| {
                let people: Vec<_> = if i == 4 { Vec::new() } else { vec![person(450.0 + 12.0 * i as f32, 300.0)] };
                flow.step(&people, SIZE, start + Duration::from_millis(200 * i))
            })
            .collect();
        assert_eq!(total(&flows), (0, 1));
    }

    #[test]
    fn an_unchanged_picture_says_that_nobody_crossed() {
        let (mut flow, start) = (down_the_middle(), Instant::now());
        flow.step(&[person(450.0, 300.0)], SIZE, start);
        let flows = flow.unchanged(start + Duration::from_millis(400));
        assert_eq!((flows[0].forward, flows[0].backward, flows[0].over_ms), (0, 0, 400));
        // And whoever stood there may walk on.
        let flows: Vec<_> = (1..8)
            .map(|i| flow.step(&[person(450.0 + 12.0 * i as f32, 300.0)], SIZE, start + Duration::from_millis(400 + 200 * i)))
            .collect();
        assert_eq!(total(&flows), (0, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_mirrored_scene_has_the_flows_the_other_way_round(
            people in prop::collection::vec((200.0f32..800.0, 100.0f32..450.0, -120.0f32..120.0), 1..5),
        ) {
            let start = Instant::now();
            let run = |mirror: bool| {
                let mut flow = down_the_middle();
                let flows: Vec<_> = (0..15).map(|i| {
                    let at = |(x, y, v): &(f32, f32, f32)| {
                        let x = x + v * 0.2 * i as f32;
                        person(if mirror { 1000.0 - x } else { x }, *y)
                    };
                    let boxes: Vec<_> = people.iter().map(at).collect();
                    flow.step(&boxes, SIZE, start + Duration::from_millis(200 * i))
                }).collect();
                total(&flows)
            };
            let ((forward, backward), mirrored) = (run(false), run(true));
            prop_assert_eq!(mirrored, (backward, forward));
            prop_assert!((forward + backward) as usize <= people.len());
        }
    }
}
