//! From counts to crowd alerts: one gathering, one alert, however many cameras see it.
//!
//! A camera whose count would open an alert joins the open one of a neighbour: at most `merge_m` away (an institution: the same site
//! only) and told of within `merge_ms`. The first camera leads; the others are named in the alert's evidence with their counts, and may
//! raise its level. It ends when all of them are quiet.
//!
//! What no camera sees alone, several may see together: every minute neighbours that are all somewhat above what is usual are looked
//! at with the Poisson scan statistic (Kulldorff, Commun. Stat. Theory Methods 26, 1997), `c ln(c / e) - (c - e)` for `c` people where `e`
//! are expected, divided by the dispersion of their errors, because people come in groups.

use std::collections::{BTreeMap, HashMap};

use qorgan_domain::{
    AlertId, Count, DeviceRef, GeoPoint, UtcMs,
    alert::{Action, Actor, Alert, AlertState, Cause, CloseReason, CrowdEvidence, Level, Neighbour},
    crowd::ScanSeen,
};

use super::{
    Formula, Fusion, Transition,
    crowd::{Seen, Watch},
    odd::Odd,
    week::Week,
};
use crate::{
    life,
    requests::place::{cell_of, within},
    usual::Usual,
};

/// A camera that is placed anew farther away than this sees another place, in metres.
const MOVED_M: f64 = 20.0;
/// Part of the score that opens an alert from which a camera counts among neighbours.
const SOMEWHAT: f32 = 0.7;
/// Most cameras of one gathering.
const MAX_NEIGHBOURS: usize = 32;

/// A camera somewhat above what is usual.
struct Above {
    camera: DeviceRef,
    at: GeoPoint,
    public_space: bool,
    people: f32,
    expected: f32,
    dispersion: f32,
}

impl Fusion {
    pub(super) fn count(&mut self, count: &Count, now: UtcMs) -> Option<Transition> {
        let Some(rule) = self.rules.cameras.get(&count.camera) else {
            self.odd.note(Odd::NoCamera);
            return None;
        };
        let watch = self.cameras.entry(count.camera.clone()).or_default();
        let seen = watch.see(count, rule, &self.rules, now, &mut self.odd)?;
        let Some(id) = watch.alert.filter(|id| self.open.contains_key(id)) else {
            let level = watch.wants_to_open(&seen)?;
            // It comes back by itself; what endangers people is never put aside.
            if level < Level::Warning && self.shelved.get(&count.camera).is_some_and(|until| now < *until) {
                return None;
            }
            if let Some(id) = self.neighbour_of(&count.camera, rule.public_space, now) {
                return self.join(id, count, &seen, now);
            }
            let watch = self.cameras.get_mut(&count.camera)?;
            let evidence = watch.open(&seen, AlertId(self.next_id), now);
            let alert = self.blank(Cause::Crowd(evidence), level, Some(&count.camera), now);
            let record = life::raise(&alert, &Actor::System("fusion"), None);
            return Some(self.put(alert, Some(record)));
        };
        let alert = self.copy(id)?;
        if alert.device.as_ref() == Some(&count.camera) {
            self.lead(alert, count, &seen, now)
        } else {
            self.neighbour(alert, count, &seen, now)
        }
    }

    /// A count of the camera whose alert it is.
    fn lead(&mut self, mut alert: Alert, count: &Count, seen: &Seen, now: UtcMs) -> Option<Transition> {
        let crowd = &self.rules.crowd;
        let watch = self.cameras.get_mut(&count.camera)?;
        let Cause::Crowd(shown) = &mut alert.cause else { return None };
        let mut fresh = watch.evidence(seen, shown);
        if seen.quiet && alert.subsided_at.is_none() && shown.neighbours.is_empty() {
            let why = format!("below {:.0} % of the bound for {} s", crowd.close_below * 100.0, crowd.close_after_ms / 1000);
            *shown = fresh;
            return Some(self.subside(alert, why, now));
        }
        let level = seen.level.map_or(alert.level, |level| level.max(alert.level));
        if level > alert.level {
            fresh.assessed = Some(Box::new(seen.assessed()));
        }
        let back = alert.subsided_at.is_some() && seen.level.is_some();
        let step = level != alert.level || back;
        if !step && !watch.worth_telling(shown, &fresh, crowd, now) {
            return None;
        }
        watch.told_at = Some(now);
        *shown = fresh;
        alert.level = level;
        Some(self.told(alert, step, back, now))
    }

    /// A count of a neighbour in somebody else's alert.
    fn neighbour(&mut self, mut alert: Alert, count: &Count, seen: &Seen, now: UtcMs) -> Option<Transition> {
        let every_ms = self.rules.crowd.update_every_ms;
        let watch = self.cameras.get_mut(&count.camera)?;
        let Cause::Crowd(shown) = &mut alert.cause else { return None };
        let at = shown.neighbours.iter().position(|neighbour| neighbour.camera == count.camera);
        if seen.quiet {
            watch.alert = None;
            shown.neighbours.remove(at?);
            return Some(self.told(alert, false, false, now));
        }
        let fresh = as_neighbour(count, seen);
        let known = shown.neighbours.get_mut(at?)?;
        let moved = (known.people - fresh.people).abs() >= (known.people * 0.1).max(1.0);
        let due = watch.told_at.is_none_or(|told| !(0..every_ms).contains(&now.ms_since(told)));
        *known = fresh;
        let back = alert.subsided_at.is_some() && seen.level.is_some();
        let rises = seen.level.is_some_and(|level| level > alert.level);
        if !(back || rises || moved && due) {
            return None;
        }
        watch.told_at = Some(now);
        if rises {
            alert.level = seen.level.unwrap_or(alert.level);
            take_reasons(shown, seen);
        }
        Some(self.told(alert, rises || back, back, now))
    }

    /// A camera that would open an alert sees what a neighbour's alert is about.
    fn join(&mut self, id: AlertId, count: &Count, seen: &Seen, now: UtcMs) -> Option<Transition> {
        let mut alert = self.copy(id)?;
        self.cameras.get_mut(&count.camera)?.join(id, now);
        let Cause::Crowd(shown) = &mut alert.cause else { return None };
        shown.neighbours.push(as_neighbour(count, seen));
        if seen.level.is_some_and(|level| level > alert.level) {
            alert.level = seen.level.unwrap_or(alert.level);
            take_reasons(shown, seen);
        }
        alert.subsided_at = None;
        let record = life::remark(&mut alert, "update", "fusion", Some(format!("{} sees it too", count.camera)), now);
        Some(self.put(alert, Some(record)))
    }

    fn told(&mut self, mut alert: Alert, step: bool, back: bool, now: UtcMs) -> Transition {
        if step {
            let why = if back { "the evidence is back".to_owned() } else { format!("level is now {}", alert.level.as_str()) };
            alert.subsided_at = None;
            let record = life::remark(&mut alert, "update", "fusion", Some(why), now);
            return self.put(alert, Some(record));
        }
        alert.version += 1;
        alert.updated_at = now;
        self.put(alert, None)
    }

    /// The open crowd alert of a neighbour that was told of lately, the nearest first.
    fn neighbour_of(&self, camera: &DeviceRef, public_space: bool, now: UtcMs) -> Option<AlertId> {
        if self.rules.gathering.formula == Formula::V1 {
            return None;
        }
        let mut best: Option<(f64, AlertId)> = None;
        for alert in self.open.values() {
            let (Cause::Crowd(evidence), Some(lead)) = (&alert.cause, &alert.device) else { continue };
            if evidence.neighbours.len() >= MAX_NEIGHBOURS || now.ms_since(alert.updated_at) > self.rules.gathering.merge_ms {
                continue;
            }
            let cameras = evidence.neighbours.iter().map(|neighbour| &neighbour.camera).chain([lead]);
            let nearest = cameras.filter_map(|other| self.apart_m(camera, other, public_space)).reduce(f64::min);
            if let Some(m) = nearest
                && best.is_none_or(|(known, _)| m < known)
            {
                best = Some((m, alert.id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// How far two cameras are apart, if they may see the same gathering.
    fn apart_m(&self, camera: &DeviceRef, other: &DeviceRef, public_space: bool) -> Option<f64> {
        let rules = &self.rules;
        let other_public = rules.cameras.get(other)?.public_space;
        if camera == other || public_space != other_public || (!public_space && camera.site != other.site) {
            return None;
        }
        let m = rules.positions.get(camera)?.distance_m(*rules.positions.get(other)?);
        (m <= rules.gathering.merge_m).then_some(m)
    }

    /// Looks for what several cameras see together; to be called once a minute.
    pub(super) fn scan(&mut self, now: UtcMs) {
        if self.rules.gathering.formula == Formula::V1 || now.0.div_euclid(60_000) == self.scanned {
            return;
        }
        self.scanned = now.0.div_euclid(60_000);
        let from = SOMEWHAT * self.rules.gathering.unusual_score;
        let mut above: Vec<Above> = Vec::new();
        for (camera, watch) in &mut self.cameras {
            let Some(week) = &mut watch.week else { continue };
            week.scan = None;
            if let Some(judged) = week.judged(now).filter(|judged| judged.score >= from)
                && let (Some(expected), Some(rule)) = (judged.expected, self.rules.cameras.get(camera))
                && let Some(at) = self.rules.positions.get(camera)
            {
                let dispersion = 1.0 + expected * judged.spread * judged.spread;
                let (camera, public_space, people) = (camera.clone(), rule.public_space, judged.people);
                above.push(Above { camera, at: *at, public_space, people, expected, dispersion });
            }
        }
        // On New Year's Eve every camera of a town is above what is usual: only those in cells near by are compared.
        let mut cells: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
        for (n, one) in above.iter().enumerate() {
            cells.entry(cell_of(one.at)).or_default().push(n);
        }
        for n in 0..above.len() {
            let Some(scan) = together(n, &above, &cells, self.rules.gathering.merge_m) else { continue };
            if let Some(week) = self.cameras.get_mut(&above[n].camera).and_then(|watch| watch.week.as_mut()) {
                week.scan = Some(scan);
            }
        }
    }

    /// Silence ends what nobody holds; so does release of what had subsided already.
    pub(super) fn tick(&mut self, now: UtcMs) -> Vec<Transition> {
        self.scan(now);
        let limit_ms = self.rules.crowd.silence_ms;
        let mut heard: BTreeMap<AlertId, UtcMs> = BTreeMap::new();
        for watch in self.cameras.values_mut() {
            let Some(id) = watch.alert.filter(|id| self.open.contains_key(id)) else { continue };
            let heard_at = *watch.heard_at.get_or_insert(now);
            heard.entry(id).and_modify(|newest| *newest = (*newest).max(heard_at)).or_insert(heard_at);
        }
        let mut ending: Vec<(AlertId, String)> = Vec::new();
        for (id, heard_at) in heard {
            let Some(alert) = self.open.get(&id) else { continue };
            if alert.subsided_at.is_some() {
                if alert.state == AlertState::Raised {
                    ending.push((id, "it had subsided and nobody holds it".to_owned()));
                }
            } else if now.ms_since(heard_at) >= limit_ms {
                ending.push((id, format!("no counts for {} s", limit_ms / 1000)));
            }
        }
        let alerts = ending.into_iter().filter_map(|(id, why)| Some((self.copy(id)?, why))).collect::<Vec<_>>();
        let mut made: Vec<Transition> = alerts.into_iter().map(|(alert, why)| self.subside(alert, why, now)).collect();
        made.extend(self.drop_silent_neighbours(now));
        made
    }

    /// A neighbour that is silent must not keep an alert open.
    fn drop_silent_neighbours(&mut self, now: UtcMs) -> Vec<Transition> {
        let silent = |watch: &Watch| watch.heard_at.is_some_and(|heard| now.ms_since(heard) >= self.rules.crowd.silence_ms);
        let mut gone: Vec<(AlertId, DeviceRef)> = Vec::new();
        for (camera, watch) in self.cameras.iter().filter(|(_, watch)| silent(watch)) {
            let Some(alert) = watch.alert.and_then(|id| self.open.get(&id)) else { continue };
            if alert.device.as_ref() != Some(camera) {
                gone.push((alert.id, camera.clone()));
            }
        }
        let mut made = Vec::new();
        for (id, camera) in gone {
            let (Some(mut alert), Some(watch)) = (self.copy(id), self.cameras.get_mut(&camera)) else { continue };
            watch.alert = None;
            if let Cause::Crowd(shown) = &mut alert.cause {
                shown.neighbours.retain(|neighbour| neighbour.camera != camera);
            }
            made.push(self.told(alert, false, false, now));
        }
        made
    }

    /// Closes a crowd alert that nobody holds; marks one that somebody holds and leaves closing to the person.
    fn subside(&mut self, mut alert: Alert, why: String, now: UtcMs) -> Transition {
        let action = Action::Close { verdict: CloseReason::Subsided, reason: why.clone() };
        match life::step(&alert, &action, &Actor::System("fusion"), now) {
            Ok((closed, record)) => self.put(closed, Some(record)),
            Err(_) => {
                alert.subsided_at = Some(now);
                let record = life::remark(&mut alert, "subside", "fusion", Some(why), now);
                self.put(alert, Some(record))
            }
        }
    }

    /// A camera that looks at another place must learn anew what is usual there.
    pub(super) fn moved(&mut self, camera: &DeviceRef, before: Option<GeoPoint>, after: GeoPoint) {
        if is_moved(before, after)
            && let Some(watch) = self.cameras.get_mut(camera)
        {
            self.odd.note(Odd::Moved);
            let alert = watch.alert;
            *watch = Watch::default();
            watch.alert = alert;
        }
    }

    /// What is usual at every camera, to be kept for the next start.
    pub fn usual(&self) -> impl Iterator<Item = (&DeviceRef, &Usual)> {
        self.cameras.iter().filter_map(|(camera, watch)| Some((camera, watch.week.as_ref()?.usual())))
    }

    /// What is usual at one camera.
    pub fn usual_at(&self, camera: &DeviceRef) -> Option<&Usual> {
        Some(self.cameras.get(camera)?.week.as_ref()?.usual())
    }

    /// Gives back what was usual at a camera before the hub stopped; to be called before the first event.
    pub fn restore_usual(&mut self, camera: &DeviceRef, usual: Usual) {
        if self.rules.cameras.contains_key(camera) {
            self.cameras.entry(camera.clone()).or_default().week = Some(Box::new(Week::kept(usual)));
        }
    }

    /// The same for what was kept with the camera's place; false where it stands elsewhere now and begins anew.
    pub fn restore_usual_of(&mut self, camera: &DeviceRef, usual: Usual, place: Option<GeoPoint>) -> bool {
        let moved = self.rules.positions.get(camera).is_some_and(|now| is_moved(place, *now));
        if moved {
            self.odd.note(Odd::Moved);
        }
        self.restore_usual(camera, if moved { Usual::default() } else { usual });
        !moved
    }

    /// Whether the week of a camera says something of all these half hours (of [`crate::usual::slots::Slots::index`]).
    pub fn knows(&self, camera: &DeviceRef, halves: &[usize]) -> bool {
        let known = |usual: &Usual| halves.iter().all(|half| usual.level(*half).is_some_and(|level| level.weeks >= 1.0));
        self.usual_at(camera).is_some_and(known)
    }

    /// How often something odd was seen about counts since the start, by name.
    pub fn odd(&self) -> impl Iterator<Item = (Odd, u64)> {
        Odd::ALL.into_iter().map(|odd| (odd, self.odd.of(odd)))
    }
}

/// The set of nearest neighbours with the largest ratio.
fn together(n: usize, above: &[Above], cells: &HashMap<(i64, i64), Vec<usize>>, merge_m: f64) -> Option<ScanSeen> {
    let own = &above[n];
    let others = within(own.at, merge_m).into_iter().filter_map(|cell| cells.get(&cell)).flatten().filter(|other| **other != n);
    let mut near: Vec<(f64, usize)> = others
        .filter(|other| {
            let other = &above[**other];
            own.public_space == other.public_space && (own.public_space || own.camera.site == other.camera.site)
        })
        .map(|other| (own.at.distance_m(above[*other].at), *other))
        .filter(|(m, _)| *m <= merge_m)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.truncate(MAX_NEIGHBOURS);
    let (mut observed, mut expected, mut dispersion) = (own.people, own.expected, own.dispersion);
    let mut best: Option<(usize, f32, f32, f32)> = None;
    for (k, (_, other)) in near.iter().enumerate() {
        let other = &above[*other];
        (observed, expected, dispersion) = (observed + other.people, expected + other.expected, dispersion.max(other.dispersion));
        let llr = scan_llr(observed, expected) / dispersion;
        if best.is_none_or(|best| llr > best.3) {
            best = Some((k, observed, expected, llr));
        }
    }
    let (last, observed, expected, llr) = best?;
    let cameras = std::iter::once(n).chain(near[..=last].iter().map(|(_, other)| *other)).map(|at| above[at].camera.clone());
    Some(ScanSeen { cameras: cameras.collect(), observed, expected, llr })
}

fn is_moved(before: Option<GeoPoint>, after: GeoPoint) -> bool {
    before.is_some_and(|before| before.distance_m(after) > MOVED_M)
}

/// Logarithm of the likelihood ratio that `observed` people are more than the `expected` ones; 0 when they are not.
pub fn scan_llr(observed: f32, expected: f32) -> f32 {
    if observed <= expected || expected <= 0.0 {
        return 0.0;
    }
    observed * (observed / expected).ln() - (observed - expected)
}

fn as_neighbour(count: &Count, seen: &Seen) -> Neighbour {
    let expected = seen.inputs.usual.map(|usual| usual.expected);
    Neighbour { camera: count.camera.clone(), people: count.people, low: count.low, expected, at: seen.inputs.at }
}

/// A neighbour made the level: its evidence speaks.
fn take_reasons(shown: &mut CrowdEvidence, seen: &Seen) {
    shown.assessed = Some(Box::new(seen.assessed()));
    for fresh in &seen.said.reasons {
        match shown.reasons.iter_mut().find(|known| known.code == fresh.code) {
            Some(known) => *known = fresh.clone(),
            None => shown.reasons.push(fresh.clone()),
        }
    }
}
