//! What fusion is worth and how it is set: console load, verdicts, trials of rules, changed rules, what is put aside.

use std::collections::BTreeMap;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use qorgan_alerts::{
    console::{self, Heard},
    fusion::Rules,
    life, response,
    store::Aside,
    usual::{Usual, calendar::PlannedEvent},
    verdicts,
    whatif::{self, Minute},
};
use qorgan_domain::{
    DeviceRef, Event, Role, UtcMs,
    alert::{Alert, ReasonCode},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
};

const DAY_MS: i64 = 86_400_000;
/// Days that verdicts are counted over.
const VERDICT_DAYS: i64 = 90;
/// Most days and cameras of a trial of rules.
const TRIAL_DAYS: u32 = 30;
const TRIAL_CAMERAS: usize = 20;
/// Longest time a camera may be put aside, in minutes: one shift.
const SHELVE_MIN: u32 = 12 * 60;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(load, figures, changes, change, trial, shelve))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let shift = Access::With(Right::Shift);
    vec![
        row(Method::GET, "/api/v1/console", shift, get(load)),
        row(Method::GET, "/api/v1/verdicts", shift, get(figures)),
        row(Method::GET, "/api/v1/rules", Access::With(Right::PlanningRead), get(changes)),
        row(Method::POST, "/api/v1/rules", Access::With(Right::PlanningWrite), post(change)),
        row(Method::POST, "/api/v1/rules/trial", Access::With(Right::PlanningWrite), post(trial)),
        row(Method::POST, "/api/v1/cameras/{site}/{device}/shelve", Access::With(Right::IncidentsOpen), post(shelve)),
    ]
}

/// How much each desk had to hear: this shift and the one before, by IEC 62682.
#[utoipa::path(get, path = "/api/v1/console", tag = "fusion", responses((status = 200, body = Value)))]
async fn load(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let now = app.clock.utc();
    let window = |at| response::shift_window(&app.config.shift.starts_min, app.config.shift.utc_offset_min, at);
    let (began, _) = window(now);
    let (before, _) = window(UtcMs(began.0 - 1));
    let mut alerts = app.store.alerts_since(before).await?;
    // What has been open for longer than that is what a stale alert is.
    let known: std::collections::BTreeSet<_> = alerts.iter().map(|alert| alert.id).collect();
    alerts.extend(app.engine.open_alerts().iter().filter(|alert| !known.contains(&alert.id)).map(|alert| (**alert).clone()));
    let asides = app.store.asides(now).await?;
    let shelved = |a: &Aside| json!({ "camera": a.camera.to_string(), "until": a.until.to_string(), "since": a.at.to_string(), "who": a.who.as_str(), "reason": a.reason });
    let shelved: Vec<Value> = asides.iter().map(shelved).collect();
    let desk = |police: bool| {
        let heard: Vec<Heard> = alerts.iter().filter(|alert| !police || life::visible(alert, &police_desk())).map(heard).collect();
        json!({ "now": console::load(&heard, began, UtcMs(now.0 + 1)), "last_shift": console::load(&heard, before, began) })
    };
    Ok(Json(json!({ "shift_began": began.to_string(), "duty": desk(false), "police": desk(true), "shelved": shelved })))
}

fn police_desk() -> life::Viewer {
    life::Viewer { role: Role::PoliceDesk, site: None, unit: None }
}

fn heard(alert: &Alert) -> Heard {
    let source = alert.device.as_ref().map_or_else(|| "by hand".to_owned(), ToString::to_string);
    Heard { at: alert.raised_at, until: alert.closed_at, source, kind: alert.cause.kind() }
}

/// How often each rule was right, by the verdicts of 90 days.
#[utoipa::path(get, path = "/api/v1/verdicts", tag = "fusion", responses((status = 200, body = Value)))]
async fn figures(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let alerts = app.store.alerts_since(UtcMs(app.clock.utc().0 - VERDICT_DAYS * DAY_MS)).await?;
    let floor = app.config.crowd.verdict_floor;
    Ok(Json(json!({ "days": VERDICT_DAYS, "floor": floor, "verdicts": verdicts::figures(&alerts, floor) })))
}

/// Every change of rules, with who made it and why, and what is in force now.
#[utoipa::path(get, path = "/api/v1/rules", tag = "fusion", responses((status = 200, body = Value)))]
async fn changes(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let all = app.store.rule_changes().await?;
    let view = |c: &qorgan_alerts::store::RuleChange| {
        json!({ "id": c.id, "rule": c.name, "value": serde_json::from_str::<Value>(&c.body).unwrap_or(Value::Null),
            "at": c.at.to_string(), "who": c.who, "reason": c.reason })
    };
    let rules = app.engine.rules().await?;
    let limits: BTreeMap<String, Option<f32>> = rules.cameras.iter().map(|(camera, rule)| (camera.to_string(), rule.limit)).collect();
    Ok(Json(json!({
        "changes": all.iter().map(view).collect::<Vec<_>>(),
        "in_force": { "unusual_score": rules.gathering.unusual_score, "demoted": rules.gathering.demoted, "limits": limits },
    })))
}

/// A change of one rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    /// `unusual_score` (0.5 to 5), `demoted` (names of rules), `limit/SITE/CAMERA` (people, or null).
    rule: String,
    /// Its new value.
    value: Value,
    /// Why.
    reason: String,
}

/// Changes a rule, with a reason. Safety limits have no rule here.
#[utoipa::path(post, path = "/api/v1/rules", tag = "fusion", request_body = ChangeBody, responses((status = 201, body = Value), (status = 422)))]
async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<ChangeBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let reason = words_of(&body.reason)?;
    let changed = Changed::parse(&body.rule, &body.value)?;
    if matches!(changed, Changed::Demoted(_)) && session.role != Role::ShiftLead {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", "Only a shift lead demotes a rule."));
    }
    if let Changed::Limit(camera, _) = &changed
        && app.cameras.setup(camera).is_none()
    {
        return Err(ApiError::not_found("camera"));
    }
    let what = format!("{}: {reason}", body.value);
    app.audit_by(&session, "rule.change", &format!("rule/{}", body.rule), Some(&what)).await?;
    let id = app.store.add_rule_change(&body.rule, &body.value.to_string(), &session.user, &reason, app.clock.utc()).await?;
    refresh(&app).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// A rule that can be changed while the hub runs.
#[derive(Debug, PartialEq)]
enum Changed {
    Score(f32),
    Demoted(Vec<ReasonCode>),
    Limit(DeviceRef, Option<f32>),
}

impl Changed {
    fn parse(rule: &str, value: &Value) -> Result<Self, ApiError> {
        let people = |value: &Value| value.as_f64().filter(|v| (1.0..=100_000.0).contains(v)).map(|v| v as f32);
        match rule {
            "unusual_score" => {
                let score = value.as_f64().filter(|v| (0.5..=5.0).contains(v));
                Ok(Self::Score(score.ok_or_else(|| ApiError::invalid("unusual_score is 0.5 to 5"))? as f32))
            }
            "demoted" => {
                let rules: Vec<ReasonCode> = serde_json::from_value(value.clone())
                    .map_err(|_| ApiError::invalid("demoted is a list of rules such as above_baseline"))?;
                match rules.iter().find(|rule| !verdicts::may_demote(**rule)) {
                    Some(rule) => Err(ApiError::invalid(format!("{}: safety limits and alarms are never demoted", rule.as_str()))),
                    None => Ok(Self::Demoted(rules)),
                }
            }
            other => {
                let camera = other.strip_prefix("limit/").and_then(|camera| camera.parse().ok());
                let camera = camera.ok_or_else(|| ApiError::invalid(format!("there is no rule {other:?}")))?;
                match value {
                    Value::Null => Ok(Self::Limit(camera, None)),
                    value => Ok(Self::Limit(
                        camera,
                        Some(people(value).ok_or_else(|| ApiError::invalid("a limit is 1 to 100000 people, or null"))?),
                    )),
                }
            }
        }
    }

    fn apply(self, rules: &mut Rules) {
        match self {
            Self::Score(score) => rules.gathering.unusual_score = score,
            Self::Demoted(demoted) => rules.gathering.demoted = demoted,
            Self::Limit(camera, limit) => {
                if let Some(rule) = rules.cameras.get_mut(&camera) {
                    rule.limit = limit;
                }
            }
        }
    }
}

/// Tells fusion of planned events and changed rules; at the start, and after each change.
pub(crate) async fn refresh(app: &App) -> Result<(), qorgan_alerts::Error> {
    let events = app.store.planned_events(app.clock.utc()).await?;
    let changes = app.store.rule_changes().await?;
    app.engine
        .change_rules(move |rules| {
            let planned = |e: qorgan_alerts::store::Entry<qorgan_alerts::store::StoredEvent>| PlannedEvent {
                site: e.body.site,
                from: e.body.from,
                until: e.body.until,
                people: e.body.people.map(|people| people as f32),
            };
            rules.calendar.events = events.into_iter().map(planned).collect();
            for change in changes {
                let changed = serde_json::from_str(&change.body).ok().and_then(|value| Changed::parse(&change.name, &value).ok());
                if let Some(changed) = changed {
                    changed.apply(rules);
                }
            }
        })
        .await
}

/// What should be tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrialBody {
    /// The rule, as in a change.
    rule: String,
    /// The value to try.
    value: Value,
    /// Days of history, 1 to 30.
    days: u32,
    /// Cameras, `SITE/CAMERA`; at most 20.
    cameras: Vec<String>,
}

/// Tries a rule on stored minutes, beside the rules as they are. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/rules/trial", tag = "fusion", request_body = TrialBody, responses((status = 200, body = Value), (status = 422)))]
async fn trial(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<TrialBody>,
) -> Result<Json<Value>, ApiError> {
    let changed = Changed::parse(&body.rule, &body.value)?;
    if !(1..=TRIAL_DAYS).contains(&body.days) || body.cameras.is_empty() || body.cameras.len() > TRIAL_CAMERAS {
        return Err(ApiError::invalid("a trial takes 1 to 30 days of 1 to 20 cameras"));
    }
    let parse = |camera: &String| camera.parse::<DeviceRef>().ok().filter(|camera| app.cameras.setup(camera).is_some());
    let cameras: Vec<DeviceRef> = body.cameras.iter().filter_map(parse).collect();
    if cameras.len() != body.cameras.len() {
        return Err(ApiError::not_found("camera"));
    }
    app.audit_by(&session, "rule.trial", &format!("rule/{}", body.rule), Some(&body.value.to_string())).await?;
    let now = app.clock.utc();
    let from = UtcMs(now.0 - i64::from(body.days) * DAY_MS);
    let rules = app.engine.rules().await?;
    let (mut known, mut minutes) = (BTreeMap::new(), Vec::new());
    for camera in &cameras {
        let mut usual = Usual::default();
        for (at, people) in app.store.hours_since(camera, UtcMs(from.0 - 56 * DAY_MS)).await? {
            if at < from {
                usual.learn_hour(rules.calendar.local(at), people as f32);
            }
        }
        known.insert(camera.clone(), usual);
        let points = app.store.minutes(camera, from, now).await?;
        let minute = |p: &qorgan_alerts::store::CountPoint| Minute {
            camera: camera.clone(),
            at: p.at,
            people: p.people as f32,
            low: p.low as f32,
            high: p.high as f32,
        };
        minutes.extend(points.iter().map(minute));
    }
    let recorded = app.store.alerts_since(from).await?;
    let recorded: Vec<Alert> = recorded.into_iter().filter(|alert| alert.device.as_ref().is_some_and(|d| cameras.contains(d))).collect();
    let mut tried = rules.clone();
    changed.apply(&mut tried);
    let n = minutes.len();
    // Up to a million minutes: not on a thread that answers others.
    let judged = tokio::task::spawn_blocking(move || {
        (whatif::judge(&rules, &known, &minutes, &recorded), whatif::judge(&tried, &known, &minutes, &recorded))
    });
    let (as_is, as_tried) =
        judged.await.map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "The trial did not end."))?;
    Ok(Json(json!({ "minutes": n, "as_it_is": as_is, "as_tried": as_tried })))
}

/// Puts a camera's notices and watches aside.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShelveBody {
    /// For how many minutes, up to 720; 0 takes them up again.
    minutes: u32,
    /// Why.
    reason: String,
}

/// Puts a camera's notices and watches aside until a time. Warnings and alarms never are; they come back by themselves.
#[utoipa::path(post, path = "/api/v1/cameras/{site}/{device}/shelve", tag = "fusion", request_body = ShelveBody,
    params(("site" = String, Path), ("device" = String, Path)), responses((status = 200, body = Value), (status = 404), (status = 422)))]
async fn shelve(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Json(body): Json<ShelveBody>,
) -> Result<Json<Value>, ApiError> {
    let reason = words_of(&body.reason)?;
    if body.minutes > SHELVE_MIN {
        return Err(ApiError::invalid("a camera is put aside for at most 720 minutes"));
    }
    let camera: DeviceRef = format!("{site}/{device}").parse().map_err(|_| ApiError::not_found("camera"))?;
    if app.cameras.setup(&camera).is_none() {
        return Err(ApiError::not_found("camera"));
    }
    app.audit_by(&session, "camera.shelve", &format!("camera/{camera}"), Some(&format!("{} min: {reason}", body.minutes))).await?;
    let at = app.clock.utc();
    let until = (body.minutes > 0).then(|| UtcMs(at.0 + i64::from(body.minutes) * 60_000));
    // Kept first: what is aside must come back by itself also when the hub starts anew.
    match until {
        Some(until) => app.store.put_aside(&Aside { camera: camera.clone(), until, at, who: session.user.clone(), reason }).await?,
        None => app.store.take_up(&camera).await?,
    }
    app.engine.tell(Event::Shelved(camera, until)).await?;
    Ok(Json(json!({ "until": until.map(|until| until.to_string()) })))
}

fn words_of(text: &str) -> Result<String, ApiError> {
    let text = text.replace('\0', "").trim().to_owned();
    if text.is_empty() || text.chars().count() > 1_000 { Err(ApiError::invalid("reason: say in words why")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_keep_people_safe_cannot_be_changed_here() {
        for (rule, value) in [
            ("density_limit", json!(9.0)),
            ("safety_after_ms", json!(0)),
            ("demoted", json!(["density"])),
            ("demoted", json!(["flow", "above_limit"])),
            ("demoted", json!(["closed_hours"])),
            ("unusual_score", json!(0.1)),
            ("unusual_score", json!("1")),
            ("limit/square/north", json!(0)),
            ("limit/square/north", json!("many")),
            ("limit/nowhere", json!(5)),
        ] {
            assert!(Changed::parse(rule, &value).is_err(), "{rule} {value}");
        }
    }

    #[test]
    fn a_changed_rule_is_applied_and_a_camera_that_is_gone_is_passed_over() {
        let mut rules = Rules::default();
        let change = |rule: &str, value: Value| Changed::parse(rule, &value).unwrap_or_else(|e| panic!("{}", e.message));
        change("unusual_score", json!(1.5)).apply(&mut rules);
        change("demoted", json!(["above_limit", "neighbours"])).apply(&mut rules);
        change("limit/square/north", json!(80)).apply(&mut rules);
        assert_eq!(rules.gathering.unusual_score, 1.5);
        assert_eq!(rules.gathering.demoted, [ReasonCode::AboveLimit, ReasonCode::Neighbours]);
        assert!(rules.cameras.is_empty());
    }
}
