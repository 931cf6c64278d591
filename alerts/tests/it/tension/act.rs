//! A weight for the block that has none by rule.

use qorgan_alerts::tension::{Act, ActRefusal, ActState, act::in_force};
use qorgan_domain::{Block, UtcMs};

use super::make::name;

const DAY: i64 = 86_400_000;

fn now() -> UtcMs {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn later(days: i64) -> UtcMs {
    UtcMs(now().0 + days * DAY)
}

fn block(zero_by_rule: bool) -> Block {
    Block { id: "protest".parse().unwrap(), name: name("p"), weight: 0.0, zero_by_rule }
}

fn proposal() -> Act {
    Act {
        id: 1,
        block: "protest".parse().unwrap(),
        weight: 0.5,
        basis: "Decision of the public council of 1 October".into(),
        basis_url: "https://council.example/decisions/17".into(),
        published_on: "2026-10-01".parse().unwrap(),
        proposed_at: now(),
        proposed_by: "aigerim".into(),
        decided_at: None,
        decided_by: None,
        approved: None,
        expires_on: "2027-11-22".parse().unwrap(),
        revoked_at: None,
        revoked_by: None,
    }
}

#[test]
fn a_proposal_needs_a_published_basis_and_ends_within_twelve_months() {
    assert_eq!(proposal().check(Some(&block(true))), Ok(()));
    assert_eq!(proposal().check(Some(&block(false))), Err(ActRefusal::NotByRule));
    assert_eq!(proposal().check(None), Err(ActRefusal::NotByRule));
    for weight in [0.0, -0.5, 1.01, f64::NAN, 1e308] {
        assert_eq!(Act { weight, ..proposal() }.check(Some(&block(true))), Err(ActRefusal::Weight), "{weight}");
    }
    let basis = |basis: &str, url: &str, day: &str| {
        let act = Act { basis: basis.into(), basis_url: url.into(), published_on: day.parse().unwrap(), ..proposal() };
        act.check(Some(&block(true)))
    };
    let (title, url) = ("Decision of the public council", "https://council.example/17");
    assert_eq!(basis(title, url, "2026-11-22"), Ok(()));
    for (t, u, day) in [
        ("short", url, "2026-10-01"),
        (title, "http://council.example/17", "2026-10-01"),
        (title, "https://", "2026-10-01"),
        (title, "https://a b.c/", "2026-10-01"),
        (title, url, "2026-11-23"),
    ] {
        assert_eq!(basis(t, u, day), Err(ActRefusal::Basis), "{t} {u} {day}");
    }
    for day in ["2026-11-22", "2020-01-01", "2027-11-23"] {
        assert_eq!(Act { expires_on: day.parse().unwrap(), ..proposal() }.check(Some(&block(true))), Err(ActRefusal::Term), "{day}");
    }
}

#[test]
fn two_people_decide_and_it_ends_by_itself() {
    let mut act = proposal();
    assert_eq!((act.state(now()), in_force(std::slice::from_ref(&act), now())), (ActState::Proposed, None));
    assert_eq!(act.decide("aigerim", true, &[], later(1)), Err(ActRefusal::SamePerson));
    assert_eq!(act.decide("bolat", true, &[], later(1)), Ok(()));
    assert_eq!(act.decide("dana", false, &[], later(2)), Err(ActRefusal::Decided));
    assert_eq!((act.state(later(364)), act.state(later(366))), (ActState::InForce, ActState::Expired));
    assert!(in_force(std::slice::from_ref(&act), later(365)).is_some() && in_force(std::slice::from_ref(&act), later(366)).is_none());

    let mut second = Act { id: 2, ..proposal() };
    assert_eq!(second.decide("bolat", true, std::slice::from_ref(&act), later(2)), Err(ActRefusal::InForce));
    assert_eq!(act.revoke("aigerim", later(3)), Ok(()));
    assert_eq!((act.state(later(3)), act.revoke("aigerim", later(4))), (ActState::Revoked, Err(ActRefusal::Decided)));
    assert_eq!(second.decide("bolat", true, &[act], later(4)), Ok(()));

    let mut refused = proposal();
    refused.decide("bolat", false, &[], later(1)).unwrap();
    assert_eq!((refused.state(later(1)), refused.decide("dana", true, &[], later(2))), (ActState::Refused, Err(ActRefusal::Decided)));
    let mut late = proposal();
    assert_eq!(
        late.decide("bolat", true, &[], later(400)),
        Err(ActRefusal::Decided),
        "a proposal whose term is over cannot come into force"
    );
}
