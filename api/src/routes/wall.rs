//! The masked wall: a small picture of any camera, people and faces pixelated, for the shift without a purpose.

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::{HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::{
    Access::With,
    Route,
    cameras::{camera_of, no_still},
    live::no_picture,
    row,
};
use crate::{
    auth::{Right, Session},
    error::ApiError,
    hub::{App, Ask, Look},
};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(picture))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    vec![row(Method::GET, "/api/v1/wall/{site}/{device}", With(Right::StillOpen), get(picture))]
}

/// What the desk has.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct WallQuery {
    /// `x-qorgan-picture` of the picture that is shown: it is not sent again.
    seen: Option<i64>,
}

/// A camera's newest picture, small, people and faces pixelated. At most one every three seconds is made, for all desks together.
/// That a session looks at the wall is written to the audit log, once in 15 minutes.
#[utoipa::path(get, path = "/api/v1/wall/{site}/{device}", tag = "live", params(("site" = String, Path), ("device" = String, Path), WallQuery),
    responses((status = 200, content_type = "image/jpeg", description = "`x-qorgan-at`: when the hub received it"),
        (status = 204, description = "the picture that is shown is the newest"),
        (status = 404), (status = 503, description = "`no_picture` or `withheld`")))]
pub(super) async fn picture(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Query(query): Query<WallQuery>,
) -> Result<Response, ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let stills = app.stills.as_ref().ok_or_else(|| no_picture("This hub has no cameras of its own."))?;
    let now = app.clock.utc();
    if app.wall.must_write(&session.key, now) {
        app.audit_by(&session, "wall.open", "wall masked", Some("the shift's masked overview")).await?;
        app.wall.written(&session.key, now);
    }
    let picture = match app.wall.fresh(&camera, now) {
        Some(picture) => picture,
        None => {
            let turn = app.wall.turn().await.ok_or_else(|| no_picture("The hub ends."))?;
            // While this desk waited, another may have had it made.
            let now = app.clock.utc();
            match app.wall.fresh(&camera, now) {
                // No work done: nothing to rest from.
                Some(picture) => picture,
                None => {
                    let ask = Ask { camera: camera.clone(), look: Look::Wall, after: None, privacy: app.privacy_of(&camera) };
                    let still = stills(ask).await.map_err(no_still)?.ok_or_else(|| no_picture("The camera has given no picture yet."))?;
                    let picture = app.wall.put(camera, Bytes::from(still.jpeg), still.at, app.clock.utc());
                    drop(turn);
                    picture
                }
            }
        }
    };
    let fixed = [
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (HeaderName::from_static("x-qorgan-picture"), picture.at.0.to_string()),
        (HeaderName::from_static("x-qorgan-at"), picture.at.to_string()),
    ];
    if query.seen == Some(picture.at.0) {
        return Ok((StatusCode::NO_CONTENT, fixed).into_response());
    }
    Ok((fixed, [(header::CONTENT_TYPE, "image/jpeg")], picture.jpeg).into_response())
}
