//! What surrounds a crowd alert: explanation, attention, a task, and helpers who could be asked. Pure; made when somebody looks.
//!
//! An alert is finished before its context is read: nothing here returns an alert, a level of one, a recipient or a place in the queue,
//! and nothing of this is stored in one. So no context can create an alert, move it, or send it anywhere; two alerts with different
//! surroundings have the same bytes. What context changes: the words, whether a `notice` deserves the attention of a `watch` (or a
//! `watch` that of a notice), which helpers are proposed, and that a notified assembly is a task of facilitation until a safety limit
//! is crossed.
//!
//! Of the tension index only four blocks can be named here ([`ContextBlock`]): the public-political, protest-likelihood and
//! interethnic/interfaith blocks have no value of this type.

mod around;
pub mod words;

use qorgan_domain::{
    GeoPoint, Trilingual, UtcMs,
    alert::{Alert, Cause, Level, ReasonCode},
    assembly::{Assembly, SpecialPlace, Standing},
};
use serde::{Deserialize, Serialize};

pub use around::{ContextBlock, ContextShare, Disruption, RequestsNear, SensorNear};

/// What is known around a place now. Counts only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// Assemblies of the register, with what holds of each today.
    pub assemblies: Vec<(i64, Assembly, Standing)>,
    /// Special places and routes.
    pub places: Vec<(i64, SpecialPlace)>,
    /// Names of events that are on nearby.
    pub events: Vec<String>,
    /// What else the hub has open nearby.
    pub open: OpenNearby,
    /// What sensors nearby have measured lately.
    pub sensors: Vec<SensorNear>,
    /// Open requests of residents nearby; none when nothing is known of requests.
    pub requests: Option<RequestsNear>,
    /// Outages and emergencies that are not over, here or in the district.
    pub disruptions: Vec<Disruption>,
    /// Context share of the tension index of the district, and its period.
    pub tension: Option<(ContextShare, String)>,
}

/// Open alerts of the hub near a place, as far as the reader may see them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OpenNearby {
    /// Alarms that are no test.
    pub alarms: u32,
    /// Incidents that people opened.
    pub incidents: u32,
    /// Dangers that outside systems report.
    pub hazards: u32,
    /// Devices that do not work: nobody looks there now.
    pub troubles: u32,
}

/// Who could be asked for help. A proposal; people decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Helper {
    /// Stewards of the place or the event.
    Stewards,
    /// An ambulance close by.
    Ambulance,
    /// Closing a street to traffic, so that there is room.
    RoadClosure,
    /// The city service concerned.
    CityService,
    /// A mediator.
    Mediator,
}

/// A notified assembly: help it to go well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facilitation {
    /// Number in the register.
    pub assembly: i64,
    /// Notified number of people.
    pub notified: u32,
    /// How many the special place holds safely, if it is one.
    pub holds: Option<u32>,
}

/// What a desk reads beside an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// `notice` or `watch` where the alert is one of both; else the alert's own level.
    pub attention: Level,
    /// A task of facilitation in place of watching.
    pub task: Option<Facilitation>,
    /// Who could be asked.
    pub helpers: Vec<Helper>,
    /// Why, in plain words.
    pub lines: Vec<Trilingual>,
}

/// How near an assembly or place must be beyond its own radius, in metres.
const NEAR_M: f64 = 100.0;
/// Minutes before and after an assembly in which people come and go.
const AROUND_MS: i64 = 60 * 60_000;
/// Most outages and emergencies that are told of.
const MOST_DISRUPTIONS: usize = 5;
/// Lower end of the tension share from which a notice deserves the attention of a watch. Only with a band that lies above it.
const TENSE_FROM: f64 = 6.0;

/// Explains a crowd alert; none for an alert of another kind.
pub fn explain(alert: &Alert, around: &Surroundings, now: UtcMs) -> Option<Explanation> {
    let Cause::Crowd(evidence) = &alert.cause else { return None };
    let unsafe_now = alert.level >= Level::Warning;
    let mut helpers = Vec::new();
    let mut lines = Vec::new();
    let place = special_place(alert.position, around);
    if let Some((_, place)) = place {
        lines.push(words::place(&place.name, place.max_people, evidence.people));
    }
    let assembly = assembly(alert.position, around, now);
    let mut task = None;
    if let Some((id, assembly, standing)) = assembly {
        // Notified or not, refused or not: the same limits, the same score. Only a safety limit takes the task away.
        if *standing == Standing::Proceeds && !unsafe_now {
            task = Some(Facilitation { assembly: *id, notified: assembly.people, holds: place.map(|(_, place)| place.max_people) });
            helpers.extend([Helper::Stewards, Helper::Ambulance, Helper::RoadClosure]);
        }
        lines.push(words::assembly(assembly, *standing));
    }
    lines.extend(around.events.iter().take(5).map(|name| words::event(name)));
    if around.open != OpenNearby::default() {
        lines.push(words::nearby(around.open));
    }
    if around.open.alarms + around.open.incidents + around.open.hazards > 0 {
        helpers.push(Helper::Ambulance);
    }
    if !around.sensors.is_empty() {
        lines.push(words::sensors(&around.sensors));
    }
    if let Some(requests) = &around.requests {
        lines.push(words::requests(requests));
    }
    lines.extend(around.disruptions.iter().take(MOST_DISRUPTIONS).map(words::disruption));
    // By what is told, so that a helper tells of no number that may not be told.
    if around.requests.as_ref().is_some_and(RequestsNear::any) || !around.disruptions.is_empty() {
        helpers.push(Helper::CityService);
    }
    let mut attention = alert.level;
    if let Some((share, period)) = &around.tension {
        lines.push(words::tension(*share, period));
        let (_, low, high) = share.parts();
        if alert.level == Level::Notice && low >= TENSE_FROM {
            attention = Level::Watch;
            helpers.push(Helper::Mediator);
        } else if alert.level == Level::Watch && high < TENSE_FROM / 2.0 && limit_is_no_reason(&evidence.reasons) {
            attention = Level::Notice;
        }
    }
    if unsafe_now {
        helpers.extend([Helper::Ambulance, Helper::Stewards, Helper::RoadClosure]);
    }
    helpers.sort_unstable();
    helpers.dedup();
    Some(Explanation { attention, task, helpers, lines })
}

/// A limit that a person configured is not talked away.
fn limit_is_no_reason(reasons: &[qorgan_domain::alert::Reason]) -> bool {
    !reasons.iter().any(|reason| matches!(reason.code, ReasonCode::AboveLimit | ReasonCode::ClosedHours))
}

fn special_place(at: Option<GeoPoint>, around: &Surroundings) -> Option<&(i64, SpecialPlace)> {
    let at = at?;
    let near = around.places.iter().filter(|(_, place)| place.distance_m(at) <= f64::from(place.radius_m));
    near.min_by(|a, b| a.1.distance_m(at).total_cmp(&b.1.distance_m(at)))
}

/// The assembly that this is most likely: on now or about to be, and near. One that proceeds stands before another.
fn assembly(at: Option<GeoPoint>, around: &Surroundings, now: UtcMs) -> Option<&(i64, Assembly, Standing)> {
    let at = at?;
    let fits = |(_, assembly, standing): &&(i64, Assembly, Standing)| {
        *standing != Standing::Withdrawn
            && assembly.position.distance_m(at) <= f64::from(assembly.radius_m) + NEAR_M
            && now.ms_since(assembly.from) >= -AROUND_MS
            && now.ms_since(assembly.until) <= AROUND_MS
    };
    around.assemblies.iter().filter(fits).min_by(|a, b| {
        let rank = |entry: &(i64, Assembly, Standing)| u8::from(entry.2 != Standing::Proceeds);
        rank(a).cmp(&rank(b)).then(a.1.position.distance_m(at).total_cmp(&b.1.position.distance_m(at)))
    })
}
