//! What surrounds an alert explains it and changes nothing of it; what people found at closing is counted; rules are tried on the past.

use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;
use qorgan_alerts::{
    Fusion, Rules,
    context::{ContextBlock, ContextShare, Disruption, Helper, OpenNearby, RequestsNear, SensorNear, Surroundings, explain},
    fusion::{CameraRule, Formula, GatheringRules},
    life::{self, Viewer},
    verdicts,
    whatif::{self, Minute},
};
use qorgan_domain::{
    AlertId, DeviceRef, Event, GeoPoint, Role, Trilingual,
    alert::{Alert, Cause, CloseReason, Level, Reason, ReasonCode},
    assembly::{Answer, Appeal, Assembly, Form, SpecialPlace, Standing},
};

use crate::make::{START, after, count, crowd, incident};

const SQUARE: &str = "square/north";

fn here() -> GeoPoint {
    GeoPoint::new(42.9, 71.4).unwrap()
}

fn assembly(answer: Option<Answer>) -> Assembly {
    Assembly {
        form: Form::Rally,
        position: here(),
        radius_m: 200,
        place: "Park square".into(),
        from: START,
        until: after(7_200_000),
        people: 200,
        filed_on: date(2026, 11, 16),
        answer,
    }
}

fn place() -> SpecialPlace {
    let name = Trilingual { kk: "Алаң".into(), ru: "Площадь".into(), en: "Square".into() };
    SpecialPlace { name, points: vec![here()], radius_m: 300, max_people: 500 }
}

fn gathering(level: Level) -> Alert {
    Alert { position: Some(here()), ..crowd(level) }
}

#[test]
fn a_notified_assembly_is_a_task_of_facilitation_until_a_safety_limit_is_crossed() {
    let around =
        Surroundings { assemblies: vec![(7, assembly(None), Standing::Proceeds)], places: vec![(1, place())], ..Surroundings::default() };
    for (level, task) in [(Level::Notice, true), (Level::Watch, true), (Level::Warning, false), (Level::Critical, false)] {
        let said = explain(&gathering(level), &around, after(60_000)).unwrap();
        assert_eq!(said.task.is_some(), task, "{level:?}");
        assert_eq!(said.attention, level);
        assert!(
            said.helpers.contains(&Helper::Stewards)
                && said.helpers.contains(&Helper::Ambulance)
                && said.helpers.contains(&Helper::RoadClosure)
        );
    }
    let task = explain(&gathering(Level::Watch), &around, after(60_000)).unwrap().task.unwrap();
    assert_eq!((task.assembly, task.notified, task.holds), (7, 200, Some(500)));
    // Elsewhere, or at another time, it has nothing to do with it.
    let far = Alert { position: Some(GeoPoint::new(43.0, 71.4).unwrap()), ..crowd(Level::Watch) };
    assert_eq!(explain(&far, &around, after(60_000)).unwrap().task, None);
    assert_eq!(explain(&gathering(Level::Watch), &around, after(86_400_000)).unwrap().task, None);
    assert_eq!(explain(&incident(), &around, after(0)), None);
}

#[test]
fn below_the_limits_a_refused_assembly_has_the_attention_of_a_notified_one_and_of_none() {
    let refused = Answer::Refused { on: date(2026, 11, 17), ground: "g".into(), alternative: "a".into(), appeal: Appeal::None };
    for level in [Level::Notice, Level::Watch] {
        let with =
            |assemblies| explain(&gathering(level), &Surroundings { assemblies, ..Surroundings::default() }, after(0)).unwrap().attention;
        let all = [
            with(vec![]),
            with(vec![(1, assembly(None), Standing::Proceeds)]),
            with(vec![(1, assembly(None), Standing::Pending)]),
            with(vec![(1, assembly(Some(refused.clone())), Standing::Refused)]),
        ];
        assert_eq!(all, [level; 4]);
    }
}

#[test]
fn three_blocks_have_no_name_here_and_a_share_needs_its_band() {
    for block in ["political", "public-political", "protest", "protest-likelihood", "interethnic", "interfaith"] {
        assert!(serde_json::from_value::<ContextBlock>(block.into()).is_err(), "{block}");
    }
    let share = |value, low, high| ContextShare::of(&[(ContextBlock::Problems, value, low, high, 1.0)]);
    assert_eq!(share(5.0, 4.0, 6.0).unwrap().parts(), (5.0, 4.0, 6.0));
    for bad in [share(5.0, 6.0, 7.0), share(11.0, 4.0, 12.0), share(f64::NAN, 1.0, 2.0), ContextShare::of(&[])] {
        assert_eq!(bad, None);
    }
    let twice = [(ContextBlock::Youth, 5.0, 4.0, 6.0, 1.0), (ContextBlock::Youth, 5.0, 4.0, 6.0, 1.0)];
    assert_eq!(ContextShare::of(&twice), None);
}

fn named(word: &str) -> Trilingual {
    Trilingual { kk: word.into(), ru: word.into(), en: word.into() }
}

fn any_share() -> impl Strategy<Value = Option<ContextShare>> {
    (0.0_f64..10.0, 0.0_f64..3.0).prop_map(|(value, half)| {
        ContextShare::of(&[(ContextBlock::Labour, value, (value - half).max(0.0), (value + half).min(10.0), 1.0)])
    })
}

prop_compose! {
    fn any_surroundings()(
        tension in any_share(),
        open in (0_u32..5, 0_u32..5, 0_u32..5, 0_u32..5),
        requests in proptest::collection::vec(("[a-z]{1,8}", 1_u64..50), 0..4),
        disruptions in proptest::collection::vec(("[a-z]{1,8}", any::<bool>()), 0..3),
        standing in prop_oneof![Just(Standing::Pending), Just(Standing::Proceeds), Just(Standing::Refused), Just(Standing::Withdrawn)],
        assemblies in 0_usize..2,
    ) -> Surroundings {
        Surroundings {
            assemblies: (0..assemblies).map(|n| (n as i64, assembly(None), standing)).collect(),
            places: vec![(1, place())],
            events: vec!["fair".into()],
            open: OpenNearby { alarms: open.0, incidents: open.1, hazards: open.2, troubles: open.3 },
            sensors: vec![SensorNear { kind: "smoke".into(), value: f64::from(open.0), unit: String::new() }],
            requests: Some(RequestsNear::told(500, requests.into_iter().map(|(category, n)| (named(&category), n)), false)),
            disruptions: Disruption::together(disruptions.into_iter().map(|(what, near)| (named(&what), near))),
            tension: tension.map(|share| (share, "2026-Q3".to_owned())),
        }
    }
}

/// Everything that decides who gets an alert and in which order.
fn fate(alert: &Alert) -> String {
    let roles = [
        Role::DutyOfficer,
        Role::ShiftLead,
        Role::PoliceDesk,
        Role::Patrol,
        Role::SchoolContact,
        Role::DistrictContact,
        Role::Analyst,
        Role::ResidentOperator,
        Role::Administrator,
        Role::Auditor,
    ];
    let seen: Vec<bool> = roles.into_iter().map(|role| life::visible(alert, &Viewer { role, site: None, unit: None })).collect();
    format!("{alert:?} {seen:?} {} {}", life::dispatchable(alert), life::may_leave(alert))
}

proptest! {
    /// The same counts with any context looked at in between: the same transitions, the same recipients, order and ways out. Context
    /// makes no alert, and its attention moves between notice and watch only.
    #[test]
    fn no_context_changes_an_alert(around in any_surroundings(), counts in proptest::collection::vec((0.0_f32..120.0, 1_000_i64..20_000), 1..60)) {
        let rules = || {
            let mut rules = Rules { gathering: GatheringRules { formula: Formula::V2, ..GatheringRules::default() }, ..Rules::default() };
            rules.cameras.insert(SQUARE.parse().unwrap(), CameraRule { limit: Some(50.0), public_space: true });
            rules.positions.insert(SQUARE.parse().unwrap(), here());
            rules
        };
        let run = |around: Option<&Surroundings>| {
            let mut fusion = Fusion::new(rules(), AlertId(1), vec![]);
            let (mut at, mut all) = (0, Vec::new());
            for (people, wait) in &counts {
                at += wait;
                for made in fusion.apply(&Event::Count(count(SQUARE, *people, after(at))), after(at)) {
                    if let Some(around) = around {
                        let said = explain(&made.alert, around, after(at)).unwrap();
                        let steps = [Level::Notice, Level::Watch];
                        assert!(said.attention == made.alert.level || (steps.contains(&said.attention) && steps.contains(&made.alert.level)));
                    }
                    all.push(fate(&made.alert));
                }
            }
            all
        };
        prop_assert_eq!(run(Some(&around)), run(None));
    }
}

fn judged(code: ReasonCode, verdict: CloseReason) -> Alert {
    let mut alert = gathering(Level::Watch);
    if let Cause::Crowd(evidence) = &mut alert.cause {
        evidence.reasons = vec![Reason { code, observed: 9.0, bound: 8.0, for_s: 20 }];
    }
    Alert { close_reason: Some(verdict), closed_at: Some(after(600_000)), ..alert }
}

#[test]
fn a_rule_that_is_mostly_wrong_is_proposed_for_demotion_after_twenty_verdicts_and_a_safety_limit_never() {
    let many = |code, right: usize, wrong: usize| {
        let mut all = vec![judged(code, CloseReason::Resolved); right];
        all.extend(vec![judged(code, CloseReason::FalseAlarm); wrong]);
        all.extend(vec![judged(code, CloseReason::Drill); 5]);
        let figures = verdicts::figures(&all, verdicts::FLOOR);
        let rule = figures.rules[code.as_str()].clone();
        (rule.precision, rule.proposed_for_demotion, rule.drills)
    };
    assert_eq!(many(ReasonCode::AboveLimit, 5, 15), (Some(0.25), true, 5));
    assert_eq!(many(ReasonCode::AboveLimit, 4, 15), (Some(4.0 / 19.0), false, 5), "nineteen verdicts");
    assert_eq!(many(ReasonCode::AboveBaseline, 6, 14), (Some(0.3), false, 5), "at its floor");
    assert!(!many(ReasonCode::Density, 0, 40).1);
    assert!(!many(ReasonCode::ClosedHours, 0, 40).1);
}

#[test]
fn an_incident_that_no_crowd_alert_came_before_is_a_miss() {
    let alert = judged(ReasonCode::AboveLimit, CloseReason::Resolved);
    let at = |position, ms| Alert { position: Some(position), raised_at: after(ms), ..incident() };
    let figures = verdicts::figures(
        &[alert, at(here(), 300_000), at(GeoPoint::new(42.99, 71.4).unwrap(), 300_000), at(here(), 7_200_000)],
        verdicts::FLOOR,
    );
    assert_eq!((figures.incidents, figures.misses, figures.rules["above_limit"].missed), (3, 2, 2));
}

#[test]
fn a_trial_of_a_limit_says_what_it_would_have_told_and_missed() {
    let camera: DeviceRef = SQUARE.parse().unwrap();
    let mut rules = Rules { gathering: GatheringRules { formula: Formula::V2, ..GatheringRules::default() }, ..Rules::default() };
    rules.cameras.insert(camera.clone(), CameraRule { limit: Some(50.0), public_space: true });
    // Two crowds of an hour: 60 people, found true; 90, found false.
    let people = |minute: i64| match minute {
        100..160 => 60.0,
        400..460 => 90.0,
        _ => 10.0,
    };
    let minutes: Vec<Minute> = (0..720)
        .rev()
        .map(|n| Minute { camera: camera.clone(), at: after(n * 60_000), people: people(n), low: people(n), high: people(n) })
        .collect();
    let recorded = |minute: i64, verdict| Alert {
        device: Some(camera.clone()),
        raised_at: after(minute * 60_000),
        closed_at: Some(after((minute + 58) * 60_000)),
        close_reason: Some(verdict),
        ..crowd(Level::Watch)
    };
    let recorded = [recorded(101, CloseReason::Resolved), recorded(402, CloseReason::FalseAlarm)];
    let told = whatif::judge(&rules, &BTreeMap::new(), &minutes, &recorded);
    assert_eq!((told.alerts, told.right, told.wrong, told.missed, told.precision), (2, 1, 1, 0, Some(0.5)));
    assert!((told.per_shift - 2.0).abs() < 0.01 && told.delay_min.unwrap().abs() <= 2.0, "{told:?}");
    rules.cameras.insert(camera, CameraRule { limit: Some(80.0), public_space: true });
    let told = whatif::judge(&rules, &BTreeMap::new(), &minutes, &recorded);
    // Without a limit in its way the rolling median still speaks of the first: a notice.
    assert_eq!(told.levels.get("watch"), Some(&1), "{told:?}");
    assert_eq!(whatif::judge(&Rules::default(), &BTreeMap::new(), &[], &[]).alerts, 0);
}
