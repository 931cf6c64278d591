//! Bad input of fusion: what is odd about counts, cameras, clocks and calendars. Each is defined, counted, and leaves the hub judging.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use qorgan_alerts::{
    Fusion,
    fusion::{CameraRule, Odd, PlaceRule},
    usual::{LocalMinute, calendar::PlannedEvent, slots::SLOTS},
};
use qorgan_domain::{
    AlertId, Count, Event, GeoPoint, UtcMs,
    alert::{Cause, Level},
    event::CameraPlace,
};

use crate::{
    crowd::{OTHER, SQUARE, apply, dense, device, feed, feed_dense, fusion_of, raised, rules, week_of},
    make::{after, count},
};

fn odd(fusion: &Fusion, what: Odd) -> u64 {
    fusion.odd().find(|(odd, _)| *odd == what).unwrap().1
}

#[test]
fn bad_counts_judge_nothing_twice_and_never_from_the_past_or_far_future() {
    let mut rules = rules();
    rules.cameras.insert(device(SQUARE), CameraRule { limit: Some(50.0), public_space: true });
    let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
    let mut one = |at: i64, now: i64, people: f32| fusion.apply(&Event::Count(count(SQUARE, people, after(at))), after(now)).len();
    assert_eq!(one(0, 0, 90.0), 0);
    assert_eq!([one(0, 1_000, 90.0), one(0, 30_000, 90.0)], [0, 0], "doubled: the 20 s do not pass by repeating");
    assert_eq!(one(-500_000, 30_000, 90.0), 0, "late");
    // From the future: judged as of now, and it does not push later counts out.
    assert_eq!(one(3_600_000, 31_000, 10.0), 0);
    assert_eq!(one(32_000, 32_000, 90.0), 0);
    assert_eq!(one(60_000, 60_000, 90.0), 1);
    let seen: Vec<(&str, u64)> = fusion.odd().filter(|(_, n)| *n > 0).map(|(odd, n)| (odd.as_str(), n)).collect();
    assert_eq!(seen, [("late", 1), ("doubled", 2), ("ahead", 1)]);
}

#[test]
fn a_camera_that_was_moved_learns_anew_and_one_that_was_placed_again_does_not() {
    let rules = rules();
    let mut fusion = fusion_of(&rules, &[SQUARE], 40.0);
    let known = |fusion: &Fusion| fusion.usual().count();
    let placed = |lat| {
        Event::CameraPlaced(CameraPlace {
            camera: device(SQUARE),
            position: GeoPoint::new(lat, 71.4).unwrap(),
            limit: None,
            public_space: true,
            zone_limits_per_m2: BTreeMap::new(),
            line_widths_m: BTreeMap::new(),
        })
    };
    fusion.apply(&placed(42.900_1), after(0));
    assert_eq!(known(&fusion), 1, "eleven metres are a better map, not another place");
    fusion.apply(&placed(42.901), after(0));
    assert_eq!(known(&fusion), 0);
}

#[test]
fn three_weeks_without_a_camera_leave_its_baseline_as_it_was() {
    let rules = rules();
    let mut fusion = fusion_of(&rules, &[SQUARE], 40.0);
    let gap = 21 * 86_400;
    assert_eq!(feed(&mut fusion, &[SQUARE], gap, gap + 10_800, |_| 40.0), vec![], "the old week still explains it");
    let all = feed(&mut fusion, &[SQUARE], gap + 10_800, gap + 12_000, |_| 100.0);
    assert_eq!(raised(&all).len(), 1);
}

#[test]
fn nothing_jumps_when_clocks_are_set_or_a_year_ends() {
    let mut rules = rules();
    rules.calendar.zone = TimeZone::get("America/New_York").unwrap();
    // A night that is quiet and a day that is not: an hour's shift would be seen.
    let people = |local: LocalMinute| if (420..1_320).contains(&local.minute) { 60.0 } else { 12.0 };
    let usual = week_of(people, &rules);
    for day in ["2027-03-14", "2026-12-31", "2027-11-07"] {
        let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
        fusion.restore_usual(&device(SQUARE), usual.clone());
        let midnight =
            day.parse::<jiff::civil::Date>().unwrap().to_zoned(rules.calendar.zone.clone()).unwrap().timestamp().as_millisecond();
        for n in 0..36 * 60 {
            let now = UtcMs(midnight + n * 60_000);
            let made = apply(&mut fusion, count(SQUARE, people(rules.calendar.local(now)), now), now);
            assert_eq!(made, vec![], "{day}, minute {n}");
        }
    }
}

#[test]
fn a_count_whose_lower_end_is_ordinary_raises_nothing() {
    let rules = rules();
    let mut fusion = fusion_of(&rules, &[SQUARE], 40.0);
    feed(&mut fusion, &[SQUARE], 0, 3_600, |_| 40.0);
    for s in (3_600..9_000).step_by(10) {
        let unsure = Count { low: 5.0, high: 900.0, ..count(SQUARE, 200.0, after(s * 1000)) };
        assert_eq!(apply(&mut fusion, unsure, after(s * 1000)), vec![], "second {s}");
    }
}

#[test]
fn a_zone_that_is_deleted_while_its_alert_is_open_lets_it_end() {
    let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
    assert_eq!(raised(&feed_dense(&mut fusion, 30.0, 6.0, SQUARE)).len(), 1);
    let all = feed(&mut fusion, &[SQUARE], 70, 400, |_| 12.0);
    assert!(!all.last().unwrap().alert.is_open(), "the count has no zone any more, and the alert ends by quiet");
    assert_eq!(fusion.open_alerts().count(), 0);
}

/// A count that is older than the newest though not late; of a camera nobody knows; after a pause; with an interval that says nothing.
#[test]
fn what_is_odd_about_a_count_is_counted_under_its_name() {
    let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
    let mut one = |count: Count, now: i64| fusion.apply(&Event::Count(count), after(now)).len();
    assert_eq!(one(count(SQUARE, 10.0, after(10_000)), 10_000), 0);
    assert_eq!(one(count(SQUARE, 10.0, after(4_000)), 11_000), 0);
    assert_eq!(one(count("nowhere/at-all", 10.0, after(12_000)), 12_000), 0);
    assert_eq!(one(count(SQUARE, 10.0, after(400_000)), 400_000), 0);
    assert_eq!(one(Count { low: 0.0, high: 100_000.0, ..count(SQUARE, 10.0, after(401_000)) }, 401_000), 0);
    assert_eq!([Odd::OutOfOrder, Odd::NoCamera, Odd::AfterGap, Odd::Wide, Odd::Late].map(|what| odd(&fusion, what)), [1, 1, 1, 1, 0]);
}

/// The hub's clock ran an hour ahead and was put right: counts judge again at once, and what had lasted begins anew.
#[test]
fn a_clock_that_is_set_back_silences_no_camera() {
    let mut rules = rules();
    rules.cameras.insert(device(SQUARE), CameraRule { limit: Some(50.0), public_space: true });
    let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
    assert_eq!(feed(&mut fusion, &[SQUARE], 3_600, 3_615, |_| 90.0), vec![]);
    assert_eq!(raised(&feed(&mut fusion, &[SQUARE], 0, 15, |_| 90.0)).len(), 0, "ten seconds of the old clock do not count");
    assert_eq!(raised(&feed(&mut fusion, &[SQUARE], 20, 40, |_| 90.0)).len(), 1);
    assert_eq!(odd(&fusion, Odd::ClockSetBack), 1);
}

/// A count with a huge interval is judged by its lower end, and teaches nothing.
#[test]
fn a_huge_interval_moves_no_baseline() {
    let rules = rules();
    let mut fusion = fusion_of(&rules, &[SQUARE], 40.0);
    let levels = |fusion: &Fusion| {
        let usual = fusion.usual_at(&device(SQUARE)).unwrap();
        (0..SLOTS).map(|half| format!("{:?}", usual.level(half))).collect::<Vec<_>>()
    };
    // The half hour before ends with its first minute.
    feed(&mut fusion, &[SQUARE], 0, 120, |_| 40.0);
    let before = levels(&fusion);
    for s in (120..7_200).step_by(10) {
        let wide = Count { low: 1.0, high: 5_000.0, ..count(SQUARE, 900.0, after(s * 1_000)) };
        assert_eq!(apply(&mut fusion, wide, after(s * 1_000)), vec![]);
    }
    assert_eq!(odd(&fusion, Odd::Wide), 708);
    assert_eq!(levels(&fusion), before, "the weeks are what they were");
}

/// Deleting a zone must not close the alert of the people who still stand in it.
#[test]
fn a_zone_that_is_deleted_does_not_end_the_alert_of_a_crowd_that_stays() {
    let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
    assert_eq!(raised(&feed_dense(&mut fusion, 300.0, 60.0, SQUARE)).len(), 1);
    feed(&mut fusion, &[SQUARE], 70, 600, |_| 290.0);
    assert_eq!(fusion.open_alerts().count(), 1, "nobody has left");
    feed(&mut fusion, &[SQUARE], 600, 800, |_| 200.0);
    assert_eq!(fusion.open_alerts().count(), 0);
}

/// After a restart a density of 4.7 people per m2 was taken for a bound of 4.7 people: the alert could not end.
#[test]
fn after_a_restart_an_alert_of_density_ends_when_it_is_safe_again() {
    let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
    assert_eq!(raised(&feed_dense(&mut fusion, 30.0, 6.0, SQUARE)).len(), 1);
    let mut again = Fusion::new(rules(), AlertId(2), fusion.open_alerts().map(|alert| (**alert).clone()).collect());
    for n in 30..80 {
        apply(&mut again, dense(12.0, 6.0, after(n * 2_000), SQUARE), after(n * 2_000));
    }
    assert_eq!(again.open_alerts().count(), 0);
}

/// Two zones: the one whose own limit is passed speaks, and the one where life is in danger before it.
#[test]
fn each_zone_has_its_own_safety_limit_within_the_bounds_of_safety() {
    let told = |limits: &[(&str, f32)], zones: &[(&str, f32)]| {
        let mut rules = rules();
        let zone_limits_per_m2 = limits.iter().map(|(zone, limit)| (zone.parse().unwrap(), *limit)).collect();
        rules.places.insert(device(SQUARE), PlaceRule { zone_limits_per_m2, ..PlaceRule::default() });
        let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
        let mut last = None;
        for n in 0..10 {
            let at = after(n * 2_000);
            let mut seen = dense(40.0, 10.0, at, SQUARE);
            let zone = seen.zones.remove(0);
            seen.zones = zones
                .iter()
                .map(|(name, per_m2)| qorgan_domain::ZoneCount {
                    zone: name.parse().unwrap(),
                    area_m2: Some(40.0 / per_m2),
                    ..zone.clone()
                })
                .collect();
            last = apply(&mut fusion, seen, at).pop().or(last);
        }
        let alert = last?.alert;
        let Cause::Crowd(evidence) = &alert.cause else { panic!() };
        let density = evidence.assessed.as_ref()?.inputs.density.clone()?;
        Some((alert.level, density.zone.to_string(), density.limit))
    };
    assert_eq!(told(&[("stairs", 3.6)], &[("stairs", 4.0), ("yard", 4.2)]), Some((Level::Warning, "stairs".into(), 3.6)));
    assert_eq!(told(&[], &[("stairs", 4.0), ("yard", 4.2)]), None, "both below 4.7");
    assert_eq!(told(&[("stairs", 3.6)], &[("stairs", 4.4), ("yard", 5.6)]), Some((Level::Critical, "yard".into(), 4.7)));
    // Nobody configures a limit away, nor makes a warning of people who stand freely.
    assert_eq!(told(&[("stairs", 10.0)], &[("stairs", 5.5)]), Some((Level::Critical, "stairs".into(), 5.5)));
    assert_eq!(told(&[("stairs", 0.5)], &[("stairs", 3.0)]), None);
}

/// Overlapping events add up; the camera is silent up to what they expect together, and speaks beyond it.
#[test]
fn two_events_at_once_explain_their_people_together() {
    let mut rules = rules();
    for (from, people) in [(3_000_000, 60.0), (3_300_000, 50.0)] {
        let site = device(SQUARE).site;
        rules.calendar.events.push(PlannedEvent { site, from: after(from), until: after(9_000_000), people: Some(people) });
    }
    let raised_with = |people: f32| {
        let mut fusion = fusion_of(&rules, &[SQUARE], 20.0);
        feed(&mut fusion, &[SQUARE], 0, 3_600, |_| 20.0);
        raised(&feed(&mut fusion, &[SQUARE], 3_600, 5_400, |_| people)).len()
    };
    assert_eq!([raised_with(105.0), raised_with(300.0)], [0, 1]);
}

/// Put aside by a person: the neighbour that sees the same still raises.
#[test]
fn a_camera_that_is_aside_does_not_silence_its_neighbour() {
    let mut rules = rules();
    for camera in [SQUARE, OTHER] {
        rules.cameras.insert(device(camera), CameraRule { limit: Some(50.0), public_space: true });
    }
    let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
    fusion.apply(&Event::Shelved(device(SQUARE), Some(after(600_000))), after(0));
    let all = feed(&mut fusion, &[SQUARE, OTHER], 0, 120, |_| 90.0);
    assert_eq!(raised(&all).iter().map(|a| a.device.clone().unwrap().to_string()).collect::<Vec<_>>(), [OTHER]);
}
