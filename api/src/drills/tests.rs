//! What counts for a drill and how it ends, without a hub.

use qorgan_domain::{
    Alarm, AlarmKind, AlertId, Trilingual,
    alert::{AlertState, Level, Progress},
};

use super::*;

fn drill() -> Drill {
    Drill {
        id: 7,
        site: "school-17".parse().unwrap(),
        scheduled_at: UtcMs(1_000_000),
        until_at: UtcMs(1_600_000),
        created_by: "school".into(),
        started_at: Some(UtcMs(1_000_000)),
        ended_at: None,
        alert: None,
        result: None,
        presses: Vec::new(),
        note: None,
    }
}

fn press(id: i64, test: bool) -> Alert {
    let alarm = Alarm { test, ..Alarm::new("school-17/gate".parse().unwrap(), AlarmKind::Panic, 1, UtcMs(1_010_000)) };
    let evidence = AlarmEvidence { drill: Some(7), ..AlarmEvidence::of(&alarm) };
    Alert {
        id: AlertId(id),
        cause: Cause::Alarm(evidence),
        level: if test { Level::Notice } else { Level::Critical },
        state: AlertState::Raised,
        site: Some("school-17".parse().unwrap()),
        device: Some("school-17/gate".parse().unwrap()),
        position: None,
        raised_at: UtcMs(1_010_000),
        updated_at: UtcMs(1_010_004),
        closed_at: None,
        claimed_by: None,
        unit: None,
        close_reason: None,
        stored: true,
        subsided_at: None,
        progress: Progress::default(),
        version: 1,
    }
}

fn complete(mut alert: Alert) -> Alert {
    alert.progress.shown_at = Some(UtcMs(1_010_200));
    alert.progress.claimed_at = Some(UtcMs(1_020_000));
    alert.progress.accepted_at = Some(UtcMs(1_050_000));
    alert.version = 5;
    alert.updated_at = UtcMs(1_050_000);
    alert
}

#[test]
fn a_test_press_passes_when_all_five_steps_are_within_the_window() {
    let mut drill = drill();
    assert_eq!(judge(&drill, drill.until_at), DrillResult::Missed);
    assert!(note(&mut drill, &press(1, true)));
    assert!(!note(&mut drill, &press(1, true)), "the same again is no news");
    assert_eq!((judge(&drill, drill.until_at), drill.alert), (DrillResult::Failed, Some(AlertId(1))));
    assert!(note(&mut drill, &complete(press(1, true))));
    let steps = drill.presses[0].steps;
    assert_eq!((steps.pressed_at, steps.stored_at), (Some(UtcMs(1_010_000)), Some(UtcMs(1_010_004))), "the first version tells when");
    assert_eq!(judge(&drill, UtcMs(1_049_999)), DrillResult::Failed);
    assert_eq!(judge(&drill, UtcMs(1_050_000)), DrillResult::Passed);
    drill.until_at = UtcMs(1_040_000);
    assert_eq!(judge(&drill, UtcMs(2_000_000)), DrillResult::Failed, "accepted after the window");
}

#[test]
fn a_press_without_the_test_flag_counts_only_by_the_desks_verdict() {
    let mut drill = drill();
    note(&mut drill, &complete(press(1, false)));
    assert_eq!((judge(&drill, drill.until_at), drill.alert), (DrillResult::Failed, None));
    let mut closed = complete(press(1, false));
    (closed.state, closed.close_reason) = (AlertState::Closed, Some(CloseReason::FalseAlarm));
    note(&mut drill, &closed);
    assert_eq!(judge(&drill, drill.until_at), DrillResult::Failed);
    closed.close_reason = Some(CloseReason::Drill);
    assert!(note(&mut drill, &closed));
    assert_eq!((judge(&drill, drill.until_at), drill.alert), (DrillResult::Passed, Some(AlertId(1))));
}

#[test]
fn a_test_that_turned_out_real_counts_no_more_and_other_alerts_never_do() {
    let mut drill = drill();
    note(&mut drill, &complete(press(1, true)));
    note(&mut drill, &complete(press(1, false)));
    assert_eq!(judge(&drill, drill.until_at), DrillResult::Failed);
    let mut other = press(2, true);
    if let Cause::Alarm(evidence) = &mut other.cause {
        evidence.drill = Some(8);
    }
    assert!(!note(&mut drill, &other));
}

#[test]
fn a_press_that_could_not_be_stored_at_first_has_its_step_when_it_was() {
    let mut drill = drill();
    let mut alert = press(1, true);
    alert.stored = false;
    note(&mut drill, &alert);
    assert_eq!(drill.presses[0].steps.stored_at, None);
    (alert.stored, alert.version, alert.updated_at) = (true, 2, UtcMs(1_030_000));
    note(&mut drill, &alert);
    assert_eq!(drill.presses[0].steps.stored_at, Some(UtcMs(1_030_000)));
}

#[test]
fn the_press_that_came_farthest_stands_for_the_drill() {
    let mut drill = drill();
    note(&mut drill, &press(1, true));
    note(&mut drill, &complete(press(2, true)));
    note(&mut drill, &press(3, true));
    assert_eq!(best(&drill).map(|p| p.alert), Some(AlertId(2)));
}

#[test]
fn only_running_drills_are_windows() {
    let planned = Drill { id: 1, scheduled_at: UtcMs(5_000_000), until_at: UtcMs(6_000_000), started_at: None, ..drill() };
    let over = Drill { id: 2, until_at: UtcMs(1_100_000), ..drill() };
    let cancelled = Drill { id: 3, result: Some(DrillResult::Cancelled), ..drill() };
    let all = [planned.clone(), over, cancelled, drill()];
    let ids: Vec<i64> = windows(&all, UtcMs(1_200_000)).iter().map(|w| w.drill).collect();
    assert_eq!(ids, [7]);
    assert_eq!(
        (state(&planned, UtcMs(1)), state(&drill(), UtcMs(1_200_000)), state(&all[2], UtcMs(1))),
        ("planned", "running", "cancelled")
    );
}

#[test]
fn a_connected_institution_is_overdue_when_its_last_passed_drill_is_too_old_or_missing() {
    let institution = |id: &str, status| Institution {
        id: id.parse().unwrap(),
        name: Trilingual { kk: "а".into(), ru: "б".into(), en: "c".into() },
        kind: qorgan_alerts::store::InstitutionKind::School,
        area: "311000000".parse().unwrap(),
        position: None,
        address: None,
        status,
        cause: None,
        owner: None,
        deadline: None,
        provider: None,
        updated_at: UtcMs(0),
        updated_by: "x".into(),
    };
    let all = [
        institution("never", Connection::Connected),
        institution("old", Connection::Connected),
        institution("fresh", Connection::Connected),
        institution("work", Connection::InWork),
    ];
    let now = UtcMs(100 * DAY_MS);
    let passed = [("old".parse().unwrap(), UtcMs(69 * DAY_MS)), ("fresh".parse().unwrap(), UtcMs(71 * DAY_MS))].into();
    let due = overdue(all.iter(), &passed, 30, now);
    let named: Vec<_> = due.iter().map(|d| (d.institution.id.as_str(), d.due_at)).collect();
    assert_eq!(named, [("never", UtcMs(0)), ("old", UtcMs(99 * DAY_MS))]);
}
