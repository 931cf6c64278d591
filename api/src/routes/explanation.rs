//! A crowd alert in plain words, with what surrounds it: made when somebody looks, from what the reader may know, and never stored.
//!
//! What belongs here: asking the registers. What does not: what follows from the answers ([`qorgan_alerts::context`]), which cannot reach
//! an alert.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::Method,
    routing::get,
};
use qorgan_alerts::{
    context::{self, ContextShare, Disruption, OpenNearby, RequestsNear, Surroundings, words},
    intake::services::{self, SignalKind},
    life,
    store::SignalFilter,
};
use qorgan_domain::{
    AlertId, AreaCode, DeviceRef, GeoPoint, Role, SiteId, Trilingual, UtcMs,
    alert::{Alert, Cause},
};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{Access, Route, planning::standing, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    report::words::kind_name,
};

const DAY_MS: i64 = 86_400_000;
/// Entries of the emergency journal and signals older than this are told of no more, in days, even if nobody wrote that they are over.
const DISRUPTION_DAYS: i64 = 14;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(explanation))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    vec![row(Method::GET, "/api/v1/alerts/{id}/explanation", Access::With(Right::AlertsRead), get(explanation))]
}

/// A crowd alert in plain words, with what surrounds it. It changes nothing about the alert.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/explanation", tag = "fusion", params(("id" = i64, Path)),
    responses((status = 200, body = Value), (status = 404)))]
async fn explanation(State(app): State<App>, Extension(session): Extension<Session>, Path(id): Path<i64>) -> Result<Json<Value>, ApiError> {
    let stored = match app.engine.open_alert(AlertId(id)) {
        Some(alert) => Some((*alert).clone()),
        None => app.store.alert(AlertId(id)).await?.map(|(alert, _)| alert),
    };
    let alert = stored.filter(|alert| life::visible(alert, &session.viewer())).ok_or_else(|| ApiError::not_found("alert"))?;
    let Cause::Crowd(evidence) = &alert.cause else { return Err(ApiError::not_found("crowd alert")) };
    let now = app.clock.utc();
    let around = surroundings(&app, &session, &alert, now).await?;
    let explained = context::explain(&alert, &around, now);
    let task = explained.as_ref().and_then(|e| e.task.as_ref()).map(words::task);
    let helpers: Vec<_> =
        explained.iter().flat_map(|e| &e.helpers).map(|helper| json!({ "helper": helper, "text": words::helper(*helper) })).collect();
    let tension = around.tension.as_ref().map(|(share, period)| {
        let (value, low, high) = share.parts();
        json!({ "value": value, "low": low, "high": high, "period": period })
    });
    Ok(Json(json!({
        "alert": id,
        "headline": words::headline(alert.level, evidence),
        "advice": words::advice(alert.level),
        "reasons": evidence.reasons.iter().map(words::reason).collect::<Vec<_>>(),
        "score": evidence.assessed.as_ref().map(|kept| kept.said.score),
        "formula": evidence.formula,
        "neighbours": evidence.neighbours,
        "context": explained,
        "around": { "open": around.open, "sensors": around.sensors, "requests": around.requests, "disruptions": around.disruptions, "tension": tension },
        "task": task,
        "helpers": helpers,
    })))
}

/// What the reader may know of the place of an alert.
async fn surroundings(app: &App, session: &Session, alert: &Alert, now: UtcMs) -> Result<Surroundings, ApiError> {
    let may = |right: Right| right.roles().contains(&session.role);
    let radius_m = f64::from(app.config.crowd.nearby_m);
    let area = area_of(app, alert);
    let mut around = Surroundings { open: open_nearby(app, session, alert, radius_m), ..Surroundings::default() };
    if may(Right::PlanningRead) {
        let assemblies = app.store.assemblies(UtcMs(now.0 - DAY_MS)).await?;
        around.assemblies = assemblies.into_iter().map(|e| (e.id, standing(app, &e.body), e.body)).map(|(id, s, a)| (id, a, s)).collect();
        around.places = app.store.special_places().await?.into_iter().map(|entry| (entry.id, entry.body)).collect();
        let near_by = app.config.sites.iter().filter(|site| near(alert, Some(site.position), radius_m));
        let sites: Vec<&SiteId> = near_by.map(|site| &site.id).chain(&alert.site).collect();
        let events = app.store.planned_events(now).await?;
        around.events = events.into_iter().filter(|e| sites.contains(&&e.body.site) && e.body.from <= now).map(|e| e.body.name).collect();
    }
    if let Some(at) = alert.position.filter(|_| may(Right::RequestsFigures)) {
        let open = app.store.open_requests_near(at, radius_m).await?;
        let named = open.into_iter().map(|(category, n)| (category_name(app, &category), n));
        around.requests = Some(RequestsNear::told(app.config.crowd.nearby_m, named, may(Right::RequestsRead)));
    }
    around.sensors = app.sensors.near(now, |device| near(alert, place_of(app, device), radius_m));
    let Some(area) = area else { return Ok(around) };
    let mut reports = Vec::new();
    let since = UtcMs(now.0 - DISRUPTION_DAYS * DAY_MS);
    if may(Right::JournalRead) {
        // The journal names districts and places in words: no distance can be said.
        let entries = app.store.emergencies(since, UtcMs(now.0 + 1), None, Some(&area), None, 200).await?;
        reports.extend(entries.iter().filter_map(|e| e.newest()).filter(|e| e.ongoing).map(|e| (kind_name(e.kind), false)));
    }
    if may(Right::SignalsRead) {
        let filter =
            SignalFilter { kind: Some(SignalKind::Infrastructure), area: Some(area.clone()), limit: 500, ..SignalFilter::default() };
        let signals = app.store.signals(&filter).await?;
        let open = signals.into_iter().filter(|signal| !signal.status.is_over() && signal.entered_at >= since);
        reports.extend(open.filter_map(|s| Some((services::find(&s.service)?.name, near(alert, s.position, radius_m)))));
    }
    around.disruptions = Disruption::together(reports);
    // Of the desks only that of the centre, which proposes helpers, reads the share; the police desk does not.
    if matches!(session.role, Role::DutyOfficer | Role::ShiftLead)
        && let Some(results) = app.tension.results()
    {
        around.tension = ContextShare::of_index(&results.index, &results.catalogue, &area);
    }
    Ok(around)
}

/// Open alerts nearby that the reader may see, without the alert itself and other gatherings.
fn open_nearby(app: &App, session: &Session, alert: &Alert, radius_m: f64) -> OpenNearby {
    let viewer = session.viewer();
    let mut open = OpenNearby::default();
    for other in app.engine.open_alerts() {
        if other.id == alert.id || !life::visible(&other, &viewer) || !near(alert, other.position, radius_m) {
            continue;
        }
        match &other.cause {
            Cause::Alarm(_) if other.is_real_alarm() => open.alarms += 1,
            Cause::Incident(_) => open.incidents += 1,
            Cause::Hazard(_) => open.hazards += 1,
            Cause::Trouble(_) => open.troubles += 1,
            Cause::Alarm(_) | Cause::Crowd(_) => {}
        }
    }
    open
}

fn near(alert: &Alert, at: Option<GeoPoint>, radius_m: f64) -> bool {
    alert.position.zip(at).is_some_and(|(here, at)| here.distance_m(at) <= radius_m)
}

/// Where a device stands; one that is not known better, where its site is.
fn place_of(app: &App, device: &DeviceRef) -> Option<GeoPoint> {
    let camera = app.cameras.setup(device).map(|camera| camera.position);
    let button = || app.config.buttons().find(|(_, button)| button.id == *device)?.1.position;
    let site = || app.config.sites.iter().find(|site| site.id == device.site).map(|site| site.position);
    camera.or_else(button).or_else(site)
}

/// The district of an alert: where it lies, else that of its site.
fn area_of(app: &App, alert: &Alert) -> Option<AreaCode> {
    let areas = app.areas();
    let lies_in = alert.position.and_then(|at| areas.at(at)).map(|area| area.code.clone());
    lies_in.or_else(|| app.config.sites.iter().find(|site| Some(&site.id) == alert.site.as_ref()).map(|site| site.area.clone()))
}

fn category_name(app: &App, id: &str) -> Trilingual {
    let known = app.config.requests.category(id).map(|category| category.name.clone());
    known.unwrap_or_else(|| Trilingual { kk: id.to_owned(), ru: id.to_owned(), en: id.to_owned() })
}
