//! The response clock and the handover of a shift.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use qorgan_alerts::{life, store::Handover};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, row};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::{App, Change},
    view::ShiftView,
};

/// Longest note, in characters.
const MAX_NOTE: usize = 4_000;
/// Handovers that are listed.
const LISTED: u32 = 50;

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(figures, list, give, take))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let right = Access::With(Right::Shift);
    vec![
        row(Method::GET, "/api/v1/shift", right, get(figures)),
        row(Method::GET, "/api/v1/shift/handovers", right, get(list)),
        row(Method::POST, "/api/v1/shift/handover", right, post(give)),
        row(Method::POST, "/api/v1/shift/handover/{id}/take", right, post(take)),
    ]
}

/// What the next shift must know.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GiveBody {
    note: String,
}

/// An alert that was open when the shift was given.
#[derive(Serialize, Deserialize, ToSchema)]
struct OpenAlert {
    id: i64,
    kind: String,
    level: String,
    state: String,
    site: Option<String>,
    claimed_by: Option<String>,
}

/// A handover.
#[derive(Serialize, ToSchema)]
struct HandoverView {
    id: i64,
    at: String,
    given_by: String,
    note: String,
    open_alerts: Vec<OpenAlert>,
    taken_by: Option<String>,
    taken_at: Option<String>,
}

/// The shift with its last handover.
#[derive(Serialize, ToSchema)]
struct ShiftDetail {
    #[serde(flatten)]
    shift: ShiftView,
    last_handover: Option<HandoverView>,
}

/// Handovers, newest first.
#[derive(Serialize, ToSchema)]
struct HandoverList {
    handovers: Vec<HandoverView>,
}

impl From<Handover> for HandoverView {
    fn from(handover: Handover) -> Self {
        Self {
            id: handover.id,
            at: handover.at.to_string(),
            given_by: handover.given_by.to_string(),
            note: handover.note,
            // Written below; a list that a newer version wrote is shown as empty rather than not at all.
            open_alerts: serde_json::from_str(&handover.open_alerts).unwrap_or_default(),
            taken_by: handover.taken_by.map(|by| by.to_string()),
            taken_at: handover.taken_at.map(|at| at.to_string()),
        }
    }
}

/// How fast alarms were claimed in this shift.
#[utoipa::path(get, path = "/api/v1/shift", tag = "shift", responses((status = 200, body = ShiftDetail)))]
async fn figures(State(app): State<App>) -> Result<Json<ShiftDetail>, ApiError> {
    let shift = ShiftView::new(&app, &app.shift_figures());
    let last_handover = app.store.handovers(1).await?.into_iter().next().map(HandoverView::from);
    Ok(Json(ShiftDetail { shift, last_handover }))
}

/// The last handovers.
#[utoipa::path(get, path = "/api/v1/shift/handovers", tag = "shift", responses((status = 200, body = HandoverList)))]
async fn list(State(app): State<App>) -> Result<Json<HandoverList>, ApiError> {
    Ok(Json(HandoverList { handovers: app.store.handovers(LISTED).await?.into_iter().map(HandoverView::from).collect() }))
}

/// Gives the shift: a note and the alerts that are open now.
#[utoipa::path(post, path = "/api/v1/shift/handover", tag = "shift", request_body = GiveBody, responses((status = 201, body = HandoverView), (status = 422)))]
async fn give(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Json(body): Json<GiveBody>,
) -> Result<(StatusCode, Json<HandoverView>), ApiError> {
    let note = body.note.replace('\0', "").trim().to_owned();
    if note.is_empty() || note.chars().count() > MAX_NOTE {
        return Err(ApiError::invalid(format!("note: say in 1 to {MAX_NOTE} characters what the next shift must know")));
    }
    let viewer = session.viewer();
    let open: Vec<OpenAlert> = app
        .engine
        .open_alerts()
        .iter()
        .filter(|alert| life::visible(alert, &viewer))
        .map(|alert| OpenAlert {
            id: alert.id.0,
            kind: alert.cause.kind().into(),
            level: alert.level.as_str().into(),
            state: alert.state.as_str().into(),
            site: alert.site.as_ref().map(ToString::to_string),
            claimed_by: alert.claimed_by.as_ref().map(ToString::to_string),
        })
        .collect();
    let mut handover = Handover {
        id: 0,
        at: app.clock.utc(),
        given_by: session.user.clone(),
        role: session.role.as_str().into(),
        note,
        open_alerts: serde_json::to_string(&open).unwrap_or_else(|_| "[]".into()),
        taken_by: None,
        taken_at: None,
    };
    handover.id = app.store.add_handover(&handover).await?;
    let what = format!("{} open alerts", open.len());
    app.audit_by(&session, "shift.give", &format!("handover/{}", handover.id), Some(&what)).await?;
    app.ring.push([Change::Desks]);
    Ok((StatusCode::CREATED, Json(handover.into())))
}

/// Takes the shift. Only one can; who gave it cannot.
#[utoipa::path(post, path = "/api/v1/shift/handover/{id}/take", tag = "shift", params(("id" = i64, Path)), responses(
    (status = 200, body = HandoverView), (status = 404), (status = 409, description = "`taken`, with `taken_by`")))]
async fn take(State(app): State<App>, Extension(session): Extension<Session>, Path(id): Path<i64>) -> Result<Json<HandoverView>, ApiError> {
    let known = app.store.handover(id).await?.ok_or_else(|| ApiError::not_found("handover"))?;
    if known.given_by == session.user {
        return Err(ApiError::new(StatusCode::CONFLICT, "own_handover", "Somebody else takes the shift that you gave."));
    }
    let taken = app.store.take_handover(id, &session.user, app.clock.utc()).await?;
    let now = app.store.handover(id).await?.ok_or_else(|| ApiError::not_found("handover"))?;
    if !taken {
        let by = now.taken_by.map(|by| by.to_string()).unwrap_or_default();
        return Err(ApiError::new(StatusCode::CONFLICT, "taken", "Somebody has taken this shift.").with("taken_by", by));
    }
    app.audit_by(&session, "shift.take", &format!("handover/{id}"), None).await?;
    app.ring.push([Change::Desks]);
    Ok(Json(now.into()))
}
