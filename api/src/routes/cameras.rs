//! Cameras: counts, health, and a still with a purpose.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use qorgan_domain::{DeviceRef, Role, UtcMs, alert::Alert};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::Session,
    error::ApiError,
    hub::{App, Ask, Look, StillError},
    seeing::Why,
    view::CameraView,
};

/// All cameras.
#[derive(Serialize, ToSchema)]
pub(super) struct CameraList {
    cameras: Vec<CameraView>,
}

/// Counts of one camera.
#[derive(Serialize, ToSchema)]
pub(super) struct CountList {
    /// `[unix_ms, people, low, high]`, oldest first.
    points: Vec<(i64, f64, f64, f64)>,
}

/// How far back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct CountsQuery {
    /// The last so many minutes, 1 to 1440.
    minutes: Option<u32>,
}

/// Why a picture is to be opened: an open alert of that site, or a purpose in words.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhyBody {
    /// Number of an open alert at the camera's site.
    pub(super) alert: Option<i64>,
    /// Purpose, ten characters or more.
    pub(super) purpose: Option<String>,
}

/// Whether this session may see a site's cameras: a school contact sees its own site only.
pub(super) fn sees_site(session: &Session, site: &str) -> bool {
    session.role != Role::SchoolContact || session.site.as_ref().is_some_and(|own| own.as_str() == site)
}

/// Whether this session's reach covers a place: a school contact its own site, a district contact its own district, others all.
pub(super) fn covers(session: &Session, site: &str, area: &str) -> bool {
    match session.role {
        Role::DistrictContact => session.area.as_ref().is_some_and(|own| own.as_str() == area),
        _ => sees_site(session, site),
    }
}

/// Every camera with its latest count, health and recent counts.
#[utoipa::path(get, path = "/api/v1/cameras", tag = "cameras", responses((status = 200, body = CameraList)))]
pub(super) async fn list(State(app): State<App>, Extension(session): Extension<Session>) -> Json<CameraList> {
    let cameras = app.cameras.all(app.clock.utc()).into_iter().filter(|c| sees_site(&session, &c.site)).collect();
    Json(CameraList { cameras })
}

/// A camera that this session may see. Others do not exist for it.
pub(super) fn camera_of(app: &App, session: &Session, site: &str, device: &str) -> Result<DeviceRef, ApiError> {
    let id: DeviceRef = format!("{site}/{device}").parse().map_err(|_| ApiError::not_found("camera"))?;
    if app.cameras.contains(&id) && sees_site(session, site) { Ok(id) } else { Err(ApiError::not_found("camera")) }
}

/// Counts of the last minutes, from the store.
#[utoipa::path(get, path = "/api/v1/cameras/{site}/{device}/counts", tag = "cameras",
    params(("site" = String, Path), ("device" = String, Path), CountsQuery), responses((status = 200, body = CountList), (status = 404)))]
pub(super) async fn counts(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Query(query): Query<CountsQuery>,
) -> Result<Json<CountList>, ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let (now, minutes) = (app.clock.utc(), query.minutes.unwrap_or(60).clamp(1, 1440));
    let points = app.store.counts(&camera, now - Duration::from_secs(u64::from(minutes) * 60), now).await?;
    Ok(Json(CountList { points: points.into_iter().map(|p| (p.at.0, p.people, p.low, p.high)).collect() }))
}

/// The reason, if it is one.
pub(super) fn why_of(app: &App, camera: &DeviceRef, body: WhyBody) -> Result<Why, ApiError> {
    let open = app.engine.open_alerts();
    Why::new(body.alert, body.purpose, open.iter().filter(|a| a.site.as_ref() == Some(&camera.site))).ok_or_else(|| {
        let why = "Say why: an open alert of this site, or a purpose of ten characters or more.";
        ApiError::new(StatusCode::FORBIDDEN, "purpose_required", why)
    })
}

/// Whether people at the camera's site may be seen as they are: an alarm or a crossed safety limit is open there.
pub(super) fn lifts_mask(app: &App, camera: &DeviceRef) -> bool {
    app.engine.open_alerts().iter().any(|alert| alert.site.as_ref() == Some(&camera.site) && alert.lifts_mask())
}

/// The same for pictures of the past: the alarm or limit must not be younger than `until`.
pub(super) fn lifts_mask_since(app: &App, camera: &DeviceRef, until: UtcMs) -> bool {
    let lifts = |alert: &Alert| alert.site.as_ref() == Some(&camera.site) && alert.lifts_mask() && alert.raised_at <= until;
    app.engine.open_alerts().iter().any(|alert| lifts(alert))
}

/// Why there is no picture, for whoever asked for one.
pub(super) fn no_still(error: StillError) -> ApiError {
    let refuse = |code, why: String| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, why);
    match error {
        StillError::NoFrame => refuse("no_picture", "The camera has given no picture yet.".into()),
        StillError::Withheld(why) => refuse("withheld", format!("The picture is withheld because people in it could not be masked: {why}")),
        StillError::Failed(why) => refuse("no_picture", format!("The picture could not be decoded: {why}")),
    }
}

/// One picture, now. People in it and their faces are pixelated unless an alarm or a crossed safety limit is open at that site.
/// Every opening is written to the audit log before the picture leaves.
#[utoipa::path(post, path = "/api/v1/cameras/{site}/{device}/still", tag = "cameras",
    params(("site" = String, Path), ("device" = String, Path)), request_body = WhyBody,
    responses((status = 200, content_type = "image/jpeg", description = "`x-qorgan-masked` says whether people are pixelated"),
        (status = 403, description = "`purpose_required`"), (status = 404), (status = 503, description = "`no_picture` or `withheld`")))]
pub(super) async fn still(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Json(body): Json<WhyBody>,
) -> Result<Response, ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let why = why_of(&app, &camera, body)?;
    let masked = !lifts_mask(&app, &camera);
    let no_picture = |why: &str| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_picture", why);
    let stills = app.stills.as_ref().ok_or_else(|| no_picture("This hub has no cameras of its own."))?;
    let look = if masked { Look::Masked } else { Look::Open };
    let ask = Ask { camera: camera.clone(), look, after: None, privacy: app.privacy_of(&camera) };
    let jpeg = stills(ask).await.map_err(no_still)?.ok_or_else(|| no_picture("The camera has given no picture yet."))?.jpeg;
    let shown = if masked { "masked" } else { "unmasked" };
    app.audit_by(&session, "still.open", &format!("camera/{camera} {shown}"), Some(&why.text())).await?;
    metrics::counter!("qorgan_stills_opened_total", "masked" => if masked { "true" } else { "false" }).increment(1);
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-qorgan-masked"), if masked { "true" } else { "false" }),
    ];
    Ok((headers, jpeg).into_response())
}
