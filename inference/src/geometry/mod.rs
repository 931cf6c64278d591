//! Shapes on a camera's picture: points, zones and masks (polygons), lines that people cross.
//!
//! Everything is in fractions of the picture: 0 to 1, x to the right, y down. Pure; what a square metre is, knows [`plane`].

pub(crate) mod plane;

use std::fmt;

use qorgan_domain::DeviceId;

/// A place on the picture, in fractions of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// From the left edge, 0 to 1.
    pub x: f32,
    /// From the upper edge, 0 to 1.
    pub y: f32,
}

/// Why a shape or a calibration cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeometryError {
    /// Too few or too many corners.
    #[error("a polygon has 3 to {MAX_CORNERS} corners, found {0}")]
    Corners(usize),
    /// Outside the picture, or not a number.
    #[error("a point lies inside the picture, 0 to 1 in x and y, found {0}")]
    Outside(Place),
    /// Sides cross each other.
    #[error("the sides of a polygon do not cross, found sides {0} and {1} crossing")]
    Crossing(usize, usize),
    /// No area.
    #[error("a polygon has an area, found its corners on one line or in one place")]
    Flat,
    /// A line without length.
    #[error("a line has two different ends, found both at {0}")]
    NoLength(Place),
    /// Calibration points do not span a plane.
    #[error("of the four calibration points no three lie on one line, on the picture or on the ground")]
    Degenerate,
    /// Calibration points that no flat ground can explain.
    #[error("the four calibration points are in the same order on the picture and on the ground, and in front of the camera")]
    Order,
    /// Too few people for a calibration by heights.
    #[error("a calibration by heights needs two or more people whose feet are at different heights of the picture, found {0}")]
    People(usize),
    /// A person that is upside down or of no possible height.
    #[error("person {0}: the head is above the foot, and the height between 0.5 and 2.5 m")]
    Person(usize),
    /// A lens that does not exist.
    #[error("the field of view is 10 to 150 degrees, found {0}")]
    FieldOfView(f32),
    /// People's heights that one camera cannot see.
    #[error("the people's heights do not fit one flat ground: the camera's height comes out {0:.0} % different from person to person")]
    Inconsistent(f32),
}

/// A point, for messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place(pub f32, pub f32);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.0, self.1)
    }
}

/// Most corners of a polygon.
pub const MAX_CORNERS: usize = 64;

/// A polygon whose sides do not cross, with an area.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon(Vec<Point>);

impl Polygon {
    /// Corners in order, either way round; the last is joined to the first. Errors: see [`GeometryError`].
    pub fn new(corners: Vec<Point>) -> Result<Self, GeometryError> {
        if !(3..=MAX_CORNERS).contains(&corners.len()) {
            return Err(GeometryError::Corners(corners.len()));
        }
        if let Some(out) = corners.iter().find(|p| !inside_picture(**p)) {
            return Err(GeometryError::Outside(Place(out.x, out.y)));
        }
        let shape = Self(corners);
        let sides: Vec<(Point, Point)> = shape.sides().collect();
        for i in 0..sides.len() {
            for j in i + 2..sides.len() {
                // The last side is the first one's neighbour.
                if (i, j) != (0, sides.len() - 1) && segments_cross(sides[i], sides[j]) {
                    return Err(GeometryError::Crossing(i + 1, j + 1));
                }
            }
        }
        if shape.area() < 1e-6 { Err(GeometryError::Flat) } else { Ok(shape) }
    }

    /// Corners in order.
    pub fn corners(&self) -> &[Point] {
        &self.0
    }

    pub(crate) fn sides(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.0.iter().copied().zip(self.0.iter().copied().cycle().skip(1))
    }

    /// Part of the picture's area, 0 to 1.
    pub fn area(&self) -> f32 {
        (self.sides().map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>() / 2.0).abs()
    }

    /// Whether a point is inside (even-odd rule).
    pub fn contains(&self, p: Point) -> bool {
        let mut inside = false;
        for (a, b) in self.sides() {
            if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
                inside = !inside;
            }
        }
        inside
    }

    /// Part of each cell of a grid over the picture that is inside, row by row, from 0 to 1: sampled at 4 x 4 points a cell.
    pub(crate) fn cover(&self, columns: usize, rows: usize) -> Vec<f32> {
        const SUB: usize = 4;
        let mut cover = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let hits = (0..SUB * SUB).filter(|i| {
                    let x = (column as f32 + ((i % SUB) as f32 + 0.5) / SUB as f32) / columns as f32;
                    let y = (row as f32 + ((i / SUB) as f32 + 0.5) / SUB as f32) / rows as f32;
                    self.contains(Point { x, y })
                });
                cover.push(hits.count() as f32 / (SUB * SUB) as f32);
            }
        }
        cover
    }
}

/// A named polygon in which people are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Unique within its camera.
    pub id: DeviceId,
    /// Where.
    pub shape: Polygon,
}

/// A line that people cross. Forward is from its left to its right, seen from the first end to the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Unique within its camera.
    pub id: DeviceId,
    from: Point,
    to: Point,
}

impl Line {
    /// Errors: an end outside the picture, or no length.
    pub fn new(id: DeviceId, from: Point, to: Point) -> Result<Self, GeometryError> {
        if let Some(out) = [from, to].into_iter().find(|p| !inside_picture(*p)) {
            return Err(GeometryError::Outside(Place(out.x, out.y)));
        }
        if (from.x - to.x).hypot(from.y - to.y) < 1e-3 {
            return Err(GeometryError::NoLength(Place(from.x, from.y)));
        }
        Ok(Self { id, from, to })
    }

    /// Its ends.
    pub fn ends(&self) -> (Point, Point) {
        (self.from, self.to)
    }
}

fn inside_picture(p: Point) -> bool {
    (0.0..=1.0).contains(&p.x) && (0.0..=1.0).contains(&p.y)
}

/// Twice the signed area of a triangle: positive when `c` is to the right of the way from `a` to `b` (y points down).
pub(crate) fn turn(a: Point, b: Point, c: Point) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Whether two segments have a point in common, touching ends included.
pub(crate) fn segments_cross(first: (Point, Point), second: (Point, Point)) -> bool {
    let ((a, b), (c, d)) = (first, second);
    let between = |p: Point, q: Point, r: Point| {
        turn(p, q, r) == 0.0 && (p.x.min(q.x)..=p.x.max(q.x)).contains(&r.x) && (p.y.min(q.y)..=p.y.max(q.y)).contains(&r.y)
    };
    let apart = |p, q, r, s| (turn(p, q, r) > 0.0) != (turn(p, q, s) > 0.0) && turn(p, q, r) != 0.0 && turn(p, q, s) != 0.0;
    (apart(a, b, c, d) && apart(c, d, a, b)) || between(a, b, c) || between(a, b, d) || between(c, d, a) || between(c, d, b)
}

#[cfg(test)]
pub(crate) fn polygon(corners: &[(f32, f32)]) -> Polygon {
    Polygon::new(corners.iter().map(|(x, y)| Point { x: *x, y: *y }).collect()).expect("a polygon")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn p(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    #[test]
    fn shapes_that_cannot_be_are_refused_with_the_reason() {
        let make = |corners: &[(f32, f32)]| Polygon::new(corners.iter().map(|(x, y)| p(*x, *y)).collect()).map_err(|e| e.to_string());
        for (corners, named) in [
            (&[(0.0, 0.0), (1.0, 1.0)][..], "3 to 64 corners, found 2"),
            (&[(0.0, 0.0), (1.2, 0.0), (0.0, 1.0)], "found (1.2, 0)"),
            (&[(0.0, 0.0), (f32::NAN, 0.0), (0.0, 1.0)], "NaN"),
            (&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)], "sides 1 and 3 crossing"),
            (&[(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)], "on one line"),
        ] {
            let error = make(corners).expect_err("refused");
            assert!(error.contains(named), "{named:?} is not in {error:?}");
        }
        assert!(Line::new("door".parse().expect("an id"), p(0.5, 0.5), p(0.5, 0.5)).is_err());
    }

    #[test]
    fn a_concave_zone_leaves_its_notch_out() {
        let zone = polygon(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.0, 1.0)]);
        assert!(zone.contains(p(0.5, 0.4)) && !zone.contains(p(0.5, 0.9)) && zone.contains(p(0.05, 0.9)));
        assert!((zone.area() - 0.75).abs() < 1e-6);
    }

    fn convex() -> impl Strategy<Value = Polygon> {
        // Corners on an ellipse in order of their angle: always a simple polygon.
        (prop::collection::vec(0.0f32..1.0, 3..9), 0.05f32..0.45, 0.05f32..0.45).prop_filter_map("flat", |(mut at, rx, ry)| {
            at.sort_by(f32::total_cmp);
            let corner = |t: &f32| p(0.5 + rx * (t * std::f32::consts::TAU).cos(), 0.5 + ry * (t * std::f32::consts::TAU).sin());
            Polygon::new(at.iter().map(corner).collect()).ok().filter(|shape| shape.area() > 0.01)
        })
    }

    proptest! {
        #[test]
        fn the_cover_of_a_grid_adds_up_to_the_area(shape in convex(), columns in 8usize..60, rows in 8usize..60) {
            let cover = shape.cover(columns, rows);
            prop_assert!(cover.iter().all(|part| (0.0..=1.0).contains(part)));
            let covered: f32 = cover.iter().sum::<f32>() / (columns * rows) as f32;
            prop_assert!((covered - shape.area()).abs() < 0.05, "{} and {}", covered, shape.area());
        }

        #[test]
        fn inside_does_not_depend_on_where_the_corners_begin_or_their_direction(shape in convex(), x in 0.0f32..1.0, y in 0.0f32..1.0, by in 0usize..9) {
            let mut turned = shape.corners().to_vec();
            let by = by % turned.len();
            turned.rotate_left(by);
            let mut reversed = turned.clone();
            reversed.reverse();
            let near_a_side = shape.sides().any(|(a, b)| turn(a, b, p(x, y)).abs() < 1e-4);
            prop_assume!(!near_a_side);
            let expected = shape.contains(p(x, y));
            prop_assert_eq!(Polygon::new(turned).expect("the same").contains(p(x, y)), expected);
            prop_assert_eq!(Polygon::new(reversed).expect("the same").contains(p(x, y)), expected);
        }
    }
}
