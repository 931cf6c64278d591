//! One look after another, with the two tiny models: masks, reuse, budget, zones, what a crowd changes.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use qorgan_domain::I420;
use qorgan_inference::{Catalogue, Counter, CounterSetup, Effort, Point, Polygon, Scene, SceneSetup, Zone, from_image};

use super::families::{YOLOX, bright, described, runtime};

/// A counter of the tiny models. The folder is not needed any more once they are open.
fn counter() -> Counter {
    let (_folder, dirs) = described(YOLOX);
    let setup = CounterSetup { detector: "tiny-yolox".into(), density: Some("tiny-density".into()), threads: 1 };
    Counter::open(&runtime(), &Catalogue::read(&dirs).expect("manifests"), &setup).expect("a counter")
}

fn scene(setup: SceneSetup) -> Scene {
    Scene::new(setup).expect("a scene")
}

fn always() -> SceneSetup {
    SceneSetup { stale_after: Duration::ZERO, ..SceneSetup::default() }
}

fn shape(corners: [(f32, f32); 4]) -> Polygon {
    Polygon::new(corners.map(|(x, y)| Point { x, y }).to_vec()).expect("a polygon")
}

/// Every second cell of every second row: 16 people.
fn crowd() -> I420 {
    let cells: Vec<(u32, u32)> = (0..16).map(|i| (i % 4 * 2, i / 4 * 2)).collect();
    from_image(&bright(64, 64, &cells))
}

#[test]
fn what_is_masked_is_neither_counted_nor_left_in_the_picture() {
    let (mut counter, mut picture) = (counter(), crowd());
    let masks = vec![shape([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])];
    let reading = counter.look(&mut scene(SceneSetup { masks, ..always() }), &mut picture, Instant::now()).expect("a reading");
    assert_eq!(reading.people, 0.0);
    assert!(picture.y.iter().all(|y| *y == 16));
}

#[test]
fn an_unchanged_picture_costs_no_model_and_says_so() {
    let (mut counter, start) = (counter(), Instant::now());
    let mut scene = scene(SceneSetup::default());
    let first = counter.look(&mut scene, &mut crowd(), start).expect("a reading");
    let second = counter.look(&mut scene, &mut crowd(), start + Duration::from_secs(2)).expect("a reading");
    assert!(!first.unchanged && second.unchanged);
    assert_eq!((second.people, second.cost.detector, second.cost.density), (first.people, Duration::ZERO, Duration::ZERO));
    let late = counter.look(&mut scene, &mut crowd(), start + Duration::from_secs(8)).expect("a reading");
    assert!(!late.unchanged, "the last count was stale");
}

#[test]
fn the_density_map_speaks_once_for_a_new_crowd_and_then_within_its_budget() {
    let (mut counter, start) = (counter(), Instant::now());
    counter.set_effort(Effort::Budget { ms_per_s: 0.0 });
    let mut poor = scene(always());
    let runs = |counter: &mut Counter, scene: &mut Scene| -> Vec<bool> {
        let look = |i| counter.look(scene, &mut crowd(), start + Duration::from_secs(i)).expect("a reading").cost.density > Duration::ZERO;
        (0..6).map(look).collect()
    };
    // Thread time is counted in steps of the scheduler's on some machines: what the first run cost must be seen.
    sleep(Duration::from_millis(1));
    assert_eq!(runs(&mut counter, &mut poor), [true, false, false, false, false, false]);
    assert!(poor.ratio().is_some());
    counter.set_effort(Effort::Budget { ms_per_s: 1_000.0 });
    assert_eq!(runs(&mut counter, &mut scene(always())), [true; 6]);
    let names = counter.look(&mut poor, &mut crowd(), start + Duration::from_secs(7)).expect("a reading").model;
    assert_eq!(names, "tiny-yolox+tiny-density");
}

#[test]
fn zones_side_by_side_hold_what_the_whole_picture_holds() {
    let zone = |id: &str, corners| Zone { id: id.parse().expect("an id"), shape: shape(corners) };
    let zones = vec![
        zone("upper", [(0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)]),
        zone("lower", [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]),
    ];
    let reading = counter().look(&mut scene(SceneSetup { zones, ..always() }), &mut crowd(), Instant::now()).expect("a reading");
    let sum: f32 = reading.zones.iter().map(|zone| zone.people).sum();
    assert!(reading.people > 5.0 && (sum - reading.people).abs() < 0.1, "{sum} of {}", reading.people);
    assert!(reading.zones.iter().all(|zone| zone.low <= zone.people && zone.people <= zone.high && zone.area_m2.is_none()));
}

#[test]
fn a_broken_picture_is_an_error_and_the_next_one_counts() {
    let (mut counter, mut scene, start) = (counter(), scene(always()), Instant::now());
    let mut short = crowd();
    short.v.truncate(3);
    assert!(counter.look(&mut scene, &mut short, start).is_err());
    assert!(counter.look(&mut scene, &mut crowd(), start + Duration::from_secs(1)).expect("a reading").people > 5.0);
}
