//! The ground under a camera: from places on the picture to metres, so that a zone has an area.
//!
//! Two ways to calibrate, both for flat ground: four points whose places on the ground were measured, or a few people whose
//! heights are known. Both end in one 3 x 3 matrix (a homography), so areas are exact for what the calibration says.

use super::{GeometryError, Place, Point, Polygon};

/// A place on the ground, in metres from any corner, along any two perpendicular directions.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Metres {
    /// Along the first direction.
    pub x_m: f32,
    /// Along the second.
    pub y_m: f32,
}

/// A person (or a pole of that height) on the picture.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Standing {
    /// Where the feet are.
    pub foot: Point,
    /// Where the top of the head is.
    pub head: Point,
    /// Height in metres; 1.7 for an adult of unknown height.
    pub height_m: f32,
}

/// How a camera's picture is tied to the ground.
#[derive(Debug, Clone, PartialEq)]
pub enum Calibration {
    /// Four marks on the ground, no three on a line: where they are on the picture, and where on the ground.
    FourPoints([(Point, Metres); 4]),
    /// Two or more people, near and far, and the lens. The camera is taken as level (not rolled) and without distortion.
    /// Heights give the camera's height and tilt; the scale into the depth comes from the field of view: 10 % wrong there is
    /// about 10 % wrong in area.
    Heights {
        /// The people.
        people: Vec<Standing>,
        /// Horizontal field of view of the lens, in degrees.
        view_deg: f32,
    },
}

impl Calibration {
    /// Whether it can be used, for a picture with these sides' ratio (width by height).
    pub fn check(&self, aspect: f32) -> Result<(), GeometryError> {
        GroundPlane::new(self, aspect).map(drop)
    }
}

/// A picture tied to the ground.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundPlane {
    /// From (x, y, 1) on the picture to (x, y, w) on the ground; w is positive below the horizon.
    matrix: [[f64; 3]; 3],
}

/// Camera heights that differ by more than this from person to person contradict each other.
const AGREE_WITHIN: f64 = 0.35;

/// A place nearer than this to the horizon has no position on the ground worth the name (part of the least w of the marks).
const HORIZON: f64 = 1e-4;

impl GroundPlane {
    /// From a calibration, for a picture with these sides' ratio (width by height). Errors: see [`GeometryError`].
    pub fn new(calibration: &Calibration, aspect: f32) -> Result<Self, GeometryError> {
        match calibration {
            Calibration::FourPoints(marks) => four_points(marks),
            Calibration::Heights { people, view_deg } => heights(people, *view_deg, f64::from(aspect)),
        }
    }

    /// The place on the ground, in metres; none on or above the horizon.
    pub fn ground(&self, at: Point) -> Option<Metres> {
        let [x, y, w] = self.matrix.map(|row| row[0] * f64::from(at.x) + row[1] * f64::from(at.y) + row[2]);
        (w > HORIZON).then(|| Metres { x_m: (x / w) as f32, y_m: (y / w) as f32 })
    }

    /// Area of a zone in m2; none when it reaches to the horizon.
    pub fn area_m2(&self, zone: &Polygon) -> Option<f32> {
        let corners: Vec<(f64, f64)> = zone
            .corners()
            .iter()
            .map(|corner| self.ground(*corner).map(|m| (f64::from(m.x_m), f64::from(m.y_m))))
            .collect::<Option<_>>()?;
        let next = corners.iter().cycle().skip(1);
        let twice: f64 = corners.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
        let area = (twice / 2.0).abs() as f32;
        (area.is_finite() && area > 0.0).then_some(area)
    }
}

fn four_points(marks: &[(Point, Metres); 4]) -> Result<GroundPlane, GeometryError> {
    if let Some((out, _)) = marks.iter().find(|(p, m)| !super::inside_picture(*p) || !m.x_m.is_finite() || !m.y_m.is_finite()) {
        return Err(GeometryError::Outside(Place(out.x, out.y)));
    }
    for skipped in 0..4 {
        let three: Vec<&(Point, Metres)> = marks.iter().enumerate().filter(|(i, _)| *i != skipped).map(|(_, mark)| mark).collect();
        let seen = super::turn(three[0].0, three[1].0, three[2].0);
        let on_ground = |m: Metres| Point { x: m.x_m, y: m.y_m };
        let (a, b, c) = (on_ground(three[0].1), on_ground(three[1].1), on_ground(three[2].1));
        let longest = (b.x - a.x).hypot(b.y - a.y).max((c.x - a.x).hypot(c.y - a.y));
        if seen.abs() < 1e-4 || super::turn(a, b, c).abs() < 1e-3 * longest * longest {
            return Err(GeometryError::Degenerate);
        }
    }
    // x' (g x + h y + 1) = a x + b y + c, and the same for y': eight equations for a to h.
    let mut rows = [[0.0f64; 9]; 8];
    for (i, (p, m)) in marks.iter().enumerate() {
        let (x, y, u, v) = (f64::from(p.x), f64::from(p.y), f64::from(m.x_m), f64::from(m.y_m));
        rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    let s = solve(&mut rows).ok_or(GeometryError::Degenerate)?;
    let mut matrix = [[s[0], s[1], s[2]], [s[3], s[4], s[5]], [s[6], s[7], 1.0]];
    let w = |matrix: &[[f64; 3]; 3], p: Point| matrix[2][0] * f64::from(p.x) + matrix[2][1] * f64::from(p.y) + matrix[2][2];
    let signs: Vec<bool> = marks.iter().map(|(p, _)| w(&matrix, *p) > 0.0).collect();
    // A mark on the other side of the horizon: two marks were swapped.
    if signs.iter().any(|positive| *positive != signs[0]) {
        return Err(GeometryError::Order);
    }
    let least = marks.iter().map(|(p, _)| w(&matrix, *p).abs()).fold(f64::INFINITY, f64::min);
    let factor = if signs[0] { 1.0 / least } else { -1.0 / least };
    matrix.iter_mut().flatten().for_each(|value| *value *= factor);
    Ok(GroundPlane { matrix })
}

/// Gauss with row exchange; none when the rows are not independent.
fn solve(rows: &mut [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        if rows[pivot][column].abs() < 1e-12 {
            return None;
        }
        rows.swap(column, pivot);
        let top = rows[column];
        for row in rows.iter_mut().skip(column + 1) {
            let factor = row[column] / top[column];
            row.iter_mut().zip(top).for_each(|(value, above)| *value -= factor * above);
        }
    }
    let mut solution = [0.0; 8];
    for column in (0..8).rev() {
        let known: f64 = (column + 1..8).map(|i| rows[column][i] * solution[i]).sum();
        solution[column] = (rows[column][8] - known) / rows[column][column];
    }
    Some(solution)
}

/// Pinhole camera at height c, tilted down by t, focal length f in picture heights. A ray through v (down from the middle)
/// meets the ground when its angle below the horizontal, a = t + atan(v / f), is positive, at distance c / tan a. A head of
/// height h over the same foot has tan a' = (c - h) / (c / tan a), so each person says c = h / (1 - tan a' / tan a).
/// The tilt is the one under which all people say the same c.
fn heights(people: &[Standing], view_deg: f32, aspect: f64) -> Result<GroundPlane, GeometryError> {
    if !(10.0..=150.0).contains(&view_deg) {
        return Err(GeometryError::FieldOfView(view_deg));
    }
    for (i, person) in people.iter().enumerate() {
        let fits = super::inside_picture(person.foot)
            && super::inside_picture(person.head)
            && person.head.y < person.foot.y
            && (0.5..=2.5).contains(&person.height_m);
        if !fits {
            return Err(GeometryError::Person(i + 1));
        }
    }
    let feet = people.iter().map(|person| person.foot.y);
    let spread = feet.clone().fold(f32::NEG_INFINITY, f32::max) - feet.fold(f32::INFINITY, f32::min);
    if people.len() < 2 || spread.is_nan() || spread < 0.05 {
        return Err(GeometryError::People(people.len()));
    }
    let focal = aspect / 2.0 / (f64::from(view_deg).to_radians() / 2.0).tan();
    let angle = |y: f32, tilt: f64| tilt + ((f64::from(y) - 0.5) / focal).atan();
    let camera_height = |person: &Standing, tilt: f64| {
        let (foot, head) = (angle(person.foot.y, tilt), angle(person.head.y, tilt));
        let c = f64::from(person.height_m) / (1.0 - head.tan() / foot.tan());
        (foot > 0.01 && foot < 1.55 && c > 0.0).then_some(c)
    };
    let judge = |tilt: f64| {
        let logs: Vec<f64> = people.iter().map(|person| camera_height(person, tilt).map(f64::ln)).collect::<Option<_>>()?;
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let spread = (logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
        Some((spread, mean.exp()))
    };
    // From a little above the horizontal to straight down, in twentieths of a degree.
    let tilts = (-200..1_780).map(|i| (f64::from(i) * 0.05).to_radians());
    let best = tilts.filter_map(|tilt| judge(tilt).map(|(spread, c)| (spread, c, tilt))).min_by(|a, b| a.0.total_cmp(&b.0));
    let (spread, c, tilt) = best.ok_or(GeometryError::Inconsistent(100.0))?;
    if spread > AGREE_WITHIN {
        return Err(GeometryError::Inconsistent((spread.exp_m1() * 100.0) as f32));
    }
    // On the ground: x = c u / w, y = c (f cos t - v sin t) / w, w = f sin t + v cos t; u, v from the middle, in picture heights.
    let (sin, cos) = tilt.sin_cos();
    Ok(GroundPlane {
        matrix: [[c * aspect, 0.0, -c * aspect / 2.0], [0.0, -c * sin, c * (focal * cos + 0.5 * sin)], [0.0, cos, focal * sin - 0.5 * cos]],
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::polygon;

    fn p(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    fn m(x_m: f32, y_m: f32) -> Metres {
        Metres { x_m, y_m }
    }

    #[test]
    fn a_camera_straight_above_has_the_area_of_the_rectangle() {
        let marks = [(p(0.0, 0.0), m(0.0, 0.0)), (p(1.0, 0.0), m(8.0, 0.0)), (p(1.0, 1.0), m(8.0, 6.0)), (p(0.0, 1.0), m(0.0, 6.0))];
        let plane = GroundPlane::new(&Calibration::FourPoints(marks), 4.0 / 3.0).expect("a plane");
        let area = plane.area_m2(&polygon(&[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)])).expect("an area");
        assert!((area - 24.0).abs() < 1e-3, "{area}");
    }

    #[test]
    fn marks_that_span_no_plane_are_refused() {
        let line = [(p(0.1, 0.1), m(0.0, 0.0)), (p(0.5, 0.5), m(1.0, 1.0)), (p(0.9, 0.9), m(2.0, 2.0)), (p(0.0, 1.0), m(0.0, 6.0))];
        assert_eq!(Calibration::FourPoints(line).check(1.0), Err(GeometryError::Degenerate));
        let swapped = [(p(0.0, 0.0), m(0.0, 0.0)), (p(1.0, 0.0), m(8.0, 6.0)), (p(1.0, 1.0), m(8.0, 0.0)), (p(0.0, 1.0), m(0.0, 6.0))];
        assert_eq!(Calibration::FourPoints(swapped).check(1.0), Err(GeometryError::Order));
    }

    #[test]
    fn a_zone_that_reaches_to_the_sky_has_no_area() {
        let plane = GroundPlane::new(&by_people(4.0, 0.3, 60.0, &[6.0, 20.0]), 16.0 / 9.0).expect("a plane");
        assert_eq!(plane.area_m2(&polygon(&[(0.2, 0.0), (0.8, 0.0), (0.8, 1.0), (0.2, 1.0)])), None);
        assert_eq!(plane.ground(p(0.5, 0.0)), None);
    }

    #[test]
    fn people_that_one_camera_cannot_see_so_are_refused() {
        let one = |y: f32, top: f32| Standing { foot: p(0.5, y), head: p(0.5, top), height_m: 1.7 };
        let check = |people: Vec<Standing>| Calibration::Heights { people, view_deg: 70.0 }.check(1.8);
        assert_eq!(check(vec![one(0.9, 0.5)]), Err(GeometryError::People(1)));
        assert_eq!(check(vec![one(0.9, 0.5), one(0.4, 0.6)]), Err(GeometryError::Person(2)));
        // Tiny between two who are large. (Tiny in front alone is somebody straight below the camera.)
        let between = vec![one(0.95, 0.6), one(0.8, 0.78), one(0.65, 0.3)];
        assert!(matches!(check(between), Err(GeometryError::Inconsistent(_))));
    }

    /// What a camera at height `c` with this tilt and view sees of people of 1.7 m at these distances.
    fn by_people(c: f64, tilt: f64, view_deg: f32, distances: &[f64]) -> Calibration {
        let focal = (16.0 / 9.0) / 2.0 / (f64::from(view_deg).to_radians() / 2.0).tan();
        let y = |height: f64, distance: f64| 0.5 + (((c - height) / distance).atan() - tilt).tan() * focal;
        let people = distances.iter().map(|d| Standing { foot: p(0.5, y(0.0, *d) as f32), head: p(0.5, y(1.7, *d) as f32), height_m: 1.7 });
        Calibration::Heights { people: people.collect(), view_deg }
    }

    proptest! {
        #[test]
        fn heights_give_back_the_distances_they_came_from(c in 3.0f64..8.0, tilt in 0.25f64..0.5, view in 50.0f32..80.0) {
            let distances = [c * 1.6, c * 2.4, c * 3.2];
            let calibration = by_people(c, tilt, view, &distances);
            let Calibration::Heights { people, .. } = &calibration else { unreachable!() };
            prop_assume!(people.iter().all(|s| s.head.y > 0.0 && s.foot.y < 1.0));
            let plane = GroundPlane::new(&calibration, 16.0 / 9.0).expect("a plane");
            for (person, distance) in people.iter().zip(distances) {
                let found = f64::from(plane.ground(person.foot).expect("on the ground").y_m);
                prop_assert!((found / distance - 1.0).abs() < 0.03, "{} instead of {}", found, distance);
            }
        }

        #[test]
        fn four_points_give_back_any_camera(c in 2.0f64..9.0, tilt in 0.2f64..0.9, view in 40.0f32..100.0) {
            // The same camera by its pinhole, as four marks: areas agree.
            let focal = (16.0 / 9.0) / 2.0 / (f64::from(view).to_radians() / 2.0).tan();
            let pinhole = GroundPlane { matrix: [
                [c * 16.0 / 9.0, 0.0, -c * 8.0 / 9.0],
                [0.0, -c * tilt.sin(), c * (focal * tilt.cos() + 0.5 * tilt.sin())],
                [0.0, tilt.cos(), focal * tilt.sin() - 0.5 * tilt.cos()],
            ] };
            let places = [p(0.1, 0.6), p(0.9, 0.65), p(0.8, 0.95), p(0.15, 0.9)];
            prop_assume!(places.iter().all(|at| pinhole.ground(*at).is_some_and(|g| g.y_m < 200.0)));
            let marks = places.map(|at| (at, pinhole.ground(at).expect("checked")));
            let plane = GroundPlane::new(&Calibration::FourPoints(marks), 16.0 / 9.0);
            prop_assume!(plane.is_ok());
            let zone = polygon(&[(0.2, 0.7), (0.7, 0.68), (0.6, 0.9), (0.3, 0.85)]);
            let (found, expected) = (plane.expect("checked").area_m2(&zone).expect("an area"), pinhole.area_m2(&zone).expect("an area"));
            prop_assert!((found / expected - 1.0).abs() < 0.02, "{} instead of {}", found, expected);
        }
    }
}
