//! What fusion keeps: usual numbers over a restart, zones and flows per minute, registers, changed rules.

use std::{collections::BTreeSet, time::Duration};

use jiff::civil::date;
use qorgan_alerts::{
    Rules, Store,
    engine::recover,
    fusion::{CameraRule, Formula, GatheringRules, Odd},
    store::{Aside, Retention, StoredEvent},
    usual::{LocalMinute, Usual},
};
use qorgan_domain::{
    Count, DeviceRef, Event, GeoPoint, Trilingual, UserName, UtcMs, ZoneCount,
    alert::Cause,
    assembly::{Assembly, Form, SpecialPlace},
    zone::LineFlow,
};

use crate::make::{START, after, count};

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", dir.path().join("store.db").display())).await.unwrap();
    (dir, store)
}

fn user() -> UserName {
    "aigerim".parse().unwrap()
}

fn device(n: usize) -> DeviceRef {
    format!("square/cam-{n}").parse().unwrap()
}

fn rules(cameras: usize) -> Rules {
    let mut rules = Rules { gathering: GatheringRules { formula: Formula::V2, ..GatheringRules::default() }, ..Rules::default() };
    for n in 0..cameras {
        rules.cameras.insert(device(n), CameraRule { limit: None, public_space: true });
    }
    rules
}

#[tokio::test]
async fn what_is_usual_comes_back_after_a_restart() {
    let (_dir, store) = store().await;
    let mut usual = Usual::default();
    for number in 0..30_000 {
        usual.minute(number, LocalMinute { day: (number / 1_440 % 7) as u8, minute: (number % 1_440) as u16 }, 25.0, true);
    }
    store.keep_usual((0..250).map(|n| (device(n), None, usual.to_bytes())).collect(), START).await.unwrap();
    store.keep_usual(vec![(device(0), None, usual.to_bytes()), (device(9_999), None, vec![1, 2, 3])], after(1)).await.unwrap();
    let (fusion, _) = recover(&store, None, rules(250), START).await.unwrap();
    assert_eq!(fusion.usual().count(), 250, "bytes that do not read are passed over");
    assert_eq!(fusion.usual_at(&device(7)).unwrap().to_bytes(), usual.to_bytes());
}

#[tokio::test]
async fn what_was_usual_elsewhere_is_not_usual_here() {
    let (_dir, store) = store().await;
    let mut usual = Usual::default();
    for number in 0..30_000 {
        usual.minute(number, LocalMinute { day: (number / 1_440 % 7) as u8, minute: (number % 1_440) as u16 }, 25.0, true);
    }
    let place = |lat: f64| GeoPoint::new(lat, 71.4).unwrap();
    store.keep_usual((0..3).map(|n| (device(n), (n > 0).then(|| place(42.9)), usual.to_bytes())).collect(), START).await.unwrap();
    // The hours of a camera that was moved are those of the old place, too.
    let hours: Vec<Count> = (0..14 * 24).map(|n| count("square/cam-2", 40.0, UtcMs(START.0 - n * 3_600_000))).collect();
    store.add_counts(&hours).await.unwrap();
    let keep = Duration::from_secs(100 * 86_400);
    store.maintain(START, &Retention { raw: keep, minute: keep, hour: keep }).await.unwrap();
    let mut rules = rules(3);
    // The first was kept before places were; the second is where it was; the third was carried to the next street.
    for (n, lat) in [(0, 42.9), (1, 42.900_1), (2, 42.902)] {
        rules.positions.insert(device(n), place(lat));
    }
    let (fusion, _) = recover(&store, None, rules, START).await.unwrap();
    let known = |n: usize| fusion.usual_at(&device(n)).unwrap().level(24).is_some();
    assert_eq!([known(0), known(1), known(2)], [true, true, false]);
    assert_eq!(fusion.odd().find(|(odd, _)| *odd == Odd::Moved).unwrap().1, 1);
}

#[tokio::test]
async fn a_camera_that_is_aside_is_still_aside_after_a_restart_and_comes_back_at_its_time() {
    let (_dir, store) = store().await;
    let aside = |n: usize, until: i64| Aside {
        camera: device(n),
        until: after(until),
        at: START,
        who: user(),
        reason: "a market until noon".into(),
    };
    for (n, until) in [(0, 600_000), (1, 60_000), (2, 900_000), (9, 900_000)] {
        store.put_aside(&aside(n, until)).await.unwrap();
    }
    // Another time replaces the first; taken up again by hand.
    store.put_aside(&aside(0, 300_000)).await.unwrap();
    store.take_up(&device(2)).await.unwrap();
    assert_eq!(store.asides(after(100_000)).await.unwrap(), [aside(0, 300_000), aside(9, 900_000)]);
    let limited = || {
        let mut rules = rules(3);
        for n in 0..3 {
            rules.cameras.insert(device(n), CameraRule { limit: Some(20.0), public_space: true });
        }
        rules
    };
    let raised = async |from_s: i64| {
        let (mut fusion, _) = recover(&store, None, limited(), after(from_s * 1_000)).await.unwrap();
        let mut raised = BTreeSet::new();
        for s in (from_s..from_s + 60).step_by(10) {
            for n in 0..3 {
                let now = after(s * 1_000);
                let made = fusion.apply(&Event::Count(count(&device(n).to_string(), 60.0, now)), now);
                raised.extend(made.into_iter().filter_map(|t| t.alert.device.clone()));
            }
        }
        raised.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(raised(100).await, [device(1), device(2)], "the first is aside until five minutes have passed, whatever the hub did");
    assert_eq!(raised(300).await, [device(0), device(1), device(2)]);
}

#[tokio::test]
async fn only_cameras_whose_week_is_not_known_are_taught_their_last_hours() {
    let (_dir, store) = store().await;
    let rules = rules(2);
    let mut usual = Usual::default();
    for number in START.0 / 60_000 - 30_000..START.0 / 60_000 {
        usual.minute(number, rules.calendar.local(UtcMs(number * 60_000)), 25.0, true);
    }
    store.keep_usual(vec![(device(0), None, usual.to_bytes())], START).await.unwrap();
    let minutes: Vec<Count> =
        (0..120).flat_map(|n| [0, 1].map(|camera| count(&format!("square/cam-{camera}"), 30.0, UtcMs(START.0 - n * 60_000)))).collect();
    store.add_counts(&minutes).await.unwrap();
    store.maintain(START, &Retention::default()).await.unwrap();
    let (mut fusion, _) = recover(&store, None, rules, START).await.unwrap();
    // The second knows no week: its last hours say what is usual.
    let mut raised = Vec::new();
    for s in (0..60).step_by(10) {
        let now = after(s * 1_000);
        raised.extend(fusion.apply(&Event::Count(count("square/cam-1", 90.0, now)), now));
    }
    let Cause::Crowd(evidence) = &raised[0].alert.cause else { panic!() };
    assert_eq!(evidence.baseline, Some(30.0));
    assert!(fusion.knows(&device(0), &[0, 100, 200]) && !fusion.knows(&device(1), &[0]));
}

#[tokio::test]
async fn a_camera_without_kept_numbers_learns_from_its_stored_hours() {
    let (_dir, store) = store().await;
    let hours: Vec<Count> = (0..14 * 24).map(|n| count("square/cam-0", 40.0, UtcMs(START.0 - n * 3_600_000))).collect();
    store.add_counts(&hours).await.unwrap();
    let keep = Duration::from_secs(100 * 86_400);
    store.maintain(START, &Retention { raw: keep, minute: keep, hour: keep }).await.unwrap();
    let (fusion, _) = recover(&store, None, rules(2), START).await.unwrap();
    let level = fusion.usual_at(&device(0)).unwrap().level(24).unwrap();
    assert!((level.log.exp() - 40.5).abs() < 1.0, "{level:?}");
    assert!(fusion.usual_at(&device(1)).is_none());
}

#[tokio::test]
async fn zones_and_flows_are_kept_and_rolled_up_once() {
    let (_dir, store) = store().await;
    let one = |s: i64, people: f32| {
        let zone = ZoneCount { zone: "stairs".parse().unwrap(), people, low: people - 1.0, high: people + 1.0, area_m2: Some(10.0) };
        let flow = LineFlow { line: "gate".parse().unwrap(), forward: 3, backward: 1, over_ms: 2_000 };
        Count { zones: vec![zone], flows: vec![flow], ..count("square/cam-0", people, after(s * 1000)) }
    };
    let counts = [one(0, 10.0), one(2, 20.0), one(61, 6.0)];
    store.add_counts(&counts).await.unwrap();
    store.add_counts(&counts).await.unwrap();
    for _ in 0..2 {
        store.maintain(after(180_000), &Retention::default()).await.unwrap();
    }
    let points = store.zone_minutes(&device(0), "stairs", START, after(600_000)).await.unwrap();
    assert_eq!(
        points.iter().map(|p| (p.people, p.low, p.peak, p.area_m2)).collect::<Vec<_>>(),
        [(15.0, 14.0, 20.0, Some(10.0)), (6.0, 5.0, 6.0, Some(10.0))]
    );
    // After 30 days nothing of it is left.
    store.maintain(after(31 * 86_400_000), &Retention::default()).await.unwrap();
    assert_eq!(store.zone_minutes(&device(0), "stairs", START, after(600_000)).await.unwrap(), vec![]);
}

#[tokio::test]
async fn registers_say_who_wrote_them_and_changes_of_rules_stay() {
    let (_dir, store) = store().await;
    let assembly = Assembly {
        form: Form::Picket,
        position: GeoPoint::new(42.9, 71.4).unwrap(),
        radius_m: 100,
        place: "Park".into(),
        from: START,
        until: after(3_600_000),
        people: 20,
        filed_on: date(2026, 11, 10),
        answer: None,
    };
    let id = store.put_assembly(None, &assembly, &user(), START).await.unwrap().unwrap();
    let more = Assembly { people: 30, ..assembly.clone() };
    assert_eq!(store.put_assembly(Some(id), &more, &user(), after(1)).await.unwrap(), Some(id));
    assert_eq!(store.put_assembly(Some(99), &more, &user(), after(1)).await.unwrap(), None, "there is none of that number");
    let listed = store.assemblies(START).await.unwrap();
    assert_eq!(listed.iter().map(|e| (e.id, e.body.clone(), e.updated_at)).collect::<Vec<_>>(), [(id, more, after(1))]);
    assert_eq!(store.assemblies(after(7_200_000)).await.unwrap(), vec![]);

    let name = Trilingual { kk: "Алаң".into(), ru: "Площадь".into(), en: "Square".into() };
    let place = SpecialPlace { name, points: vec![assembly.position], radius_m: 50, max_people: 400 };
    store.put_special_place(None, &place, &user(), START).await.unwrap();
    assert_eq!(store.special_places().await.unwrap()[0].body, place);

    let event = StoredEvent { site: "square".parse().unwrap(), name: "fair".into(), from: START, until: after(1_000), people: Some(80.0) };
    let id = store.add_planned_event(&event, &user(), START).await.unwrap();
    assert_eq!(store.planned_events(START).await.unwrap()[0].body, event);
    assert!(store.remove_planned_event(id).await.unwrap() && !store.remove_planned_event(id).await.unwrap());

    for value in ["1.5", "2.0"] {
        store.add_rule_change("unusual_score", value, &user(), "too many notices", START).await.unwrap();
    }
    let changes = store.rule_changes().await.unwrap();
    assert_eq!(
        changes.iter().map(|c| (c.id, c.body.as_str(), c.who.as_str())).collect::<Vec<_>>(),
        [(1, "1.5", "aigerim"), (2, "2.0", "aigerim")]
    );
}
