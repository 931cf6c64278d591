//! Signals that an operator enters: kind, place, service; no author, link or quotation. They go to the service, not to the police.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use qorgan_alerts::{
    intake::{
        personal::{self, Personal},
        services::{self, SignalKind, SignalStatus},
    },
    store::{Signal, SignalFilter, SignalStep},
};
use qorgan_domain::{AreaCode, GeoPoint, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    intake::{area_name, parsed},
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    intake,
    view::Names,
};

/// Longest text of a signal, in characters.
const MAX_TEXT: usize = 500;
/// Longest place.
const MAX_PLACE: usize = 200;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, add, step, service_list, check_text))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let (read, write) = (With(Right::SignalsRead), With(Right::SignalsWrite));
    vec![
        row(Method::GET, "/api/v1/intake/signals", read, get(list)),
        row(Method::POST, "/api/v1/intake/signals", write, post(add)),
        row(Method::POST, "/api/v1/intake/signals/{id}/status", write, post(step)),
        row(Method::GET, "/api/v1/intake/services", read, get(service_list)),
        row(Method::POST, "/api/v1/intake/check-text", write, post(check_text)),
    ]
}

/// Which signals.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    status: Option<String>,
    kind: Option<String>,
    area: Option<String>,
    service: Option<String>,
    limit: Option<u32>,
    before: Option<i64>,
}

/// A new signal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignalBody {
    #[schema(value_type = String)]
    kind: SignalKind,
    /// KATO code.
    area: String,
    /// Street or landmark.
    place: String,
    /// `[lat, lon]`, degrees.
    #[schema(value_type = Option<[f64; 2]>)]
    position: Option<[f64; 2]>,
    text: String,
    /// Responsible service.
    service: String,
}

/// How far a signal is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepBody {
    #[schema(value_type = String)]
    status: SignalStatus,
    note: Option<String>,
}

/// A text that somebody types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TextBody {
    text: String,
}

/// Signals, newest first.
#[derive(Serialize, ToSchema)]
struct SignalList {
    signals: Vec<SignalView>,
    next: Option<i64>,
}

/// A signal.
#[derive(Serialize, ToSchema)]
struct SignalView {
    id: i64,
    #[schema(value_type = String)]
    kind: SignalKind,
    area: String,
    area_name: Option<Names>,
    place: String,
    #[schema(value_type = Option<[f64; 2]>)]
    position: Option<[f64; 2]>,
    text: String,
    service: String,
    service_name: Option<Names>,
    #[schema(value_type = String)]
    status: SignalStatus,
    entered_at: String,
    entered_by: String,
    due_at: String,
    overdue: bool,
    steps: Vec<StepView>,
}

/// A step of a signal.
#[derive(Serialize, ToSchema)]
struct StepView {
    at: String,
    who: String,
    #[schema(value_type = String)]
    status: SignalStatus,
    note: Option<String>,
}

/// Services that a signal can go to.
#[derive(Serialize, ToSchema)]
struct ServiceList {
    services: Vec<ServiceView>,
}

/// A service.
#[derive(Serialize, ToSchema)]
struct ServiceView {
    id: &'static str,
    name: Names,
}

/// What the judge says of a text.
#[derive(Serialize, ToSchema)]
struct TextJudged {
    fine: bool,
    reason: Option<&'static str>,
    message: Option<Names>,
}

fn view(app: &App, signal: &Signal) -> SignalView {
    let now = app.clock.utc();
    SignalView {
        id: signal.id,
        kind: signal.kind,
        area: signal.area.to_string(),
        area_name: area_name(app, &signal.area),
        place: signal.place.clone(),
        position: signal.position.map(Into::into),
        text: signal.text.clone(),
        service: signal.service.clone(),
        service_name: services::find(&signal.service).map(|s| (&s.name).into()),
        status: signal.status,
        entered_at: signal.entered_at.to_string(),
        entered_by: signal.entered_by.clone(),
        due_at: signal.due_at.to_string(),
        overdue: !signal.status.is_over() && signal.due_at < now,
        steps: signal
            .steps
            .iter()
            .map(|s| StepView { at: s.at.to_string(), who: s.who.clone(), status: s.status, note: s.note.clone() })
            .collect(),
    }
}

fn refused(field: &str, found: Personal) -> ApiError {
    let message = serde_json::to_value(Names::from(&found.message())).unwrap_or_default();
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "personal_data", found.message().en)
        .with("field", field)
        .with("reason", found.as_str())
        .with("messages", message)
}

/// A text of a field: within its length, one line or more, without personal data.
pub(super) fn clean(text: &str, field: &str, max: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > max || text.contains(|c: char| c.is_control() && c != '\n') {
        return Err(ApiError::invalid(format!("{field}: 1 to {max} characters")).with("field", field));
    }
    match personal::in_signal(text) {
        Some(found) => Err(refused(field, found)),
        None => Ok(text.to_owned()),
    }
}

/// A district of the hub that this session may speak of.
fn own_area(app: &App, session: &Session, area: &str) -> Result<AreaCode, ApiError> {
    let code: AreaCode =
        area.parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(format!("area: {e}")).with("field", "area"))?;
    if !app.areas().contains_code(&code) {
        return Err(ApiError::invalid(format!("area: this hub knows no district {code}")).with("field", "area"));
    }
    if session.role == Role::DistrictContact && session.area.as_ref() != Some(&code) {
        return Err(ApiError::invalid("area: your own district").with("field", "area"));
    }
    Ok(code)
}

/// Signals that this session sees: a district contact its own district's.
#[utoipa::path(get, path = "/api/v1/intake/signals", tag = "signals", params(ListQuery), responses((status = 200, body = SignalList), (status = 422)))]
async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ListQuery>,
) -> Result<Json<SignalList>, ApiError> {
    let word = |text: Option<String>| text.filter(|t| !t.is_empty()).map(serde_json::Value::String);
    let bad = |field: &'static str| move |_| ApiError::invalid(format!("{field}: not one of its words")).with("field", field);
    let mut area: Option<AreaCode> = parsed(query.area.as_deref(), "area")?;
    if session.role == Role::DistrictContact {
        area = Some(session.area.clone().ok_or_else(ApiError::forbidden)?);
    }
    let filter = SignalFilter {
        status: word(query.status).map(serde_json::from_value).transpose().map_err(bad("status"))?,
        kind: word(query.kind).map(serde_json::from_value).transpose().map_err(bad("kind"))?,
        area,
        service: query.service.filter(|s| !s.is_empty()),
        before: query.before,
        limit: query.limit.unwrap_or(200).clamp(1, 500),
    };
    let signals = app.store.signals(&filter).await?;
    let next = (signals.len() as u64 == u64::from(filter.limit)).then(|| signals.last().map(|s| s.id)).flatten();
    Ok(Json(SignalList { signals: signals.iter().map(|s| view(&app, s)).collect(), next }))
}

/// Enters a signal.
#[utoipa::path(post, path = "/api/v1/intake/signals", tag = "signals", request_body = SignalBody,
    responses((status = 201, body = SignalView), (status = 422, description = "`personal_data` or `invalid`")))]
async fn add(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<SignalBody>,
) -> Result<(StatusCode, Json<SignalView>), ApiError> {
    let area = own_area(&app, &session, &body.area)?;
    let (place, text) = (clean(&body.place, "place", MAX_PLACE)?, clean(&body.text, "text", MAX_TEXT)?);
    let service = services::find(&body.service)
        .ok_or_else(|| ApiError::invalid("service: one of GET /api/v1/intake/services").with("field", "service"))?;
    let position = body
        .position
        .map(GeoPoint::try_from)
        .transpose()
        .map_err(|e| ApiError::invalid(format!("position: {e}")).with("field", "position"))?;
    if let Some(position) = position {
        app.areas()
            .check_inside(position, &area)
            .map_err(|reason| ApiError::invalid(format!("position: {reason}")).with("field", "position"))?;
    }
    let now = app.clock.utc();
    // Days are few: no overflow.
    let due_at = now + Duration::from_secs(u64::try_from(body.kind.days()).unwrap_or(3) * 86_400);
    let step = SignalStep { at: now, who: session.user.to_string(), status: SignalStatus::New, note: None };
    let mut signal = Signal {
        id: 0,
        kind: body.kind,
        area,
        place,
        position,
        text,
        service: service.id.to_owned(),
        status: SignalStatus::New,
        entered_at: now,
        entered_by: session.user.to_string(),
        due_at,
        steps: vec![step],
    };
    app.audit_by(
        &session,
        "signal.add",
        &format!("area/{}", signal.area),
        Some(&format!("{} to {}", signal.kind.as_str(), signal.service)),
    )
    .await?;
    signal.id = app.store.add_signal(&signal).await?;
    Ok((StatusCode::CREATED, Json(view(&app, &signal))))
}

/// Says how far a signal is.
#[utoipa::path(post, path = "/api/v1/intake/signals/{id}/status", tag = "signals", params(("id" = i64, Path)), request_body = StepBody,
    responses((status = 200, body = SignalView), (status = 404), (status = 409, description = "`not_now`"), (status = 422)))]
async fn step(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<StepBody>,
) -> Result<Json<SignalView>, ApiError> {
    let mine = |signal: &Signal| session.role != Role::DistrictContact || session.area.as_ref() == Some(&signal.area);
    let known = app.store.signal(id).await?.filter(mine).ok_or_else(|| ApiError::not_found("signal"))?;
    let note = body.note.as_deref().map(str::trim).filter(|n| !n.is_empty()).map(|n| clean(n, "note", MAX_TEXT)).transpose()?;
    if body.status == SignalStatus::Declined && note.is_none() {
        return Err(ApiError::invalid("note: why it is declined").with("field", "note"));
    }
    let not_now = || ApiError::new(StatusCode::CONFLICT, "not_now", format!("The signal is {}.", known.status.as_str()));
    if !known.status.may_become(body.status) {
        return Err(not_now());
    }
    app.audit_by(&session, "signal.status", &format!("signal/{id}"), Some(body.status.as_str())).await?;
    let step = SignalStep { at: app.clock.utc(), who: session.user.to_string(), status: body.status, note };
    if !app.store.step_signal(&known, &step).await? {
        return Err(not_now());
    }
    let signal = app.store.signal(id).await?.ok_or_else(|| ApiError::not_found("signal"))?;
    Ok(Json(view(&app, &signal)))
}

/// Services that a signal can go to.
#[utoipa::path(get, path = "/api/v1/intake/services", tag = "signals", responses((status = 200, body = ServiceList)))]
async fn service_list() -> Json<ServiceList> {
    Json(ServiceList { services: services::all().map(|s| ServiceView { id: s.id, name: (&s.name).into() }).collect() })
}

/// Judges a text while it is typed. Nothing of it is kept.
#[utoipa::path(post, path = "/api/v1/intake/check-text", tag = "signals", request_body = TextBody, responses((status = 200, body = TextJudged), (status = 422)))]
async fn check_text(Json(body): Json<TextBody>) -> Result<Json<TextJudged>, ApiError> {
    if body.text.chars().count() > 4 * MAX_TEXT {
        return Err(ApiError::invalid(format!("text: at most {} characters", 4 * MAX_TEXT)).with("field", "text"));
    }
    let found = personal::in_signal(&body.text);
    let message = found.map(|f| Names::from(&f.message()));
    Ok(Json(TextJudged { fine: found.is_none(), reason: found.map(Personal::as_str), message }))
}

/// The local day of a text, which has been.
pub(super) fn past_day(app: &App, text: &str, field: &str) -> Result<jiff::civil::Date, ApiError> {
    let day = day(text, field)?;
    if day > intake::today(app) {
        return Err(ApiError::invalid(format!("{field}: a day that has been")).with("field", field));
    }
    Ok(day)
}

/// The day of a text.
pub(super) fn day(text: &str, field: &str) -> Result<jiff::civil::Date, ApiError> {
    let period: qorgan_domain::period::Period =
        text.parse().map_err(|_| ApiError::invalid(format!("{field}: YYYY-MM-DD")).with("field", field))?;
    if period.kind() != qorgan_domain::period::PeriodKind::Day {
        return Err(ApiError::invalid(format!("{field}: YYYY-MM-DD")).with("field", field));
    }
    Ok(period.first_day())
}
