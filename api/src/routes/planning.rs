//! Planning data: assemblies by procedure, special places and routes, planned events. It helps people to be safe; it changes no limit.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::{delete, get, post, put},
};
use jiff::civil::Date;
use qorgan_alerts::store::{Entry, StoredEvent};
use qorgan_domain::{
    SiteId, UtcMs,
    assembly::{Assembly, SpecialPlace, Standing},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, fusion::refresh, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
};

/// Assemblies that ended longer ago are not listed.
const LISTED_MS: i64 = 30 * 86_400_000;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(assemblies, add_assembly, change_assembly, places, add_place, change_place, events, add_event, remove_event))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (Access::With(Right::PlanningRead), Access::With(Right::PlanningWrite));
    vec![
        row(Method::GET, "/api/v1/assemblies", read, get(assemblies)),
        row(Method::POST, "/api/v1/assemblies", write, post(add_assembly)),
        row(Method::PUT, "/api/v1/assemblies/{id}", write, put(change_assembly)),
        row(Method::GET, "/api/v1/special-places", read, get(places)),
        row(Method::POST, "/api/v1/special-places", write, post(add_place)),
        row(Method::PUT, "/api/v1/special-places/{id}", write, put(change_place)),
        row(Method::GET, "/api/v1/events", read, get(events)),
        row(Method::POST, "/api/v1/events", write, post(add_event)),
        row(Method::DELETE, "/api/v1/events/{id}", write, delete(remove_event)),
    ]
}

/// Today, as people live it at the places of this hub.
pub(super) fn today(app: &App) -> Date {
    let now = jiff::Timestamp::from_millisecond(app.clock.utc().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    app.config.crowd.time_zone.to_datetime(now).date()
}

/// What holds of an assembly today.
pub(super) fn standing(app: &App, assembly: &Assembly) -> Standing {
    let holidays = &app.config.crowd.holidays;
    assembly.standing(today(app), |day| day.weekday().to_monday_zero_offset() < 5 && !holidays.contains(&day))
}

fn view(app: &App, entry: &Entry<Assembly>) -> Value {
    let holidays = &app.config.crowd.holidays;
    let works = |day: Date| day.weekday().to_monday_zero_offset() < 5 && !holidays.contains(&day);
    json!({
        "id": entry.id, "assembly": entry.body, "procedure": entry.body.form.procedure(), "answer_by": entry.body.answer_by(works),
        "standing": standing(app, &entry.body), "updated_at": entry.updated_at.to_string(), "updated_by": entry.updated_by.as_str(),
    })
}

/// The register of assemblies, with what holds of each today. No organiser is named.
#[utoipa::path(get, path = "/api/v1/assemblies", tag = "planning", responses((status = 200, body = Value)))]
async fn assemblies(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let all = app.store.assemblies(UtcMs(app.clock.utc().0 - LISTED_MS)).await?;
    Ok(Json(json!({ "assemblies": all.iter().map(|entry| view(&app, entry)).collect::<Vec<_>>() })))
}

/// Adds an assembly.
#[utoipa::path(post, path = "/api/v1/assemblies", tag = "planning", request_body = Value, responses((status = 201, body = Value), (status = 422)))]
async fn add_assembly(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    Ok((StatusCode::CREATED, put_assembly(&app, &session, None, body).await?))
}

/// Replaces an assembly: its answer, another time.
#[utoipa::path(put, path = "/api/v1/assemblies/{id}", tag = "planning", params(("id" = i64, Path)), request_body = Value,
    responses((status = 200, body = Value), (status = 404), (status = 422)))]
async fn change_assembly(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    put_assembly(&app, &session, Some(id), body).await
}

async fn put_assembly(app: &App, session: &Session, id: Option<i64>, body: Value) -> Result<Json<Value>, ApiError> {
    let assembly: Assembly = serde_json::from_value(body).map_err(|e| ApiError::invalid(e.to_string()))?;
    assembly.check().map_err(|e| ApiError::invalid(e.to_string()))?;
    let what = format!("{:?} of {} people", assembly.form, assembly.people);
    let subject = id.map_or_else(|| "assembly".to_owned(), |id| format!("assembly/{id}"));
    app.audit_by(session, "assembly.write", &subject, Some(&what)).await?;
    let now = app.clock.utc();
    let id = app.store.put_assembly(id, &assembly, &session.user, now).await?.ok_or_else(|| ApiError::not_found("assembly"))?;
    Ok(Json(view(app, &Entry { id, body: assembly, updated_at: now, updated_by: session.user.clone() })))
}

fn place_view(entry: &Entry<SpecialPlace>) -> Value {
    json!({ "id": entry.id, "place": entry.body, "updated_at": entry.updated_at.to_string(), "updated_by": entry.updated_by.as_str() })
}

/// Special places and routes, with how many people each holds safely.
#[utoipa::path(get, path = "/api/v1/special-places", tag = "planning", responses((status = 200, body = Value)))]
async fn places(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let all = app.store.special_places().await?;
    Ok(Json(json!({ "places": all.iter().map(place_view).collect::<Vec<_>>() })))
}

/// Adds a special place.
#[utoipa::path(post, path = "/api/v1/special-places", tag = "planning", request_body = Value, responses((status = 201, body = Value), (status = 422)))]
async fn add_place(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    Ok((StatusCode::CREATED, put_place(&app, &session, None, body).await?))
}

/// Replaces a special place.
#[utoipa::path(put, path = "/api/v1/special-places/{id}", tag = "planning", params(("id" = i64, Path)), request_body = Value,
    responses((status = 200, body = Value), (status = 404), (status = 422)))]
async fn change_place(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    put_place(&app, &session, Some(id), body).await
}

async fn put_place(app: &App, session: &Session, id: Option<i64>, body: Value) -> Result<Json<Value>, ApiError> {
    let place: SpecialPlace = serde_json::from_value(body).map_err(|e| ApiError::invalid(e.to_string()))?;
    if !(1..=200).contains(&place.points.len()) || !(1..=5_000).contains(&place.radius_m) || place.max_people == 0 {
        return Err(ApiError::invalid("a place has 1 to 200 points, a radius of 1 to 5000 m and room for somebody"));
    }
    let subject = id.map_or_else(|| "special-place".to_owned(), |id| format!("special-place/{id}"));
    app.audit_by(session, "special_place.write", &subject, Some(&format!("holds {}", place.max_people))).await?;
    let now = app.clock.utc();
    let id = app.store.put_special_place(id, &place, &session.user, now).await?.ok_or_else(|| ApiError::not_found("special place"))?;
    Ok(Json(place_view(&Entry { id, body: place, updated_at: now, updated_by: session.user.clone() })))
}

/// A planned event.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EventBody {
    /// Site.
    site: String,
    /// Its name.
    name: String,
    /// From when people come.
    from: String,
    /// Until when they have gone.
    until: String,
    /// People expected in one picture.
    people: Option<f64>,
}

fn event_view(entry: &Entry<StoredEvent>) -> Value {
    let event = &entry.body;
    json!({
        "id": entry.id, "site": event.site.as_str(), "name": event.name, "from": event.from.to_string(), "until": event.until.to_string(),
        "people": event.people, "updated_at": entry.updated_at.to_string(), "updated_by": entry.updated_by.as_str(),
    })
}

/// Planned events that are not over. Those that overlap at one site are marked: their people add up.
#[utoipa::path(get, path = "/api/v1/events", tag = "planning", responses((status = 200, body = Value)))]
async fn events(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let all = app.store.planned_events(app.clock.utc()).await?;
    let overlaps = |one: &Entry<StoredEvent>| {
        let other = |two: &&Entry<StoredEvent>| {
            two.id != one.id && two.body.site == one.body.site && two.body.from < one.body.until && one.body.from < two.body.until
        };
        all.iter().filter(other).map(|two| two.id).collect::<Vec<_>>()
    };
    let view = |entry: &Entry<StoredEvent>| {
        let mut view = event_view(entry);
        view["overlaps"] = json!(overlaps(entry));
        view
    };
    Ok(Json(json!({ "events": all.iter().map(view).collect::<Vec<_>>() })))
}

/// Adds a planned event.
#[utoipa::path(post, path = "/api/v1/events", tag = "planning", request_body = EventBody, responses((status = 201, body = Value), (status = 422)))]
async fn add_event(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<EventBody>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let site: SiteId = body.site.parse().map_err(|_| ApiError::invalid("site: no such word"))?;
    if !app.config.sites.iter().any(|known| known.id == site) {
        return Err(ApiError::invalid(format!("site: there is no site {site}")));
    }
    let time = |text: &str, what| text.parse::<UtcMs>().map_err(|e| ApiError::invalid(format!("{what}: {e}")));
    let (from, until) = (time(&body.from, "from")?, time(&body.until, "until")?);
    if until <= from || until.ms_since(from) > 7 * 86_400_000 {
        return Err(ApiError::invalid("until: an event ends after it begins, and lasts at most 7 days"));
    }
    if body.people.is_some_and(|people| !(1.0..=100_000.0).contains(&people)) {
        return Err(ApiError::invalid("people: 1 to 100000, or none"));
    }
    let name = body.name.replace('\0', "").trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(ApiError::invalid("name: 1 to 200 characters"));
    }
    let event = StoredEvent { site, name, from, until, people: body.people };
    app.audit_by(&session, "event.add", &format!("site/{}", event.site), Some(&event.name)).await?;
    let now = app.clock.utc();
    let id = app.store.add_planned_event(&event, &session.user, now).await?;
    refresh(&app).await?;
    Ok((StatusCode::CREATED, Json(event_view(&Entry { id, body: event, updated_at: now, updated_by: session.user.clone() }))))
}

/// Takes a planned event out.
#[utoipa::path(delete, path = "/api/v1/events/{id}", tag = "planning", params(("id" = i64, Path)), responses((status = 204), (status = 404)))]
async fn remove_event(State(app): State<App>, Extension(session): Extension<Session>, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    app.audit_by(&session, "event.remove", &format!("event/{id}"), None).await?;
    if !app.store.remove_planned_event(id).await? {
        return Err(ApiError::not_found("event"));
    }
    refresh(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}
