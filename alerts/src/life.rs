//! The life of an alert: who may do what with it, and when. Pure; every refusal says why.
//!
//! `raised -> claimed -> dispatched -> accepted -> en_route -> on_scene -> closed(reason)`
//!
//! Decisions taken here, in words:
//! - The first claim wins. There is no silent take-over, not even by a shift lead: two people pressing
//!   "claim" at once must not take it from each other. A shift lead releases it with a reason, then anybody claims.
//! - Release keeps a unit that is already sent: only the person changes (a shift ends while a patrol is
//!   on its way). From `claimed` it goes back to `raised`.
//! - Only the claimer or a shift lead dispatches, releases and closes; both may also write down what the
//!   unit said over the radio (accept, decline, en route, on scene).
//! - A crowd alert below the safety limits never goes to a unit and never to the police; nor does a test
//!   press. Somebody who wants a patrol there opens an incident in their own name.
//! - A test press becomes an alarm by one person's word (`real`), from any desk, without claiming first. There is no way back.
//! - A test press goes to a unit only within a drill; the order says so.
//! - A crowd alert leaves by a connector only after `share`, in a person's name and with a reason.
//! - Receipts (`shown`, `delivered`, `seen`) count once; a second one is refused and changes nothing.
//! - The trouble of a body-worn camera is the shift lead's alone: no officer claims, hides or closes it.
//! - Closing needs a verdict and a reason in words. `subsided` is the hub's word alone, for a crowd alert
//!   that nobody holds, as `recovered` is for a trouble. Closed is final: not even a note is added.

use qorgan_domain::{
    AlarmKind, AlertId, Role, SiteId, UnitId, UserName, UtcMs,
    alert::{
        Action, Actor, AlarmEvidence, Alert, AlertState, Cause, CloseReason, CrowdEvidence, External, HazardEvidence, IncidentEvidence,
        Level, Progress, Record, TroubleEvidence,
    },
    sign::TroubleKind,
};

/// Why an action was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody has it already (possibly the asker).
    #[error("{by} has this alert already")]
    AlreadyClaimed {
        /// Who.
        by: UserName,
    },
    /// The action does not fit the state.
    #[error("not possible while the alert is {state}")]
    NotAllowedInState {
        /// The state.
        state: AlertState,
    },
    /// The action is another one's to take.
    #[error("{0}")]
    NotYours(NotYours),
    /// The action needs a reason in words.
    #[error("this needs a reason in words")]
    ReasonRequired,
    /// Below the safety limits, or a test: never sent to a unit.
    #[error("a crowd alert below the safety limits or a test press is not sent to a unit; open an incident instead")]
    NotDispatchable,
    /// `subsided` is the hub's word, not a person's.
    #[error("\"subsided\" is the system's verdict, not a person's")]
    NotAPersonsVerdict,
    /// Closed is final.
    #[error("the alert is closed")]
    Closed,
    /// It has happened already and counts once.
    #[error("this has been noted already")]
    Already,
}

impl Refusal {
    /// Name of the reason on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::AlreadyClaimed { .. } => "already_claimed",
            Refusal::NotAllowedInState { .. } | Refusal::Closed => "not_allowed_in_state",
            Refusal::NotYours(_) => "forbidden",
            Refusal::ReasonRequired => "reason_required",
            Refusal::NotDispatchable => "not_dispatchable",
            Refusal::NotAPersonsVerdict => "invalid",
            Refusal::Already => "already",
        }
    }
}

/// Whose action it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotYours {
    /// The role takes no such action, or does not see this alert.
    #[error("your role does not take this action")]
    Role,
    /// Only who claimed it, or a shift lead.
    #[error("only who claimed the alert or a shift lead may do this")]
    Claimer,
    /// Only the unit that was sent.
    #[error("only the unit that was sent may do this")]
    Unit,
}

/// Who looks at alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Role of the account.
    pub role: Role,
    /// The one site of a school contact.
    pub site: Option<SiteId>,
    /// The unit a patrol belongs to.
    pub unit: Option<UnitId>,
}

/// Names of the actions in the order they are shown.
pub const ACTIONS: [&str; 12] =
    ["claim", "release", "dispatch", "decline", "accept", "en_route", "on_scene", "done", "close", "note", "share", "real"];

/// Whether a viewer sees an alert at all. A safeguard: police and patrols never see a crowd below the safety limits.
pub fn visible(alert: &Alert, viewer: &Viewer) -> bool {
    let safety = alert.level >= Level::Warning;
    match viewer.role {
        Role::DutyOfficer | Role::ShiftLead => true,
        Role::PoliceDesk => match alert.cause {
            Cause::Alarm(_) | Cause::Incident(_) | Cause::Hazard(_) => true,
            Cause::Crowd(_) => safety,
            Cause::Trouble(_) => false,
        },
        Role::Patrol => {
            let ours = alert.unit.is_some() && alert.unit == viewer.unit;
            ours && (safety || !matches!(alert.cause, Cause::Crowd(_)))
        }
        Role::SchoolContact => {
            let shown = match &alert.cause {
                // An alarm that a duress code alone raised would tell whoever stands beside the person.
                Cause::Alarm(press) => press.duress_at.is_none() || press.presses > 0,
                Cause::Trouble(_) => true,
                _ => false,
            };
            shown && alert.site.is_some() && alert.site == viewer.site
        }
        Role::DistrictContact | Role::Analyst | Role::ResidentOperator | Role::Deputy | Role::Administrator | Role::Auditor => false,
    }
}

/// Takes an action, or says why not. The alert's version grows by one. The record's `seq` is 0: lines
/// are numbered by the store when they are read.
pub fn step(alert: &Alert, action: &Action, actor: &Actor, now: UtcMs) -> Result<(Alert, Record), Refusal> {
    let (user, standing) = match actor {
        Actor::System(_) => return by_itself(alert, action, actor, now),
        Actor::Person { user, role, unit } => (user, standing(alert, user, *role, unit.as_ref())?),
    };
    if !alert.is_open() {
        return Err(Refusal::Closed);
    }
    if alert.state == AlertState::Raised && !matches!(action, Action::Claim | Action::Note { .. } | Action::Shown | Action::Real { .. }) {
        // First somebody must have it.
        standing.desk()?;
        return Err(wrong_state(alert));
    }
    let mut next = alert.clone();
    let mut reason = None;
    let mut unit = None;
    match action {
        Action::Claim => {
            standing.desk()?;
            if let Some(by) = &alert.claimed_by {
                return Err(Refusal::AlreadyClaimed { by: by.clone() });
            }
            next.claimed_by = Some(user.clone());
            next.state = alert.state.max(AlertState::Claimed);
            next.progress.claimed_at.get_or_insert(now);
        }
        Action::Release { reason: why } => {
            standing.holds()?;
            if alert.claimed_by.is_none() {
                return Err(wrong_state(alert));
            }
            reason = Some(words(why)?);
            next.claimed_by = None;
            if alert.state == AlertState::Claimed {
                next.state = AlertState::Raised;
            }
        }
        Action::Dispatch { unit: to, note } => {
            standing.holds()?;
            if !dispatchable(alert) {
                return Err(Refusal::NotDispatchable);
            }
            in_states(alert, &[AlertState::Claimed, AlertState::Dispatched])?;
            reason = note.as_deref().and_then(|n| words(n).ok());
            unit = Some(to.clone());
            next.unit = Some(to.clone());
            next.state = AlertState::Dispatched;
            clear_order(&mut next);
        }
        Action::Decline { reason: why } => {
            standing.speaks_for_unit()?;
            in_states(alert, &[AlertState::Dispatched, AlertState::Accepted, AlertState::EnRoute])?;
            reason = Some(words(why)?);
            unit = next.unit.take();
            clear_order(&mut next);
            // Released meanwhile: nobody holds it, so it asks for somebody again.
            next.state = if alert.claimed_by.is_some() { AlertState::Claimed } else { AlertState::Raised };
        }
        Action::Accept | Action::EnRoute | Action::OnScene => {
            standing.speaks_for_unit()?;
            let (from, to) = match action {
                Action::Accept => (AlertState::Dispatched, AlertState::Accepted),
                Action::EnRoute => (AlertState::Accepted, AlertState::EnRoute),
                _ => (AlertState::EnRoute, AlertState::OnScene),
            };
            in_states(alert, &[from])?;
            unit = alert.unit.clone();
            next.state = to;
            if to == AlertState::Accepted {
                // Who accepts has it and has seen it, also when only the radio says so.
                next.progress.accepted_at = Some(now);
            }
        }
        Action::Done => {
            standing.speaks_for_unit()?;
            in_states(alert, &[AlertState::OnScene])?;
            once(&mut next.progress.done_at, now)?;
            unit = alert.unit.clone();
        }
        Action::Delivered | Action::Seen => {
            standing.unit()?;
            in_states(alert, &[AlertState::Dispatched, AlertState::Accepted, AlertState::EnRoute, AlertState::OnScene])?;
            if matches!(action, Action::Seen) {
                next.progress.delivered_at.get_or_insert(now);
                once(&mut next.progress.seen_at, now)?;
            } else {
                once(&mut next.progress.delivered_at, now)?;
            }
            unit = alert.unit.clone();
        }
        Action::Shown => {
            standing.desk()?;
            once(&mut next.progress.shown_at, now)?;
        }
        Action::Share { reason: why } => {
            standing.holds()?;
            reason = Some(words(why)?);
            next.progress.shared = true;
        }
        Action::Real { reason: why } => {
            standing.desk()?;
            let Cause::Alarm(press) = &mut next.cause else { return Err(wrong_state(alert)) };
            if !press.test {
                return Err(Refusal::Already);
            }
            reason = Some(words(why)?);
            press.test = false;
            next.level = level_of(press.alarm);
        }
        Action::Sent | Action::External(_) => return Err(Refusal::NotYours(NotYours::Role)),
        Action::Close { verdict, reason: why } => {
            standing.holds()?;
            if matches!(verdict, CloseReason::Subsided | CloseReason::Recovered) {
                return Err(Refusal::NotAPersonsVerdict);
            }
            reason = Some(words(why)?);
            close(&mut next, *verdict, now);
        }
        Action::Note { text } => reason = Some(words(text)?),
    }
    next.version += 1;
    next.updated_at = now;
    let record = line(alert.id, action.name(), Some(alert.state), next.state, actor, now, reason, unit);
    Ok((next, record))
}

/// Names of the actions this actor may take now; the same rules as [`step`], which it asks.
pub fn allowed(alert: &Alert, actor: &Actor) -> Vec<&'static str> {
    let slim = slim(alert);
    ACTIONS.into_iter().filter(|name| example(name).is_some_and(|action| step(&slim, &action, actor, alert.updated_at).is_ok())).collect()
}

/// The alert without what no rule looks at: [`step`] copies what it is asked about, and [`allowed`] asks a dozen times.
fn slim(alert: &Alert) -> Alert {
    let cause = match &alert.cause {
        Cause::Alarm(press) => Cause::Alarm(AlarmEvidence { boot: None, zone: None, doors: Vec::new(), ..press.clone() }),
        Cause::Crowd(crowd) => Cause::Crowd(CrowdEvidence {
            formula: String::new(),
            reasons: Vec::new(),
            people: crowd.people,
            low: crowd.low,
            high: crowd.high,
            peak: crowd.peak,
            limit: crowd.limit,
            baseline: crowd.baseline,
            baseline_bound: crowd.baseline_bound,
            assessed: None,
            neighbours: Vec::new(),
        }),
        Cause::Incident(incident) => Cause::Incident(IncidentEvidence { text: String::new(), opened_by: incident.opened_by.clone() }),
        Cause::Trouble(trouble) => Cause::Trouble(TroubleEvidence { devices: Vec::new(), detail: None, ..trouble.clone() }),
        Cause::Hazard(hazard) => Cause::Hazard(HazardEvidence { text: String::new(), ..hazard.clone() }),
    };
    let progress = Progress { external: Vec::new(), ..alert.progress.clone() };
    Alert { cause, progress, site: None, device: None, ..alert.clone() }
}

/// Whether this alert may ever be sent to a unit.
pub fn dispatchable(alert: &Alert) -> bool {
    match &alert.cause {
        // An exercise may go all the way to the patrol, and the order says that it is one.
        Cause::Alarm(alarm) => !alarm.test || alarm.drill.is_some(),
        Cause::Crowd(_) => alert.level >= Level::Warning,
        Cause::Incident(_) | Cause::Hazard(_) => true,
        Cause::Trouble(_) => false,
    }
}

/// Whether an alert may leave by the connectors: an alarm, incident or hazard does by itself; a crowd alert only after a
/// named person's act; a test press and a device's trouble never.
pub fn may_leave(alert: &Alert) -> bool {
    match &alert.cause {
        Cause::Alarm(alarm) => !alarm.test,
        Cause::Incident(_) | Cause::Hazard(_) => true,
        Cause::Crowd(_) => alert.progress.shared,
        Cause::Trouble(_) => false,
    }
}

/// How much a press of that kind matters.
pub fn level_of(kind: AlarmKind) -> Level {
    match kind {
        AlarmKind::Panic | AlarmKind::HoldUp | AlarmKind::Fire => Level::Critical,
        AlarmKind::Medical => Level::Warning,
    }
}

/// First line of an alert's history.
pub(crate) fn raise(alert: &Alert, actor: &Actor, reason: Option<String>) -> Record {
    line(alert.id, "raise", None, alert.state, actor, alert.raised_at, reason, None)
}

/// A change that the hub itself makes and that moves no state.
pub(crate) fn remark(alert: &mut Alert, action: &'static str, part: &'static str, reason: Option<String>, now: UtcMs) -> Record {
    alert.version += 1;
    alert.updated_at = now;
    line(alert.id, action, Some(alert.state), alert.state, &Actor::System(part), now, reason, None)
}

/// What an actor is to one alert.
enum Standing {
    /// Works at a desk; whether the alert is theirs (claimed by them, or they lead the shift).
    Desk { holds: bool },
    /// The unit that was sent.
    Unit,
}

impl Standing {
    fn desk(&self) -> Result<(), Refusal> {
        if matches!(self, Standing::Desk { .. }) { Ok(()) } else { Err(Refusal::NotYours(NotYours::Role)) }
    }
    fn holds(&self) -> Result<(), Refusal> {
        self.desk()?;
        if matches!(self, Standing::Desk { holds: true }) { Ok(()) } else { Err(Refusal::NotYours(NotYours::Claimer)) }
    }
    fn unit(&self) -> Result<(), Refusal> {
        if matches!(self, Standing::Unit) { Ok(()) } else { Err(Refusal::NotYours(NotYours::Unit)) }
    }
    fn speaks_for_unit(&self) -> Result<(), Refusal> {
        if matches!(self, Standing::Unit) { Ok(()) } else { self.holds() }
    }
}

fn standing(alert: &Alert, user: &UserName, role: Role, unit: Option<&UnitId>) -> Result<Standing, Refusal> {
    let viewer = Viewer { role, site: None, unit: unit.cloned() };
    let seen = visible(alert, &viewer);
    // What a body-worn camera failed to record is the supervisor's matter: nobody who might wear one takes it away.
    if matches!(&alert.cause, Cause::Trouble(trouble) if trouble.trouble == TroubleKind::Badge) && role != Role::ShiftLead {
        return Err(Refusal::NotYours(NotYours::Role));
    }
    match role {
        Role::DutyOfficer | Role::PoliceDesk if seen => Ok(Standing::Desk { holds: alert.claimed_by.as_ref() == Some(user) }),
        Role::ShiftLead if seen => Ok(Standing::Desk { holds: true }),
        Role::Patrol if seen => Ok(Standing::Unit),
        Role::Patrol => Err(Refusal::NotYours(NotYours::Unit)),
        _ => Err(Refusal::NotYours(NotYours::Role)),
    }
}

/// What the hub does by itself: it ends what nobody holds and what has ended, and notes what it did and heard.
fn by_itself(alert: &Alert, action: &Action, actor: &Actor, now: UtcMs) -> Result<(Alert, Record), Refusal> {
    if !alert.is_open() {
        return Err(Refusal::Closed);
    }
    let mut next = alert.clone();
    let (mut reason, mut unit) = (None, None);
    match (action, &alert.cause) {
        (Action::Close { verdict: CloseReason::Subsided, reason: why }, Cause::Crowd(_))
        | (Action::Close { verdict: CloseReason::Recovered, reason: why }, Cause::Trouble(_)) => {
            in_states(alert, &[AlertState::Raised])?;
            reason = Some(words(why)?);
            let Action::Close { verdict, .. } = action else { return Err(wrong_state(alert)) };
            close(&mut next, *verdict, now);
            next.subsided_at = next.subsided_at.or(Some(now));
        }
        (Action::Sent, _) => {
            in_states(alert, &[AlertState::Dispatched])?;
            once(&mut next.progress.sent_at, now)?;
            unit = alert.unit.clone();
        }
        (Action::External(word), _) => {
            let known = next.progress.external.iter_mut().find(|known| known.connector == word.connector);
            let number = word.number.as_deref().map_or_else(String::new, |number| format!(" {number}"));
            reason = Some(format!("{}: {}{number}", word.connector, word.status));
            match known {
                Some(known) => *known = External { number: word.number.clone().or(known.number.take()), ..word.clone() },
                None => next.progress.external.push(word.clone()),
            }
        }
        _ => return Err(Refusal::NotYours(NotYours::Role)),
    }
    next.version += 1;
    next.updated_at = now;
    let record = line(alert.id, action.name(), Some(alert.state), next.state, actor, now, reason, unit);
    Ok((next, record))
}

/// A receipt counts once.
fn once(at: &mut Option<UtcMs>, now: UtcMs) -> Result<(), Refusal> {
    if at.is_some() {
        return Err(Refusal::Already);
    }
    *at = Some(now);
    Ok(())
}

/// The receipts of an order begin anew.
fn clear_order(alert: &mut Alert) {
    let progress = &mut alert.progress;
    (progress.sent_at, progress.delivered_at, progress.seen_at, progress.accepted_at, progress.done_at) = (None, None, None, None, None);
}

fn close(alert: &mut Alert, verdict: CloseReason, now: UtcMs) {
    alert.state = AlertState::Closed;
    alert.close_reason = Some(verdict);
    alert.closed_at = Some(now);
}

fn in_states(alert: &Alert, states: &[AlertState]) -> Result<(), Refusal> {
    if states.contains(&alert.state) { Ok(()) } else { Err(wrong_state(alert)) }
}

fn wrong_state(alert: &Alert) -> Refusal {
    Refusal::NotAllowedInState { state: alert.state }
}

/// A reason in words. NUL goes: PostgreSQL stores none, and one such text would hold up every later line.
pub(crate) fn words(text: &str) -> Result<String, Refusal> {
    let text = text.replace('\0', "");
    let text = text.trim();
    if text.is_empty() { Err(Refusal::ReasonRequired) } else { Ok(text.to_owned()) }
}

/// An action of that name that fails on nothing but who and when.
fn example(name: &str) -> Option<Action> {
    let reason = "-".to_owned();
    Some(match name {
        "claim" => Action::Claim,
        "release" => Action::Release { reason },
        "dispatch" => Action::Dispatch { unit: "any".parse().ok()?, note: None },
        "decline" => Action::Decline { reason },
        "accept" => Action::Accept,
        "en_route" => Action::EnRoute,
        "on_scene" => Action::OnScene,
        "close" => Action::Close { verdict: CloseReason::Resolved, reason },
        "note" => Action::Note { text: reason },
        "done" => Action::Done,
        "share" => Action::Share { reason },
        "real" => Action::Real { reason },
        _ => return None,
    })
}

#[expect(clippy::too_many_arguments, reason = "the fields of one line of history, each of another type")]
fn line(
    alert: AlertId,
    action: &str,
    from: Option<AlertState>,
    to: AlertState,
    actor: &Actor,
    at: UtcMs,
    reason: Option<String>,
    unit: Option<UnitId>,
) -> Record {
    Record { alert, seq: 0, action: action.to_owned(), from, to, who: actor.who(), role: actor.role_name().to_owned(), at, reason, unit }
}
