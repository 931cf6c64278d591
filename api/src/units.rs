//! Where units are right now, which of them are near an alert, and which order stands for one.
//!
//! Positions live in memory only: none is ever written down, and a restart forgets them all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use qorgan_domain::{
    AlertId, AreaCode, GeoPoint, UnitId, UtcMs,
    alert::{Alert, AlertState},
};

use crate::{
    config::{Config, Unit},
    view::UnitLiveView,
};

/// A position older than this says nothing about where the unit is; the unit is not offered.
pub const FRESH_MS: i64 = 5 * 60_000;

/// Where a unit was, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Where.
    pub position: GeoPoint,
    /// When, by the unit's clock (at most 30 s ahead of the hub's).
    pub at: UtcMs,
}

impl Fix {
    /// How old it is; a clock a little ahead makes it new, not negative.
    pub fn age_ms(self, now: UtcMs) -> i64 {
        now.ms_since(self.at).max(0)
    }
    /// Whether the unit may still be there.
    pub fn is_fresh(self, now: UtcMs) -> bool {
        self.age_ms(now) <= FRESH_MS
    }
}

/// Screens hear of one unit at most this often, however fast it speaks.
const SHOW_EVERY_MS: i64 = 500;

/// What became of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It is the newest.
    Taken {
        /// Whether the screens are to hear of it.
        show: bool,
    },
    /// A newer one is known; this one came late.
    Late,
    /// There is no such unit.
    Unknown,
}

/// Latest position of every configured unit.
#[derive(Debug)]
pub struct LiveUnits(Mutex<BTreeMap<UnitId, Live>>);

#[derive(Debug, Default)]
struct Live {
    fix: Option<Fix>,
    shown_at: Option<UtcMs>,
}

impl LiveUnits {
    /// The units of a configuration, none of them located.
    pub fn new(config: &Config) -> Self {
        Self::of(config.units.iter().map(|unit| unit.id.clone()))
    }

    fn of(units: impl Iterator<Item = UnitId>) -> Self {
        Self(Mutex::new(units.map(|unit| (unit, Live::default())).collect()))
    }

    /// Takes a position that was judged at the door. One that is older than the known one changes nothing.
    pub fn moved(&self, unit: &UnitId, fix: Fix, now: UtcMs) -> Moved {
        match self.lock().get_mut(unit) {
            None => Moved::Unknown,
            Some(live) if live.fix.is_some_and(|known| known.at > fix.at) => Moved::Late,
            Some(live) => {
                live.fix = Some(fix);
                let show = live.shown_at.is_none_or(|shown| now.ms_since(shown).abs() >= SHOW_EVERY_MS);
                if show {
                    live.shown_at = Some(now);
                }
                Moved::Taken { show }
            }
        }
    }

    /// The latest position of a unit.
    pub fn fix(&self, unit: &UnitId) -> Option<Fix> {
        self.lock().get(unit).and_then(|live| live.fix)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<UnitId, Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the alert is an order for the unit it names: sent and neither done nor closed.
pub fn stands(alert: &Alert) -> bool {
    let sent = matches!(alert.state, AlertState::Dispatched | AlertState::Accepted | AlertState::EnRoute | AlertState::OnScene);
    alert.unit.is_some() && sent && alert.progress.done_at.is_none()
}

/// The order that stands for a unit: of several the one that was ordered last.
pub fn standing_order<'a>(open: &'a [Arc<Alert>], unit: &UnitId) -> Option<&'a Alert> {
    let ours = open.iter().map(|alert| &**alert).filter(|alert| alert.unit.as_ref() == Some(unit) && stands(alert));
    // What has not left the hub yet is newer than what has.
    ours.max_by_key(|alert| (alert.progress.sent_at.unwrap_or(UtcMs(i64::MAX)), alert.id))
}

/// A unit as a desk sees it.
pub fn live_view(unit: &Unit, fix: Option<Fix>, open: &[Arc<Alert>], now: UtcMs) -> UnitLiveView {
    UnitLiveView {
        id: unit.id.to_string(),
        name: (&unit.name).into(),
        kind: unit.kind,
        position: fix.map(|fix| fix.position.into()),
        at: fix.map(|fix| fix.at.to_string()),
        age_s: fix.map(|fix| fix.age_ms(now) as f64 / 1000.0),
        fresh: fix.is_some_and(|fix| fix.is_fresh(now)),
        busy_with: standing_order(open, &unit.id).map(|alert| alert.id.0),
    }
}

/// A unit that could go.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Which.
    pub unit: UnitId,
    /// Where it was last.
    pub fix: Option<Fix>,
    /// What it is busy with.
    pub busy_with: Option<AlertId>,
    /// Whether the place lies in its territory. Marks a unit; moves none.
    pub responsible: bool,
}

/// A unit that is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    /// Which.
    pub unit: UnitId,
    /// Straight line from its last position, in metres; none when the alert has no place.
    pub distance_m: Option<f64>,
    /// Age of that position, in milliseconds.
    pub age_ms: i64,
    /// See [`Candidate::responsible`].
    pub responsible: bool,
}

/// Why a unit is not offered. It can be ordered by hand all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    /// It has an order.
    Busy,
    /// It has never said where it is.
    NoPosition,
    /// Its position is older than [`FRESH_MS`].
    OldPosition,
}

impl WhyNot {
    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            WhyNot::Busy => "busy",
            WhyNot::NoPosition => "no_position",
            WhyNot::OldPosition => "old_position",
        }
    }
}

/// A unit that is not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    /// Which.
    pub unit: UnitId,
    /// Why.
    pub why: WhyNot,
    /// Age of its position, if it has one, in milliseconds.
    pub age_ms: Option<i64>,
    /// See [`Candidate::responsible`].
    pub responsible: bool,
}

/// Which units are offered for a place, nearest first by the straight line (haversine: no roads, no rivers), and which
/// are not, with the reason.
pub fn offer(candidates: Vec<Candidate>, place: Option<GeoPoint>, now: UtcMs) -> (Vec<Offered>, Vec<NotOffered>) {
    let (mut offered, mut not_offered) = (Vec::new(), Vec::new());
    for Candidate { unit, fix, busy_with, responsible } in candidates {
        let age_ms = fix.map(|fix| fix.age_ms(now));
        let why = match fix {
            _ if busy_with.is_some() => WhyNot::Busy,
            None => WhyNot::NoPosition,
            Some(fix) if !fix.is_fresh(now) => WhyNot::OldPosition,
            Some(fix) => {
                let distance_m = place.map(|place| fix.position.distance_m(place));
                offered.push(Offered { unit, distance_m, age_ms: fix.age_ms(now), responsible });
                continue;
            }
        };
        not_offered.push(NotOffered { unit, why, age_ms, responsible });
    }
    // Without a place the newest position comes first.
    offered.sort_by(|a, b| {
        let near = |o: &Offered| o.distance_m.unwrap_or(0.0);
        near(a).total_cmp(&near(b)).then(a.age_ms.cmp(&b.age_ms)).then_with(|| a.unit.cmp(&b.unit))
    });
    not_offered.sort_by(|a, b| a.unit.cmp(&b.unit));
    (offered, not_offered)
}

/// The units of the hub as candidates for a place in an area.
pub fn candidates(config: &Config, live: &LiveUnits, open: &[Arc<Alert>], area: Option<&AreaCode>) -> Vec<Candidate> {
    let candidate = |unit: &Unit| Candidate {
        unit: unit.id.clone(),
        fix: live.fix(&unit.id),
        busy_with: standing_order(open, &unit.id).map(|alert| alert.id),
        responsible: area.is_some_and(|area| unit.territory.contains(area)),
    };
    config.units.iter().map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMs = UtcMs(1_000_000_000);

    fn fix(lat: f64, age_ms: i64) -> Option<Fix> {
        Some(Fix { position: GeoPoint::new(lat, 71.37).unwrap(), at: UtcMs(NOW.0 - age_ms) })
    }
    fn unit(name: &str, fix: Option<Fix>) -> Candidate {
        Candidate { unit: name.parse().unwrap(), fix, busy_with: None, responsible: false }
    }
    fn place() -> Option<GeoPoint> {
        Some(GeoPoint::new(42.90, 71.37).unwrap())
    }
    fn names(offered: &[Offered]) -> Vec<&str> {
        offered.iter().map(|o| o.unit.as_str()).collect()
    }

    #[test]
    fn the_nearest_comes_first_and_the_responsible_one_is_marked_not_moved() {
        let mut far = unit("far", fix(42.95, 0));
        far.responsible = true;
        let (offered, not_offered) = offer(vec![far, unit("near", fix(42.91, 200_000)), unit("nearest", fix(42.899, 0))], place(), NOW);
        assert_eq!(names(&offered), ["nearest", "near", "far"]);
        assert_eq!(offered.iter().map(|o| o.responsible).collect::<Vec<_>>(), [false, false, true]);
        let metres = offered[1].distance_m.unwrap();
        assert!((metres - 1_112.0).abs() < 2.0, "a hundredth of a degree of latitude is 1,112 m: {metres}");
        assert_eq!((offered[1].age_ms, not_offered.len()), (200_000, 0));
    }

    #[test]
    fn a_position_is_offered_for_five_minutes_and_not_a_millisecond_longer() {
        let (offered, not_offered) = offer(vec![unit("a", fix(42.9, FRESH_MS)), unit("b", fix(42.9, FRESH_MS + 1))], place(), NOW);
        assert_eq!(names(&offered), ["a"]);
        assert_eq!((not_offered[0].why, not_offered[0].age_ms), (WhyNot::OldPosition, Some(FRESH_MS + 1)));
    }

    #[test]
    fn who_is_busy_or_was_never_located_is_named_with_the_reason() {
        let mut busy = unit("busy", fix(42.9, 0));
        busy.busy_with = Some(AlertId(7));
        let (offered, not_offered) = offer(vec![unit("silent", None), busy], place(), NOW);
        assert!(offered.is_empty());
        let why: Vec<(&str, &str)> = not_offered.iter().map(|n| (n.unit.as_str(), n.why.as_str())).collect();
        assert_eq!(why, [("busy", "busy"), ("silent", "no_position")]);
    }

    #[test]
    fn an_alert_without_a_place_offers_units_without_a_distance_the_freshest_first() {
        let (offered, _) = offer(vec![unit("b", fix(42.9, 90_000)), unit("a", fix(42.9, 1_000))], None, NOW);
        assert_eq!(names(&offered), ["a", "b"]);
        assert!(offered.iter().all(|o| o.distance_m.is_none()));
    }

    #[test]
    fn a_clock_a_little_ahead_makes_a_position_new() {
        let (offered, _) = offer(vec![unit("a", fix(42.9, -20_000))], place(), NOW);
        assert_eq!(offered[0].age_ms, 0);
    }

    #[test]
    fn a_late_position_changes_nothing_and_an_unknown_unit_has_none() {
        let live = LiveUnits::of(["a".parse().unwrap()].into_iter());
        let a: UnitId = "a".parse().unwrap();
        let (new, old) = (fix(42.90, 0).unwrap(), fix(42.95, 10_000).unwrap());
        assert_eq!((live.moved(&a, new, NOW), live.moved(&a, old, NOW)), (Moved::Taken { show: true }, Moved::Late));
        assert_eq!(live.fix(&a), Some(new));
        assert_eq!(live.moved(&"b".parse().unwrap(), new, NOW), Moved::Unknown);
        assert_eq!(live.fix(&"b".parse().unwrap()), None);
    }

    #[test]
    fn a_unit_that_speaks_all_the_time_does_not_fill_the_screens() {
        let live = LiveUnits::of(["a".parse().unwrap()].into_iter());
        let a: UnitId = "a".parse().unwrap();
        let shown = (0..100).filter(|i| {
            let now = UtcMs(NOW.0 + i * 10);
            let fix = Fix { at: now, ..fix(42.9, 0).unwrap() };
            live.moved(&a, fix, now) == Moved::Taken { show: true }
        });
        assert_eq!(shown.count(), 2, "once in half a second");
        assert_eq!(live.fix(&a).unwrap().at, UtcMs(NOW.0 + 990), "the newest is known all the same");
    }
}
