//! Clips of alarms: what there is, and opening one under the same rule as a live view.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    cameras::{WhyBody, camera_of, sees_site, why_of},
    live::{Opened, begin},
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::App,
    seeing::{ClipInfo, Subject},
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, open))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let right = With(Right::StillOpen);
    vec![
        row(Method::GET, "/api/v1/clips", right, get(list)),
        row(Method::POST, "/api/v1/clips/{id}/{site}/{device}/open", right, post(open)),
    ]
}

/// Which clips.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ClipsQuery {
    /// Of this alert only.
    alert: Option<i64>,
    /// Of this camera only, `site/device`.
    camera: Option<String>,
}

/// A clip. No picture of it leaves with this list.
#[derive(Serialize, ToSchema)]
pub(super) struct ClipView {
    /// Number of the alert it was kept for.
    alert: i64,
    /// `site/device`.
    camera: String,
    /// First picture, RFC 3339.
    from: String,
    /// Last picture.
    to: String,
    /// On disk.
    bytes: u64,
    /// Deleted then.
    expires_at: String,
}

/// Clips, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct ClipList {
    clips: Vec<ClipView>,
}

async fn clips_of(app: &App, session: &Session) -> Result<Vec<ClipInfo>, ApiError> {
    if app.clips.is_none() {
        return Ok(Vec::new());
    }
    let hub = app.clone();
    let listed =
        tokio::task::spawn_blocking(move || hub.clips.as_ref().map_or(Ok(Vec::new()), |clips| (clips.list)(&hub.clip_plans()))).await;
    let broken = |error: String| {
        tracing::error!(error, "the folder of clips cannot be read");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_clips", "The folder of clips cannot be read.")
    };
    let all = listed.map_err(|e| broken(e.to_string()))?.map_err(|e| broken(e.to_string()))?;
    let now = app.clock.utc();
    Ok(all.into_iter().filter(|clip| clip.expires_at > now && sees_site(session, clip.camera.site.as_str())).collect())
}

/// Which clips there are. A camera that opted in leaves one for each alarm and each crossed safety limit at its site.
#[utoipa::path(get, path = "/api/v1/clips", tag = "live", params(ClipsQuery), responses((status = 200, body = ClipList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Query(query): Query<ClipsQuery>,
) -> Result<Json<ClipList>, ApiError> {
    let fits = |clip: &ClipInfo| {
        query.alert.is_none_or(|alert| alert == clip.alert) && query.camera.as_ref().is_none_or(|camera| *camera == clip.camera.to_string())
    };
    let clips = clips_of(&app, &session).await?.into_iter().filter(fits).map(|clip| ClipView {
        alert: clip.alert,
        camera: clip.camera.to_string(),
        from: clip.from.to_string(),
        to: clip.to.to_string(),
        bytes: clip.bytes,
        expires_at: clip.expires_at.to_string(),
    });
    Ok(Json(ClipList { clips: clips.collect() }))
}

/// Opens a clip. Needs an open alert of that site or a purpose, and is written to the audit log before the first picture leaves;
/// it is shown over `GET /api/v1/live/{id}`. People and faces are pixelated unless an alarm or a crossed safety limit is open there.
#[utoipa::path(post, path = "/api/v1/clips/{id}/{site}/{device}/open", tag = "live",
    params(("id" = i64, Path, description = "number of the alert"), ("site" = String, Path), ("device" = String, Path)), request_body = WhyBody,
    responses((status = 201, body = Opened), (status = 403, description = "`purpose_required`"), (status = 404), (status = 429)))]
pub(super) async fn open(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((alert, site, device)): Path<(i64, String, String)>,
    Json(body): Json<WhyBody>,
) -> Result<(StatusCode, Json<Opened>), ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let why = why_of(&app, &camera, body)?;
    let known = clips_of(&app, &session).await?.into_iter().any(|clip| clip.alert == alert && clip.camera == camera);
    if !known {
        return Err(ApiError::not_found("clip"));
    }
    let viewing = begin(&app, &session, Subject::Clip(camera, alert), why).await?;
    Ok((StatusCode::CREATED, Json(Opened::new(&viewing))))
}
