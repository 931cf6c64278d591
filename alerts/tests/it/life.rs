//! The life cycle: the whole table, and what holds for any sequence of actions.

use std::fmt::Write as _;

use proptest::prelude::*;
use qorgan_alerts::life::{self, Refusal, Viewer};
use qorgan_domain::{
    Role,
    alert::{Action, Actor, Alert, AlertState, Cause, CloseReason, Level, Record},
};

use crate::make::{START, after, alarm, close, crowd, drill_press, hazard, incident, patrol, person, trouble};

fn actions() -> Vec<Action> {
    let reason = || "because".to_owned();
    vec![
        Action::Claim,
        Action::Release { reason: reason() },
        Action::Dispatch { unit: "patrol-2".parse().unwrap(), note: None },
        Action::Decline { reason: reason() },
        Action::Accept,
        Action::EnRoute,
        Action::OnScene,
        Action::Done,
        close(CloseReason::Resolved),
        Action::Note { text: reason() },
        Action::Share { reason: reason() },
        Action::Real { reason: reason() },
    ]
}

fn actors() -> Vec<(String, Actor)> {
    let mut actors: Vec<(String, Actor)> =
        Role::ALL.into_iter().filter(|role| *role != Role::Patrol).map(|role| (role.to_string(), person("me", role))).collect();
    actors.push(("patrol that was sent".into(), patrol("patrol-2")));
    actors.push(("another patrol".into(), patrol("patrol-3")));
    actors.push(("system".into(), Actor::System("fusion")));
    actors
}

/// The alert in a state, held by nobody, by the actor ("me") or by another.
fn placed(alert: &Alert, state: AlertState, holder: Option<&str>) -> Alert {
    let sent = state >= AlertState::Dispatched;
    let unit = sent.then(|| "patrol-2".parse().unwrap());
    Alert { state, claimed_by: holder.map(|h| h.parse().unwrap()), unit, ..alert.clone() }
}

fn outcome(result: Result<(Alert, Record), Refusal>) -> String {
    match result {
        Ok((after, _)) => format!("-> {}", after.state),
        Err(refusal) => refusal.code().to_owned(),
    }
}

#[test]
fn every_state_action_and_role() {
    let kinds = [
        ("alarm", alarm(false)),
        ("test press", alarm(true)),
        ("crowd watch", crowd(Level::Watch)),
        ("crowd warning", crowd(Level::Warning)),
        ("incident", incident()),
        ("trouble", trouble()),
        ("hazard", hazard()),
        ("drill press", drill_press()),
    ];
    let mut table = String::new();
    for (kind, alert) in &kinds {
        for state in AlertState::ALL {
            let holders: &[Option<&str>] = match state {
                AlertState::Raised => &[None],
                AlertState::Claimed | AlertState::Closed => &[Some("me"), Some("other")],
                _ => &[None, Some("me"), Some("other")],
            };
            for holder in holders {
                let alert = placed(alert, state, *holder);
                writeln!(table, "{kind}, {state}, held by {}", holder.unwrap_or("nobody")).unwrap();
                for (name, actor) in actors() {
                    let outcomes: Vec<(&str, String)> =
                        actions().iter().map(|action| (action.name(), outcome(life::step(&alert, action, &actor, after(1))))).collect();
                    let same = outcomes.iter().all(|(_, o)| *o == outcomes[0].1);
                    let cells: Vec<String> = outcomes.iter().map(|(a, o)| format!("{a}: {o}")).collect();
                    writeln!(table, "  {name:22} {}", if same { format!("all: {}", outcomes[0].1) } else { cells.join(", ") }).unwrap();
                    // What a screen offers is what works.
                    let offered = life::allowed(&alert, &actor);
                    let works: Vec<&str> = outcomes.iter().filter(|(_, o)| o.starts_with("->")).map(|(a, _)| *a).collect();
                    assert_eq!(offered, works, "{kind} {state} {name}");
                }
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn who_sees_what() {
    let sent = |alert: &Alert| placed(alert, AlertState::Dispatched, None);
    let alerts = [
        ("alarm", alarm(false)),
        ("alarm sent to patrol-2", sent(&alarm(false))),
        ("crowd notice", crowd(Level::Notice)),
        ("crowd watch", crowd(Level::Watch)),
        ("crowd watch sent to patrol-2 (must not happen)", sent(&crowd(Level::Watch))),
        ("crowd warning", crowd(Level::Warning)),
        ("incident", incident()),
        ("trouble", trouble()),
        ("hazard", hazard()),
        ("drill press", drill_press()),
    ];
    let mut table = String::new();
    for (name, alert) in &alerts {
        let who: Vec<&str> = Role::ALL
            .into_iter()
            .filter(|role| {
                let viewer = Viewer { role: *role, site: Some("school-17".parse().unwrap()), unit: Some("patrol-2".parse().unwrap()) };
                life::visible(alert, &viewer)
            })
            .map(Role::as_str)
            .collect();
        writeln!(table, "{name}: {}", who.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
    let elsewhere = Viewer { role: Role::SchoolContact, site: Some("school-18".parse().unwrap()), unit: None };
    assert!(!life::visible(&alarm(false), &elsewhere));
    let nowhere = Viewer { role: Role::SchoolContact, site: None, unit: None };
    assert!(!life::visible(&Alert { site: None, ..alarm(false) }, &nowhere));
}

#[test]
fn reasons_are_asked_for_and_subsided_is_not_a_persons_word() {
    let held = placed(&alarm(false), AlertState::Claimed, Some("me"));
    let me = person("me", Role::DutyOfficer);
    for action in [
        Action::Close { verdict: CloseReason::Resolved, reason: " \t".into() },
        Action::Release { reason: String::new() },
        Action::Note { text: "\0 ".into() },
    ] {
        assert_eq!(life::step(&held, &action, &me, START).unwrap_err(), Refusal::ReasonRequired, "{action:?}");
    }
    assert_eq!(life::step(&held, &close(CloseReason::Subsided), &me, START).unwrap_err(), Refusal::NotAPersonsVerdict);
    let system = Actor::System("fusion");
    assert!(life::step(&crowd(Level::Watch), &close(CloseReason::Subsided), &system, START).is_ok());
    assert!(life::step(&alarm(false), &close(CloseReason::Subsided), &system, START).is_err());
    let held = placed(&crowd(Level::Watch), AlertState::Claimed, Some("me"));
    assert!(life::step(&held, &close(CloseReason::Subsided), &system, START).is_err());
}

#[test]
fn the_second_to_claim_learns_who_was_first() {
    let (first, _) = life::step(&alarm(false), &Action::Claim, &person("aigerim", Role::DutyOfficer), after(1)).unwrap();
    for role in [Role::PoliceDesk, Role::ShiftLead] {
        let refusal = life::step(&first, &Action::Claim, &person("other", role), after(2)).unwrap_err();
        assert_eq!(refusal, Refusal::AlreadyClaimed { by: "aigerim".parse().unwrap() });
    }
}

#[test]
fn a_shift_ends_while_a_patrol_is_on_its_way() {
    let on_the_way = placed(&alarm(false), AlertState::EnRoute, Some("aigerim"));
    let lead = person("lead", Role::ShiftLead);
    let (released, record) = life::step(&on_the_way, &Action::Release { reason: "end of shift".into() }, &lead, after(1)).unwrap();
    assert_eq!((released.state, released.claimed_by.clone(), released.unit.is_some()), (AlertState::EnRoute, None, true));
    assert_eq!((record.reason.as_deref(), record.who.as_str()), (Some("end of shift"), "lead"));
    let (taken, _) = life::step(&released, &Action::Claim, &person("bolat", Role::DutyOfficer), after(2)).unwrap();
    assert_eq!((taken.state, taken.claimed_by.unwrap().as_str()), (AlertState::EnRoute, "bolat"));
}

fn any_actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(person("aigerim", Role::DutyOfficer)),
        Just(person("bolat", Role::DutyOfficer)),
        Just(person("lead", Role::ShiftLead)),
        Just(person("police", Role::PoliceDesk)),
        Just(patrol("patrol-2")),
        Just(patrol("patrol-3")),
        Just(person("admin", Role::Administrator)),
        Just(Actor::System("fusion")),
    ]
}

fn any_action() -> impl Strategy<Value = Action> {
    let words = || prop_oneof![Just(String::new()), Just("because".to_owned())];
    prop_oneof![
        Just(Action::Claim),
        words().prop_map(|reason| Action::Release { reason }),
        prop_oneof![Just("patrol-2"), Just("patrol-3")].prop_map(|u| Action::Dispatch { unit: u.parse().unwrap(), note: None }),
        words().prop_map(|reason| Action::Decline { reason }),
        Just(Action::Accept),
        Just(Action::EnRoute),
        Just(Action::OnScene),
        Just(Action::Done),
        Just(Action::Shown),
        Just(Action::Sent),
        Just(Action::Delivered),
        Just(Action::Seen),
        words().prop_map(|reason| Action::Share { reason }),
        words().prop_map(|reason| Action::Real { reason }),
        (prop_oneof![Just(CloseReason::Resolved), Just(CloseReason::Subsided)], words())
            .prop_map(|(verdict, reason)| Action::Close { verdict, reason }),
        words().prop_map(|text| Action::Note { text }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Version grows by one, closed is final, an alert that moves on is held or sent, and the written lines
    /// alone tell the same story.
    #[test]
    fn any_sequence_of_actions(
        start in prop_oneof![
            Just(alarm(false)),
            Just(drill_press()),
            Just(crowd(Level::Watch)),
            Just(incident()),
            Just(hazard()),
            Just(trouble())
        ],
        steps in proptest::collection::vec((any_action(), any_actor()), 0..60),
    ) {
        let mut alert = start.clone();
        let mut told = (AlertState::Raised, None, None);
        for (n, (action, actor)) in steps.into_iter().enumerate() {
            let was_closed = !alert.is_open();
            let now = after(i64::try_from(n).unwrap());
            match life::step(&alert, &action, &actor, now) {
                Err(_) => {}
                Ok((next, record)) => {
                    prop_assert!(!was_closed, "closed is final");
                    prop_assert_eq!(next.version, alert.version + 1);
                    prop_assert_eq!((record.from, record.to, record.at), (Some(alert.state), next.state, now));
                    prop_assert_eq!((record.who.clone(), record.role.as_str()), (actor.who(), actor.role_name()));
                    match record.action.as_str() {
                        "claim" => told.1 = Some(record.who),
                        "release" => told.1 = None,
                        "dispatch" => told.2 = record.unit,
                        "decline" => told.2 = None,
                        _ => {}
                    }
                    told.0 = record.to;
                    alert = next;
                }
            }
            let progress = &alert.progress;
            prop_assert!(progress.shared || !matches!(alert.cause, Cause::Crowd(_)) || !life::may_leave(&alert), "a crowd leaves by a named act");
            prop_assert!(progress.claimed_at.is_some() || alert.claimed_by.is_none());
            prop_assert!(alert.unit.is_some() || (progress.sent_at, progress.delivered_at, progress.seen_at) == (None, None, None));
            prop_assert_eq!(&told, &(alert.state, alert.claimed_by.as_ref().map(ToString::to_string), alert.unit.clone()));
            prop_assert_eq!(alert.state >= AlertState::Dispatched && alert.is_open(), alert.unit.is_some() && alert.is_open());
            prop_assert_eq!(alert.is_open(), alert.closed_at.is_none() && alert.close_reason.is_none());
            if !life::dispatchable(&alert) {
                prop_assert!(alert.unit.is_none(), "a watch never goes to a unit");
            }
            if alert.state == AlertState::Raised {
                prop_assert!(alert.claimed_by.is_none());
            }
        }
    }
}
