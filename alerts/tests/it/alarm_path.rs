//! What comes after the press: second roads, cancel and duress, reminders, drills, troubles, hazards, receipts.

use qorgan_alerts::{Fusion, Refusal, Rules, Transition, life};
use qorgan_domain::{
    Alarm, AlarmKind, AlertId, Door, Event, GeoPoint, Role, Signal, UtcMs,
    alert::{Action, Actor, AlarmEvidence, Alert, Cause, CloseReason, Escalation, External, Level},
    event::DrillWindow,
    hazard::{Hazard, HazardKind},
    sign::{Scope, Trouble, TroubleKind},
};

use crate::make::{after, close, drill_press, patrol, person, press};

const GATE: &str = "school-17/gate";

fn fusion() -> Fusion {
    Fusion::new(Rules::default(), AlertId(1), vec![])
}

fn take(fusion: &mut Fusion, alarm: Alarm) -> Vec<Transition> {
    let now = alarm.received_at;
    fusion.apply(&Event::Alarm { alarm, stored: true }, now)
}

fn lines(transitions: &[Transition]) -> Vec<String> {
    transitions.iter().filter_map(|t| t.record.as_ref()).map(|r| format!("{} {}", r.alert, r.action)).collect()
}

fn press_of(alert: &Alert) -> &AlarmEvidence {
    match &alert.cause {
        Cause::Alarm(press) => press,
        other => panic!("not an alarm: {other:?}"),
    }
}

fn by(door: Door, seq: u64, at: UtcMs) -> Alarm {
    Alarm { door, ..press(GATE, seq, None, at) }
}

fn signal(signal: Signal, at: UtcMs) -> Alarm {
    Alarm { signal, ..press(GATE, 9, None, at) }
}

#[test]
fn one_press_that_comes_by_two_roads_within_ten_seconds_is_one_press() {
    let mut fusion = fusion();
    assert_eq!(lines(&take(&mut fusion, by(Door::Mqtt, 1, after(0)))), ["1 raise"]);
    assert_eq!(lines(&take(&mut fusion, by(Door::Dc09, 812, after(9_000)))), ["1 second_path"]);
    let alert = fusion.alert(AlertId(1)).unwrap();
    assert_eq!((press_of(alert).presses, press_of(alert).doors.as_slice()), (1, [Door::Mqtt, Door::Dc09].as_slice()));
    assert_eq!(lines(&take(&mut fusion, by(Door::Phone, 3, after(10_001)))), ["1 press_again"], "in doubt it is another press");
    assert_eq!(lines(&take(&mut fusion, by(Door::Mqtt, 2, after(2_000)))), ["1 press_again"], "the same road twice is two presses");
}

#[test]
fn a_cancel_marks_and_never_closes() {
    let mut fusion = fusion();
    take(&mut fusion, by(Door::Phone, 1, after(0)));
    let marked = take(&mut fusion, signal(Signal::Cancel, after(1_000)));
    assert_eq!(lines(&marked), ["1 cancel"]);
    assert!(marked[0].alert.is_open());
    assert_eq!((marked[0].alert.level, press_of(&marked[0].alert).cancelled_at), (Level::Critical, Some(after(1_000))));
    assert_eq!(take(&mut self::fusion(), signal(Signal::Cancel, after(0))), vec![], "nothing to mark");
}

#[test]
fn duress_is_told_to_the_desk_and_is_an_alarm_when_there_is_none() {
    let mut fusion = fusion();
    take(&mut fusion, Alarm { kind: AlarmKind::Medical, ..by(Door::Phone, 1, after(0)) });
    let marked = take(&mut fusion, Alarm { kind: AlarmKind::Medical, ..signal(Signal::Duress, after(1_000)) });
    assert_eq!((lines(&marked), marked[0].alert.level), (vec!["1 duress".to_owned()], Level::Critical));
    let raised = take(&mut self::fusion(), signal(Signal::Duress, after(0)));
    assert_eq!(lines(&raised), ["1 raise"]);
    assert_eq!(press_of(&raised[0].alert).duress_at, Some(after(0)));
    let on_the_spot = life::Viewer { role: Role::SchoolContact, site: Some("school-17".parse().unwrap()), unit: None };
    assert!(!life::visible(&raised[0].alert, &on_the_spot), "the code alone raised it: nobody on the spot sees it");
    assert!(life::visible(&marked[0].alert, &on_the_spot));
}

#[test]
fn a_panels_cancel_names_no_zone_and_marks_what_the_panel_raised_at_that_site_only() {
    let mut fusion = fusion();
    take(&mut fusion, by(Door::Dc09, 1, after(0)));
    take(&mut fusion, press("school-17/yard", 1, None, after(0)));
    take(&mut fusion, Alarm { door: Door::Dc09, ..press("school-18/gate", 1, None, after(0)) });
    let cancel = Alarm { signal: Signal::Cancel, door: Door::Dc09, ..press("school-17/panel", 2, None, after(5_000)) };
    assert_eq!(lines(&take(&mut fusion, cancel)), ["1 cancel"]);
}

#[test]
fn an_unclaimed_alarm_reminds_after_30_s_and_calls_the_lead_after_60_s_each_once() {
    let mut fusion = fusion();
    take(&mut fusion, press(GATE, 1, None, after(0)));
    take(&mut fusion, Alarm { test: true, ..press("school-17/yard", 1, None, after(0)) });
    let mut told = Vec::new();
    for s in 0..90 {
        told.extend(fusion.apply(&Event::Tick, after(s * 1_000)).into_iter().map(|t| (s, t.record.unwrap().action)));
    }
    assert_eq!(told, [(30, "reminded".to_owned()), (60, "shift_lead".to_owned())]);
    assert_eq!(fusion.alert(AlertId(1)).unwrap().progress.escalation, Some(Escalation::ShiftLead));
}

#[test]
fn a_claimed_alarm_calls_nobody() {
    let mut fusion = fusion();
    take(&mut fusion, press(GATE, 1, None, after(0)));
    let claimed = fusion.act(AlertId(1), &Action::Claim, &person("aigerim", Role::DutyOfficer), after(29_000)).unwrap().unwrap();
    assert_eq!(claimed.alert.progress.claimed_at, Some(after(29_000)));
    assert_eq!(fusion.apply(&Event::Tick, after(100_000)), vec![]);
}

#[test]
fn an_alarm_that_an_edge_box_kept_was_raised_when_it_was_heard_and_its_clock_runs_from_its_arrival() {
    let mut fusion = fusion();
    let kept = Alarm { heard_at: Some(after(-600_000)), ..press(GATE, 1, Some("b"), after(0)) };
    let raised = take(&mut fusion, kept);
    assert_eq!(raised[0].alert.raised_at, after(-600_000));
    assert_eq!(fusion.apply(&Event::Tick, after(29_000)), vec![]);
    assert_eq!(lines(&fusion.apply(&Event::Tick, after(30_000))), ["1 reminded"]);
}

#[test]
fn without_an_attended_desk_an_alarm_is_the_police_desks_at_once() {
    let mut fusion = fusion();
    take(&mut fusion, press(GATE, 1, None, after(0)));
    assert_eq!(lines(&fusion.apply(&Event::Attended(false), after(1))), ["1 unattended"]);
    assert_eq!(fusion.apply(&Event::Attended(false), after(2)), vec![]);
    assert_eq!(lines(&take(&mut fusion, press("school-17/yard", 1, None, after(3)))), ["2 raise", "2 unattended"]);
    fusion.apply(&Event::Attended(true), after(4));
    assert_eq!(lines(&take(&mut fusion, press("school-17/hall", 1, None, after(5)))), ["3 raise"]);
}

#[test]
fn a_press_without_the_test_flag_during_a_drill_is_a_real_alarm() {
    let mut fusion = fusion();
    let window = DrillWindow { drill: 3, site: "school-17".parse().unwrap(), until: after(60_000) };
    fusion.apply(&Event::Drills(vec![window]), after(0));
    let real = take(&mut fusion, press(GATE, 1, None, after(1)));
    assert_eq!((real[0].alert.level, press_of(&real[0].alert).drill, press_of(&real[0].alert).test), (Level::Critical, Some(3), false));
    let test = take(&mut fusion, Alarm { test: true, ..press(GATE, 2, None, after(2)) });
    assert_eq!((lines(&test), test[0].alert.level), (vec!["2 raise".to_owned()], Level::Notice));
    let other = take(&mut fusion, press("school-18/gate", 1, None, after(3)));
    assert_eq!(press_of(&other[0].alert).drill, None);
    let late = take(&mut fusion, press("school-17/yard", 1, None, after(60_000)));
    assert_eq!(press_of(&late[0].alert).drill, None, "the window is over");
}

#[test]
fn a_test_press_becomes_real_by_one_word_and_then_holds_the_next_press_of_its_button() {
    let mut fusion = fusion();
    take(&mut fusion, Alarm { test: true, ..press(GATE, 1, None, after(0)) });
    let real = Action::Real { reason: "the caller says so".into() };
    let made = fusion.act(AlertId(1), &real, &person("aigerim", Role::DutyOfficer), after(1)).unwrap().unwrap();
    assert_eq!((made.alert.level, made.alert.is_real_alarm(), made.alert.lifts_mask()), (Level::Critical, true, true));
    assert_eq!(lines(&take(&mut fusion, press(GATE, 2, None, after(2)))), ["1 press_again"]);
    assert_eq!(fusion.act(AlertId(1), &real, &person("b", Role::DutyOfficer), after(3)).unwrap().unwrap_err(), Refusal::Already);
    assert_eq!(lines(&take(&mut fusion, Alarm { test: true, ..press(GATE, 3, None, after(4)) })), ["2 raise"], "the next test is a test");
}

#[test]
fn a_trouble_opens_once_changes_and_ends_by_itself_unless_somebody_holds_it() {
    let mut fusion = fusion();
    let site = Scope::Site("school-17".parse().unwrap());
    let lost = |devices: &[&str], active| Trouble {
        scope: site.clone(),
        kind: TroubleKind::Lost,
        devices: devices.iter().map(|d| d.parse().unwrap()).collect(),
        since: after(0),
        detail: None,
        active,
        reason: None,
    };
    let opened = fusion.apply(&Event::Trouble(lost(&["school-17/a", "school-17/b"], true)), after(1));
    assert_eq!((lines(&opened), opened[0].alert.level), (vec!["1 raise".to_owned()], Level::Watch));
    assert!(!life::dispatchable(&opened[0].alert) && !life::may_leave(&opened[0].alert));
    assert_eq!(fusion.apply(&Event::Trouble(lost(&["school-17/a", "school-17/b"], true)), after(2)), vec![]);
    let wider = fusion.apply(&Event::Trouble(lost(&["school-17/a", "school-17/b", "school-17/c"], true)), after(3));
    assert_eq!((wider.len(), wider[0].record.is_none(), wider[0].alert.version), (1, true, 2));
    let mut held = Fusion::new(Rules::default(), AlertId(2), fusion.open_alerts().map(|alert| Alert::clone(alert)).collect());
    let ended = fusion.apply(&Event::Trouble(lost(&[], false)), after(4));
    assert_eq!((lines(&ended), ended[0].alert.close_reason), (vec!["1 close".to_owned()], Some(CloseReason::Recovered)));
    assert_eq!(lines(&fusion.apply(&Event::Trouble(lost(&["school-17/a"], true)), after(5))), ["2 raise"]);
    held.act(AlertId(1), &Action::Claim, &person("aigerim", Role::DutyOfficer), after(4)).unwrap().unwrap();
    let marked = held.apply(&Event::Trouble(lost(&[], false)), after(5));
    assert_eq!((lines(&marked), marked[0].alert.is_open()), (vec!["1 subside".to_owned()], true));
    assert_eq!(held.apply(&Event::Trouble(lost(&[], false)), after(6)), vec![]);
    assert_eq!(lines(&held.apply(&Event::Trouble(lost(&["school-17/a"], true)), after(7))), ["1 update"]);
}

#[test]
fn the_same_hazard_again_is_the_same_alert_also_after_it_was_closed() {
    let mut fusion = fusion();
    let hazard = |event: &str, text: &str| {
        Event::Hazard(Hazard {
            source: "road".into(),
            event: event.into(),
            kind: HazardKind::DangerousDriving,
            position: GeoPoint::new(42.9, 71.37).unwrap(),
            text: text.into(),
            at: after(0),
            received_at: after(0),
        })
    };
    let opened = fusion.apply(&hazard("e1", "north"), after(1));
    assert_eq!((lines(&opened), opened[0].alert.level), (vec!["1 raise".to_owned()], Level::Warning));
    assert!(life::dispatchable(&opened[0].alert));
    assert_eq!(fusion.apply(&hazard("e1", "north"), after(2)), vec![]);
    assert_eq!(lines(&fusion.apply(&hazard("e1", "now south"), after(3))), ["1 update"]);
    assert_eq!(lines(&fusion.apply(&hazard("e2", ""), after(4))), ["2 raise"]);
    let officer = person("aigerim", Role::DutyOfficer);
    fusion.act(AlertId(1), &Action::Claim, &officer, after(5)).unwrap().unwrap();
    fusion.act(AlertId(1), &close(CloseReason::Resolved), &officer, after(6)).unwrap().unwrap();
    assert_eq!(fusion.apply(&hazard("e1", "sent late"), after(7)), vec![]);
}

#[test]
fn every_hop_of_an_order_has_its_receipt_and_a_new_order_begins_anew() {
    let (officer, unit) = (person("aigerim", Role::DutyOfficer), patrol("patrol-2"));
    let hub = Actor::System("dispatch");
    let mut alert = drill_press();
    let act = |alert: &mut Alert, action: Action, actor: &Actor| {
        let done = life::step(alert, &action, actor, after(i64::from(alert.version)));
        done.map(|(next, _)| *alert = next).map_err(|refusal| refusal.code())
    };
    let order = |unit: &str| Action::Dispatch { unit: unit.parse().unwrap(), note: None };
    act(&mut alert, Action::Shown, &officer).unwrap();
    assert_eq!(act(&mut alert, Action::Shown, &officer), Err("already"));
    act(&mut alert, Action::Claim, &officer).unwrap();
    assert_eq!(act(&mut alert, Action::Sent, &hub), Err("not_allowed_in_state"));
    act(&mut alert, order("patrol-2"), &officer).unwrap();
    assert_eq!(act(&mut alert, Action::Sent, &officer), Err("forbidden"));
    act(&mut alert, Action::Sent, &hub).unwrap();
    assert_eq!(act(&mut alert, Action::Seen, &officer), Err("forbidden"), "a desk cannot see for the unit");
    act(&mut alert, Action::Seen, &unit).unwrap();
    assert!(alert.progress.delivered_at.is_some(), "who has seen it has it");
    act(&mut alert, Action::Accept, &unit).unwrap();
    assert!(alert.progress.accepted_at.is_some());
    act(&mut alert, Action::Decline { reason: "flat tyre".into() }, &unit).unwrap();
    act(&mut alert, order("patrol-5"), &officer).unwrap();
    let progress = &alert.progress;
    assert_eq!((progress.sent_at, progress.delivered_at, progress.seen_at, progress.accepted_at), (None, None, None, None));
    assert!(progress.shown_at.is_some() && progress.claimed_at.is_some());
}

#[test]
fn a_receiving_systems_newest_word_stands_and_its_number_is_not_forgotten() {
    let word = |status: &str, number: Option<&str>, at| {
        Action::External(External { connector: "102".into(), status: status.into(), number: number.map(str::to_owned), at: after(at) })
    };
    let (alert, _) = life::step(&drill_press(), &word("received", Some("A-77"), 1), &Actor::System("connector"), after(1)).unwrap();
    let (alert, record) = life::step(&alert, &word("closed", None, 2), &Actor::System("connector"), after(2)).unwrap();
    let external = &alert.progress.external;
    assert_eq!((external.len(), external[0].status.as_str(), external[0].number.as_deref()), (1, "closed", Some("A-77")));
    assert_eq!(record.reason.as_deref(), Some("102: closed"));
    assert!(life::step(&alert, &word("x", None, 3), &person("aigerim", Role::DutyOfficer), after(3)).is_err());
}
