//! Alerts: the queue, one alert with its history, actions, incidents opened by hand.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use qorgan_alerts::{
    engine::ActError,
    life::{self, Refusal},
};
use qorgan_domain::{
    AlertId, GeoPoint, SiteId, UnitId,
    alert::{Action, Alert, CloseReason},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::Session,
    error::ApiError,
    hub::App,
    view::{AlertView, RecordView},
};

/// Longest text a person can send, in characters.
const MAX_TEXT: usize = 2_000;

/// Which alerts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `open` or `closed`; both when absent.
    state: Option<String>,
    /// At most this many, 1 to 500.
    limit: Option<u32>,
    /// Only alerts with a smaller number.
    before: Option<i64>,
}

/// Alerts, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AlertList {
    alerts: Vec<AlertView>,
}

/// An alert and its history.
#[derive(Serialize, ToSchema)]
pub(super) struct AlertDetail {
    alert: AlertView,
    transitions: Vec<RecordView>,
}

/// What is done with an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActBody {
    /// `claim`, `release`, `dispatch`, `decline`, `accept`, `en_route`, `on_scene`, `done`, `close`, `note`, `share`, `real`; and the
    /// receipts `shown`, `delivered`, `seen`, of which the first counts.
    action: String,
    /// The unit to send.
    unit: Option<String>,
    /// Why, or what.
    reason: Option<String>,
    /// `resolved`, `false_alarm`, `drill`, `duplicate`.
    close_reason: Option<String>,
}

/// An incident opened by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentBody {
    /// Site, if it is at one.
    site: Option<String>,
    /// `[lat, lon]`, degrees.
    position: Option<[f64; 2]>,
    /// What happened.
    text: String,
}

/// Alerts that this session may see, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(ListQuery), responses((status = 200, body = AlertList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ListQuery>,
) -> Result<Json<AlertList>, ApiError> {
    let open = match query.state.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(other) => return Err(ApiError::invalid(format!("state \"{other}\" is neither open nor closed"))),
    };
    let (limit, viewer) = (query.limit.unwrap_or(100).clamp(1, 500), session.viewer());
    let mut alerts = Vec::new();
    let mut before = query.before.map(AlertId);
    // What a role may not see does not count towards the page.
    while alerts.len() < limit as usize {
        let page = app.store.list(open, before, limit).await?;
        let Some(last) = page.last().map(|a| a.id) else { break };
        let whole = page.len() == limit as usize;
        alerts.extend(page.iter().filter(|a| life::visible(a, &viewer)).map(|a| AlertView::new(a, &session)));
        if !whole {
            break;
        }
        before = Some(last);
    }
    alerts.truncate(limit as usize);
    Ok(Json(AlertList { alerts }))
}

/// One alert and who did what with it, when and why.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = i64, Path)), responses((status = 200, body = AlertDetail), (status = 404)))]
pub(super) async fn one(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Result<Json<AlertDetail>, ApiError> {
    let (alert, records) = app.store.alert(AlertId(id)).await?.ok_or_else(|| ApiError::not_found("alert"))?;
    if !life::visible(&alert, &session.viewer()) {
        return Err(ApiError::not_found("alert"));
    }
    Ok(Json(AlertDetail {
        alert: AlertView::new(&alert, &session),
        transitions: records.iter().map(|r| RecordView::new(r, &session)).collect(),
    }))
}

/// Does something with an alert. The first to claim has it; the second gets 409 and sees who.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/actions", tag = "alerts", params(("id" = i64, Path)), request_body = ActBody, responses(
    (status = 200, body = AlertView), (status = 404),
    (status = 409, description = "`already_claimed` with `claimed_by`, or `not_allowed_in_state` with `state`"),
    (status = 422, description = "`reason_required`, `not_dispatchable`, `invalid`")))]
pub(super) async fn act(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    Json(body): Json<ActBody>,
) -> Result<Json<AlertView>, ApiError> {
    let action = action_of(&app, body)?;
    let name = action.name();
    // An alert that this role may not see does not exist for it.
    if app.engine.open_alert(AlertId(id)).is_some_and(|alert| !life::visible(&alert, &session.viewer())) {
        return Err(ApiError::not_found("alert"));
    }
    let purpose = match &action {
        Action::Release { reason }
        | Action::Decline { reason }
        | Action::Close { reason, .. }
        | Action::Share { reason }
        | Action::Real { reason } => Some(reason.clone()),
        Action::Note { text } => Some(text.clone()),
        Action::Dispatch { unit, .. } => Some(format!("unit {unit}")),
        _ => None,
    };
    match app.engine.act(AlertId(id), action, session.actor()).await {
        Ok(alert) => {
            app.audit_by(&session, &format!("alert.{name}"), &format!("alert/{id}"), purpose.as_deref()).await?;
            Ok(Json(AlertView::new(&alert, &session)))
        }
        Err(ActError::NotFound) => match app.store.alert(AlertId(id)).await? {
            Some((alert, _)) if life::visible(&alert, &session.viewer()) => Err(refused(&Refusal::Closed, Some(&alert), &session)),
            _ => Err(ApiError::not_found("alert")),
        },
        Err(ActError::Refused(refusal, alert)) => Err(refused(&refusal, alert.as_deref(), &session)),
        Err(ActError::Store(error)) => Err(error.into()),
    }
}

/// Opens an incident by hand: a call, a radio message, something seen.
#[utoipa::path(post, path = "/api/v1/incidents", tag = "alerts", request_body = IncidentBody, responses((status = 201, body = AlertView), (status = 422)))]
pub(super) async fn open_incident(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<IncidentBody>,
) -> Result<(StatusCode, Json<AlertView>), ApiError> {
    let text = words(Some(body.text), "text")?.ok_or_else(|| ApiError::invalid("text: say what happened"))?;
    let site: Option<SiteId> =
        body.site.map(|s| s.parse()).transpose().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(e.to_string()))?;
    let known = site
        .as_ref()
        .map(|id| app.config.sites.iter().find(|s| s.id == *id).ok_or_else(|| ApiError::invalid(format!("there is no site \"{id}\""))));
    let known = known.transpose()?;
    let position = body.position.map(GeoPoint::try_from).transpose().map_err(|e| ApiError::invalid(e.to_string()))?;
    let position = position.or(known.map(|s| s.position));
    if position.is_none() {
        return Err(ApiError::invalid("give a site or a position"));
    }
    match app.engine.open_incident(site, position, text.clone(), session.actor()).await {
        Ok(alert) => {
            app.audit_by(&session, "incident.open", &format!("alert/{}", alert.id), Some(&text)).await?;
            Ok((StatusCode::CREATED, Json(AlertView::new(&alert, &session))))
        }
        Err(ActError::Refused(refusal, alert)) => Err(refused(&refusal, alert.as_deref(), &session)),
        Err(ActError::NotFound) => Err(ApiError::not_found("alert")),
        Err(ActError::Store(error)) => Err(error.into()),
    }
}

fn action_of(app: &App, body: ActBody) -> Result<Action, ApiError> {
    let reason = words(body.reason, "reason")?;
    let needed = |reason: Option<String>| {
        reason.ok_or_else(|| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "reason_required", "This needs a reason."))
    };
    Ok(match body.action.as_str() {
        "claim" => Action::Claim,
        "release" => Action::Release { reason: needed(reason)? },
        "dispatch" => {
            let unit: UnitId =
                body.unit.unwrap_or_default().parse().map_err(|e: qorgan_domain::id::IdError| ApiError::invalid(format!("unit: {e}")))?;
            if !app.config.units.iter().any(|u| u.id == unit) {
                return Err(ApiError::invalid(format!("there is no unit \"{unit}\"")));
            }
            Action::Dispatch { unit, note: reason }
        }
        "decline" => Action::Decline { reason: needed(reason)? },
        "accept" => Action::Accept,
        "en_route" => Action::EnRoute,
        "on_scene" => Action::OnScene,
        "close" => {
            let verdict = match body.close_reason.as_deref() {
                Some("resolved") => CloseReason::Resolved,
                Some("false_alarm") => CloseReason::FalseAlarm,
                Some("drill") => CloseReason::Drill,
                Some("duplicate") => CloseReason::Duplicate,
                _ => return Err(ApiError::invalid("close_reason is resolved, false_alarm, drill or duplicate")),
            };
            Action::Close { verdict, reason: needed(reason)? }
        }
        "note" => Action::Note { text: needed(reason)? },
        "done" => Action::Done,
        "share" => Action::Share { reason: needed(reason)? },
        "real" => Action::Real { reason: needed(reason)? },
        "shown" => Action::Shown,
        "delivered" => Action::Delivered,
        "seen" => Action::Seen,
        other => return Err(ApiError::invalid(format!("there is no action \"{other}\""))),
    })
}

/// A text without its outer blanks; none when nothing is left.
fn words(text: Option<String>, field: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()) else { return Ok(None) };
    if text.chars().count() > MAX_TEXT {
        return Err(ApiError::invalid(format!("{field} is longer than {MAX_TEXT} characters")));
    }
    Ok(Some(text))
}

fn refused(refusal: &Refusal, alert: Option<&Alert>, session: &Session) -> ApiError {
    let status = match refusal {
        Refusal::ReasonRequired | Refusal::NotDispatchable => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::NotYours { .. } => StatusCode::FORBIDDEN,
        _ => StatusCode::CONFLICT,
    };
    let mut error = ApiError::new(status, refusal.code(), refusal.to_string());
    let Some(alert) = alert else { return error };
    error = error.with("state", alert.state.as_str());
    if let Some(by) = &alert.claimed_by {
        error = error.with("claimed_by", by.as_str());
    }
    if let Ok(view) = serde_json::to_value(AlertView::new(alert, session)) {
        error = error.with("alert", view);
    }
    error
}
