//! Recordings on cameras and recorders (ONVIF Profile G): what there is, and opening one under the same rule as a live view.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use qorgan_domain::{DeviceRef, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::{
    Access::With,
    Route,
    cameras::{WhyBody, camera_of, why_of},
    live::{Opened, begin, no_picture},
    row,
};
use crate::{
    auth::{Right, Session},
    config::Camera,
    error::ApiError,
    hub::App,
    seeing::{RecordingInfo, RecordingsError, Subject},
};

/// An open alarm shows people as they are from this long before it was raised.
pub(super) const LIFTED_BEFORE: Duration = Duration::from_secs(600);

/// These routes in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, open))]
pub(super) struct Doc;

/// Rows of the table.
pub(super) fn rows() -> Vec<Route> {
    let right = With(Right::StillOpen);
    vec![
        row(Method::GET, "/api/v1/cameras/{site}/{device}/recordings", right, get(list)),
        row(Method::POST, "/api/v1/cameras/{site}/{device}/recordings/open", right, post(open)),
    ]
}

/// A stretch of recorded video on a device. No picture of it leaves with this list.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordingView {
    /// What the device calls it by.
    token: String,
    /// Name of the source, as the device says it.
    source: String,
    /// First picture by the hub's clock, RFC 3339.
    from: Option<String>,
    /// Last picture by the hub's clock, RFC 3339.
    to: Option<String>,
}

/// What a camera's device has recorded of this camera.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordingList {
    recordings: Vec<RecordingView>,
}

/// Which moment, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenBody {
    /// Of the list.
    token: String,
    /// From when on, RFC 3339.
    from: String,
    /// Number of an open alert of that site.
    alert: Option<i64>,
    /// Why, in ten characters or more.
    purpose: Option<String>,
}

async fn recordings_of(app: &App, camera: &DeviceRef) -> Result<Vec<RecordingInfo>, ApiError> {
    let door = app.recordings.as_ref().ok_or_else(|| no_picture("This hub has no cameras of its own."))?;
    let setup = app.cameras.setup(camera).ok_or_else(|| ApiError::not_found("camera"))?;
    let found = (door.list)(setup.clone()).await.map_err(refused)?;
    let shared = app.cameras.setups().iter().filter(|other| same_device(other, &setup)).count() > 1;
    own(found, setup.onvif.as_ref().and_then(|onvif| onvif.recording.as_deref()), shared)
}

fn same_device(one: &Camera, other: &Arc<Camera>) -> bool {
    one.onvif.as_ref().zip(other.onvif.as_ref()).is_some_and(|(one, other)| one.address == other.address)
}

/// Of all that a device has, what is of this camera. A recorder has those of others too, and who may see one camera may not see all.
fn own(found: Vec<RecordingInfo>, named: Option<&str>, shared: bool) -> Result<Vec<RecordingInfo>, ApiError> {
    match named {
        Some(name) => Ok(found.into_iter().filter(|recording| recording.token == name || recording.source == name).collect()),
        None if !shared => Ok(found),
        None => {
            let message = "Several cameras share this recorder: name this camera's recording in its settings (onvif.recording).";
            Err(ApiError::new(StatusCode::CONFLICT, "recording_not_named", message))
        }
    }
}

fn refused(error: RecordingsError) -> ApiError {
    let missing = |message: &str| ApiError::new(StatusCode::CONFLICT, "no_recordings", message);
    match error {
        RecordingsError::NoOnvif => missing("This camera has no ONVIF address."),
        RecordingsError::NoService => missing("The device does not offer recordings (ONVIF Profile G)."),
        RecordingsError::Fault(fault) => {
            let message = format!("The device could not be asked: {}.", fault.as_str());
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "device_away", message)
        }
    }
}

/// What the camera, or the recorder behind it, has recorded.
#[utoipa::path(get, path = "/api/v1/cameras/{site}/{device}/recordings", tag = "live",
    params(("site" = String, Path), ("device" = String, Path)),
    responses((status = 200, body = RecordingList), (status = 404),
        (status = 409, description = "`no_recordings` or `recording_not_named`"), (status = 503, description = "`device_away`")))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
) -> Result<Json<RecordingList>, ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let text = |at: Option<UtcMs>| at.map(|at| at.to_string());
    let recordings = recordings_of(&app, &camera).await?.into_iter().map(|recording| RecordingView {
        token: recording.token,
        source: recording.source,
        from: text(recording.from),
        to: text(recording.to),
    });
    Ok(Json(RecordingList { recordings: recordings.collect() }))
}

/// Opens a recording from a moment on. Needs an open alert of that site or a purpose, and is written to the audit log with the moment
/// before the first picture leaves; it is shown over `GET /api/v1/live/{id}`. People and faces are pixelated unless an alarm or a
/// crossed safety limit is open there and the moment is at most ten minutes before it.
#[utoipa::path(post, path = "/api/v1/cameras/{site}/{device}/recordings/open", tag = "live",
    params(("site" = String, Path), ("device" = String, Path)), request_body = OpenBody,
    responses((status = 201, body = Opened), (status = 403, description = "`purpose_required`"), (status = 404),
        (status = 422, description = "`outside`: nothing is recorded at that moment"), (status = 429)))]
pub(super) async fn open(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((site, device)): Path<(String, String)>,
    Json(body): Json<OpenBody>,
) -> Result<(StatusCode, Json<Opened>), ApiError> {
    let camera = camera_of(&app, &session, &site, &device)?;
    let why = why_of(&app, &camera, WhyBody { alert: body.alert, purpose: body.purpose })?;
    let invalid = |code, message: &str| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message);
    let from: UtcMs = body.from.parse().map_err(|_| invalid("invalid", "from is no RFC 3339 time"))?;
    let known = recordings_of(&app, &camera).await?.into_iter().find(|recording| recording.token == body.token);
    let known = known.ok_or_else(|| ApiError::not_found("recording"))?;
    if known.from.is_some_and(|first| from < first) || known.to.is_some_and(|last| from > last) {
        return Err(invalid("outside", "Nothing is recorded at that moment."));
    }
    let viewing = begin(&app, &session, Subject::Recording { camera, token: known.token, from }, why).await?;
    Ok((StatusCode::CREATED, Json(Opened::new(&viewing))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(token: &str, source: &str) -> RecordingInfo {
        RecordingInfo { token: token.into(), source: source.into(), from: None, to: None }
    }

    #[test]
    fn a_shared_recorder_shows_a_camera_only_what_is_named_for_it() {
        let all = || vec![recording("r1", "Yard"), recording("r2", "Hall")];
        assert_eq!(own(all(), None, false).unwrap().len(), 2, "a camera that records by itself");
        assert!(own(all(), None, true).is_err());
        assert_eq!(own(all(), Some("Hall"), true).unwrap(), [recording("r2", "Hall")]);
        assert_eq!(own(all(), Some("r1"), true).unwrap(), [recording("r1", "Yard")]);
        assert!(own(all(), Some("Gate"), true).unwrap().is_empty());
    }
}
