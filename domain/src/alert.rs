//! Alerts: what the desk sees, what can be done with one, and what is written down about it.
//! The rules of the life cycle itself are `qorgan-alerts::life`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Alarm, AlarmKind, AlertId, DeviceRef, GeoPoint, Role, SiteId, UnitId, UserName, UtcMs,
    alarm::{Door, PressId},
    crowd::Assessed,
    hazard::HazardKind,
    sign::{Scope, TroubleKind},
};

/// How much an alert matters, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing; on the map only.
    Notice,
    /// Worth watching; on the map only: no sound, no picture, no delivery.
    Watch,
    /// A physical safety limit is crossed, or a person asks for help.
    Warning,
    /// Life is in danger.
    Critical,
}

impl Level {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Notice => "notice",
            Level::Watch => "watch",
            Level::Warning => "warning",
            Level::Critical => "critical",
        }
    }
}

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody has it yet.
    Raised,
    /// A named person has it.
    Claimed,
    /// A unit was ordered.
    Dispatched,
    /// The unit accepted.
    Accepted,
    /// The unit is on its way.
    EnRoute,
    /// The unit has arrived.
    OnScene,
    /// Ended, with a reason.
    Closed,
}

impl AlertState {
    /// Every state, in order of life.
    pub const ALL: [AlertState; 7] = [
        AlertState::Raised,
        AlertState::Claimed,
        AlertState::Dispatched,
        AlertState::Accepted,
        AlertState::EnRoute,
        AlertState::OnScene,
        AlertState::Closed,
    ];
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertState::Raised => "raised",
            AlertState::Claimed => "claimed",
            AlertState::Dispatched => "dispatched",
            AlertState::Accepted => "accepted",
            AlertState::EnRoute => "en_route",
            AlertState::OnScene => "on_scene",
            AlertState::Closed => "closed",
        }
    }
}
impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an alert ended. The verdict of the person who closes it feeds the false-alarm figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// It was real and it is dealt with.
    Resolved,
    /// There was nothing.
    FalseAlarm,
    /// It was an exercise.
    Drill,
    /// Another alert stands for it.
    Duplicate,
    /// The evidence ended before anybody claimed it. Only the system closes so, and only crowd alerts.
    Subsided,
    /// The device works again. Only the system closes so, and only troubles that nobody holds.
    Recovered,
}

impl CloseReason {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            CloseReason::Resolved => "resolved",
            CloseReason::FalseAlarm => "false_alarm",
            CloseReason::Drill => "drill",
            CloseReason::Duplicate => "duplicate",
            CloseReason::Subsided => "subsided",
            CloseReason::Recovered => "recovered",
        }
    }
}

/// What made an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// A pressed button.
    Alarm(AlarmEvidence),
    /// More people than usual, or than the limit, for some time.
    Crowd(CrowdEvidence),
    /// Opened by hand by a named person.
    Incident(IncidentEvidence),
    /// A button, panel or edge box that does not work as it should.
    Trouble(TroubleEvidence),
    /// A danger that an outside system reported.
    Hazard(HazardEvidence),
}

impl Cause {
    /// Name in JSON and in the store: `alarm`, `crowd`, `incident`, `trouble` or `hazard`.
    pub fn kind(&self) -> &'static str {
        match self {
            Cause::Alarm(_) => "alarm",
            Cause::Crowd(_) => "crowd",
            Cause::Incident(_) => "incident",
            Cause::Trouble(_) => "trouble",
            Cause::Hazard(_) => "hazard",
        }
    }
}

/// The press behind an alarm alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmEvidence {
    /// What was pressed.
    pub alarm: AlarmKind,
    /// The button's own number of the press.
    pub seq: u64,
    /// The button's start, when it tells.
    pub boot: Option<String>,
    /// By the button's clock.
    pub pressed_at: Option<UtcMs>,
    /// By the hub's clock.
    pub received_at: UtcMs,
    /// A test press.
    pub test: bool,
    /// The button's clock is more than a minute off.
    pub clock_suspect: bool,
    /// Presses of the same button while this alert was open, this one included.
    pub presses: u32,
    /// When it was pressed last, by the hub's clock; none when it was pressed once.
    #[serde(default)]
    pub pressed_again_at: Option<UtcMs>,
    /// Doors that brought the first press, in order.
    #[serde(default)]
    pub doors: Vec<Door>,
    /// Zone of an alarm panel.
    #[serde(default)]
    pub zone: Option<String>,
    /// When an edge box heard it, if that box had to keep it.
    #[serde(default)]
    pub heard_at: Option<UtcMs>,
    /// When somebody gave the cancel code. The alarm goes on.
    #[serde(default)]
    pub cancelled_at: Option<UtcMs>,
    /// When somebody gave the duress code: whoever cancels does so under threat.
    #[serde(default)]
    pub duress_at: Option<UtcMs>,
    /// When the button or zone went back to rest.
    #[serde(default)]
    pub restored_at: Option<UtcMs>,
    /// The drill that was on at this site. Without `test` this is a real alarm all the same.
    #[serde(default)]
    pub drill: Option<i64>,
    /// Messages of this alarm that the journal could not take yet: their senders go on, and must be known again, also
    /// after a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstored: Vec<PressId>,
}

impl AlarmEvidence {
    /// The evidence of a first press.
    pub fn of(alarm: &Alarm) -> Self {
        Self {
            alarm: alarm.kind,
            seq: alarm.seq,
            boot: alarm.boot.clone(),
            pressed_at: alarm.pressed_at,
            received_at: alarm.received_at,
            test: alarm.test,
            clock_suspect: alarm.clock_suspect(),
            presses: 1,
            pressed_again_at: None,
            doors: vec![alarm.door],
            zone: alarm.zone.clone(),
            heard_at: alarm.heard_at,
            cancelled_at: None,
            duress_at: None,
            restored_at: None,
            drill: None,
            unstored: Vec::new(),
        }
    }
}

/// What does not work, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleEvidence {
    /// What is wrong.
    pub trouble: TroubleKind,
    /// A device, a whole site, or a whole provider.
    pub scope: Scope,
    /// The devices concerned, at most 1,000 of them.
    pub devices: Vec<DeviceRef>,
    /// How many devices are concerned.
    pub count: u32,
    /// Since when, by the hub's clock: the last proof of life, or the report.
    pub since: UtcMs,
    /// A number or a code that explains it: `battery 12 %`, `clock +380 s`.
    pub detail: Option<String>,
}

/// A danger reported by an outside system: place and description, no plate, no person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HazardEvidence {
    /// The system that reported it.
    pub source: String,
    /// That system's id of the event.
    pub event: String,
    /// What kind.
    pub hazard: HazardKind,
    /// Description.
    pub text: String,
    /// When the system saw it.
    pub reported_at: UtcMs,
}

/// How far the hub has called for somebody to claim an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalation {
    /// Unclaimed for 30 s.
    Reminded,
    /// Unclaimed for 60 s: the shift lead.
    ShiftLead,
}

impl Escalation {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Escalation::Reminded => "reminded",
            Escalation::ShiftLead => "shift_lead",
        }
    }
}

/// Receipts of every hop, each the first of its kind; those of an order begin anew with every order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// On the screen of an attended desk.
    pub shown_at: Option<UtcMs>,
    /// Claimed for the first time.
    pub claimed_at: Option<UtcMs>,
    /// How far the hub has called for somebody.
    pub escalation: Option<Escalation>,
    /// No duty desk was attended: the police desk's at once.
    pub unattended_at: Option<UtcMs>,
    /// The order left the hub.
    pub sent_at: Option<UtcMs>,
    /// The unit's device has it.
    pub delivered_at: Option<UtcMs>,
    /// It was on the unit's screen.
    pub seen_at: Option<UtcMs>,
    /// The unit accepted.
    pub accepted_at: Option<UtcMs>,
    /// The unit is done there; the desk closes.
    pub done_at: Option<UtcMs>,
    /// What receiving systems said, the newest word of each.
    pub external: Vec<External>,
    /// A named person let it leave by the connectors, with a reason.
    pub shared: bool,
}

/// The word of a receiving system about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// Which connector.
    pub connector: String,
    /// Its status, e.g. `received`, `accepted`, `closed`.
    pub status: String,
    /// Its incident number.
    pub number: Option<String>,
    /// When it said so, by the hub's clock.
    pub at: UtcMs,
}

/// The numbers behind a crowd alert, enough to compute it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrowdEvidence {
    /// Latest count, in people.
    pub people: f32,
    /// Its 90 % interval, lower end.
    pub low: f32,
    /// Its 90 % interval, upper end.
    pub high: f32,
    /// Largest count while the alert was open.
    pub peak: f32,
    /// Configured limit, in people.
    pub limit: Option<f32>,
    /// What is usual here, in people.
    pub baseline: Option<f32>,
    /// Above this the count is unusual, in people.
    pub baseline_bound: Option<f32>,
    /// Version of the formula that judged, so that it can be computed again.
    pub formula: String,
    /// What spoke for the alert, each with its own numbers.
    pub reasons: Vec<Reason>,
    /// The inputs that gave the alert its level, and what the formula said of them: enough to say it again. None in alerts of a hub
    /// that did not keep them yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed: Option<Box<Assessed>>,
    /// Neighbouring cameras that see the same gathering, each with its latest count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
}

/// A neighbouring camera of one gathering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Which.
    pub camera: DeviceRef,
    /// Its latest count, in people.
    pub people: f32,
    /// Lower end of it.
    pub low: f32,
    /// Expected there, in people.
    pub expected: Option<f32>,
    /// When it was counted.
    pub at: UtcMs,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of evidence.
    pub code: ReasonCode,
    /// What was seen, in the unit of its kind.
    pub observed: f32,
    /// What it was compared with, in the same unit.
    pub bound: f32,
    /// For how long, in seconds.
    pub for_s: u32,
}

/// Kinds of evidence, each with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The lower end of the count is above the configured limit.
    AboveLimit,
    /// The lower end of the count is above what is usual here.
    AboveBaseline,
    /// It has lasted longer than the persistence time.
    Persistent,
    /// The lower end of the density is above the safety limit: people per square metre.
    Density,
    /// The lower end of the flow is above the safety limit: people a minute and metre of width.
    Flow,
    /// It grows: people a minute.
    Growth,
    /// Somebody is inside an institution out of its hours: people.
    ClosedHours,
    /// Neighbouring cameras together see more than is usual: people.
    Neighbours,
}

impl ReasonCode {
    /// Name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonCode::AboveLimit => "above_limit",
            ReasonCode::AboveBaseline => "above_baseline",
            ReasonCode::Persistent => "persistent",
            ReasonCode::Density => "density",
            ReasonCode::Flow => "flow",
            ReasonCode::Growth => "growth",
            ReasonCode::ClosedHours => "closed_hours",
            ReasonCode::Neighbours => "neighbours",
        }
    }
}

/// What a person reported by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEvidence {
    /// What happened, in the person's words.
    pub text: String,
    /// Who opened it.
    pub opened_by: UserName,
}

/// An alert as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: AlertId,
    /// What made it.
    pub cause: Cause,
    /// How much it matters.
    pub level: Level,
    /// Where it is in its life.
    pub state: AlertState,
    /// The site, if it belongs to one.
    pub site: Option<SiteId>,
    /// The device that made it, if one did.
    pub device: Option<DeviceRef>,
    /// Where.
    pub position: Option<GeoPoint>,
    /// When it was raised.
    pub raised_at: UtcMs,
    /// When anything about it changed last.
    pub updated_at: UtcMs,
    /// When it was closed.
    pub closed_at: Option<UtcMs>,
    /// Who has it.
    pub claimed_by: Option<UserName>,
    /// Who was sent.
    pub unit: Option<UnitId>,
    /// How it ended.
    pub close_reason: Option<CloseReason>,
    /// Safe on disk. False only when the journal could not be written.
    pub stored: bool,
    /// A crowd alert whose evidence has ended, or a trouble that is over, while a person holds it.
    pub subsided_at: Option<UtcMs>,
    /// Receipts of every hop.
    pub progress: Progress,
    /// Grows by one with every change.
    pub version: u32,
}

impl Alert {
    /// Whether a person still has something to do with it.
    pub fn is_open(&self) -> bool {
        self.state != AlertState::Closed
    }
    /// Whether this alert is a reason to see the site's cameras unmasked: an alarm (no test), or a crossed safety limit.
    pub fn lifts_mask(&self) -> bool {
        self.is_open()
            && match &self.cause {
                Cause::Alarm(alarm) => !alarm.test,
                Cause::Crowd(_) => self.level >= Level::Warning,
                Cause::Incident(_) | Cause::Trouble(_) | Cause::Hazard(_) => false,
            }
    }
    /// Whether it is an alarm that somebody must answer: a press that is no test.
    pub fn is_real_alarm(&self) -> bool {
        matches!(&self.cause, Cause::Alarm(alarm) if !alarm.test)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A named member of staff.
    Person {
        /// Account name.
        user: UserName,
        /// Role at the time.
        role: Role,
        /// The unit a patrol speaks for.
        unit: Option<UnitId>,
    },
    /// The hub itself, and which part of it.
    System(&'static str),
}

impl Actor {
    /// How the actor is written down: the account name, or `system/part`.
    pub fn who(&self) -> String {
        match self {
            Actor::Person { user, .. } => user.to_string(),
            Actor::System(part) => format!("system/{part}"),
        }
    }
    /// The role as written down; `system` for the hub itself.
    pub fn role_name(&self) -> &'static str {
        match self {
            Actor::Person { role, .. } => role.as_str(),
            Actor::System(_) => "system",
        }
    }
}

/// What a person can do with an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Take it.
    Claim,
    /// Give it back to the queue.
    Release {
        /// Why.
        reason: String,
    },
    /// Order a unit.
    Dispatch {
        /// Which.
        unit: UnitId,
        /// What the unit should know.
        note: Option<String>,
    },
    /// The unit cannot go.
    Decline {
        /// Why.
        reason: String,
    },
    /// The unit accepts.
    Accept,
    /// The unit is on its way.
    EnRoute,
    /// The unit has arrived.
    OnScene,
    /// End it.
    Close {
        /// The verdict.
        verdict: CloseReason,
        /// Why, in words.
        reason: String,
    },
    /// Write something down; changes nothing else.
    Note {
        /// The words.
        text: String,
    },
    /// Let it leave by the connectors. The only way out for a crowd alert, always in somebody's name.
    Share {
        /// Why.
        reason: String,
    },
    /// This test press is real: from now on it is an alarm.
    Real {
        /// Why.
        reason: String,
    },
    /// It is on a desk's screen. The first one counts.
    Shown,
    /// The order has left the hub. The hub's own word.
    Sent,
    /// The unit's device has the order.
    Delivered,
    /// The order was on the unit's screen.
    Seen,
    /// The unit is done there; the desk closes.
    Done,
    /// The word of a receiving system. The hub's own act.
    External(External),
}

impl Action {
    /// Name in JSON and in the store.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Claim => "claim",
            Action::Release { .. } => "release",
            Action::Dispatch { .. } => "dispatch",
            Action::Decline { .. } => "decline",
            Action::Accept => "accept",
            Action::EnRoute => "en_route",
            Action::OnScene => "on_scene",
            Action::Close { .. } => "close",
            Action::Note { .. } => "note",
            Action::Share { .. } => "share",
            Action::Real { .. } => "real",
            Action::Shown => "shown",
            Action::Sent => "sent",
            Action::Delivered => "delivered",
            Action::Seen => "seen",
            Action::Done => "done",
            Action::External(_) => "external",
        }
    }
}

/// One line of an alert's history: who, when, what, why. Never changed once written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The alert.
    pub alert: AlertId,
    /// Line number within the alert, from 1.
    pub seq: u32,
    /// `raise`, an action's name, `update`, `subside`.
    pub action: String,
    /// State before; none for the first line.
    pub from: Option<AlertState>,
    /// State after.
    pub to: AlertState,
    /// Account name or `system/part`.
    pub who: String,
    /// Role, or `system`.
    pub role: String,
    /// When.
    pub at: UtcMs,
    /// Why, in words.
    pub reason: Option<String>,
    /// The unit, for what concerns one.
    pub unit: Option<UnitId>,
}
