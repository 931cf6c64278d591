//! `crowd-v2` from outside: the week, safety limits, neighbours; bad input; and the promises that no context or configuration breaks.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use qorgan_alerts::{
    Fusion, Rules, Transition,
    fusion::{CameraRule, CrowdRules, Formula, GatheringRules, PlaceRule},
    life,
    usual::{
        LocalMinute, Usual,
        calendar::{Calendar, Hours, PlannedEvent},
    },
};
use qorgan_domain::{
    AlertId, Count, DeviceRef, Event, GeoPoint, UtcMs, ZoneCount,
    alert::{Alert, Cause, CrowdEvidence, Level, ReasonCode},
    crowd::{CrowdInputs, CrowdPlace, DensitySeen, FlowSeen, LimitSeen, UsualSeen},
    event::CameraPlace,
    zone::LineFlow,
};

use crate::make::{START, after, count};

const SQUARE: &str = "square/north";
const OTHER: &str = "square/south";
const FAR: &str = "station/hall";
const YARD: &str = "school-17/yard";

fn device(name: &str) -> DeviceRef {
    name.parse().unwrap()
}

fn rules() -> Rules {
    let mut rules = Rules { gathering: GatheringRules { formula: Formula::V2, ..GatheringRules::default() }, ..Rules::default() };
    rules.calendar.zone = TimeZone::get("Asia/Almaty").unwrap();
    for (name, public_space, lat) in [(SQUARE, true, 42.9), (OTHER, true, 42.9008), (FAR, true, 42.95), (YARD, false, 42.91)] {
        rules.cameras.insert(device(name), CameraRule { limit: None, public_space });
        rules.positions.insert(device(name), GeoPoint::new(lat, 71.4).unwrap());
    }
    rules
}

/// Eight weeks of `people` at every minute; what is usual then.
fn week_of(people: impl Fn(LocalMinute) -> f32, rules: &Rules) -> Usual {
    let mut usual = Usual::default();
    let first = START.0.div_euclid(60_000) - 8 * 7 * 1_440;
    for number in first..START.0.div_euclid(60_000) {
        let local = rules.calendar.local(UtcMs(number * 60_000));
        // A little unrest, so that the spread is not nothing.
        usual.minute(number, local, people(local) * (1.0 + 0.1 * ((number % 7) as f32 - 3.0) / 3.0), true);
    }
    usual
}

fn fusion_of(rules: &Rules, cameras: &[&str], people: f32) -> Fusion {
    let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
    let usual = week_of(|_| people, rules);
    for camera in cameras {
        fusion.restore_usual(&device(camera), usual.clone());
    }
    fusion
}

fn apply(fusion: &mut Fusion, count: Count, now: UtcMs) -> Vec<Transition> {
    let mut all = fusion.apply(&Event::Count(count), now);
    all.extend(fusion.apply(&Event::Tick, now));
    all
}

/// Counts of some cameras every ten seconds.
fn feed(fusion: &mut Fusion, cameras: &[&str], from_s: i64, to_s: i64, people: impl Fn(i64) -> f32) -> Vec<Transition> {
    let mut all = Vec::new();
    for s in (from_s..to_s).step_by(10) {
        for camera in cameras {
            all.extend(apply(fusion, count(camera, people(s), after(s * 1000)), after(s * 1000)));
        }
    }
    all
}

fn raised(transitions: &[Transition]) -> Vec<&Alert> {
    transitions.iter().filter(|t| t.record.as_ref().is_some_and(|r| r.action == "raise")).map(|t| &*t.alert).collect()
}

fn evidence(alert: &Alert) -> &CrowdEvidence {
    match &alert.cause {
        Cause::Crowd(evidence) => evidence,
        other => panic!("not a crowd alert: {other:?}"),
    }
}

fn codes(alert: &Alert) -> Vec<ReasonCode> {
    evidence(alert).reasons.iter().map(|r| r.code).collect()
}

#[test]
fn three_times_the_usual_count_is_a_notice_within_minutes_with_its_numbers() {
    let rules = rules();
    let mut fusion = fusion_of(&rules, &[SQUARE], 40.0);
    assert_eq!(feed(&mut fusion, &[SQUARE], 0, 7_200, |s| 40.0 + (s % 3) as f32), vec![]);
    let all = feed(&mut fusion, &[SQUARE], 7_200, 8_400, |s| 40.0 + ((s - 7_200) as f32 / 7.5).min(80.0));
    let alerts = raised(&all);
    assert_eq!(alerts.len(), 1, "{all:?}");
    assert!(alerts[0].level <= Level::Watch);
    assert!(alerts[0].raised_at.ms_since(after(7_200_000)) <= 15 * 60_000, "{:?}", alerts[0].raised_at);
    let shown = evidence(alerts[0]);
    assert_eq!(shown.formula, "crowd-v2");
    assert!(codes(alerts[0]).contains(&ReasonCode::AboveBaseline));
    let usual = shown.assessed.as_ref().unwrap().inputs.usual.unwrap();
    assert!((35.0..45.0).contains(&usual.usual) && usual.bound < shown.low && usual.weeks > 3.0, "{usual:?}");
}

#[test]
fn an_alert_says_the_same_again_with_the_formula_that_made_it_byte_for_byte() {
    for formula in Formula::ALL {
        let mut rules = rules();
        rules.gathering.formula = formula;
        rules.cameras.insert(device(SQUARE), CameraRule { limit: Some(50.0), public_space: true });
        let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
        let all = feed(&mut fusion, &[SQUARE], 0, 120, |_| 90.25);
        let alert = raised(&all)[0].clone();
        let text = serde_json::to_string(&alert.cause).unwrap();
        let Cause::Crowd(stored) = serde_json::from_str::<Cause>(&text).unwrap() else { panic!() };
        let kept = stored.assessed.unwrap();
        let version = Formula::named(&kept.said.formula).unwrap();
        assert_eq!(version, formula);
        assert_eq!(serde_json::to_vec(&version.assess(&kept.inputs)).unwrap(), serde_json::to_vec(&kept.said).unwrap());
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
fn the_end_of_a_lesson_is_no_alarm_and_the_same_crowd_at_another_time_is_one() {
    let mut rules = rules();
    let crowd = |rules: &Rules| {
        let mut fusion = fusion_of(rules, &[YARD], 8.0);
        feed(&mut fusion, &[YARD], 0, 3_600, |_| 8.0);
        raised(&feed(&mut fusion, &[YARD], 3_600, 4_800, |s| if s < 4_500 { 90.0 } else { 8.0 })).len()
    };
    assert_eq!(crowd(&rules), 1);
    // 2026-11-21 is a Saturday: START is 10:00 UTC, 15:00 in Almaty. Taken as a working day by a calendar that starts on Monday.
    let local = rules.calendar.local(after(3_600_000));
    let bells = vec![local.minute, local.minute + 14];
    rules.calendar.bells.insert(device(YARD).site, bells);
    assert_eq!(crowd(&rules), 1, "no bell rings on a Saturday");
    let friday = |rules: &Rules| {
        let mut fusion = fusion_of(rules, &[YARD], 8.0);
        let s0 = 6 * 86_400;
        feed(&mut fusion, &[YARD], s0 - 7_200, s0 + 3_600, |_| 8.0);
        raised(&feed(&mut fusion, &[YARD], s0 + 3_600, s0 + 4_800, |s| if s < s0 + 4_500 { 90.0 } else { 8.0 })).len()
    };
    assert_eq!(friday(&rules), 0);
    rules.calendar.holidays.insert(jiff::civil::date(2026, 11, 27));
    assert_eq!(friday(&rules), 1, "on a holiday nobody expects it");
}

#[test]
fn a_planned_event_explains_as_many_people_as_it_expects() {
    let mut rules = rules();
    rules.calendar.events.push(PlannedEvent {
        site: device(SQUARE).site,
        from: after(3_000_000),
        until: after(9_000_000),
        people: Some(100.0),
    });
    let raised_with = |people: f32| {
        let mut fusion = fusion_of(&rules, &[SQUARE], 20.0);
        feed(&mut fusion, &[SQUARE], 0, 3_600, |_| 20.0);
        raised(&feed(&mut fusion, &[SQUARE], 3_600, 5_400, |_| people)).len()
    };
    assert_eq!(raised_with(90.0), 0);
    assert_eq!(raised_with(300.0), 1);
}

fn dense(people: f32, area_m2: f32, at: UtcMs, camera: &str) -> Count {
    let zone = ZoneCount { zone: "stairs".parse().unwrap(), people, low: people, high: people, area_m2: Some(area_m2) };
    Count { zones: vec![zone], ..count(camera, people, at) }
}

fn feed_dense(fusion: &mut Fusion, people: f32, area_m2: f32, camera: &str) -> Vec<Transition> {
    (0..30).flat_map(|n| apply(fusion, dense(people, area_m2, after(n * 2_000), camera), after(n * 2_000))).collect()
}

#[test]
fn a_dense_zone_is_a_warning_from_twenty_people_and_critical_where_pushes_go_through() {
    let level = |people, area| {
        let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
        let all = feed_dense(&mut fusion, people, area, SQUARE);
        all.last().map(|t| (t.alert.level, life::dispatchable(&t.alert), life::may_leave(&t.alert)))
    };
    assert_eq!(level(30.0, 6.0), Some((Level::Warning, true, false)));
    assert_eq!(level(36.0, 6.0), Some((Level::Critical, true, false)));
    assert_eq!(level(19.9, 2.0), None, "nineteen people on two square metres: something is wrong with the area");
    assert_eq!(level(27.0, 6.0), None, "4.5 people per m2");
}

#[test]
fn a_zone_that_is_deleted_while_its_alert_is_open_lets_it_end() {
    let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
    assert_eq!(raised(&feed_dense(&mut fusion, 30.0, 6.0, SQUARE)).len(), 1);
    let all = feed(&mut fusion, &[SQUARE], 70, 400, |_| 12.0);
    assert!(!all.last().unwrap().alert.is_open(), "the count has no zone any more, and the alert ends by quiet");
    assert_eq!(fusion.open_alerts().count(), 0);
}

#[test]
fn flow_is_a_warning_only_over_a_line_whose_width_is_known() {
    let level = |width: Option<f32>| {
        let mut rules = rules();
        let mut widths = BTreeMap::new();
        widths.extend(width.map(|w| ("gate".parse().unwrap(), w)));
        rules.places.insert(device(SQUARE), PlaceRule { density_limit_per_m2: None, line_width_m: widths });
        let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
        let mut all = Vec::new();
        for n in 0..60 {
            let flow = LineFlow { line: "gate".parse().unwrap(), forward: 8, backward: 1, over_ms: 2_000 };
            let count = Count { flows: vec![flow], ..count(SQUARE, 40.0, after(n * 2_000)) };
            all.extend(apply(&mut fusion, count, after(n * 2_000)));
        }
        all.last().map(|t| t.alert.level)
    };
    // 270 a minute: over 2 m that is 135 a minute and metre, over 4 m 67.
    assert_eq!(level(Some(2.0)), Some(Level::Warning));
    assert_eq!(level(Some(4.0)), None);
    assert_eq!(level(None), None);
    assert_eq!(level(Some(0.0)), None, "a line without width has no flow");
}

#[test]
fn inside_a_closed_school_one_person_is_a_watch_and_in_its_hours_nobody_is_too_many() {
    let mut rules = rules();
    rules.calendar.hours.insert(device(YARD).site, vec![Hours { days: 0b1_1111, from: 420, until: 1_200 }]);
    let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
    let all = feed(&mut fusion, &[YARD], 0, 40, |_| 1.0);
    assert_eq!(raised(&all).iter().map(|a| (a.level, codes(a))).collect::<Vec<_>>(), [(Level::Watch, vec![ReasonCode::ClosedHours])]);
    assert_eq!(
        feed(&mut fusion, &[YARD], 2 * 86_400, 2 * 86_400 + 60, |_| 1.0).iter().filter(|t| t.alert.id == AlertId(2)).count(),
        0,
        "Monday"
    );
    let mut square = Fusion::new(rules_closed_square(), AlertId(1), vec![]);
    assert_eq!(feed(&mut square, &[SQUARE], 0, 60, |_| 3.0), vec![], "public space is never closed");
}

fn rules_closed_square() -> Rules {
    let mut rules = rules();
    rules.calendar.hours.insert(device(SQUARE).site, vec![]);
    rules
}

#[test]
fn neighbours_that_see_one_gathering_make_one_alert_and_a_far_camera_another() {
    let rules = rules();
    let cameras = [SQUARE, OTHER, FAR];
    let mut fusion = fusion_of(&rules, &cameras, 30.0);
    assert_eq!(feed(&mut fusion, &cameras, 0, 7_200, |_| 30.0), vec![]);
    let all = feed(&mut fusion, &cameras, 7_200, 8_400, |_| 120.0);
    let alerts = raised(&all);
    // The camera whose count completes the evidence carries it; which of the two does not matter.
    let carried = alerts.iter().map(|a| a.device.clone().unwrap().to_string()).collect::<Vec<_>>();
    assert!(carried.len() == 2 && [SQUARE, OTHER].contains(&&*carried[0]) && carried[1] == FAR, "{carried:?}");
    let other = if carried[0] == SQUARE { OTHER } else { SQUARE };
    let square = fusion.alert(alerts[0].id).unwrap().clone();
    assert_eq!(
        evidence(&square).neighbours.iter().map(|n| (n.camera.to_string(), n.people)).collect::<Vec<_>>(),
        [(other.to_owned(), 120.0)]
    );
    // A restart goes on with both cameras; the alert ends when both are quiet.
    let mut again = Fusion::new(rules, AlertId(9), fusion.open_alerts().map(|a| (**a).clone()).collect());
    for camera in cameras {
        again.restore_usual(&device(camera), fusion.usual().find(|(c, _)| **c == device(camera)).unwrap().1.clone());
    }
    feed(&mut again, &[SQUARE], 8_400, 8_600, |_| 20.0);
    feed(&mut again, &[OTHER], 8_400, 8_600, |_| 120.0);
    assert!(again.alert(square.id).is_some(), "one of the two still sees it");
    feed(&mut again, &[SQUARE, OTHER, FAR], 8_600, 9_000, |_| 20.0);
    assert_eq!(again.open_alerts().count(), 0);
}

#[test]
fn a_silent_neighbour_does_not_keep_an_alert_open() {
    let rules = rules();
    let mut fusion = fusion_of(&rules, &[SQUARE, OTHER], 30.0);
    feed(&mut fusion, &[SQUARE, OTHER], 0, 7_200, |_| 30.0);
    feed(&mut fusion, &[SQUARE, OTHER], 7_200, 8_000, |_| 120.0);
    assert_eq!(fusion.open_alerts().count(), 1);
    feed(&mut fusion, &[SQUARE], 8_000, 8_700, |_| 20.0);
    assert_eq!(fusion.open_alerts().count(), 0);
}

#[test]
fn what_is_put_aside_comes_back_by_itself_and_a_safety_limit_is_never_put_aside() {
    let mut rules = rules();
    rules.cameras.insert(device(SQUARE), CameraRule { limit: Some(50.0), public_space: true });
    let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
    fusion.apply(&Event::Shelved(device(SQUARE), Some(after(600_000))), after(0));
    assert_eq!(feed(&mut fusion, &[SQUARE], 0, 600, |_| 90.0), vec![]);
    assert_eq!(raised(&feed(&mut fusion, &[SQUARE], 600, 660, |_| 90.0)).len(), 1);
    let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
    fusion.apply(&Event::Shelved(device(SQUARE), Some(after(600_000))), after(0));
    assert_eq!(raised(&feed_dense(&mut fusion, 30.0, 6.0, SQUARE)).iter().map(|a| a.level).collect::<Vec<_>>(), [Level::Warning]);
}

#[test]
fn a_demoted_limit_makes_a_notice_and_a_safety_limit_cannot_be_demoted() {
    let mut rules = rules();
    rules.cameras.insert(device(SQUARE), CameraRule { limit: Some(10.0), public_space: true });
    rules.gathering.demoted = vec![ReasonCode::AboveLimit, ReasonCode::Density, ReasonCode::Flow];
    let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
    assert_eq!(raised(&feed(&mut fusion, &[SQUARE], 0, 60, |_| 19.0))[0].level, Level::Notice);
    let mut fusion = Fusion::new(rules, AlertId(1), vec![]);
    assert_eq!(feed_dense(&mut fusion, 30.0, 6.0, SQUARE).last().unwrap().alert.level, Level::Warning);
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

fn any_inputs() -> impl Strategy<Value = CrowdInputs> {
    let held = || proptest::option::of(0_i64..4_000_000);
    let usual = (0.0_f32..500.0, 0.0_f32..500.0, 0.0_f32..20.0, -50.0_f32..50.0, 0.0_f32..20.0, held());
    let place = prop_oneof![Just(CrowdPlace::Public), Just(CrowdPlace::Institution), Just(CrowdPlace::InstitutionClosed)];
    let safety = (0.0_f32..12.0, 3.6_f32..5.5, held(), 0.0_f32..200.0, held());
    (place, 0.0_f32..3_000.0, 0.0_f32..1.0, proptest::option::of(usual), proptest::option::of((0.0_f32..500.0, held())), safety, held())
        .prop_map(|(place, people, part, usual, limit, (per_m2_low, density_limit, dense_ms, flow, flow_ms), closed_ms)| CrowdInputs {
            camera: device(SQUARE),
            at: START,
            place,
            people,
            low: people * part,
            high: people * 1.5,
            open_after_ms: 20_000,
            safety_after_ms: 10_000,
            limit: limit.map(|(limit, held_ms)| LimitSeen { limit, held_ms }),
            usual: usual.map(|(usual, bound, score, growth_per_min, growth_cusum, held_ms)| UsualSeen {
                usual,
                expected: usual,
                bound,
                score,
                weeks: 8.0,
                growth_per_min,
                growth_cusum,
                held_ms,
            }),
            expected: None,
            density: Some(DensitySeen {
                zone: "z".parse().unwrap(),
                people_low: people * part,
                per_m2_low,
                limit: density_limit,
                held_ms: dense_ms,
            }),
            flow: Some(FlowSeen { line: "l".parse().unwrap(), per_m_min_low: flow, limit: 82.0, held_ms: flow_ms }),
            closed_ms,
            scan: None,
            demoted: vec![],
        })
}

proptest! {
    /// Fewer than 20 people in public space are never a warning; without density and flow nothing is; scores stay within 0 and 100;
    /// more evidence never lowers the score; the same inputs give the same bytes.
    #[test]
    fn the_formula_keeps_its_promises(inputs in any_inputs()) {
        for formula in Formula::ALL {
            let said = formula.assess(&inputs);
            prop_assert!((0.0..=100.0).contains(&said.score), "{}", said.score);
            prop_assert!(!(inputs.place == CrowdPlace::Public && inputs.low < 20.0 && said.level >= Some(Level::Warning)), "{said:?}");
            let alone = formula.assess(&CrowdInputs { density: None, flow: None, ..inputs.clone() });
            prop_assert!(alone.level <= Some(Level::Watch), "{alone:?}");
            prop_assert!(alone.score <= said.score);
            prop_assert_eq!(said.level.is_some(), !said.reasons.is_empty());
            prop_assert_eq!(serde_json::to_vec(&said).unwrap(), serde_json::to_vec(&formula.assess(&inputs)).unwrap());
        }
    }

    /// Whatever is configured: fewer than 20 people in public space are never a warning, nothing leaves without a named act, and the
    /// same events give the same bytes.
    #[test]
    fn no_configuration_makes_a_warning_of_few_people(
        (limit, density_limit, width, open, safety, score) in
            (proptest::option::of(0.0_f32..50.0), proptest::option::of(-1.0_f32..10.0), 0.0_f32..10.0, 0_i64..30_000, 0_i64..30_000, 0.0_f32..3.0),
        counts in proptest::collection::vec((0.0_f32..60.0, 0.01_f32..30.0, 0_u32..60, 500_i64..20_000), 1..80),
    ) {
        let mut rules = rules();
        rules.cameras.insert(device(SQUARE), CameraRule { limit, public_space: true });
        let line_width_m = [("gate".parse().unwrap(), width)].into();
        rules.places.insert(device(SQUARE), PlaceRule { density_limit_per_m2: density_limit, line_width_m });
        rules.crowd = CrowdRules { open_after_ms: open, min_people: 0.0, min_people_public: 0.0, baseline_needs_minutes: 1, ..CrowdRules::default() };
        (rules.gathering.safety_after_ms, rules.gathering.unusual_score) = (safety, score);
        let run = || {
            let mut fusion = Fusion::new(rules.clone(), AlertId(1), vec![]);
            let (mut at, mut all) = (0, Vec::new());
            for (people, area, crossed, wait) in &counts {
                at += wait;
                let flow = LineFlow { line: "gate".parse().unwrap(), forward: *crossed, backward: 0, over_ms: u32::try_from(*wait).unwrap() };
                let count = Count { flows: vec![flow], ..dense(*people, *area, after(at), SQUARE) };
                all.extend(apply(&mut fusion, count, after(at)));
            }
            all
        };
        let all = run();
        let most = counts.iter().map(|c| c.0).fold(0.0, f32::max);
        for made in &all {
            prop_assert!(most >= 20.0 || made.alert.level <= Level::Watch, "{:?}", made.alert);
            prop_assert!(!life::may_leave(&made.alert));
            let kept = evidence(&made.alert).assessed.as_ref().unwrap();
            prop_assert!(kept.inputs.low >= 20.0 || kept.said.level <= Some(Level::Watch));
        }
        prop_assert_eq!(format!("{:?}", run()), format!("{all:?}"));
    }
}

#[test]
fn the_calendar_of_a_hub_that_names_nothing_is_utc_without_bells() {
    assert_eq!(Calendar::default().moment(START, &device(YARD).site).local, LocalMinute { day: 5, minute: 600 });
}
