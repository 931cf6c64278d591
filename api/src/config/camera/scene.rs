//! Zones, lines, masks and calibration: geometry that cannot be wrong any more.

use std::collections::HashSet;

use qorgan_alerts::fusion::PlaceRule;
use qorgan_domain::{DeviceId, Trilingual, zone::MAX_PARTS};

use super::{CalibrationKeys, CameraKeys, Complaint, ZoneKeys};

/// Most corners of a polygon.
const MAX_CORNERS: usize = 64;
/// Smallest area of a polygon, as a fraction of the picture.
const MIN_AREA: f32 = 1e-4;
/// How far opposite sides of a "rectangle" may differ.
const RECTANGLE_TOLERANCE: f32 = 0.05;

/// A place in the picture, in fractions of it: x to the right, y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// 0 to 1.
    pub x: f32,
    /// 0 to 1.
    pub y: f32,
}

/// Three corners or more, that enclose something.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon(pub Vec<Point>);

/// What is where in a camera's picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    /// Parts in which people are counted on their own.
    pub zones: Vec<Zone>,
    /// Lines at which people are counted in both directions.
    pub lines: Vec<Line>,
    /// Parts that nobody may see.
    pub masks: Vec<Polygon>,
    /// What a metre is.
    pub calibration: Option<Calibration>,
}

/// A zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Id within the camera.
    pub id: DeviceId,
    /// Name.
    pub name: Trilingual,
    /// Where.
    pub polygon: Polygon,
    /// Density that must not be exceeded, people per m2.
    pub max_people_per_m2: Option<f32>,
    /// People the place is made for.
    pub capacity: Option<u32>,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Id within the camera.
    pub id: DeviceId,
    /// Name.
    pub name: Trilingual,
    /// From here.
    pub from: Point,
    /// To here.
    pub to: Point,
    /// Width of the way there, in metres.
    pub width_m: Option<f32>,
}

/// What a metre is in the picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Calibration {
    /// Four points on the ground and where they are there, in metres.
    FourPoints {
        /// In the picture.
        image: [Point; 4],
        /// On the ground, in metres.
        ground_m: [[f32; 2]; 4],
    },
    /// People of known height, near and far.
    Heights {
        /// The people.
        people: Vec<Height>,
        /// Horizontal field of view of the lens, in degrees.
        view_deg: f32,
    },
}

/// Somebody who stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Height {
    /// Feet.
    pub foot: Point,
    /// Top of the head.
    pub head: Point,
    /// In metres.
    pub height_m: f32,
}

impl Scene {
    /// What fusion is told of the picture: the zones' own safety limits of density and the widths of lines.
    pub fn rule(&self) -> PlaceRule {
        PlaceRule {
            zone_limits_per_m2: self.zones.iter().filter_map(|zone| Some((zone.id.clone(), zone.max_people_per_m2?))).collect(),
            line_widths_m: self.lines.iter().filter_map(|line| Some((line.id.clone(), line.width_m?))).collect(),
        }
    }
}

/// Reads the geometry of a camera; what is wrong is said under the name of its key.
pub(super) fn scene(keys: &CameraKeys, complaints: &mut Vec<Complaint>) -> Scene {
    let mut say = |key: String, message: String| complaints.push(Complaint { key, message });
    for (name, count) in [("zone", keys.zone.len()), ("line", keys.line.len()), ("mask", keys.mask.len())] {
        if count > MAX_PARTS {
            say(name.to_owned(), format!("{name}: {count} are more than {MAX_PARTS}"));
        }
    }
    let mut seen = HashSet::new();
    let mut id = |raw: &str, key: &str, say: &mut dyn FnMut(String, String)| -> Option<DeviceId> {
        match raw.parse::<DeviceId>() {
            Ok(id) if seen.insert((key.split('.').next().unwrap_or_default().to_owned(), id.clone())) => Some(id),
            Ok(id) => {
                say(key.to_owned(), format!("\"{id}\" stands twice"));
                None
            }
            Err(error) => {
                say(key.to_owned(), format!("\"{raw}\": {error}"));
                None
            }
        }
    };
    let mut zones = Vec::new();
    for (at, zone) in keys.zone.iter().enumerate().take(MAX_PARTS) {
        zone_limits(zone, at, keys.calibration.is_some(), &mut say);
        let polygon = shape(&zone.polygon).map_err(|why| say(format!("zone.{at}.polygon"), format!("zone \"{}\": {why}", zone.id)));
        if let (Some(id), Ok(polygon)) = (id(&zone.id, &format!("zone.{at}.id"), &mut say), polygon) {
            let (max_people_per_m2, capacity) = (zone.max_people_per_m2, zone.capacity);
            zones.push(Zone { id, name: zone.name.clone(), polygon, max_people_per_m2, capacity });
        }
    }
    let mut lines = Vec::new();
    for (at, line) in keys.line.iter().enumerate().take(MAX_PARTS) {
        let ends = segment(&line.points).map_err(|why| say(format!("line.{at}.points"), format!("line \"{}\": {why}", line.id)));
        if let Some(width) = line.width_m.filter(|width| !(0.5..=200.0).contains(width)) {
            say(format!("line.{at}.width_m"), format!("line \"{}\": width_m {width} is not 0.5 to 200 metres", line.id));
        }
        if let (Some(id), Ok((from, to))) = (id(&line.id, &format!("line.{at}.id"), &mut say), ends) {
            lines.push(Line { id, name: line.name.clone(), from, to, width_m: line.width_m });
        }
    }
    let mut masks = Vec::new();
    for (at, mask) in keys.mask.iter().enumerate().take(MAX_PARTS) {
        match shape(&mask.polygon) {
            Ok(polygon) => masks.push(polygon),
            Err(why) => say(format!("mask.{at}.polygon"), format!("mask {}: {why}", at + 1)),
        }
    }
    let calibration = keys.calibration.as_ref().and_then(|keys| match calibration(keys) {
        Ok(calibration) => Some(calibration),
        Err((key, why)) => {
            say(format!("calibration.{key}"), format!("calibration: {why}"));
            None
        }
    });
    Scene { zones, lines, masks, calibration }
}

fn zone_limits(zone: &ZoneKeys, at: usize, calibrated: bool, say: &mut dyn FnMut(String, String)) {
    if let Some(density) = zone.max_people_per_m2 {
        if !(0.1..=10.0).contains(&density) {
            say(format!("zone.{at}.max_people_per_m2"), format!("zone \"{}\": max_people_per_m2 {density} is not 0.1 to 10", zone.id));
        } else if !calibrated {
            say(
                format!("zone.{at}.max_people_per_m2"),
                format!("zone \"{}\": max_people_per_m2 needs a calibration of the camera", zone.id),
            );
        }
    }
    if let Some(capacity) = zone.capacity
        && !(1..=100_000).contains(&capacity)
    {
        say(format!("zone.{at}.capacity"), format!("zone \"{}\": capacity {capacity} is not 1 to 100000 people", zone.id));
    }
}

fn point([x, y]: [f32; 2]) -> Result<Point, String> {
    if (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y) {
        Ok(Point { x, y })
    } else {
        Err(format!("[{x}, {y}] is not a place in the picture (0 to 1, x to the right, y down)"))
    }
}

fn shape(corners: &[[f32; 2]]) -> Result<Polygon, String> {
    if !(3..=MAX_CORNERS).contains(&corners.len()) {
        return Err(format!("{} corners are not 3 to {MAX_CORNERS}", corners.len()));
    }
    let corners: Vec<Point> = corners.iter().copied().map(point).collect::<Result<_, _>>()?;
    if crosses_itself(&corners) {
        return Err("its sides cross each other".to_owned());
    }
    if area(&corners) < MIN_AREA {
        return Err("it encloses nothing".to_owned());
    }
    Ok(Polygon(corners))
}

fn segment(points: &[[f32; 2]]) -> Result<(Point, Point), String> {
    let [from, to] = points else { return Err(format!("{} points are not two", points.len())) };
    let (from, to) = (point(*from)?, point(*to)?);
    if (from.x - to.x).hypot(from.y - to.y) < 0.01 {
        return Err("its two points are the same".to_owned());
    }
    Ok((from, to))
}

/// By the shoelace formula, as a fraction of the picture.
fn area(corners: &[Point]) -> f32 {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>().abs() / 2.0
}

fn crosses_itself(corners: &[Point]) -> bool {
    let n = corners.len();
    let side = |at: usize| (corners[at], corners[(at + 1) % n]);
    (0..n).any(|a| (a + 2..n).filter(|b| (b + 1) % n != a).any(|b| cross(side(a), side(b))))
}

/// Whether two sides cross in their insides.
fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let turn = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
}

fn calibration(keys: &CalibrationKeys) -> Result<Calibration, (&'static str, String)> {
    let at = |key| move |why: String| (key, why);
    match (keys.points.is_empty(), keys.heights.is_empty()) {
        (true, true) => return Err(("points", "give four points, or heights".to_owned())),
        (false, false) => return Err(("heights", "give either four points or heights".to_owned())),
        (true, false) => {
            if !(2..=32).contains(&keys.heights.len()) {
                return Err(("heights", format!("{} heights are not 2 to 32", keys.heights.len())));
            }
            let view_deg = keys.view_deg.unwrap_or(90.0);
            if !(5.0..=170.0).contains(&view_deg) {
                return Err(("view_deg", format!("view_deg {view_deg} is not 5 to 170")));
            }
            let read = |h: &super::HeightKeys| -> Result<Height, String> {
                let (foot, head) = (point(h.foot)?, point(h.head)?);
                if head.y >= foot.y {
                    return Err(format!("the head at {:?} is not above the feet at {:?}", h.head, h.foot));
                }
                if !(0.5..=5.0).contains(&h.height_m) {
                    return Err(format!("height_m {} is not 0.5 to 5", h.height_m));
                }
                Ok(Height { foot, head, height_m: h.height_m })
            };
            let people = keys.heights.iter().map(read).collect::<Result<_, _>>().map_err(at("heights"))?;
            return Ok(Calibration::Heights { people, view_deg });
        }
        (false, true) => {}
    }
    let four: [[f32; 2]; 4] =
        keys.points.as_slice().try_into().map_err(|_| ("points", format!("{} points are not four", keys.points.len())))?;
    let Polygon(corners) = shape(&four).map_err(at("points"))?;
    let image: [Point; 4] = corners.try_into().map_err(|_| ("points", "not four".to_owned()))?;
    if !is_convex(&image.map(|p| [p.x, p.y])) {
        return Err(("points", "the four points must go round, without a dent".to_owned()));
    }
    let ground_m = match (keys.metres.as_slice(), keys.sides_m.as_slice()) {
        ([], []) => return Err(("points", "give metres, or sides_m, with them".to_owned())),
        (metres, []) => {
            let four: [[f32; 2]; 4] = metres.try_into().map_err(|_| ("metres", format!("{} places are not four", metres.len())))?;
            if four.iter().flatten().any(|m| !m.is_finite() || m.abs() > 1_000.0) {
                return Err(("metres", "a place is more than 1000 m away".to_owned()));
            }
            four
        }
        ([], sides) => {
            let four: [f32; 4] = sides.try_into().map_err(|_| ("sides_m", format!("{} sides are not four", sides.len())))?;
            ground(four, keys.diagonal_m).map_err(at("sides_m"))?
        }
        _ => return Err(("sides_m", "give either metres or sides_m".to_owned())),
    };
    if !is_convex(&ground_m) {
        return Err((
            if keys.metres.is_empty() { "sides_m" } else { "metres" },
            "on the ground the four must go round, without a dent".to_owned(),
        ));
    }
    Ok(Calibration::FourPoints { image, ground_m })
}

fn is_convex(four: &[[f32; 2]; 4]) -> bool {
    let turn = |i: usize| {
        let ([ax, ay], [bx, by], [cx, cy]) = (four[i], four[(i + 1) % 4], four[(i + 2) % 4]);
        (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
    };
    let turns: [f32; 4] = std::array::from_fn(turn);
    turns.iter().all(|t| *t > 1e-6) || turns.iter().all(|t| *t < -1e-6)
}

/// Four places on the ground from the sides between them and the diagonal from the first to the third: two triangles on one
/// base. Four sides alone leave the shape open, so without a diagonal only a rectangle is believed.
fn ground([ab, bc, cd, da]: [f32; 4], diagonal_m: Option<f32>) -> Result<[[f32; 2]; 4], String> {
    if [ab, bc, cd, da].iter().chain(&diagonal_m).any(|m| !(0.2..=500.0).contains(m)) {
        return Err("a distance is not 0.2 to 500 m".to_owned());
    }
    let like = |a: f32, b: f32| (a - b).abs() <= RECTANGLE_TOLERANCE * a.max(b);
    let ac = match diagonal_m {
        Some(diagonal) => diagonal,
        None if like(ab, cd) && like(bc, da) => {
            let (width, depth) = ((ab + cd) / 2.0, (bc + da) / 2.0);
            return Ok([[0.0, 0.0], [width, 0.0], [width, depth], [0.0, depth]]);
        }
        None => return Err("opposite sides differ, so this is no rectangle: give diagonal_m, from the first point to the third".to_owned()),
    };
    // C at (ac, 0), A at the origin; B below the line, D above it.
    let apex = |from_a: f32, from_c: f32| -> Option<[f32; 2]> {
        let along = (from_a * from_a - from_c * from_c + ac * ac) / (2.0 * ac);
        let height = (from_a * from_a - along * along).sqrt();
        (height.is_finite() && height > 0.05).then_some([along, height])
    };
    match (apex(ab, bc), apex(da, cd)) {
        (Some([bx, by]), Some(d)) => Ok([[0.0, 0.0], [bx, -by], [ac, 0.0], d]),
        _ => Err("no four points have these sides and this diagonal".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HeightKeys;

    fn four(sides_m: &[f32], diagonal_m: Option<f32>) -> Result<Calibration, (&'static str, String)> {
        let points = vec![[0.2, 0.9], [0.8, 0.9], [0.7, 0.5], [0.3, 0.5]];
        calibration(&CalibrationKeys { points, sides_m: sides_m.to_vec(), diagonal_m, ..CalibrationKeys::default() })
    }

    #[test]
    fn sides_and_a_diagonal_give_places_on_the_ground_with_these_distances() {
        let Ok(Calibration::FourPoints { ground_m: g, .. }) = four(&[6.0, 4.0, 5.0, 4.5], Some(7.0)) else { panic!("refused") };
        let far = |a: usize, b: usize| (g[a][0] - g[b][0]).hypot(g[a][1] - g[b][1]);
        for (a, b, m) in [(0, 1, 6.0), (1, 2, 4.0), (2, 3, 5.0), (3, 0, 4.5), (0, 2, 7.0)] {
            assert!((far(a, b) - m).abs() < 1e-3, "{a}-{b}: {} instead of {m}", far(a, b));
        }
    }

    #[test]
    fn four_sides_without_a_diagonal_are_believed_of_a_rectangle_only() {
        let Ok(Calibration::FourPoints { ground_m, .. }) = four(&[6.0, 4.0, 6.1, 4.0], None) else { panic!("refused") };
        assert_eq!(ground_m[0], [0.0, 0.0]);
        assert!(four(&[6.0, 4.0, 5.0, 4.0], None).unwrap_err().1.contains("diagonal_m"));
        assert!(four(&[6.0, 4.0, 5.0, 4.0], Some(30.0)).unwrap_err().1.contains("no four points"));
        assert!(four(&[6.0, 4.0, 6.0], None).is_err() && four(&[0.0, 4.0, 0.0, 4.0], None).is_err());
    }

    #[test]
    fn shapes_that_are_none_are_refused_each_with_its_reason() {
        for (corners, why) in [
            (vec![[0.1, 0.1], [0.9, 0.1]], "corners"),
            (vec![[0.1, 0.1], [1.2, 0.1], [0.5, 0.9]], "not a place in the picture"),
            (vec![[0.1, 0.1], [f32::NAN, 0.1], [0.5, 0.9]], "not a place in the picture"),
            (vec![[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]], "cross"),
            (vec![[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], "encloses nothing"),
        ] {
            assert!(shape(&corners).unwrap_err().contains(why), "{corners:?}");
        }
        assert!(shape(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.4], [0.0, 1.0]]).is_ok(), "a dent is no fault");
    }

    #[test]
    fn heights_need_two_people_who_stand_upright() {
        let h = |x, top| HeightKeys { foot: [x, 0.9], head: [x, top], height_m: 1.7 };
        let heights = |list: Vec<HeightKeys>| calibration(&CalibrationKeys { heights: list, ..CalibrationKeys::default() });
        let three = heights(vec![h(0.1, 0.6), h(0.5, 0.6), h(0.9, 0.6)]);
        assert!(matches!(three, Ok(Calibration::Heights { people, view_deg: 90.0 }) if people.len() == 3));
        assert!(heights(vec![h(0.1, 0.6)]).is_err());
        assert!(heights(vec![h(0.1, 0.6), h(0.5, 0.95), h(0.9, 0.6)]).unwrap_err().1.contains("not above the feet"));
        assert!(calibration(&CalibrationKeys::default()).is_err());
    }
}
