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

pub mod words;

use qorgan_domain::{
    GeoPoint, Trilingual, UtcMs,
    alert::{Alert, Cause, Level, ReasonCode},
    assembly::{Assembly, SpecialPlace, Standing},
};
use serde::{Deserialize, Serialize};

/// Blocks of the tension index that may explain an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextBlock {
    /// Problems that worry residents.
    Problems,
    /// Labour relations.
    Labour,
    /// Socio-economic situation.
    SocioEconomic,
    /// Youth.
    Youth,
}

/// The share of the tension index that is context: 0 to 10, with its band.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ContextShare {
    value: f64,
    low: f64,
    high: f64,
}

impl ContextShare {
    /// Mean of the blocks, weighted; each is `(block, value, low, high, weight)`. A block may be named once. None when there is nothing
    /// to weigh or a number is none.
    pub fn of(blocks: &[(ContextBlock, f64, f64, f64, f64)]) -> Option<Self> {
        let mut seen: Vec<ContextBlock> = blocks.iter().map(|block| block.0).collect();
        seen.sort_unstable();
        seen.dedup();
        let weight: f64 = blocks.iter().map(|block| block.4).sum();
        let fine = |(_, value, low, high, weight): &(ContextBlock, f64, f64, f64, f64)| {
            *weight >= 0.0 && low <= value && value <= high && (0.0..=10.0).contains(low) && (0.0..=10.0).contains(high)
        };
        if seen.len() != blocks.len() || !(weight > 0.0 && weight.is_finite()) || !blocks.iter().all(fine) {
            return None;
        }
        let mean = |pick: fn(&(ContextBlock, f64, f64, f64, f64)) -> f64| blocks.iter().map(|b| pick(b) * b.4).sum::<f64>() / weight;
        Some(Self { value: mean(|b| b.1), low: mean(|b| b.2), high: mean(|b| b.3) })
    }

    /// Value, lower and upper end.
    pub fn parts(&self) -> (f64, f64, f64) {
        (self.value, self.low, self.high)
    }
}

/// What is known around a place now. Counts only.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// Assemblies of the register, with what holds of each today.
    pub assemblies: Vec<(i64, Assembly, Standing)>,
    /// Special places and routes.
    pub places: Vec<(i64, SpecialPlace)>,
    /// Names of events that are on nearby.
    pub events: Vec<String>,
    /// Alarms that are open nearby.
    pub alarms_open: u32,
    /// Sensors and hazards that report nearby.
    pub hazards_open: u32,
    /// Open requests of residents nearby, by service.
    pub requests_open: Vec<(String, u32)>,
    /// Outages nearby (power, water, heating, transport), by service.
    pub outages: Vec<String>,
    /// Context share of the tension index.
    pub tension: Option<ContextShare>,
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
    if around.alarms_open + around.hazards_open > 0 {
        lines.push(words::nearby(around.alarms_open, around.hazards_open));
        helpers.push(Helper::Ambulance);
    }
    if !around.requests_open.is_empty() || !around.outages.is_empty() {
        helpers.push(Helper::CityService);
        lines.push(words::requests(&around.requests_open, &around.outages));
    }
    let mut attention = alert.level;
    if let Some(share) = around.tension {
        lines.push(words::tension(share));
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
