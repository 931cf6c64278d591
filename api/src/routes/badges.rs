//! Body-worn cameras: what was heard of each last, for who supervises. There is no way to change, mute or hide any of it here.

use axum::{Json, extract::State, http::Method, routing::get};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{Access, Route, row};
use crate::{auth::Right, config::CameraKind, hub::App, view::Names};

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    vec![row(Method::GET, "/api/v1/badges", Access::With(Right::BadgesRead), get(list))]
}

/// Every badge.
#[derive(Serialize, ToSchema)]
pub(super) struct BadgeList {
    badges: Vec<BadgeView>,
}

/// A badge.
#[derive(Serialize, ToSchema)]
struct BadgeView {
    /// `site/device`.
    id: String,
    name: Names,
    /// Unit that wears it.
    unit: Option<String>,
    /// Number of its last segment.
    segment: Option<u64>,
    /// When that was heard, RFC 3339.
    segment_at: Option<String>,
    /// What is wrong: `missing 4-6`, `broken 9`, `off`, `silent`, `no_position`, with `; ` between.
    wrong: Option<String>,
}

/// Every badge and what is wrong with it.
#[utoipa::path(get, path = "/api/v1/badges", tag = "badges", responses((status = 200, body = BadgeList)))]
pub(super) async fn list(State(app): State<App>) -> Json<BadgeList> {
    let setups = app.cameras.setups();
    let badges = app.badges();
    let view = |camera: &std::sync::Arc<crate::config::Camera>| {
        let last = badges.last(&camera.id);
        BadgeView {
            id: camera.id.to_string(),
            name: (&camera.name).into(),
            unit: camera.unit.as_ref().map(ToString::to_string),
            segment: last.map(|(seq, _)| seq),
            segment_at: last.map(|(_, at)| at.to_string()),
            wrong: badges.wrong_with(&camera.id).map(str::to_owned),
        }
    };
    Json(BadgeList { badges: setups.iter().filter(|camera| camera.kind == CameraKind::Badge).map(view).collect() })
}
