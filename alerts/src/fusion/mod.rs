//! Fusion: from events to alerts. Pure: no I/O, no clock; the same events at the same times give the
//! same transitions, byte for byte.
//!
//! What belongs here: which alert an event opens, changes or ends. What does not: who may act on one
//! ([`crate::life`]), and where it is written ([`crate::store`]). Indicators have no way in here: they
//! are no [`Event`].

mod baseline;
mod care;
mod crowd;
pub mod formula;
mod gathering;
mod odd;
mod press;
mod rules;
mod week;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use qorgan_domain::{
    AlarmKind, AlertId, DeviceRef, Event, GeoPoint, PressId, Role, SiteId, UtcMs,
    alert::{Action, Actor, Alert, AlertState, Cause, IncidentEvidence, Level, Progress, Record},
    event::DrillWindow,
    sign::{Scope, TroubleKind},
};

use crate::life::{self, NotYours, Refusal};
use crowd::Watch;
pub use formula::Formula;
pub use gathering::scan_llr;
pub use odd::Odd;
use press::Unstored;
pub use rules::{CameraRule, CrowdRules, GatheringRules, PlaceRule, ResponseRules, Rules};

/// A change of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The alert afterwards; shared, because it goes to the store, to the ring and to every screen.
    pub alert: Arc<Alert>,
    /// The line of its history; none when only the evidence was brought up to date.
    pub record: Option<Record>,
}

/// Every open alert and what is remembered of every camera.
#[derive(Debug)]
pub struct Fusion {
    rules: Rules,
    next_id: i64,
    open: BTreeMap<AlertId, Arc<Alert>>,
    /// How many of each kind are open.
    open_by_kind: BTreeMap<&'static str, usize>,
    cameras: BTreeMap<DeviceRef, Watch>,
    /// The minute in which neighbours were looked at last.
    scanned: i64,
    /// What was odd about counts.
    odd: odd::Tally,
    /// Cameras whose notices and watches are put aside, and until when.
    shelved: BTreeMap<DeviceRef, UtcMs>,
    /// The open alert of a button: a real press never hides behind a test, nor fire behind panic.
    buttons: HashMap<(DeviceRef, AlarmKind, bool), AlertId>,
    unstored: Vec<Unstored>,
    /// Stored presses of late, oldest first.
    heard: VecDeque<PressId>,
    /// The open alert of each trouble.
    troubles: HashMap<(Scope, TroubleKind), AlertId>,
    /// Events of outside systems, open and lately closed, oldest first.
    hazards: VecDeque<((String, String), AlertId)>,
    /// Drills that are on.
    drills: Vec<DrillWindow>,
    /// Somebody who hears sits at a desk of the centre. True until told otherwise: a hub that starts knows nobody yet.
    attended: bool,
}

impl Fusion {
    /// Goes on with the alerts that were open when the hub stopped.
    pub fn new(rules: Rules, next_id: AlertId, open: Vec<Alert>) -> Self {
        let mut fusion = Self {
            rules,
            next_id: next_id.0,
            open: BTreeMap::new(),
            open_by_kind: BTreeMap::new(),
            cameras: BTreeMap::new(),
            scanned: i64::MIN,
            odd: odd::Tally::default(),
            shelved: BTreeMap::new(),
            buttons: HashMap::new(),
            unstored: Vec::new(),
            heard: VecDeque::new(),
            troubles: HashMap::new(),
            hazards: VecDeque::new(),
            drills: Vec::new(),
            attended: true,
        };
        for alert in open.into_iter().filter(Alert::is_open) {
            match (&alert.cause, &alert.device) {
                (Cause::Crowd(evidence), Some(camera)) => {
                    fusion.cameras.insert(camera.clone(), Watch::resume(alert.id, evidence));
                    for neighbour in &evidence.neighbours {
                        fusion.cameras.insert(neighbour.camera.clone(), Watch::resume(alert.id, evidence));
                    }
                }
                (Cause::Alarm(press), Some(device)) => {
                    fusion.buttons.insert((device.clone(), press.alarm, press.test), alert.id);
                    fusion.unstored.extend(Unstored::resume(&alert, press));
                }
                (Cause::Trouble(trouble), _) => {
                    fusion.troubles.insert((trouble.scope.clone(), trouble.trouble), alert.id);
                }
                (Cause::Hazard(hazard), _) => {
                    fusion.hazards.push_back(((hazard.source.clone(), hazard.event.clone()), alert.id));
                }
                _ => {}
            }
            *fusion.open_by_kind.entry(alert.cause.kind()).or_default() += 1;
            fusion.open.insert(alert.id, Arc::new(alert));
        }
        fusion
    }

    /// Takes an event; `now` is the hub's time.
    pub fn apply(&mut self, event: &Event, now: UtcMs) -> Vec<Transition> {
        match event {
            Event::Count(count) => self.count(count, now).into_iter().collect(),
            Event::Alarm { alarm, stored } => self.press(alarm, *stored, now),
            Event::Trouble(trouble) => self.trouble(trouble, now).into_iter().collect(),
            Event::Hazard(hazard) => self.hazard(hazard, now).into_iter().collect(),
            Event::Attended(attended) => self.set_attended(*attended, now),
            Event::Drills(drills) => {
                self.drills.clone_from(drills);
                Vec::new()
            }
            Event::CameraPlaced(place) => {
                let rule = CameraRule { limit: place.limit, public_space: place.public_space };
                self.rules.cameras.insert(place.camera.clone(), rule);
                let of_place =
                    PlaceRule { zone_limits_per_m2: place.zone_limits_per_m2.clone(), line_widths_m: place.line_widths_m.clone() };
                self.rules.places.insert(place.camera.clone(), of_place);
                let before = self.rules.positions.insert(place.camera.clone(), place.position);
                self.moved(&place.camera, before, place.position);
                Vec::new()
            }
            Event::CameraRemoved(camera) => {
                // An open alert stays: people close it, or its silence does.
                self.rules.cameras.remove(camera);
                self.rules.places.remove(camera);
                Vec::new()
            }
            Event::Shelved(camera, until) => {
                match until {
                    Some(until) => self.shelved.insert(camera.clone(), *until),
                    None => self.shelved.remove(camera),
                };
                Vec::new()
            }
            Event::Tick => {
                let mut made = self.tick(now);
                made.extend(self.escalate(now));
                made
            }
        }
    }

    /// Takes a person's action; none when no open alert has that number.
    pub fn act(&mut self, id: AlertId, action: &Action, actor: &Actor, now: UtcMs) -> Option<Result<Transition, Refusal>> {
        let alert = self.open.get(&id)?;
        let made = life::step(alert, action, actor, now);
        if let (Ok(_), Action::Real { .. }, Cause::Alarm(press), Some(device)) = (&made, action, &alert.cause, &alert.device) {
            // From now on it is the button's alarm, unless it has one.
            let (test, real) = ((device.clone(), press.alarm, true), (device.clone(), press.alarm, false));
            self.buttons.remove(&test);
            self.buttons.entry(real).or_insert(id);
        }
        Some(made.map(|(after, record)| self.put(after, Some(record))))
    }

    /// Opens an incident by hand, in a named person's name.
    pub fn open_incident(
        &mut self,
        site: Option<SiteId>,
        position: Option<GeoPoint>,
        text: &str,
        actor: &Actor,
        now: UtcMs,
    ) -> Result<Transition, Refusal> {
        let Actor::Person { user, role: Role::DutyOfficer | Role::ShiftLead | Role::PoliceDesk, .. } = actor else {
            return Err(Refusal::NotYours(NotYours::Role));
        };
        let text = life::words(text)?;
        let cause = Cause::Incident(IncidentEvidence { text: text.clone(), opened_by: user.clone() });
        let alert = Alert { site, position, ..self.blank(cause, Level::Warning, None, now) };
        let record = life::raise(&alert, actor, Some(text));
        Ok(self.put(alert, Some(record)))
    }

    /// Open alerts, oldest first.
    pub fn open_alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.open.values()
    }

    /// One open alert.
    pub fn alert(&self, id: AlertId) -> Option<&Alert> {
        self.open.get(&id).map(|alert| &**alert)
    }

    /// How many alerts of each kind are open; a kind that was open once stays, with 0.
    pub fn open_by_kind(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.open_by_kind.iter().map(|(kind, n)| (*kind, *n))
    }

    /// An open alert, to be changed and [`put`](Self::put) back.
    fn copy(&self, id: AlertId) -> Option<Alert> {
        self.open.get(&id).map(|alert| Alert::clone(alert))
    }

    /// The rules as they are.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// New limits and times; open alerts stay as they are and are judged by the new rules from the next event on.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Gives back what was usual at a camera before the hub stopped: the largest count of one past minute.
    /// To be called with minutes in order, before the first event.
    pub fn teach(&mut self, camera: &DeviceRef, minute: UtcMs, people_max: f32) {
        if self.rules.cameras.contains_key(camera) {
            self.cameras.entry(camera.clone()).or_default().teach(minute, people_max, &self.rules.crowd);
        }
    }

    /// A new alert with the next number.
    fn blank(&mut self, cause: Cause, level: Level, device: Option<&DeviceRef>, now: UtcMs) -> Alert {
        let id = AlertId(self.next_id);
        self.next_id += 1;
        Alert {
            id,
            cause,
            level,
            state: AlertState::Raised,
            site: device.map(|d| d.site.clone()),
            device: device.cloned(),
            // A device that joined later, such as a phone, stands where its site is.
            position: device.and_then(|d| self.rules.positions.get(d).or_else(|| self.rules.sites.get(&d.site))).copied(),
            raised_at: now,
            updated_at: now,
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

    /// Keeps the alert as it is now, or forgets it when it is closed.
    fn put(&mut self, alert: Alert, record: Option<Record>) -> Transition {
        let alert = Arc::new(alert);
        if alert.is_open() {
            if self.open.insert(alert.id, alert.clone()).is_none() {
                *self.open_by_kind.entry(alert.cause.kind()).or_default() += 1;
            }
        } else {
            if self.open.remove(&alert.id).is_some() {
                *self.open_by_kind.entry(alert.cause.kind()).or_default() -= 1;
            }
            match (&alert.cause, &alert.device) {
                (Cause::Alarm(press), Some(device)) => {
                    let button = (device.clone(), press.alarm, press.test);
                    if self.buttons.get(&button) == Some(&alert.id) {
                        self.buttons.remove(&button);
                    }
                }
                (Cause::Trouble(trouble), _) => {
                    self.troubles.remove(&(trouble.scope.clone(), trouble.trouble));
                }
                (Cause::Crowd(evidence), Some(camera)) => {
                    for camera in evidence.neighbours.iter().map(|neighbour| &neighbour.camera).chain([camera]) {
                        if let Some(watch) = self.cameras.get_mut(camera) {
                            watch.closed(&alert);
                        }
                    }
                }
                _ => {}
            }
        }
        Transition { alert, record }
    }
}
