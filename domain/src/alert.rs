//! Alerts: what the desk sees, what can be done with one, and what is written down about it.
//! The rules of the life cycle itself are `qorgan-alerts::life`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AlarmKind, AlertId, DeviceRef, GeoPoint, Role, SiteId, UnitId, UserName, UtcMs};

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
}

impl Cause {
    /// Name in JSON and in the store: `alarm`, `crowd` or `incident`.
    pub fn kind(&self) -> &'static str {
        match self {
            Cause::Alarm(_) => "alarm",
            Cause::Crowd(_) => "crowd",
            Cause::Incident(_) => "incident",
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
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of evidence.
    pub code: ReasonCode,
    /// What was seen, in people.
    pub observed: f32,
    /// What it was compared with, in people.
    pub bound: f32,
    /// For how long, in seconds.
    pub for_s: u32,
}

/// Kinds of evidence of the first fusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The lower end of the count is above the configured limit.
    AboveLimit,
    /// The lower end of the count is above what is usual here.
    AboveBaseline,
    /// It has lasted longer than the persistence time.
    Persistent,
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
    /// A crowd alert whose evidence has ended while a person holds it.
    pub subsided_at: Option<UtcMs>,
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
                Cause::Incident(_) => false,
            }
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
