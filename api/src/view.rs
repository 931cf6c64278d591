//! JSON of the HTTP API: twins of the domain types, converted here by hand and nowhere else.

use qorgan_alerts::{
    life,
    response::{self, ResponseFigures},
};
use qorgan_domain::{
    Role, Trilingual,
    alert::{Alert, Cause, Progress, Record},
    sign::Scope,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{Right, Session},
    config::{SiteKind, UnitKind},
};

/// A name in three languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Names {
    /// Kazakh.
    pub kk: String,
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

impl Names {
    /// A name that is the same in every language.
    pub fn same(name: &str) -> Self {
        Self { kk: name.to_owned(), ru: name.to_owned(), en: name.to_owned() }
    }
}

impl From<&Trilingual> for Names {
    fn from(name: &Trilingual) -> Self {
        Self { kk: name.kk.clone(), ru: name.ru.clone(), en: name.en.clone() }
    }
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Account name.
    pub user: String,
    /// Name shown to colleagues.
    pub display_name: String,
    /// Role.
    #[schema(example = "duty_officer")]
    pub role: &'static str,
    /// The one site of a school contact.
    pub site: Option<String>,
    /// The unit of a patrol.
    pub unit: Option<String>,
    /// KATO code of a district contact's district.
    pub area: Option<String>,
    /// To be sent as `x-csrf-token` with every change.
    pub csrf: String,
    /// When the session ends, RFC 3339.
    pub expires_at: String,
    /// The hub.
    pub hub: HubView,
    /// What this session may do.
    #[schema(example = json!(["alerts.read", "alerts.act"]))]
    pub rights: Vec<&'static str>,
}

/// The hub in a few words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HubView {
    /// Its name.
    pub name: String,
    /// Version of the software.
    pub version: &'static str,
    /// Default language: `kk`, `ru` or `en`.
    pub language: String,
}

impl SessionView {
    /// The view of a session.
    pub fn new(session: &Session, hub: HubView) -> Self {
        Self {
            user: session.user.to_string(),
            display_name: session.display_name.clone(),
            role: session.role.as_str(),
            site: session.site.as_ref().map(ToString::to_string),
            unit: session.unit.as_ref().map(ToString::to_string),
            area: session.area.as_ref().map(ToString::to_string),
            csrf: session.csrf.clone(),
            expires_at: session.expires_at.to_string(),
            hub,
            rights: Right::of(session.role).map(Right::as_str).collect(),
        }
    }
}

/// An alert as a desk sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertView {
    /// Number.
    pub id: i64,
    /// `alarm`, `crowd`, `incident`, `trouble` or `hazard`.
    pub kind: &'static str,
    /// `notice`, `watch`, `warning`, `critical`.
    pub level: &'static str,
    /// `raised`, `claimed`, `dispatched`, `accepted`, `en_route`, `on_scene`, `closed`.
    pub state: &'static str,
    /// Site, if it belongs to one.
    pub site: Option<String>,
    /// Device, `site/device`.
    pub device: Option<String>,
    /// `[lat, lon]`, degrees.
    pub position: Option<[f64; 2]>,
    /// When it was raised, RFC 3339.
    pub raised_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// Account name of who has it.
    pub claimed_by: Option<String>,
    /// Unit that was sent.
    pub unit: Option<String>,
    /// `resolved`, `false_alarm`, `drill`, `duplicate`, `subsided`, `recovered`.
    pub close_reason: Option<&'static str>,
    /// False when the alarm journal could not be written.
    pub stored: bool,
    /// A claimed crowd alert whose evidence has ended.
    pub subsided_at: Option<String>,
    /// Grows with every change.
    pub version: u32,
    /// The press, for an alarm.
    pub alarm: Option<AlarmView>,
    /// The numbers, for a crowd alert.
    pub crowd: Option<CrowdView>,
    /// The report, for an incident opened by hand.
    pub incident: Option<IncidentView>,
    /// What does not work, for a trouble.
    pub trouble: Option<TroubleView>,
    /// The report of an outside system, for a hazard.
    pub hazard: Option<HazardView>,
    /// Receipts of every hop.
    pub progress: ProgressView,
    /// Actions this session may take now.
    pub allowed: Vec<&'static str>,
}

/// The press behind an alarm.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlarmView {
    /// `panic`, `hold_up`, `fire`, `medical`.
    pub kind: &'static str,
    /// The button's number of the press.
    pub seq: u64,
    /// The button's start.
    pub boot: Option<String>,
    /// By the button's clock.
    pub pressed_at: Option<String>,
    /// By the hub's clock.
    pub received_at: String,
    /// A test press.
    pub test: bool,
    /// The button's clock is more than a minute off.
    pub clock_suspect: bool,
    /// Presses while the alert was open.
    pub presses: u32,
    /// When it was pressed last, if more than once.
    pub pressed_again_at: Option<String>,
    /// Doors that brought the first press: `mqtt`, `dc09`, `phone`.
    pub doors: Vec<&'static str>,
    /// Zone of an alarm panel.
    pub zone: Option<String>,
    /// When an edge box heard it, if the centre was away then.
    pub heard_at: Option<String>,
    /// When the cancel code was given. The alarm goes on.
    pub cancelled_at: Option<String>,
    /// When the duress code was given. Never shown on the spot: there it looks like a cancel.
    pub duress_at: Option<String>,
    /// When the button went back to rest.
    pub restored_at: Option<String>,
    /// Number of the drill that was on at this site. Without `test` this is a real alarm all the same.
    pub drill: Option<i64>,
}

/// What does not work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TroubleView {
    /// `lost`, `battery`, `mains`, `tamper`, `clock`, `fault`, `flood`.
    pub kind: &'static str,
    /// `device`, `site` or `provider`.
    pub scope: &'static str,
    /// Which device, site or provider.
    pub scope_id: String,
    /// Devices concerned, `site/device`, at most 1,000.
    pub devices: Vec<String>,
    /// How many there are.
    pub count: u32,
    /// Since when, RFC 3339.
    pub since: String,
    /// A number or a code that explains it.
    pub detail: Option<String>,
}

/// A danger that an outside system reported.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HazardView {
    /// The system.
    pub source: String,
    /// `dangerous_driving`, `accident`, `obstacle`, `fire`, `weather`, `other`.
    pub kind: &'static str,
    /// Description; plates were taken out.
    pub text: String,
    /// When it was seen, RFC 3339.
    pub reported_at: String,
}

/// Receipts of every hop, RFC 3339 each.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ProgressView {
    /// On the screen of an attended desk.
    pub shown_at: Option<String>,
    /// Claimed for the first time.
    pub claimed_at: Option<String>,
    /// `reminded` (30 s) or `shift_lead` (60 s): how far the hub has called for somebody.
    pub escalation: Option<&'static str>,
    /// No duty desk was attended: the police desk's at once.
    pub unattended_at: Option<String>,
    /// The order left the hub.
    pub sent_at: Option<String>,
    /// The unit's device has it.
    pub delivered_at: Option<String>,
    /// It was on the unit's screen.
    pub seen_at: Option<String>,
    /// The unit accepted.
    pub accepted_at: Option<String>,
    /// The unit is done there.
    pub done_at: Option<String>,
    /// What receiving systems said.
    pub external: Vec<ExternalView>,
    /// A named person let it leave by the connectors.
    pub shared: bool,
}

/// The word of a receiving system.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExternalView {
    /// Which connector.
    pub connector: String,
    /// Its status.
    pub status: String,
    /// Its incident number.
    pub number: Option<String>,
    /// When it said so.
    pub at: String,
}

impl From<&Progress> for ProgressView {
    fn from(p: &Progress) -> Self {
        let time = |at: Option<qorgan_domain::UtcMs>| at.map(|at| at.to_string());
        let external = |e: &qorgan_domain::alert::External| ExternalView {
            connector: e.connector.clone(),
            status: e.status.clone(),
            number: e.number.clone(),
            at: e.at.to_string(),
        };
        Self {
            shown_at: time(p.shown_at),
            claimed_at: time(p.claimed_at),
            escalation: p.escalation.map(|e| e.as_str()),
            unattended_at: time(p.unattended_at),
            sent_at: time(p.sent_at),
            delivered_at: time(p.delivered_at),
            seen_at: time(p.seen_at),
            accepted_at: time(p.accepted_at),
            done_at: time(p.done_at),
            external: p.external.iter().map(external).collect(),
            shared: p.shared,
        }
    }
}

/// The numbers behind a crowd alert, all in people.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CrowdView {
    /// Latest count.
    pub people: f32,
    /// Lower end of its 90 % interval.
    pub low: f32,
    /// Upper end.
    pub high: f32,
    /// Largest while open.
    pub peak: f32,
    /// Configured limit.
    pub limit: Option<f32>,
    /// Usual here.
    pub baseline: Option<f32>,
    /// Unusual above this.
    pub baseline_bound: Option<f32>,
    /// Version of the formula.
    pub formula: String,
    /// Pieces of evidence.
    pub reasons: Vec<ReasonView>,
}

/// One piece of evidence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReasonView {
    /// `above_limit`, `above_baseline`, `persistent`.
    #[schema(value_type = String)]
    pub code: qorgan_domain::alert::ReasonCode,
    /// What was seen, people.
    pub observed: f32,
    /// Compared with, people.
    pub bound: f32,
    /// For how long, seconds.
    pub for_s: u32,
}

/// A report by hand.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IncidentView {
    /// What happened.
    pub text: String,
    /// Account name of who opened it.
    pub opened_by: String,
}

impl AlertView {
    /// The alert as this session sees it.
    pub fn new(alert: &Alert, session: &Session) -> Self {
        let mut view = Self { allowed: life::allowed(alert, &session.actor()), ..Self::without_actions(alert) };
        if session.role == Role::SchoolContact
            && let Some(alarm) = &mut view.alarm
        {
            // Whoever stands beside the person under threat sees a cancel.
            let duress_at = alarm.duress_at.take();
            if let (Some(_), Cause::Alarm(press)) = (&duress_at, &alert.cause)
                && !press.test
            {
                // A level that rises after a "cancel" would tell as much.
                view.level = life::level_of(press.alarm).as_str();
            }
            if duress_at.is_some()
                && let Cause::Alarm(press) = &alert.cause
            {
                view.level = life::level_of(press.alarm).as_str();
            }
            alarm.cancelled_at = alarm.cancelled_at.take().or(duress_at);
        }
        view
    }

    /// The alert as a program sees it that takes no action.
    pub fn without_actions(alert: &Alert) -> Self {
        let (mut alarm, mut crowd, mut incident, mut trouble, mut hazard) = (None, None, None, None, None);
        let time = |at: Option<qorgan_domain::UtcMs>| at.map(|at| at.to_string());
        match &alert.cause {
            Cause::Alarm(a) => {
                alarm = Some(AlarmView {
                    kind: a.alarm.as_str(),
                    seq: a.seq,
                    boot: a.boot.clone(),
                    pressed_at: a.pressed_at.map(|at| at.to_string()),
                    received_at: a.received_at.to_string(),
                    test: a.test,
                    clock_suspect: a.clock_suspect,
                    presses: a.presses,
                    pressed_again_at: time(a.pressed_again_at),
                    doors: a.doors.iter().map(|d| d.as_str()).collect(),
                    zone: a.zone.clone(),
                    heard_at: time(a.heard_at),
                    cancelled_at: time(a.cancelled_at),
                    duress_at: time(a.duress_at),
                    restored_at: time(a.restored_at),
                    drill: a.drill,
                });
            }
            Cause::Crowd(c) => {
                let reason =
                    |r: &qorgan_domain::alert::Reason| ReasonView { code: r.code, observed: r.observed, bound: r.bound, for_s: r.for_s };
                crowd = Some(CrowdView {
                    people: c.people,
                    low: c.low,
                    high: c.high,
                    peak: c.peak,
                    limit: c.limit,
                    baseline: c.baseline,
                    baseline_bound: c.baseline_bound,
                    formula: c.formula.clone(),
                    reasons: c.reasons.iter().map(reason).collect(),
                });
            }
            Cause::Incident(i) => incident = Some(IncidentView { text: i.text.clone(), opened_by: i.opened_by.to_string() }),
            Cause::Trouble(t) => {
                let (scope, scope_id) = match &t.scope {
                    Scope::Device(device) => ("device", device.to_string()),
                    Scope::Site(site) => ("site", site.to_string()),
                    Scope::Provider(name) => ("provider", name.clone()),
                };
                trouble = Some(TroubleView {
                    kind: t.trouble.as_str(),
                    scope,
                    scope_id,
                    devices: t.devices.iter().map(ToString::to_string).collect(),
                    count: t.count,
                    since: t.since.to_string(),
                    detail: t.detail.clone(),
                });
            }
            Cause::Hazard(h) => {
                hazard = Some(HazardView {
                    source: h.source.clone(),
                    kind: h.hazard.as_str(),
                    text: h.text.clone(),
                    reported_at: h.reported_at.to_string(),
                });
            }
        }
        Self {
            id: alert.id.0,
            kind: alert.cause.kind(),
            level: alert.level.as_str(),
            state: alert.state.as_str(),
            site: alert.site.as_ref().map(ToString::to_string),
            device: alert.device.as_ref().map(ToString::to_string),
            position: alert.position.map(Into::into),
            raised_at: alert.raised_at.to_string(),
            updated_at: alert.updated_at.to_string(),
            closed_at: alert.closed_at.map(|at| at.to_string()),
            claimed_by: alert.claimed_by.as_ref().map(ToString::to_string),
            unit: alert.unit.as_ref().map(ToString::to_string),
            close_reason: alert.close_reason.map(|r| r.as_str()),
            stored: alert.stored,
            subsided_at: alert.subsided_at.map(|at| at.to_string()),
            version: alert.version,
            alarm,
            crowd,
            incident,
            trouble,
            hazard,
            progress: (&alert.progress).into(),
            allowed: Vec::new(),
        }
    }
}

/// One line of an alert's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordView {
    /// Line, from 1.
    pub seq: u32,
    /// What was done.
    pub action: String,
    /// State before.
    pub from: Option<&'static str>,
    /// State after.
    pub to: &'static str,
    /// Account name or `system/part`.
    pub who: String,
    /// Role or `system`.
    pub role: String,
    /// When.
    pub at: String,
    /// Why.
    pub reason: Option<String>,
    /// Unit, for what concerns one.
    pub unit: Option<String>,
}

impl RecordView {
    /// The line as this session sees it.
    pub fn new(record: &Record, session: &Session) -> Self {
        let mut view = Self::from(record);
        if session.role == Role::SchoolContact && view.action == "duress" {
            view.action = "cancel".into();
        }
        view
    }
}

impl From<&Record> for RecordView {
    fn from(record: &Record) -> Self {
        Self {
            seq: record.seq,
            action: record.action.clone(),
            from: record.from.map(|s| s.as_str()),
            to: record.to.as_str(),
            who: record.who.clone(),
            role: record.role.clone(),
            at: record.at.to_string(),
            reason: record.reason.clone(),
            unit: record.unit.as_ref().map(ToString::to_string),
        }
    }
}

/// People in one zone of a camera's picture.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ZoneView {
    /// Zone.
    pub id: String,
    /// Name.
    pub name: Names,
    /// People.
    pub people: f32,
    /// Lower end of the 90 % interval.
    pub low: f32,
    /// Upper end.
    pub high: f32,
    /// People per m2; none without a calibration.
    pub people_per_m2: Option<f32>,
    /// Fruin's level of service: `free`, `adapted`, `slowed`, `contact`, `dangerous`, `critical`.
    pub level: Option<&'static str>,
    /// Density that must not be exceeded.
    pub max_people_per_m2: Option<f32>,
    /// People the place is made for.
    pub capacity: Option<u32>,
}

impl ZoneView {
    /// A zone's count, with what is configured of it.
    pub fn new(count: &qorgan_domain::ZoneCount, zone: Option<&crate::config::Zone>) -> Self {
        Self {
            id: count.zone.to_string(),
            name: zone.map_or_else(|| Names::same(count.zone.as_str()), |zone| (&zone.name).into()),
            people: count.people,
            low: count.low,
            high: count.high,
            people_per_m2: count.people_per_m2(),
            level: count.level().map(qorgan_domain::LevelOfService::as_str),
            max_people_per_m2: zone.and_then(|zone| zone.max_people_per_m2),
            capacity: zone.and_then(|zone| zone.capacity),
        }
    }
}

/// People who crossed a line since the count before.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowView {
    /// Line.
    pub id: String,
    /// Name.
    pub name: Names,
    /// From its left to its right.
    pub forward: u32,
    /// The other way.
    pub backward: u32,
    /// Length of time, in seconds.
    pub over_s: f64,
}

impl FlowView {
    /// A line's crossings, with its name.
    pub fn new(flow: &qorgan_domain::LineFlow, line: Option<&crate::config::Line>) -> Self {
        Self {
            id: flow.line.to_string(),
            name: line.map_or_else(|| Names::same(flow.line.as_str()), |line| (&line.name).into()),
            forward: flow.forward,
            backward: flow.backward,
            over_s: f64::from(flow.over_ms) / 1000.0,
        }
    }
}

/// A camera as a desk sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CameraView {
    /// `site/device`.
    pub id: String,
    /// Site.
    pub site: String,
    /// Name.
    pub name: Names,
    /// `[lat, lon]`, degrees.
    pub position: [f64; 2],
    /// Whether it looks at public space.
    pub public_space: bool,
    /// `live`, `stale`, `offline`, `connecting`.
    pub status: &'static str,
    /// Why there is no picture or count.
    pub reason: Option<FaultView>,
    /// Latest count, people.
    pub people: Option<f32>,
    /// Lower end of its 90 % interval.
    pub low: Option<f32>,
    /// Upper end.
    pub high: Option<f32>,
    /// When the picture was taken, RFC 3339.
    pub counted_at: Option<String>,
    /// Age of the count, seconds.
    pub age_s: Option<f64>,
    /// Configured limit, people.
    pub limit: Option<f32>,
    /// `hub` (counted here) or `foreign` (counts by itself).
    pub source: &'static str,
    /// Its device may have recordings (ONVIF).
    pub recordings: bool,
    /// Codec of the stream.
    pub codec: Option<String>,
    /// Width and height, pixels.
    pub size_px: Option<(u32, u32)>,
    /// People in each zone.
    pub zones: Vec<ZoneView>,
    /// People who crossed each line.
    pub flows: Vec<FlowView>,
    /// Criteria of the compliance meter that the camera fails: `uptime_24h`, `resolution`, ...
    pub poor: Vec<&'static str>,
    /// Recent counts as `[unix_ms, people]`; only in snapshots and lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Vec<(i64, f32)>>,
}

/// Why a camera gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultView {
    /// `refused`, `unauthorized`, `not_found`, `timeout`, `stalled`, `no_key_frame`, `bad_codec`, `bad_picture`, `bad_time`, `garbage`,
    /// `redirect`, `tls`, `missing`, `ended`, `foreign_silent`, `other`.
    pub code: &'static str,
    /// The error chain in one line.
    pub detail: String,
}

/// A site.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Names,
    /// School or public place.
    pub kind: SiteKind,
    /// KATO code of its district.
    pub area: String,
    /// `[lat, lon]`, degrees.
    pub position: [f64; 2],
    /// Its cameras, `site/device`.
    pub cameras: Vec<String>,
    /// Its buttons, `site/device`.
    pub buttons: Vec<String>,
    /// Names of its cameras and buttons by `site/device`.
    pub device_names: std::collections::BTreeMap<String, Names>,
}

/// A unit that can be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Names,
    /// What it is.
    pub kind: UnitKind,
}

/// Where a unit is and what it is busy with.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnitLiveView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: Names,
    /// What it is.
    pub kind: UnitKind,
    /// `[lat, lon]`, degrees; none until it has said where it is.
    pub position: Option<[f64; 2]>,
    /// When it was there, RFC 3339.
    pub at: Option<String>,
    /// Age of the position, seconds.
    pub age_s: Option<f64>,
    /// Whether the position is at most five minutes old.
    pub fresh: bool,
    /// Number of the alert it was sent to and is not done with.
    pub busy_with: Option<i64>,
}

/// Desks that are attended now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DesksView {
    /// One line a person whose page is connected.
    pub attended: Vec<DeskView>,
}

/// One attended desk.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DeskView {
    /// Account name.
    pub user: String,
    /// Role.
    pub role: &'static str,
    /// Result of this session's sound test; none before it was taken.
    pub sound_ok: Option<bool>,
    /// Connected since, RFC 3339.
    pub since: String,
}

/// How fast alarms were claimed in the shift that is on (EN 50518), and whether they come too fast (IEC 62682).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShiftView {
    /// When it began.
    pub began_at: String,
    /// When it ends.
    pub ends_at: String,
    /// Alarms in it, tests left out.
    pub alarms: usize,
    /// Claimed within 30 s, per cent.
    pub claimed_30s_percent: Option<f64>,
    /// Claimed within 60 s, per cent.
    pub claimed_60s_percent: Option<f64>,
    /// Half were claimed within this, seconds.
    pub p50_s: Option<f64>,
    /// 80 % were.
    pub p80_s: Option<f64>,
    /// 98.5 % were.
    pub p98_5_s: Option<f64>,
    /// Alarms that nobody has claimed now.
    pub unclaimed: usize,
    /// What is aimed at.
    pub goals: GoalsView,
    /// More alarms in ten minutes than the attended desks can answer.
    pub flood: bool,
    /// Alarms of the last ten minutes.
    pub alarms_10min: usize,
    /// Somebody who hears sits at a duty desk.
    pub attended: bool,
}

/// Goals of the response clock, per cent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GoalsView {
    /// Within 30 s.
    pub within_30s: f64,
    /// Within 60 s.
    pub within_60s: f64,
}

impl ShiftView {
    /// The view of the figures.
    pub fn new(app: &crate::hub::App, figures: &ResponseFigures) -> Self {
        let shift = &app.config.shift;
        let (began, ends) = response::shift_window(&shift.starts_min, shift.utc_offset_min, app.clock.utc());
        // Waits are far below 2^53 ms.
        let seconds = |ms: Option<i64>| ms.map(|ms| ms as f64 / 1000.0);
        Self {
            began_at: began.to_string(),
            ends_at: ends.to_string(),
            alarms: figures.alarms,
            claimed_30s_percent: figures.within_30s_percent,
            claimed_60s_percent: figures.within_60s_percent,
            p50_s: seconds(figures.p50_ms),
            p80_s: seconds(figures.p80_ms),
            p98_5_s: seconds(figures.p98_5_ms),
            unclaimed: figures.unclaimed,
            goals: GoalsView { within_30s: response::GOALS[0].1, within_60s: response::GOALS[1].1 },
            flood: figures.flood,
            alarms_10min: figures.last_10min,
            attended: app.desks.attended_by_duty(),
        }
    }
}
